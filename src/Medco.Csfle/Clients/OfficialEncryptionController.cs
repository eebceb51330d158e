using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Clients;

/// <summary>What the driver calls for the clients that MongoDB's own engine encrypts for.</summary>
internal sealed class OfficialEncryptionController(OfficialEngineSource engine) : IAutoEncryptionLibMongoCryptController
{
    /// <summary>None: the driver asks when it makes the client, and nothing is loaded before start-up.</summary>
    public string? CryptSharedLibraryVersion() => null;

    /// <inheritdoc/>
    public byte[] EncryptFields(string databaseName, byte[] unencryptedCommandBytes, CancellationToken cancellationToken)
        => engine.Open(cancellationToken).EncryptFields(databaseName, unencryptedCommandBytes, cancellationToken);

    /// <inheritdoc/>
    public async Task<byte[]> EncryptFieldsAsync(string databaseName, byte[] unencryptedCommandBytes, CancellationToken cancellationToken)
    {
        var opened = await engine.OpenAsync(cancellationToken).ConfigureAwait(false);
        return await opened.EncryptFieldsAsync(databaseName, unencryptedCommandBytes, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public byte[] DecryptFields(byte[] encryptedDocumentBytes, CancellationToken cancellationToken)
        => engine.Open(cancellationToken).DecryptFields(encryptedDocumentBytes, cancellationToken);

    /// <inheritdoc/>
    public async Task<byte[]> DecryptFieldsAsync(byte[] encryptedDocumentBytes, CancellationToken cancellationToken)
    {
        var opened = await engine.OpenAsync(cancellationToken).ConfigureAwait(false);
        return await opened.DecryptFieldsAsync(encryptedDocumentBytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does nothing: the driver disposes it with its client, and the engine belongs to the factory.</summary>
    public void Dispose()
    {
    }
}
