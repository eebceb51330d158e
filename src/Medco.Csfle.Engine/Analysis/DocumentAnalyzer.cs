using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>Finds in a document about to be written what its collection's schema encrypts.</summary>
internal static class DocumentAnalyzer
{
    /// <summary>Plans the encryption of one whole document.</summary>
    /// <exception cref="QueryAnalysisException">Something in it cannot be encrypted, or would be stored in clear.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader document)
    {
        var start = document.Start;
        var hasId = Walk(scope, document, scope.Schema, start, path: default);
        if (!hasId && scope.Schema.Find("_id"u8) is EncryptedNode)
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable, "'_id' is encrypted, but the document has none, so that it would be generated in clear",
                "Set '_id' before writing the document.", "_id"u8);
        }
    }

    private static bool Walk(in AnalysisScope scope, BsonReader document, PlainNode schema, int rootStart, ReadOnlySpan<byte> path)
    {
        var hasId = false;
        var seen = default(SeenNames);
        var mark = scope.Plan.BeginDocument(document.Start);
        while (document.Read())
        {
            var name = document.Name;
            hasId |= name.SequenceEqual("_id"u8);
            RefuseDottedName(scope, schema, name, path);
            var node = schema.Find(name);
            if (node is not { HasEncryption: true }) continue;

            var childPath = Join(path, name);
            if (!seen.Add(scope.Command, document.ElementStart + 1, name.Length))
            {
                throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, "The document has this element twice",
                    "Write each element once.", childPath);
            }

            if (node is EncryptedNode encrypted)
            {
                EncryptableValue.CheckWritten(scope, document, encrypted, childPath);
                scope.Plan.Encrypt(document, encrypted.Algorithm, EncryptableValue.KeyOf(scope, encrypted, rootStart, childPath));
            }
            else if (document.Type == BsonType.Document)
            {
                Walk(scope, document.ReadDocument(), (PlainNode)node, rootStart, childPath);
            }
            else if (document.Type == BsonType.Array)
            {
                throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext,
                    "An array stands where the encryption schema has a document with encrypted fields, which automatic encryption cannot reach inside an array",
                    "Store a single document there, or encrypt the array as a whole with the random algorithm.", childPath);
            }
        }

        scope.Plan.EndDocument(mark, document);
        return hasId;
    }

    // {"insurance.policyNumber": 1} as one name is another field than insurance: {policyNumber: 1}, yet it means the same to
    // whoever wrote it, and would be stored in clear.
    private static void RefuseDottedName(in AnalysisScope scope, PlainNode schema, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        if (!name.Contains((byte)'.') || PathLookup.Resolve(schema, name).State == PathState.NotEncrypted) return;
        throw scope.Refuse(CsfleErrorCode.WouldLeakPlaintext, "An element's name contains dots and spells the path of an encrypted field",
            "Write nested documents instead of a dotted name.", Join(path, name));
    }

    private static ReadOnlySpan<byte> Join(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name)
    {
        if (path.IsEmpty) return name;
        var joined = new byte[path.Length + 1 + name.Length];
        path.CopyTo(joined);
        joined[path.Length] = (byte)'.';
        name.CopyTo(joined.AsSpan(path.Length + 1));
        return joined;
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
