using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Bson.Serialization.Options;

namespace Medco.Csfle.NJsonSchema.Tests;

/// <summary>A class with one member for each thing that a validator has to get right.</summary>
[DataKey("visits")]
public sealed class Visit
{
    public ObjectId Id { get; set; }

    [Required, StringLength(40, MinimumLength = 3)]
    public string Name { get; set; } = "";

    [Deterministic, Required, StringLength(11, MinimumLength = 11)]
    public string Ssn { get; set; } = "";

    [Random, Range(1, 500)]
    public int Weight { get; set; }

    [Required]
    public Insurance Insurance { get; set; } = new();

    [Range(0, 150)]
    public int Age { get; set; }

    [Range(0.1, 0.30000000000000004)]
    public double Ratio { get; set; } = 0.1;

    [Range(typeof(decimal), "0.10", "99.95")]
    public decimal Price { get; set; } = 1;

    [Range(0.1, 0.3)]
    public decimal Share { get; set; } = 0.2m;

    [Range(0, double.MaxValue)]
    public long Count { get; set; }

    [BsonRepresentation(BsonType.String), Range(0, 10)]
    public decimal Written { get; set; }

    [RegularExpression(@"[A-Z]{2}-\d{3,5}\w?")]
    public string? Code { get; set; }

    [RegularExpression(@"..\S{2}")]
    public string? Units { get; set; }

    [RegularExpression("(?i)abc")]
    public string? Insensitive { get; set; }

    [EmailAddress]
    public string? Email { get; set; }

    public State State { get; set; }

    [BsonRepresentation(BsonType.String)]
    public State? Former { get; set; }

    public Wishes Wishes { get; set; }

    [BsonRepresentation(BsonType.String)]
    public Guid Token { get; set; }

    [BsonGuidRepresentation(GuidRepresentation.Standard)]
    public Guid Number { get; set; }

    public DateTime At { get; set; }

    public DateTimeOffset Booked { get; set; }

    public DateOnly Day { get; set; }

    public TimeSpan Length { get; set; }

    [MinLength(1), MaxLength(3)]
    public List<string> Tags { get; set; } = ["a"];

    public HashSet<int> Rooms { get; set; } = [];

    [BsonRepresentation(BsonType.String)]
    public IList<Guid> Others { get; set; } = [];

    public IReadOnlyList<Address> Addresses { get; set; } = [];

    public Dictionary<string, int> Scores { get; set; } = [];

    [BsonDictionaryOptions(DictionaryRepresentation.ArrayOfDocuments), MaxLength(9)]
    public Dictionary<int, string> Remarks { get; set; } = [];

    [BsonDictionaryOptions(DictionaryRepresentation.ArrayOfDocuments)]
    public IDictionary<string, int> Ordered { get; set; } = new Dictionary<string, int>();

    public int[,]? Grid { get; set; }

    public Address? Address { get; set; }

    public Contact? Contact { get; set; }

    public Referral? Referral { get; set; }

    [BsonIgnoreIfNull, MaxLength(10)]
    public string? Note { get; set; }

    [BsonIgnoreIfDefault, Required]
    public int Rank { get; set; }

    public object? Anything { get; set; }

    public BsonDocument? Raw { get; set; }

    [ModuleInitializer]
    internal static void RegisterConventions() => ConventionRegistry.Register(
        nameof(Visit),
        new ConventionPack { new CamelCaseElementNameConvention() },
        type => type.Namespace == typeof(Visit).Namespace);
}

public enum State
{
    Planned = 1,
    Done = 2,
    Finished = 2,
}

[Flags]
public enum Wishes
{
    None = 0,
    Quiet = 1,
    Window = 2,
}

public sealed class Insurance
{
    [Random, Required]
    public string Policy { get; set; } = "";

    [Required, MaxLength(20)]
    public string Provider { get; set; } = "";
}

public sealed class Address
{
    [Required, MaxLength(30)]
    public string City { get; set; } = "";

    [BsonElement("zip"), RegularExpression(@"\d{5}")]
    public string? PostalCode { get; set; }
}

[BsonKnownTypes(typeof(Phone), typeof(Post))]
public abstract class Contact
{
    [Required]
    public string Kind { get; set; } = "";
}

public sealed class Phone : Contact
{
    [Required]
    public string Number { get; set; } = "";

    public int Value { get; set; }
}

public sealed class Post : Contact
{
    [Required]
    public Address Address { get; set; } = new();

    public string? Value { get; set; }
}

/// <summary>Contains itself.</summary>
public sealed class Referral
{
    [Range(1, 9)]
    public int Level { get; set; } = 1;

    public Referral? By { get; set; }
}
