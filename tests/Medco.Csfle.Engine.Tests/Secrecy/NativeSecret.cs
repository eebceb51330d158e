using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Medco.Csfle.Engine.Tests.Secrecy;

/// <summary>A random key outside the managed heap, so that a test which looks for copies of it knows where its own one is.</summary>
internal sealed unsafe class NativeSecret : MemoryManager<byte>
{
    public const int Length = 96;

    private static readonly int TextLength = Base64.GetMaxEncodedToUtf8Length(Length);

    private readonly byte* _bytes = (byte*)NativeMemory.Alloc((nuint)(Length + TextLength));

    public NativeSecret()
    {
        RandomNumberGenerator.Fill(GetSpan());
        Base64.EncodeToUtf8(GetSpan(), Text, out _, out _);
    }

    /// <summary>The same in base64, as UTF-8.</summary>
    public Span<byte> Text => new(_bytes + Length, TextLength);

    /// <summary>Where it is.</summary>
    public (nuint Start, nuint End) Range => ((nuint)_bytes, (nuint)_bytes + (nuint)(Length + TextLength));

    public override Span<byte> GetSpan() => new(_bytes, Length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_bytes + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(new Span<byte>(_bytes, Length + TextLength));
        NativeMemory.Free(_bytes);
    }
}
