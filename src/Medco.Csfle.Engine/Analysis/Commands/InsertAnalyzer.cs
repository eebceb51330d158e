using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>insert</c>: every document is walked along the schema.</summary>
internal static class InsertAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand("insert", "documents", "ordered", "bypassDocumentValidation");

    /// <summary>Plans the encryption of all documents.</summary>
    /// <exception cref="QueryAnalysisException">One of them cannot be encrypted.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("documents"u8)) SharedArguments.AnalyzeEach(scope, command, DocumentAnalyzer.AnalyzeInserted);
        }

        scope.Plan.EndDocument(mark, command);
    }
}
