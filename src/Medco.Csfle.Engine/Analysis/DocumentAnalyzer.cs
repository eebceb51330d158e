using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>Finds in a document about to be written what its collection's schema encrypts.</summary>
internal static class DocumentAnalyzer
{
    /// <summary>Plans the encryption of one whole document that is inserted.</summary>
    /// <exception cref="QueryAnalysisException">Something in it cannot be encrypted, or would be stored in clear.</exception>
    public static void AnalyzeInserted(in AnalysisScope scope, BsonReader document) => AnalyzeWhole(scope, document, mayBeInserted: true);

    /// <summary>Plans the encryption of one whole document that takes the place of another.</summary>
    /// <param name="scope">The command.</param>
    /// <param name="document">The document.</param>
    /// <param name="upsert">Whether it is inserted where there is no other.</param>
    /// <exception cref="QueryAnalysisException">Something in it cannot be encrypted, or would be stored in clear.</exception>
    public static void AnalyzeReplacement(in AnalysisScope scope, BsonReader document, bool upsert) => AnalyzeWhole(scope, document, upsert);

    /// <summary>Plans the encryption of a document that an update operator writes at a path inside another.</summary>
    /// <exception cref="QueryAnalysisException">Something in it cannot be encrypted, or would be stored in clear.</exception>
    public static void AnalyzeEmbedded(in AnalysisScope scope, BsonReader document, PlainNode schema, Place place)
    {
        var keys = DocumentKeys.Static;
        Walk(scope, document, schema, ref keys, place);
    }

    /// <summary>An array where the schema has a document: what it holds would be stored in clear.</summary>
    public static QueryAnalysisException RefuseArray(in AnalysisScope scope, Place place) => scope.Refuse(CsfleErrorCode.WouldLeakPlaintext,
        "An array stands where the encryption schema has a document with encrypted fields, which automatic encryption cannot reach inside an array",
        "Store a single document there, or encrypt the array as a whole with the random algorithm.", place);

    private static void AnalyzeWhole(in AnalysisScope scope, BsonReader document, bool mayBeInserted)
    {
        var keys = DocumentKeys.NamedIn(document.Start);
        var root = Place.Document(path: default, document.Start, @operator: null);
        if (scope.Schema.Class is { } @class) ClassCheck.Check(scope, document, @class, root);
        var hasId = Walk(scope, document, scope.Schema, ref keys, root);
        if (mayBeInserted && !hasId && scope.Schema.Find("_id"u8) is EncryptedNode)
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable, "'_id' is encrypted, but the document has none, so that it would be generated in clear",
                "Set '_id' before writing the document.", "_id"u8);
        }
    }

    /// <returns>Whether the document has an <c>_id</c>.</returns>
    private static bool Walk(in AnalysisScope scope, BsonReader document, PlainNode schema, ref DocumentKeys keys, Place root)
    {
        var hasId = false;
        var seen = default(SeenNames);
        var mark = scope.Plan.BeginDocument(document.Start);
        while (document.Read())
        {
            var name = document.Name;
            hasId |= name.SequenceEqual("_id"u8);
            RefuseMisleadingName(scope, schema, document, root);
            var node = schema.Find(name);
            if (node is not { HasEncryption: true })
            {
                if (schema.FindCaseVariant(name) is not { } listed) continue;
                throw scope.RefuseCaseVariant(CsfleErrorCode.WouldLeakPlaintext, listed, root.At(document));
            }

            if (!seen.Add(scope.Command, document.ElementStart + 1, name.Length))
            {
                throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, "The document has this element twice",
                    "Write each element once.", root.At(document));
            }

            if (document.Type == BsonType.Null)
            {
                WalkNull(scope, document, node, root.At(document));
            }
            else if (node is EncryptedNode encrypted)
            {
                var key = keys.Of(scope, encrypted, root.At(document));
                EncryptableValue.CheckWritten(scope, document, encrypted, root.At(document));
                scope.Plan.Encrypt(document, encrypted.Algorithm, key);
            }
            else if (document.Type == BsonType.Document)
            {
                Walk(scope, document.ReadDocument(), (PlainNode)node, ref keys, root);
            }
            else if (document.Type == BsonType.Array)
            {
                throw RefuseArray(scope, root.At(document));
            }
        }

        scope.Plan.EndDocument(mark, document);
        return hasId;
    }

    private static void WalkNull(in AnalysisScope scope, in BsonReader element, SchemaNode node, Place place)
    {
        var policy = node is EncryptedNode encrypted ? encrypted.Nulls : ((PlainNode)node).Nulls;
        if (policy == NullPolicy.Omit) scope.Plan.Remove(element);
        else EncryptableValue.CheckNull(scope, node, place);
    }

    // {"insurance.policyNumber": 1} as one name is another field than insurance: {policyNumber: 1}, yet it means the same to
    // whoever wrote it, and would be stored in clear. A name such as "$set" is most likely an operator that was meant to write
    // encrypted fields.
    private static void RefuseMisleadingName(in AnalysisScope scope, PlainNode schema, in BsonReader element, Place root)
    {
        if (element.Name is [(byte)'$', ..])
        {
            throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, "An element's name starts with '$' where the encryption schema has encrypted fields beside it",
                "Write the names of fields; operators belong into an update.", root.At(element));
        }

        if (!element.Name.Contains((byte)'.') || PathLookup.Resolve(schema, element.Name).State == PathState.NotEncrypted) return;
        throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, "An element's name contains dots and spells the path of an encrypted field",
            "Write nested documents instead of a dotted name.", root.At(element));
    }

    /// <summary>The names met in one document: a list while they are few, a set when they are many.</summary>
    private ref struct SeenNames
    {
        private const int ListLimit = 8;

        private Offsets _starts;
        private Offsets _lengths;
        private int _count;
        private HashSet<string>? _set;

        public bool Add(ReadOnlySpan<byte> command, int start, int length)
        {
            var name = command.Slice(start, length);
            if (_set is null)
            {
                for (var i = 0; i < _count; i++)
                {
                    if (command.Slice(_starts[i], _lengths[i]).SequenceEqual(name)) return false;
                }

                if (_count < ListLimit)
                {
                    _starts[_count] = start;
                    _lengths[_count++] = length;
                    return true;
                }

                _set = new HashSet<string>(StringComparer.Ordinal);
                for (var i = 0; i < _count; i++) _set.Add(Key(command.Slice(_starts[i], _lengths[i])));
            }

            return _set.Add(Key(name));
        }

        // One character a byte, so that names that are not UTF-8 stay different.
        private static string Key(ReadOnlySpan<byte> name) => Encoding.Latin1.GetString(name);

        [System.Runtime.CompilerServices.InlineArray(ListLimit)]
        private struct Offsets
        {
            private int _first;
        }
    }
}
