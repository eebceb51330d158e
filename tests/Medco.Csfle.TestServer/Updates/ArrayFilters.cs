using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>The <c>arrayFilters</c> of an update: for every identifier the condition on the elements it stands for.</summary>
internal sealed class ArrayFilters
{
    private readonly Dictionary<string, MatchExpression> _filters = [];

    public ArrayFilters(IReadOnlyList<Document> filters)
    {
        foreach (var filter in filters)
        {
            var identifiers = Identifiers(filter).Distinct().ToArray();
            if (identifiers.Length == 0) throw ServerException.FailedToParse("Cannot use an expression without a top-level field name in arrayFilters");
            if (identifiers.Length > 1) throw ServerException.FailedToParse($"Error parsing array filter :: caused by :: Expected a single top-level field name, found '{identifiers[0]}' and '{identifiers[1]}'");
            var identifier = identifiers[0];
            if (identifier.Length == 0 || !char.IsAsciiLetterLower(identifier[0]) || !identifier.All(char.IsAsciiLetterOrDigit))
            {
                throw ServerException.BadValue($"Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '{identifier}'");
            }

            // The condition speaks of the element by its identifier, as if that were a field.
            if (!_filters.TryAdd(identifier, MatchParser.Parse(filter)))
            {
                throw ServerException.FailedToParse($"Found multiple array filters with the same top-level field name {identifier}");
            }
        }
    }

    public int Count => _filters.Count;

    /// <summary>Checks that every identifier in the paths has a filter, and every filter an identifier.</summary>
    public void CheckUse(IEnumerable<UpdatePath> paths)
    {
        var unused = _filters.Keys.ToHashSet();
        foreach (var path in paths)
        {
            foreach (var identifier in path.Components.Select(UpdatePath.Identifier).Where(identifier => identifier is { Length: > 0 }))
            {
                if (!_filters.ContainsKey(identifier!)) throw ServerException.BadValue($"No array filter found for identifier '{identifier}' in path '{path.Text}'");
                unused.Remove(identifier!);
            }
        }

        if (unused.Count > 0) throw ServerException.FailedToParse($"The array filter for identifier '{unused.First()}' was not used in the update");
    }

    public bool Matches(string identifier, Value element) => _filters[identifier].Matches(new Document([new Element(identifier, element)]));

    private static IEnumerable<string> Identifiers(Document filter) => filter.Elements.SelectMany(element => element.Name switch
    {
        "$and" or "$or" or "$nor" when element.Value.IsArray => element.Value.Items.Where(item => item.IsDocument).SelectMany(item => Identifiers(item.Document)),
        ['$', ..] => [],
        _ => [element.Name.Split('.')[0]],
    });
}
