using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Marking;

/// <summary>
/// Writes a command with markings: orders to another engine, libmongocrypt, to encrypt a value where it stands. A marking is
/// binary data of subtype 6: <c>{ 0x00 | { a: int32, ki: UUID | ka: string, v: value } }</c>, algorithm (1 deterministic,
/// 2 random), data key by id or by alternate name, and plaintext. Source: libmongocrypt (Apache-2.0), mongocrypt-marking.c.
/// </summary>
/// <remarks>
/// The lengths in a plan are those of ciphertexts. So the command is first laid out with room for ciphertexts and then written
/// anew, which finds the length of every document again.
/// </remarks>
internal ref struct MarkingWriter
{
    private const byte IntentToEncrypt = 0;

    private readonly ReadOnlySpan<int> _places;
    private readonly ReadOnlySpan<byte> _command;
    private readonly EncryptionPlan _plan;
    private readonly BsonWriter _writer;
    private int _next;

    private MarkingWriter(ReadOnlySpan<int> places, ReadOnlySpan<byte> command, EncryptionPlan plan, BsonWriter writer)
    {
        _places = places;
        _command = command;
        _plan = plan;
        _writer = writer;
    }

    /// <summary>Writes the command.</summary>
    /// <param name="shape">The command as it looks encrypted; what stands for a ciphertext does not matter.</param>
    /// <param name="places">For each of the plan's placeholders, the offset in the shape at which its value starts; ascending.</param>
    /// <param name="command">The command as it came, which holds the plaintexts.</param>
    /// <param name="plan">What is to be encrypted.</param>
    public static byte[] Write(ReadOnlySpan<byte> shape, ReadOnlySpan<int> places, ReadOnlySpan<byte> command, EncryptionPlan plan)
    {
        using var writer = new BsonWriter(shape.Length);
        var markings = new MarkingWriter(places, command, plan, writer);
        writer.StartDocument();
        markings.Copy(new BsonReader(shape));
        writer.EndDocument();
        return writer.ToArray();
    }

    private void Copy(BsonReader reader)
    {
        while (reader.Read())
        {
            if (_next == _places.Length || _places[_next] >= reader.ValueEnd)
            {
                _writer.WriteRaw(reader.Type, reader.Name, reader.Value);
            }
            else if (_places[_next] == reader.ValueStart)
            {
                WriteMarking(reader.Name, _plan.Placeholders[_next++]);
            }
            else
            {
                if (reader.Type == BsonType.Array) _writer.StartArray(reader.Name);
                else _writer.StartDocument(reader.Name);
                Copy(reader.ReadDocument());
                _writer.EndDocument();
            }
        }
    }

    private readonly void WriteMarking(ReadOnlySpan<byte> name, Placeholder placeholder)
    {
        using var marking = new BsonWriter(placeholder.ValueLength + 64);
        marking.StartDocument();
        marking.WriteInt32("a"u8, (int)placeholder.Algorithm);
        var key = _plan.Keys[placeholder.Key];
        if (key.AltName is { } altName) marking.WriteString("ka"u8, altName);
        else marking.WriteUuid("ki"u8, key.Id);
        marking.WriteRaw(placeholder.Type, "v"u8, _command.Slice(placeholder.ValueStart, placeholder.ValueLength));
        marking.EndDocument();
        _writer.WriteBinary(name, BinarySubtype.Encrypted, [IntentToEncrypt, .. marking.WrittenSpan]);
    }
}
