using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// What query analysis found in one command: which values are to be encrypted, with which keys, and what else of the command
/// changes around them. Everything that is not named here is copied verbatim.
/// </summary>
/// <remarks>
/// The plan is a list of edits in the order of the command's bytes: replace so many bytes at an offset by literal bytes, or by
/// a ciphertext. Placeholders live here, typed, and never in the bytes, so that nothing a caller passes can be mistaken for
/// one. Since the length of a ciphertext follows from the length of its plaintext, every length of the result is known before
/// any key is, and the result is written once, into an array of the right size. A plan that is not needed any more is recycled:
/// its lists would otherwise be allocated anew for every command, and grow with its fields.
/// </remarks>
internal sealed class EncryptionPlan
{
    // More than this is not kept for the next command: one huge command shall not hold memory for ever.
    private const int MaxKept = 1024;

    [ThreadStatic]
    private static EncryptionPlan? t_idle;

    private ReadOnlyMemory<byte> _command;
    private readonly List<Edit> _edits = [];
    private readonly List<Placeholder> _placeholders = [];
    private readonly List<KeyReference> _keys = [];
    private readonly Dictionary<KeyReference, int> _keyIndexes = [];
    private byte[] _literals = new byte[64];
    private int _literalLength;
    private int _growth;
    private bool _removes;

    /// <summary>An empty plan for a command: send it as it is.</summary>
    public EncryptionPlan(ReadOnlyMemory<byte> command) => _command = command;

    /// <summary>The same, from one that was recycled on this thread where there is one.</summary>
    public static EncryptionPlan For(ReadOnlyMemory<byte> command)
    {
        if (t_idle is not { } plan) return new EncryptionPlan(command);
        t_idle = null;
        plan._command = command;
        return plan;
    }

    /// <summary>Gives the plan back. Whoever does may not touch it again, nor may anybody else have kept it.</summary>
    public void Recycle()
    {
        if (_edits.Capacity > MaxKept || _literals.Length > sizeof(int) * MaxKept || _keys.Capacity > MaxKept) return;
        _command = default;
        _edits.Clear();
        _placeholders.Clear();
        _keys.Clear();
        _keyIndexes.Clear();
        _literalLength = 0;
        _growth = 0;
        _removes = false;
        t_idle = this;
    }

    /// <summary>Whether anything is to be encrypted.</summary>
    public bool HasPlaceholders => _placeholders.Count > 0;

    /// <summary>Whether the command goes out as the very bytes that came in: nothing is to be encrypted or left out.</summary>
    public bool IsVerbatim => !HasPlaceholders && !_removes;

    /// <summary>The values to encrypt, in the order of the command's bytes.</summary>
    public IReadOnlyList<Placeholder> Placeholders => _placeholders;

    /// <summary>The data keys needed, each once; <see cref="Placeholder.Key"/> is an index into this list.</summary>
    public IReadOnlyList<KeyReference> Keys => _keys;

    /// <summary>The same list; valid as long as nothing is added to the plan.</summary>
    public ReadOnlySpan<KeyReference> KeySpan => CollectionsMarshal.AsSpan(_keys);

    /// <summary>The length in bytes of the encrypted command.</summary>
    public int EncryptedLength => _command.Length + _growth;

    /// <summary>Plans the encryption of a value in place: the element's type becomes binary data, its value a ciphertext.</summary>
    public void Encrypt(in BsonReader element, CsfleAlgorithm algorithm, KeyReference key)
    {
        ReplaceByte(element.ElementStart, (byte)BsonType.Binary);
        AddPlaceholder(element, algorithm, key);
    }

    /// <summary>Plans <c>name: value</c> to become <c>name: {$eq: ciphertext}</c>.</summary>
    public void EncryptAsEquality(in BsonReader element, CsfleAlgorithm algorithm, KeyReference key)
    {
        var ciphertextLength = Ciphertext.LengthFor(element.ValueEnd - element.ValueStart);
        OpenOperator(element, "$eq\0"u8, BsonType.Binary, BinaryHeaderLength + ciphertextLength);
        AddPlaceholder(element, algorithm, key);
        Insert(element.ValueEnd, [0]);
    }

    /// <summary>Plans <c>name: value</c> to become <c>name: {$eq: value}</c>, the value itself unchanged.</summary>
    public void WrapInEquality(in BsonReader element) => Wrap(element, "$eq\0"u8);

    /// <summary>Plans <c>name: value</c> to become <c>name: {$const: value}</c>, a constant in an expression.</summary>
    public void WrapInConstant(in BsonReader element) => Wrap(element, "$const\0"u8);

    /// <summary>Plans an element to be left out of its document.</summary>
    public void Remove(in BsonReader element)
    {
        Replace(element.ElementStart, element.ValueEnd - element.ElementStart, []);
        _removes = true;
    }

    /// <summary>Announces that what follows may change the document that starts at an offset of the command.</summary>
    /// <returns>To be handed to <see cref="EndDocument"/> when all of the document has been seen.</returns>
    public Mark BeginDocument(int documentStart)
    {
        var mark = new Mark(_edits.Count, _placeholders.Count, _literalLength, _growth);
        Replace(documentStart, sizeof(int), [0, 0, 0, 0]);
        return mark;
    }

    /// <summary>Writes the document's new length into the plan, or forgets the document if nothing in it changed.</summary>
    public void EndDocument(Mark mark, in BsonReader document)
    {
        if (_edits.Count == mark.Edits + 1)
        {
            Undo(mark);
            return;
        }

        SetInt32(mark.Literals, document.End - document.Start + (_growth - mark.Growth));
    }

    /// <summary>Remembers the state of the plan, so that <see cref="Undo"/> can come back to it.</summary>
    public Mark Remember() => new(_edits.Count, _placeholders.Count, _literalLength, _growth);

    /// <summary>Whether placeholders were added since.</summary>
    public bool HasPlaceholdersSince(Mark mark) => _placeholders.Count > mark.Placeholders;

    /// <summary>Forgets everything planned since. The list of keys stays: what is needed is planned again.</summary>
    public void Undo(Mark mark)
    {
        _edits.RemoveRange(mark.Edits, _edits.Count - mark.Edits);
        _placeholders.RemoveRange(mark.Placeholders, _placeholders.Count - mark.Placeholders);
        _literalLength = mark.Literals;
        _growth = mark.Growth;
    }

    /// <summary>Plans literal bytes in front of an offset.</summary>
    /// <returns>Where the bytes are kept, for <see cref="SetInt32"/>.</returns>
    public int Insert(int offset, ReadOnlySpan<byte> literal) => Replace(offset, 0, literal);

    /// <summary>Overwrites four bytes of a literal that is already planned: a length that was not known then.</summary>
    public void SetInt32(int literal, int value) => BinaryPrimitives.WriteInt32LittleEndian(_literals.AsSpan(literal), value);

    /// <summary>How many bytes longer the command has become since.</summary>
    public int GrowthSince(Mark mark) => _growth - mark.Growth;

    /// <summary>Writes the encrypted command.</summary>
    /// <param name="keys">The data keys in the order of <see cref="Keys"/>.</param>
    /// <param name="random">Initialization vectors of the random algorithm come from here.</param>
    public byte[] Apply(ReadOnlySpan<DataKey> keys, IRandomSource random)
    {
        var command = _command.Span;
        var result = GC.AllocateUninitializedArray<byte>(EncryptedLength);
        CopyAround(result);
        var ivs = new InitializationVectors(_placeholders.Count, random, stackalloc byte[InitializationVectors.BatchLength]);
        var growth = 0;
        foreach (var edit in _edits)
        {
            if (edit.Placeholder >= 0)
            {
                WriteCiphertext(command, _placeholders[edit.Placeholder], keys, ref ivs, result.AsSpan(edit.Offset + growth, edit.Added));
            }

            growth += edit.Added - edit.Removed;
        }

        return result;
    }

    /// <summary>
    /// Writes the command with a marking in the place of every ciphertext, for another engine to encrypt. Needs no key, and
    /// holds the plaintexts.
    /// </summary>
    public byte[] ApplyMarkings()
    {
        var command = _command.Span;
        var shape = new byte[EncryptedLength];
        var places = new int[_placeholders.Count];
        CopyAround(shape);
        var growth = 0;
        foreach (var edit in _edits)
        {
            if (edit.Placeholder >= 0)
            {
                places[edit.Placeholder] = edit.Offset + growth;
                WriteBinaryHeader(shape.AsSpan(edit.Offset + growth, edit.Added));
            }

            growth += edit.Added - edit.Removed;
        }

        return MarkingWriter.Write(shape, places, command, this);
    }

    private const int BinaryHeaderLength = sizeof(int) + 1;

    // Copies all but the placeholders, and leaves room for what takes their place.
    private void CopyAround(Span<byte> result)
    {
        var command = _command.Span;
        var read = 0;
        var written = 0;
        foreach (var edit in _edits)
        {
            command[read..edit.Offset].CopyTo(result[written..]);
            written += edit.Offset - read;
            read = edit.Offset + edit.Removed;
            if (edit.Placeholder < 0) _literals.AsSpan(edit.Literal, edit.Added).CopyTo(result[written..]);
            written += edit.Added;
        }

        command[read..].CopyTo(result[written..]);
    }

    private static void WriteBinaryHeader(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, destination.Length - BinaryHeaderLength);
        destination[sizeof(int)] = BinarySubtype.Encrypted;
    }

    private static void WriteCiphertext(
        ReadOnlySpan<byte> command, in Placeholder placeholder, ReadOnlySpan<DataKey> keys, ref InitializationVectors ivs, Span<byte> destination)
    {
        WriteBinaryHeader(destination);
        var value = command.Slice(placeholder.ValueStart, placeholder.ValueLength);
        var iv = placeholder.Algorithm == CsfleAlgorithm.Random ? ivs.Next() : default;
        keys[placeholder.Key].Encrypt(placeholder.Algorithm, placeholder.Type, value, iv, destination[BinaryHeaderLength..]);
    }

    private void Wrap(in BsonReader element, ReadOnlySpan<byte> operatorName)
    {
        OpenOperator(element, operatorName, element.Type, element.ValueEnd - element.ValueStart);
        Insert(element.ValueEnd, [0]);
    }

    private void OpenOperator(in BsonReader element, ReadOnlySpan<byte> operatorName, BsonType innerType, int innerLength)
    {
        ReplaceByte(element.ElementStart, (byte)BsonType.Document);
        Span<byte> opening = stackalloc byte[sizeof(int) + 1 + 8];
        opening = opening[..(sizeof(int) + 1 + operatorName.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(opening, opening.Length + innerLength + 1);
        opening[sizeof(int)] = (byte)innerType;
        operatorName.CopyTo(opening[(sizeof(int) + 1)..]);
        Insert(element.ValueStart, opening);
    }

    private void AddPlaceholder(in BsonReader element, CsfleAlgorithm algorithm, KeyReference key)
    {
        var length = element.ValueEnd - element.ValueStart;
        AddEdit(new Edit(element.ValueStart, length, BinaryHeaderLength + Ciphertext.LengthFor(length), 0, _placeholders.Count));
        _placeholders.Add(new Placeholder(element.ValueStart, length, element.Type, algorithm, KeyIndex(key)));
    }

    private int KeyIndex(KeyReference key)
    {
        if (!_keyIndexes.TryGetValue(key, out var index))
        {
            index = _keys.Count;
            _keys.Add(key);
            _keyIndexes.Add(key, index);
        }

        return index;
    }

    private void ReplaceByte(int offset, byte value) => Replace(offset, 1, [value]);

    private int Replace(int offset, int removed, ReadOnlySpan<byte> literal)
    {
        var start = _literalLength;
        if (start + literal.Length > _literals.Length) Array.Resize(ref _literals, Math.Max(start + literal.Length, 2 * _literals.Length));
        literal.CopyTo(_literals.AsSpan(start));
        _literalLength += literal.Length;
        AddEdit(new Edit(offset, removed, literal.Length, start, -1));
        return start;
    }

    private void AddEdit(Edit edit)
    {
        _edits.Add(edit);
        _growth += edit.Added - edit.Removed;
    }

    /// <summary>A state of the plan to return to or to count from.</summary>
    internal readonly record struct Mark(int Edits, int Placeholders, int Literals, int Growth);

    private readonly record struct Edit(int Offset, int Removed, int Added, int Literal, int Placeholder);
}

/// <summary>One value of a command that is to be encrypted.</summary>
/// <param name="ValueStart">Offset of the value's raw bytes in the command.</param>
/// <param name="ValueLength">Their number.</param>
/// <param name="Type">Their BSON type.</param>
/// <param name="Algorithm">How to encrypt.</param>
/// <param name="Key">Index of the data key in <see cref="EncryptionPlan.Keys"/>.</param>
internal readonly record struct Placeholder(int ValueStart, int ValueLength, BsonType Type, CsfleAlgorithm Algorithm, int Key);

/// <summary>Hands out fresh initialization vectors, drawn many at a time: a draw costs a call into the operating system.</summary>
internal ref struct InitializationVectors
{
    /// <summary>Room for one draw, in bytes.</summary>
    public const int BatchLength = 16 * AeadKey.IvLength;

    private readonly IRandomSource _random;
    private readonly Span<byte> _batch;
    private int _outstanding;
    private int _next;

    /// <summary>For at most <paramref name="count"/> vectors, using a caller's buffer.</summary>
    public InitializationVectors(int count, IRandomSource random, Span<byte> buffer)
    {
        _random = random;
        _batch = buffer[..Math.Min(buffer.Length, checked(count * AeadKey.IvLength))];
        _next = _batch.Length;
        _outstanding = count;
    }

    /// <summary>Sixteen bytes that were never handed out before; valid until the next call.</summary>
    public ReadOnlySpan<byte> Next()
    {
        if (_next == _batch.Length)
        {
            var draw = Math.Min(_batch.Length, _outstanding * AeadKey.IvLength);
            _next = _batch.Length - draw;
            _random.Fill(_batch[_next..]);
        }

        _outstanding--;
        _next += AeadKey.IvLength;
        return _batch[(_next - AeadKey.IvLength).._next];
    }
}
