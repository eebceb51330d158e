namespace Medco.Csfle.Engine.Analysis.Update;

/// <summary>What an update operator does with an encrypted field.</summary>
internal enum UpdateRule
{
    /// <summary>Writes a whole value, which can be encrypted.</summary>
    Assignment,

    /// <summary>Removes the element.</summary>
    Removal,

    /// <summary>Moves the value to another path, as it is.</summary>
    Renaming,

    /// <summary>Computes with the value, or is not known to be safe with an encrypted one; harmless on any other.</summary>
    PlaintextOnly,
}

/// <summary>
/// The table of update operators. What it does not name is refused. Source: MongoDB manual, "Supported Operations for Automatic
/// Encryption", update operators; the refusals' texts are those that official tests assert.
/// </summary>
internal static class UpdateOperators
{
    /// <summary>Each operator: its rule, and the refusal at an encrypted path where the rule has one.</summary>
    public static readonly IReadOnlyDictionary<string, UpdateOperator> All = new Dictionary<string, UpdateOperator>(StringComparer.Ordinal)
    {
        ["$set"] = new(UpdateRule.Assignment),
        ["$unset"] = new(UpdateRule.Removal),
        ["$rename"] = new(UpdateRule.Renaming),
        ["$inc"] = new(UpdateRule.PlaintextOnly, "$inc and $mul not allowed on encrypted values"),
        ["$mul"] = new(UpdateRule.PlaintextOnly, "$inc and $mul not allowed on encrypted values"),
        ["$min"] = new(UpdateRule.PlaintextOnly, "$max and $min not allowed on encrypted values"),
        ["$max"] = new(UpdateRule.PlaintextOnly, "$max and $min not allowed on encrypted values"),
        ["$addToSet"] = new(UpdateRule.PlaintextOnly, "$addToSet not allowed on encrypted values"),
        ["$bit"] = new(UpdateRule.PlaintextOnly, "$bit not allowed on encrypted values"),
        ["$currentDate"] = new(UpdateRule.PlaintextOnly, "$currentDate not allowed on encrypted values"),
        ["$pop"] = new(UpdateRule.PlaintextOnly, "$pop not allowed on encrypted values"),
        ["$pull"] = new(UpdateRule.PlaintextOnly, "$pull not allowed on encrypted values"),
        ["$pullAll"] = new(UpdateRule.PlaintextOnly, "$pullAll not allowed on encrypted values"),
        ["$push"] = new(UpdateRule.PlaintextOnly, "$push not allowed on encrypted values"),
        ["$setOnInsert"] = new(UpdateRule.PlaintextOnly, "$setOnInsert not allowed on encrypted values"),
    };
}

/// <summary>One operator of the table.</summary>
/// <param name="Rule">What it does.</param>
/// <param name="Refusal">Why it is refused at an encrypted path; null where the rule itself decides.</param>
internal readonly record struct UpdateOperator(UpdateRule Rule, string? Refusal = null)
{
    /// <summary>True where the operand, or something in it, is stored.</summary>
    public bool Stores => Rule is UpdateRule.Assignment or UpdateRule.PlaintextOnly;
}
