namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>What two documents differ in, path by path. The order of elements counts for nothing.</summary>
internal static class RuleComparison
{
    /// <summary>The differences, in the order of the wanted document, then what is only there.</summary>
    public static IEnumerable<ValidatorDifference> Compare(string path, RuleNode actual, RuleNode wanted)
    {
        if (actual.IsSameAs(wanted)) return [];
        if (!actual.IsDocument || !wanted.IsDocument) return [ValidatorDifference.Of(path, actual, wanted)];
        return wanted.Children
            .SelectMany(child => actual.Find(child.Name) is { } there
                ? Compare($"{path}.{child.Name}", there, child.Node)
                : [ValidatorDifference.Of($"{path}.{child.Name}", null, child.Node)])
            .Concat(actual.Children
                .Where(child => wanted.Find(child.Name) is null)
                .Select(child => ValidatorDifference.Of($"{path}.{child.Name}", child.Node, null)));
    }
}
