using Medco.Csfle.Clients;
using Medco.Csfle.Engine.Operations.Enforcement;

namespace Medco.Csfle.Health;

/// <summary>
/// Whether the validators on the server still refuse plaintext, where that was asked for. A client that encrypts goes on
/// encrypting without them, so that drift degrades and does not fail.
/// </summary>
internal sealed class ValidatorDrift(CsfleEnforcement enforcement) : IHealthProbe
{
    public string Name => "server-side enforcement";

    public async ValueTask CheckAsync(StartedEngine started, HealthFinding finding, CancellationToken cancellationToken)
    {
        var plan = await enforcement.PlanAsync(countRejectedDocuments: false, cancellationToken).ConfigureAwait(false);
        finding.Data["enforced"] = plan.Collections.Where(collection => collection.Status == EnforcementStatus.Enforced).Select(collection => collection.Namespace).ToArray();
        foreach (var collection in plan.Collections)
        {
            if (collection.Status != EnforcementStatus.Enforced) finding.Degrade($"the validator of {collection.Namespace} does not enforce encryption ({collection.Status})");
        }
    }
}
