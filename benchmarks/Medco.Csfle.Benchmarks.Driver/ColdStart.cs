using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using MongoDB.Driver;

namespace Medco.Csfle.Benchmarks.Driver;

/// <summary>
/// The first insert of a new process: plain through the driver, or encrypted through the SDK with the schemas of 20 classes. The
/// server is in the parent and has the data key already, as the second start of any application finds it.
/// </summary>
internal static class ColdStart
{
    private const string Database = "clinic";
    private const string Plain = "plain";
    private const string Encrypted = "encrypted";

    /// <summary>Starts processes of both kinds in turn.</summary>
    /// <param name="figures">Receives the medians.</param>
    /// <param name="program">The command line that starts this program.</param>
    /// <param name="runs">How many processes of each kind.</param>
    public static void Measure(Figures figures, IReadOnlyList<string> program, int runs)
    {
        using var server = InProcessMongoServer.Start();
        server.KeepsCommands = false;
        var masterKey = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        LocalMasterKey.CreateFile(masterKey);
        try
        {
            using (var factory = CreateFactory(server.ConnectionString, masterKey, createKeys: true)) Insert(factory.CreateEncryptedClient());
            var sides = new[] { (Kind: Plain, Who: Contestant.PlainDriver), (Kind: Encrypted, Who: Contestant.Engine) };
            var measured = sides.SelectMany(_ => (string[])[.. ColdStartWork.All, ColdStartWork.Compiling, ColdStartWork.Methods], (side, from) => (side.Who, from)).ToDictionary(key => key, _ => new List<double>());
            for (var run = 0; run <= runs; run++)
            {
                foreach (var (kind, who) in sides)
                {
                    var started = Stopwatch.GetTimestamp();
                    var inside = RunChild([.. program, "cold", kind, server.ConnectionString, masterKey]);
                    var whole = Stopwatch.GetElapsedTime(started).TotalNanoseconds;

                    // The first of each kind reads the files into the system's cache.
                    if (run == 0) continue;
                    measured[(who, ColdStartWork.FromMain)].Add(inside[0]);
                    measured[(who, ColdStartWork.Compiling)].Add(inside[1]);
                    measured[(who, ColdStartWork.Methods)].Add(inside[2]);
                    measured[(who, ColdStartWork.WholeProcess)].Add(whole);
                }
            }

            foreach (var ((who, from), times) in measured) figures.Add(from, who, Figures.MedianOf(times));
        }
        finally
        {
            File.Delete(masterKey);
        }
    }

    /// <summary>What a child does: one insert. Prints the nanoseconds since its start, those of them spent compiling, and how many methods were compiled.</summary>
    public static void Run(long started, string kind, string connectionString, string masterKey)
    {
        if (kind == Encrypted)
        {
            using var factory = CreateFactory(connectionString, masterKey, createKeys: false);
            Insert(factory.CreateEncryptedClient());
            Report(started);
        }
        else
        {
            using var client = new MongoClient(connectionString);
            Insert(client);
            Report(started);
        }
    }

    private static void Report(long started)
    {
        var elapsed = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalNanoseconds} {JitInfo.GetCompilationTime().TotalNanoseconds} {JitInfo.GetCompiledMethodCount()}"));
    }

    private static void Insert(IMongoClient client) => client.GetDatabase(Database).GetCollection<Admission>("admission").InsertOne(new Admission
    {
        Title = "First visit",
        PatientNumber = 241014209,
        Notes = "Nothing of note",
        Details = ["120/80", "81.5 kg"],
        At = DateTime.UtcNow,
    });

    private static CsfleClientFactory CreateFactory(string connectionString, string masterKey, bool createKeys) => CsfleClientFactory.Create(csfle => csfle
        .ConnectTo(connectionString)
        .UseKeyVault("encryption.__keyVault")
        .UseLocalMasterKey(masterKey)
        .CreateMissingDataKeys(createKeys)
        .AddCollection<Admission>(Database + ".admission")
        .AddCollection<Allergy>(Database + ".allergy")
        .AddCollection<Appointment>(Database + ".appointment")
        .AddCollection<Consent>(Database + ".consent")
        .AddCollection<Diagnosis>(Database + ".diagnosis")
        .AddCollection<Discharge>(Database + ".discharge")
        .AddCollection<Examination>(Database + ".examination")
        .AddCollection<Guardian>(Database + ".guardian")
        .AddCollection<Immunization>(Database + ".immunization")
        .AddCollection<Invoice>(Database + ".invoice")
        .AddCollection<LaboratoryResult>(Database + ".laboratoryResult")
        .AddCollection<Medication>(Database + ".medication")
        .AddCollection<Operation>(Database + ".operation")
        .AddCollection<Payment>(Database + ".payment")
        .AddCollection<Prescription>(Database + ".prescription")
        .AddCollection<Radiograph>(Database + ".radiograph")
        .AddCollection<Referral>(Database + ".referral")
        .AddCollection<Staff>(Database + ".staff")
        .AddCollection<Therapy>(Database + ".therapy")
        .AddCollection<Visit>(Database + ".visit"));

    private static double[] RunChild(string[] commandLine)
    {
        var start = new ProcessStartInfo(commandLine[0], commandLine[1..]) { RedirectStandardOutput = true };
        using var child = Process.Start(start) ?? throw new InvalidOperationException("The child process did not start.");
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0
            ? [.. output.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException($"The child process failed with {child.ExitCode}: {output}");
    }
}
