using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Serializers;
using MongoDB.Driver;

namespace Medco.Csfle;

/// <summary>Runs commands through a client of the driver, on the primary.</summary>
public sealed class MongoClientCommandRunner : IMongoCommandRunner
{
    private readonly IMongoClient _client;

    /// <summary>Runs commands through that client.</summary>
    /// <param name="client">A client that does not encrypt; it stays the caller's.</param>
    /// <exception cref="CsfleConfigurationException">The client encrypts: key vault and schemas must be read as they are.</exception>
    public MongoClientCommandRunner(IMongoClient client)
        : this(client, mayEncrypt: false)
    {
    }

    private MongoClientCommandRunner(IMongoClient client, bool mayEncrypt)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (!mayEncrypt && client.Settings.AutoEncryptionOptions is not null)
        {
            throw new CsfleConfigurationException(CsfleErrorCode.InvalidConfiguration, "Commands for the key vault and for schemas were to be run through an encrypting client",
                "Pass a client without AutoEncryptionOptions: that of ICsfleClientFactory.CreateUnencryptedClient().");
        }

        _client = client;
    }

    /// <summary>Runs commands through that client, an encrypting one perhaps: for what is to be encrypted.</summary>
    internal static MongoClientCommandRunner Through(IMongoClient client) => new(client, mayEncrypt: true);

    /// <inheritdoc/>
    public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        try
        {
            using var reply = _client.GetDatabase(databaseName).RunCommand(ToCommand(command), ReadPreference.Primary, cancellationToken);
            return ToBytes(reply);
        }
        catch (MongoServerException exception) when (ReplyOf(exception) is { } reply)
        {
            return reply;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        try
        {
            using var reply = await _client.GetDatabase(databaseName).RunCommandAsync(ToCommand(command), ReadPreference.Primary, cancellationToken).ConfigureAwait(false);
            return ToBytes(reply);
        }
        catch (MongoServerException exception) when (ReplyOf(exception) is { } reply)
        {
            return reply;
        }
    }

    private static BsonDocumentCommand<RawBsonDocument> ToCommand(ReadOnlyMemory<byte> command)
        => new(new RawBsonDocument(command.ToArray()), RawBsonDocumentSerializer.Instance);

    private static byte[] ToBytes(RawBsonDocument document)
    {
        var bytes = new byte[document.Slice.Length];
        document.Slice.GetBytes(0, bytes, 0, bytes.Length);
        return bytes;
    }

    // The driver turns replies of ok: 0, and those of ok: 1 with a write concern error, into exceptions that hold the reply;
    // of one that says that the time was up it shows code and name alone.
    private static byte[]? ReplyOf(MongoServerException exception) => exception switch
    {
        MongoCommandException { Result: { } reply } => reply.ToBson(),
        MongoExecutionTimeoutException { Code: > 0 } timeout => new BsonDocument
        {
            { "ok", 0 },
            { "code", timeout.Code },
            { "codeName", timeout.CodeName, timeout.CodeName is not null },
            { "errmsg", timeout.Message },
        }.ToBson(),
        _ => null,
    };
}
