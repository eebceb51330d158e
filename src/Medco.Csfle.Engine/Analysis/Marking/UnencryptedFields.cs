using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Marking;

/// <summary>
/// Where libmongocrypt has no schema for a <c>bulkWrite</c>, or was told of a collection that no field of it is encrypted, it says
/// so in the words of Queryable Encryption:
/// <c>{ encryptionInformation: { type, schema: { "db.coll": { fields: [], ... } } } }</c>, in the command or in its
/// <c>nsInfo</c>. No fields is all that is understood here.
/// </summary>
internal static class UnencryptedFields
{
    private static readonly EncryptionSchema Unencrypted = EncryptionSchema.Parse("{}");

    /// <summary>The namespaces of which the command says so.</summary>
    /// <param name="command">The command.</param>
    /// <param name="information">The command's own <c>encryptionInformation</c>; at no element where there is none.</param>
    /// <exception cref="QueryAnalysisException">A field is encrypted.</exception>
    public static Dictionary<string, EncryptionSchema?> NamespacesIn(ReadOnlySpan<byte> command, in BsonReader information)
    {
        var namespaces = new Dictionary<string, EncryptionSchema?>(StringComparer.Ordinal);
        if (information.ValueStart > 0) Add(information, namespaces);

        var fields = new BsonReader(command);
        while (fields.ReadTo("nsInfo"u8))
        {
            if (fields.Type != BsonType.Array) continue;
            var entries = fields.ReadDocument();
            while (entries.Read())
            {
                if (entries.Type != BsonType.Document) continue;
                var entry = entries.ReadDocument();
                while (entry.ReadTo("encryptionInformation"u8)) Add(entry, namespaces);
            }
        }

        return namespaces;
    }

    private static void Add(in BsonReader element, Dictionary<string, EncryptionSchema?> namespaces)
    {
        if (element.Type != BsonType.Document) throw Refuse();
        var information = element.ReadDocument();
        while (information.ReadTo("schema"u8))
        {
            if (information.Type != BsonType.Document) throw Refuse();
            var schemas = information.ReadDocument();
            while (schemas.Read())
            {
                if (schemas.Type != BsonType.Document || !HasNoFields(schemas.ReadDocument())) throw Refuse(schemas.GetName());
                namespaces[schemas.GetName()] = Unencrypted;
            }
        }
    }

    private static bool HasNoFields(BsonReader schema)
    {
        var said = false;
        while (schema.ReadTo("fields"u8))
        {
            if (schema.Type != BsonType.Array || schema.ReadDocument().Read()) return false;
            said = true;
        }

        return said;
    }

    private static QueryAnalysisException Refuse(string? collection = null)
        => new(CsfleErrorCode.CommandNotSupported, "Queryable Encryption is not supported",
            "Encrypt the collection's fields with a JSON schema, or have them analysed by MongoDB's own query analysis.", collection, @operator: "encryptionInformation");
}
