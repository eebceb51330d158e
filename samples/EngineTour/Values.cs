using System.Text.Json;
using Medco.Csfle.Engine.Bson;

namespace EngineTour;

/// <summary>Every number and string anywhere in a BSON document: what somebody who looks at it can read.</summary>
internal static class Values
{
    /// <summary>The values, ciphertexts not among them: their base64 is left out.</summary>
    public static IEnumerable<object> In(ReadOnlyMemory<byte> document)
    {
        using var json = JsonDocument.Parse(ExtendedJson.ToJson(document.Span));
        return [.. In(json.RootElement)];
    }

    private static IEnumerable<object> In(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().Where(property => property.Name != "$binary").SelectMany(property => In(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(In),
        JsonValueKind.Number when element.TryGetInt32(out var number) => [number],
        JsonValueKind.String => [element.GetString()!],
        _ => [],
    };
}
