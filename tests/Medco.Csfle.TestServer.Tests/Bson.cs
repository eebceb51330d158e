using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Tests;

/// <summary>BSON written in the tests as Extended JSON with single quotes.</summary>
internal static class Bson
{
    public static byte[] Bytes(string json) => ExtendedJson.ToBson(json.Replace('\'', '"'));

    public static Document Document(string json) => TestServer.Values.Document.Parse(Bytes(json));

    /// <summary>The value of a document's one field, named <c>v</c>.</summary>
    public static Value Value(string json) => Document($"{{'v': {json}}}").Find("v")!;

    /// <summary>A document as Extended JSON with single quotes and a space behind every colon and comma.</summary>
    public static string Json(Document document) => Json(document.Bytes.Span);

    public static string Json(ReadOnlySpan<byte> document)
    {
        var text = new StringBuilder();
        var isQuoted = false;
        foreach (var c in ExtendedJson.ToJson(document).Replace('"', '\''))
        {
            if (c == '\'') isQuoted = !isQuoted;
            text.Append(c);
            if (!isQuoted && c is (',' or ':')) text.Append(' ');
        }

        return text.ToString();
    }
}
