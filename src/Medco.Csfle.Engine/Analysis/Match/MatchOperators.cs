namespace Medco.Csfle.Engine.Analysis.Match;

/// <summary>What an operator of the query language does with an encrypted operand.</summary>
internal enum MatchRule
{
    /// <summary>Compares with one constant, which can be encrypted deterministically.</summary>
    Equality,

    /// <summary>Compares with each constant of an array.</summary>
    Membership,

    /// <summary>Looks only at whether the element is there.</summary>
    Existence,

    /// <summary>Applies to an expression of operators on the same path.</summary>
    Negation,

    /// <summary>Applies to the elements of an array.</summary>
    ArrayElements,

    /// <summary>Cannot work on an encrypted value; harmless on any other.</summary>
    PlaintextOnly,
}

/// <summary>What an operator at the top of a filter does.</summary>
internal enum TopLevelRule
{
    /// <summary>Combines filters.</summary>
    Logical,

    /// <summary>Says nothing about documents.</summary>
    Comment,

    /// <summary>Holds an aggregation expression.</summary>
    Expression,

    /// <summary>Not known to be safe on an encrypted collection.</summary>
    Refused,
}

/// <summary>
/// The operator tables. What they do not name is refused. Source: MongoDB manual, "Supported Operations for Automatic
/// Encryption", query operators.
/// </summary>
internal static class MatchOperators
{
    /// <summary>Operators that stand at a path.</summary>
    public static readonly IReadOnlyDictionary<string, MatchRule> AtPath = new Dictionary<string, MatchRule>(StringComparer.Ordinal)
    {
        ["$eq"] = MatchRule.Equality,
        ["$ne"] = MatchRule.Equality,
        ["$in"] = MatchRule.Membership,
        ["$nin"] = MatchRule.Membership,
        ["$exists"] = MatchRule.Existence,
        ["$not"] = MatchRule.Negation,
        ["$elemMatch"] = MatchRule.ArrayElements,
        ["$all"] = MatchRule.PlaintextOnly,
        ["$gt"] = MatchRule.PlaintextOnly,
        ["$gte"] = MatchRule.PlaintextOnly,
        ["$lt"] = MatchRule.PlaintextOnly,
        ["$lte"] = MatchRule.PlaintextOnly,
        ["$mod"] = MatchRule.PlaintextOnly,
        ["$regex"] = MatchRule.PlaintextOnly,
        ["$options"] = MatchRule.PlaintextOnly,
        ["$size"] = MatchRule.PlaintextOnly,
        ["$type"] = MatchRule.PlaintextOnly,
        ["$bitsAllClear"] = MatchRule.PlaintextOnly,
        ["$bitsAllSet"] = MatchRule.PlaintextOnly,
        ["$bitsAnyClear"] = MatchRule.PlaintextOnly,
        ["$bitsAnySet"] = MatchRule.PlaintextOnly,
        ["$near"] = MatchRule.PlaintextOnly,
        ["$nearSphere"] = MatchRule.PlaintextOnly,
        ["$maxDistance"] = MatchRule.PlaintextOnly,
        ["$minDistance"] = MatchRule.PlaintextOnly,
        ["$geoIntersects"] = MatchRule.PlaintextOnly,
        ["$geoWithin"] = MatchRule.PlaintextOnly,
    };

    /// <summary>Operators that stand in place of a path.</summary>
    public static readonly IReadOnlyDictionary<string, TopLevelRule> TopLevel = new Dictionary<string, TopLevelRule>(StringComparer.Ordinal)
    {
        ["$and"] = TopLevelRule.Logical,
        ["$or"] = TopLevelRule.Logical,
        ["$nor"] = TopLevelRule.Logical,
        ["$comment"] = TopLevelRule.Comment,
        ["$expr"] = TopLevelRule.Expression,
        ["$text"] = TopLevelRule.Refused,
        ["$where"] = TopLevelRule.Refused,
        ["$jsonSchema"] = TopLevelRule.Refused,
        ["$sampleRate"] = TopLevelRule.Refused,
        ["$alwaysTrue"] = TopLevelRule.Refused,
        ["$alwaysFalse"] = TopLevelRule.Refused,
    };
}
