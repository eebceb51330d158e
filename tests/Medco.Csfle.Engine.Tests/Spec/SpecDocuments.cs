using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>How the test files' documents are read and commands are written.</summary>
internal static class SpecDocuments
{
    /// <summary>The documents of an array; none where the field is missing.</summary>
    public static IEnumerable<Document> Items(this Document document, string name)
        => document.Find(name)?.Items.Select(item => item.Document) ?? [];

    public static string Text(this Document document, string name)
        => document.Find(name)?.Text ?? throw new SpecFailure($"'{name}' is missing in {document.Json()}");

    public static string? OptionalText(this Document document, string name) => document.Find(name)?.Text;

    public static Document? OptionalDocument(this Document document, string name) => document.Find(name)?.Document;

    public static bool Flag(this Document document, string name) => document.Find(name)?.IsTrue ?? false;

    public static long Whole(this Value value)
        => value.IsNumber && value.Number.TryToInt64(out var number) ? number : throw new SpecFailure($"{value.Json()} is not a whole number");

    public static Document Of(params Element[] elements) => new(elements);

    public static Value Value(Document document) => new(document);

    public static Value Value(int number) => TestServer.Values.Value.FromInt32(number);

    public static Value Value(string text) => TestServer.Values.Value.FromText(text);

    public static Value Value(bool flag) => TestServer.Values.Value.FromBoolean(flag);

    public static Value Array(params IEnumerable<Value> values) => TestServer.Values.Value.FromArray(values);

    /// <summary>The document with further fields behind its own.</summary>
    public static Document With(this Document document, params IEnumerable<Element> elements) => new(document.Elements.Concat(elements));

    public static string Json(this Document document) => ExtendedJson.ToJson(document.Bytes.Span);

    public static string Json(this Value? value)
    {
        if (value is null) return "nothing";
        var json = Of(new Element("v", value)).Json();
        return json["{\"v\":".Length..^1];
    }
}
