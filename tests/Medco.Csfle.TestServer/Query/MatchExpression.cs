using Medco.Csfle.TestServer.Updates;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>A condition on a whole document: what a filter or a validator becomes.</summary>
internal abstract class MatchExpression
{
    public abstract bool Matches(Document document);

    /// <summary>
    /// Which elements of an array in a document that matches are those the condition speaks of, for the positional
    /// operator of an update; empty where it speaks of none.
    /// </summary>
    public virtual IReadOnlyList<int> MatchingElements(Document document, FieldPath array) => [];
}

/// <summary>Every one of the conditions holds; with none, every document matches.</summary>
internal sealed class AllMatch(IReadOnlyList<MatchExpression> conditions) : MatchExpression
{
    public override bool Matches(Document document)
    {
        foreach (var condition in conditions)
        {
            if (!condition.Matches(document)) return false;
        }

        return true;
    }

    /// <summary>The elements that all conditions on the array speak of, or those of the first condition where there are none.</summary>
    public override IReadOnlyList<int> MatchingElements(Document document, FieldPath array)
    {
        var found = conditions.Select(condition => condition.MatchingElements(document, array)).Where(elements => elements.Count > 0).ToArray();
        if (found.Length == 0) return [];
        var common = found.Aggregate((IEnumerable<int>)found[0], (left, right) => left.Intersect(right)).ToArray();
        return common.Length > 0 ? common : found[0];
    }
}

/// <summary>At least one of the conditions holds.</summary>
internal sealed class AnyMatch(IReadOnlyList<MatchExpression> conditions) : MatchExpression
{
    public override bool Matches(Document document) => conditions.Any(condition => condition.Matches(document));

    public override IReadOnlyList<int> MatchingElements(Document document, FieldPath array) => conditions
        .Where(condition => condition.Matches(document))
        .Select(condition => condition.MatchingElements(document, array))
        .FirstOrDefault(elements => elements.Count > 0) ?? [];
}

/// <summary>The condition does not hold.</summary>
internal sealed class NoMatch(MatchExpression condition) : MatchExpression
{
    public override bool Matches(Document document) => !condition.Matches(document);
}

/// <summary>A condition on what stands at a path.</summary>
internal sealed class FieldMatch(FieldPath path, FieldTest test) : MatchExpression
{
    public override bool Matches(Document document) => test.Matches(document, path);

    /// <summary>Those that match on their own: in a document whose array has no other element.</summary>
    public override IReadOnlyList<int> MatchingElements(Document document, FieldPath array)
    {
        if (path.Text != array.Text && !path.Text.StartsWith(array.Text + ".", StringComparison.Ordinal)) return [];
        if (DocumentEdit.Find(document, array.Components) is not { IsArray: true } value) return [];
        var items = value.Items.ToArray();
        return [.. Enumerable.Range(0, items.Length).Where(i => test.Matches(DocumentEdit.Edit(document, array.Components, _ => Value.FromArray([items[i]])), path))];
    }
}
