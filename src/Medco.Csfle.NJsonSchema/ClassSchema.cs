using System.ComponentModel.DataAnnotations;
using System.Text;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Medco.Csfle.ClassSchemas;

/// <summary>A class as a <c>$jsonSchema</c> with the encryption rules in it.</summary>
/// <param name="Bson">What stands after <c>$jsonSchema</c>.</param>
/// <param name="Unenforced">What the class demands and the schema does not, each once.</param>
internal sealed record ClassSchema(byte[] Bson, IReadOnlyList<UnenforcedConstraint> Unenforced)
{
    /// <summary>Writes the schema of a collection.</summary>
    /// <exception cref="EnforcementException"><see cref="CsfleErrorCode.InvalidConstraint"/>: an attribute cannot be read.</exception>
    public static ClassSchema Build(ValidatorSchemaContext context, Type type, ClassSchemaOptions options)
    {
        var writer = new Writer(context.Namespace, context.KnownTypes, options);
        var plain = writer.Describe(type, context.Schema.Root);
        // The last word is that of the encryption rules; they replace whatever the class says about an encrypted path.
        var woven = RuleMerge.Merge(WantedValidator.Keyword, RuleNode.Read(plain.ToBson()), RuleNode.Read(context.EncryptionRules.Span), out _);
        return new ClassSchema(woven.ToBson(), [.. writer.Unenforced.Distinct()]);
    }

    private sealed class Writer(string ns, IReadOnlyCollection<Type> registered, ClassSchemaOptions options)
    {
        // The server stores nothing that is nested more than 100 levels deep, and a level takes up to four of the schema.
        private const int MaxDepth = 20;

        public List<UnenforcedConstraint> Unenforced { get; } = [];

        private ValueSchema Values => new(DescribeClass);

        public BsonDocument Describe(Type root, PlainNode encryption) => DescribeClass(root, mayBeNull: false, new Place("", encryption, []));

        private BsonDocument DescribeClass(Type type, bool mayBeNull, Place place)
        {
            var schema = ValueSchema.OfType("object", mayBeNull);
            if (place.Outer.Contains(type) || place.Outer.Count >= MaxDepth) return schema;
            var known = KnownTypes.Of(type, registered);
            if (known is null) return [];

            var below = place with { Outer = [.. place.Outer, type] };
            var classes = known.Select(each => DescribeMembers(each, below)).ToList();
            AddProperties(schema, classes);
            if (!options.AllowOtherElements && classes.TrueForAll(each => !each.TakesOthers)) Close(schema, type, known, place);
            return schema;
        }

        private Members DescribeMembers(Type type, Place place)
        {
            ReportClass(type, place);
            var map = BsonClassMap.LookupClassMap(type);
            var members = new Members(!type.IsAbstract, map.ExtraElementsMemberMap is not null);
            foreach (var member in map.AllMemberMaps.Where(member => member != map.ExtraElementsMemberMap))
            {
                members.Properties[member.ElementName] = DescribeMember(type, member, place.Below(member.ElementName), out var isRequired);
                if (isRequired) members.Required.Add(member.ElementName);
            }

            return members;
        }

        private BsonDocument DescribeMember(Type type, BsonMemberMap member, Place place, out bool isRequired)
        {
            var constraints = MemberConstraints.Of(ns, type, member.MemberInfo);
            // Where null is to be left out, somebody expects it, whatever the type promises.
            var isOmitted = place.Encryption is EncryptedNode { Nulls: NullPolicy.Omit } or PlainNode { Nulls: NullPolicy.Omit };
            var neverNull = constraints.Required is not null || (options.RequireNonNullable && !constraints.IsNullable && !isOmitted);
            isRequired = (neverNull || (member.IsRequired && !isOmitted)) && IsAlwaysWritten(member, neverNull);
            if (constraints.Required is not null && !isRequired) Report(place, "Required", "the driver may leave the element out");

            if (place.Encryption is EncryptedNode)
            {
                foreach (var name in constraints.Names) Report(place, name, "the value is encrypted");
                return [];
            }

            var serializer = member.GetSerializer();
            var schema = Values.Describe(serializer, ValueSchema.MayBeNull(member.MemberType) && !neverNull, place);
            foreach (var (name, reason) in constraints.AddTo(schema, serializer)) Report(place, name, reason);
            return schema;
        }

        private static bool IsAlwaysWritten(BsonMemberMap member, bool neverNull)
            => member.ShouldSerializeMethod is null
                && (!member.IgnoreIfNull || neverNull || !ValueSchema.MayBeNull(member.MemberType))
                && (!member.IgnoreIfDefault || (neverNull && member.DefaultValue is null));

        private static void AddProperties(BsonDocument schema, IReadOnlyList<Members> classes)
        {
            var properties = new BsonDocument();
            foreach (var name in classes.SelectMany(each => each.Properties.Keys).Distinct())
            {
                var variants = classes.Where(each => each.Properties.ContainsKey(name)).Select(each => each.Properties[name]).Distinct().ToList();
                properties[name] = variants.Count == 1 ? variants[0]
                    : variants.Exists(variant => variant.ElementCount == 0) ? []
                    : new BsonDocument("anyOf", new BsonArray(variants));
            }

            // An abstract class has no objects of its own; where it is the only one that is known, what it says holds for all.
            var stored = classes.Where(each => each.IsStored).DefaultIfEmpty(classes[0]).ToList();
            var required = stored[0].Required.Where(name => stored.TrueForAll(each => each.Required.Contains(name))).ToList();
            if (required.Count > 0) schema["required"] = new BsonArray(required);
            if (properties.ElementCount > 0) schema[SchemaKeywords.Properties] = properties;
        }

        private static void Close(BsonDocument schema, Type type, IReadOnlyList<Type> known, Place place)
        {
            var map = BsonClassMap.LookupClassMap(type);
            if (!schema.Contains(SchemaKeywords.Properties)) schema[SchemaKeywords.Properties] = new BsonDocument();
            var properties = schema[SchemaKeywords.Properties].AsBsonDocument;
            var isRoot = place.Path.Length == 0;
            if (isRoot) Allow("_id");
            if (isRoot || known.Count > 1 || map.DiscriminatorIsRequired || map.HasRootClass) Allow(BsonSerializer.LookupDiscriminatorConvention(type).ElementName);
            schema[SchemaKeywords.AdditionalProperties] = false;

            void Allow(string name)
            {
                if (!properties.Contains(name)) properties[name] = new BsonDocument();
            }
        }

        private void ReportClass(Type type, Place place)
        {
            const string Reason = "the server cannot run code of the class";
            foreach (var attribute in Attribute.GetCustomAttributes(type, typeof(ValidationAttribute), inherit: true)) Report(place, MemberConstraints.NameOf(attribute), Reason);
            if (typeof(IValidatableObject).IsAssignableFrom(type)) Report(place, nameof(IValidatableObject), Reason);
        }

        private void Report(Place place, string constraint, string reason) => Unenforced.Add(new UnenforcedConstraint(ns, place.Path, constraint, reason));
    }

    /// <summary>The elements of one class.</summary>
    private sealed record Members(bool IsStored, bool TakesOthers)
    {
        public Dictionary<string, BsonDocument> Properties { get; } = new(StringComparer.Ordinal);

        public List<string> Required { get; } = [];
    }
}

/// <summary>Where in a document a value stands.</summary>
/// <param name="Path">The dotted path; empty at the root.</param>
/// <param name="Encryption">What the encryption schema says there; null where nothing.</param>
/// <param name="Outer">The classes around it, to see where one contains itself.</param>
internal sealed record Place(string Path, SchemaNode? Encryption, IReadOnlyList<Type> Outer)
{
    /// <summary>The place of an element in the document that stands here.</summary>
    public Place Below(string name)
        => this with { Path = Path.Length == 0 ? name : $"{Path}.{name}", Encryption = (Encryption as PlainNode)?.Find(Encoding.UTF8.GetBytes(name)) };

    /// <summary>The place of an item or of a dictionary's value, where nothing is encrypted.</summary>
    public Place Item() => this with { Path = $"{Path}.*", Encryption = null };
}
