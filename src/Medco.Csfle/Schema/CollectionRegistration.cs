using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Schema;

/// <summary>One encrypted collection as the application registered it: by a class, or by a schema.</summary>
/// <param name="Namespace"><c>db.collection</c>; null where the attribute on the class says it.</param>
/// <param name="Type">The class, where it is registered by one.</param>
/// <param name="Schema">The encryption schema in Extended JSON, where it is registered by one.</param>
internal sealed record CollectionRegistration(string? Namespace, Type? Type, string? Schema)
{
    /// <summary>The file that holds the schema, where it is registered by one. Not opened before start-up.</summary>
    public string? SchemaPath { get; init; }

    /// <summary>What was said of the class beside its attributes.</summary>
    public DeclaredModel Declared { get; init; } = new();
}
