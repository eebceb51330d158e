using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// What the attributes on a class say about the encryption of its documents: checked as a whole, and turned into an
/// <see cref="EncryptionSchema"/> as soon as the ids of the data keys are known.
/// </summary>
public sealed class EncryptedModel
{
    internal const string Trimming = "Attributes are read from classes by reflection, which trimming may take away.";

    private readonly DocumentField _root;
    private readonly StoredClass _class;

    private EncryptedModel(Type type, DocumentField root, StoredClass @class, string? @namespace)
    {
        Type = type;
        Namespace = @namespace;
        _root = root;
        _class = @class;
        KeyAltNames = [.. NamesOfKeys(root).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The class.</summary>
    public Type Type { get; }

    /// <summary>The collection, <c>database.collection</c>, that <c>[EncryptedCollection]</c> on the class names; null without it.</summary>
    public string? Namespace { get; }

    /// <summary>The key alternate names of all data keys that the attributes name, each once; those that documents name are not known.</summary>
    public IReadOnlyCollection<string> KeyAltNames { get; }

    /// <summary>Reads the attributes of a class, as the driver stores it by default.</summary>
    /// <typeparam name="T">The class whose objects are the documents of the collection.</typeparam>
    /// <param name="naming">How names of members become names of elements.</param>
    /// <param name="uniqueIndexes">Element paths, such as <c>insurance.policyNumber</c>, on which the application has a unique index.</param>
    /// <param name="knownTypes">Derived classes that are stored too, besides those that <c>[BsonKnownTypes]</c> lists.</param>
    /// <exception cref="EncryptionSchemaException">The attributes cannot become a schema; every reason is in the exception.</exception>
    [RequiresUnreferencedCode(Trimming)]
    public static EncryptedModel FromClass<T>(ElementNaming naming = ElementNaming.AsIs, IEnumerable<string>? uniqueIndexes = null, IEnumerable<Type>? knownTypes = null)
        => FromClass(typeof(T), naming, uniqueIndexes, knownTypes);

    /// <summary>Reads the attributes of a class, as the driver stores it by default.</summary>
    /// <param name="type">The class whose objects are the documents of the collection.</param>
    /// <param name="naming">How names of members become names of elements.</param>
    /// <param name="uniqueIndexes">Element paths, such as <c>insurance.policyNumber</c>, on which the application has a unique index.</param>
    /// <param name="knownTypes">Derived classes that are stored too, besides those that <c>[BsonKnownTypes]</c> lists.</param>
    /// <exception cref="EncryptionSchemaException">The attributes cannot become a schema; every reason is in the exception.</exception>
    [RequiresUnreferencedCode(Trimming)]
    public static EncryptedModel FromClass(Type type, ElementNaming naming = ElementNaming.AsIs, IEnumerable<string>? uniqueIndexes = null, IEnumerable<Type>? knownTypes = null)
        => FromMapping(type, new ReflectionFieldMapping(naming), uniqueIndexes, knownTypes);

    /// <summary>Reads what is said of a class here and by its attributes, as the driver stores it by default.</summary>
    /// <typeparam name="T">The class whose objects are the documents of the collection.</typeparam>
    /// <param name="configure">Says what is encrypted.</param>
    /// <param name="naming">How names of members become names of elements.</param>
    /// <exception cref="EncryptionSchemaException">It cannot become a schema; every reason is in the exception.</exception>
    [RequiresUnreferencedCode(Trimming)]
    public static EncryptedModel FromClass<T>(Action<EncryptedClass<T>> configure, ElementNaming naming = ElementNaming.AsIs)
        => FromMapping(typeof(T), new ReflectionFieldMapping(naming), null, null, DeclaredModel.Of(configure));

    /// <summary>Reads what is said of a class that is stored as a mapping says.</summary>
    [RequiresUnreferencedCode(Trimming)]
    internal static EncryptedModel FromMapping(
        Type type, IFieldMapping mapping, IEnumerable<string>? uniqueIndexes, IEnumerable<Type>? knownTypes, DeclaredModel? declared = null)
    {
        ArgumentNullException.ThrowIfNull(type);
        var (root, @class) = EncryptedModelBuilder.Build(type, mapping, [.. knownTypes ?? []], declared ?? new DeclaredModel(), [.. uniqueIndexes ?? []]);
        return new EncryptedModel(type, root, @class, type.GetCustomAttribute<EncryptedCollectionAttribute>(inherit: false)?.Namespace);
    }

    /// <summary>The schema, with the ids of the data keys in the place of their names.</summary>
    /// <remarks>
    /// Besides what its JSON says it knows what happens to null in each member, and which classes the documents may be of: two
    /// things that MongoDB's schemas have no words for. Read back from its JSON, a schema has forgotten them.
    /// </remarks>
    /// <param name="keyIds">The id of each key in <see cref="KeyAltNames"/>; others do no harm.</param>
    /// <exception cref="DataKeyException">The id of a key is missing.</exception>
    public EncryptionSchema ToSchema(IReadOnlyDictionary<string, Guid> keyIds)
    {
        ArgumentNullException.ThrowIfNull(keyIds);
        using var writer = new BsonWriter();
        writer.StartDocument();
        WriteDocument(writer, _root, keyIds);
        writer.EndDocument();
        return EncryptionSchema.OfModel(writer.WrittenSpan, _root, _class);
    }

    private void WriteDocument(BsonWriter writer, DocumentField document, IReadOnlyDictionary<string, Guid> keyIds)
    {
        writer.WriteString("bsonType"u8, "object"u8);
        if (document.KeyAltName is { } key)
        {
            writer.StartDocument("encryptMetadata");
            WriteKey(writer, key, keyIds);
            writer.EndDocument();
        }

        writer.StartDocument("properties");
        foreach (var (name, field) in document.Fields)
        {
            if (field is not (EncryptedField or DocumentField { HasEncryption: true })) continue;
            writer.StartDocument(name);
            if (field is DocumentField below)
            {
                WriteDocument(writer, below, keyIds);
            }
            else
            {
                writer.StartDocument("encrypt");
                WriteEncrypt(writer, (EncryptedField)field, keyIds);
                writer.EndDocument();
            }

            writer.EndDocument();
        }

        writer.EndDocument();
    }

    private void WriteEncrypt(BsonWriter writer, EncryptedField field, IReadOnlyDictionary<string, Guid> keyIds)
    {
        if (field.Types is { Count: 1 } type)
        {
            writer.WriteString("bsonType"u8, type.Types.Single().Alias());
        }
        else if (field.Types is { } types)
        {
            writer.StartArray("bsonType"u8);
            Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
            var position = 0;
            foreach (var one in types.Types) writer.WriteString(BsonIndex.Format(position++, index), one.Alias());
            writer.EndDocument();
        }

        writer.WriteString("algorithm"u8, field.Algorithm == CsfleAlgorithm.Deterministic ? SchemaKeywords.Deterministic : SchemaKeywords.Random);
        if (field.KeyField is { } pointer) writer.WriteString("keyId"u8, pointer.Text);
        if (field.KeyAltName is { } key) WriteKey(writer, key, keyIds);
    }

    private void WriteKey(BsonWriter writer, string keyAltName, IReadOnlyDictionary<string, Guid> keyIds)
    {
        if (!keyIds.TryGetValue(keyAltName, out var id))
        {
            throw new DataKeyException(CsfleErrorCode.DataKeyNotFound,
                $"The id of the data key '{keyAltName}', which {ClassNames.Of(Type)} names, is not known",
                "Create the key in the key vault, correct the name in [DataKey], or check that the key vault is the right one.", keyAltName: keyAltName);
        }

        writer.StartArray("keyId"u8);
        writer.WriteUuid("0"u8, id);
        writer.EndDocument();
    }

    private static IEnumerable<string> NamesOfKeys(ModelField field) => field switch
    {
        EncryptedField { KeyAltName: { } name } => [name],
        DocumentField { HasEncryption: true } document => document.Fields.Values.SelectMany(NamesOfKeys).Concat(document.KeyAltName is { } name ? [name] : []),
        _ => [],
    };
}
