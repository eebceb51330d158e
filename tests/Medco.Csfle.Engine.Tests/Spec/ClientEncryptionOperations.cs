using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>A client encryption as an entity of a test.</summary>
/// <param name="Client">The key vault's client.</param>
/// <param name="Encryption">The engine.</param>
internal sealed record SpecClientEncryption(SpecClient Client, SpecEncryption Encryption);

/// <summary>Explicit encryption and decryption, and the management of data keys.</summary>
internal static class ClientEncryptionOperations
{
    private static readonly Dictionary<string, Func<SpecClientEncryption, SpecArguments, ValueTask<SpecResult>>> Operations = new()
    {
        ["encrypt"] = Encrypt,
        ["decrypt"] = Decrypt,
    };

    public static bool Has(string name) => Find(name) is not null;

    public static async ValueTask<SpecResult> RunAsync(SpecClientEncryption target, SpecArguments arguments)
        => await Find(arguments.Operation)!(target, arguments);

    private static Func<SpecClientEncryption, SpecArguments, ValueTask<SpecResult>>? Find(string name)
        => Operations.GetValueOrDefault(name) ?? KeyManagementOperations.Table.GetValueOrDefault(name);

    private static async ValueTask<SpecResult> Decrypt(SpecClientEncryption target, SpecArguments arguments)
    {
        var engine = target.Encryption.Engine;
        var value = Wrapped(arguments.Required("value"));
        arguments.RefuseOthers();
        return Unwrapped(target.Client.IsAsync ? await engine.DecryptAsync(value) : engine.Decrypt(value));
    }

    private static async ValueTask<SpecResult> Encrypt(SpecClientEncryption target, SpecArguments arguments)
    {
        var engine = target.Encryption.Engine;
        var value = Wrapped(arguments.Required("value"));
        var options = new SpecArguments("encrypt.opts", arguments.Required("opts").Document);
        arguments.RefuseOthers();
        var algorithm = options.Text("algorithm") switch
        {
            "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic" => CsfleAlgorithm.Deterministic,
            "AEAD_AES_256_CBC_HMAC_SHA_512-Random" => CsfleAlgorithm.Random,
            var other => throw new SpecFailure($"this runner does not know the algorithm {other}"),
        };
        var keyId = options.Optional("keyId");
        var keyName = options.Optional("keyAltName")?.Text;
        options.RefuseOthers();
        if (keyId is null == keyName is null) throw new SpecClientException("either key id or key alt name required");
        if (keyName is not null) return Unwrapped(target.Client.IsAsync ? await engine.EncryptAsync(value, algorithm, keyName) : engine.Encrypt(value, algorithm, keyName));
        var id = new Guid(keyId!.Binary, bigEndian: true);
        return Unwrapped(target.Client.IsAsync ? await engine.EncryptAsync(value, algorithm, id) : engine.Encrypt(value, algorithm, id));
    }

    private static ReadOnlyMemory<byte> Wrapped(Value value) => SpecDocuments.Of(new Element("v", value)).Bytes;

    private static SpecResult Unwrapped(byte[] wrapped) => new(Document.Parse(wrapped).Find("v"));
}
