using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Operations;

/// <summary>Judges what has become of synthetic documents.</summary>
internal static class EncryptionProof
{
    /// <summary>
    /// Checks the insert that is about to be sent: a ciphertext with the right algorithm, data key and type at every path where
    /// a value was put, and no trace of any value.
    /// </summary>
    /// <param name="documents">What was to be inserted.</param>
    /// <param name="command">The encrypted command.</param>
    /// <exception cref="EncryptionProofException"><see cref="CsfleErrorCode.ProofFailed"/>.</exception>
    public static void CheckSent(SyntheticDocuments documents, ReadOnlySpan<byte> command) => Guard(CsfleErrorCode.ProofFailed, documents, command, command =>
    {
        var reader = new BsonReader(command);
        if (!reader.ReadTo("documents"u8) || reader.Type != BsonType.Array) throw Failed(CsfleErrorCode.ProofFailed, "The encrypted insert holds no documents", documents);
        var sent = reader.ReadDocument();
        var count = 0;
        while (sent.Read())
        {
            if (sent.Type == BsonType.Document) CheckEncrypted(documents, count, sent.ReadDocument(), CsfleErrorCode.ProofFailed);
            count++;
        }

        if (count != documents.Count) throw Failed(CsfleErrorCode.ProofFailed, "The encrypted insert holds another number of documents", documents);
        RequireNoTrace(documents, command, CsfleErrorCode.ProofFailed);
    });

    /// <summary>Checks that decrypting gave back the documents that were encrypted. Other fields of a command libmongocrypt may put elsewhere.</summary>
    /// <exception cref="EncryptionProofException"><see cref="CsfleErrorCode.ProofFailed"/>.</exception>
    public static void CheckDecrypted(SyntheticDocuments documents, ReadOnlySpan<byte> input, ReadOnlySpan<byte> decrypted)
    {
        var before = new BsonReader(input);
        var after = new BsonReader(decrypted);
        if (!before.ReadTo("documents"u8) || !after.ReadTo("documents"u8) || !after.Value.SequenceEqual(before.Value)) throw Failed(CsfleErrorCode.ProofFailed, "Decrypting the encrypted insert did not give the insert back", documents);
    }

    /// <summary>Checks one document as a server holds it.</summary>
    /// <exception cref="EncryptionProofException"><see cref="CsfleErrorCode.CanaryFailed"/>.</exception>
    public static void CheckStored(SyntheticDocuments documents, int number, ReadOnlySpan<byte> document) => Guard(CsfleErrorCode.CanaryFailed, documents, document, document =>
    {
        CheckEncrypted(documents, number, new BsonReader(document), CsfleErrorCode.CanaryFailed);
        RequireNoTrace(documents, document, CsfleErrorCode.CanaryFailed);
    });

    /// <summary>Checks one document as it was read back.</summary>
    /// <exception cref="EncryptionProofException"><see cref="CsfleErrorCode.CanaryFailed"/>.</exception>
    public static void CheckRead(SyntheticDocuments documents, int number, ReadOnlySpan<byte> document) => Guard(CsfleErrorCode.CanaryFailed, documents, document, document =>
    {
        foreach (var value in documents.Values)
        {
            if (value.Document != number) continue;
            if (!TryFind(new BsonReader(document), value.Steps, out var found) || found.Type != value.Type || !found.Value.SequenceEqual(value.Bytes))
            {
                throw Failed(CsfleErrorCode.CanaryFailed, $"A synthetic value of type {value.Type.Alias()} was read back as something else", documents, value);
            }
        }
    });

    private static void CheckEncrypted(SyntheticDocuments documents, int number, BsonReader document, string code)
    {
        foreach (var value in documents.Values)
        {
            if (value.Document != number) continue;
            if (!TryFind(document, value.Steps, out var found)) throw Failed(code, "A synthetic value is gone", documents, value);
            if (found.Type != BsonType.Binary || found.GetBinary(out var subtype) is var bytes && subtype != BinarySubtype.Encrypted)
            {
                throw Failed(code, $"A synthetic value of type {value.Type.Alias()} came out as {found.Type.Alias()}, not as ciphertext", documents, value);
            }

            if (!Ciphertext.IsWellFormed(bytes)) throw Failed(code, "A synthetic value came out as binary data of subtype 6 that is no ciphertext", documents, value);
            var ciphertext = Ciphertext.Parse(bytes);
            if (ciphertext.Algorithm != value.Node.Algorithm) throw Failed(code, $"A synthetic value was encrypted with the algorithm {ciphertext.Algorithm} instead of {value.Node.Algorithm}", documents, value);
            if (ciphertext.KeyId != value.KeyId) throw Failed(code, $"A synthetic value was encrypted with data key {ciphertext.KeyId} instead of {value.KeyId}", documents, value);
            if (ciphertext.OriginalType != value.Type) throw Failed(code, $"A synthetic value of type {value.Type.Alias()} was encrypted as {ciphertext.OriginalType.Alias()}", documents, value);
        }
    }

    private static void RequireNoTrace(SyntheticDocuments documents, ReadOnlySpan<byte> bytes, string code)
    {
        foreach (var value in documents.Values)
        {
            if (value.Trace.Length > 0 && bytes.IndexOf(value.Trace) >= 0) throw Failed(code, $"A synthetic value of type {value.Type.Alias()} came out in clear", documents, value);
        }
    }

    private static bool TryFind(BsonReader document, IReadOnlyList<string> steps, out BsonReader found)
    {
        found = default;
        for (var i = 0; ; i++)
        {
            if (!document.ReadTo(System.Text.Encoding.UTF8.GetBytes(steps[i]))) return false;
            found = document;
            if (i == steps.Count - 1) return true;
            if (document.Type != BsonType.Document) return false;
            document = document.ReadDocument();
        }
    }

    private delegate void Check(ReadOnlySpan<byte> bytes);

    private static void Guard(string code, SyntheticDocuments documents, ReadOnlySpan<byte> bytes, Check check)
    {
        try
        {
            check(bytes);
        }
        catch (BsonFormatException exception)
        {
            throw new EncryptionProofException(code, "What came out for synthetic documents is not BSON", Remedy, documents.Namespace.ToString(), null, exception);
        }
    }

    private const string Remedy = "Nothing of the application was sent. Do not switch this check off: find out what stands between the application and the engine, such as another encryption provider.";

    private static EncryptionProofException Failed(string code, string problem, SyntheticDocuments documents, SyntheticValue? value = null)
        => new(code, problem, Remedy, documents.Namespace.ToString(), value?.Path);
}
