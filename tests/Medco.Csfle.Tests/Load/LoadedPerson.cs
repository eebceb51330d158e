namespace Medco.Csfle.Tests.Load;

/// <summary>What the clients under load write.</summary>
[DataKey("load")]
internal sealed class LoadedPerson
{
    public long Id { get; set; }

    public int Owner { get; set; }

    public int Version { get; set; }

    [Deterministic]
    public string Ssn { get; set; } = "";

    [Random]
    public List<string> Notes { get; set; } = [];

    public LoadedHome Home { get; set; } = new();
}

/// <summary>An embedded document with a mark of its own.</summary>
internal sealed class LoadedHome
{
    [Random]
    public string Street { get; set; } = "";

    public string City { get; set; } = "";
}
