using Medco.Csfle.Engine.Operations.Enforcement;

namespace Medco.Csfle;

/// <summary>What the start-up does about a collection's validator on the server.</summary>
public enum EnforcementAtStartup
{
    /// <summary>Nothing; a deploy pipeline or an administrator sees to it.</summary>
    None,

    /// <summary>Compares it, and fails where it is missing or says something else. Needs the right to list collections.</summary>
    Verify,

    /// <summary>Creates or changes it where needed. Needs the rights to create and to modify collections as well.</summary>
    Apply,
}

/// <summary>How the validator of a collection is made and kept.</summary>
public class CollectionEnforcementOptions
{
    private protected CollectionEnforcementOptions()
    {
    }

    internal CollectionEnforcementOptions(CollectionEnforcementOptions defaults)
    {
        AtStartup = defaults.AtStartup;
        ExistingRules = defaults.ExistingRules;
        SchemaSource = defaults.SchemaSource;
    }

    /// <summary>What the start-up does; <see cref="EnforcementAtStartup.Apply"/> where nothing is said.</summary>
    public EnforcementAtStartup AtStartup { get; set; } = EnforcementAtStartup.Apply;

    /// <summary>What becomes of a <c>$jsonSchema</c> that is there already; kept where nothing is said.</summary>
    public ExistingRules ExistingRules { get; set; } = ExistingRules.Keep;

    /// <summary>Writes the <c>$jsonSchema</c>; the encryption rules alone where nothing is said.</summary>
    public ValidatorSchemaSource SchemaSource { get; set; } = ValidatorSchemaSource.EncryptionRules;
}

/// <summary>How the validators of all registered collections are made and kept, and which collections are treated otherwise.</summary>
public sealed class EnforcementOptions : CollectionEnforcementOptions
{
    internal List<(string Namespace, Action<CollectionEnforcementOptions> Configure)> Exceptions { get; } = [];

    /// <summary>Treats one collection otherwise.</summary>
    /// <param name="namespace"><c>database.collection</c>, as registered.</param>
    /// <param name="configure">Gets what holds for all collections, and changes it for this one.</param>
    public EnforcementOptions For(string @namespace, Action<CollectionEnforcementOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        ArgumentNullException.ThrowIfNull(configure);
        Exceptions.Add((@namespace, configure));
        return this;
    }

    internal CollectionEnforcementOptions Of(string ns)
    {
        var options = new CollectionEnforcementOptions(this);
        foreach (var (name, configure) in Exceptions)
        {
            if (name == ns) configure(options);
        }

        return options;
    }
}
