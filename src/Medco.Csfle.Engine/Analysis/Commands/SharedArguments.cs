using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>Plans the encryption of one document of an array, or checks it.</summary>
internal delegate void DocumentAnalysis(in AnalysisScope scope, BsonReader document);

/// <summary>Arguments that several commands take and that mean the same in each of them.</summary>
internal static class SharedArguments
{
    /// <summary>The document that an argument has to be.</summary>
    /// <exception cref="QueryAnalysisException">It is something else.</exception>
    public static BsonReader DocumentOf(in AnalysisScope scope, in BsonReader element)
        => element.Type == BsonType.Document ? element.ReadDocument() : throw scope.Malformed(element.Name, "a document");

    /// <summary>Analyses every document of an array.</summary>
    /// <exception cref="QueryAnalysisException">The argument is no array of documents, or the analysis refuses one.</exception>
    public static void AnalyzeEach(in AnalysisScope scope, in BsonReader element, DocumentAnalysis analysis)
    {
        if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array of documents");
        var documents = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(documents.Start);
        while (documents.Read())
        {
            if (documents.Type != BsonType.Document) throw scope.Malformed(element.Name, "an array of documents");
            analysis(scope, documents.ReadDocument());
        }

        scope.Plan.EndDocument(mark, documents);
    }

    /// <summary>Whether a flag is set, wherever in the document it stands.</summary>
    /// <exception cref="QueryAnalysisException">It is no boolean and no number.</exception>
    public static bool IsSet(in AnalysisScope scope, BsonReader document, ReadOnlySpan<byte> name)
    {
        if (!document.ReadTo(name)) return false;
        return document.Type switch
        {
            BsonType.Boolean => document.GetBoolean(),
            BsonType.Int32 => document.GetInt32() != 0,
            BsonType.Int64 => document.GetInt64() != 0,
            BsonType.Double => document.GetDouble() != 0,
            _ => throw scope.Malformed(name, "a boolean"),
        };
    }

    /// <summary>
    /// Checks <c>projection</c> or <c>fields</c>. To include and to exclude moves no value out of its place; what selects or
    /// copies may do so where nothing is encrypted; everything else computes with values that are ciphertext.
    /// </summary>
    /// <exception cref="QueryAnalysisException">It does something else.</exception>
    public static void CheckProjection(in AnalysisScope scope, in BsonReader element)
    {
        RequireNoValues(scope, element);
        var projection = DocumentOf(scope, element);
        while (projection.Read())
        {
            var isPlain = PathLookup.Resolve(scope.Schema, projection.Name).State == PathState.NotEncrypted;
            if (projection.Type is not (BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128 or BsonType.Boolean)
                && !(isPlain && SelectsPlainly(scope, projection)))
            {
                throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection,
                    "A projection that computes is not supported on an encrypted collection",
                    "Include (1) or exclude (0) fields; at plain paths, $slice, $elemMatch and a copy of a plain field work as well.",
                    projection.Name, element.GetName());
            }

            // {"items.$": 1} is the element that the filter found.
            if (projection.Name.IndexOf(".$"u8) >= 0 && !isPlain)
            {
                throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Ciphertext has no array elements to select",
                    "Include the field as a whole.", projection.Name, element.GetName());
            }
        }
    }

    /// <summary>
    /// Checks what names paths with a direction or a kind beside each (<c>projection</c>, <c>hint</c>, the keys of an index):
    /// beside a path that is encrypted, or is not known not to be, nothing may stand that could be its value.
    /// </summary>
    /// <exception cref="QueryAnalysisException">Something else stands there.</exception>
    public static void RequireNoValues(in AnalysisScope scope, in BsonReader element)
    {
        var paths = DocumentOf(scope, element);
        while (paths.Read())
        {
            if (IsDirectionOrKind(paths) || PathLookup.Resolve(scope.Schema, paths.Name).State == PathState.NotEncrypted) continue;
            var field = element.GetName();
            var isExpression = paths.Type is BsonType.Document or BsonType.Array or BsonType.String && field is "projection" or "fields";
            throw isExpression
                ? scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "A projection that computes is not supported on an encrypted field",
                    "Include (1) or exclude (0) it.", paths.Name, field)
                : scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, $"What stands beside this path in '{field}' could be a value of the field, and would be sent in clear",
                    "Write 1, -1 or 0 there, or the kind of the index.", paths.Name, field);
        }
    }

    /// <summary>Checks <c>hint</c>: the name of an index, or its keys.</summary>
    /// <exception cref="QueryAnalysisException">It is neither.</exception>
    public static void CheckHint(in AnalysisScope scope, in BsonReader element)
    {
        if (element.Type != BsonType.String) RequireNoValues(scope, element);
    }

    /// <summary>Checks <c>sort</c>: the order of ciphertexts means nothing.</summary>
    /// <exception cref="QueryAnalysisException">It names an encrypted path.</exception>
    public static void CheckSort(in AnalysisScope scope, in BsonReader element)
        => RequirePlainPaths(scope, element, "Ciphertexts have an order of their own: sort by a plain field, or after decryption.");

    /// <summary>Checks that a document names plain paths only.</summary>
    /// <exception cref="QueryAnalysisException">It names another.</exception>
    public static void RequirePlainPaths(in AnalysisScope scope, in BsonReader element, string remedy)
    {
        var paths = DocumentOf(scope, element);
        while (paths.Read())
        {
            if (PathLookup.Resolve(scope.Schema, paths.Name).State == PathState.NotEncrypted) continue;
            var field = element.GetName();
            throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, $"'{field}' names a path that is encrypted, or is not known not to be", remedy, paths.Name, field);
        }
    }

    /// <summary>Checks <c>let</c> and its like: variables are compared where they are used, in clear.</summary>
    /// <exception cref="QueryAnalysisException">There is a variable.</exception>
    public static void RequireEmpty(in AnalysisScope scope, in BsonReader element)
    {
        if (!DocumentOf(scope, element).Read()) return;
        var field = element.GetName();
        throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, $"'{field}' is not supported on an encrypted collection",
            "Write the constants into the filter.", @operator: field);
    }

    /// <summary>
    /// Checks <c>arrayFilters</c>: they apply to elements of arrays, which are never encrypted one by one; a path that leads
    /// such an identifier into something encrypted is refused where the path stands. An identifier that is the name of an
    /// encrypted field is most likely meant as one, and its constants would be sent in clear.
    /// </summary>
    /// <exception cref="QueryAnalysisException">It is no array of documents, or one of them is about something encrypted.</exception>
    public static void CheckArrayFilters(in AnalysisScope scope, in BsonReader element)
        => AnalyzeEach(scope, element, static (in AnalysisScope scope, BsonReader filter) => StoredFilter.Check(scope, filter, "arrayFilters"));

    private static bool IsDirectionOrKind(in BsonReader element) => element.Type switch
    {
        BsonType.Boolean => true,
        BsonType.Int32 => element.GetInt32() is -1 or 0 or 1,
        BsonType.Int64 => element.GetInt64() is -1 or 0 or 1,
        BsonType.Double => element.GetDouble() is -1 or 0 or 1,
        BsonType.String => element.GetString() is "text" or "hashed" or "2d" or "2dsphere",
        _ => false,
    };

    // {$slice: n}, {$slice: [n, n]}, {$elemMatch: filter}, "$path".
    private static bool SelectsPlainly(in AnalysisScope scope, in BsonReader element)
    {
        if (element.Type == BsonType.String)
        {
            return element.GetUtf8() is [(byte)'$', not (byte)'$', ..] path && PathLookup.Resolve(scope.Schema, path[1..]).State == PathState.NotEncrypted;
        }

        if (element.Type != BsonType.Document) return false;
        var @operator = element.ReadDocument();
        if (!@operator.Read() || @operator.ValueEnd != @operator.End - 1) return false;
        if (@operator.Name.SequenceEqual("$elemMatch"u8) && @operator.Type == BsonType.Document)
        {
            MatchAnalyzer.Analyze(new AnalysisScope(scope.Command, scope.Collection, PlainNode.Empty, scope.Plan), @operator.ReadDocument());
            return true;
        }

        if (!@operator.Name.SequenceEqual("$slice"u8)) return false;
        if (@operator.Type != BsonType.Array) return IsNumber(@operator.Type);
        var bounds = @operator.ReadDocument();
        while (bounds.Read())
        {
            if (!IsNumber(bounds.Type)) return false;
        }

        return true;
    }

    private static bool IsNumber(BsonType type) => type is BsonType.Int32 or BsonType.Int64 or BsonType.Double;
}
