using Medco.Csfle.LibMongoCrypt;

namespace Medco.Csfle;

/// <summary>Sets up MongoDB's own engine.</summary>
public static class LibMongoCryptCsfleBuilderExtensions
{
    /// <summary>
    /// Lets MongoDB's libmongocrypt encrypt for clients, in the place of the managed engine, which stays there for
    /// <see cref="ICsfleClientFactory.CreateEncryptedClient(CsfleEngineKind)"/>; <see cref="CsfleBuilder.UseEngine"/> turns that
    /// round. Start-up loads it and proves that it can analyse commands, and fails with what is missing otherwise. Called again,
    /// it counts instead of what was said before.
    /// </summary>
    /// <param name="csfle">What is set up.</param>
    /// <param name="configure">Says where <c>crypt_shared</c> or <c>mongocryptd</c> are.</param>
    /// <returns>The same, for the next call.</returns>
    public static CsfleBuilder UseLibMongoCrypt(this CsfleBuilder csfle, Action<LibMongoCryptOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(csfle);
        var options = new LibMongoCryptOptions();
        configure?.Invoke(options);
        return csfle.Use(new LibMongoCryptEngine(options));
    }
}
