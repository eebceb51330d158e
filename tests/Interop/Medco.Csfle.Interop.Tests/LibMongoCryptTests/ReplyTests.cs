using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Bson;
using Xunit.Abstractions;

namespace Medco.Csfle.Interop.Tests.LibMongoCryptTests;

/// <summary>Whole replies: documents with ciphertexts anywhere in them are decrypted alike.</summary>
public sealed class ReplyTests(ITestOutputHelper output) : IDisposable
{
    private const int Documents = 10_000;
    private const ulong Seed = 112_220_26;

    private readonly SharedKeyVault _shared = new();

    public void Dispose() => _shared.Dispose();

    [LibMongoCryptFact]
    public void Ten_thousand_generated_documents_are_decrypted_alike()
    {
        using var peer = _shared.NewLibMongoCrypt();
        var keys = Enumerable.Range(0, 3).Select(_ => _shared.Vault.CreateDataKey("local")).ToArray();
        var engine = new CsfleEngine(_shared.Vault, new CsfleEngineOptions());
        var encrypted = 0;
        var cutOff = 0;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Documents).WithReplay(Seed, 1).WithEndSize(30), Prop.ForAll(BsonGenerators.Documents, ArbMap.Default.ArbFor<int>(), (generated, seed) =>
        {
            var random = new Random(seed);
            var plain = WithoutCiphertextSubtype(generated);
            var document = Encrypt(new BsonReader(plain), engine, keys, random, ref encrypted);

            Assert.Equal(plain, engine.DecryptReply(document).ToArray());
            if (CutOffAtNul.IsIn(new BsonReader(plain))) cutOff++;
            else Assert.Equal(plain, peer.DecryptReply(document));
        }));
        output.WriteLine($"{Documents} documents, {encrypted} values encrypted in them, {cutOff} with text that libmongocrypt cuts off, seed {Seed}");
        Assert.True(encrypted > Documents);
        Assert.InRange(cutOff, 0, Documents / 10);
    }

    // Neither side decrypts what it finds within a scope of code; nothing is put there.
    private static byte[] Encrypt(BsonReader reader, CsfleEngine engine, Guid[] keys, Random random, ref int encrypted)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        while (reader.Read())
        {
            var algorithm = random.Next(2) == 0 ? CsfleAlgorithm.Deterministic : CsfleAlgorithm.Random;
            if (random.Next(3) == 0 && !EncryptedNode.IsProhibited(algorithm, reader.Type))
            {
                var ciphertext = engine.Encrypt(Alone(reader), algorithm, keys[random.Next(keys.Length)]);
                var value = new BsonReader(ciphertext);
                value.Read();
                writer.WriteRaw(BsonType.Binary, reader.Name, value.Value);
                encrypted++;
            }
            else if (reader.Type is BsonType.Document or BsonType.Array)
            {
                writer.WriteRaw(reader.Type, reader.Name, Encrypt(reader.ReadDocument(), engine, keys, random, ref encrypted));
            }
            else
            {
                writer.WriteRaw(reader.Type, reader.Name, reader.Value);
            }
        }

        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] Alone(in BsonReader element)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteRaw(element.Type, "v"u8, element.Value);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] WithoutCiphertextSubtype(byte[] document)
    {
        var changed = (byte[])document.Clone();
        Walk(new BsonReader(document));
        return changed;

        void Walk(BsonReader reader)
        {
            while (reader.Read())
            {
                if (reader.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope) Walk(reader.ReadDocument());
                else if (reader.Type == BsonType.Binary && document[reader.ValueStart + sizeof(int)] == BinarySubtype.Encrypted) changed[reader.ValueStart + sizeof(int)] = BinarySubtype.Generic;
            }
        }
    }
}
