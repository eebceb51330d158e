using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>The commands that validators are written and documents counted with.</summary>
internal static class EnforcementCommands
{
    /// <summary>
    /// <code>{ create, validator, validationLevel: "strict", validationAction: "error", writeConcern: { w: "majority" } }</code>
    /// </summary>
    public static byte[] Create(string collection, RuleNode validator) => Write("create"u8, collection, validator);

    /// <summary>The same with <c>collMod</c>: it changes what it names and nothing else.</summary>
    public static byte[] Modify(string collection, RuleNode validator) => Write("collMod"u8, collection, validator);

    /// <summary><code>{ count, query: { $nor: [ { $jsonSchema } ] } }</code></summary>
    public static byte[] CountRejected(string collection, RuleNode jsonSchema)
    {
        using var writer = new BsonWriter(1024);
        writer.StartDocument();
        writer.WriteString("count"u8, collection);
        writer.StartDocument("query"u8);
        writer.StartArray("$nor"u8);
        writer.StartDocument("0"u8);
        writer.WriteDocument("$jsonSchema"u8, jsonSchema.ToBson());
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] Write(ReadOnlySpan<byte> command, string collection, RuleNode validator)
    {
        using var writer = new BsonWriter(1024);
        writer.StartDocument();
        writer.WriteString(command, collection);
        writer.WriteDocument("validator"u8, validator.ToBson());
        writer.WriteString("validationLevel"u8, "strict");
        writer.WriteString("validationAction"u8, "error");
        writer.StartDocument("writeConcern"u8);
        writer.WriteString("w"u8, "majority");
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }
}
