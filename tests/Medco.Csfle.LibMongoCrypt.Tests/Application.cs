using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>An application in a process of its own, since a process loads each native library once.</summary>
internal static class Application
{
    /// <summary>Starts up and says how that went.</summary>
    public static string Start(string kind, string[] arguments)
    {
        if (kind == "foreign") MongoClientSettings.Extensions.AddAutoEncryption();
        using var server = InProcessMongoServer.Start();
        using var masterKey = LocalMasterKey.Generate();
        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo(server.ConnectionString)
            .UseKeyVault("encryption.__keyVault")
            .UseLocalMasterKey(masterKey)
            .AddCollection<MedcoMd.Model.Patient>()
            .CreateMissingDataKeys()
            .UseLibMongoCrypt(options =>
            {
                options.MongocryptdBypassSpawn = true;
                if (kind == "crypt_shared") options.CryptSharedLibraryPath = arguments[0];
            }));
        try
        {
            factory.Initialize();
            using var client = factory.CreateEncryptedClient();
            return "started";
        }
        catch (CsfleException exception)
        {
            return $"{exception.Code} {exception.Message}";
        }
    }
}
