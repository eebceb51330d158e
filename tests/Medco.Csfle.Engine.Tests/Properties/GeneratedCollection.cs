using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Properties;

/// <summary>
/// An encryption schema and a document for it, both made at random: nested documents, metadata inherited from levels above, names
/// that only a pattern or <c>additionalProperties</c> covers, fields of several types, keys that the document names. Every marked
/// value that can hold them has 16 bytes in it that are nowhere else.
/// </summary>
internal sealed class GeneratedCollection
{
    /// <summary>The alternate name that the document's field <c>owner</c> holds; a data key has it.</summary>
    public const string Owner = "owner";

    private const int MaxDepth = 3;

    private static readonly BsonType[] RandomTypes = [.. Enum.GetValues<BsonType>().Where(type => !EncryptedNode.IsProhibited(CsfleAlgorithm.Random, type))];

    private static readonly BsonType[] DeterministicTypes = [.. RandomTypes.Where(type => !EncryptedNode.IsProhibited(CsfleAlgorithm.Deterministic, type))];

    private readonly Random _random;
    private readonly IReadOnlyList<Guid> _keys;
    private readonly List<MarkedValue> _marked = [];
    private int _names;

    /// <summary>Makes one.</summary>
    /// <param name="random">Decides everything.</param>
    /// <param name="keys">The data keys to choose from.</param>
    public GeneratedCollection(Random random, IReadOnlyList<Guid> keys)
    {
        _random = random;
        _keys = keys;
        using var writer = new BsonWriter();
        writer.StartDocument();
        SchemaText = Level(writer, "", default, 0);
        writer.EndDocument();
        Document = writer.ToArray();
        Schema = EncryptionSchema.Parse(SchemaText);
    }

    /// <summary>The schema as text.</summary>
    public string SchemaText { get; }

    /// <summary>The schema.</summary>
    public EncryptionSchema Schema { get; }

    /// <summary>A document that can be stored.</summary>
    public byte[] Document { get; }

    /// <summary>What is encrypted in the document.</summary>
    public IReadOnlyList<MarkedValue> Marked => _marked;

    /// <returns>The schema of this level; its elements are written.</returns>
    private string Level(BsonWriter writer, string parent, Metadata inherited, int depth)
    {
        var parts = new List<string> { "\"bsonType\": \"object\"" };
        if (Chance(2)) parts.Add($"\"encryptMetadata\": {{{NewMetadata(ref inherited)}}}");

        var properties = new List<string>();
        if (depth == 0)
        {
            properties.Add("\"_id\": {}, \"owner\": {\"bsonType\": \"string\"}");
            writer.WriteInt32("_id"u8, 1);
            writer.WriteString("owner"u8, Encoding.UTF8.GetBytes(Owner));
        }

        for (var fields = _random.Next(1, 6); fields > 0; fields--)
        {
            var name = $"f{_names++}";
            switch (_random.Next(4))
            {
                case 0 when depth < MaxDepth:
                    writer.StartDocument(Encoding.UTF8.GetBytes(name));
                    properties.Add($"\"{name}\": {Level(writer, $"{parent}{name}.", inherited, depth + 1)}");
                    writer.EndDocument();
                    break;
                case 1:
                    properties.Add($"\"{name}\": {{}}");
                    writer.WriteInt32(Encoding.UTF8.GetBytes(name), _random.Next());
                    break;
                default:
                    properties.Add($"\"{name}\": {Encrypt(inherited, out var node)}");
                    if (!Chance(8)) Write(writer, parent, name, node);
                    break;
            }
        }

        parts.Add($"\"properties\": {{{string.Join(", ", properties)}}}");
        if (Chance(3))
        {
            parts.Add($"\"patternProperties\": {{\"^x[0-9]+$\": {Encrypt(inherited, out var node)}}}");
            for (var fields = _random.Next(3); fields > 0; fields--) Write(writer, parent, $"x{_names++}", node);
        }

        if (Chance(3))
        {
            parts.Add($"\"additionalProperties\": {Encrypt(inherited, out var node)}");
            for (var fields = _random.Next(3); fields > 0; fields--) Write(writer, parent, $"z{_names++}", node);
        }

        return $"{{{string.Join(", ", parts)}}}";
    }

    private string NewMetadata(ref Metadata inherited)
    {
        var parts = new List<string>();
        if (Chance(2))
        {
            inherited = inherited with { Algorithm = Chance(2) ? CsfleAlgorithm.Deterministic : CsfleAlgorithm.Random };
            parts.Add(Text(inherited.Algorithm!.Value));
        }

        if (parts.Count == 0 || Chance(2))
        {
            inherited = inherited with { Key = NewKey(mayBePointer: true) };
            parts.Add($"\"keyId\": {inherited.Key}");
        }

        return string.Join(", ", parts);
    }

    private string Encrypt(in Metadata inherited, out (CsfleAlgorithm Algorithm, BsonType[] Types) node)
    {
        var parts = new List<string>();
        var algorithm = inherited.Algorithm;
        if (algorithm is null || Chance(3))
        {
            algorithm = Chance(2) ? CsfleAlgorithm.Deterministic : CsfleAlgorithm.Random;
            parts.Add(Text(algorithm.Value));
        }

        // Deterministic encryption cannot take its key from the document.
        var isRandom = algorithm == CsfleAlgorithm.Random;
        if (inherited.Key is null || (!isRandom && inherited.Key[0] == '"') || Chance(3)) parts.Add($"\"keyId\": {NewKey(isRandom)}");

        var types = isRandom ? RandomTypes : DeterministicTypes;
        if (!isRandom)
        {
            types = [types[_random.Next(types.Length)]];
            parts.Add($"\"bsonType\": \"{types[0].Alias()}\"");
        }
        else if (Chance(2))
        {
            types = [.. types.OrderBy(_ => _random.Next()).Take(_random.Next(1, 4))];
            parts.Add($"\"bsonType\": [{string.Join(", ", types.Select(type => $"\"{type.Alias()}\""))}]");
        }

        node = (algorithm.Value, types);
        return $"{{\"encrypt\": {{{string.Join(", ", parts)}}}}}";
    }

    private string NewKey(bool mayBePointer)
        => mayBePointer && Chance(4) ? "\"/owner\"" : $"[{{\"$uuid\": \"{_keys[_random.Next(_keys.Count)]}\"}}]";

    private static string Text(CsfleAlgorithm algorithm)
        => $"\"algorithm\": \"{(algorithm == CsfleAlgorithm.Deterministic ? SchemaKeywords.Deterministic : SchemaKeywords.Random)}\"";

    private void Write(BsonWriter writer, string parent, string name, in (CsfleAlgorithm Algorithm, BsonType[] Types) node)
    {
        var type = node.Types[_random.Next(node.Types.Length)];
        var sentinel = Enumerable.Range(0, 16).Select(_ => (byte)_random.Next('a', 'z' + 1)).ToArray();
        var value = Value(type, sentinel);
        writer.WriteRaw(type, Encoding.UTF8.GetBytes(name), value);
        _marked.Add(new MarkedValue(parent + name, node.Algorithm, type, value, value.AsSpan().IndexOf(sentinel) >= 0 ? sentinel : null));
    }

    private byte[] Value(BsonType type, byte[] sentinel)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        var name = "v"u8;
        switch (type)
        {
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                writer.WriteText(type, name, sentinel);
                break;
            case BsonType.Binary:
                writer.WriteBinary(name, BinarySubtype.Generic, [.. sentinel, (byte)_random.Next(256)]);
                break;
            case BsonType.Document or BsonType.Array:
                if (type == BsonType.Document) writer.StartDocument(name);
                else writer.StartArray(name);
                writer.WriteString("0"u8, sentinel);
                writer.WriteDouble("1"u8, _random.NextDouble());
                writer.EndDocument();
                break;
            case BsonType.RegularExpression:
                writer.WriteRaw(type, name, [.. sentinel, 0, (byte)'i', 0]);
                break;
            case BsonType.DbPointer:
                writer.WriteRaw(type, name, [17, 0, 0, 0, .. sentinel, 0, .. sentinel[..12]]);
                break;
            case BsonType.JavaScriptWithScope:
                writer.WriteRaw(type, name, [30, 0, 0, 0, 17, 0, 0, 0, .. sentinel, 0, 5, 0, 0, 0, 0]);
                break;
            case BsonType.Decimal128:
                writer.WriteRaw(type, name, sentinel);
                break;
            case BsonType.Boolean:
                writer.WriteBoolean(name, Chance(2));
                break;
            case BsonType.ObjectId:
                writer.WriteRaw(type, name, sentinel[..12]);
                break;
            case BsonType.Int32:
                writer.WriteInt32(name, _random.Next());
                break;
            default:
                writer.WriteRaw(type, name, sentinel[..8]);
                break;
        }

        writer.EndDocument();
        var reader = new BsonReader(writer.ToArray());
        reader.Read();
        return reader.Value.ToArray();
    }

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    /// <summary>What a level inherits: the algorithm, and the key as JSON.</summary>
    private readonly record struct Metadata(CsfleAlgorithm? Algorithm, string? Key);
}

/// <summary>A value that is encrypted.</summary>
/// <param name="Path">Where it stands, dotted.</param>
/// <param name="Algorithm">How it is encrypted.</param>
/// <param name="Type">Its type.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Sentinel">16 bytes of it that are nowhere else; null where the type has no room for them.</param>
internal sealed record MarkedValue(string Path, CsfleAlgorithm Algorithm, BsonType Type, byte[] Bytes, byte[]? Sentinel);
