using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Analysis.Marking;

/// <summary>Requests as libmongocrypt writes them.</summary>
internal static class MarkingRequests
{
    /// <summary>A command with the one schema of its collection.</summary>
    public static byte[] WithSchema(byte[] command, byte[] schema, bool isRemote)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteElements(command);
        writer.WriteDocument("jsonSchema"u8, schema);
        writer.WriteBoolean("isRemoteSchema"u8, isRemote);
        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>A command with the schemas of several collections.</summary>
    public static byte[] WithSchemas(byte[] command, IEnumerable<KeyValuePair<string, byte[]>> schemas)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteElements(command);
        writer.StartDocument("csfleEncryptionSchemas"u8);
        foreach (var (name, schema) in schemas)
        {
            writer.StartDocument(name);
            writer.WriteDocument("jsonSchema"u8, schema);
            writer.WriteBoolean("isRemoteSchema"u8, false);
            writer.EndDocument();
        }

        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>A document without some of its elements, the others as they are.</summary>
    public static byte[] Without(byte[] document, params string[] names)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (!names.Contains(reader.GetName())) writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        }

        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>The document that is an element of a document, at a path of names.</summary>
    public static byte[] Document(byte[] document, params string[] path)
    {
        foreach (var name in path)
        {
            var reader = new BsonReader(document);
            Assert.True(reader.ReadTo(System.Text.Encoding.UTF8.GetBytes(name)), name);
            document = reader.Value.ToArray();
        }

        return document;
    }

    /// <summary>Every marking in a document, in order.</summary>
    public static List<byte[]> Markings(byte[] document)
    {
        var markings = new List<byte[]>();
        Collect(new BsonReader(document), markings);
        return markings;
    }

    private static void Collect(BsonReader reader, List<byte[]> markings)
    {
        while (reader.Read())
        {
            if (reader.Type is BsonType.Document or BsonType.Array) Collect(reader.ReadDocument(), markings);
            else if (reader.Type == BsonType.Binary && reader.GetBinary(out var subtype) is [0, ..] bytes && subtype == BinarySubtype.Encrypted) markings.Add(bytes.ToArray());
        }
    }
}
