using System.Collections.Concurrent;
using Medco.Csfle.Mutation;

// Without arguments all mutants of mutants.txt are tried and docs/reliability.md is written; with numbers or parts of names
// or files, those alone, and nothing is written. The tests of the engine have been built, in Release.
var repository = FindRepository();
var engine = Path.Combine(repository, "src", "Medco.Csfle.Engine");
var artifacts = Path.Combine(repository, "artifacts", "mutation");
var page = Path.Combine(repository, "docs", "reliability.md");

var all = MutantList.Read(File.ReadLines(Path.Combine(repository, "tests", "Medco.Csfle.Mutation", "mutants.txt")));
var chosen = args.Length == 0 ? all : [.. all.Where(mutant => args.Any(mutant.IsMeantBy))];
if (chosen.Count == 0)
{
    Console.Error.WriteLine("No mutant has such a number, name or file.");
    return 2;
}

var wrong = chosen.Select(mutant => (mutant, Problem: ProblemOf(mutant))).Where(each => each.Problem is not null).ToList();
if (wrong.Count > 0)
{
    foreach (var (mutant, problem) in wrong) Console.Error.WriteLine($"{mutant.Number} {mutant.Name}: {problem}");
    return 2;
}

var compilation = await Compilation.OfAsync(engine);
var built = Path.Combine(repository, "tests", "Medco.Csfle.Engine.Tests", "bin", "Release", "net10.0");
var slots = Enumerable.Range(1, Math.Clamp(Environment.ProcessorCount, 1, 4)).Select(number => Path.Combine(artifacts, $"{number}")).ToList();
var suites = slots.Select(slot => new Suite(built, Path.Combine(slot, "tests"))).ToList();

// Tests that fail without a fault would prove nothing.
if (args.Length == 0 && await TryAsync(slots[0], suites[0], null) is not { Verdict: Verdict.Survived })
{
    Console.Error.WriteLine("The engine as it is does not compile or does not pass the tests, so that no fault can be judged.");
    return 1;
}

var waiting = new ConcurrentQueue<Mutant>(chosen);
var outcomes = new ConcurrentBag<Outcome>();
await Task.WhenAll(slots.Select((slot, index) => Task.Run(async () =>
{
    while (waiting.TryDequeue(out var mutant))
    {
        var outcome = await TryAsync(slot, suites[index], mutant);
        outcomes.Add(outcome);
        Console.WriteLine($"{mutant.Number,3} {outcome.Verdict,-8} {mutant.Name}: {outcome.Detail}");
    }
})));

var table = ReliabilityPage.Table(outcomes);
Console.WriteLine($"\n{table}");
if (args.Length == 0) File.WriteAllText(page, ReliabilityPage.With(File.ReadAllText(page), table));
return outcomes.All(outcome => outcome.Verdict == Verdict.Killed) ? 0 : 1;

async Task<Outcome> TryAsync(string slot, Suite suite, Mutant? mutant)
{
    var text = mutant?.Apply(File.ReadAllText(Path.Combine(engine, mutant.File)));
    if (await compilation.CompileAsync(slot, mutant?.File, text) is { } errors) return new Outcome(mutant!, Verdict.Error, errors);
    return await suite.FirstFailureAsync(Path.Combine(slot, "Medco.Csfle.Engine.dll"), mutant?.Tests ?? []) is { } test
        ? new Outcome(mutant!, Verdict.Killed, test)
        : new Outcome(mutant!, Verdict.Survived, "");
}

string? ProblemOf(Mutant mutant)
{
    try
    {
        mutant.Apply(File.ReadAllText(Path.Combine(engine, mutant.File)));
        return null;
    }
    catch (Exception exception) when (exception is FormatException or IOException)
    {
        return exception.Message;
    }
}

static string FindRepository()
{
    for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
    {
        if (File.Exists(Path.Combine(directory.FullName, "Medco.Csfle.sln"))) return directory.FullName;
    }

    throw new InvalidOperationException("The program does not run inside the repository.");
}
