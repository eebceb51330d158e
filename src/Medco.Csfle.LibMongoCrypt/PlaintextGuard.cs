using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>
/// Looks at inserts after libmongocrypt has encrypted them: whatever it asked could have answered that there is nothing to
/// encrypt, and plaintext would be stored without anybody noticing.
/// </summary>
/// <param name="schemas">The registered schemas by namespace.</param>
internal sealed class PlaintextGuard(IReadOnlyDictionary<string, EncryptionSchema> schemas)
{
    /// <summary>Checks an encrypted command; any other than an insert into a registered collection passes.</summary>
    /// <returns>The same command.</returns>
    /// <exception cref="QueryAnalysisException"><see cref="CsfleErrorCode.WouldLeakPlaintext"/>: there is a value in clear where the schema wants a ciphertext.</exception>
    public byte[] Check(string databaseName, byte[] command)
    {
        var reader = new BsonReader(command);
        if (!reader.Read() || !reader.Name.SequenceEqual("insert"u8) || reader.Type != BsonType.String) return command;
        var collection = $"{databaseName}.{reader.GetString()}";
        if (!schemas.TryGetValue(collection, out var schema) || !schema.EncryptsAnything) return command;
        while (reader.ReadTo("documents"u8))
        {
            if (reader.Type != BsonType.Array) continue;
            var documents = reader.ReadDocument();
            while (documents.Read())
            {
                if (documents.Type == BsonType.Document) CheckDocument(documents.ReadDocument(), schema.Root, "", collection);
            }
        }

        return command;
    }

    private static void CheckDocument(BsonReader document, PlainNode schema, string prefix, string collection)
    {
        while (document.Read())
        {
            switch (schema.Find(document.Name))
            {
                case EncryptedNode when !IsCiphertext(document):
                    throw new QueryAnalysisException(
                        CsfleErrorCode.WouldLeakPlaintext,
                        "libmongocrypt left a value in clear that the encryption schema wants encrypted, and the insert was not sent",
                        "Check that what analyses commands for it is MongoDB's own mongocryptd or crypt_shared, or use the managed engine.",
                        collection, prefix + document.GetName(), "insert");
                case PlainNode { HasEncryption: true } child when document.Type == BsonType.Document:
                    CheckDocument(document.ReadDocument(), child, $"{prefix}{document.GetName()}.", collection);
                    break;
            }
        }
    }

    private static bool IsCiphertext(in BsonReader element)
    {
        if (element.Type != BsonType.Binary) return false;
        element.GetBinary(out var subtype);
        return subtype == BinarySubtype.Encrypted;
    }
}
