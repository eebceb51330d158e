using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>What stands in <c>explain</c> beside the explained command.</summary>
internal static class ExplainArguments
{
    private static readonly CommandFields Fields = CommandFields.OfCommand("explain", "verbosity");

    /// <summary>Checks that nothing else could carry a value.</summary>
    /// <exception cref="QueryAnalysisException">Something could.</exception>
    public static void Check(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        if (command.ReadTo("verbosity"u8) && command.Type != BsonType.String) throw scope.Malformed("verbosity"u8, "a string");
    }
}
