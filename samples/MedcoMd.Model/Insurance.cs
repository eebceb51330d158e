using Medco.Csfle;

namespace MedcoMd.Model;

/// <summary>The insurance of a patient: the number is nobody's business, the provider may be read at the front desk.</summary>
public sealed class Insurance
{
    [Deterministic]
    public int PolicyNumber { get; set; }

    public string Provider { get; set; } = "";
}
