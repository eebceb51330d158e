using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>Looks for what names another collection: pipeline stages, and the base of a view.</summary>
internal static class PipelineReferences
{
    /// <summary>The first such element anywhere in a command, or null.</summary>
    public static string? FindIn(BsonReader document)
    {
        while (document.Read())
        {
            if (IsReference(document.Name)) return document.GetName();
            if (document.Type is not (BsonType.Document or BsonType.Array)) continue;
            if (FindIn(document.ReadDocument()) is { } found) return found;
        }

        return null;
    }

    private static bool IsReference(ReadOnlySpan<byte> name)
        => name.SequenceEqual("$lookup"u8)
            || name.SequenceEqual("$graphLookup"u8)
            || name.SequenceEqual("$unionWith"u8)
            || name.SequenceEqual("$out"u8)
            || name.SequenceEqual("$merge"u8)
            || name.SequenceEqual("viewOn"u8);
}
