using System.Runtime.CompilerServices;
using Medco.Csfle.Engine;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Clients;

/// <summary>
/// The one auto-encryption provider that this library registers with the driver. The driver takes one for the whole process,
/// so it chooses by the options object of the client: whoever made a client with options that were not issued here would get
/// a client that does not encrypt as the library promises, and is refused.
/// </summary>
internal static class AutoEncryptionRouter
{
    // By reference, not by value: options that merely look alike were not issued here. A client that is derived from another
    // one passes the very same object.
    private static readonly ConditionalWeakTable<AutoEncryptionOptions, Func<IMongoClient, IAutoEncryptionLibMongoCryptController>> Issued = [];

    // The driver accepts the same delegate again and again, and no other beside it.
    private static readonly Func<IMongoClient, AutoEncryptionOptions, IAutoEncryptionLibMongoCryptController> Factory = CreateController;

    // Shown by MongoClientSettings.ToString() and used for nothing: keys are looked up by the engine.
    private static readonly CollectionNamespace NoKeyVault = CollectionNamespace.FromFullName("medco.csfle");

    /// <summary>Options that make a client encrypt with that engine. They hold no secret, since the driver prints them.</summary>
    public static AutoEncryptionOptions Issue(Func<IAutoEncryptionLibMongoCryptController> newController)
    {
        var options = new AutoEncryptionOptions(NoKeyVault, new Dictionary<string, IReadOnlyDictionary<string, object>>());
        Issue(options, _ => newController());
        return options;
    }

    /// <summary>Lets a client with those options be created.</summary>
    public static void Issue(AutoEncryptionOptions options, Func<IMongoClient, IAutoEncryptionLibMongoCryptController> newController)
        => Issued.Add(options, newController);

    /// <summary>Makes the router the driver's provider, if it is not that already.</summary>
    /// <exception cref="CsfleConfigurationException">Another provider is registered.</exception>
    public static void Register(IAutoEncryptionProviderRegistry registry)
    {
        try
        {
            registry.Register(Factory);
        }
        catch (MongoConfigurationException exception)
        {
            throw new CsfleConfigurationException(
                CsfleErrorCode.ProviderTaken,
                "Another auto-encryption provider is registered with MongoDB.Driver in this process, and the driver takes only one",
                "Remove the call of MongoClientSettings.Extensions.AddAutoEncryption() from the application, and the AutoEncryptionOptions it makes: the clients of ICsfleClientFactory encrypt without them. For MongoDB's own engine call UseLibMongoCrypt() of the package Medco.Csfle.LibMongoCrypt instead.",
                exception);
        }
    }

    private static IAutoEncryptionLibMongoCryptController CreateController(IMongoClient client, AutoEncryptionOptions options)
        => Issued.TryGetValue(options, out var newController)
            ? newController(client)
            : throw new CsfleConfigurationException(
                CsfleErrorCode.ForeignOptions,
                "A MongoClient was to be created with AutoEncryptionOptions that Medco.Csfle did not issue, so that it would not encrypt as registered",
                "Take the client from ICsfleClientFactory.CreateEncryptedClient(), and change its settings with ConfigureClient(...) at registration.");
}
