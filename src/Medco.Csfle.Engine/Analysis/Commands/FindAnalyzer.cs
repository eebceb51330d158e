using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>find</c>: the constants of the filter are encrypted; whatever else could carry one is checked.</summary>
internal static class FindAnalyzer
{
    private static readonly CommandFields Fields = new(
        "find", "filter", "projection", "sort", "skip", "limit", "batchSize", "singleBatch", "hint", "collation", "let", "min", "max",
        "returnKey", "showRecordId", "tailable", "awaitData", "noCursorTimeout", "allowDiskUse", "allowPartialResults");

    /// <summary>Plans the encryption of the filter's constants.</summary>
    /// <exception cref="QueryAnalysisException">The query cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var collates = false;
        var plan = scope.Plan;
        var mark = plan.BeginDocument(command.Start);
        while (command.Read())
        {
            var name = command.Name;
            if (name.SequenceEqual("filter"u8))
            {
                MatchAnalyzer.Analyze(scope, DocumentOf(scope, command));
            }
            else if (name.SequenceEqual("projection"u8))
            {
                CheckProjection(scope, DocumentOf(scope, command));
            }
            else if (name.SequenceEqual("sort"u8))
            {
                RequirePlainPaths(scope, DocumentOf(scope, command), "sort", "Ciphertexts have an order of their own: sort by a plain field, or after decryption.");
            }
            else if (name.SequenceEqual("min"u8) || name.SequenceEqual("max"u8))
            {
                RequirePlainPaths(scope, DocumentOf(scope, command), command.GetName(), "The bounds of an index are not encrypted: put the condition into the filter.");
            }
            else if (name.SequenceEqual("let"u8))
            {
                RequireEmpty(scope, DocumentOf(scope, command));
            }
            else if (name.SequenceEqual("collation"u8))
            {
                collates = !IsSimple(DocumentOf(scope, command));
            }
        }

        if (collates && plan.HasPlaceholders)
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "A collation has no effect on the comparison of an encrypted field",
                "Leave the collation out, or set {locale: \"simple\"}.", @operator: "collation");
        }

        plan.EndDocument(mark, command);
    }

    private static BsonReader DocumentOf(in AnalysisScope scope, in BsonReader element)
        => element.Type == BsonType.Document ? element.ReadDocument() : throw scope.Malformed(element.Name, "a document");

    // To include and to exclude moves no value out of its place; everything else computes with values that are ciphertext.
    private static void CheckProjection(in AnalysisScope scope, BsonReader projection)
    {
        while (projection.Read())
        {
            if (projection.Type is BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128 or BsonType.Boolean) continue;
            throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection,
                "A projection that computes is not supported on an encrypted collection", "Include (1) or exclude (0) fields.",
                projection.Name, "projection");
        }
    }

    private static void RequirePlainPaths(in AnalysisScope scope, BsonReader paths, string field, string remedy)
    {
        while (paths.Read())
        {
            if (PathLookup.Resolve(scope.Schema, paths.Name).State == PathState.NotEncrypted) continue;
            throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, $"'{field}' names a path that is encrypted, or is not known not to be", remedy, paths.Name, field);
        }
    }

    private static void RequireEmpty(in AnalysisScope scope, BsonReader variables)
    {
        if (!variables.Read()) return;
        throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "'let' is not supported on an encrypted collection",
            "Write the constants into the filter.", @operator: "let");
    }

    private static bool IsSimple(BsonReader collation)
        => !collation.ReadTo("locale"u8) || (collation.Type == BsonType.String && collation.GetUtf8().SequenceEqual("simple"u8));
}
