using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Walks a whole command before it is analysed: every byte has to be BSON, and no value may look like a placeholder, binary
/// data of subtype 6 whose first byte is 0. Such a value holds plaintext, and other engines would take it for an order to
/// encrypt.
/// </summary>
internal static class MarkingScan
{
    /// <summary>Walks the document the reader stands before.</summary>
    /// <exception cref="BsonFormatException">It is not BSON.</exception>
    /// <exception cref="QueryAnalysisException">There is such a value.</exception>
    public static void Refuse(BsonReader document, string collection)
    {
        while (document.Read())
        {
            if (document.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope)
            {
                Refuse(document.ReadDocument(), collection);
            }
            else if (document.Type == BsonType.Binary)
            {
                var bytes = document.GetBinary(out var subtype);
                if (subtype == BinarySubtype.Encrypted && bytes is [0, ..])
                {
                    throw new QueryAnalysisException(CsfleErrorCode.WouldLeakPlaintext,
                        "The command contains binary data of subtype 6 that starts with 0, which marks a value for encryption and holds it in clear",
                        "Pass the value itself; the encryption schema decides what is encrypted.", collection, document.GetName());
                }
            }
        }
    }
}
