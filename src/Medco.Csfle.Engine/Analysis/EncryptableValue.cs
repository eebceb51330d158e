using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>Whether a value may be encrypted at a path.</summary>
internal static class EncryptableValue
{
    private const string MatchTheSchema = "Write a value of the type that the encryption schema names, or change the schema.";

    /// <summary>Checks a value about to be written at an encrypted path.</summary>
    /// <exception cref="QueryAnalysisException">It cannot be encrypted there.</exception>
    public static void CheckWritten(in AnalysisScope scope, in BsonReader element, EncryptedNode node, Place place)
    {
        if (element.Type == BsonType.Timestamp && element.GetInt64() == 0)
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable,
                "A command that inserts cannot supply Timestamp(0, 0) for an encrypted field, since the server would replace it by its own time",
                "Set a timestamp of your own.", place);
        }

        CheckType(scope, element, node, place);
    }

    /// <summary>Checks null about to be written, and not left out, at an encrypted path or in the place of a document with encrypted fields.</summary>
    /// <exception cref="QueryAnalysisException">It may not be stored there.</exception>
    public static void CheckNull(in AnalysisScope scope, SchemaNode node, Place place)
    {
        var (isAllowed, member) = node is EncryptedNode encrypted ? (encrypted.AllowsNull, encrypted.Member) : (((PlainNode)node).AllowsNull, ((PlainNode)node).Member);
        if (isAllowed) return;
        var choice = member is null
            ? ""
            : $" {member} can be left out of whole documents by itself, or stored as null in clear, with NullPolicy.Omit or NullPolicy.StoreInClear.";
        throw node is EncryptedNode
            ? scope.Refuse(CsfleErrorCode.ValueNotEncryptable, "Cannot encrypt element of type: null",
                $"Null cannot be encrypted, and storing it in clear would show who has no value: leave the element out, or remove it with $unset.{choice}", place)
            : scope.Refuse(CsfleErrorCode.ValueNotEncryptable, "Null stands in the place of a document with encrypted fields, which its null policy does not allow",
                $"Leave the element out, or remove it with $unset.{choice}", place);
    }

    /// <summary>Checks a constant that a query compares an encrypted path with.</summary>
    /// <exception cref="QueryAnalysisException">It cannot be encrypted there.</exception>
    public static void CheckCompared(in AnalysisScope scope, in BsonReader element, EncryptedNode node, ReadOnlySpan<byte> path, string @operator)
    {
        switch (element.Type)
        {
            case BsonType.Null:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery,
                    @operator is "$in" or "$nin"
                        ? "Illegal equality to null inside $in against an encrypted field"
                        : "Illegal equality to null predicate for encrypted field",
                    "Null is never encrypted. To find documents without the field use $exists.", path, @operator);
            case BsonType.RegularExpression:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Invalid match expression operator on encrypted field: a regular expression",
                    "Only whole values can be compared with an encrypted field. Keep what must be searched by pattern in a field of its own.", path, @operator);
            default:
                CheckType(scope, element, node, new Place(path, @operator));
                break;
        }
    }

    private static void CheckType(in AnalysisScope scope, in BsonReader element, EncryptedNode node, Place place)
    {
        var type = element.Type;
        if (type == BsonType.Binary)
        {
            element.GetBinary(out var subtype);
            if (subtype == BinarySubtype.Encrypted)
            {
                throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable, "Cannot encrypt binary data of subtype 6: the value is encrypted already",
                    "Pass the plaintext, or write explicitly encrypted values through a client without automatic encryption.", place);
            }
        }

        if (!node.Types.IsAny && !node.Types.Contains(type))
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable,
                $"Cannot encrypt element of type {type.Alias()} because schema requires that type is one of: {node.Types.Describe()}",
                MatchTheSchema, place);
        }

        if (EncryptedNode.IsProhibited(node.Algorithm, type))
        {
            throw scope.Refuse(CsfleErrorCode.ValueNotEncryptable, $"Cannot encrypt element of type: {type.Alias()}", MatchTheSchema, place);
        }
    }
}
