using System.Collections;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>As what the driver stores the types of .NET where nothing else is said: its defaults from 3.0 on.</summary>
internal static class ClrTypes
{
    private static readonly StoredForm Unknown = new(null, FieldShape.Opaque, []);

    private static readonly FrozenDictionary<Type, BsonType> Scalars = new Dictionary<Type, BsonType>
    {
        [typeof(bool)] = BsonType.Boolean,
        [typeof(byte)] = BsonType.Int32,
        [typeof(sbyte)] = BsonType.Int32,
        [typeof(short)] = BsonType.Int32,
        [typeof(ushort)] = BsonType.Int32,
        [typeof(int)] = BsonType.Int32,
        [typeof(uint)] = BsonType.Int32,
        [typeof(char)] = BsonType.Int32,
        [typeof(long)] = BsonType.Int64,
        [typeof(ulong)] = BsonType.Int64,
        [typeof(float)] = BsonType.Double,
        [typeof(double)] = BsonType.Double,
        [typeof(decimal)] = BsonType.Decimal128,
        [typeof(string)] = BsonType.String,
        [typeof(Guid)] = BsonType.Binary,
        [typeof(byte[])] = BsonType.Binary,
        [typeof(Memory<byte>)] = BsonType.Binary,
        [typeof(ReadOnlyMemory<byte>)] = BsonType.Binary,
        [typeof(DateTime)] = BsonType.DateTime,
        [typeof(DateOnly)] = BsonType.DateTime,
        [typeof(TimeOnly)] = BsonType.Int64,
        [typeof(DateTimeOffset)] = BsonType.Document,
        [typeof(TimeSpan)] = BsonType.String,
        [typeof(Uri)] = BsonType.String,
        [typeof(Version)] = BsonType.String,
        [typeof(System.Text.RegularExpressions.Regex)] = BsonType.RegularExpression,
        [typeof(BitArray)] = BsonType.Document,
        [typeof(System.Dynamic.ExpandoObject)] = BsonType.Document,
    }.ToFrozenDictionary();

    // By name, because this code refers neither to the driver nor to anything of the network.
    private static readonly FrozenDictionary<string, BsonType> ScalarsByName = new Dictionary<string, BsonType>
    {
        ["System.Net.IPAddress"] = BsonType.String,
        ["System.Net.IPEndPoint"] = BsonType.String,
        ["MongoDB.Bson.ObjectId"] = BsonType.ObjectId,
        ["MongoDB.Bson.Decimal128"] = BsonType.Decimal128,
        ["MongoDB.Bson.BsonDocument"] = BsonType.Document,
        ["MongoDB.Bson.RawBsonDocument"] = BsonType.Document,
        ["MongoDB.Bson.BsonArray"] = BsonType.Array,
        ["MongoDB.Bson.BsonString"] = BsonType.String,
        ["MongoDB.Bson.BsonInt32"] = BsonType.Int32,
        ["MongoDB.Bson.BsonInt64"] = BsonType.Int64,
        ["MongoDB.Bson.BsonDouble"] = BsonType.Double,
        ["MongoDB.Bson.BsonBoolean"] = BsonType.Boolean,
        ["MongoDB.Bson.BsonDateTime"] = BsonType.DateTime,
        ["MongoDB.Bson.BsonTimestamp"] = BsonType.Timestamp,
        ["MongoDB.Bson.BsonObjectId"] = BsonType.ObjectId,
        ["MongoDB.Bson.BsonBinaryData"] = BsonType.Binary,
        ["MongoDB.Bson.BsonDecimal128"] = BsonType.Decimal128,
        ["MongoDB.Bson.BsonRegularExpression"] = BsonType.RegularExpression,
        ["MongoDB.Bson.BsonJavaScript"] = BsonType.JavaScript,
        ["MongoDB.Bson.BsonJavaScriptWithScope"] = BsonType.JavaScriptWithScope,
        ["MongoDB.Bson.BsonSymbol"] = BsonType.Symbol,
    }.ToFrozenDictionary();

    /// <summary>As what a value of the type is stored.</summary>
    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    public static StoredForm Form(Type type) => Form(type, []);

    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    private static StoredForm Form(Type type, HashSet<Type> outer)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum)
        {
            return Scalar(Type.GetTypeCode(type) is TypeCode.Int64 or TypeCode.UInt64 ? BsonType.Int64 : BsonType.Int32);
        }

        if (Scalars.TryGetValue(type, out var scalar)) return Scalar(scalar);
        if (DriverAttributes.HasOwnSerializer(type)) return Unknown with { Contained = [type] };
        if (ScalarsByName.TryGetValue(type.FullName ?? "", out scalar)) return Scalar(scalar);
        if (type.Namespace == "MongoDB.Bson") return Unknown;

        // A collection of itself has no items of another class.
        if (!outer.Add(type)) return Unknown;
        if (Items(type) is { } items)
        {
            var forms = items.Types.Select(item => Form(item, outer)).ToArray();
            return new StoredForm(BsonTypeSet.Of(items.StoredAs), FieldShape.Items, [.. forms.SelectMany(form => form.Contained).Distinct()]) { Items = forms };
        }

        if (type.IsInterface) return new StoredForm(null, FieldShape.Opaque, [type]) { IsInterface = true };
        return IsDocument(type) ? new StoredForm(BsonTypeSet.Of(BsonType.Document), FieldShape.Document, [type]) : Unknown;
    }

    /// <summary>True for a class or struct of the application that is stored member by member.</summary>
    private static bool IsDocument(Type type)
        => (type.IsClass || (type.IsValueType && !type.IsPrimitive))
            && type != typeof(object)
            && !type.IsPointer && !type.IsByRef && !type.IsByRefLike && !type.ContainsGenericParameters
            && !typeof(Delegate).IsAssignableFrom(type)
            && type.Namespace is not "System" && type.Namespace?.StartsWith("System.", StringComparison.Ordinal) != true;

    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    private static (BsonType StoredAs, Type[] Types)? Items(Type type)
    {
        if (type.IsArray) return (BsonType.Array, [type.GetElementType()!]);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>)) return (BsonType.Document, type.GetGenericArguments());
        if (typeof(ITuple).IsAssignableFrom(type) && type.Namespace == "System") return (BsonType.Array, type.GetGenericArguments());

        var interfaces = type.IsInterface ? type.GetInterfaces().Append(type) : type.GetInterfaces();
        var generic = interfaces.Where(candidate => candidate.IsGenericType).ToLookup(candidate => candidate.GetGenericTypeDefinition());
        var dictionary = generic[typeof(IDictionary<,>)].Concat(generic[typeof(IReadOnlyDictionary<,>)]).FirstOrDefault();
        if (dictionary is not null) return (BsonType.Document, dictionary.GetGenericArguments());
        if (typeof(IDictionary).IsAssignableFrom(type)) return (BsonType.Document, []);
        if (generic[typeof(IEnumerable<>)].FirstOrDefault() is { } sequence) return (BsonType.Array, sequence.GetGenericArguments());
        return typeof(IEnumerable).IsAssignableFrom(type) ? (BsonType.Array, []) : null;
    }

    private static StoredForm Scalar(BsonType type) => new(BsonTypeSet.Of(type), FieldShape.Opaque, []);
}
