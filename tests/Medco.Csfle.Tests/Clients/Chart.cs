using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>What lies at the foot of a bed: encrypted fields beside plain arrays and documents, which the patients do not have.</summary>
[DataKey("medco-patients")]
public sealed class Chart
{
    public const string Collection = "charts";

    /// <summary>What every value of an encrypted field begins with.</summary>
    public const string Secret = "secret";

    public int Id { get; set; }

    public string Ward { get; set; } = "";

    public int Age { get; set; }

    [Deterministic, BsonIgnoreIfNull]
    public string? Ssn { get; set; }

    [Random, BsonIgnoreIfNull]
    public string? Diagnosis { get; set; }

    public List<string> Tags { get; set; } = [];

    public List<Visit> Visits { get; set; } = [];

    public Contact Contact { get; set; } = new();

    /// <summary>A patients' fixture that has charts, too: three of them, two with the same number.</summary>
    internal static Patients InPatients(bool asReplicaSet = false)
    {
        var patients = new Patients((csfle, database) => csfle.AddCollection<Chart>($"{database}.{Collection}").AllowUnencrypted($"{database}.rooms"), asReplicaSet);
        patients.Other<Chart>(Collection).InsertMany(
        [
            new Chart { Id = 1, Ward = "A", Age = 30, Ssn = "secret-1", Diagnosis = "secret-flu", Tags = ["new", "walk-in"], Visits = [new Visit { Day = 1, Nurse = "Ann" }, new Visit { Day = 2, Nurse = "Bob" }], Contact = new Contact { Email = "secret-a", City = "Bern" } },
            new Chart { Id = 2, Ward = "A", Age = 40, Ssn = "secret-2", Diagnosis = "secret-cold", Tags = ["new"], Visits = [new Visit { Day = 3, Nurse = "Ann" }], Contact = new Contact { Email = "secret-b", City = "Basel" } },
            new Chart { Id = 3, Ward = "B", Age = 50, Ssn = "secret-1", Diagnosis = "secret-flu", Tags = [], Visits = [], Contact = new Contact { Email = "secret-a", City = "Bern" } },
        ]);
        patients.ClearCommands();
        return patients;
    }
}

/// <summary>One visit to a bed.</summary>
public sealed class Visit
{
    public int Day { get; set; }

    public string Nurse { get; set; } = "";
}

/// <summary>Whom to call.</summary>
public sealed class Contact
{
    [Deterministic, BsonIgnoreIfNull]
    public string? Email { get; set; }

    public string City { get; set; } = "";
}

/// <summary>A room, of which nothing is secret.</summary>
public sealed class Room
{
    public int Id { get; set; }

    public string Ward { get; set; } = "";
}
