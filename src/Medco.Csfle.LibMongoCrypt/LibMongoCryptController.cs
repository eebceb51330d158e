using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Analysis;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>
/// libmongocrypt for every client of a factory, under the rules of this library: it writes only where it was told to, leaves
/// error replies encrypted, and fails with errors that say what to do.
/// </summary>
/// <param name="policy">Knows where may be written.</param>
/// <param name="native">The controller of MongoDB.Driver.Encryption; disposed with this one.</param>
/// <param name="guard">Looks at what libmongocrypt encrypted.</param>
/// <param name="errors">Makes errors readable.</param>
/// <param name="encrypts">False where it decrypts only.</param>
internal sealed class LibMongoCryptController(CsfleEngine policy, IAutoEncryptionLibMongoCryptController native, PlaintextGuard guard, NativeErrors errors, bool encrypts)
    : IAutoEncryptionLibMongoCryptController
{
    /// <inheritdoc/>
    public string? CryptSharedLibraryVersion() => native.CryptSharedLibraryVersion();

    /// <inheritdoc/>
    public byte[] EncryptFields(string databaseName, byte[] unencryptedCommandBytes, CancellationToken cancellationToken)
    {
        policy.CheckWrites(databaseName, unencryptedCommandBytes, encrypts, cancellationToken);
        if (!encrypts) return unencryptedCommandBytes;
        try
        {
            try
            {
                return guard.Check(databaseName, native.EncryptFields(databaseName, unencryptedCommandBytes, cancellationToken));
            }
            catch (Exception exception) when (errors.LostConnectionOf(exception) is { } mongocryptd)
            {
                mongocryptd.EnsureRunning(cancellationToken);
                return guard.Check(databaseName, native.EncryptFields(databaseName, unencryptedCommandBytes, cancellationToken));
            }
        }
        catch (Exception exception)
        {
            throw errors.OfEncryption(exception, databaseName, unencryptedCommandBytes, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task<byte[]> EncryptFieldsAsync(string databaseName, byte[] unencryptedCommandBytes, CancellationToken cancellationToken)
    {
        await policy.CheckWritesAsync(databaseName, unencryptedCommandBytes, encrypts, cancellationToken).ConfigureAwait(false);
        if (!encrypts) return unencryptedCommandBytes;
        try
        {
            try
            {
                return guard.Check(databaseName, await native.EncryptFieldsAsync(databaseName, unencryptedCommandBytes, cancellationToken).ConfigureAwait(false));
            }
            catch (Exception exception) when (errors.LostConnectionOf(exception) is { } mongocryptd)
            {
                await mongocryptd.EnsureRunningAsync(cancellationToken).ConfigureAwait(false);
                return guard.Check(databaseName, await native.EncryptFieldsAsync(databaseName, unencryptedCommandBytes, cancellationToken).ConfigureAwait(false));
            }
        }
        catch (Exception exception)
        {
            throw errors.OfEncryption(exception, databaseName, unencryptedCommandBytes, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public byte[] DecryptFields(byte[] encryptedDocumentBytes, CancellationToken cancellationToken)
    {
        if (IsLeftAlone(encryptedDocumentBytes)) return encryptedDocumentBytes;
        try
        {
            return native.DecryptFields(encryptedDocumentBytes, cancellationToken);
        }
        catch (Exception exception)
        {
            throw errors.OfDecryption(exception, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task<byte[]> DecryptFieldsAsync(byte[] encryptedDocumentBytes, CancellationToken cancellationToken)
    {
        if (IsLeftAlone(encryptedDocumentBytes)) return encryptedDocumentBytes;
        try
        {
            return await native.DecryptFieldsAsync(encryptedDocumentBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw errors.OfDecryption(exception, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => native.Dispose();

    // libmongocrypt would decrypt what an error quotes, and the driver puts it into its exception's message.
    private static bool IsLeftAlone(byte[] reply) => ReplyDecryption.CollectKeys(reply) is null;
}
