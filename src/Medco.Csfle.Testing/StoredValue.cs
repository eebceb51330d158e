using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Testing;

/// <summary>What stands at a path of a stored document.</summary>
/// <param name="Kind">Whether it is encrypted.</param>
/// <param name="Description">The same for people, without the value.</param>
internal readonly record struct StoredValue(StoredKind Kind, string Description)
{
    /// <summary>The ciphertext's algorithm, data key and type.</summary>
    public EncryptionExpectation? Encryption { get; private init; }

    /// <summary>Follows a dotted path; a number is the place in an array.</summary>
    public static StoredValue At(ReadOnlySpan<byte> document, string path)
    {
        var reader = new BsonReader(document);
        var steps = path.Split('.');
        for (var i = 0; ; i++)
        {
            if (!reader.ReadTo(Encoding.UTF8.GetBytes(steps[i]))) return new(StoredKind.Absent, "not there");
            if (i == steps.Length - 1) return Of(reader);
            if (reader.Type is BsonType.Document or BsonType.Array)
            {
                reader = reader.ReadDocument();
                continue;
            }

            var outer = Of(reader);
            var outerPath = string.Join('.', steps[..(i + 1)]);
            return outer.Kind == StoredKind.Ciphertext
                ? new(StoredKind.InsideCiphertext, $"inside of '{outerPath}', which is encrypted as a whole")
                : new(StoredKind.Absent, $"not there: '{outerPath}' is {outer.Description}");
        }
    }

    /// <summary>What is wrong about it, where it was to be encrypted.</summary>
    public EncryptionAssertionFailure? ShouldBeEncrypted(string? collection, string path, EncryptionExpectation expected)
    {
        var matches = Encryption is { } actual
            && (expected.Algorithm is null || expected.Algorithm == actual.Algorithm)
            && (expected.KeyId is null || expected.KeyId == actual.KeyId)
            && (expected.Type is null || expected.Type == actual.Type);
        return matches ? null : new(collection, path, expected.Describe(), Description);
    }

    /// <summary>What is wrong about it, where it was to be stored in clear.</summary>
    public EncryptionAssertionFailure? ShouldNotBeEncrypted(string? collection, string path)
        => Kind == StoredKind.Clear ? null : new(collection, path, "stored in clear", Description);

    private static StoredValue Of(in BsonReader element)
    {
        if (element.Type == BsonType.Null) return new(StoredKind.Clear, "null, in clear");
        if (element.Type != BsonType.Binary) return new(StoredKind.Clear, $"{element.Type.Alias()}, in clear");
        var bytes = element.GetBinary(out var subtype);
        if (subtype != BinarySubtype.Encrypted) return new(StoredKind.Clear, $"binary data of subtype {subtype}, in clear");
        if (!Ciphertext.IsWellFormed(bytes)) return new(StoredKind.Malformed, "binary data of subtype 6 that is no ciphertext");
        var ciphertext = Ciphertext.Parse(bytes);
        var encryption = new EncryptionExpectation
        {
            Algorithm = ciphertext.Algorithm,
            KeyId = ciphertext.KeyId,
            Type = (MongoDB.Bson.BsonType)(byte)ciphertext.OriginalType,
        };
        return new(StoredKind.Ciphertext, encryption.Describe()) { Encryption = encryption };
    }
}

/// <summary>Whether a stored value is encrypted.</summary>
internal enum StoredKind
{
    /// <summary>There is no such path.</summary>
    Absent,

    /// <summary>It is not encrypted.</summary>
    Clear,

    /// <summary>It is a ciphertext.</summary>
    Ciphertext,

    /// <summary>It is part of something that is encrypted as a whole.</summary>
    InsideCiphertext,

    /// <summary>It says that it is encrypted, and cannot be.</summary>
    Malformed,
}
