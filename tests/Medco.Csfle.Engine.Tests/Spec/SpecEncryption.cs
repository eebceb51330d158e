using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// The engine behind a client or a client encryption, made of the options in a test file when it is first needed: a mistake in
/// a schema is then an error of the operation, as it is with drivers.
/// </summary>
internal sealed class SpecEncryption : IDisposable
{
    private readonly Lazy<(CsfleEngine Engine, KeyVaultService Vault)> _opened;

    /// <param name="options"><c>autoEncryptOpts</c> or <c>clientEncryptionOpts</c>.</param>
    /// <param name="unencryptedDatabases">Databases in which collections without a schema may be written to.</param>
    /// <param name="runner">Gives the way to the server, for data keys and schemas.</param>
    /// <param name="discoversSchemas">Whether the server is asked for schemas.</param>
    public SpecEncryption(Document options, IEnumerable<string> unencryptedDatabases, Func<IMongoCommandRunner> runner, bool discoversSchemas)
    {
        string[] allowed = [.. unencryptedDatabases.Select(database => $"{database}.*")];
        var schemas = Document.Empty;
        var expiration = new KeyVaultOptions().CacheExpiration;
        Document? providers = null;
        string? keyVault = null;
        foreach (var (name, value) in options.Elements)
        {
            switch (name)
            {
                case "keyVaultNamespace":
                    keyVault = value.Text;
                    break;
                case "kmsProviders":
                    providers = value.Document;
                    break;
                case "schemaMap":
                    schemas = value.Document;
                    break;
                case "keyExpirationMS":
                    expiration = TimeSpan.FromMilliseconds(value.Whole());
                    break;
                case "bypassAutoEncryption" or "bypassQueryAnalysis":
                    EncryptsCommands &= !value.IsTrue;
                    break;
                case "keyVaultClient" or "extraOptions" or "tlsOptions":
                    // The runner resolves the first; the others are about mongocryptd and connections to a KMS, which are not here.
                    break;
                default:
                    throw new SpecFailure($"this runner does not know the encryption option '{name}'");
            }
        }

        if (keyVault is null || providers is null) throw new SpecFailure("keyVaultNamespace and kmsProviders are required");
        _opened = new(() =>
        {
            var vault = new KeyVaultService(
                new MongoKeyVaultStore(runner(), keyVault), [.. providers.Elements.Select(provider => Service(provider, standsIn: !discoversSchemas))], new KeyVaultOptions { CacheExpiration = expiration });
            var engine = new CsfleEngine(vault, new CsfleEngineOptions
            {
                Schemas = schemas.Elements.ToDictionary(schema => schema.Name, schema => EncryptionSchema.Parse(schema.Value.Document.Bytes.Span)),
                AllowUnencrypted = allowed,
                ServerSchemas = discoversSchemas ? runner() : null,
            });
            return (engine, vault);
        }, LazyThreadSafetyMode.None);
    }

    public bool EncryptsCommands { get; } = true;

    public CsfleEngine Engine => _opened.Value.Engine;

    public KeyVaultService Vault => _opened.Value.Vault;

    public void Dispose()
    {
        if (_opened.IsValueCreated) _opened.Value.Vault.Dispose();
    }

    // A client encryption manages keys of every KMS; only the local one and a recording are really here.
    private static IKeyManagementService Service(Element provider, bool standsIn)
    {
        if (!KmsProvider.TryGetType(provider.Name, out var type)) throw new SpecFailure($"'{provider.Name}' is no KMS provider");
        var colon = provider.Name.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? null : provider.Name[(colon + 1)..];
        return type switch
        {
            KmsProvider.Local => new LocalKeyManagementService(LocalKey(provider.Value.Document.Find("key")!), name),
            _ when standsIn => new StandInKms(provider.Name),
            KmsProvider.Aws when name is null => provider.Value.Document.Find("sessionToken") is { IsText: true } ? new RefusingAws() : OfficialKeys.Aws(),
            _ => new AbsentKms(provider.Name),
        };
    }

    private static LocalMasterKey LocalKey(Value key)
    {
        if (key.IsDocument) return LocalMasterKey.FromBase64(OfficialKeys.LocalMasterKeyBase64);
        return key.IsText ? LocalMasterKey.FromBase64(key.Text) : LocalMasterKey.FromBytes(key.Binary);
    }

    /// <summary>Answers every request as AWS KMS answers one with a session token that it did not issue.</summary>
    private sealed class RefusingAws() : AbsentKms(KmsProvider.Aws)
    {
        protected override Exception Refusal
            => new SpecKmsException("UnrecognizedClientException: The security token included in the request is invalid.");
    }

    /// <summary>A KMS that is configured, but cannot be reached from here.</summary>
    private class AbsentKms(string provider) : IKeyManagementService
    {
        public string Provider => provider;

        protected virtual Exception Refusal => new SpecFailure($"the KMS {provider} was asked, and is not here");

        public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default) => throw Refusal;

        public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
            => ValueTask.FromException<byte[]>(Refusal);

        public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default) => throw Refusal;

        public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
            => ValueTask.FromException<byte[]>(Refusal);

        public void Dispose()
        {
        }
    }
}
