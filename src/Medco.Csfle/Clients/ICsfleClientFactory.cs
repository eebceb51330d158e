using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;
using MongoDB.Driver;

namespace Medco.Csfle;

/// <summary>Hands out clients of MongoDB: those that encrypt and decrypt by themselves, and those that never do.</summary>
/// <remarks>
/// <para>Creating a client does no I/O, but for the DNS query of a <c>mongodb+srv</c> connection string. An encrypted client that is used before <see cref="Initialize"/> was called starts up
/// at its first operation, which fails with the error of the start-up if there is one; nothing is sent in clear meanwhile.</para>
/// <para>Clients of one factory share connections, as the driver's clients with equal settings do. Create one of each kind and
/// keep it. The factory outlives its clients: when it is disposed, they refuse to work.</para>
/// </remarks>
public interface ICsfleClientFactory
{
    /// <summary>
    /// A client that encrypts what the schemas say before it leaves the process and decrypts what comes back. It refuses what
    /// cannot work, and writes to collections that nobody registered, with <see cref="QueryAnalysisException"/>.
    /// </summary>
    /// <exception cref="CsfleConfigurationException">
    /// The application itself registered an auto-encryption provider with the driver, or set auto-encryption options.
    /// </exception>
    IMongoClient CreateEncryptedClient();

    /// <summary>The same, encrypted by that engine. Clients of both may be used side by side: they write and read the same bytes.</summary>
    /// <param name="engine">The engine.</param>
    /// <exception cref="CsfleConfigurationException">
    /// As above, or libmongocrypt was not set up (<see cref="CsfleErrorCode.EngineNotSetUp"/>).
    /// </exception>
    IMongoClient CreateEncryptedClient(CsfleEngineKind engine);

    /// <summary>A client that neither encrypts nor decrypts: it sees ciphertext, and stores in clear what it is given.</summary>
    /// <exception cref="CsfleConfigurationException">The application set auto-encryption options.</exception>
    IMongoClient CreateUnencryptedClient();

    /// <summary>
    /// Starts up, once: reads the classes and schemas, makes sure of the unique index of the key vault, finds every data key
    /// (and creates the missing ones only where that was asked for) and unwraps it, proves with synthetic values that what the
    /// schemas say is encrypted, and opens libmongocrypt where that was set up. After an error it may be called again.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="CsfleConfigurationException">The settings are wrong.</exception>
    /// <exception cref="EncryptionSchemaException">Classes or schemas are wrong; every mistake in all of them is in the exception.</exception>
    /// <exception cref="MasterKeyException">The master key cannot be read.</exception>
    /// <exception cref="DataKeyException">A data key is missing or does not unwrap.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    /// <exception cref="EnforcementException">What <see cref="CsfleBuilder.EnforceOnServer()"/> asked for is not in force and cannot be brought about.</exception>
    /// <exception cref="EncryptionProofException">What was to be encrypted was not, when it was tried with synthetic values.</exception>
    void Initialize(CancellationToken cancellationToken = default);

    /// <inheritdoc cref="Initialize"/>
    Task InitializeAsync(CancellationToken cancellationToken = default);

    /// <summary>The data keys in the key vault.</summary>
    CsfleKeys Keys { get; }

    /// <summary>Explicit encryption: of single values, by the application itself.</summary>
    CsfleEncryption Encryption { get; }

    /// <summary>Server-side enforcement: validators of the registered collections, planned, shown and applied.</summary>
    CsfleEnforcement Enforcement { get; }

    /// <summary>
    /// The encryption schema of every registered collection by its namespace, <c>db.collection</c>, with the ids of the data
    /// keys in it: to print, to keep in a file, or to put into the collection's validator.
    /// </summary>
    /// <exception cref="CsfleConfigurationException">The start-up has not been done yet.</exception>
    IReadOnlyDictionary<string, EncryptionSchema> Schemas { get; }
}
