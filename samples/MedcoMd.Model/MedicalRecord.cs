namespace MedcoMd.Model;

/// <summary>The vital signs of one visit. Encrypted with the whole list that holds it, so nothing is marked here.</summary>
public sealed class MedicalRecord
{
    /// <summary>Weight in pounds.</summary>
    public int Weight { get; set; }

    /// <summary>Systolic over diastolic in mmHg, such as <c>120/80</c>.</summary>
    public string BloodPressure { get; set; } = "";
}
