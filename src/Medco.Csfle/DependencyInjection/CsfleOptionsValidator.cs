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
        var errors = Check(options);
        if (errors.Count > 0) throw new CsfleConfigurationException(errors);
    }

    /// <summary>All mistakes in the options.</summary>
    public static IReadOnlyList<CsfleConfigurationError> Check(CsfleOptions options)
    {
        var errors = new List<CsfleConfigurationError>();
        CheckConnectionString(options, errors);
        CheckKeys(options, errors);
        CheckTimes(options, errors);
        CheckCollections(options, errors);
        CheckEnforcement(options, errors);
        if (options.OfficialEngine is { } official) errors.AddRange(official.FindMistakes(options));

        // What is wrong in the configuration was not taken over; it is not to be reported as missing as well.
        errors.RemoveAll(error => options.ConfigurationErrors.Exists(wrong => $"{wrong.Option}:".StartsWith($"{error.Option}:", StringComparison.OrdinalIgnoreCase)));
        return [.. options.ConfigurationErrors.Concat(errors).Distinct().Select(error => error with { Registration = options.Name })];
    }

    /// <summary>Checks that there is something to start up for. Data keys can be managed without.</summary>
    /// <exception cref="CsfleConfigurationException">Nothing is encrypted, and nothing may be written in clear.</exception>
    public static void RequireCollections(CsfleOptions options)
    {
        if (options.Collections.Count > 0 || options.AllowUnencrypted.Count > 0 || options.UseServerSchema) return;
        throw new CsfleConfigurationException([
            new(options.NameOfMissing(AddCollection, "Collections"), "No collection is encrypted.", "Register a class or a schema, or take the schemas from the server with UseServerSchema().") { Registration = options.Name }]);
    }

    // The driver's message quotes the connection string, and with it a password; so it must not get into ours.
    private static void CheckConnectionString(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        if (string.IsNullOrWhiteSpace(options.ConnectionString))
        {
            errors.Add(new(options.ConnectionString is null ? options.NameOfMissing(nameof(CsfleBuilder.ConnectTo), "ConnectionString") : options.NameOf(nameof(CsfleBuilder.ConnectTo)), "No server is named.", "Pass a connection string, such as 'mongodb://localhost:27017'."));
            return;
        }

        try
        {
            _ = new MongoUrl(options.ConnectionString);
        }
        catch (Exception exception) when (exception is MongoConfigurationException or ArgumentException or FormatException)
        {
            errors.Add(new(options.NameOf(nameof(CsfleBuilder.ConnectTo)), "What is passed is no connection string.", "See MongoDB's manual, 'Connection Strings'; special characters in a password are percent-encoded."));
        }
    }

    private static void CheckKeys(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        if (options.KeyVaultStore is null)
        {
            if (options.KeyVaultNamespace is not { } ns)
            {
                errors.Add(new(options.NameOfMissing(nameof(CsfleBuilder.UseKeyVault), "KeyVault"), "No key vault is named.", "Name the collection with the data keys; by custom it is 'encryption.__keyVault'."));
            }
            else if (!NamespaceName.IsValid(ns))
            {
                errors.Add(new(options.NameOf(nameof(CsfleBuilder.UseKeyVault)), $"'{ns}' does not name a collection.", NamespaceRemedy));
            }
        }

        CheckMasterKeys(options, errors);
    }

    private static void CheckMasterKeys(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        var providers = options.KmsProviders.ConvertAll(registration => registration.Provider);
        if (providers.Count == 0)
        {
            errors.Add(new(options.NameOfMissing(nameof(CsfleBuilder.UseLocalMasterKey), "LocalMasterKey"), "No customer master key is configured.", "Name a master key file; LocalMasterKey.CreateFile creates one."));
            return;
        }

        foreach (var provider in providers.Where(provider => !KmsProvider.TryGetType(provider, out _)))
        {
            errors.Add(new(options.NameOf(nameof(CsfleBuilder.UseLocalMasterKey), provider), $"`{provider}` is not the name of a KMS provider.", "Give names of letters, digits and underscores."));
        }

        if (options.NewDataKeysProvider is { } chosen)
        {
            if (!providers.Contains(chosen))
            {
                errors.Add(new(options.NameOf(nameof(CsfleBuilder.WrapNewDataKeysWith)), $"KMS provider `{chosen}` is not configured.", $"Configured are: `{string.Join("`, `", providers)}`."));
            }
        }
        else if (providers.Count > 1)
        {
            errors.Add(new(
                options.NameOfMissing(nameof(CsfleBuilder.WrapNewDataKeysWith), nameof(CsfleBuilder.WrapNewDataKeysWith)),
                $"Several customer master keys are configured, `{string.Join("`, `", providers)}`, and none of them for new data keys.",
                $"Choose one with {nameof(CsfleBuilder.WrapNewDataKeysWith)}(...)."));
        }
    }

    private static void CheckCollections(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var registration in options.Collections)
        {
            var call = registration switch
            {
                { Type: { } type } => $"{AddCollection}<{ClassNames.Of(type)}>",
                _ when options.ConfiguredAt.TryGetValue((AddCollection, registration.Namespace), out var path) => path,
                { SchemaPath: not null } => nameof(CsfleBuilder.AddCollectionFromFile),
                _ => AddCollection,
            };
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

        foreach (var pattern in options.AllowUnencrypted)
        {
            try
            {
                _ = new UnencryptedNamespaces([pattern]);
            }
            catch (NamespaceException exception)
            {
                errors.Add(new(options.NameOf(nameof(CsfleBuilder.AllowUnencrypted), pattern), $"'{pattern}' does not name collections.", exception.Remedy));
            }
        }
    }

    private static void CheckTimes(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        if (options.DataKeyLifetime < TimeSpan.Zero)
        {
            errors.Add(new(options.NameOf(nameof(CsfleBuilder.CacheDataKeysFor)), "The time is negative.", "Give a time above zero; zero keeps data keys as long as the process lives."));
        }

        foreach (var (setting, problem, remedy) in options.KmsResilience?.FindMistakes() ?? [])
        {
            errors.Add(new(options.NameOf(nameof(CsfleBuilder.UseKmsResilience), setting), $"{setting} {problem}.", remedy));
        }
    }

    // A mistyped name would leave the collection to what holds for all.
    private static void CheckEnforcement(CsfleOptions options, List<CsfleConfigurationError> errors)
    {
        foreach (var (ns, _) in options.Enforcement?.Exceptions ?? [])
        {
            if (options.Collections.Any(registration => Find(registration, AddCollection, []) == ns)) continue;
            errors.Add(new(nameof(CsfleBuilder.EnforceOnServer), $"'{ns}' is treated otherwise, but is not registered.", "Write the 'database.collection' of a registered collection."));
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
