namespace Medco.Csfle;

/// <summary>What encrypts and decrypts for a client. Both write and read the same bytes.</summary>
public enum CsfleEngineKind
{
    /// <summary>This library: managed code, nothing native, nothing to install.</summary>
    Managed,

    /// <summary>
    /// MongoDB's own libmongocrypt with <c>crypt_shared</c> or <c>mongocryptd</c>. It needs the package
    /// Medco.Csfle.LibMongoCrypt and <c>csfle.UseLibMongoCrypt(...)</c>.
    /// </summary>
    LibMongoCrypt,
}
