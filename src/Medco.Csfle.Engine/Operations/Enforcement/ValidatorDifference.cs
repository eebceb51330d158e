namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>One thing in which a collection's validator is not as it is wanted.</summary>
/// <param name="Path">Where: <c>$jsonSchema.properties.ssn.encrypt.keyId</c>, <c>validationAction</c>.</param>
/// <param name="Actual">What is there, in Extended JSON; null where nothing is.</param>
/// <param name="Wanted">What is wanted there; null where it is to go.</param>
public sealed record ValidatorDifference(string Path, string? Actual, string? Wanted)
{
    private const int MaxLength = 400;

    /// <summary>The path, and below it the line that goes (<c>-</c>) and the one that comes (<c>+</c>).</summary>
    public override string ToString() => $"{Path}{Line('-', Actual)}{Line('+', Wanted)}";

    internal static ValidatorDifference Of(string path, RuleNode? actual, RuleNode? wanted) => new(path, actual?.ToJson(), wanted?.ToJson());

    private static string Line(char sign, string? text) => text switch
    {
        null => "",
        { Length: > MaxLength } => $"{Environment.NewLine}      {sign} {text.AsSpan(0, MaxLength)}…",
        _ => $"{Environment.NewLine}      {sign} {text}",
    };
}
