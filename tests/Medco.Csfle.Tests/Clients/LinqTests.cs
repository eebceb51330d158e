using Medco.Csfle.Engine;
using MongoDB.Driver;
using MongoDB.Driver.Linq;

namespace Medco.Csfle.Tests.Clients;

/// <summary>LINQ on a collection with encrypted fields: what docs/operators.md allows works, anything else is refused before it is sent.</summary>
public sealed class LinqTests : IDisposable
{
    private static readonly string?[] Ssns = ["secret-1", null, "secret-9"];

    // What a query gives, as text.
    private static readonly Dictionary<string, (Func<IQueryable<Chart>, Task<object?>> Run, string Expected)> Working = new()
    {
        ["Where, equal"] = (charts => Ids(charts.Where(chart => chart.Ssn == "secret-1")), "1 3"),
        ["Where, not equal"] = (charts => Ids(charts.Where(chart => chart.Ssn != "secret-1")), "2"),
        ["Where, not"] = (charts => Ids(charts.Where(chart => !(chart.Ssn == "secret-1"))), "2"),
        ["Where, one of a list"] = (charts => Ids(charts.Where(chart => new[] { "secret-2", "secret-9" }.Contains(chart.Ssn))), "2"),
        ["Where, none of a list"] = (charts => Ids(charts.Where(chart => !new[] { "secret-2", "secret-9" }.Contains(chart.Ssn))), "1 3"),
        ["Where, compound"] = (charts => Ids(charts.Where(chart => chart.Ssn == "secret-1" && chart.Age > 35 || chart.Contact.Email == "secret-b")), "2 3"),
        ["Where, embedded"] = (charts => Ids(charts.Where(chart => chart.Contact.Email == "secret-a" && chart.Contact.City == "Bern")), "1 3"),
        ["Where after Where"] = (charts => Ids(charts.Where(chart => chart.Ssn == "secret-1").Where(chart => chart.Ward == "B")), "3"),
        ["Where, plain, any kind"] = (charts => Ids(charts.Where(chart => chart.Age >= 40 && chart.Ward.StartsWith("B"))), "3"),
        ["Any on a plain array"] = (charts => Ids(charts.Where(chart => chart.Tags.Any(tag => tag == "walk-in"))), "1"),
        ["Contains on a plain array"] = (charts => Ids(charts.Where(chart => chart.Tags.Contains("new") && chart.Ssn == "secret-2")), "2"),
        ["Any on plain documents"] = (charts => Ids(charts.Where(chart => chart.Visits.Any(visit => visit.Nurse == "Ann" && visit.Day > 2))), "2"),
        ["Any without a condition"] = (charts => Ids(charts.Where(chart => chart.Visits.Any())), "1 2"),
        ["Select, encrypted alone"] = (charts => Texts(charts.OrderBy(chart => chart.Id).Select(chart => chart.Ssn)), "secret-1 secret-2 secret-1"),
        ["Select, random alone"] = (charts => Texts(charts.OrderBy(chart => chart.Id).Select(chart => chart.Diagnosis)), "secret-flu secret-cold secret-flu"),
        ["Select, embedded alone"] = (charts => Texts(charts.OrderBy(chart => chart.Id).Select(chart => chart.Contact.Email)), "secret-a secret-b secret-a"),
        ["Select, anonymous"] = (charts => Texts(charts.Where(chart => chart.Ssn == "secret-2").Select(chart => new { Number = chart.Ssn, chart.Diagnosis, chart.Age })), "{ Number = secret-2, Diagnosis = secret-cold, Age = 40 }"),
        ["Select, then Where on the new name"] = (charts => Texts(charts.Select(chart => new { Number = chart.Ssn, chart.Id }).Where(row => row.Number == "secret-2").Select(row => row.Id)), "2"),
        ["Select, compared"] = (charts => Texts(charts.OrderBy(chart => chart.Id).Select(chart => chart.Ssn == "secret-1")), "True False True"),
        ["OrderBy, ThenBy, Skip, Take"] = (charts => Ids(charts.OrderBy(chart => chart.Ward).ThenByDescending(chart => chart.Age).Skip(1).Take(2)), "1 3"),
        ["GroupBy, deterministic"] = (charts => Texts(charts.GroupBy(chart => chart.Ssn).Select(group => new { group.Key, Count = group.Count(), Oldest = group.Max(chart => chart.Age) }).OrderBy(row => row.Count)), "{ Key = secret-2, Count = 1, Oldest = 40 } { Key = secret-1, Count = 2, Oldest = 50 }"),
        ["GroupBy, plain, collecting random"] = (async charts => string.Join(' ', (await charts.GroupBy(chart => chart.Ward).Select(group => new { group.Key, All = group.Select(chart => chart.Diagnosis) }).OrderBy(row => row.Key).ToListAsync()).SelectMany(row => row.All)), "secret-flu secret-cold secret-flu"),
        ["SelectMany, plain"] = (charts => Texts(charts.Where(chart => chart.Ssn == "secret-1").SelectMany(chart => chart.Visits).OrderBy(visit => visit.Day).Select(visit => visit.Nurse)), "Ann Bob"),
        ["Count"] = (async charts => await charts.CountAsync(), "3"),
        ["Count with a condition"] = (async charts => await charts.CountAsync(chart => chart.Ssn == "secret-1"), "2"),
        ["LongCount"] = (async charts => await charts.Where(chart => chart.Ssn == "secret-1").LongCountAsync(), "2"),
        ["Any"] = (async charts => await charts.AnyAsync(chart => chart.Ssn == "secret-9"), "False"),
        ["First"] = (async charts => (await charts.OrderBy(chart => chart.Age).FirstAsync(chart => chart.Ssn == "secret-1")).Diagnosis, "secret-flu"),
        ["FirstOrDefault"] = (async charts => await charts.FirstOrDefaultAsync(chart => chart.Ssn == "secret-9"), ""),
        ["Single"] = (async charts => (await charts.SingleAsync(chart => chart.Ssn == "secret-2")).Contact.Email, "secret-b"),
        ["SingleOrDefault"] = (async charts => (await charts.SingleOrDefaultAsync(chart => chart.Contact.Email == "secret-b"))?.Id, "2"),
        ["Max of plain"] = (async charts => await charts.Where(chart => chart.Ssn == "secret-1").MaxAsync(chart => chart.Age), "50"),
        ["Sum of plain"] = (async charts => await charts.SumAsync(chart => chart.Age), "120"),
        ["Synchronous"] = (charts => Task.FromResult<object?>(charts.Where(chart => chart.Ssn == "secret-2").ToList().Single().Ssn), "secret-2"),
    };

    private static readonly Dictionary<string, Func<IQueryable<Chart>, Task>> Refused = new()
    {
        ["Where, random"] = charts => charts.Where(chart => chart.Diagnosis == "secret-flu").ToListAsync(),
        ["Where, random, not equal"] = charts => charts.Where(chart => chart.Diagnosis != "secret-flu").ToListAsync(),
        ["Where, random, one of a list"] = charts => charts.Where(chart => new[] { "secret-flu" }.Contains(chart.Diagnosis)).ToListAsync(),
        ["Where, range"] = charts => charts.Where(chart => chart.Ssn!.CompareTo("secret-1") > 0).ToListAsync(),
        ["Where, prefix"] = charts => charts.Where(chart => chart.Ssn!.StartsWith("secret")).ToListAsync(),
        ["Where, part"] = charts => charts.Where(chart => chart.Contact.Email!.Contains("secret")).ToListAsync(),
        ["Where, length"] = charts => charts.Where(chart => chart.Ssn!.Length == 8).ToListAsync(),
        ["Where, other case"] = charts => charts.Where(chart => chart.Ssn!.ToLower() == "secret-1").ToListAsync(),
        ["Where, null"] = charts => charts.Where(chart => chart.Ssn == null).ToListAsync(),
        ["Where, a list with null"] = charts => charts.Where(chart => Ssns.Contains(chart.Ssn)).ToListAsync(),
        ["Where, two fields"] = charts => charts.Where(chart => chart.Ssn == chart.Ward).ToListAsync(),
        ["Where, hidden in a branch"] = charts => charts.Where(chart => chart.Age > 1 || (chart.Ward == "A" && chart.Diagnosis == "secret-flu")).ToListAsync(),
        ["Where, whole document"] = charts => charts.Where(chart => chart.Contact == new Contact { Email = "secret-a", City = "Bern" }).ToListAsync(),
        ["Where after Select, random"] = charts => charts.Select(chart => new { What = chart.Diagnosis }).Where(row => row.What == "secret-flu").ToListAsync(),
        ["OrderBy"] = charts => charts.OrderBy(chart => chart.Ssn).ToListAsync(),
        ["ThenBy"] = charts => charts.OrderBy(chart => chart.Ward).ThenBy(chart => chart.Diagnosis).ToListAsync(),
        ["OrderBy after Select"] = charts => charts.Select(chart => new { Number = chart.Ssn }).OrderBy(row => row.Number).ToListAsync(),
        ["GroupBy, random"] = charts => charts.GroupBy(chart => chart.Diagnosis).Select(group => new { group.Key, Count = group.Count() }).ToListAsync(),
        ["GroupBy, computed"] = charts => charts.GroupBy(chart => chart.Ssn!.Substring(0, 1)).Select(group => group.Key).ToListAsync(),
        ["Max"] = charts => charts.MaxAsync(chart => chart.Ssn),
        ["Min in a group"] = charts => charts.GroupBy(chart => chart.Ward).Select(group => group.Min(chart => chart.Ssn)).ToListAsync(),
        // The driver groups by the whole row, which holds the field; the method DistinctAsync of the collection does it.
        ["Distinct"] = charts => charts.Select(chart => chart.Ssn).Distinct().ToListAsync(),
        ["SelectMany of what was collected"] = charts => charts.GroupBy(chart => chart.Ward).Select(group => new { All = group.Select(chart => chart.Ssn) }).SelectMany(row => row.All).ToListAsync(),
        ["Distinct, random"] = charts => charts.Select(chart => chart.Diagnosis).Distinct().ToListAsync(),
        ["Select, computed"] = charts => charts.Select(chart => chart.Ssn + "!").ToListAsync(),
        ["Select, a choice by a random field"] = charts => charts.Select(chart => chart.Diagnosis == "secret-flu" ? 1 : 2).ToListAsync(),
        ["Count, random"] = charts => charts.CountAsync(chart => chart.Diagnosis == "secret-flu"),
    };

    private readonly Patients _patients = Chart.InPatients();

    public static TheoryData<string> WorkingNames => [.. Working.Keys];

    public static TheoryData<string> RefusedNames => [.. Refused.Keys];

    public void Dispose() => _patients.Dispose();

    [Theory]
    [MemberData(nameof(WorkingNames))]
    public async Task A_query_by_equality_works_and_sends_no_plaintext(string name)
    {
        var (run, expected) = Working[name];

        var result = await run(_patients.Other<Chart>(Chart.Collection).AsQueryable());

        Assert.Equal(expected, result?.ToString() ?? "");
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public async Task What_a_ciphertext_cannot_answer_is_refused_before_it_is_sent(string name)
    {
        var exception = await _patients.Refused(() => Refused[name](_patients.Other<Chart>(Chart.Collection).AsQueryable()));

        Assert.StartsWith("CSFLE3", exception.Code, StringComparison.Ordinal);
        Assert.DoesNotContain(Chart.Secret, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_join_takes_what_is_registered_or_allowed()
    {
        await _patients.Other<Room>("rooms").InsertManyAsync([new Room { Id = 7, Ward = "A" }, new Room { Id = 8, Ward = "B" }]);
        var charts = _patients.Other<Chart>(Chart.Collection);

        var joined = await charts.AsQueryable()
            .Where(chart => chart.Ssn == "secret-2")
            .GroupJoin(_patients.Other<Room>("rooms").AsQueryable(), chart => chart.Ward, room => room.Ward, (chart, rooms) => new { chart.Ssn, Rooms = rooms.Select(room => room.Id) })
            .SingleAsync();

        Assert.Equal("secret-2", joined.Ssn);
        Assert.Equal([7], joined.Rooms);
        await _patients.Refused(() => charts.AsQueryable()
            .GroupJoin(_patients.Other<Room>("elsewhere").AsQueryable(), chart => chart.Ward, other => other.Ward, (chart, others) => new { chart.Id, others })
            .ToListAsync());
    }

    private static async Task<object?> Ids(IQueryable<Chart> charts) => string.Join(' ', (await charts.ToListAsync()).Select(chart => chart.Id));

    private static async Task<object?> Texts<T>(IQueryable<T> rows) => string.Join(' ', await rows.ToListAsync());
}
