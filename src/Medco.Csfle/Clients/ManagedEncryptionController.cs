using System.Runtime.InteropServices;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Clients;

/// <summary>
/// What the driver calls for every command of an encrypted client and every reply to one. Errors of the engine go through as
/// they are, so that an application can catch them by their types.
/// </summary>
internal sealed class ManagedEncryptionController(EngineSource engine) : IAutoEncryptionLibMongoCryptController
{
    /// <summary>None: nothing native is loaded.</summary>
    public string? CryptSharedLibraryVersion() => null;

    /// <inheritdoc/>
    public byte[] EncryptFields(string databaseName, byte[] unencryptedCommandBytes, CancellationToken cancellationToken)
        => ToArray(engine.Start(cancellationToken).Engine.EncryptCommand(databaseName, unencryptedCommandBytes, cancellationToken));

    /// <inheritdoc/>
    public async Task<byte[]> EncryptFieldsAsync(string databaseName, byte[] unencryptedCommandBytes, CancellationToken cancellationToken)
    {
        var started = await engine.StartAsync(cancellationToken).ConfigureAwait(false);
        return ToArray(await started.Engine.EncryptCommandAsync(databaseName, unencryptedCommandBytes, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public byte[] DecryptFields(byte[] encryptedDocumentBytes, CancellationToken cancellationToken)
        => ToArray(engine.Start(cancellationToken).Engine.DecryptReply(encryptedDocumentBytes, cancellationToken));

    /// <inheritdoc/>
    public async Task<byte[]> DecryptFieldsAsync(byte[] encryptedDocumentBytes, CancellationToken cancellationToken)
    {
        var started = await engine.StartAsync(cancellationToken).ConfigureAwait(false);
        return ToArray(await started.Engine.DecryptReplyAsync(encryptedDocumentBytes, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Does nothing: the driver disposes it with its client, and the engine belongs to the factory.</summary>
    public void Dispose()
    {
    }

    // The engine returns the very array that came in where it changed nothing.
    private static byte[] ToArray(ReadOnlyMemory<byte> bytes)
        => MemoryMarshal.TryGetArray(bytes, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length ? segment.Array : bytes.ToArray();
}
