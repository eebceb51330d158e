using System.Security.Cryptography;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Peers;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Interop.Tests;

/// <summary>A server with a key vault, and one master key for both sides.</summary>
internal sealed class SharedKeyVault : IDisposable
{
    public const string Namespace = "encryption.__keyVault";

    private readonly byte[] _masterKey = RandomNumberGenerator.GetBytes(96);

    public SharedKeyVault()
    {
        Server = InProcessMongoServer.Start();
        Store = new MongoKeyVaultStore(Server, Namespace);
        Store.EnsureIndex();
        Vault = NewVault();
    }

    public InProcessMongoServer Server { get; }

    public MongoKeyVaultStore Store { get; }

    public KeyVaultService Vault { get; }

    /// <summary>A key vault service that has cached nothing yet.</summary>
    public KeyVaultService NewVault() => new(Store, [new LocalKeyManagementService(LocalMasterKey.FromBytes(_masterKey))]);

    public LibMongoCrypt NewLibMongoCrypt(byte[]? schemas = null, Func<byte[], byte[]>? analyze = null) => new(_masterKey, Find, schemas, analyze);

    public string MasterKeyInBase64 => Convert.ToBase64String(_masterKey);

    /// <summary>Puts a key document there as a driver does.</summary>
    public void Insert(byte[] keyDocument)
    {
        var reply = Server.RunCommand("encryption", Command("insert", writer =>
        {
            writer.StartArray("documents"u8);
            writer.WriteDocument("0"u8, keyDocument);
            writer.EndDocument();
        }));
        Assert.Contains("\"n\":1", ExtendedJson.ToJson(reply), StringComparison.Ordinal);
    }

    /// <summary>Finds key documents as a driver does.</summary>
    public IEnumerable<byte[]> Find(byte[] filter)
    {
        var reply = Server.RunCommand("encryption", Command("find", writer => writer.WriteDocument("filter"u8, filter)));
        var documents = new List<byte[]>();
        var fields = new BsonReader(reply);
        while (fields.Read())
        {
            if (!fields.Name.SequenceEqual("cursor"u8)) continue;
            var cursor = fields.ReadDocument();
            while (cursor.Read())
            {
                if (!cursor.Name.SequenceEqual("firstBatch"u8)) continue;
                var batch = cursor.ReadDocument();
                while (batch.Read()) documents.Add(batch.Value.ToArray());
            }
        }

        return documents;
    }

    public void Dispose()
    {
        Vault.Dispose();
        Server.Dispose();
    }

    private static byte[] Command(string name, Action<BsonWriter> write)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString(System.Text.Encoding.UTF8.GetBytes(name), "__keyVault"u8);
        write(writer);
        writer.EndDocument();
        return writer.ToArray();
    }
}
