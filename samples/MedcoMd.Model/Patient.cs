using Medco.Csfle;

namespace MedcoMd.Model;

/// <summary>
/// A patient of MedcoMD, as the guide's field table has it. Stored under camel-case names; <c>_id</c> is left to the database,
/// so the class needs no type of the driver.
/// </summary>
[EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
public sealed class Patient
{
    public string Name { get; set; } = "";

    [Deterministic]
    public int Ssn { get; set; }

    /// <summary>
    /// The last four digits of <see cref="Ssn"/>, in clear: what a receptionist may see and search for. One word, so that its
    /// stored name is <c>last4ssn</c>.
    /// </summary>
    public int Last4ssn { get; set; }

    [Random]
    public string BloodType { get; set; } = "";

    [Random]
    public List<MedicalRecord> MedicalRecords { get; set; } = [];

    public Insurance Insurance { get; set; } = new();

    /// <summary>
    /// Counts the changes of the document, in clear. A list that is encrypted as a whole can only be replaced as a whole: who
    /// read it writes it back on condition that nobody else has in the meantime.
    /// </summary>
    public int Version { get; set; }
}
