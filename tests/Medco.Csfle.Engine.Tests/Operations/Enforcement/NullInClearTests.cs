using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Operations.Enforcement;

/// <summary>Members that are encrypted or null, in a collection that a server enforces.</summary>
public sealed class NullInClearTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly KeyVaultService _vault = new(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);
    private readonly Guid _keyId;

    public NullInClearTests() => _keyId = _vault.CreateDataKey("local");

    public void Dispose()
    {
        _server.Dispose();
        _vault.Dispose();
    }

    [Fact]
    public void Null_and_ciphertext_pass_and_every_plaintext_is_refused()
    {
        var schema = SchemaOf<Person>();
        var enforcement = new ServerEnforcement(_server);
        var plan = enforcement.Apply(enforcement.Plan([new WantedValidator("db.coll", schema)]));
        var engine = new CsfleEngine(_vault, [new("db.coll", schema)]);

        Assert.True(plan.IsEnforced);
        Assert.True(Insert(engine.EncryptCommand("db", EngineFixture.Insert(ExtendedJson.ToBson("""{"Name": null, "Ssn": 1}""")))));
        Assert.True(Insert(engine.EncryptCommand("db", EngineFixture.Insert(ExtendedJson.ToBson("""{"Name": "Jon Doe", "Ssn": 1}""")))));
        Assert.False(Insert(EngineFixture.Insert(ExtendedJson.ToBson("""{"Name": "Jon Doe"}"""))));
        Assert.False(Insert(EngineFixture.Insert(ExtendedJson.ToBson("""{"Ssn": null}"""))));
    }

    [Fact]
    public void Clients_that_take_the_schema_from_such_a_validator_are_refused()
    {
        var enforcement = new ServerEnforcement(_server);
        enforcement.Apply(enforcement.Plan([new WantedValidator("db.coll", SchemaOf<Person>())]));
        var engine = new CsfleEngine(_vault, new CsfleEngineOptions { ServerSchemas = _server });

        var exception = Assert.Throws<EncryptionSchemaException>(() => engine.EncryptCommand("db", EngineFixture.Insert(ExtendedJson.ToBson("""{"Ssn": 1}"""))));

        Assert.Contains("'db.coll'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Register the collection", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Binary_data_that_may_be_null_cannot_be_enforced()
    {
        var exception = Assert.Throws<EnforcementException>(() => new WantedValidator("db.coll", SchemaOf<WithBinary>()));

        Assert.Equal(CsfleErrorCode.NotEnforceable, exception.Code);
        Assert.Contains("'Photo' of 'db.coll'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("WithBinary.Photo", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Null_in_the_place_of_a_document_with_encrypted_fields_cannot_be_enforced()
    {
        var exception = Assert.Throws<EnforcementException>(() => new WantedValidator("db.coll", SchemaOf<WithPerson>()));

        Assert.Equal(CsfleErrorCode.NotEnforceable, exception.Code);
        Assert.Contains("'Person' of 'db.coll'", exception.Message, StringComparison.Ordinal);
    }

    private EncryptionSchema SchemaOf<T>() => EncryptedModel.FromClass<T>().ToSchema(new Dictionary<string, Guid> { ["key"] = _keyId });

    private bool Insert(ReadOnlyMemory<byte> command)
    {
        var reply = new BsonReader(_server.RunCommand("db", command));
        return !reply.ReadTo("writeErrors"u8);
    }

    [DataKey("key")]
    private sealed class Person
    {
        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? Name { get; set; }

        [Deterministic]
        public int Ssn { get; set; }
    }

    [DataKey("key")]
    private sealed class WithBinary
    {
        [Random(Nulls = NullPolicy.StoreInClear)]
        public byte[]? Photo { get; set; }
    }

    [EncryptedCollection("db.coll", Nulls = NullPolicy.StoreInClear), DataKey("key")]
    private sealed class WithPerson
    {
        public Person? Person { get; set; }
    }
}
