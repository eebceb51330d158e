using System.Collections;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Options;
using MongoDB.Bson.Serialization.Serializers;

namespace Medco.Csfle.ClassSchemas;

/// <summary>What the driver's serializers write, as a schema that accepts all of it.</summary>
/// <param name="describeClass">Describes documents that are objects of a class: type, whether null is possible, place.</param>
internal sealed class ValueSchema(Func<Type, bool, Place, BsonDocument> describeClass)
{
    // Types whose equality in .NET is that of the values in BSON, so that the items of a set differ there as well.
    private static readonly HashSet<Type> Distinct = [typeof(string), typeof(int), typeof(long), typeof(Guid), typeof(ObjectId)];

    /// <summary>A schema that asks for a type, or null where that is possible.</summary>
    public static BsonDocument OfType(string alias, bool mayBeNull) => OfTypes([alias], mayBeNull);

    /// <summary>True where a variable of the type can be null, whatever its annotation promises.</summary>
    public static bool MayBeNull(Type type) => !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;

    /// <summary>Describes the values that a serializer writes.</summary>
    /// <param name="serializer">The serializer.</param>
    /// <param name="mayBeNull">Whether null is one of them.</param>
    /// <param name="place">Where the values stand.</param>
    /// <returns>The empty schema where the serializer is not the driver's, or may write anything.</returns>
    public BsonDocument Describe(IBsonSerializer serializer, bool mayBeNull, Place place)
    {
        var type = serializer.ValueType;
        if (serializer is IChildSerializerConfigurable wrapper)
        {
            if (Is(serializer, typeof(NullableSerializer<>))) return Describe(wrapper.ChildSerializer, mayBeNull, place);
            if (Is(serializer, typeof(ImpliedImplementationInterfaceSerializer<,>))) return DescribeInterface(wrapper.ChildSerializer, mayBeNull, place);
        }

        if (SerializedForm.IsClassMap(serializer)) return describeClass(type, mayBeNull, place);
        // The driver writes a null of its own BSON types as a document; a BitArray's length decides as what it is written.
        if (serializer.GetType().Assembly != typeof(BsonClassMap).Assembly || typeof(BsonValue).IsAssignableFrom(type) || type == typeof(BitArray)) return [];
        if (SerializedForm.Of(serializer).Types is not { } types) return [];

        var schema = OfTypes(types.Types.Select(each => each.Alias()), mayBeNull);
        switch (serializer)
        {
            case IBsonDictionarySerializer { DictionaryRepresentation: DictionaryRepresentation.Document } dictionary:
                AddBelow(schema, SchemaKeywords.AdditionalProperties, dictionary.ValueSerializer, place);
                break;
            case IBsonDictionarySerializer:
                break;
            case IBsonArraySerializer array when array.TryGetItemSerializationInfo(out var item):
                AddBelow(schema, "items", item.Serializer, place);
                if (IsSetOfDistinct(type, item.Serializer)) schema["uniqueItems"] = true;
                break;
            default:
                if (type.IsEnum) AddValues(schema, serializer, mayBeNull);
                break;
        }

        return schema;
    }

    /// <summary>
    /// The value behind an interface may be of another class than the one the driver reads it as; then that class's own
    /// serializer writes it, without what the member's attributes say about items.
    /// </summary>
    private BsonDocument DescribeInterface(IBsonSerializer implied, bool mayBeNull, Place place)
    {
        var configured = Describe(implied, mayBeNull, place);
        var byDefault = Describe(BsonSerializer.LookupSerializer(implied.ValueType), mayBeNull, place);
        return configured == byDefault ? configured : [];
    }

    private void AddBelow(BsonDocument schema, string keyword, IBsonSerializer serializer, Place place)
    {
        var below = Describe(serializer, MayBeNull(serializer.ValueType), place.Item());
        if (below.ElementCount > 0) schema[keyword] = below;
    }

    /// <summary>
    /// The values of an enumeration as they are written, and that of a new object, which need not have a name. Flags are
    /// combined, so that no list is complete.
    /// </summary>
    private static void AddValues(BsonDocument schema, IBsonSerializer serializer, bool mayBeNull)
    {
        var type = serializer.ValueType;
        if (type.IsDefined(typeof(FlagsAttribute), inherit: false)) return;
        var values = Enum.GetValues(type).Cast<object>().Append(Activator.CreateInstance(type)!).Select(value => Write(serializer, value)).ToList();
        // Which of two names for one value is written is not the same in every version of .NET.
        if (values[0].IsString) values.AddRange(Enum.GetNames(type).Select(name => new BsonString(name)));
        if (mayBeNull) values.Add(BsonNull.Value);
        schema["enum"] = new BsonArray(values.Distinct());
    }

    private static BsonValue Write(IBsonSerializer serializer, object value)
    {
        var document = new BsonDocument();
        using var writer = new BsonDocumentWriter(document);
        writer.WriteStartDocument();
        writer.WriteName("v");
        serializer.Serialize(BsonSerializationContext.CreateRoot(writer), value);
        writer.WriteEndDocument();
        return document["v"];
    }

    private static bool IsSetOfDistinct(Type type, IBsonSerializer item)
        => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(HashSet<>) && Distinct.Contains(item.ValueType);

    private static BsonDocument OfTypes(IEnumerable<string> aliases, bool mayBeNull)
    {
        var types = mayBeNull ? [.. aliases, "null"] : aliases.ToArray();
        return new BsonDocument(SchemaKeywords.BsonType, types.Length == 1 ? types[0] : new BsonArray(types));
    }

    private static bool Is(IBsonSerializer serializer, Type definition)
        => serializer.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == definition;
}
