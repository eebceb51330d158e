using System.ComponentModel.DataAnnotations;
using MongoDB.Bson;

namespace Medco.Csfle.NJsonSchema.Tests;

/// <summary>Makes visits that .NET's own validation accepts, at the borders of what is allowed more often than not.</summary>
internal sealed class Visits(int seed)
{
    private static readonly string[] Characters = ["a", "Z", "7", "ä", "٣", "😀", " ", "-", "\n", "ß"];

    private readonly Random _random = new(seed);

    public static Visit Simple() => new() { Name = "Jon Doe", Ssn = "241-01-4209", Weight = 80, Insurance = new Insurance { Policy = "123142", Provider = "MaestCare" } };

    public Visit Next() => new()
    {
        Id = ObjectId.GenerateNewId(),
        Name = Valid(nameof(Visit.Name), () => Text(_random.Next(2, 5))) ?? "Jon",
        Ssn = "241-01-4209",
        Weight = _random.Next(1, 501),
        Insurance = new Insurance { Policy = "p" + Text(5), Provider = "x" + Text(6) },
        Age = Pick(0, 150, _random.Next(151)),
        Ratio = Pick(0.1, 0.30000000000000004, 0.2),
        Price = Pick(0.10m, 99.95m, 1m),
        Share = Pick(0.1m, 0.3m, 0.25m),
        Count = Pick(0, long.MaxValue, int.MaxValue),
        Written = Pick(0m, 10m, 3.25m),
        Code = Valid(nameof(Visit.Code), () => Pick("AB-123", "XY-٣٣٣ä", "AB-12345_", "", $"AB-1234{Text(1)}")),
        Units = Valid(nameof(Visit.Units), () => Pick("😀ab", "a\rbc", "😀😀", "", Text(3), Text(4))),
        Insensitive = Pick("ABC", "abc", null),
        Email = Pick("a@b.c", null),
        State = Pick(default, State.Planned, State.Finished),
        Former = Pick<State?>(null, default(State), State.Done, State.Planned),
        Wishes = Pick(Wishes.None, Wishes.Quiet | Wishes.Window, (Wishes)64),
        Token = Guid.NewGuid(),
        Number = Guid.NewGuid(),
        At = DateTime.UtcNow,
        Booked = DateTimeOffset.Now,
        Day = new DateOnly(1969, 2, 3),
        Length = TimeSpan.FromMinutes(_random.Next(100)),
        Tags = Pick<List<string>>([Text(2)], ["a", "a", null!]),
        Rooms = Pick<HashSet<int>>([], [1, 2, 3]),
        Others = Pick<IList<Guid>>([], new List<Guid> { Guid.NewGuid() }, new[] { Guid.NewGuid() }),
        Addresses = Pick<IReadOnlyList<Address>>([], new[] { Address() }, new List<Address> { Address(), null! }),
        Scores = Pick<Dictionary<string, int>>([], new() { ["a"] = 1 }, null!),
        Remarks = Pick<Dictionary<int, string>>([], new() { [1] = "a" }),
        Ordered = Pick<IDictionary<string, int>>(new Dictionary<string, int> { ["a"] = 1 }, new SortedDictionary<string, int> { ["a"] = 1 }),
        Grid = Pick(null, new[,] { { 1, 2 }, { 3, 4 } }),
        Address = Pick(null, Address()),
        Contact = Pick<Contact?>(null, new Phone { Kind = "p", Number = "1", Value = 2 }, new Post { Kind = "q", Address = Address(), Value = "v" }),
        Referral = Pick(null, new Referral { By = new Referral { Level = 9, By = new Referral { By = new Referral() } } }),
        Note = Pick(null, "😀😀😀😀😀", ""),
        Rank = _random.Next(2),
        Anything = Pick<object?>(null, 1, "a", Guid.NewGuid().ToString()),
        Raw = Pick(null, new BsonDocument("a", 1)),
    };

    private Address Address() => new() { City = "c" + Text(3), PostalCode = Pick("12345", "٣٣٣٣٣", "", null) };

    private TValue Pick<TValue>(params TValue[] values) => values[_random.Next(values.Length)];

    private string Text(int length) => string.Concat(Enumerable.Range(0, length).Select(_ => Pick(Characters)));

    private static string? Valid(string member, Func<string> make)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var text = make();
            if (Validator.TryValidateProperty(text, new ValidationContext(new Visit()) { MemberName = member }, null)) return text;
        }

        return null;
    }
}
