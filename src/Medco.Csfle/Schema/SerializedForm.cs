using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Options;
using MongoDB.Bson.Serialization.Serializers;
using BsonType = Medco.Csfle.Engine.Bson.BsonType;

namespace Medco.Csfle.Schema;

/// <summary>As what a serializer of the driver, or of the application, stores its values.</summary>
internal static class SerializedForm
{
    /// <summary>True where objects are stored member by member, as a class map says.</summary>
    public static bool IsClassMap(IBsonSerializer serializer) => Is(serializer, typeof(BsonClassMapSerializer<>));

    /// <summary>As what values are stored; null values aside, which cannot be encrypted anyhow.</summary>
    public static StoredForm Of(IBsonSerializer serializer) => Of(serializer, []);

    private static StoredForm Of(IBsonSerializer serializer, HashSet<Type> outer)
    {
        var type = serializer.ValueType;
        if (serializer is IChildSerializerConfigurable wrapper && (Is(serializer, typeof(NullableSerializer<>)) || Is(serializer, typeof(ImpliedImplementationInterfaceSerializer<,>))))
        {
            return Of(wrapper.ChildSerializer, outer);
        }

        if (IsClassMap(serializer)) return new StoredForm(BsonTypeSet.Of(BsonType.Document), FieldShape.Document, [type]);
        if (typeof(BsonValue).IsAssignableFrom(type)) return ClrTypes.Form(type);
        if (Items(serializer) is { } items)
        {
            // A collection of itself has no items of another class.
            if (!outer.Add(type)) return new StoredForm(null, FieldShape.Opaque, []);
            StoredForm[] forms = [.. items.Serializers.Select(item => Of(item, outer))];
            StoredForm whole = new(BsonTypeSet.Of(items.StoredAs), FieldShape.Items, [.. forms.SelectMany(form => form.Contained).Distinct()]) { Items = forms };

            // Of a dictionary that is an array, every item is a pair of a key and a value.
            return serializer is IBsonDictionarySerializer && items.StoredAs == BsonType.Array ? whole with { Items = [whole] } : whole;
        }

        if (serializer is IHasRepresentationSerializer { Representation: not MongoDB.Bson.BsonType.EndOfDocument } scalar)
        {
            return new StoredForm(BsonTypeSet.Of(ToEngine(scalar.Representation)), FieldShape.Opaque, []);
        }

        // The driver's other serializers have no choice of types; what the application wrote itself may store anything.
        var form = ClrTypes.Form(type);
        return serializer.GetType().Assembly == typeof(BsonClassMap).Assembly && form.Shape == FieldShape.Opaque
            ? form
            : new StoredForm(null, FieldShape.Opaque, [type]);
    }

    private static (BsonType StoredAs, IEnumerable<IBsonSerializer> Serializers)? Items(IBsonSerializer serializer) => serializer switch
    {
        IBsonDictionarySerializer dictionary => (
            dictionary.DictionaryRepresentation == DictionaryRepresentation.Document ? BsonType.Document : BsonType.Array,
            [dictionary.KeySerializer, dictionary.ValueSerializer]),
        IKeyValuePairSerializer pair => (ToEngine(pair.Representation), MembersOf((IBsonDocumentSerializer)serializer, "Key", "Value")),
        IBsonTupleSerializer tuple => (BsonType.Array, serializer.ValueType.GetGenericArguments().Select((_, index) => tuple.GetItemSerializer(index + 1))),
        IBsonArraySerializer array when array.TryGetItemSerializationInfo(out var item) => (BsonType.Array, [item.Serializer]),
        IChildSerializerConfigurable array when serializer.ValueType.IsArray => (BsonType.Array, [array.ChildSerializer]),
        _ => null,
    };

    private static IEnumerable<IBsonSerializer> MembersOf(IBsonDocumentSerializer serializer, params string[] names)
    {
        foreach (var name in names)
        {
            if (serializer.TryGetMemberSerializationInfo(name, out var member)) yield return member.Serializer;
        }
    }

    private static bool Is(IBsonSerializer serializer, Type definition)
        => serializer.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == definition;

    // Both enumerations have the numbers of the BSON specification.
    private static BsonType ToEngine(MongoDB.Bson.BsonType type) => (BsonType)(byte)type;
}
