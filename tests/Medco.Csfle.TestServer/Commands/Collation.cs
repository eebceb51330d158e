using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>The field <c>collation</c>: text is compared byte by byte, and no other way is known.</summary>
internal static class Collation
{
    public static void Check(Document? collation)
    {
        var isSimple = collation is null or { Count: 0 }
            || (collation.Count == 1 && collation.Find("locale") is { Type: BsonType.String, Text: "simple" });
        if (!isSimple) throw ServerException.NotImplemented("a collation other than { locale: \"simple\" }");
    }
}
