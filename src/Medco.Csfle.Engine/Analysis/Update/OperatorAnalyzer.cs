using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Update;

/// <summary>One update operator with its paths.</summary>
internal static class OperatorAnalyzer
{
    /// <summary>Plans the encryption of the values that the operator writes to encrypted paths.</summary>
    /// <exception cref="QueryAnalysisException">The operator cannot work at one of its paths, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, in BsonReader element, string name, UpdateOperator @operator)
    {
        var paths = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(paths.Start);
        while (paths.Read())
        {
            var lookup = PathLookup.Resolve(scope.Schema, paths.Name);
            if (@operator.Stores && scope.Schema.Class is { } @class) ClassCheck.CheckUpdated(scope, paths, @class, name);
            if (@operator.Rule == UpdateRule.Renaming)
            {
                CheckRenaming(scope, paths, lookup, name);
            }
            else if (lookup.State == PathState.Encrypted)
            {
                AnalyzeEncrypted(scope, paths, lookup, name, @operator);
            }
            else if (lookup.State == PathState.PrefixOfEncrypted && @operator.Rule is UpdateRule.Assignment or UpdateRule.Removal)
            {
                AnalyzePrefix(scope, paths, lookup, name, @operator.Rule);
            }
            else if (lookup.State != PathState.NotEncrypted)
            {
                throw RefusePath(scope, lookup, paths.Name, name);
            }
        }

        scope.Plan.EndDocument(mark, paths);
    }

    private static void AnalyzeEncrypted(in AnalysisScope scope, in BsonReader element, PathLookup lookup, string name, UpdateOperator @operator)
    {
        var place = new Place(element.Name, name);
        switch (@operator.Rule)
        {
            case UpdateRule.Assignment when element.Type == BsonType.Null:
                EncryptableValue.CheckNull(scope, lookup.Node!, place);
                break;
            case UpdateRule.Assignment:
                var keys = DocumentKeys.Static;
                var key = keys.Of(scope, lookup.Node!, place);
                EncryptableValue.CheckWritten(scope, element, lookup.Node!, place);
                scope.Plan.Encrypt(element, lookup.Node!.Algorithm, key);
                break;
            case UpdateRule.Removal:
                CheckRemoved(scope, element, place);
                break;
            default:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, @operator.Refusal!,
                    "Read the document, compute the new value, and write it as a whole with $set.", place);
        }
    }

    private static void AnalyzePrefix(in AnalysisScope scope, in BsonReader element, PathLookup lookup, string name, UpdateRule rule)
    {
        var place = new Place(element.Name, name);
        if (rule == UpdateRule.Removal)
        {
            CheckRemoved(scope, element, place);
        }
        else if (element.Type == BsonType.Array)
        {
            throw DocumentAnalyzer.RefuseArray(scope, place);
        }
        else if (element.Type == BsonType.Document)
        {
            var document = element.ReadDocument();
            DocumentAnalyzer.AnalyzeEmbedded(scope, document, lookup.Prefix!, Place.Document(element.Name, document.Start, name));
        }
        else if (element.Type == BsonType.Null)
        {
            EncryptableValue.CheckNull(scope, lookup.Prefix!, place);
        }
        else
        {
            throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext,
                "The encryption schema has a document with encrypted fields here, and a value of another type could hold them in clear",
                "Write a document, null, or remove the field with $unset.", place);
        }
    }

    // The server ignores the value, so that the field's own, of all things, could stand there and would be sent in clear.
    private static void CheckRemoved(in AnalysisScope scope, in BsonReader element, Place place)
    {
        var harmless = element.Type switch
        {
            BsonType.Boolean or BsonType.Null => true,
            BsonType.Int32 => element.GetInt32() is 0 or 1,
            BsonType.Int64 => element.GetInt64() is 0 or 1,
            BsonType.Double => element.GetDouble() is 0 or 1,
            BsonType.String => element.GetUtf8().IsEmpty,
            _ => false,
        };
        if (harmless) return;
        throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, "The value beside a path in $unset has no meaning, and would be sent in clear",
            "Write 1 or an empty string there.", place);
    }

    private static void CheckRenaming(in AnalysisScope scope, in BsonReader element, PathLookup source, string name)
    {
        if (element.Type != BsonType.String) throw scope.Malformed(element.Name, "the new name, a string");
        var target = PathLookup.Resolve(scope.Schema, element.GetUtf8());
        if (source.State is not (PathState.NotEncrypted or PathState.Encrypted)) throw RefusePath(scope, source, element.Name, name);
        if (target.State is not (PathState.NotEncrypted or PathState.Encrypted)) throw RefusePath(scope, target, element.GetUtf8(), name);
        var mayMove = source.State == target.State
            && (source.Node is null || (source.Node.HasSameMetadataAs(target.Node!) && source.Node.AllowsNull == target.Node!.AllowsNull));
        if (mayMove) return;
        throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "$rename between two encrypted fields must have the same metadata or both be unencrypted",
            "Read the document and write the value under its new name with $set.", element.Name, name);
    }

    private static QueryAnalysisException RefusePath(in AnalysisScope scope, PathLookup lookup, ReadOnlySpan<byte> path, string name)
    {
        if (lookup.State == PathState.CaseVariant) return scope.RefuseCaseVariant(CsfleErrorCode.WouldLeakPlaintext, lookup.Listed!, path, name);
        if (lookup.State == PathState.PrefixOfEncrypted)
        {
            return scope.Refuse(CsfleErrorCode.WouldLeakPlaintext,
                $"The value at this path contains encrypted fields, which {name} could write or move without their encryption",
                "Use $set or $unset there, or name the fields inside it one by one, by their dotted paths.", path, name);
        }

        var positional = path.IndexOf((byte)'$');
        if (positional == 0 || (positional > 0 && path[positional - 1] == '.'))
        {
            return path[(positional + 1)..] is [(byte)'[', ..]
                ? scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Array update operations not allowed on encrypted values",
                    "Write the whole value with $set.", path, name)
                : scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Cannot encrypt fields below '$' positional update operator",
                    "Write the whole value with $set.", path, name);
        }

        return lookup.State == PathState.BelowEncrypted
            ? scope.Refuse(CsfleErrorCode.WouldLeakPlaintext,
                "This path leads into a value that is encrypted as a whole", "Read the value, change it, and write it as a whole with $set.", path, name)
            : scope.Refuse(CsfleErrorCode.WouldLeakPlaintext,
                "It cannot be told whether this path is encrypted: it has an empty component or an array index",
                "Name the field by a path of plain names.", path, name);
    }
}
