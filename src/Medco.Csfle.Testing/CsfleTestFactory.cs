using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Testing;

/// <summary>
/// Makes client factories for tests: a key vault in memory, a master key that nobody else has, and every data key that the
/// classes name. Neither a server nor a KMS is needed.
/// </summary>
/// <remarks>
/// <code>
/// using var csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection&lt;Patient>());
/// csfle.EncryptDocument(patient).ShouldBeEncrypted&lt;Patient>(x => x.Ssn);
/// </code>
/// Not for production: what is encrypted with a key vault in memory cannot be read when the process has ended.
/// </remarks>
public static class CsfleTestFactory
{
    // Nothing listens there; who asks for a server all the same is not kept waiting.
    private const string NoServer = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1000&appName=medco-csfle-testing-without-a-server";

    /// <summary>
    /// Makes a factory and starts it: the classes are read and checked, the data keys created, and with synthetic documents it is
    /// proven that what is marked is encrypted. The application's conventions, class maps and serializers are registered before.
    /// </summary>
    /// <param name="configure">
    /// Registers the collections. It may also say what it says in the application: with <see cref="CsfleBuilder.ConnectTo"/> the
    /// clients of the factory work on a server, for example one in a container.
    /// </param>
    /// <exception cref="CsfleException">As <see cref="ICsfleClientFactory.Initialize"/>.</exception>
    public static CsfleClientFactory Create(Action<CsfleBuilder> configure)
    {
        var factory = NewFactory(configure);
        try
        {
            factory.Initialize();
            return factory;
        }
        catch
        {
            factory.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="Create"/>
    /// <param name="configure">Registers the collections.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public static async Task<CsfleClientFactory> CreateAsync(Action<CsfleBuilder> configure, CancellationToken cancellationToken = default)
    {
        var factory = NewFactory(configure);
        try
        {
            await factory.InitializeAsync(cancellationToken).ConfigureAwait(false);
            return factory;
        }
        catch
        {
            factory.Dispose();
            throw;
        }
    }

    private static CsfleClientFactory NewFactory(Action<CsfleBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return CsfleClientFactory.Create(csfle => configure(csfle
            .ConnectTo(NoServer)
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate())
            .CreateMissingDataKeys()));
    }
}
