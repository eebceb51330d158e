using System.Globalization;
using System.Text;

namespace Medco.Csfle.Benchmarks;

/// <summary>docs/performance.md: figures, their ratios, and whether the goals are met, which is computed and never written by hand.</summary>
/// <param name="engine">What was measured without a driver.</param>
/// <param name="driver">What was measured with one; null where the driver or MongoDB.Driver.Encryption is not to be had.</param>
internal sealed class PerformancePage(Figures engine, Figures? driver)
{
    private const string Nothing = "–";

    private readonly StringBuilder _page = new();
    private readonly List<(string Goal, string Measured, bool? Met)> _goals = [];

    /// <summary>The page, in Markdown.</summary>
    public string Write()
    {
        Patients();
        NothingEncrypted();
        Analysis();
        AllocatedBytes();
        Threads();
        if (driver is not null)
        {
            DriverEncryption(driver);
            EndToEnd(driver);
            ColdStart(driver);
        }

        var body = _page.ToString();
        _page.Clear();
        Introduction();
        Goals();
        return _page.Append(body).ToString();
    }

    private void Introduction()
    {
        Line("# Performance");
        Line();
        Line("This page is written by `./build.sh bench`; do not edit it. Medians stand in it, and ratios of medians from the same run. The methods are BenchmarkDotNet's; for this page they are called in turn, two milliseconds each, again and again, so that what else the machine does disturbs all of them alike.");
        Line();
        Line("- **Floor**: `Aes.EncryptCbc`/`DecryptCbc` with the key set once, cached HMAC-SHA-512 state, randomness drawn in bulk, on the same bytes, and nothing else: no BSON, no analysis, no output document.");
        Line("- **libmongocrypt**: MongoDB's library with its native cryptography, by P/Invoke. What query analysis answers is worked out once beforehand, so it is measured *without* analysis and the engine *with* it.");
        Line("- **MongoDB.Driver.Encryption**: the official package. *Automatic* is its encryption of a whole command, without query analysis in the same way; *explicit* is one call of `ClientEncryption.Encrypt` for each field. Its figures come from a process of their own, with floor and engine measured again beside them.");
        Line();
        Line("The patient is the one of the samples: about 250 bytes, four encrypted fields, two of them deterministic. `./build.sh bench --filter '*Patient*'` lets BenchmarkDotNet measure instead, one method after the other, and leaves this page alone. Figures from a busy machine are larger and noisier; ratios suffer less, but those of threads and of cold starts do.");
        Line();
        foreach (var version in engine.Versions.Concat(driver?.Versions ?? [])) Line($"- {version}");
        foreach (var left in engine.LeftOut.Concat(driver?.LeftOut ?? ["MongoDB.Driver.Encryption, end to end and cold start: the package, or the driver, cannot be restored on this machine."])) Line($"- Left out: {left}");
        Line();
    }

    private void Goals()
    {
        Line("## Goals");
        Line();
        Line("| Goal | Measured | |");
        Line("| --- | --- | --- |");
        foreach (var (goal, measured, met) in _goals) Line($"| {goal} | {measured} | {met switch { true => "met", false => "**missed**", null => "not measured" }} |");
        Line();
    }

    private void Patients()
    {
        Section("Patients", "One operation: a command analysed and encrypted, or a reply decrypted.");
        Line("| Work | Floor | Medco.Csfle | libmongocrypt | to floor | to libmongocrypt | Allocated | libmongocrypt's |");
        Line("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var work in new[] { Work.Insert, Work.Find, Work.Reply, Work.ReplyOf100, Work.ReplyOf10000 })
        {
            Line($"| {work} | {Time(engine, work, Contestant.Floor)} | {Time(engine, work, Contestant.Engine)} | {Time(engine, work, Contestant.LibMongoCrypt)} | {Times(engine.Ratio(work, Contestant.Engine, Contestant.Floor))} | {Times(engine.Ratio(work, Contestant.Engine, Contestant.LibMongoCrypt))} | {Bytes(engine.Find(work, Contestant.Engine)?.Allocated)} | {Bytes(engine.Find(work, Contestant.LibMongoCrypt)?.Allocated)} |");
        }

        Line();
        Line("What is allocated includes the output array; libmongocrypt's own memory is not managed and not counted.");
        AtMost($"{Work.Insert}: 1.2 x floor", engine.Ratio(Work.Insert, Contestant.Engine, Contestant.Floor), 1.2);
        AtMost($"{Work.Insert}: faster than libmongocrypt", engine.Ratio(Work.Insert, Contestant.Engine, Contestant.LibMongoCrypt), 1);
        AtMost($"{Work.Find}: 1.4 x floor", engine.Ratio(Work.Find, Contestant.Engine, Contestant.Floor), 1.4);
        AtMost($"{Work.Reply}: 1.2 x floor", engine.Ratio(Work.Reply, Contestant.Engine, Contestant.Floor), 1.2);
        AtMost($"{Work.ReplyOf100}: 1.15 x floor", engine.Ratio(Work.ReplyOf100, Contestant.Engine, Contestant.Floor), 1.15);
        AtMost($"{Work.ReplyOf10000}: 1.15 x floor", engine.Ratio(Work.ReplyOf10000, Contestant.Engine, Contestant.Floor), 1.15);
        AtMost("per document, 10,000 to 100: 1.1 x", PerDocument(Contestant.Engine), 1.1);
        Line();
        Line($"Per document, a reply of 10,000 costs {Times(PerDocument(Contestant.Engine))} what one of 100 does (floor: {Times(PerDocument(Contestant.Floor))}, libmongocrypt: {Times(PerDocument(Contestant.LibMongoCrypt))}).");

        double? PerDocument(string who) => engine.Find(Work.ReplyOf10000, who)?.Median / engine.Find(Work.ReplyOf100, who)?.Median / 100;
    }

    private void NothingEncrypted()
    {
        Section("Nothing encrypted", "The very bytes that came in go out; the set-up of the benchmark fails if they are copied.");
        using var work = new PatientWork();
        Line("| Work | Bytes | Time | ns per byte | Allocated |");
        Line("| --- | --- | --- | --- | --- |");
        foreach (var (name, length) in new[] { (Work.PlainReply, work.PlainReply.Length), (Work.PlainInsert, work.PlainInsert.Length) })
        {
            var figure = engine.Find(name, Contestant.Engine);
            var perByte = figure?.Median / length;
            Line($"| {name} | {Number(length)} | {Time(engine, name, Contestant.Engine)} | {Number(perByte, 3)} | {Bytes(figure?.Allocated)} |");
            Goal($"{name}: 1 ns per byte", $"{Number(perByte, 3)} ns", perByte <= 1);
            Goal($"{name}: no allocation", Bytes(figure?.Allocated), figure is null ? null : figure.Allocated < 1);
        }
    }

    private void Analysis()
    {
        Section("Query analysis alone", "Without keys and encryption. *Growth* is the time at full size to that at half of it; 2.0 is linear.");
        Line("| Input | at a quarter | at half | full | Growth | Allocated at full |");
        Line("| --- | --- | --- | --- | --- | --- |");
        foreach (var (input, name) in new[]
        {
            (AnalysisInput.Insert10KB, "insert of 10 KB"), (AnalysisInput.Pipeline30Stages, "pipeline of 30 stages"),
            (AnalysisInput.Schema300Fields, "schema of 300 fields, all of them inserted"), (AnalysisInput.Document16MB, "document of 16 MB"),
        })
        {
            var (quarter, half, full) = (EngineFigures.Analysis(input, 1), EngineFigures.Analysis(input, 2), EngineFigures.Analysis(input, 4));
            var growth = engine.Find(full, Contestant.Engine)?.Median / engine.Find(half, Contestant.Engine)?.Median;
            Line($"| {name} | {Time(engine, quarter, Contestant.Engine)} | {Time(engine, half, Contestant.Engine)} | {Time(engine, full, Contestant.Engine)} | {Times(growth)} | {Bytes(engine.Find(full, Contestant.Engine)?.Allocated)} |");
            AtMost($"analysis, {name}: linear (growth at most 2.4 x for twice the size)", growth, 2.4);
        }
    }

    private void AllocatedBytes()
    {
        Section("Allocation", "Managed bytes of one call beside its output array. .NET's one-shot AES allocates on every call; what the floor allocates is that and nothing else, and is subtracted in the last column.");
        Line("| Work | Medco.Csfle | Floor | Difference |");
        Line("| --- | --- | --- | --- |");
        foreach (var what in new[] { Allocations.Encrypting, Allocations.Decrypting })
        {
            foreach (var fields in Allocations.Fields)
            {
                var name = Allocations.Named(what, fields);
                Line($"| {name} | {Bytes(engine.Find(name, Contestant.Engine)?.Allocated)} | {Bytes(engine.Find(name, Contestant.Floor)?.Allocated)} | {Bytes(Beside(what, fields))} |");
            }

            var growth = (Beside(what, 64) - Beside(what, 1)) / 63;
            Goal($"allocation per {what}: nothing that grows with the number of fields", $"{Number(growth, 1)} B per further field", growth is null ? null : growth < 1);
        }

        double? Beside(string what, int fields)
            => engine.Find(Allocations.Named(what, fields), Contestant.Engine)?.Allocated - engine.Find(Allocations.Named(what, fields), Contestant.Floor)?.Allocated;
    }

    private void Threads()
    {
        Section("Threads", "Operations per second of all threads together, one engine or one libmongocrypt for all of them.");
        foreach (var what in new[] { Throughput.Encrypt, Throughput.Decrypt })
        {
            Line($"| {what} | {string.Join(" | ", Throughput.Threads.Select(threads => $"{threads}"))} | at 64 to the best |");
            Line($"| --- |{string.Concat(Throughput.Threads.Select(_ => " --- |"))} --- |");
            foreach (var who in new[] { Contestant.Engine, Contestant.LibMongoCrypt })
            {
                var rates = Throughput.Threads.Select(threads => 1e9 / engine.Find(Work.Threads(what, threads), who)?.Median).ToArray();
                var kept = rates[^1] / rates.Max();
                Line($"| {who} | {string.Join(" | ", rates.Select(rate => Number(rate)))} | {Number(kept, 2)} |");
                if (who == Contestant.Engine) Goal($"{what}: at 64 threads 0.9 x the best", $"{Number(kept, 2)} x", kept is null ? null : kept >= 0.9);
            }

            Line();
        }
    }

    private void DriverEncryption(Figures measured)
    {
        Section("Beside MongoDB.Driver.Encryption", "Measured in a process of its own.");
        Line("| Work | Floor | Medco.Csfle | automatic | explicit | to floor | to automatic | to explicit | Allocated | automatic's |");
        Line("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var work in new[] { Work.Insert, Work.Reply })
        {
            Line($"| {work} | {Time(measured, work, Contestant.Floor)} | {Time(measured, work, Contestant.Engine)} | {Time(measured, work, Contestant.DriverEncryption)} | {Time(measured, work, Contestant.DriverExplicit)} | {Times(measured.Ratio(work, Contestant.Engine, Contestant.Floor))} | {Times(measured.Ratio(work, Contestant.Engine, Contestant.DriverEncryption))} | {Times(measured.Ratio(work, Contestant.Engine, Contestant.DriverExplicit))} | {Bytes(measured.Find(work, Contestant.Engine)?.Allocated)} | {Bytes(measured.Find(work, Contestant.DriverEncryption)?.Allocated)} |");
        }

        AtMost($"{Work.Insert}: 0.35 x MongoDB.Driver.Encryption without analysis", measured.Ratio(Work.Insert, Contestant.Engine, Contestant.DriverEncryption), 0.35);
        AtMost($"{Work.Reply}: 0.4 x MongoDB.Driver.Encryption", measured.Ratio(Work.Reply, Contestant.Engine, Contestant.DriverEncryption), 0.4);
    }

    private void EndToEnd(Figures measured)
    {
        Section("End to end", "Through the official driver against the server in process, with and without encryption, in turn.");
        Line("| Operation | Without encryption | Medco.Csfle | Overhead per operation | Ratio |");
        Line("| --- | --- | --- | --- | --- |");
        foreach (var operation in EndToEndWork.All)
        {
            var overhead = measured.Find(operation, Contestant.Engine)?.Median - measured.Find(operation, Contestant.PlainDriver)?.Median;
            Line($"| {operation} | {Time(measured, operation, Contestant.PlainDriver)} | {Time(measured, operation, Contestant.Engine)} | {Time(overhead)} | {Times(measured.Ratio(operation, Contestant.Engine, Contestant.PlainDriver))} |");
        }
    }

    private void ColdStart(Figures measured)
    {
        Section("Cold start", "A new process up to its first insert, server and data keys elsewhere: through the driver alone, and through the SDK with the schemas of 20 classes built. Processes of both kinds in turn.");
        Line("| From | Without encryption | Medco.Csfle | Ratio |");
        Line("| --- | --- | --- | --- |");
        foreach (var from in (string[])[.. ColdStartWork.All, ColdStartWork.Compiling])
        {
            Line($"| {from} | {Time(measured, from, Contestant.PlainDriver)} | {Time(measured, from, Contestant.Engine)} | {Times(measured.Ratio(from, Contestant.Engine, Contestant.PlainDriver))} |");
        }

        Line($"| {ColdStartWork.Methods} | {Number(measured.Find(ColdStartWork.Methods, Contestant.PlainDriver)?.Median)} | {Number(measured.Find(ColdStartWork.Methods, Contestant.Engine)?.Median)} | {Times(measured.Ratio(ColdStartWork.Methods, Contestant.Engine, Contestant.PlainDriver))} |");
        AtMost("cold start: 1.5 x the first plain insert", measured.Ratio(ColdStartWork.FromMain, Contestant.Engine, Contestant.PlainDriver), 1.5);
    }

    private void AtMost(string goal, double? ratio, double limit) => Goal(goal, Times(ratio), ratio is null ? null : ratio <= limit);

    private void Goal(string goal, string measured, bool? met) => _goals.Add((goal, measured, met));

    private void Section(string title, string introduction)
    {
        if (_page.Length > 0) Line();
        Line($"## {title}");
        Line();
        Line(introduction);
        Line();
    }

    private void Line(string line = "") => _page.Append(line).Append('\n');

    private static string Time(Figures figures, string work, string who) => Time(figures.Find(work, who)?.Median);

    private static string Time(double? nanoseconds) => nanoseconds switch
    {
        null => Nothing,
        var time when Math.Abs(time.Value) < 1_000 => $"{Number(time, 1)} ns",
        var time when Math.Abs(time.Value) < 1_000_000 => $"{Number(time / 1_000, 1)} us",
        var time => $"{Number(time / 1_000_000, 1)} ms",
    };

    private static string Times(double? ratio) => ratio is null ? Nothing : $"{Number(ratio, 2)} x";

    private static string Bytes(double? bytes) => bytes is null ? Nothing : $"{Number(bytes)} B";

    private static string Number(double? value, int digits = 0)
        => value is null ? Nothing : value.Value.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
