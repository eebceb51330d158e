using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Bson;

/// <summary>A value without a name: its type and its raw bytes.</summary>
internal readonly record struct GeneratedValue(BsonType Type, byte[] Bytes);

/// <summary>
/// Generators of BSON documents with every type, nesting, repeated names and awkward text. No name starts with <c>$</c>, so
/// that no document looks like a type wrapper of Extended JSON, and what Extended JSON cannot carry (a NaN's payload, array
/// elements with other names than their index) is not generated: canonical text gives the same bytes back.
/// </summary>
internal static class BsonGenerators
{
    private const int MaxDepth = 4;

    private static readonly string[] Fragments =
        ["", "a", "Z", "0", " ", "\"", "\\", "/", "\t", "\n", "\u0001", "\u001f", "\u007f", "é", "☆", "\u2028", "\uFEFF", "\uFFFF", "😀", "ssn", "a.b", ".", "'", "<"];

    /// <summary>Text without NUL, as UTF-8.</summary>
    public static Gen<byte[]> CString { get; } =
        from fragments in Gen.Elements(Fragments).ListOf()
        select Encoding.UTF8.GetBytes(string.Concat(fragments));

    /// <summary>Text that may hold NUL, as UTF-8.</summary>
    public static Gen<byte[]> Text { get; } =
        from fragments in Gen.Frequency((20, Gen.Elements(Fragments)), (1, Gen.Constant("\0"))).ListOf()
        select Encoding.UTF8.GetBytes(string.Concat(fragments));

    /// <summary>Any bytes.</summary>
    public static Gen<byte[]> Bytes { get; } = Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf();

    /// <summary>Any 64 bits, with the borders of the integer types more often than chance has it.</summary>
    public static Gen<long> Int64 { get; } = Gen.OneOf(
        Gen.Elements(0L, 1, -1, int.MaxValue, int.MinValue, int.MaxValue + 1L, int.MinValue - 1L, long.MaxValue, long.MinValue, 253_402_300_799_999, 253_402_300_800_000),
        from high in Gen.Choose(int.MinValue, int.MaxValue)
        from low in Gen.Choose(int.MinValue, int.MaxValue)
        select unchecked((long)high << 32 ^ low));

    /// <summary>Any double; NaN only as every driver writes it.</summary>
    public static Gen<double> Double { get; } = Gen.OneOf(
        Gen.Elements(0.0, -0.0, 1.0, -1.0, 0.1, 1e15, 1e16, 1.2345678921232E+18, double.Epsilon, double.MaxValue, double.MinValue, double.PositiveInfinity, double.NegativeInfinity),
        Gen.Choose(-1_000_000, 1_000_000).Select(value => value / 1000.0),
        Int64.Select(BitConverter.Int64BitsToDouble)).Select(value => double.IsNaN(value) ? BitConverter.Int64BitsToDouble(0x7FF8L << 48) : value);

    /// <summary>The types a generated document can hold: all there are.</summary>
    public static BsonType[] Types { get; } = Enum.GetValues<BsonType>();

    /// <summary>One value of a type; documents and arrays nest up to <paramref name="depth"/> levels.</summary>
    public static Gen<GeneratedValue> Value(BsonType type, int depth = MaxDepth) => Raw(type, depth).Select(bytes => new GeneratedValue(type, bytes));

    /// <summary>One value of any type.</summary>
    public static Gen<GeneratedValue> Value(int depth = MaxDepth)
        => Gen.Elements(depth > 0 ? Types : Types.Where(type => !Nests(type)).ToArray()).SelectMany(type => Value(type, depth));

    /// <summary>One document, which nests up to <paramref name="depth"/> levels.</summary>
    public static Gen<byte[]> Document(int depth = MaxDepth)
        => from elements in (from name in CString from value in Value(depth - 1) select (name, value)).ListOf()
           select Write(elements);

    /// <summary>Documents for properties. Shrinks by leaving elements of the outermost level out.</summary>
    public static Arbitrary<byte[]> Documents { get; } = Arb.From(Document().Resize(12), Shrink);

    private static bool Nests(BsonType type) => type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope;

    private static Gen<byte[]> Raw(BsonType type, int depth) => type switch
    {
        BsonType.Double => Double.Select(value => LittleEndian(BitConverter.DoubleToInt64Bits(value))),
        BsonType.String or BsonType.JavaScript or BsonType.Symbol => Text.Select(String),
        BsonType.Document => Document(depth),
        BsonType.Array => Value(depth - 1).ListOf().Select(values =>
            Write(values.Select((value, index) => (Encoding.ASCII.GetBytes($"{index}"), value)))),
        BsonType.Binary => Bytes.SelectMany(bytes => Gen.Choose(0, 255).Select(subtype => Binary((byte)subtype, bytes))),
        BsonType.ObjectId => Bytes.Select(bytes => Sized(bytes, 12)),
        BsonType.Boolean => Gen.Elements(new byte[] { 0 }, [1]),
        BsonType.DateTime or BsonType.Timestamp or BsonType.Int64 => Int64.Select(LittleEndian),
        BsonType.RegularExpression =>
            from pattern in CString
            from options in Gen.SubListOf("ilmsux".ToCharArray())
            select (byte[])[.. pattern, 0, .. Encoding.ASCII.GetBytes(options.Order().ToArray()), 0],
        BsonType.DbPointer => from ns in Text from id in Bytes select (byte[])[.. String(ns), .. Sized(id, 12)],
        BsonType.JavaScriptWithScope => from code in Text from scope in Document(depth - 1) select ScopedCode(code, scope),
        BsonType.Int32 => Int64.Select(value => LittleEndian(value)[..4]),
        BsonType.Decimal128 => Decimal128,
        BsonType.Null or BsonType.Undefined or BsonType.MinKey or BsonType.MaxKey => Gen.Constant(Array.Empty<byte>()),
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    private static Gen<byte[]> Decimal128 { get; } = Gen.OneOf(
        Gen.Elements(0x7800UL, 0xF800UL, 0x7C00UL).Select(high => (byte[])[.. new byte[8], .. LittleEndian(unchecked((long)(high << 48)))]),
        from high in Int64
        from low in Int64
        from digits in Gen.Choose(0, 34)
        from exponent in Gen.OneOf(Gen.Elements(0, 12287), Gen.Choose(6140, 6190), Gen.Choose(0, 12287))
        from negative in Gen.Elements(0UL, 1UL << 63)
        select PackedDecimal128(new UInt128(unchecked((ulong)high), unchecked((ulong)low)) % PowerOfTen(digits), exponent, negative));

    private static UInt128 PowerOfTen(int exponent) => UInt128.Parse("1" + new string('0', exponent));

    private static byte[] PackedDecimal128(UInt128 coefficient, int biasedExponent, ulong sign)
        => unchecked([.. LittleEndian((long)(ulong)coefficient), .. LittleEndian((long)(sign | (ulong)biasedExponent << 49 | (ulong)(coefficient >> 64)))]);

    private static byte[] Write(IEnumerable<(byte[] Name, GeneratedValue Value)> elements)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        foreach (var (name, value) in elements) writer.WriteRaw(value.Type, name, value.Bytes);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static IEnumerable<byte[]> Shrink(byte[] document)
    {
        var elements = new List<(byte[] Name, GeneratedValue Value)>();
        var reader = new BsonReader(document);
        while (reader.Read()) elements.Add((reader.Name.ToArray(), new GeneratedValue(reader.Type, reader.Value.ToArray())));
        return Enumerable.Range(0, elements.Count).Select(left => Write(elements.Where((_, index) => index != left)));
    }

    private static byte[] String(byte[] utf8) => [.. LittleEndian(utf8.Length + 1)[..4], .. utf8, 0];

    private static byte[] Binary(byte subtype, byte[] bytes)
    {
        byte[] content = subtype == BinarySubtype.OldBinary ? [.. LittleEndian(bytes.Length)[..4], .. bytes] : bytes;
        return [.. LittleEndian(content.Length)[..4], subtype, .. content];
    }

    private static byte[] ScopedCode(byte[] code, byte[] scope)
    {
        var text = String(code);
        return [.. LittleEndian(sizeof(int) + text.Length + scope.Length)[..4], .. text, .. scope];
    }

    private static byte[] Sized(byte[] bytes, int size)
    {
        Array.Resize(ref bytes, size);
        return bytes;
    }

    private static byte[] LittleEndian(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}
