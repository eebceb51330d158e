using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>Finds the encryption schema in a collection's validator: the one <c>$jsonSchema</c> at its top, and no other.</summary>
/// <remarks>
/// The official drivers overlook a <c>$jsonSchema</c> deeper down, below <c>$and</c> for instance, and send plaintext for what it
/// says is encrypted. Here that is an error.
/// </remarks>
internal static class ValidatorSchema
{
    private const string Keyword = "$jsonSchema";

    /// <summary>The schema of a validator; null where it has no <c>$jsonSchema</c>.</summary>
    /// <param name="collection">The namespace, for messages.</param>
    /// <param name="validator">The validator.</param>
    /// <exception cref="EncryptionSchemaException">It cannot be told from the validator what is encrypted.</exception>
    public static EncryptionSchema? Read(string collection, BsonReader validator)
    {
        var count = 0;
        var schema = ReadOnlySpan<byte>.Empty;
        while (validator.Read())
        {
            if (validator.Name.SequenceEqual("$jsonSchema"u8))
            {
                if (++count > 1) throw Invalid(collection, Keyword, "duplicate `$jsonSchema` fields found.", "Keep one of them.");
                if (validator.Type != BsonType.Document) throw Invalid(collection, Keyword, "It is not a document.", "Write a schema in braces.");
                schema = validator.Value;
            }
            else if (HasHiddenEncryption(validator, belowSchema: false))
            {
                throw Invalid(collection, validator.GetName(), "A `$jsonSchema` with encryption stands here, where nothing could be encrypted by it.",
                    "Move it to the top of the validator.");
            }
        }

        return count == 0 ? null : Parse(collection, schema);
    }

    private static EncryptionSchema Parse(string collection, ReadOnlySpan<byte> schema)
    {
        try
        {
            return EncryptionSchema.Parse(schema, EncryptionSchemaOrigin.Server);
        }
        catch (EncryptionSchemaException e)
        {
            throw new EncryptionSchemaException(e.Code, Subject(collection), e.Errors);
        }
    }

    private static bool HasHiddenEncryption(in BsonReader element, bool belowSchema)
    {
        if (element.Type is not (BsonType.Document or BsonType.Array)) return false;
        var children = element.ReadDocument();
        while (children.Read())
        {
            if (belowSchema && (children.Name.SequenceEqual("encrypt"u8) || children.Name.SequenceEqual("encryptMetadata"u8))) return true;
            if (HasHiddenEncryption(children, belowSchema || children.Name.SequenceEqual("$jsonSchema"u8))) return true;
        }

        return false;
    }

    private static EncryptionSchemaException Invalid(string collection, string location, string problem, string remedy)
        => new(CsfleErrorCode.InvalidSchema, Subject(collection), [new EncryptionSchemaError(location, problem, remedy)]);

    private static string Subject(string collection) => $"The validator of the collection '{collection}'";
}
