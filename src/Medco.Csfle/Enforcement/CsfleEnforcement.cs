using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle;

/// <summary>
/// Server-side enforcement of the registered collections: validators that refuse plaintext in encrypted fields, planned, shown and
/// applied. For deploy pipelines, administration and health checks; <c>EnforceOnServer</c> does the same at start-up.
/// </summary>
/// <remarks>
/// Needs no start-up and no master key, unless data keys have to be created: a plan needs the ids of the data keys, and the right
/// to list collections. Safe to use from many threads.
/// </remarks>
public sealed class CsfleEnforcement
{
    private readonly CsfleOptions _options;
    private readonly EnforcementOptions _enforcement;
    private readonly CsfleKeys _keys;
    private readonly Lazy<ServerEnforcement> _server;
    private readonly ILogger _logger;

    // Data keys keep their ids: what is known once stays so.
    private volatile IReadOnlyDictionary<string, EncryptionSchema>? _schemas;

    internal CsfleEnforcement(CsfleOptions options, CsfleKeys keys, Func<IMongoCommandRunner> newRunner, ILogger logger)
    {
        _options = options;
        _enforcement = options.Enforcement ?? new EnforcementOptions { AtStartup = EnforcementAtStartup.None };
        _keys = keys;
        _server = new Lazy<ServerEnforcement>(() => new ServerEnforcement(newRunner()));
        _logger = logger;
    }

    /// <summary>Compares the validators on the server with those that are wanted. Changes nothing.</summary>
    /// <param name="countRejectedDocuments">
    /// Whether to count the documents that the wanted rules would refuse, such as those with plaintext; the server reads every
    /// document for it.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Every registered collection that encrypts something, with its differences: what is there, what is wanted.</returns>
    /// <exception cref="EncryptionSchemaException">Classes or schemas are wrong; every mistake in all of them is in the exception.</exception>
    /// <exception cref="DataKeyException">A data key is missing; none is created.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    /// <exception cref="EnforcementException">
    /// <see cref="CsfleErrorCode.EnforcementFailed"/>: the server cannot be asked;
    /// <see cref="CsfleErrorCode.NotEnforceable"/>: no validator can be written for a collection.
    /// </exception>
    public EnforcementPlan Plan(bool countRejectedDocuments = false, CancellationToken cancellationToken = default)
        => _server.Value.Plan(Wanted(Schemas(cancellationToken)), countRejectedDocuments, cancellationToken);

    /// <inheritdoc cref="Plan"/>
    public async Task<EnforcementPlan> PlanAsync(bool countRejectedDocuments = false, CancellationToken cancellationToken = default)
        => await _server.Value.PlanAsync(Wanted(await SchemasAsync(cancellationToken).ConfigureAwait(false)), countRejectedDocuments, cancellationToken).ConfigureAwait(false);

    /// <summary>The differences between the validators on the server and those that are wanted, as a text for people.</summary>
    /// <inheritdoc cref="Plan"/>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>A line for each collection, below it what is there (<c>-</c>) and what is wanted (<c>+</c>).</returns>
    public string Diff(CancellationToken cancellationToken = default) => Plan(countRejectedDocuments: false, cancellationToken).Describe();

    /// <inheritdoc cref="Diff"/>
    public async Task<string> DiffAsync(CancellationToken cancellationToken = default)
        => (await PlanAsync(countRejectedDocuments: false, cancellationToken).ConfigureAwait(false)).Describe();

    /// <summary>Creates or modifies what a plan shows, reads it back, and does nothing where everything is enforced.</summary>
    /// <param name="plan">A plan of <see cref="Plan"/>. One with conflicts is refused as a whole.</param>
    /// <param name="cancellationToken">Gives up waiting; what was applied stays.</param>
    /// <returns>How the collections stand now: enforced, all of them.</returns>
    /// <exception cref="EnforcementException">
    /// <see cref="CsfleErrorCode.EnforcementConflict"/>: a validator may not be changed as wanted;
    /// <see cref="CsfleErrorCode.PlanOutdated"/>: more would be changed than the plan shows;
    /// <see cref="CsfleErrorCode.EnforcementFailed"/>: the server cannot be asked, or refused;
    /// <see cref="CsfleErrorCode.NotEnforced"/>: it does not stay as it was applied.
    /// </exception>
    public EnforcementPlan Apply(EnforcementPlan plan, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var now = _server.Value.Apply(plan, cancellationToken);
        Report(plan);
        return now;
    }

    /// <inheritdoc cref="Apply"/>
    public async Task<EnforcementPlan> ApplyAsync(EnforcementPlan plan, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var now = await _server.Value.ApplyAsync(plan, cancellationToken).ConfigureAwait(false);
        Report(plan);
        return now;
    }

    /// <summary>What <c>EnforceOnServer</c> asked of the start-up.</summary>
    /// <param name="schemas">The schema of each registered collection.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    internal void AtStartup(IReadOnlyDictionary<string, EncryptionSchema> schemas, CancellationToken cancellationToken)
    {
        _schemas = schemas;
        // What only has to be there is looked at before anything is changed.
        if (Wanted(schemas, EnforcementAtStartup.Verify) is { Count: > 0 } verified) _server.Value.Plan(verified, false, cancellationToken).ThrowIfNotEnforced();
        if (Wanted(schemas, EnforcementAtStartup.Apply) is { Count: > 0 } applied) Apply(_server.Value.Plan(applied, false, cancellationToken), cancellationToken);
    }

    /// <inheritdoc cref="AtStartup"/>
    internal async ValueTask AtStartupAsync(IReadOnlyDictionary<string, EncryptionSchema> schemas, CancellationToken cancellationToken)
    {
        _schemas = schemas;
        if (Wanted(schemas, EnforcementAtStartup.Verify) is { Count: > 0 } verified)
        {
            (await _server.Value.PlanAsync(verified, false, cancellationToken).ConfigureAwait(false)).ThrowIfNotEnforced();
        }

        if (Wanted(schemas, EnforcementAtStartup.Apply) is { Count: > 0 } applied)
        {
            await ApplyAsync(await _server.Value.PlanAsync(applied, false, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
    }

    private IReadOnlyDictionary<string, EncryptionSchema> Schemas(CancellationToken cancellationToken)
    {
        if (_schemas is { } known) return known;
        var collections = RegisteredCollections.Read(_options.Collections);
        return _schemas = collections.ToSchemas(_keys.Resolve(collections.KeyAltNames, createMissing: false, cancellationToken));
    }

    private async ValueTask<IReadOnlyDictionary<string, EncryptionSchema>> SchemasAsync(CancellationToken cancellationToken)
    {
        if (_schemas is { } known) return known;
        var collections = RegisteredCollections.Read(_options.Collections);
        return _schemas = collections.ToSchemas(await _keys.ResolveAsync(collections.KeyAltNames, createMissing: false, cancellationToken).ConfigureAwait(false));
    }

    private List<WantedValidator> Wanted(IReadOnlyDictionary<string, EncryptionSchema> schemas, EnforcementAtStartup? atStartup = null)
    {
        var wanted = new List<WantedValidator>();
        foreach (var registration in _options.Collections)
        {
            var ns = RegisteredCollections.NamespaceOf(registration)!;
            var options = _enforcement.Of(ns);
            if (!schemas[ns].EncryptsAnything || (atStartup is { } asked && options.AtStartup != asked)) continue;
            var context = new ValidatorSchemaContext(ns, registration.Type, schemas[ns]) { KnownTypes = registration.Declared.KnownTypes, Logger = _logger };
            wanted.Add(new WantedValidator(ns, schemas[ns], Build(options.SchemaSource, context), options.ExistingRules));
        }

        return wanted;
    }

    private static byte[] Build(ValidatorSchemaSource source, ValidatorSchemaContext context)
    {
        try
        {
            return source.BuildJsonSchema(context) ?? throw new InvalidOperationException("It returned nothing.");
        }
        catch (Exception exception) when (exception is not CsfleException)
        {
            throw new EnforcementException(CsfleErrorCode.NotEnforceable,
                $"{source.GetType().Name} failed to write the $jsonSchema of '{context.Namespace}' ({exception.GetType().Name})",
                "The inner exception says more. Enforce the encryption rules alone where the class cannot be described.", context.Namespace, exception);
        }
    }

    private void Report(EnforcementPlan applied)
    {
        foreach (var collection in applied.Collections)
        {
            if (collection.Status == EnforcementStatus.CollectionMissing) _logger.CollectionCreated(collection.Namespace);
            if (collection.Status == EnforcementStatus.NotEnforced) _logger.ValidatorChanged(collection.Namespace, collection.Differences.Count);
        }
    }
}
