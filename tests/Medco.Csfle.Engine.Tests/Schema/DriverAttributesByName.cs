// Attributes that are called like those of MongoDB's C# driver, which is all that counts: the engine reads them by name.
namespace MongoDB.Bson
{
    internal enum BsonType
    {
        Double = 1,
        String = 2,
        Binary = 5,
        ObjectId = 7,
        Int32 = 16,
        Int64 = 18,
        Decimal128 = 19,
    }

    internal struct ObjectId;

    internal sealed class BsonDocument;

    internal abstract class BsonValue;
}

namespace MongoDB.Bson.Serialization.Options
{
    internal enum DictionaryRepresentation
    {
        Document,
        ArrayOfArrays,
        ArrayOfDocuments,
    }
}

namespace MongoDB.Bson.Serialization.Attributes
{
    using MongoDB.Bson.Serialization.Options;

#pragma warning disable CS9113 // What the constructors are given is read from metadata.
#pragma warning disable CA1019
    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonElementAttribute(string? name = null) : Attribute;

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonIdAttribute : Attribute;

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonIgnoreAttribute : Attribute;

    [AttributeUsage(AttributeTargets.Class)]
    internal sealed class BsonDiscriminatorAttribute(string? discriminator = null) : Attribute
    {
        public bool RootClass { get; set; }
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonRequiredAttribute : Attribute;

    [AttributeUsage(AttributeTargets.Class)]
    internal sealed class BsonNoIdAttribute : Attribute;

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonExtraElementsAttribute : Attribute;

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonRepresentationAttribute(BsonType representation) : Attribute;

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonDateTimeOptionsAttribute : Attribute
    {
        public BsonType Representation { get; set; }
    }

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    internal sealed class BsonDictionaryOptionsAttribute(DictionaryRepresentation representation) : Attribute;

    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Class)]
    internal sealed class BsonSerializerAttribute(Type serializer) : Attribute;

    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Interface, AllowMultiple = true)]
    internal sealed class BsonKnownTypesAttribute(params Type[] knownTypes) : Attribute;
#pragma warning restore CA1019, CS9113
}
