using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;
using MongoDB.Driver;

namespace Medco.Csfle.DependencyInjection;

/// <summary>Checks everything that can be checked without opening anything, all at once.</summary>
internal static class CsfleOptionsValidator
{
    private const string AddCollection = nameof(CsfleBuilder.AddCollection);
    private const string NamespaceRemedy = "Write 'database.collection'.";

    /// <summary>Checks the options.</summary>
    /// <exception cref="CsfleConfigurationException">All mistakes in them.</exception>
    public static void Validate(CsfleOptions options)
    {
        var errors = new List<CsfleConfigurationError>();
        CheckConnectionString(options.ConnectionString, errors);
        CheckKeys(options, errors);
        CheckCollections(options, errors);
        if (options.OfficialEngine is { } official) errors.AddRange(official.FindMistakes(options));
        if (errors.Count > 0) throw new CsfleConfigurationException(errors);
    }

    /// <summary>Checks that there is something to start up for. Data keys can be managed without.</summary>
    /// <exception cref="CsfleConfigurationException">Nothing is encrypted, and nothing may be written in clear.</exception>
    public static void RequireCollections(CsfleOptions options)
    {
        if (options.Collections.Count > 0 || options.AllowUnencrypted.Count > 0 || options.UseServerSchema) return;
        throw new CsfleConfigurationException([
            new(AddCollection, "No collection is encrypted.", "Register a class or a schema, or take the schemas from the server with UseServerSchema().")]);
    }

    // The driver's message quotes the connection string, and with it a password; so it must not get into ours.
    private static void CheckConnectionString(string? connectionString, List<CsfleConfigurationError> errors)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            errors.Add(new(nameof(CsfleBuilder.ConnectTo), "No server is named.", "Pass a connection string, such as 'mongodb://localhost:27017'."));
            return;
        }

        try
        {
            _ = new MongoUrl(connectionString);
        }
        catch (Exception exception) when (exception is MongoConfigurationException or ArgumentException or FormatException)
        {
            errors.Add(new(nameof(CsfleBuilder.ConnectTo), "What is passed is no connection string.", "See MongoDB's manual, 'Connection Strings'; special characters in a password are percent-encoded."));
        }
    }

    private static void CheckKeys(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        if (options.KeyVaultStore is null)
        {
            if (options.KeyVaultNamespace is not { } ns)
            {
                errors.Add(new(nameof(CsfleBuilder.UseKeyVault), "No key vault is named.", "Name the collection with the data keys; by custom it is 'encryption.__keyVault'."));
            }
            else if (!NamespaceName.IsValid(ns))
            {
                errors.Add(new(nameof(CsfleBuilder.UseKeyVault), $"'{ns}' does not name a collection.", NamespaceRemedy));
            }
        }

        CheckMasterKeys(options, errors);
    }

    private static void CheckMasterKeys(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        var providers = options.KmsProviders.ConvertAll(registration => registration.Provider);
        if (providers.Count == 0)
        {
            errors.Add(new(nameof(CsfleBuilder.UseLocalMasterKey), "No customer master key is configured.", "Name a master key file; LocalMasterKey.CreateFile creates one."));
            return;
        }

        foreach (var provider in providers.Where(provider => !KmsProvider.TryGetType(provider, out _)))
        {
            errors.Add(new(nameof(CsfleBuilder.UseLocalMasterKey), $"`{provider}` is not the name of a KMS provider.", "Give names of letters, digits and underscores."));
        }

        if (options.NewDataKeysProvider is { } chosen)
        {
            if (!providers.Contains(chosen))
            {
                errors.Add(new(nameof(CsfleBuilder.WrapNewDataKeysWith), $"KMS provider `{chosen}` is not configured.", $"Configured are: `{string.Join("`, `", providers)}`."));
            }
        }
        else if (providers.Count > 1)
        {
            errors.Add(new(
                nameof(CsfleBuilder.WrapNewDataKeysWith),
                $"Several customer master keys are configured, `{string.Join("`, `", providers)}`, and none of them for new data keys.",
                $"Choose one with {nameof(CsfleBuilder.WrapNewDataKeysWith)}(...)."));
        }
    }

    private static void CheckCollections(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var registration in options.Collections)
        {
            var call = registration.Type is { } type ? $"{AddCollection}<{ClassNames.Of(type)}>" : AddCollection;
            if (Find(registration, call, errors) is not { } ns) continue;
            if (!NamespaceName.IsValid(ns))
            {
                errors.Add(new(call, $"'{ns}' does not name a collection.", NamespaceRemedy));
            }
            else if (ns == options.KeyVaultNamespace)
            {
                errors.Add(new(call, $"'{ns}' is the key vault, which cannot be encrypted itself.", "Keep the data keys in a collection of their own."));
            }
            else if (!seen.Add(ns))
            {
                errors.Add(new(call, $"'{ns}' is registered twice.", "Register each collection once; the classes of a hierarchy share the registration of their base class."));
            }
        }

        try
        {
            _ = new UnencryptedNamespaces(options.AllowUnencrypted);
        }
        catch (NamespaceException exception)
        {
            errors.Add(new(nameof(CsfleBuilder.AllowUnencrypted), exception.Message, exception.Remedy));
        }
    }

    private static string? Find(CollectionRegistration registration, string call, List<CsfleConfigurationError> errors)
    {
        try
        {
            if (RegisteredCollections.NamespaceOf(registration) is { } ns) return ns;
            errors.Add(new(call, "The class does not say in which collection it is stored.", $"Put [EncryptedCollection(\"database.collection\")] on it, or write {call}(\"database.collection\")."));
        }
        catch (ArgumentException exception)
        {
            errors.Add(new(call, exception.Message, NamespaceRemedy));
        }

        return null;
    }
}
