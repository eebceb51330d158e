using MedcoMd.Model;
using MongoDB.Bson;

namespace Medco.Csfle.Testing.Tests;

[EncryptedCollection("clinic.people"), DataKey("clinic-people")]
public sealed class Person
{
    public ObjectId Id { get; set; }

    public string Name { get; set; } = "";

    [Deterministic]
    public int Ssn { get; set; }

    [Random(Nulls = NullPolicy.Omit)]
    public string? BloodType { get; set; }

    public Insurance Insurance { get; set; } = new();

    public string? Note { get; set; }

    public static Person Jon() => new()
    {
        Id = ObjectId.GenerateNewId(),
        Name = "Jon Doe",
        Ssn = 241014209,
        BloodType = "AB+",
        Insurance = new Insurance { PolicyNumber = 123142, Provider = "MaestCare" },
    };
}
