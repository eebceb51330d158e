using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Walks a whole command before it is analysed: every byte has to be BSON, and binary data of subtype 6 has to be a
/// ciphertext. A placeholder (first byte 0) holds plaintext, and other engines would take it for an order to encrypt;
/// anything else could be stored but would make every document that holds it unreadable.
/// </summary>
internal static class CallerCiphertextScan
{
    /// <summary>Walks the document the reader stands before.</summary>
    /// <exception cref="BsonFormatException">It is not BSON.</exception>
    /// <exception cref="QueryAnalysisException">There is such a value.</exception>
    public static void Check(BsonReader document, string? collection)
    {
        while (document.Read())
        {
            if (document.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope)
            {
                Check(document.ReadDocument(), collection);
            }
            else if (document.Type == BsonType.Binary)
            {
                var bytes = document.GetBinary(out var subtype);
                if (subtype != BinarySubtype.Encrypted || Ciphertext.IsWellFormed(bytes)) continue;
                throw bytes is [0, ..]
                    ? new QueryAnalysisException(CsfleErrorCode.WouldLeakPlaintext,
                        "The command contains binary data of subtype 6 that starts with 0, which marks a value for encryption and holds it in clear",
                        "Pass the value itself; the encryption schema decides what is encrypted.", collection, document.GetName())
                    : new QueryAnalysisException(CsfleErrorCode.ValueNotEncryptable,
                        "The command contains binary data of subtype 6 that is no ciphertext, so that no client could read it back",
                        "Use another subtype for binary data of your own.", collection, document.GetName());
            }
        }
    }
}
