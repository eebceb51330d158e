using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>delete</c>: of every statement the filter.</summary>
internal static class DeleteAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand("delete", "deletes", "ordered", "let");

    private static readonly CommandFields StatementFields = CommandFields.OfStatement("q", "limit", "hint", "collation");

    /// <summary>Plans the encryption of the filters' constants.</summary>
    /// <exception cref="QueryAnalysisException">A filter cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("deletes"u8)) SharedArguments.AnalyzeEach(scope, command, AnalyzeStatement);
            else if (command.Name.SequenceEqual("let"u8)) SharedArguments.RequireEmpty(scope, command);
        }

        scope.Plan.EndDocument(mark, command);
    }

    private static void AnalyzeStatement(in AnalysisScope scope, BsonReader statement)
    {
        StatementFields.Check(scope, statement);
        var filter = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(statement.Start);
        while (statement.Read())
        {
            if (statement.Name.SequenceEqual("q"u8)) filter.AnalyzeFilter(scope, statement);
            else if (statement.Name.SequenceEqual("collation"u8)) filter.ReadCollation(scope, statement);
            else if (statement.Name.SequenceEqual("hint"u8)) SharedArguments.CheckHint(scope, statement);
        }

        filter.Check(scope);
        scope.Plan.EndDocument(mark, statement);
    }
}
