namespace MedcoMd.Model;

/// <summary>The patient the guide writes about.</summary>
public static class JonDoe
{
    /// <summary>A new object with the guide's values.</summary>
    public static Patient Create() => new()
    {
        Name = "Jon Doe",
        Ssn = 241014209,
        Last4ssn = 4209,
        BloodType = "AB+",
        MedicalRecords = [new MedicalRecord { Weight = 180, BloodPressure = "120/80" }],
        Insurance = new Insurance { PolicyNumber = 123142, Provider = "MaestCare" },
    };
}
