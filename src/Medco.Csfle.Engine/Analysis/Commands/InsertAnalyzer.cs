using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>insert</c>: every document is walked along the schema.</summary>
internal static class InsertAnalyzer
{
    private static readonly CommandFields Fields = new("insert", "documents", "ordered", "bypassDocumentValidation");

    /// <summary>Plans the encryption of all documents.</summary>
    /// <exception cref="QueryAnalysisException">One of them cannot be encrypted.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("documents"u8)) AnalyzeDocuments(scope, command);
        }

        scope.Plan.EndDocument(mark, command);
    }

    private static void AnalyzeDocuments(in AnalysisScope scope, in BsonReader element)
    {
        if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array of documents");
        var documents = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(documents.Start);
        while (documents.Read())
        {
            if (documents.Type != BsonType.Document) throw scope.Malformed(element.Name, "an array of documents");
            DocumentAnalyzer.Analyze(scope, documents.ReadDocument());
        }

        scope.Plan.EndDocument(mark, documents);
    }
}
