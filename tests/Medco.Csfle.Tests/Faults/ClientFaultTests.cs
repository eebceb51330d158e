using System.Text;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Faults;

/// <summary>
/// Through the driver: the line to the server breaks, or somebody changes what it holds. A clear error, never plaintext on the
/// server, and the same factory and clients go on when the fault is over.
/// </summary>
public sealed class ClientFaultTests : IDisposable
{
    private const string Sentinel = "AB+ plaintext-93d2";

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly BreakableLine _line;
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly CsfleClientFactory _factory;
    private readonly IMongoClient _client;
    private readonly IMongoClient _plain;

    public ClientFaultTests()
    {
        _line = new BreakableLine(_server.Port);
        _factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo($"mongodb://127.0.0.1:{_line.Port}/?directConnection=true&retryReads=false&retryWrites=false&serverSelectionTimeoutMS=20000&heartbeatFrequencyMS=500")
            .UseKeyVault("encryption.__keyVault")
            .UseLocalMasterKey(_masterKey)
            .AddCollection<Patient>("app.patients")
            .CreateMissingDataKeys());
        _client = _factory.CreateEncryptedClient();
        _plain = new MongoClient($"mongodb://127.0.0.1:{_server.Port}");
    }

    private IMongoCollection<Patient> Doctor => _client.GetDatabase("app").GetCollection<Patient>("patients");

    private IMongoCollection<BsonDocument> Receptionist => _plain.GetDatabase("app").GetCollection<BsonDocument>("patients");

    public void Dispose()
    {
        _client.Dispose();
        _factory.Dispose();
        _plain.Dispose();
        _line.Dispose();
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData("insert")]
    [InlineData("find")]
    [InlineData("update")]
    public async Task In_the_middle_of_a_command(string command)
    {
        await Doctor.InsertOneAsync(NewPatient(1));
        using (CutAt(command))
        {
            await Assert.ThrowsAnyAsync<MongoException>(() => command switch
            {
                "insert" => Doctor.InsertOneAsync(NewPatient(2)),
                "find" => Doctor.Find(patient => patient.Ssn == 1).ToListAsync(),
                _ => Doctor.UpdateOneAsync(patient => patient.Ssn == 1, Builders<Patient>.Update.Set(patient => patient.BloodType, Sentinel)),
            });
        }

        await AssertWorks();
    }

    [Fact]
    public async Task In_the_middle_of_a_cursor()
    {
        await Doctor.InsertManyAsync(Enumerable.Range(1, 20).Select(NewPatient));
        using var cursor = await Doctor.Find(FilterDefinition<Patient>.Empty, new FindOptions { BatchSize = 5 }).ToCursorAsync();
        Assert.True(await cursor.MoveNextAsync());
        Assert.All(cursor.Current, patient => Assert.Equal(Sentinel, patient.BloodType));
        using (CutAt("getMore"))
        {
            await Assert.ThrowsAnyAsync<MongoException>(() => cursor.MoveNextAsync());
        }

        Assert.Equal(20, (await Doctor.Find(FilterDefinition<Patient>.Empty, new FindOptions { BatchSize = 5 }).ToListAsync()).Count(patient => patient.BloodType == Sentinel));
        await AssertWorks();
    }

    [Theory]
    [InlineData("createIndexes", false)]
    [InlineData("createIndexes", true)]
    [InlineData("find", false)]
    [InlineData("find", true)]
    [InlineData("insert", false)]
    [InlineData("insert", true)]
    public async Task In_the_middle_of_start_up(string command, bool isAsync)
    {
        using (CutAt(command))
        {
            var error = await Assert.ThrowsAsync<KeyVaultException>(() => Start(isAsync));
            Assert.Contains("encryption.__keyVault", error.Message, StringComparison.Ordinal);
            Assert.Contains("cannot be reached", error.Message, StringComparison.Ordinal);
            Assert.IsAssignableFrom<MongoException>(error.InnerException);
        }

        await Start(isAsync);
        await AssertWorks();
        Assert.Single(await _plain.GetDatabase("encryption").GetCollection<BsonDocument>("__keyVault").Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
    }

    [Fact]
    public async Task A_client_that_is_used_while_start_up_fails_sends_nothing_and_goes_on_afterwards()
    {
        using (CutAt("find"))
        {
            await Assert.ThrowsAsync<KeyVaultException>(() => Doctor.InsertOneAsync(NewPatient(1)));
        }

        Assert.Equal(0, await Receptionist.CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty));

        // The connection that the insert had waited on broke too, which the driver notices when it uses it next.
        await Record.ExceptionAsync(() => _client.GetDatabase("app").RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1)));
        await AssertWorks();
    }

    [Fact]
    public async Task Every_changed_byte_of_a_stored_ciphertext_is_a_typed_error_and_the_restored_document_is_read()
    {
        await Doctor.InsertOneAsync(NewPatient(1));
        var stored = await Receptionist.Find(FilterDefinition<BsonDocument>.Empty).SingleAsync();
        var ciphertext = stored["bloodType"].AsBsonBinaryData.Bytes;
        for (var offset = 0; offset < ciphertext.Length; offset++)
        {
            var changed = (byte[])ciphertext.Clone();
            changed[offset] ^= 1;
            await Receptionist.UpdateOneAsync(new BsonDocument(), new BsonDocument("$set", new BsonDocument("bloodType", new BsonBinaryData(changed, BsonBinarySubType.Encrypted))));
            var error = await Assert.ThrowsAnyAsync<CsfleException>(() => Doctor.Find(FilterDefinition<Patient>.Empty).ToListAsync());
            Assert.True(error is DecryptionException or DataKeyException, error.ToString());
            Assert.DoesNotContain(Sentinel, error.ToString(), StringComparison.Ordinal);
        }

        await Receptionist.ReplaceOneAsync(new BsonDocument(), stored);
        await AssertWorks();
    }

    private static Patient NewPatient(int ssn) => new() { Ssn = ssn, BloodType = Sentinel };

    private async Task Start(bool isAsync)
    {
        if (isAsync) await _factory.InitializeAsync();
        else await Task.Run(() => _factory.Initialize());
    }

    /// <summary>Cuts the line when a command has arrived and its answer has not left, and mends it at the end.</summary>
    private Repair CutAt(string command)
    {
        var repair = new Repair(this, command);
        _server.CommandReceived += repair.OnCommand;
        return repair;
    }

    private async Task AssertWorks()
    {
        await Doctor.InsertOneAsync(NewPatient(77));
        Assert.Equal(Sentinel, (await Doctor.Find(patient => patient.Ssn == 77).SingleAsync()).BloodType);
        var plaintext = Encoding.UTF8.GetBytes(Sentinel);
        Assert.All(_server.Commands, received => Assert.Equal(-1, received.Bytes.Span.IndexOf(plaintext)));
        foreach (var document in await Receptionist.Find(FilterDefinition<BsonDocument>.Empty).ToListAsync())
        {
            Assert.Equal(BsonBinarySubType.Encrypted, document["bloodType"].AsBsonBinaryData.SubType);
            Assert.Equal(BsonBinarySubType.Encrypted, document["ssn"].AsBsonBinaryData.SubType);
        }
    }

    private sealed class Repair(ClientFaultTests test, string command) : IDisposable
    {
        private int _cuts;

        public void OnCommand(object? sender, ReceivedCommand received)
        {
            if (received.Name == command && Interlocked.Exchange(ref _cuts, 1) == 0) test._line.Cut();
        }

        public void Dispose()
        {
            test._server.CommandReceived -= OnCommand;
            test._line.Mend();
            Assert.Equal(1, _cuts);
        }
    }
}
