using Medco.Csfle.Clients;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.Engine.Schema;
using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Proof;

/// <summary>
/// Proves, before anything of the application is sent, that what the schemas say happens: with synthetic inserts through the
/// very provider that the driver calls, and, where that was asked for, with canaries on the server.
/// </summary>
/// <param name="options">Whether and where canaries fly.</param>
/// <param name="keys">The data keys.</param>
/// <param name="newController">Makes a controller as the driver does for an encrypted client of the factory.</param>
/// <param name="newClient">Makes such a client.</param>
/// <param name="newRunner">Runs commands without encrypting.</param>
/// <param name="logger">Where to log.</param>
internal sealed class StartupProof(
    CsfleOptions options,
    CsfleKeys keys,
    Func<IAutoEncryptionLibMongoCryptController> newController,
    Func<IMongoClient> newClient,
    Func<IMongoCommandRunner> newRunner,
    ILogger logger)
{
    /// <summary>
    /// The schemas that the engine needs: those of the canaries' collections beside the registered ones. They are the application's
    /// own, under another name.
    /// </summary>
    /// <exception cref="CsfleConfigurationException">A canary's collection is registered itself.</exception>
    public IReadOnlyDictionary<string, EncryptionSchema> WithCanaries(IReadOnlyDictionary<string, EncryptionSchema> schemas)
    {
        if (options.CanarySuffix is not { } suffix) return schemas;
        var all = new Dictionary<string, EncryptionSchema>(schemas, StringComparer.Ordinal);
        foreach (var (ns, schema) in schemas)
        {
            if (!all.TryAdd(ns + suffix, schema))
            {
                throw new CsfleConfigurationException([
                    new(nameof(CsfleBuilder.UseCanary), $"'{ns + suffix}' is a registered collection, and would be the canary's collection for '{ns}'.", "Choose another suffix.")]);
            }
        }

        return all;
    }

    /// <summary>Proves it for every registered collection, with what the driver makes for a client and, where asked for, with canaries.</summary>
    /// <exception cref="EncryptionProofException">It does not hold.</exception>
    public void Run(IReadOnlyDictionary<string, EncryptionSchema> schemas, CancellationToken cancellationToken)
    {
        var named = NeedsName(schemas) ? keys.FindNamed(cancellationToken) : null;
        using (var controller = NewController()) Prove(controller, schemas, named, cancellationToken);
        if (options.CanarySuffix is not { } suffix || schemas.Count == 0) return;
        using var client = newClient();
        var canary = new Canary(MongoClientCommandRunner.Through(client), newRunner());
        foreach (var documents in Canaries(schemas, suffix, named))
        {
            canary.Run(documents, cancellationToken);
            logger.CanaryFlown(documents.Namespace.ToString(), documents.Count);
        }
    }

    /// <inheritdoc cref="Run"/>
    public async ValueTask RunAsync(IReadOnlyDictionary<string, EncryptionSchema> schemas, CancellationToken cancellationToken)
    {
        var named = NeedsName(schemas) ? await keys.FindNamedAsync(cancellationToken).ConfigureAwait(false) : null;
        using (var controller = NewController()) await ProveAsync(controller, schemas, named, cancellationToken).ConfigureAwait(false);
        if (options.CanarySuffix is not { } suffix || schemas.Count == 0) return;
        using var client = newClient();
        var canary = new Canary(MongoClientCommandRunner.Through(client), newRunner());
        foreach (var documents in Canaries(schemas, suffix, named))
        {
            await canary.RunAsync(documents, cancellationToken).ConfigureAwait(false);
            logger.CanaryFlown(documents.Namespace.ToString(), documents.Count);
        }
    }

    /// <summary>Proves it for every registered collection with a controller that is there already; it stays the caller's.</summary>
    /// <exception cref="EncryptionProofException">It does not hold.</exception>
    public void RunThrough(IAutoEncryptionLibMongoCryptController controller, IReadOnlyDictionary<string, EncryptionSchema> schemas, CancellationToken cancellationToken)
        => Prove(controller, schemas, NeedsName(schemas) ? keys.FindNamed(cancellationToken) : null, cancellationToken);

    /// <inheritdoc cref="RunThrough"/>
    public async ValueTask RunThroughAsync(IAutoEncryptionLibMongoCryptController controller, IReadOnlyDictionary<string, EncryptionSchema> schemas, CancellationToken cancellationToken)
    {
        var named = NeedsName(schemas) ? await keys.FindNamedAsync(cancellationToken).ConfigureAwait(false) : null;
        await ProveAsync(controller, schemas, named, cancellationToken).ConfigureAwait(false);
    }

    private void Prove(
        IAutoEncryptionLibMongoCryptController controller, IReadOnlyDictionary<string, EncryptionSchema> schemas, NamedDataKey? named, CancellationToken cancellationToken)
    {
        foreach (var documents in Documents(schemas, named))
        {
            var insert = documents.ToInsert(withDatabase: true);
            try
            {
                var sent = controller.EncryptFields(documents.Namespace.Database, insert, cancellationToken);
                EncryptionProof.CheckSent(documents, sent);
                EncryptionProof.CheckDecrypted(documents, insert, controller.DecryptFields(sent, cancellationToken));
            }
            catch (CsfleException exception) when (exception is QueryAnalysisException or DecryptionException)
            {
                throw Refused(documents, exception);
            }

            Proven(documents);
        }
    }

    private async ValueTask ProveAsync(
        IAutoEncryptionLibMongoCryptController controller, IReadOnlyDictionary<string, EncryptionSchema> schemas, NamedDataKey? named, CancellationToken cancellationToken)
    {
        foreach (var documents in Documents(schemas, named))
        {
            var insert = documents.ToInsert(withDatabase: true);
            try
            {
                var sent = await controller.EncryptFieldsAsync(documents.Namespace.Database, insert, cancellationToken).ConfigureAwait(false);
                EncryptionProof.CheckSent(documents, sent);
                var decrypted = await controller.DecryptFieldsAsync(sent, cancellationToken).ConfigureAwait(false);
                EncryptionProof.CheckDecrypted(documents, insert, decrypted);
            }
            catch (CsfleException exception) when (exception is QueryAnalysisException or DecryptionException)
            {
                throw Refused(documents, exception);
            }

            Proven(documents);
        }
    }

    private static bool NeedsName(IReadOnlyDictionary<string, EncryptionSchema> schemas)
        => schemas.Values.SelectMany(schema => Schema.RegisteredCollections.EncryptedNodesIn(schema.Root)).Any(node => node.KeyPointer is not null);

    private static EncryptionProofException Refused(SyntheticDocuments documents, CsfleException cause) => new(
        CsfleErrorCode.ProofFailed,
        cause is DecryptionException ? "What was encrypted of a synthetic insert could not be decrypted" : "A synthetic insert was refused, and with it every insert that sets all encrypted fields",
        "The inner exception says why. Nothing of the application was sent.",
        documents.Namespace.ToString(),
        (cause as QueryAnalysisException)?.Path,
        cause);

    private IAutoEncryptionLibMongoCryptController NewController()
        => newController() ?? throw new EncryptionProofException(
            CsfleErrorCode.ProviderNotWired, "The driver makes no encryption controller for the clients of this factory", "Remove what else registers an auto-encryption provider in this process.");

    private IEnumerable<SyntheticDocuments> Documents(IReadOnlyDictionary<string, EncryptionSchema> schemas, NamedDataKey? named)
    {
        foreach (var (ns, schema) in schemas)
        {
            if (!schema.EncryptsAnything) logger.NothingToProve(ns);
            var documents = SyntheticDocuments.Create(ns, schema, named);
            foreach (var unproven in documents.Unproven) logger.PathNotProven(unproven.Collection, unproven.Path, unproven.Reason);
            if (documents.Count > 0) yield return documents;
        }
    }

    private IEnumerable<SyntheticDocuments> Canaries(IReadOnlyDictionary<string, EncryptionSchema> schemas, string suffix, NamedDataKey? named)
    {
        foreach (var (ns, schema) in schemas)
        {
            var documents = SyntheticDocuments.Create(ns + suffix, schema, named);
            if (documents.Count == 0) continue;
            if (documents.MarkerName is not null)
            {
                yield return documents;
            }
            else
            {
                logger.NoCanary(ns);
            }
        }
    }

    private void Proven(SyntheticDocuments documents)
        => logger.CollectionProven(documents.Namespace.ToString(), documents.Values.Select(value => value.Path).Distinct(StringComparer.Ordinal).Count(), documents.Count);
}
