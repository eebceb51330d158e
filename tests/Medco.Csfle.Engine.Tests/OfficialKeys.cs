using System.Text.Json;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.Tests;

/// <summary>A key vault with the data keys of the official corpus: one under a local master key, one under AWS.</summary>
internal static class OfficialKeys
{
    /// <summary>The master key that all official tests use; it is published with them and protects nothing.</summary>
    public const string LocalMasterKeyBase64 =
        "Mng0NCt4ZHVUYUJCa1kxNkVyNUR1QURhZ2h2UzR2d2RrZzh0cFBwM3R6NmdWMDFBMUN3YkQ5aXRRMkhGRGdQV09wOGVNYUMxT2k3NjZKelhaQmRCZGJkTXVyZG9uSjFk";

    /// <summary>AWS KMS with the one master key that the official tests use.</summary>
    public static IKeyManagementService Aws() => new RecordedAws();

    public static KeyVaultService Open()
    {
        var store = new InMemoryKeyVaultStore();
        foreach (var provider in new[] { "local", "aws" })
        {
            store.Insert(DataKeyDocument.Parse(ExtendedJson.ToBson(OfficialVectors.ReadText($"csfle/corpus/corpus-key-{provider}.json"))));
        }

        return new KeyVaultService(store, [new LocalKeyManagementService(LocalMasterKey.FromBase64(LocalMasterKeyBase64)), new RecordedAws()]);
    }

    /// <summary>Answers as AWS KMS did when the corpus was recorded: with the one plaintext in the recorded reply.</summary>
    private sealed class RecordedAws : IKeyManagementService
    {
        public string Provider => "aws";

        public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
            => throw new NotSupportedException("The recording has no answer to this.");

        public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
            => throw new NotSupportedException("The recording has no answer to this.");

        public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
        {
            var reply = OfficialVectors.ReadText("libmongocrypt/kms-aws/decrypt-response.txt");
            using var body = JsonDocument.Parse(reply[reply.IndexOf('{', StringComparison.Ordinal)..]);
            return body.RootElement.GetProperty("Plaintext").GetBytesFromBase64();
        }

        public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
            => new(Unwrap(masterKey, wrappedDataKey, cancellationToken));

        public void Dispose()
        {
        }
    }
}
