namespace Medco.Csfle.Engine;

/// <summary>
/// The one port from this library to MongoDB: run a command, bytes in, bytes out. Whatever the engine needs from a server
/// (data keys, the validators of collections, batches of documents) it asks for through this interface.
/// </summary>
/// <remarks>
/// An implementation never encrypts or decrypts: key vault and schemas are read through a client of their own. A reply with
/// <c>ok: 0</c> is returned like any other; only a fault of the transport is thrown. No cursor is kept open: callers ask with
/// <c>singleBatch: true</c> and page by <c>_id</c>.
/// </remarks>
public interface IMongoCommandRunner
{
    /// <summary>Runs one command and waits for its reply on the calling thread.</summary>
    /// <param name="databaseName">The database the command runs in; the command itself carries no <c>$db</c>.</param>
    /// <param name="command">The command, one BSON document whose first element names it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The reply, one BSON document.</returns>
    byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="RunCommand"/>
    /// <summary>Runs one command without blocking the calling thread.</summary>
    ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default);
}
