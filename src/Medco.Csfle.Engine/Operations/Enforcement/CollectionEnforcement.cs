using System.Globalization;
using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>How one collection stands: what its validator is, what is wanted, and what applying would do.</summary>
public sealed class CollectionEnforcement
{
    private readonly RuleNode _validator;

    private CollectionEnforcement(WantedValidator wanted, CollectionState state, RuleNode validator, IReadOnlyList<ValidatorDifference> differences, IReadOnlyList<string> conflicts)
    {
        Wanted = wanted;
        State = state;
        _validator = validator;
        Differences = differences;
        Conflicts = conflicts;
    }

    /// <summary><c>database.collection</c>.</summary>
    public string Namespace => Wanted.Namespace;

    /// <summary>Whether the server enforces what is wanted, and what applying would do.</summary>
    public EnforcementStatus Status
        => Conflicts.Count > 0 ? EnforcementStatus.Conflict
            : !State.Exists ? EnforcementStatus.CollectionMissing
            : Differences.Count > 0 ? EnforcementStatus.NotEnforced
            : EnforcementStatus.Enforced;

    /// <summary>In what the validator is not as it is wanted, path by path; none where it is enforced.</summary>
    public IReadOnlyList<ValidatorDifference> Differences { get; }

    /// <summary>Why the validator may not be changed as wanted; none where it may.</summary>
    public IReadOnlyList<string> Conflicts { get; }

    /// <summary>
    /// How many documents are there that the wanted <c>$jsonSchema</c> would refuse: those with plaintext in an encrypted field, for
    /// instance. They stay as they are, and an update that leaves them so fails. Null where they were not counted.
    /// </summary>
    public long? RejectedDocuments { get; private init; }

    internal WantedValidator Wanted { get; }

    internal CollectionState State { get; }

    /// <summary>The whole validator as it is wanted, other expressions that are there included, in Extended JSON.</summary>
    /// <param name="indented">One line for each keyword, or all in one.</param>
    public string ToJson(bool indented = false) => ExtendedJson.ToJson(_validator.ToBson(), ExtendedJsonMode.Relaxed, indented);

    /// <summary>The collection, what is to be done, and the differences, one below the other.</summary>
    public string Describe()
    {
        var text = new StringBuilder($"{Namespace}: {DescribeStatus()}");
        foreach (var conflict in Conflicts) text.AppendLine().Append("    ! ").Append(conflict);
        foreach (var difference in Differences) text.AppendLine().Append("    ").Append(difference);
        if (RejectedDocuments is { } count) text.AppendLine().Append(CultureInfo.InvariantCulture, $"    {count} documents in it would be refused");
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => Describe();

    /// <summary>Compares.</summary>
    internal static CollectionEnforcement Of(WantedValidator wanted, CollectionState state)
    {
        if ((state.Obstacle ?? ObstacleIn(wanted)) is { } obstacle) return new CollectionEnforcement(wanted, state, state.Validator, [], [obstacle]);
        var jsonSchema = wanted.Target(state.JsonSchema, out var rules);
        var validator = state.Validator.With(WantedValidator.Keyword, jsonSchema);
        var conflicts = new List<string>();
        if (wanted.ExistingRules == ExistingRules.Keep && rules.FirstOrDefault(difference => difference.Actual is not null) is not null)
        {
            conflicts.Add($"Its $jsonSchema says otherwise at {string.Join(", ", rules.Where(difference => difference.Actual is not null).Select(difference => $"'{difference.Path}'"))}, and is to be kept.");
        }

        if (Unreadable(wanted.Namespace, validator) is { } problem) conflicts.Add(problem);
        return new CollectionEnforcement(wanted, state, validator, [.. state.Slackness(), .. rules], conflicts);
    }

    internal CollectionEnforcement WithRejectedDocuments(long count)
        => new(Wanted, State, _validator, Differences, Conflicts) { RejectedDocuments = count };

    /// <summary>The command that brings it about.</summary>
    internal byte[] ToCommand()
        => State.Exists ? EnforcementCommands.Modify(Wanted.Address.Collection, _validator) : EnforcementCommands.Create(Wanted.Address.Collection, _validator);

    /// <summary>The question for <see cref="RejectedDocuments"/>.</summary>
    internal byte[] ToCount() => EnforcementCommands.CountRejected(Wanted.Address.Collection, _validator.Find(WantedValidator.Keyword)!);

    /// <summary>Whether it changes or removes nothing but what an earlier look has shown.</summary>
    internal bool IsCoveredBy(CollectionEnforcement earlier)
        => Differences.Where(difference => difference.Actual is not null).All(earlier.Differences.Contains);

    // What is there and what is added may each be right, and together be something that clients cannot read.
    private static string? Unreadable(string ns, RuleNode validator)
    {
        try
        {
            var bson = validator.ToBson();
            ValidatorSchema.Read(ns, new BsonReader(bson));
            return null;
        }
        catch (EncryptionSchemaException exception)
        {
            return $"With what is there, drivers could not tell from the validator what is encrypted: {string.Join(" ", exception.Errors)}";
        }
    }

    private static string? ObstacleIn(WantedValidator wanted)
        => wanted.Address.Database is "admin" or "local" or "config" || wanted.Address.Collection.StartsWith("system.", StringComparison.Ordinal)
            ? "MongoDB has no validators in the databases admin, local and config, nor for system collections."
            : null;

    private string DescribeStatus() => Status switch
    {
        EnforcementStatus.Enforced => "enforced",
        EnforcementStatus.CollectionMissing => "the collection is not there; it will be created with a validator",
        EnforcementStatus.NotEnforced => "not enforced; its validator will be changed",
        _ => "not enforced, and its validator may not be changed as wanted",
    };
}
