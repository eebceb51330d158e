using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>distinct</c>: the different values at a path; of an array, its elements.</summary>
internal static class DistinctCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var key = arguments.Text("key");
        var filter = arguments.OptionalDocument("query") ?? Document.Empty;
        var hint = arguments.Optional("hint");
        Collation.Check(arguments.OptionalDocument("collation"));
        arguments.RefuseOthers();

        MatchParser.Parse(filter);
        var collection = context.Catalog.Find(context.Database, name);
        Hint.Check(hint, collection);
        var path = new FieldPath(key);
        var seen = new SortedSet<Value>(ValueOrder.Instance);
        var values = new List<Value>();
        foreach (var document in collection?.Find(filter) ?? [])
        {
            path.Any(document, looksIntoArrays: false, value =>
            {
                IEnumerable<Value> found = value switch
                {
                    null => [],
                    { IsArray: true } => value.Items,
                    _ => [value],
                };
                values.AddRange(found.Where(seen.Add));
                return false;
            });
        }

        context.Reply.WriteRaw(BsonType.Array, Encoding.UTF8.GetBytes("values"), Value.FromArray(values).Bytes.Span);
    }
}
