using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>What an upsert starts from: the fields that the filter wants to be equal to something.</summary>
internal static class UpsertSeed
{
    /// <summary>The seed for an update with operators.</summary>
    public static Document ForOperators(Document filter)
    {
        var seen = new List<UpdatePath>();
        var document = Document.Empty;
        foreach (var (name, value) in Equalities(filter))
        {
            var path = UpdatePath.Parse(name);
            if (path.HasPlaceholders) throw ServerException.BadValue($"cannot infer query fields to set, path '{name}' has a positional element");
            if (seen.FirstOrDefault(other => other.ConflictsWith(path)) is { } conflict)
            {
                throw new ServerException(ErrorCode.NotSingleValueField, conflict.Text == name
                    ? $"cannot infer query fields to set, path '{name}' is matched twice"
                    : $"cannot infer query fields to set, both paths '{conflict.Text}' and '{name}' are matched");
            }

            seen.Add(path);
            document = DocumentEdit.Edit(document, path.Components, _ => value);
        }

        return document;
    }

    /// <summary>The seed for a replacement, which takes nothing but the <c>_id</c>.</summary>
    public static Document ForReplacement(Document filter)
    {
        var ids = Equalities(filter).Where(element => element.Name == "_id").ToArray();
        return ids.Length > 1
            ? throw new ServerException(ErrorCode.NotSingleValueField, "cannot infer query fields to set, path '_id' is matched twice")
            : new Document(ids);
    }

    private static IEnumerable<Element> Equalities(Document filter)
    {
        foreach (var (name, value) in filter.Elements)
        {
            if (name == "$and" || (name == "$or" && value.Document.Count == 1))
            {
                foreach (var equality in value.Items.SelectMany(clause => Equalities(clause.Document))) yield return equality;
            }
            else if (!name.StartsWith('$') && EqualTo(value) is { } equal)
            {
                yield return new Element(name, equal);
            }
        }
    }

    private static Value? EqualTo(Value condition)
    {
        if (!MatchParser.IsOperators(condition)) return condition.Type == Engine.Bson.BsonType.RegularExpression ? null : condition;
        if (condition.Document.Find("$eq") is { } equal) return equal;

        // One value that must be there is a value to be equal to.
        var values = condition.Document.Find("$all") ?? condition.Document.Find("$in");
        return values is { IsArray: true, Document.Count: 1 } && EqualTo(values.Document[0].Value) is { } single && !MatchParser.IsOperators(values.Document[0].Value) ? single : null;
    }
}
