using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>The data keys of the encrypted fields of one document, which may name some of them itself.</summary>
internal struct DocumentKeys
{
    private readonly int _documentStart;
    private Dictionary<string, KeyReference>? _named;

    private DocumentKeys(int documentStart) => _documentStart = documentStart;

    /// <summary>For parts of a document: there is nothing that could name a key.</summary>
    public static DocumentKeys Static => default;

    /// <summary>For the whole document that starts at an offset of the command; each name is read once.</summary>
    public static DocumentKeys NamedIn(int documentStart) => new(documentStart);

    /// <summary>The data key of an encrypted path.</summary>
    /// <exception cref="QueryAnalysisException">The document does not name it, or there is no document to do so.</exception>
    public KeyReference Of(in AnalysisScope scope, EncryptedNode node, Place place)
    {
        if (node.KeyId is { } id) return KeyReference.ById(id);
        var pointer = node.KeyPointer!;
        if (_named is not null && _named.TryGetValue(pointer.Text, out var known)) return known;
        if (_documentStart == 0)
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable,
                $"A non-static (JSONPointer) keyId is not supported here: the data key of this field is named by its document, at '{pointer.Text}', which an update does not show",
                "Replace the whole document instead.", place);
        }

        if (!pointer.TryResolve(scope.Command, _documentStart, out var type, out var value) || type != BsonType.String)
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable,
                $"The data key of this field is named by the document itself, at '{pointer.Text}', but there is no string there",
                "Write the key's alternate name there before anything is encrypted with it.", place);
        }

        var key = KeyReference.ByName(Encoding.UTF8.GetString(scope.Command[value][sizeof(int)..^1]));
        (_named ??= new Dictionary<string, KeyReference>(StringComparer.Ordinal)).Add(pointer.Text, key);
        return key;
    }
}
