using System.Globalization;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Configuration;

namespace Medco.Csfle.DependencyInjection;

/// <summary>
/// A section of a configuration, read key by key: what is not known is a mistake with its path, because a key that is passed
/// over is a setting that is switched off. No message quotes a value.
/// </summary>
internal sealed class CsfleSection(CsfleBuilder builder, CsfleOptions options, IConfiguration section)
{
    /// <summary>The section of the registration without a name.</summary>
    public const string DefaultPath = "Csfle";

    /// <summary>Below it, in the section of the registration without a name, stand the sections of the others.</summary>
    public const string Named = "Named";

    private const string WriteText = "Write a text.";
    private const string WriteFlag = "Write true or false.";
    private const string WriteTime = "Write hours, minutes and seconds, such as 00:00:30.";

    private readonly string _path = (section as IConfigurationSection)?.Path ?? "";

    /// <summary>Takes everything in the section over.</summary>
    public void Read()
    {
        options.SectionPath = _path;
        if (section is not IConfigurationSection && section.GetSection(DefaultPath).Exists())
        {
            options.ConfigurationErrors.Add(new("AddCsfle", "It was given the whole configuration instead of a section of it.", $"Pass configuration.GetSection(\"{DefaultPath}\")."));
            return;
        }

        if (!section.GetChildren().Any())
        {
            options.ConfigurationErrors.Add(new(_path, "The configuration has no such section, or nothing in it.", "Check the name, and that the source which holds it is part of the configuration."));
            return;
        }

        var settings = new Settings
        {
            ["ConnectionString"] = each => ReadText(each, nameof(CsfleBuilder.ConnectTo), text => builder.ConnectTo(text)),
            ["KeyVault"] = each => ReadText(each, nameof(CsfleBuilder.UseKeyVault), text => builder.UseKeyVault(text)),
            ["LocalMasterKey"] = each => ReadMasterKey(each, null),
            ["LocalMasterKeys"] = each => ReadChildren(each, "names of master keys", child => ReadMasterKey(child, child.Key)),
            ["WrapNewDataKeysWith"] = each => ReadText(each, nameof(CsfleBuilder.WrapNewDataKeysWith), text => builder.WrapNewDataKeysWith(text)),
            ["CreateMissingDataKeys"] = each => ReadFlag(each, flag => builder.CreateMissingDataKeys(flag)),
            ["DataKeyCacheLifetime"] = each => ReadTime(each, nameof(CsfleBuilder.CacheDataKeysFor), null, time => builder.CacheDataKeysFor(time)),
            ["KmsResilience"] = ReadKmsResilience,
            ["Collections"] = each => ReadChildren(each, "namespaces", ReadCollection),
            ["AllowUnencrypted"] = ReadAllowed,
            ["UseServerSchema"] = each => ReadFlag(each, flag => options.UseServerSchema = flag),
            ["EnforceOnServer"] = ReadEnforcement,
            ["UseCanary"] = each => ReadFlag(each, flag => options.CanarySuffix = flag ? options.CanarySuffix ?? CsfleBuilder.DefaultCanarySuffix : null),
            ["UseEngine"] = each => ReadEnum<CsfleEngineKind>(each, engine => builder.UseEngine(engine)),
        };
        if (options.Name is null) settings.Add(Named, _ => { });
        settings.Read(section, options);
    }

    private void ReadMasterKey(IConfigurationSection key, string? name)
    {
        var sources = new List<Action>();
        var settings = new Settings
        {
            ["File"] = each => AddSource(each, path => builder.UseLocalMasterKey(FullPath(path), name)),
            ["EnvironmentVariable"] = each => AddSource(each, variable => builder.UseLocalMasterKeyFromEnvironment(variable, name)),
            ["Base64"] = each => AddSource(each, _ => builder.UseLocalMasterKey(key, each.Key, name)),
        };
        if (!IsSection(key, "one of File, EnvironmentVariable and Base64") || !settings.Read(key, options)) return;
        if (sources.Count != 1)
        {
            Add(key, sources.Count == 0 ? "It does not say where the master key is." : "It says several places for one master key.", "Give exactly one of File, EnvironmentVariable and Base64.");
            return;
        }

        sources[0]();
        Place(nameof(CsfleBuilder.UseLocalMasterKey), name is null ? KmsProvider.Local : $"{KmsProvider.Local}:{name}", key);

        void AddSource(IConfigurationSection source, Action<string> use)
        {
            if (TryReadText(source, out var text) && text.Length > 0) sources.Add(() => use(text));
        }
    }

    private void ReadCollection(IConfigurationSection collection)
    {
        string? schema = null;
        string? path = null;
        var settings = new Settings
        {
            ["SchemaFile"] = each => { if (TryReadText(each, out var text)) path = FullPath(text); },
            ["Schema"] = each =>
            {
                if (each.GetChildren().Any())
                {
                    Add(each, "It is a section, in which names and types of a JSON schema do not survive.", "Write the schema as one text, or name its file in SchemaFile.");
                }
                else if (TryReadText(each, out var text))
                {
                    schema = text;
                }
            },
        };
        if (!IsSection(collection, "one of SchemaFile and Schema") || !settings.Read(collection, options)) return;
        if (schema is null == path is null)
        {
            Add(collection, schema is null ? "It says no schema." : "It says two schemas for one collection.", "Give exactly one of SchemaFile and Schema; a class is registered in code.");
            return;
        }

        // The same section may be read more than once.
        if (!options.Collections.Exists(each => each.Type is null && (each.Namespace, each.Schema, each.SchemaPath) == (collection.Key, schema, path)))
        {
            options.Collections.Add(new CollectionRegistration(collection.Key, null, schema) { SchemaPath = path });
        }

        Place(nameof(CsfleBuilder.AddCollection), collection.Key, collection);
    }

    private void ReadAllowed(IConfigurationSection allowed)
    {
        ReadChildren(allowed, "namespaces, as an array", each =>
        {
            if (!TryReadText(each, out var pattern)) return;
            builder.AllowUnencrypted(pattern);
            Place(nameof(CsfleBuilder.AllowUnencrypted), pattern, each);
        });
    }

    private void ReadEnforcement(IConfigurationSection enforcement)
    {
        var given = options.Enforcement ?? new EnforcementOptions();
        var settings = new Settings
        {
            [nameof(given.AtStartup)] = each => ReadEnum<EnforcementAtStartup>(each, value => given.AtStartup = value),
            [nameof(given.ExistingRules)] = each => ReadEnum<ExistingRules>(each, value => given.ExistingRules = value),
        };
        if (IsSection(enforcement, $"{nameof(given.AtStartup)} or {nameof(given.ExistingRules)}") && settings.Read(enforcement, options)) options.Enforcement = given;
    }

    private void ReadKmsResilience(IConfigurationSection resilience)
    {
        const string Method = nameof(CsfleBuilder.UseKmsResilience);
        var given = options.KmsResilience ?? new KmsResilienceOptions();
        var (limit, attempt, attempts, first, longest) = (given.TimeLimit, given.AttemptTimeLimit, given.MaxAttempts, given.FirstPause, given.LongestPause);
        var settings = new Settings
        {
            [nameof(given.TimeLimit)] = each => ReadTime(each, Method, nameof(given.TimeLimit), time => limit = time),
            [nameof(given.AttemptTimeLimit)] = each => ReadTime(each, Method, nameof(given.AttemptTimeLimit), time => attempt = time),
            [nameof(given.MaxAttempts)] = each =>
            {
                if (!TryReadText(each, out var text)) return;
                if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out attempts)) Add(each, "It is no whole number.", "Write one, such as 4.");
                Place(Method, nameof(given.MaxAttempts), each);
            },
            [nameof(given.FirstPause)] = each => ReadTime(each, Method, nameof(given.FirstPause), time => first = time),
            [nameof(given.LongestPause)] = each => ReadTime(each, Method, nameof(given.LongestPause), time => longest = time),
        };
        if (!IsSection(resilience, "limits and pauses") || !settings.Read(resilience, options)) return;
        options.KmsResilience = new KmsResilienceOptions
        {
            TimeLimit = limit,
            AttemptTimeLimit = attempt,
            MaxAttempts = attempts,
            FirstPause = first,
            LongestPause = longest,
            TimeProvider = given.TimeProvider,
            LoggerFactory = given.LoggerFactory,
        };
    }

    private void ReadText(IConfigurationSection each, string method, Action<string> use)
    {
        if (!TryReadText(each, out var text)) return;
        if (text.Length == 0)
        {
            Add(each, "It is empty.", WriteText);
            return;
        }

        use(text);
        Place(method, null, each);
    }

    private void ReadFlag(IConfigurationSection each, Action<bool> use)
    {
        if (!TryReadText(each, out var text)) return;
        if (bool.TryParse(text, out var flag))
        {
            use(flag);
        }
        else
        {
            Add(each, "It is neither true nor false.", WriteFlag);
        }
    }

    // By name: a number would be taken for whatever stands at that place.
    private void ReadEnum<T>(IConfigurationSection each, Action<T> use) where T : struct, Enum
    {
        if (!TryReadText(each, out var text)) return;
        if (Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            use(Enum.Parse<T>(text, ignoreCase: true));
        }
        else
        {
            Add(each, "It is none of the values that are known.", $"Write one of {string.Join(", ", Enum.GetNames<T>())}.");
        }
    }

    // A number alone would be understood as days.
    private void ReadTime(IConfigurationSection each, string method, string? of, Action<TimeSpan> use)
    {
        if (!TryReadText(each, out var text)) return;
        if (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time))
        {
            use(time);
            Place(method, of, each);
        }
        else
        {
            Add(each, "It is no span of time.", WriteTime);
        }
    }

    private void ReadChildren(IConfigurationSection each, string what, Action<IConfigurationSection> read)
    {
        if (!IsSection(each, what)) return;
        foreach (var child in each.GetChildren()) read(child);
    }

    private bool TryReadText(IConfigurationSection each, out string text)
    {
        text = each.Value ?? "";
        if (!each.GetChildren().Any()) return each.Value is not null;
        Add(each, "It is a section, where a single value is expected.", WriteText);
        return false;
    }

    private bool IsSection(IConfigurationSection each, string what)
    {
        if (string.IsNullOrEmpty(each.Value)) return true;
        Add(each, "It is a single value, where a section is expected.", $"Write a section with {what}.");
        return false;
    }

    private string FullPath(string path) => options.ContentRoot is { } root ? Path.Combine(root, path) : path;

    private void Add(IConfigurationSection each, string problem, string remedy) => options.ConfigurationErrors.Add(new(each.Path, problem, remedy));

    private void Place(string method, string? of, IConfigurationSection each) => options.ConfiguredAt[(method, of)] = each.Path;

    /// <summary>What is known at one level of the section, and what to do with it. Keys differ by more than case, as in every configuration.</summary>
    private sealed class Settings() : Dictionary<string, Action<IConfigurationSection>>(StringComparer.OrdinalIgnoreCase)
    {
        /// <summary>Reads what is known and reports the rest.</summary>
        /// <returns>False where a mistake was found.</returns>
        public bool Read(IConfiguration level, CsfleOptions options)
        {
            var before = options.ConfigurationErrors.Count;
            foreach (var each in level.GetChildren())
            {
                if (TryGetValue(each.Key, out var read))
                {
                    read(each);
                }
                else
                {
                    options.ConfigurationErrors.Add(new(each.Path, "There is no such setting.", $"Did you mean {NearestName.Of(each.Key, Keys)}? Known are {string.Join(", ", Keys)}."));
                }
            }

            return options.ConfigurationErrors.Count == before;
        }
    }
}
