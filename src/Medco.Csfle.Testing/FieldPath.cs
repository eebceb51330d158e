using System.Linq.Expressions;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;

namespace Medco.Csfle.Testing;

/// <summary>The path under which the driver stores a member.</summary>
internal static class FieldPath
{
    public static string Of<T>(Expression<Func<T, object?>> field, IBsonSerializer<T> serializer, IBsonSerializerRegistry registry)
        => new ExpressionFieldDefinition<T>(field).Render(new RenderArgs<T>(serializer, registry)).FieldName;

    public static string[] Of<T>(Expression<Func<T, object?>>[] fields, IBsonSerializer<T> serializer, IBsonSerializerRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return fields.Length > 0 ? [.. fields.Select(field => Of(field, serializer, registry))] : throw new ArgumentException("Name at least one field.", nameof(fields));
    }
}
