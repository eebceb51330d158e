using System.Globalization;
using Medco.Csfle.Clients;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>MongoDB.Driver.Encryption behind the router of this library.</summary>
internal sealed class LibMongoCryptEngine(LibMongoCryptOptions options) : OfficialEngine
{
    private const string UseLibMongoCrypt = nameof(LibMongoCryptCsfleBuilderExtensions.UseLibMongoCrypt);

    /// <inheritdoc/>
    public override bool Encrypts => options.Encrypts;

    /// <inheritdoc/>
    public override IEnumerable<CsfleConfigurationError> FindMistakes(CsfleOptions csfle)
    {
        if (csfle.KeyVaultStore is not null)
        {
            yield return new(UseLibMongoCrypt, "libmongocrypt reads data keys from a collection of MongoDB alone, and the key vault is kept elsewhere.",
                $"Name a collection with {nameof(CsfleBuilder.UseKeyVault)}(\"encryption.__keyVault\"), or use the managed engine.");
        }

        // The driver turns the names into lower case, data keys keep them as they are, and libmongocrypt compares both.
        foreach (var provider in csfle.KmsProviders.Select(each => each.Provider).Where(provider => provider.Any(char.IsAsciiLetterUpper)))
        {
            yield return new(UseLibMongoCrypt, $"KMS provider `{provider}` has capital letters in its name, with which MongoDB.Driver.Encryption does not find it.",
                "Use the managed engine, or rewrap the data keys under a provider with a name in lower case.");
        }

        if (options.CryptSharedLibraryPath is "") yield return Mistake(nameof(options.CryptSharedLibraryPath), "is empty", $"Name the file {CryptShared.FileName}, or leave it out.");
        if (options.MongocryptdPort is < 1 or > ushort.MaxValue) yield return Mistake(nameof(options.MongocryptdPort), "is no port", "Give one from 1 to 65535.");
        if (options.MongocryptdIdleShutdownTimeout.Ticks % TimeSpan.TicksPerSecond != 0 || options.MongocryptdIdleShutdownTimeout < TimeSpan.FromSeconds(1) || options.MongocryptdIdleShutdownTimeout.TotalSeconds > int.MaxValue)
        {
            yield return Mistake(nameof(options.MongocryptdIdleShutdownTimeout), "is not a number of whole seconds", "Give one second or more.");
        }

        foreach (var argument in options.MongocryptdSpawnArguments)
        {
            var name = argument.TrimStart(' ', '-').Split('=', ' ')[0];
            if (name == "port") yield return Mistake(nameof(options.MongocryptdSpawnArguments), "has --port in it", $"Set {nameof(options.MongocryptdPort)}, so that the same port is connected to.");
            if (name == "idleShutdownTimeoutSecs") yield return Mistake(nameof(options.MongocryptdSpawnArguments), "has --idleShutdownTimeoutSecs in it", $"Set {nameof(options.MongocryptdIdleShutdownTimeout)}.");
            if (!argument.StartsWith("--", StringComparison.Ordinal)) yield return Mistake(nameof(options.MongocryptdSpawnArguments), "has an argument in it that does not begin with --", "Write '--name=value'.");
        }

        if (options.MongocryptdUri is { } uri)
        {
            if (!TryParse(uri, out var url)) yield return Mistake(nameof(options.MongocryptdUri), "is no connection string", "Write 'mongodb://localhost:27020'.");
            else if (options.MongocryptdPort is { } port && url.Servers.Any(server => server.Port != port))
            {
                yield return Mistake(nameof(options.MongocryptdPort), $"is {port.ToString(CultureInfo.InvariantCulture)}, and {nameof(options.MongocryptdUri)} names another port", "Leave one of them out.");
            }
        }
    }

    /// <inheritdoc/>
    public override IAutoEncryptionLibMongoCryptController Open(OfficialEngineContext context, CancellationToken cancellationToken)
    {
        var (controller, mongocryptd) = Load(context);
        try
        {
            mongocryptd?.EnsureRunning(cancellationToken);
            foreach (var (database, command) in Probes(context))
            {
                try
                {
                    controller.EncryptFields(database, command, cancellationToken);
                }
                catch (QueryAnalysisException exception) when (exception.Code == CsfleErrorCode.RefusedByMongocryptd && mongocryptd is not null)
                {
                    throw mongocryptd.Refuses(exception);
                }
            }
        }
        catch
        {
            controller.Dispose();
            throw;
        }

        return Ready(controller, mongocryptd, context);
    }

    /// <inheritdoc/>
    public override async ValueTask<IAutoEncryptionLibMongoCryptController> OpenAsync(OfficialEngineContext context, CancellationToken cancellationToken)
    {
        var (controller, mongocryptd) = Load(context);
        try
        {
            if (mongocryptd is not null) await mongocryptd.EnsureRunningAsync(cancellationToken).ConfigureAwait(false);
            foreach (var (database, command) in Probes(context))
            {
                try
                {
                    await controller.EncryptFieldsAsync(database, command, cancellationToken).ConfigureAwait(false);
                }
                catch (QueryAnalysisException exception) when (exception.Code == CsfleErrorCode.RefusedByMongocryptd && mongocryptd is not null)
                {
                    throw mongocryptd.Refuses(exception);
                }
            }
        }
        catch
        {
            controller.Dispose();
            throw;
        }

        return Ready(controller, mongocryptd, context);
    }

    private (LibMongoCryptController Controller, Mongocryptd? Mongocryptd) Load(OfficialEngineContext context)
    {
        var mongocryptd = new Mongocryptd(options, context.Logger);
        var native = CreateNative(context, mongocryptd);
        var needsMongocryptd = false;
        try
        {
            var version = native.CryptSharedLibraryVersion();
            if (version is null && (options.CryptSharedLibraryRequired || options.CryptSharedLibraryPath is not null)) throw CryptShared.NotLoaded(options.CryptSharedLibraryPath, null);
            needsMongocryptd = version is null && options.Encrypts;
        }
        catch
        {
            native.Dispose();
            throw;
        }

        var needed = needsMongocryptd ? mongocryptd : null;
        return (new LibMongoCryptController(context.Started.Engine, native, new PlaintextGuard(context.Started.Schemas), new NativeErrors(needed), options.Encrypts), needed);
    }

    /// <summary>
    /// The driver's controller takes master keys and schemas from the client that it is made for. That one is given the real
    /// options, is made to get the controller, and is gone with its connections when this returns.
    /// </summary>
    private IAutoEncryptionLibMongoCryptController CreateNative(OfficialEngineContext context, Mongocryptd mongocryptd)
    {
        using var masterKeys = NativeKmsProviders.Of(context.MasterKeys);
        var settings = context.NewSettings();

        // A delegate of its own, so that no other client shares these connections: the controller closes them for everybody.
        var configure = settings.ClusterConfigurator;
        settings.ClusterConfigurator = builder => configure?.Invoke(builder);
        settings.MinConnectionPoolSize = 0;
        settings.AutoEncryptionOptions = NewOptions(context, masterKeys, mongocryptd);

        IAutoEncryptionLibMongoCryptController? native = null;
        ICluster? cluster = null;
        AutoEncryptionRouter.Register(MongoClientSettings.Extensions.AutoEncryptionProvider);
        AutoEncryptionRouter.Issue(settings.AutoEncryptionOptions, client =>
        {
            cluster = client.Cluster;
            return native = NativeFactory.Create(client, settings.AutoEncryptionOptions);
        });
        try
        {
            _ = new MongoClient(settings);
            return native!;
        }
        catch (CryptException exception) when (exception.Message.Contains("CryptSharedLib", StringComparison.Ordinal) || exception.Message.Contains("crypt_shared", StringComparison.Ordinal))
        {
            throw CryptShared.NotLoaded(options.CryptSharedLibraryPath, exception);
        }
        catch (CryptException exception)
        {
            throw new LibMongoCryptException(CsfleErrorCode.LibMongoCryptFailed, $"libmongocrypt refuses its options: {exception.Message.TrimEnd('.')}",
                "Check the schemas and the KMS providers; the managed engine may tell more.", exception);
        }
        catch (Exception exception) when (NativeLibraryErrors.IsAboutLoading(exception))
        {
            throw NativeLibraryErrors.NotLoaded(exception);
        }
        finally
        {
            // The driver keeps connections, and with them the options, for clients that may come.
            if (cluster is not null) ClusterRegistry.Instance.UnregisterAndDisposeCluster(cluster);
        }
    }

    private AutoEncryptionOptions NewOptions(OfficialEngineContext context, NativeKmsProviders masterKeys, Mongocryptd mongocryptd)
    {
        var extra = new Dictionary<string, object>(mongocryptd.DriverOptions) { ["cryptSharedLibRequired"] = options.CryptSharedLibraryRequired };
        if (options.CryptSharedLibraryPath is { } path) extra.Add("cryptSharedLibPath", path);
        var native = new AutoEncryptionOptions(
            CollectionNamespace.FromFullName(context.Options.KeyVaultNamespace!),
            masterKeys.Providers,
            bypassAutoEncryption: options.BypassAutoEncryption,
            extraOptions: extra,
            keyVaultClient: Optional.Create(context.KeyVaultClient),
            schemaMap: context.Started.Schemas.ToDictionary(each => each.Key, each => ToDocument(each.Value)),
            bypassQueryAnalysis: options.BypassQueryAnalysis);
        if (context.Options.DataKeyLifetime is { } lifetime) native.SetKeyExpiration(lifetime);
        return native;
    }

    // Every schema is shown to the analysis before the first command comes, and no value is.
    private IEnumerable<(string Database, byte[] Command)> Probes(OfficialEngineContext context)
    {
        if (!options.Encrypts) yield break;
        foreach (var ns in context.Started.Schemas.Where(each => each.Value.EncryptsAnything).Select(each => CollectionNamespace.FromFullName(each.Key)))
        {
            var database = ns.DatabaseNamespace.DatabaseName;
            yield return (database, new BsonDocument { { "find", ns.CollectionName }, { "filter", new BsonDocument() }, { "$db", database } }.ToBson());
        }
    }

    private static LibMongoCryptController Ready(LibMongoCryptController controller, Mongocryptd? mongocryptd, OfficialEngineContext context)
    {
        if (mongocryptd is not null) context.Logger.ReadyWithMongocryptd(mongocryptd.Address);
        else if (controller.CryptSharedLibraryVersion() is { } version) context.Logger.ReadyWithCryptShared(version);
        else context.Logger.ReadyToDecrypt();
        return controller;
    }

    private static BsonDocument ToDocument(EncryptionSchema schema) => BsonSerializer.Deserialize<BsonDocument>(schema.ToBson());

    private static CsfleConfigurationError Mistake(string option, string problem, string remedy) => new(UseLibMongoCrypt, $"{option} {problem}.", remedy);

    private static bool TryParse(string uri, out MongoUrl url)
    {
        try
        {
            url = new MongoUrl(uri);
            return true;
        }
        catch (Exception exception) when (exception is MongoConfigurationException or ArgumentException or FormatException)
        {
            url = null!;
            return false;
        }
    }
}
