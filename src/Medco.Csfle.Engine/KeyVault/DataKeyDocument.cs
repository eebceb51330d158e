using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// A data key as the key vault holds it: wrapped by a customer master key, so that it is no secret by itself.
/// </summary>
/// <remarks>
/// <code>
/// _id           UUID, binary subtype 4
/// keyAltNames   array of distinct strings; only where there are any
/// keyMaterial   binary subtype 0: the wrapped key
/// creationDate  date
/// updateDate    date
/// status        int32; 0 is enabled, and nobody looks at it
/// masterKey     document: provider and what the provider needs
/// version       optional; 0
/// </code>
/// Reading is strict, as libmongocrypt's is: a field that is unknown, missing or of another type is an error. Source:
/// specifications, client-side-encryption, "DataKey"; libmongocrypt, mongocrypt-key.c.
/// </remarks>
public sealed class DataKeyDocument
{
    private readonly byte[] _bson;
    private readonly Range _keyMaterial;
    private readonly Range _masterKey;

    private DataKeyDocument(byte[] bson)
    {
        _bson = bson;
        BsonValidator.Validate(bson);
        Id = ReadId(bson);

        var seen = new HashSet<string>(StringComparer.Ordinal);
        var reader = new BsonReader(bson);
        while (reader.Read())
        {
            var name = reader.GetName();
            if (!seen.Add(name)) throw Malformed($"the field '{name}' stands there twice");
            switch (name)
            {
                case "_id":
                    break;
                case "keyAltNames":
                    KeyAltNames = ReadNames(reader);
                    break;
                case "keyMaterial":
                    if (reader.Type != BsonType.Binary) throw Malformed("invalid 'keyMaterial', expected binary");
                    var material = reader.GetBinary(out var subtype);
                    if (subtype != BinarySubtype.Generic) throw Malformed("invalid 'keyMaterial', expected subtype 0");
                    _keyMaterial = (reader.ValueEnd - material.Length)..reader.ValueEnd;
                    break;
                case "creationDate":
                    CreationDate = ReadDate(reader, name);
                    break;
                case "updateDate":
                    UpdateDate = ReadDate(reader, name);
                    break;
                case "status":
                    Status = reader.Type == BsonType.Int32 ? reader.GetInt32() : null;
                    break;
                case "masterKey":
                    if (reader.Type != BsonType.Document) throw Malformed("invalid 'masterKey', expected document");
                    Provider = MasterKeyDocument.Validate(reader.Value, Id);
                    _masterKey = reader.ValueStart..reader.ValueEnd;
                    break;
                case "version":
                    if (reader.Type is not (BsonType.Int32 or BsonType.Int64)) throw Malformed("invalid 'version', expect int");
                    if ((reader.Type == BsonType.Int32 ? reader.GetInt32() : reader.GetInt64()) != 0)
                    {
                        throw Malformed("unsupported key document version, only supports version=0");
                    }

                    break;
                default:
                    throw Malformed($"unrecognized field '{name}'");
            }
        }

        foreach (var required in (ReadOnlySpan<string>)["masterKey", "keyMaterial", "status", "creationDate", "updateDate"])
        {
            if (!seen.Contains(required)) throw Malformed($"invalid key, no '{required}'");
        }
    }

    /// <summary>The UUID that every ciphertext under this key carries.</summary>
    public Guid Id { get; }

    /// <summary>The key alternate names, unique over the whole key vault; often none.</summary>
    public IReadOnlyList<string> KeyAltNames { get; } = [];

    /// <summary>The wrapped key; 160 bytes for a local master key.</summary>
    public ReadOnlyMemory<byte> KeyMaterial => _bson.AsMemory(_keyMaterial);

    /// <summary>When it was created, in milliseconds since the Unix epoch, UTC. A BSON date can lie beyond what .NET's types hold.</summary>
    public long CreationDate { get; }

    /// <summary>When it was changed last, in milliseconds since the Unix epoch, UTC.</summary>
    public long UpdateDate { get; }

    /// <summary>
    /// 0 for enabled. It must be there but, as with the official drivers, decides nothing; null where it is no int32.
    /// </summary>
    public int? Status { get; }

    /// <summary>The KMS provider that holds the master key, such as <c>local</c> or <c>aws:name</c>.</summary>
    public string Provider { get; } = "";

    /// <summary>The raw BSON of <c>masterKey</c>, <c>provider</c> included.</summary>
    public ReadOnlyMemory<byte> MasterKey => _bson.AsMemory(_masterKey);

    /// <summary>Reads a document of a key vault.</summary>
    /// <param name="bson">One BSON document, of which a copy is taken.</param>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: it is no data key.</exception>
    /// <exception cref="BsonFormatException">It is not BSON.</exception>
    public static DataKeyDocument Parse(ReadOnlySpan<byte> bson) => new(bson.ToArray());

    /// <summary>The BSON document; the very bytes of one that was parsed.</summary>
    public byte[] ToBson() => _bson.AsSpan().ToArray();

    /// <summary>The BSON document itself.</summary>
    internal ReadOnlyMemory<byte> Bson => _bson;

    /// <summary>The same key with other names; without the field where there are none.</summary>
    internal DataKeyDocument WithNames(IReadOnlyList<string> keyAltNames)
    {
        var isWritten = keyAltNames.Count == 0;
        using var writer = new BsonWriter(_bson.Length + 64);
        writer.StartDocument();
        var reader = new BsonReader(_bson);
        while (reader.Read())
        {
            if (!reader.Name.SequenceEqual("keyAltNames"u8))
            {
                writer.WriteRaw(reader.Type, reader.Name, reader.Value);
            }
            else if (!isWritten)
            {
                WriteNames(writer, keyAltNames);
                isWritten = true;
            }
        }

        if (!isWritten) WriteNames(writer, keyAltNames);
        writer.EndDocument();
        return new DataKeyDocument(writer.ToArray());
    }

    /// <summary>The same key, wrapped anew.</summary>
    internal DataKeyDocument With(RewrappedKey rewrapped, DateTimeOffset now)
    {
        using var writer = new BsonWriter(_bson.Length + 256);
        writer.StartDocument();
        var reader = new BsonReader(_bson);
        while (reader.Read())
        {
            if (reader.Name.SequenceEqual("keyMaterial"u8)) writer.WriteBinary(reader.Name, BinarySubtype.Generic, rewrapped.KeyMaterial.Span);
            else if (reader.Name.SequenceEqual("masterKey"u8)) writer.WriteDocument(reader.Name, rewrapped.MasterKey.Span);
            else if (reader.Name.SequenceEqual("updateDate"u8)) writer.WriteInt64(reader.Name, now.ToUnixTimeMilliseconds(), BsonType.DateTime);
            else writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        }

        writer.EndDocument();
        return new DataKeyDocument(writer.ToArray());
    }

    /// <summary>Id, names and provider.</summary>
    public override string ToString()
        => KeyAltNames.Count == 0
            ? $"data key {Id} ({Provider})"
            : $"data key {Id} '{string.Join("', '", KeyAltNames)}' ({Provider})";

    /// <summary>A new, enabled data key.</summary>
    internal static DataKeyDocument Create(Guid id, IReadOnlyList<string> keyAltNames, ReadOnlySpan<byte> keyMaterial, DateTimeOffset now, ReadOnlySpan<byte> masterKey)
    {
        using var writer = new BsonWriter(512);
        writer.StartDocument();
        writer.WriteUuid("_id"u8, id);
        if (keyAltNames.Count > 0) WriteNames(writer, keyAltNames);
        writer.WriteBinary("keyMaterial"u8, BinarySubtype.Generic, keyMaterial);
        writer.WriteInt64("creationDate"u8, now.ToUnixTimeMilliseconds(), BsonType.DateTime);
        writer.WriteInt64("updateDate"u8, now.ToUnixTimeMilliseconds(), BsonType.DateTime);
        writer.WriteInt32("status"u8, 0);
        writer.WriteDocument("masterKey"u8, masterKey);
        writer.EndDocument();
        return new DataKeyDocument(writer.ToArray());
    }

    private static void WriteNames(BsonWriter writer, IReadOnlyList<string> keyAltNames)
    {
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        writer.StartArray("keyAltNames"u8);
        for (var i = 0; i < keyAltNames.Count; i++) writer.WriteString(BsonIndex.Format(i, index), keyAltNames[i]);
        writer.EndDocument();
    }

    private static Guid ReadId(ReadOnlySpan<byte> bson)
    {
        const int UuidLength = 16;
        var reader = new BsonReader(bson);
        if (!reader.ReadTo("_id"u8)) throw Malformed("invalid key, no '_id'", null);
        if (reader.Type == BsonType.Binary)
        {
            var bytes = reader.GetBinary(out var subtype);
            if (subtype == BinarySubtype.Uuid && bytes.Length == UuidLength) return new Guid(bytes, bigEndian: true);
        }

        throw Malformed("invalid key, '_id' is not a UUID", null);
    }

    private string[] ReadNames(BsonReader reader)
    {
        if (reader.Type != BsonType.Array) throw Malformed("malformed keyAltNames, expected array");
        var names = new List<string>();
        var array = reader.ReadDocument();
        while (array.Read())
        {
            if (array.Type != BsonType.String) throw Malformed("unexpected non-UTF8 keyAltName");
            var name = array.GetString();
            if (names.Contains(name)) throw Malformed($"unexpected duplicate keyAltNames: '{name}'");
            names.Add(name);
        }

        return [.. names];
    }

    private long ReadDate(BsonReader reader, string name)
        => reader.Type == BsonType.DateTime ? reader.GetInt64() : throw Malformed($"invalid '{name}', expect datetime");

    private DataKeyException Malformed(string what) => Malformed(what, Id);

    private static DataKeyException Malformed(string what, Guid? id) => new(
        CsfleErrorCode.MalformedDataKey,
        id is null ? $"a document in the key vault is no data key: {what}" : $"data key {id} is malformed: {what}",
        "Check that the key vault is the right one. A document that was changed by hand is restored from a backup of the key vault.",
        id);
}
