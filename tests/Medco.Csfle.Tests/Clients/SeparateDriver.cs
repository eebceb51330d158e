using System.Reflection;
using System.Runtime.Loader;

namespace Medco.Csfle.Tests.Clients;

/// <summary>
/// Runs a scenario on a second copy of the driver and of this library: the driver takes one auto-encryption provider for a
/// process, and the other tests of this process want theirs.
/// </summary>
internal static class SeparateDriver
{
    /// <summary>Runs <c>static string Run()</c> of a class, on its copy.</summary>
    public static string Run(Type scenario)
    {
        var context = new Copies();
        try
        {
            var copy = context.LoadFromAssemblyPath(scenario.Assembly.Location).GetType(scenario.FullName!, throwOnError: true)!;
            return (string)copy.GetMethod("Run", BindingFlags.Public | BindingFlags.Static)!.Invoke(null, null)!;
        }
        finally
        {
            context.Unload();
        }
    }

    private sealed class Copies() : AssemblyLoadContext(nameof(SeparateDriver), isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            var path = Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}

/// <summary>An application that registered a provider with the driver before it used this library.</summary>
internal static class OwnProviderFirst
{
    public static string Run()
    {
        MongoDB.Driver.MongoClientSettings.Extensions.AutoEncryptionProvider.Register((_, _) => throw new InvalidOperationException("Nobody creates a client with it."));
        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo("mongodb://localhost:1")
            .UseKeyVault(new Engine.KeyVault.InMemoryKeyVaultStore())
            .UseLocalMasterKey(Engine.Kms.LocalMasterKey.Generate())
            .AllowUnencrypted("app.*"));
        try
        {
            factory.CreateEncryptedClient();
            return "created";
        }
        catch (CsfleConfigurationException exception)
        {
            return exception.Code;
        }
    }
}
