using System.Diagnostics;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using MedcoMd.Model;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Driver;

namespace Medco.Csfle.Benchmarks.Driver;

/// <summary>Operations through the official driver on the server in this process, with an encrypting client and with a plain one.</summary>
internal sealed class EndToEnd : IDisposable
{
    private const int Batch = 100;
    private const int PatientsToFind = 100;

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly CsfleClientFactory _factory;
    private readonly List<IMongoClient> _clients = [];
    private int _lastSsn = PatientsToFind;

    // Before the driver has seen the class: what maps it first, freezes how it is mapped.
    static EndToEnd() => ConventionRegistry.Register(
        nameof(EndToEnd), new ConventionPack { new CamelCaseElementNameConvention(), new IgnoreExtraElementsConvention(true) }, type => type.Namespace == typeof(Patient).Namespace);

    public EndToEnd()
    {
        _server.KeepsCommands = false;
        _factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo(_server.ConnectionString)
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate())
            .AddCollection<Patient>("encrypted.patients")
            .AddCollection<Patient>("encrypted.newPatients")
            .CreateMissingDataKeys());
    }

    /// <summary>Measures.</summary>
    /// <param name="figures">Receives the median time of one operation.</param>
    /// <param name="rounds">How many rounds; the first, warming up, does not count.</param>
    /// <param name="operations">How many operations each client does in a row in a round.</param>
    public void Measure(Figures figures, int rounds, int operations)
    {
        var sides = new[]
        {
            (Who: Contestant.PlainDriver, Patients: Patients(new MongoClient(_server.ConnectionString), "plain")),
            (Who: Contestant.Engine, Patients: Patients(_factory.CreateEncryptedClient(), "encrypted")),
        };
        var found = PatientsToFind / 2;
        foreach (var (_, patients) in sides) patients.InsertMany(Enumerable.Range(1, PatientsToFind).Select(Patient));
        var times = new Dictionary<(string, string), List<double>>();
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var (who, patients) in sides)
            {
                Time(EndToEndWork.InsertOne, who, operations, () => NewPatients(patients).InsertOne(Next()));
                Time(EndToEndWork.FindBySsn, who, operations, () => Expect(1, patients.Find(patient => patient.Ssn == found).ToList()));
                Time(EndToEndWork.Insert100, who, Math.Max(1, operations / 10), () => NewPatients(patients).InsertMany(Enumerable.Range(0, Batch).Select(_ => Next())));
                Time(EndToEndWork.Find100, who, Math.Max(1, operations / 10), () => Expect(Batch, patients.Find(FilterDefinition<Patient>.Empty).Limit(Batch).ToList()));
            }

            if (round == 0) times.Clear();
            foreach (var (_, patients) in sides) NewPatients(patients).DeleteMany(FilterDefinition<Patient>.Empty);
        }

        foreach (var ((operation, who), measured) in times) figures.Add(operation, who, Figures.MedianOf(measured));

        void Time(string operation, string who, int count, Action run)
        {
            if (!times.TryGetValue((operation, who), out var list)) times[(operation, who)] = list = [];
            for (var i = 0; i < count; i++)
            {
                var started = Stopwatch.GetTimestamp();
                run();
                list.Add(Stopwatch.GetElapsedTime(started).TotalNanoseconds);
            }
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients) client.Dispose();
        _factory.Dispose();
        _server.Dispose();
    }

    private Patient Next() => Patient(++_lastSsn);

    private static Patient Patient(int ssn)
    {
        var patient = JonDoe.Create();
        patient.Ssn = ssn;
        return patient;
    }

    private IMongoCollection<Patient> Patients(IMongoClient client, string database)
    {
        _clients.Add(client);
        return client.GetDatabase(database).GetCollection<Patient>("patients");
    }

    private static IMongoCollection<Patient> NewPatients(IMongoCollection<Patient> patients) => patients.Database.GetCollection<Patient>("newPatients");

    private static void Expect(int count, List<Patient> patients)
    {
        if (patients.Count != count || patients[0].Name.Length == 0) throw new InvalidOperationException($"{count} patients were to be found, and {patients.Count} were.");
    }
}
