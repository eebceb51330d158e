using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// The field <c>hint</c>: an index by name or key, or <c>{ $natural: 1 }</c>. It never changes what is found, so that an index
/// that leaves documents out is refused, and it must name one that exists.
/// </summary>
internal static class Hint
{
    public static void Check(Value? hint, Collection? collection)
    {
        if (hint is null or { Type: BsonType.Document, Document.Count: 0 }) return;
        if (hint is { IsDocument: true, Document.Count: 1 } && hint.Document[0] is { Name: "$natural" } natural && ValueOrder.AreEqual(natural.Value, Value.FromInt32(1))) return;

        var index = (collection?.Indexes ?? [IndexSpecification.Id]).FirstOrDefault(index => hint.Type switch
        {
            BsonType.String => index.Name == hint.Text,
            BsonType.Document => index.HasKey(hint.Document),
            _ => false,
        });
        if (index is null) throw ServerException.BadValue("error processing query: hint provided does not correspond to an existing index");
        if (index.IsIncomplete) throw ServerException.NotImplemented("a hint at a sparse or partial index");
    }
}
