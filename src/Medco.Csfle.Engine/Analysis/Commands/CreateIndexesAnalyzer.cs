using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>
/// <c>createIndexes</c>: an encrypted field may be a key, since the index holds what is stored; no condition may be about one.
/// </summary>
internal static class CreateIndexesAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand("createIndexes", "indexes", "commitQuorum");

    // MongoDB manual, createIndexes. What is not here (a key of an old version) the server refuses as well.
    private static readonly CommandFields IndexFields = CommandFields.OfStatement(
        "key", "name", "unique", "background", "sparse", "hidden", "expireAfterSeconds", "partialFilterExpression", "storageEngine", "weights",
        "default_language", "language_override", "textIndexVersion", "2dsphereIndexVersion", "bits", "min", "max", "collation",
        "wildcardProjection", "prepareUnique", "v", "ns");

    /// <summary>Checks the command; it goes out as it is.</summary>
    /// <exception cref="QueryAnalysisException">An index would store a condition on an encrypted field.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        while (command.ReadTo("indexes"u8)) SharedArguments.AnalyzeEach(scope, command, CheckIndex);
    }

    private static void CheckIndex(in AnalysisScope scope, BsonReader index)
    {
        IndexFields.Check(scope, index);
        while (index.Read())
        {
            var name = index.Name;
            if (name.SequenceEqual("partialFilterExpression"u8))
            {
                StoredFilter.Check(scope, index, mayHaveSchema: false);
            }
            else if (name.SequenceEqual("key"u8) || name.SequenceEqual("weights"u8) || name.SequenceEqual("wildcardProjection"u8))
            {
                SharedArguments.RequireNoValues(scope, index);
            }
        }
    }
}
