using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Testing;

/// <summary>How a value is to be encrypted. What is null is not looked at.</summary>
public sealed record EncryptionExpectation
{
    /// <summary>The algorithm.</summary>
    public CsfleAlgorithm? Algorithm { get; init; }

    /// <summary>The id of the data key; <c>csfle.Keys.GetOrCreateDataKey("name")</c> gives that of a name.</summary>
    public Guid? KeyId { get; init; }

    /// <summary>The BSON type that the value had before.</summary>
    public MongoDB.Bson.BsonType? Type { get; init; }

    internal string Describe()
    {
        var details = new List<string>(3);
        if (Algorithm is { } algorithm) details.Add(algorithm.ToString());
        if (Type is { } type) details.Add(((BsonType)(byte)type).Alias());
        if (KeyId is { } keyId) details.Add($"data key {keyId}");
        return details.Count == 0 ? "ciphertext" : $"ciphertext ({string.Join(", ", details)})";
    }
}
