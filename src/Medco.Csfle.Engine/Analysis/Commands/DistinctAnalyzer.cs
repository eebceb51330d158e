using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>
/// <c>distinct</c>: the constants of the filter, and the key, which may be encrypted deterministically: equal values have
/// equal ciphertexts, and the reply is decrypted.
/// </summary>
internal static class DistinctAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand("distinct", "key", "query", "collation", "hint");

    /// <summary>Plans the encryption of the filter's constants.</summary>
    /// <exception cref="QueryAnalysisException">The key or the filter cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var filter = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("query"u8))
            {
                filter.AnalyzeFilter(scope, command);
            }
            else if (command.Name.SequenceEqual("key"u8))
            {
                if (CheckKey(scope, command)) filter.NoteEncryptedComparison();
            }
            else if (command.Name.SequenceEqual("collation"u8))
            {
                filter.ReadCollation(scope, command);
            }
            else if (command.Name.SequenceEqual("hint"u8))
            {
                SharedArguments.CheckHint(scope, command);
            }
        }

        filter.Check(scope);
        scope.Plan.EndDocument(mark, command);
    }

    /// <returns>Whether the key is encrypted.</returns>
    private static bool CheckKey(in AnalysisScope scope, in BsonReader element)
    {
        if (element.Type != BsonType.String) throw scope.Malformed(element.Name, "a string");
        var path = element.GetUtf8();
        var lookup = PathLookup.Resolve(scope.Schema, path);
        switch (lookup.State)
        {
            case PathState.NotEncrypted:
                return false;
            case PathState.Encrypted when lookup.Node!.KeyPointer is not null:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "The distinct key is not allowed to be marked for encryption with a non-UUID keyId",
                    "Equal values have different ciphertexts there: read the documents and compare after decryption.", path, "distinct");
            case PathState.Encrypted when lookup.Node!.Algorithm == CsfleAlgorithm.Random:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Cannot query on fields encrypted with the randomized encryption algorithm: equal values have different ciphertexts",
                    "Use another key, or encrypt this field with the deterministic algorithm if its values may be compared.", path, "distinct");
            case PathState.Encrypted:
                return true;
            case PathState.CaseVariant:
                throw scope.RefuseCaseVariant(CsfleErrorCode.UnsupportedQuery, lookup.Listed!, path, "distinct");
            default:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery,
                    "The distinct key contains encrypted fields, leads into an encrypted value, or is not known to do neither",
                    "Use the path of one field, plain or encrypted as a whole.", path, "distinct");
        }
    }
}
