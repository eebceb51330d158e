using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// The mapping that MongoDB's C# driver makes by default: public fields and properties that can be read and written,
/// properties that a constructor sets where a class has no setter, <c>Id</c> as <c>_id</c>, and what the driver's attributes
/// change about that. Conventions and serializers that an application registers with the driver are not seen here.
/// </summary>
internal sealed class ReflectionFieldMapping(ElementNaming naming) : IFieldMapping
{
    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
    private static readonly string[] IdNames = ["Id", "id", "_id"];

    private readonly Dictionary<Type, ClassMapping?> _mappings = [];

    /// <inheritdoc/>
    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    public ClassMapping? Map(Type type)
    {
        if (_mappings.TryGetValue(type, out var known)) return known;
        var mapping = ClrTypes.Form(type).Shape == FieldShape.Document
            ? new ClassMapping(type, [.. Hierarchy(type).SelectMany(MapLevel)], [.. DriverAttributes.KnownTypes(type)]) { Discriminator = DiscriminatorOf(type) }
            : null;
        _mappings.Add(type, mapping);
        return mapping;
    }

    private static IEnumerable<Type> Hierarchy(Type type)
    {
        var levels = new Stack<Type>();
        for (var level = type; level is not null && level != typeof(object) && level != typeof(ValueType); level = level.BaseType) levels.Push(level);
        return levels;
    }

    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    private IEnumerable<MemberMapping> MapLevel(Type level)
    {
        var fields = level.GetFields(Declared);
        var properties = level.GetProperties(Declared).Where(property => property.CanRead && property.GetIndexParameters().Length == 0 && !IsOverride(property, level)).ToArray();
        var id = FindId(level, fields, properties);
        var boundByConstructor = BoundByConstructor(level);

        foreach (var field in fields)
        {
            var isStored = field == id || DriverAttributes.IsOptedIn(field) || (field.IsPublic && !field.IsInitOnly);
            if (isStored && !DriverAttributes.IsIgnored(field)) yield return MapMember(field, field.FieldType, field == id);
        }

        foreach (var property in properties)
        {
            var isStored = property == id || DriverAttributes.IsOptedIn(property)
                || (IsPublic(property) && (property.CanWrite || boundByConstructor.Contains(property.Name)));
            if (isStored && !DriverAttributes.IsIgnored(property)) yield return MapMember(property, property.PropertyType, property == id);
        }
    }

    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    private MemberMapping MapMember(MemberInfo member, Type type, bool isId)
    {
        var name = isId ? "_id" : DriverAttributes.ElementName(member) ?? Name(member.Name);
        var form = ClrTypes.Form(type);
        if (DriverAttributes.HasOwnSerializer(member))
        {
            form = new StoredForm(null, FieldShape.Opaque, form.Contained);
        }
        else if (form.Shape == FieldShape.Items && DriverAttributes.IsDictionaryAsArray(member))
        {
            form = form with { Types = BsonTypeSet.Of(BsonType.Array), Items = [new StoredForm(null, FieldShape.Items, form.Contained) { Items = form.Items }] };
        }
        else if (form.Shape == FieldShape.Opaque && DriverAttributes.Representation(member) is { } representation)
        {
            // On a collection the driver applies it to the items, so that it does not matter here.
            form = form with { Types = BsonTypeSet.Of(representation) };
        }

        return new MemberMapping(member, name, form)
        {
            IsId = isId,
            IsExtraElements = IsExtraElements(member, type),
            ProblemOfAbsence = DriverAttributes.IsRequired(member) ? "[BsonRequired] refuses a document without it"
                : member is PropertyInfo { CanWrite: false } ? "only a constructor sets it, and the driver calls none that it has no value for"
                : null,
        };
    }

    // Below a root class the whole line from the root on is written, else the name of the class alone.
    private static Discriminator DiscriminatorOf(Type type)
    {
        var line = new List<Type>();
        for (var level = type; level is not null && level != typeof(object); level = level.BaseType)
        {
            line.Insert(0, level);
            if (DriverAttributes.IsRootClass(level)) return DiscriminatorOf(line);
        }

        return DiscriminatorOf([type]);
    }

    private static Discriminator DiscriminatorOf(List<Type> line)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        if (line.Count > 1) writer.StartArray("v"u8);
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        for (var position = 0; position < line.Count; position++)
        {
            writer.WriteString(line.Count > 1 ? BsonIndex.Format(position, index) : "v"u8, DriverAttributes.Discriminator(line[position]) ?? ClassNames.Of(line[position]));
        }

        if (line.Count > 1) writer.EndDocument();
        writer.EndDocument();
        return new Discriminator("_t", Discriminator.ValueIn(writer.WrittenSpan));
    }

    private string Name(string member) => naming == ElementNaming.CamelCase ? char.ToLowerInvariant(member[0]) + member[1..] : member;

    private static bool IsExtraElements(MemberInfo member, Type type)
        => DriverAttributes.IsExtraElements(member)
            || (member.Name == "ExtraElements" && (type.FullName == "MongoDB.Bson.BsonDocument" || typeof(IDictionary<string, object>).IsAssignableFrom(type)));

    private static MemberInfo? FindId(Type level, FieldInfo[] fields, PropertyInfo[] properties)
    {
        var members = fields.Concat<MemberInfo>(properties).ToArray();
        if (Array.Find(members, DriverAttributes.IsId) is { } marked) return marked;
        if (DriverAttributes.HasNoId(level)) return null;
        return IdNames
            .Select(name => Array.Find(members, member => member.Name == name && IsPublic(member)))
            .FirstOrDefault(member => member is not null);
    }

    /// <summary>
    /// The read-only properties that are stored because a constructor takes them: only in a class without a parameterless
    /// constructor and without any public setter, and only where some constructor's parameters are properties all.
    /// </summary>
    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    private static HashSet<string> BoundByConstructor(Type level)
    {
        var bound = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var properties = level.GetProperties(BindingFlags.Instance | BindingFlags.Public);
        if (level.GetConstructor(Type.EmptyTypes) is not null || Array.Exists(properties, property => property.SetMethod is { IsPublic: true })) return bound;

        var constructors = level.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(constructor => !constructor.IsPrivate)
            .Select(constructor => constructor.GetParameters())
            .Where(parameters => parameters.All(parameter
                => properties.Count(property => string.Equals(property.Name, parameter.Name, StringComparison.OrdinalIgnoreCase)) == 1));
        foreach (var parameter in constructors.SelectMany(parameters => parameters)) bound.Add(parameter.Name!);
        return bound;
    }

    private static bool IsPublic(MemberInfo member) => member switch
    {
        FieldInfo field => field.IsPublic,
        PropertyInfo property => property.GetMethod is { IsPublic: true } || property.SetMethod is { IsPublic: true },
        _ => false,
    };

    private static bool IsOverride(PropertyInfo property, Type level)
        => property.GetMethod is { IsVirtual: true } getter && getter.GetBaseDefinition().DeclaringType != level;
}
