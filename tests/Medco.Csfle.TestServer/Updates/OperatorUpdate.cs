using System.Globalization;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>One operator on one path, such as <c>{ $inc: { a: 1 } }</c>.</summary>
/// <param name="Path">The path, with placeholders perhaps.</param>
/// <param name="Change">What becomes of the value there.</param>
internal sealed record Modification(UpdatePath Path, FieldChange Change);

/// <summary>An update with operators. It has all its effects or, on an error, none.</summary>
internal sealed class OperatorUpdate(IReadOnlyList<Modification> modifications, ArrayFilters arrayFilters) : DocumentUpdate
{
    public override Document Apply(Document document, MatchExpression filter, bool isInsert)
    {
        var places = new List<(UpdatePath Path, Func<Value?, Value?> Edit)>();
        foreach (var (path, change) in modifications)
        {
            if (change.OnlyOnInsert && !isInsert) continue;
            foreach (var place in Expand(path, document, filter, isInsert)) places.AddRange(change.EditsAt(document, place));
        }

        // Placeholders may lead to the same place.
        places.Sort((left, right) => left.Path.CompareTo(right.Path));
        for (var i = 1; i < places.Count; i++) CheckConflict(places[i - 1].Path, places[i].Path);
        return places.Aggregate(document, (changed, place) => DocumentEdit.Edit(changed, place.Path.Components, place.Edit));
    }

    /// <exception cref="ServerException">The two paths are the same, or one leads on from the other.</exception>
    public static void CheckConflict(UpdatePath left, UpdatePath right)
    {
        if (!left.ConflictsWith(right)) return;
        var shorter = left.Components.Count < right.Components.Count ? left : right;
        throw new ServerException(ErrorCode.ConflictingUpdateOperators, $"Updating the path '{right.Text}' would create a conflict at '{shorter.Text}'");
    }

    /// <summary>The places a path stands for in this document.</summary>
    private IEnumerable<UpdatePath> Expand(UpdatePath path, Document document, MatchExpression filter, bool isInsert)
        => path.HasPlaceholders ? Expand([], path, document, filter, isInsert).Select(components => new UpdatePath(components)) : [path];

    private IEnumerable<string[]> Expand(string[] before, UpdatePath path, Document document, MatchExpression filter, bool isInsert)
    {
        if (before.Length == path.Components.Count) return [before];
        var component = path.Components[before.Length];
        if (component == "$")
        {
            var elements = isInsert ? [] : filter.MatchingElements(document, new FieldPath(string.Join('.', before)));
            return elements.Count > 0
                ? Expand([.. before, Name(elements[0])], path, document, filter, isInsert)
                : throw ServerException.BadValue("The positional operator did not find the match needed from the query.");
        }

        if (UpdatePath.Identifier(component) is not { } identifier) return Expand([.. before, component], path, document, filter, isInsert);

        var array = DocumentEdit.Find(document, before)
            ?? throw ServerException.BadValue($"The path '{string.Join('.', before)}' must exist in the document in order to apply array updates.");
        if (!array.IsArray) throw ServerException.BadValue($"Cannot apply array updates to non-array element {before[^1]}: {ValueText.Of(array)}");
        return array.Items
            .Select((item, index) => (item, index))
            .Where(entry => identifier.Length == 0 || arrayFilters.Matches(identifier, entry.item))
            .SelectMany(entry => Expand([.. before, Name(entry.index)], path, document, filter, isInsert));
    }

    private static string Name(int index) => index.ToString(CultureInfo.InvariantCulture);
}
