using System.Reflection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Schema;

/// <summary>The registered collections, their classes and schemas read and checked. Nothing here asks a server.</summary>
internal sealed class RegisteredCollections
{
    private readonly List<(string Namespace, EncryptedModel Model)> _models = [];
    private readonly Dictionary<string, EncryptionSchema> _schemas = new(StringComparer.Ordinal);

    private RegisteredCollections()
    {
    }

    /// <summary>The names of all data keys that the classes name.</summary>
    public IReadOnlyCollection<string> KeyAltNames => [.. _models.SelectMany(each => each.Model.KeyAltNames).Distinct(StringComparer.Ordinal)];

    /// <summary>The namespace of a registration; null where neither it nor the class says one.</summary>
    /// <exception cref="ArgumentException">The attribute on the class names no collection.</exception>
    public static string? NamespaceOf(CollectionRegistration registration)
        => registration.Namespace ?? registration.Type?.GetCustomAttribute<EncryptedCollectionAttribute>(inherit: false)?.Namespace;

    /// <summary>Reads registrations that <see cref="DependencyInjection.CsfleOptionsValidator"/> has passed.</summary>
    /// <exception cref="EncryptionSchemaException">Every mistake in all classes and schemas.</exception>
    public static RegisteredCollections Read(IEnumerable<CollectionRegistration> registrations)
    {
        var collections = new RegisteredCollections();
        var mapping = new ClassMapFieldMapping();
        var errors = new List<EncryptionSchemaError>();
        foreach (var registration in registrations)
        {
            var ns = NamespaceOf(registration)!;
            try
            {
                if (registration.Type is { } type)
                {
                    collections._models.Add((ns, EncryptedModel.FromMapping(type, mapping, null, null, registration.Declared)));
                }
                else
                {
                    collections._schemas.Add(ns, EncryptionSchema.Parse(registration.Schema ?? File.ReadAllText(registration.SchemaPath!)));
                }
            }
            catch (EncryptionSchemaException exception)
            {
                errors.AddRange(exception.Errors.Select(error => error with { Location = $"{ns}: {error.Location}" }));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException && registration.SchemaPath is { } path)
            {
                errors.Add(new EncryptionSchemaError(ns, $"The schema file '{path}' cannot be read ({exception.GetType().Name}).", "Check that it is there and may be read."));
            }
            catch (CsfleException exception) when (exception is ExtendedJsonFormatException or BsonFormatException)
            {
                errors.Add(new EncryptionSchemaError(ns, exception.Message, "Pass the encryption schema as one JSON object."));
            }
        }

        return errors.Count == 0 ? collections : throw new EncryptionSchemaException(CsfleErrorCode.InvalidMapping, "The registered collections", errors);
    }

    /// <summary>The schema of each collection, with the ids of the data keys in the place of their names.</summary>
    public Dictionary<string, EncryptionSchema> ToSchemas(IReadOnlyDictionary<string, Guid> keyIds)
    {
        var schemas = new Dictionary<string, EncryptionSchema>(_schemas, StringComparer.Ordinal);
        foreach (var (ns, model) in _models) schemas.Add(ns, model.ToSchema(keyIds));
        return schemas;
    }

    /// <summary>The ids of all data keys that schemas name, each once.</summary>
    public static IReadOnlyCollection<Guid> KeyIdsIn(IEnumerable<EncryptionSchema> schemas)
        => [.. schemas.SelectMany(schema => EncryptedNodesIn(schema.Root)).Select(node => node.KeyId).OfType<Guid>().Distinct()];

    /// <summary>Every encrypted node below a node.</summary>
    public static IEnumerable<EncryptedNode> EncryptedNodesIn(SchemaNode? node) => node switch
    {
        EncryptedNode encrypted => [encrypted],
        PlainNode plain => plain.Properties.Select(property => property.Node)
            .Concat(plain.PatternProperties.Select(pattern => pattern.Node))
            .Append(plain.AdditionalProperties)
            .SelectMany(EncryptedNodesIn),
        _ => [],
    };
}
