using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>What a server says about a collection, as far as its validator is concerned.</summary>
internal sealed class CollectionState
{
    private const string Strict = "strict";
    private const string Error = "error";

    // As of MongoDB 8.1; it refuses as well.
    private const string ErrorAndLog = "errorAndLog";

    private CollectionState()
    {
    }

    /// <summary>A collection that is not there.</summary>
    public static CollectionState Missing { get; } = new() { Exists = false };

    public bool Exists { get; private init; } = true;

    /// <summary>Why it cannot have the validator of an encrypted collection; null where it can.</summary>
    public string? Obstacle { get; private init; }

    /// <summary>The whole validator; empty where there is none.</summary>
    public RuleNode Validator { get; private init; } = RuleNode.Empty;

    /// <summary>The one <c>$jsonSchema</c> of the validator; null where it has none.</summary>
    public RuleNode? JsonSchema => Validator.Find(WantedValidator.Keyword);

    public string Level { get; private init; } = Strict;

    public string Action { get; private init; } = Error;

    /// <summary>What else than the rules keeps the validator from refusing documents.</summary>
    public IEnumerable<ValidatorDifference> Slackness()
    {
        if (Level != Strict) yield return new ValidatorDifference("validationLevel", Quote(Level), Quote(Strict));
        if (Action is not (Error or ErrorAndLog)) yield return new ValidatorDifference("validationAction", Quote(Action), Quote(Error));
    }

    /// <summary>Reads an entry of what <c>listCollections</c> answers.</summary>
    /// <returns>Null where the entry is not shaped like one.</returns>
    public static (string Name, CollectionState State)? Read(RuleNode info)
    {
        if (info.Find("name")?.AsText is not { } name || info.Find("type")?.AsText is not { } type) return null;
        var options = info.Find("options") ?? RuleNode.Empty;
        var validator = options.Find("validator") ?? RuleNode.Empty;
        if (!options.IsDocument || !validator.IsDocument) return null;
        return (name, new CollectionState
        {
            Obstacle = ObstacleOf(type, options),
            Validator = validator,
            Level = options.Find("validationLevel")?.AsText ?? Strict,
            Action = options.Find("validationAction")?.AsText ?? Error,
        });
    }

    private static string? ObstacleOf(string type, RuleNode options) => type switch
    {
        "view" => "It is a view: views have no validator, and encryption does not work through them. Register the collection behind it.",
        "timeseries" => "It is a time series: those have neither validators nor field-level encryption.",
        _ when options.Find("encryptedFields") is not null => "It uses Queryable Encryption ('encryptedFields').",
        _ => null,
    };

    private static string Quote(string text) => $"\"{text}\"";
}
