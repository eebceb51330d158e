using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Update;

/// <summary>What an update does to a document: replaces it, changes it by operators, or runs a pipeline over it.</summary>
internal static class ModificationAnalyzer
{
    /// <summary>Plans the encryption of what is written.</summary>
    /// <param name="scope">The command.</param>
    /// <param name="element">The modification.</param>
    /// <param name="upsert">Whether a document is inserted where none matches.</param>
    /// <exception cref="QueryAnalysisException">It cannot work on encrypted fields, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, in BsonReader element, bool upsert)
    {
        if (element.Type == BsonType.Array)
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "An update by a pipeline is not supported on an encrypted collection",
                "Use update operators such as $set, or replace the document.", @operator: element.GetName());
        }

        if (element.Type != BsonType.Document) throw scope.Malformed(element.Name, "a document");
        var modification = element.ReadDocument();
        if (HasOperators(scope, modification, element)) AnalyzeOperators(scope, modification, upsert);
        else DocumentAnalyzer.AnalyzeReplacement(scope, modification, upsert);
    }

    private static bool HasOperators(in AnalysisScope scope, BsonReader modification, in BsonReader element)
    {
        var operators = 0;
        var fields = 0;
        while (modification.Read())
        {
            if (modification.Name is [(byte)'$', ..]) operators++;
            else fields++;
        }

        return operators == 0 || fields == 0 ? operators > 0 : throw scope.Malformed(element.Name, "either operators or a whole document, not both");
    }

    private static void AnalyzeOperators(in AnalysisScope scope, BsonReader modification, bool upsert)
    {
        if (upsert && scope.Schema.Find("_id"u8) is EncryptedNode)
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable, "'_id' is encrypted, and an upsert by operators could let the server generate it in clear",
                "Replace the whole document, with its '_id', or insert it.", "_id"u8, "upsert");
        }

        var mark = scope.Plan.BeginDocument(modification.Start);
        while (modification.Read())
        {
            var name = modification.GetName();
            if (!UpdateOperators.All.TryGetValue(name, out var @operator))
            {
                throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Unsupported update operator for encryption",
                    "Use an operator that docs/operators.md lists.", default, name);
            }

            if (modification.Type != BsonType.Document) throw scope.Malformed(modification.Name, "a document of paths");
            OperatorAnalyzer.Analyze(scope, modification, name, @operator);
        }

        scope.Plan.EndDocument(mark, modification);
    }
}
