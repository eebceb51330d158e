using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Configuration;

namespace Medco.Csfle;

public sealed partial class CsfleBuilder
{
    /// <summary>
    /// Takes settings from a section of a configuration, as <c>docs/registration.md</c> describes it. What is said after this
    /// call counts more, what was said before it less. The section is read now; the files and variables it names are opened at
    /// start-up. A key that is not known, and a value that cannot be one, is an error there and is never passed over.
    /// </summary>
    /// <param name="section">The section itself, not what it is a part of. Relative paths in it count from the host's content root, else from the current directory.</param>
    public CsfleBuilder ReadFrom(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        new CsfleSection(this, _options, section).Read();
        return this;
    }

    /// <summary>An encrypted collection with a schema in a file: JSON, as <see cref="AddCollection(string, string)"/> takes it.</summary>
    /// <param name="namespace"><c>database.collection</c>.</param>
    /// <param name="schemaPath">The file; read at start-up.</param>
    public CsfleBuilder AddCollectionFromFile(string @namespace, string schemaPath)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        ArgumentException.ThrowIfNullOrEmpty(schemaPath);
        return Add(new CollectionRegistration(@namespace, null, null) { SchemaPath = schemaPath });
    }

    /// <summary>
    /// How long an unwrapped data key stays in memory before it is fetched and unwrapped again; 60 seconds unless told. That is
    /// how long a key that is taken away still works, and how often the KMS is asked.
    /// </summary>
    /// <param name="lifetime">Zero, as for the official drivers' <c>keyExpirationMS</c>: as long as the process lives.</param>
    public CsfleBuilder CacheDataKeysFor(TimeSpan lifetime)
    {
        _options.DataKeyLifetime = lifetime;
        _options.ConfiguredAt.Remove((nameof(CacheDataKeysFor), null));
        return this;
    }

    /// <summary>How long a KMS is waited for, and how often it is asked again.</summary>
    /// <param name="resilience">Limits and pauses. Retries are logged where this library logs, unless it names another place.</param>
    public CsfleBuilder UseKmsResilience(KmsResilienceOptions resilience)
    {
        ArgumentNullException.ThrowIfNull(resilience);
        _options.KmsResilience = resilience;
        foreach (var place in _options.ConfiguredAt.Keys.Where(place => place.Method == nameof(UseKmsResilience)).ToArray()) _options.ConfiguredAt.Remove(place);
        return this;
    }
}
