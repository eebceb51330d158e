using System.Security.Cryptography;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>The master keys as libmongocrypt takes them. It makes a copy; this one is zeroed when it is disposed.</summary>
internal sealed class NativeKmsProviders : IDisposable
{
    private readonly Dictionary<string, IReadOnlyDictionary<string, object>> _providers = new(StringComparer.Ordinal);
    private readonly List<byte[]> _secrets = [];

    private NativeKmsProviders()
    {
    }

    /// <summary>Options by provider.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>> Providers => _providers;

    /// <summary>Copies the master keys out of opened KMS providers.</summary>
    /// <exception cref="CsfleConfigurationException">A provider is of a kind that cannot be handed on.</exception>
    public static NativeKmsProviders Of(IEnumerable<IKeyManagementService> services)
    {
        var native = new NativeKmsProviders();
        foreach (var service in services)
        {
            if (service is not LocalKeyManagementService local)
            {
                native.Dispose();
                throw new CsfleConfigurationException([new(
                    nameof(LibMongoCryptCsfleBuilderExtensions.UseLibMongoCrypt),
                    $"KMS provider `{service.Provider}` cannot be handed to libmongocrypt.",
                    "Use the managed engine for data keys that it wraps.")]);
            }

            native.Add(local);
        }

        return native;
    }

    /// <inheritdoc/>
    public void Dispose() => _secrets.ForEach(secret => CryptographicOperations.ZeroMemory(secret));

    private void Add(LocalKeyManagementService local)
    {
        var key = GC.AllocateUninitializedArray<byte>(LocalMasterKey.Length, pinned: true);
        _secrets.Add(key);
        local.CopyMasterKeyTo(key);
        _providers.Add(local.Provider, new Dictionary<string, object> { ["key"] = key });
    }
}
