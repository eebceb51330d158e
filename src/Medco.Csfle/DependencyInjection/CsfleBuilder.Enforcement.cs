namespace Medco.Csfle;

public sealed partial class CsfleBuilder
{
    /// <summary>
    /// Lets the server refuse plaintext in encrypted fields, whoever writes it: at start-up each registered collection gets a
    /// validator with the encryption rules, or the one it has gets them added.
    /// </summary>
    /// <remarks>
    /// It needs the rights to list, create and modify collections. Where the application shall not have them, verify at start-up
    /// only, and let a deploy pipeline apply.
    /// </remarks>
    public CsfleBuilder EnforceOnServer() => EnforceOnServer(_ => { });

    /// <summary>Lets the server refuse plaintext in encrypted fields, and says how the validators are made and kept.</summary>
    /// <param name="configure">Changes what holds for all collections, or for some.</param>
    public CsfleBuilder EnforceOnServer(Action<EnforcementOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(_options.Enforcement ??= new EnforcementOptions());
        return this;
    }
}
