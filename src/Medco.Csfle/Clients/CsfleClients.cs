namespace Medco.Csfle;

/// <summary>
/// The service keys under which a container hands out clients of MongoDB:
/// <c>[FromKeyedServices(CsfleClients.Encrypted)] IMongoClient client</c>. Each client is made when it is first asked for, shared
/// by all who ask, and disposed with the container, before the factory it comes from.
/// </summary>
/// <remarks>
/// No <c>IMongoClient</c> is registered without a key. Whoever asks for just a client would get one of the two, and either is
/// wrong for somebody: the one stores in clear what was meant to be encrypted, the other refuses what it does not know. Who
/// asks, says which.
/// </remarks>
public static class CsfleClients
{
    /// <summary>The client that encrypts and decrypts, of the registration without a name.</summary>
    public const string Encrypted = "Medco.Csfle.Encrypted";

    /// <summary>The client that does neither, of the registration without a name.</summary>
    public const string Unencrypted = "Medco.Csfle.Unencrypted";

    /// <summary>The key of the client of a named registration that encrypts and decrypts.</summary>
    /// <param name="name">The name given to <c>AddCsfle</c>.</param>
    public static CsfleClientKey EncryptedOf(string name) => new(name, IsEncrypted: true);

    /// <summary>The key of the client of a named registration that does neither.</summary>
    /// <param name="name">The name given to <c>AddCsfle</c>.</param>
    public static CsfleClientKey UnencryptedOf(string name) => new(name, IsEncrypted: false);
}
