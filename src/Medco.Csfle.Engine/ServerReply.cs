using System.Diagnostics.CodeAnalysis;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine;

/// <summary>
/// An error that a server answered with: its code and the code's name. The text of the error is left out on purpose, since it
/// can quote values.
/// </summary>
/// <param name="Code">MongoDB's code; null where the answer had none.</param>
/// <param name="CodeName">MongoDB's name of the code; null where the answer had none.</param>
internal readonly record struct ServerError(int? Code, string? CodeName)
{
    /// <summary>MongoDB's code for a value that a unique index already holds.</summary>
    public const int DuplicateKey = 11000;

    private const int MaxCodeNameLength = 64;

    /// <inheritdoc/>
    public override string ToString() => (Code, CodeName) switch
    {
        (null, null) => "an error without a code",
        (null, _) => $"error {CodeName}",
        (_, null) => $"error {Code}",
        _ => $"error {Code} ({CodeName})",
    };

    /// <summary>Reads <c>code</c> and <c>codeName</c> of a reply, of an entry of <c>writeErrors</c>, or of <c>writeConcernError</c>.</summary>
    public static ServerError Read(BsonReader document)
    {
        int? code = null;
        string? name = null;
        while (document.Read())
        {
            if (document.Name.SequenceEqual("code"u8) && document.Type == BsonType.Int32) code = document.GetInt32();
            if (document.Name.SequenceEqual("codeName"u8) && document.Type == BsonType.String) name = document.GetString();
        }

        return new ServerError(code, IsName(name) ? name : null);
    }

    // It goes into messages: a name, and nothing that merely stands where a name should.
    private static bool IsName([NotNullWhen(true)] string? text)
        => text is { Length: > 0 and <= MaxCodeNameLength } && text.All(char.IsAsciiLetterOrDigit);
}

/// <summary>What every reply of a server has in common.</summary>
internal static class ServerReply
{
    /// <summary>Whether the command succeeded.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="error">The server's error where it did not.</param>
    public static bool IsOk(ReadOnlySpan<byte> reply, out ServerError error)
    {
        error = default;
        var reader = new BsonReader(reply);
        if (reader.ReadTo("ok"u8) && IsOne(reader)) return true;
        error = ServerError.Read(new BsonReader(reply));
        return false;
    }

    /// <summary>The reader of a cursor's only batch, or false where the reply has none, or a cursor that goes on.</summary>
    public static bool TryReadBatch(ReadOnlySpan<byte> reply, out BsonReader batch)
    {
        batch = default;
        var reader = new BsonReader(reply);
        if (!reader.ReadTo("cursor"u8) || reader.Type != BsonType.Document) return false;

        bool hasId = false, hasBatch = false;
        var cursor = reader.ReadDocument();
        while (cursor.Read())
        {
            if (cursor.Name.SequenceEqual("id"u8))
            {
                if (hasId || cursor.Type != BsonType.Int64 || cursor.GetInt64() != 0) return false;
                hasId = true;
            }
            else if (cursor.Name.SequenceEqual("firstBatch"u8))
            {
                if (hasBatch || cursor.Type != BsonType.Array) return false;
                batch = cursor.ReadDocument();
                hasBatch = true;
            }
        }

        return hasId && hasBatch;
    }

    /// <summary>
    /// Whether an exception of a command runner is a fault on the way to the server, and not the caller's own cancellation or
    /// an error that already says what to do.
    /// </summary>
    public static bool IsTransportFault(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        CsfleException => false,
        _ => true,
    };

    private static bool IsOne(BsonReader element) => element.Type switch
    {
        BsonType.Double => element.GetDouble() == 1,
        BsonType.Int32 => element.GetInt32() == 1,
        BsonType.Int64 => element.GetInt64() == 1,
        BsonType.Boolean => element.GetBoolean(),
        _ => false,
    };
}
