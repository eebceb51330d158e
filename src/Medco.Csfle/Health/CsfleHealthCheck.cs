using System.Security.Cryptography;
using Medco.Csfle.Clients;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Health;

/// <summary>
/// Looks whether encrypted clients work, and go on working: started, the key vault can be read and has its index, every data key
/// of the schemas can be unwrapped. Changes nothing.
/// </summary>
/// <remarks>
/// <para>Unhealthy (what the registration says a failure is): operations fail, or will as soon as a key leaves the memory because
/// it is not in the key vault or does not unwrap. Degraded: everything works, but somebody has to look: key vault or KMS
/// cannot be reached while the keys are still in memory, the unique index is missing, or a validator on the server has drifted.</para>
/// <para>The data are ids, names and codes.</para>
/// </remarks>
internal sealed class CsfleHealthCheck(EngineSource source, CsfleKeys keys, IEnumerable<IHealthProbe> probes, ILogger logger) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var finding = new HealthFinding();
        finding.Data["started"] = source.Started is not null;
        if (source.Started is not { } started || source.IsDisposed)
        {
            finding.Fail(source switch
            {
                { IsDisposed: true } => "it was disposed",
                { Error: { } error } => $"the start-up failed with {error}",
                _ => "it has not been started",
            });
            if (source.Error is { } code) finding.Data["error"] = code;
            return Result(finding, context);
        }

        finding.Data["collections"] = started.Schemas.Keys.Order(StringComparer.Ordinal).ToArray();
        finding.Data["keyVault"] = keys.Description;
        await CheckKeysAsync(started, finding, cancellationToken).ConfigureAwait(false);
        await CheckIndexAsync(finding, cancellationToken).ConfigureAwait(false);
        foreach (var probe in probes)
        {
            try
            {
                await probe.CheckAsync(started, finding, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (IsFinding(exception, cancellationToken))
            {
                finding.Degrade($"{probe.Name} cannot be checked: {CsfleTelemetry.TypeOf(exception)}");
            }
        }

        return Result(finding, context);
    }

    private async ValueTask CheckKeysAsync(StartedEngine started, HealthFinding finding, CancellationToken cancellationToken)
    {
        var ids = RegisteredCollections.KeyIdsIn(started.Schemas.Values);
        finding.Data["dataKeys"] = ids.Count;
        var unwrapped = 0;
        var isDegraded = false;
        try
        {
            var vault = await keys.OpenAsync(cancellationToken).ConfigureAwait(false);
            var documents = ids.Count == 0 ? await keys.Store.ListAsync(1, cancellationToken).ConfigureAwait(false) : await keys.Store.FindAsync(ids, [], cancellationToken).ConfigureAwait(false);
            foreach (var id in ids)
            {
                if (documents.FirstOrDefault(document => document.Id == id) is not { } document)
                {
                    finding.Fail($"data key {id} is not in {keys.Description}");
                    continue;
                }

                try
                {
                    CryptographicOperations.ZeroMemory(await vault.UnwrapAsync(document, cancellationToken).ConfigureAwait(false));
                    unwrapped++;
                }
                catch (Exception exception) when (IsFinding(exception, cancellationToken))
                {
                    isDegraded = Judge(finding, vault, id, $"data key {id} was not unwrapped", exception) || isDegraded;
                }
            }
        }
        catch (Exception exception) when (IsFinding(exception, cancellationToken))
        {
            if (exception is KeyVaultException && keys.OpenedService is { } vault && vault.Holds(ids))
            {
                finding.Degrade($"{keys.Description} cannot be read: {CsfleTelemetry.TypeOf(exception)}");
            }
            else
            {
                finding.Fail($"{keys.Description} cannot be read: {CsfleTelemetry.TypeOf(exception)}");
            }
        }

        finding.Data["dataKeysUnwrapped"] = unwrapped;
        if (isDegraded) finding.Data["inMemory"] = true;
    }

    // A KMS that does not answer hurts when the key has left the memory; a key that does not unwrap is as good as lost.
    private static bool Judge(HealthFinding finding, KeyVaultService vault, Guid id, string what, Exception exception)
    {
        var problem = $"{what}: {CsfleTelemetry.TypeOf(exception)}";
        if (exception is KmsException && vault.Holds([id]))
        {
            finding.Degrade(problem);
            return true;
        }

        finding.Fail(problem);
        return false;
    }

    private async ValueTask CheckIndexAsync(HealthFinding finding, CancellationToken cancellationToken)
    {
        // Other stores keep names unique themselves.
        if (keys.Store is not MongoKeyVaultStore store) return;
        try
        {
            var index = await store.CheckIndexAsync(cancellationToken).ConfigureAwait(false);
            finding.Data["keyVaultIndex"] = index.ToString();
            if (index == KeyVaultIndex.Missing) finding.Degrade($"{keys.Description} has no unique index on keyAltNames");
        }
        catch (Exception exception) when (IsFinding(exception, cancellationToken))
        {
            finding.Degrade($"the index of {keys.Description} cannot be checked: {CsfleTelemetry.TypeOf(exception)}");
        }
    }

    private static bool IsFinding(Exception exception, CancellationToken cancellationToken)
        => exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested;

    private HealthCheckResult Result(HealthFinding finding, HealthCheckContext context)
    {
        foreach (var problem in finding.Problems) logger.HealthProblem(problem);
        var status = finding.HasFailed ? context.Registration.FailureStatus : finding.Problems.Count > 0 ? HealthStatus.Degraded : HealthStatus.Healthy;
        var description = finding.Problems.Count == 0 ? "Client-side field level encryption works." : $"Client-side field level encryption: {string.Join("; ", finding.Problems)}.";
        return new HealthCheckResult(status, description, data: finding.Data);
    }
}
