using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.Engine.Tests.Cryptography;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>
/// The clock jumps. What is kept ages by the time that has passed, which no change of the time of day moves; where even that
/// goes back, as in a machine that goes on from a snapshot, nothing is believed to be younger than it is.
/// </summary>
public sealed class ClockFaultTests : IDisposable
{
    private static readonly TimeSpan[] Jumps = [TimeSpan.FromDays(3650), TimeSpan.FromDays(-3650), TimeSpan.FromHours(1), TimeSpan.FromHours(-1)];

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly JumpingClock _clock = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly KeyVaultService _vault;
    private readonly Guid _id;

    public ClockFaultTests()
    {
        _vault = new KeyVaultService(
            new MongoKeyVaultStore(_server, "encryption.__keyVault"), [new LocalKeyManagementService(_masterKey)], new KeyVaultOptions { TimeProvider = _clock });
        _id = _vault.CreateDataKey("local");
    }

    public void Dispose()
    {
        _vault.Dispose();
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void The_time_of_day_may_jump_without_any_effect_on_keys_and_schemas_in_memory()
    {
        var schemas = NewSchemas();
        Acquire();
        schemas.Find(["db.coll"], default);
        _server.ClearCommands();
        foreach (var jump in Jumps)
        {
            _clock.Now += jump;
            Acquire();
            schemas.Find(["db.coll"], default);
        }

        Assert.Empty(_server.Commands);
    }

    [Fact]
    public void A_machine_that_slept_fetches_keys_and_schemas_anew()
    {
        var schemas = NewSchemas();
        var before = Acquire();
        schemas.Find(["db.coll"], default);
        _server.ClearCommands();

        _clock.Passed += TimeSpan.FromDays(30);

        Assert.NotSame(before, Acquire());
        schemas.Find(["db.coll"], default);
        Assert.Equal(["find", "listCollections"], _server.Commands.Select(command => command.Name));
        Assert.All(Secrets.BytesOf(before), b => Assert.Equal(0, b));
    }

    [Fact]
    public void Where_passed_time_goes_back_keys_and_schemas_are_fetched_anew_once_and_expire_as_ever()
    {
        var schemas = NewSchemas();
        var before = Acquire();
        schemas.Find(["db.coll"], default);
        _server.ClearCommands();

        _clock.Passed -= TimeSpan.FromHours(12);
        var after = Acquire();
        Assert.NotSame(before, after);
        schemas.Find(["db.coll"], default);
        Assert.Same(after, Acquire());
        schemas.Find(["db.coll"], default);
        Assert.Equal(["find", "listCollections"], _server.Commands.Select(command => command.Name));
        Assert.All(Secrets.BytesOf(before), b => Assert.Equal(0, b));

        _clock.Passed += TimeSpan.FromSeconds(60);
        Acquire();
        schemas.Find(["db.coll"], default);
        Assert.Equal(4, _server.Commands.Count);
    }

    [Fact]
    public void Keys_made_at_impossible_times_work_and_are_rewrapped()
    {
        foreach (var now in new[] { DateTimeOffset.MinValue, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue })
        {
            _clock.Now = now;
            var id = _vault.CreateDataKey("local");
            Assert.Equal(now.ToUnixTimeMilliseconds(), _vault.FindById(id)!.CreationDate);
            var engine = new CsfleEngine(_vault, []);
            var value = ExtendedJson.ToBson("""{"v": 1}""");
            Assert.Equal(value, engine.Decrypt(engine.Encrypt(value, CsfleAlgorithm.Random, id)));
        }

        Assert.Equal(4, _vault.RewrapManyDataKey(ExtendedJson.ToBson("{}")).MatchedCount);
    }

    private ServerSchemaCache NewSchemas() => new(_server, _clock);

    private DataKey Acquire()
    {
        var keys = new DataKey[1];
        _vault.AcquireKeys([KeyReference.ById(_id)], keys, default);
        keys[0].Release();
        return keys[0];
    }
}
