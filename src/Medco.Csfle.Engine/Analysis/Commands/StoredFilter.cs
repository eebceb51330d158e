using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>
/// A filter whose constants are sent as they are: one that the server stores (a validator, the condition of a partial index),
/// or one on elements of arrays (<c>arrayFilters</c>). It may not be about anything encrypted.
/// </summary>
internal static class StoredFilter
{
    /// <summary>Checks that a filter names plain paths only, and no operator that could name others.</summary>
    /// <param name="scope">The command.</param>
    /// <param name="element">The filter.</param>
    /// <param name="mayHaveSchema">Whether it may hold a <c>$jsonSchema</c> at its top, which is not looked into here.</param>
    /// <exception cref="QueryAnalysisException">It does.</exception>
    public static void Check(in AnalysisScope scope, in BsonReader element, bool mayHaveSchema)
        => CheckFilter(scope, SharedArguments.DocumentOf(scope, element), element.GetName(), scope.Schema, mayHaveSchema);

    /// <inheritdoc cref="Check(in AnalysisScope, in BsonReader, bool)"/>
    /// <param name="scope">The command.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="field">The argument of the command that it is part of.</param>
    public static void Check(in AnalysisScope scope, BsonReader filter, string field)
        => CheckFilter(scope, filter, field, scope.Schema, mayHaveSchema: false);

    private static void CheckFilter(in AnalysisScope scope, BsonReader filter, string field, PlainNode schema, bool mayHaveSchema)
    {
        while (filter.Read())
        {
            if (filter.Name is [(byte)'$', ..])
            {
                if (mayHaveSchema && filter.Name.SequenceEqual("$jsonSchema"u8)) continue;
                CheckTopLevelOperator(scope, filter, field, schema);
            }
            else if (PathLookup.Resolve(schema, filter.Name).State != PathState.NotEncrypted)
            {
                throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, $"Comparison to encrypted fields not supported in '{field}', which is sent in clear",
                    "Leave the encrypted field out of the condition.", filter.Name, field);
            }
            else
            {
                CheckOperand(scope, filter, field);
            }
        }
    }

    private static void CheckTopLevelOperator(in AnalysisScope scope, in BsonReader element, string field, PlainNode schema)
    {
        var name = element.GetName();
        switch (MatchOperators.TopLevel.GetValueOrDefault(name, TopLevelRule.Refused))
        {
            case TopLevelRule.Comment:
                return;
            case TopLevelRule.Logical:
                if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array of filters");
                var branches = element.ReadDocument();
                while (branches.Read())
                {
                    if (branches.Type != BsonType.Document) throw scope.Malformed(element.Name, "an array of filters");
                    CheckFilter(scope, branches.ReadDocument(), field, schema, mayHaveSchema: false);
                }

                return;
            default:
                throw Unsupported(scope, field, name);
        }
    }

    // Nothing below a plain path is encrypted; but an operator could look elsewhere.
    private static void CheckOperand(in AnalysisScope scope, in BsonReader element, string field)
    {
        if (element.Type != BsonType.Document) return;
        var operators = element.ReadDocument();
        while (operators.Read())
        {
            if (operators.Name is not [(byte)'$', ..]) return;
            var name = operators.GetName();
            if (name is "$ref" or "$id" or "$db") return;
            if (!MatchOperators.AtPath.TryGetValue(name, out var rule)) throw Unsupported(scope, field, name);
            if (rule == MatchRule.Negation)
            {
                CheckOperand(scope, operators, field);
            }
            else if (rule == MatchRule.ArrayElements && operators.Type == BsonType.Document)
            {
                var content = operators.ReadDocument();
                if (content.Read() && MatchOperators.AtPath.ContainsKey(content.GetName())) CheckOperand(scope, operators, field);
                else CheckFilter(scope, operators.ReadDocument(), field, PlainNode.Empty, mayHaveSchema: false);
            }
            else if (name == "$all" && operators.Type == BsonType.Array)
            {
                // {$all: [{$elemMatch: {...}}, ...]}
                var elements = operators.ReadDocument();
                while (elements.Read()) CheckOperand(scope, elements, field);
            }
        }
    }

    private static QueryAnalysisException Unsupported(in AnalysisScope scope, string field, string name)
        => scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, $"Unsupported match expression operator for encryption, in '{field}'",
            "Write the condition with operators that name a plain field.", @operator: name);
}
