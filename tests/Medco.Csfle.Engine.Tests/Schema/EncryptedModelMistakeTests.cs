#pragma warning disable CA1812, CA1822, CS0169, CS0649, IDE0044, IDE0051 // Classes that are only looked at.
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson.Serialization.Attributes;

namespace Medco.Csfle.Engine.Tests.Schema;

/// <summary>Every mistake with attributes made once: where it is reported, in which words, and with which remedy.</summary>
public class EncryptedModelMistakeTests
{
    [Theory]
    [InlineData(typeof(DeterministicDouble), "DeterministicDouble.Value", "stored as 'double'", "[Random]")]
    [InlineData(typeof(DeterministicDecimal), "DeterministicDecimal.Value", "stored as 'decimal'", "[Random]")]
    [InlineData(typeof(DeterministicBool), "DeterministicBool.Value", "stored as 'bool'", "[Random]")]
    [InlineData(typeof(DeterministicArray), "DeterministicArray.Value", "stored as 'array'", "[Random]")]
    [InlineData(typeof(DeterministicDictionary), "DeterministicDictionary.Value", "stored as 'object'", "[Random]")]
    [InlineData(typeof(DeterministicDocument), "DeterministicDocument.Value", "stored as 'object'", "[Random]")]
    [InlineData(typeof(DeterministicObject), "DeterministicObject.Value", "type it is stored as is not known", "[BsonRepresentation]")]
    [InlineData(typeof(DeterministicInterface), "DeterministicInterface.Value", "type it is stored as is not known", "[BsonRepresentation]")]
    [InlineData(typeof(DeterministicOwnSerializer), "DeterministicOwnSerializer.Value", "type it is stored as is not known", "[BsonRepresentation]")]
    [InlineData(typeof(EncryptedId), "EncryptedId.Id", "stored as '_id'", "a field of its own")]
    [InlineData(typeof(EncryptedExtraElements), "EncryptedExtraElements.Rest", "takes the elements that have no member", "a member of its own")]
    [InlineData(typeof(BelowList), "BelowList.Items", "Marked.Secret is marked for encryption, but lies below a collection", "mark BelowList.Items with [Random]")]
    [InlineData(typeof(BelowDictionary), "BelowDictionary.Items", "Marked.Secret is marked for encryption, but lies below a collection or dictionary", "[Random]")]
    [InlineData(typeof(DeepBelowList), "DeepBelowList.Items", "Marked.Secret is marked for encryption, but lies below a collection", "[Random]")]
    [InlineData(typeof(BelowTuple), "BelowTuple.Pair", "Marked.Secret is marked for encryption, but lies below a collection", "[Random]")]
    [InlineData(typeof(EncryptedUnderEncrypted), "EncryptedUnderEncrypted.Whole", "Marked.Secret below it is marked again", "Take the attribute away from Marked.Secret")]
    [InlineData(typeof(EncryptedUnderEncryptedList), "EncryptedUnderEncryptedList.Whole", "Marked.Secret below it is marked again", "Take the attribute away from Marked.Secret")]
    [InlineData(typeof(BothAttributes), "BothAttributes.Value", "marked [Deterministic] and [Random]", "Keep [Deterministic]")]
    [InlineData(typeof(BothWithKeyField), "BothWithKeyField.Value", "marked [Deterministic] and [Random]", "KeyField is then not possible")]
    [InlineData(typeof(SameElementTwice), "SameElementTwice.Other", "element name 'x' is also that of SameElementTwice.Value", "[BsonElement]")]
    [InlineData(typeof(Hiding), "Hiding.Value", "element name 'Value' is also that of Hidden.Value", "[BsonElement]")]
    [InlineData(typeof(NoKey), "NoKey.Value", "has no data key", "[DataKey(\"name\")]")]
    [InlineData(typeof(BlankKey), "BlankKey.Value", "A data key needs a name", "Correct the argument")]
    [InlineData(typeof(BlankClassKey), "BlankClassKey", "A data key needs a name", "Correct the argument")]
    [InlineData(typeof(BadNamespace), "BadNamespace", "does not name a collection", "Correct the argument")]
    [InlineData(typeof(KeyFieldAndDataKey), "KeyFieldAndDataKey.Value", "KeyField takes the key from the document, and [DataKey] names one", "Keep one")]
    [InlineData(typeof(KeyFieldWithoutSlash), "KeyFieldWithoutSlash.Value", "JSONPointer must start with a '/'", "\"/ownerKey\"")]
    [InlineData(typeof(KeyFieldToNothing), "KeyFieldToNothing.Value", "'/ownerKey' leads to an element 'ownerKey' that no member is stored as", "in clear")]
    [InlineData(typeof(KeyFieldToEncrypted), "KeyFieldToEncrypted.Value", "leads to KeyFieldToEncrypted.Owner, which is encrypted itself", "in clear")]
    [InlineData(typeof(KeyFieldBelowEncrypted), "KeyFieldBelowEncrypted.Value", "leads to KeyFieldBelowEncrypted.Owner, which is encrypted itself", "in clear")]
    [InlineData(typeof(KeyFieldToNumber), "KeyFieldToNumber.Value", "leads to KeyFieldToNumber.Owner, which is not stored as a string", "as a string")]
    [InlineData(typeof(KeyFieldThroughList), "KeyFieldThroughList.Value", "leads through KeyFieldThroughList.Owners, a collection", "in clear")]
    [InlineData(typeof(OnIgnored), "OnIgnored.Value", "marked for encryption, but it is not stored", "getter and a setter")]
    [InlineData(typeof(OnStatic), "OnStatic.Value", "marked for encryption, but it is not stored", "Take the attribute away")]
    [InlineData(typeof(OnPrivate), "OnPrivate._value", "marked for encryption, but it is not stored", "public property")]
    [InlineData(typeof(OnComputed), "OnComputed.Value", "marked for encryption, but it is not stored", "getter and a setter")]
    [InlineData(typeof(OnHalfReadOnly), "OnHalfReadOnly.Value", "marked for encryption, but it is not stored", "getter and a setter")]
    [InlineData(typeof(KeyOnPlainMember), "KeyOnPlainMember.Plain", "[DataKey] names a key, but nothing here is encrypted", "Add [Deterministic] or [Random]")]
    [InlineData(typeof(KeyOnPlainDocument), "KeyOnPlainDocument.Plain", "[DataKey] names a key, but nothing here is encrypted", "Add [Deterministic] or [Random]")]
    [InlineData(typeof(DottedName), "DottedName.Value", "element name 'a.b' is empty, starts with '$' or contains a dot", "another element name")]
    [InlineData(typeof(DollarAbove), "DollarAbove.Below", "element name '$below' is empty, starts with '$'", "another element name")]
    [InlineData(typeof(EndlessSelf), "EndlessSelf.Next", "EndlessSelf contains itself, and EndlessSelf.Secret in it is marked", "mark EndlessSelf.Next with [Random]")]
    [InlineData(typeof(EndlessPair), "OtherHalf.Back", "EndlessPair contains itself", "mark OtherHalf.Back with [Random]")]
    [InlineData(typeof(EndlessList), "EndlessList.Children", "EndlessList.Secret is marked for encryption, but lies below a collection", "mark EndlessList.Children with [Random]")]
    [InlineData(typeof(EndlessGeneric<int>), "EndlessGeneric<Int32>", "contains itself with other type arguments", "with [Random]")]
    [InlineData(typeof(NothingMarked), "NothingMarked", "No member is encrypted", "[Deterministic] or [Random]")]
    [InlineData(typeof(int), "Int32", "not stored as a document", "Register a class")]
    [InlineData(typeof(List<Marked>), "List<Marked>", "not stored as a document", "Register a class")]
    [InlineData(typeof(IFormattable), "IFormattable", "not stored as a document", "Register a class")]
    [InlineData(typeof(Generic<>), "Generic<T>", "not stored as a document", "all type arguments")]
    [InlineData(typeof(ConflictBase), "ConflictOne.Code", "The element 'Code' is also stored by ConflictTwo.Code", "mark both alike")]
    [InlineData(typeof(ConflictPlainBase), "ConflictPlainOne.Code", "The element 'Code' is also stored by ConflictPlainTwo.Code", "mark both alike")]
    [InlineData(typeof(ConflictKeyBase), "ConflictKeyBase.Code", "The element 'Code' is also stored by ConflictKeyBase.Code", "same type and data key")]
    [InlineData(typeof(UnknownDerived), "UnknownDerived", "TheDerived may be stored here in place of UnknownDerived, but is not known", "[BsonKnownTypes(typeof(TheDerived))]")]
    [InlineData(typeof(HoldsUnknownDerived), "HoldsUnknownDerived.Plain", "TheDerivedBelow may be stored here in place of PlainBase", "[BsonKnownTypes(typeof(TheDerivedBelow))]")]
    [InlineData(typeof(HoldsInterface), "HoldsInterface.Plain", "BehindInterface may be stored here in place of IHides", "BehindInterface")]
    [InlineData(typeof(HoldsListOfInterface), "HoldsListOfInterface.Plain", "BehindInterface may be stored here in place of IHides", "BehindInterface")]
    [InlineData(typeof(DeepUnknownDerived), "DeepPlain.Plain", "TheDerivedBelow may be stored here in place of PlainBase", "[BsonKnownTypes(typeof(TheDerivedBelow))]")]
    [InlineData(typeof(DeepIgnored), "OnlyIgnored.Value", "marked for encryption, but it is not stored", "getter and a setter")]
    [InlineData(typeof(OwnSerializerBelow), "OwnSerializerBelow.Plain", "SerializedItself.Secret below it is marked for encryption, but how SerializedItself is stored is not known", "mark OwnSerializerBelow.Plain with [Random]")]
    [InlineData(typeof(OwnSerializerOnMember), "OwnSerializerOnMember.Plain", "Marked.Secret below it is marked for encryption, but how Marked is stored is not known", "mark OwnSerializerOnMember.Plain with [Random]")]
    [InlineData(typeof(MarkedInInterface), "IHasSsn.Ssn", "marked for encryption in an interface, which has no effect on MarkedInInterface", "Put the attribute on the member of MarkedInInterface")]
    [InlineData(typeof(MarkedOverride), "Overridable.Value", "The element 'Value' is also stored by Overridable.Value", "mark both alike")]
    public void A_mistake_is_reported_with_class_member_and_remedy(Type type, string location, string problem, string remedy)
    {
        var error = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromClass(type));

        Assert.Equal(CsfleErrorCode.InvalidMapping, error.Code);
        Assert.Contains(error.Errors, mistake
            => mistake.Location.StartsWith(location, StringComparison.Ordinal)
                && mistake.Problem.Contains(problem, StringComparison.Ordinal)
                && mistake.Remedy.Contains(remedy, StringComparison.Ordinal));
        Assert.Equal(error.Errors.Count, error.Errors.Distinct().Count());
    }

    [Theory]
    [InlineData("Random", "UniqueIndexes.Random")]
    [InlineData("List", "UniqueIndexes.List")]
    [InlineData("List.Inside", "UniqueIndexes.List")]
    [InlineData("Below.Secret", "Marked.Secret")]
    [InlineData("Below", "Marked.Secret")]
    public void A_unique_index_on_a_random_field_is_reported(string path, string location)
    {
        var error = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromClass<UniqueIndexes>(uniqueIndexes: [path]));

        var mistake = Assert.Single(error.Errors);
        Assert.Equal(location, mistake.Location);
        Assert.Contains($"unique index on '{path}' guarantees nothing", mistake.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_reported_at_once_and_once_each()
    {
        var error = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromClass<ManyMistakes>());

        Assert.Equal(
            ["ManyMistakes.Double", "ManyMistakes.Id", "ManyMistakes.Ignored", "ManyMistakes.List", "ManyMistakesBelow.Both"],
            error.Errors.Select(mistake => mistake.Location).Order(StringComparer.Ordinal));
        Assert.StartsWith("The class ManyMistakes has 5 mistakes", error.Message, StringComparison.Ordinal);
        Assert.All(error.Errors, mistake => Assert.Contains($"{mistake.Location}: {mistake.Problem} {mistake.Remedy}", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_derived_class_with_a_collection_of_its_own_need_not_be_known()
        => Assert.NotNull(EncryptedModel.FromClass<Tenant>());

    private sealed class Marked
    {
        [Random, DataKey("k")] public string? Secret { get; set; }
    }

    private sealed class Unmarked
    {
        public string? Open { get; set; }
    }

    [DataKey("k")] private sealed class DeterministicDouble { [Deterministic] public double Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicDecimal { [Deterministic] public decimal? Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicBool { [Deterministic] public bool Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicArray { [Deterministic] public string[]? Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicDictionary { [Deterministic] public Dictionary<string, int>? Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicDocument { [Deterministic] public Unmarked? Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicObject { [Deterministic] public object? Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicInterface { [Deterministic] public IComparable? Value { get; set; } }

    [DataKey("k")] private sealed class DeterministicOwnSerializer { [Deterministic, BsonSerializer(typeof(object))] public int Value { get; set; } }

    [DataKey("k")] private sealed class EncryptedId { [Deterministic] public string? Id { get; set; } }

    [DataKey("k")] private sealed class EncryptedExtraElements { [Random, BsonExtraElements] public MongoDB.Bson.BsonDocument? Rest { get; set; } }

    private sealed class BelowList { public List<Marked>? Items { get; set; } }

    private sealed class BelowDictionary { public Dictionary<string, Marked>? Items { get; set; } }

    private sealed class DeepBelowList { public List<BelowBelow[]>? Items { get; set; } }

    private sealed class BelowBelow { public Marked? Marked { get; set; } }

    private sealed class BelowTuple { public (int, Marked) Pair { get; set; } }

    [DataKey("k")] private sealed class EncryptedUnderEncrypted { [Random] public Marked? Whole { get; set; } }

    [DataKey("k")] private sealed class EncryptedUnderEncryptedList { [Random] public List<Marked>? Whole { get; set; } }

    [DataKey("k")] private sealed class BothAttributes { [Deterministic, Random] public int Value { get; set; } }

    private sealed class BothWithKeyField
    {
        public string? Owner { get; set; }
        [Deterministic, Random(KeyField = "/Owner")] public int Value { get; set; }
    }

    [DataKey("k")]
    private sealed class SameElementTwice
    {
        [Random, BsonElement("x")] public int Value { get; set; }
        [BsonElement("x")] public int Other { get; set; }
    }

    private class Hidden { public int Value { get; set; } }

    [DataKey("k"), EncryptedCollection("a.hiding")] private sealed class Hiding : Hidden { [Random] public new int Value { get; set; } }

    private sealed class NoKey { [Random] public int Value { get; set; } }

    private sealed class BlankKey { [Random, DataKey(" ")] public int Value { get; set; } }

    [DataKey("")] private sealed class BlankClassKey { [Random] public int Value { get; set; } }

    [DataKey("k"), EncryptedCollection("nodot")] private sealed class BadNamespace { [Random] public int Value { get; set; } }

    private sealed class KeyFieldAndDataKey
    {
        public string? Owner { get; set; }
        [Random(KeyField = "/Owner"), DataKey("k")] public int Value { get; set; }
    }

    private sealed class KeyFieldWithoutSlash
    {
        public string? Owner { get; set; }
        [Random(KeyField = "Owner")] public int Value { get; set; }
    }

    private sealed class KeyFieldToNothing
    {
        public string? OwnerKey { get; set; }
        [Random(KeyField = "/ownerKey")] public int Value { get; set; }
    }

    [DataKey("k")]
    private sealed class KeyFieldToEncrypted
    {
        [Deterministic] public string? Owner { get; set; }
        [Random(KeyField = "/Owner")] public int Value { get; set; }
    }

    [DataKey("k")]
    private sealed class KeyFieldBelowEncrypted
    {
        [Random] public Unmarked? Owner { get; set; }
        [Random(KeyField = "/Owner/Open")] public int Value { get; set; }
    }

    private sealed class KeyFieldToNumber
    {
        public int Owner { get; set; }
        [Random(KeyField = "/Owner")] public int Value { get; set; }
    }

    private sealed class KeyFieldThroughList
    {
        public List<string>? Owners { get; set; }
        [Random(KeyField = "/Owners/0")] public int Value { get; set; }
    }

    [DataKey("k")]
    private sealed class OnIgnored
    {
        [Random] public int Stored { get; set; }
        [Random, BsonIgnore] public int Value { get; set; }
    }

    [DataKey("k")] private sealed class OnStatic { [Random] public static int Value { get; set; } }

    [DataKey("k")] private sealed class OnPrivate { [Random] private int _value; }

    [DataKey("k")] private sealed class OnComputed { [Random] public int Value => 1; }

    [DataKey("k")]
    private sealed class OnHalfReadOnly(int value)
    {
        [Random] public int Value { get; } = value;
        public int Written { get; set; }
    }

    [DataKey("k")]
    private sealed class KeyOnPlainMember
    {
        [Random] public int Value { get; set; }
        [DataKey("k2")] public int Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class KeyOnPlainDocument
    {
        [Random] public int Value { get; set; }
        [DataKey("k2")] public Unmarked? Plain { get; set; }
    }

    [DataKey("k")] private sealed class DottedName { [Random, BsonElement("a.b")] public int Value { get; set; } }

    private sealed class DollarAbove { [BsonElement("$below")] public Marked? Below { get; set; } }

    [DataKey("k")]
    private sealed class EndlessSelf
    {
        [Deterministic] public int Secret { get; set; }
        public EndlessSelf? Next { get; set; }
    }

    [DataKey("k")]
    private sealed class EndlessPair
    {
        [Deterministic] public int Secret { get; set; }
        public OtherHalf? Other { get; set; }
    }

    private sealed class OtherHalf { public EndlessPair? Back { get; set; } }

    [DataKey("k")]
    private sealed class EndlessList
    {
        [Deterministic] public int Secret { get; set; }
        public List<EndlessList>? Children { get; set; }
    }

    [DataKey("k")]
    private sealed class EndlessGeneric<T>
    {
        [Random] public int Secret { get; set; }
        public T? Value { get; set; }
        public EndlessGeneric<List<T>>? Next { get; set; }
    }

    private sealed class NothingMarked { public int Value { get; set; } }

    [DataKey("k")] private sealed class Generic<T> { [Random] public T? Value { get; set; } }

    [DataKey("k"), BsonKnownTypes(typeof(ConflictOne), typeof(ConflictTwo))] private abstract class ConflictBase;

    private sealed class ConflictOne : ConflictBase { [Deterministic] public int Code { get; set; } }

    private sealed class ConflictTwo : ConflictBase { [Deterministic] public string? Code { get; set; } }

    [DataKey("k"), BsonKnownTypes(typeof(ConflictPlainOne), typeof(ConflictPlainTwo))] private abstract class ConflictPlainBase;

    private sealed class ConflictPlainOne : ConflictPlainBase { [Deterministic] public int Code { get; set; } }

    private sealed class ConflictPlainTwo : ConflictPlainBase { public int Code { get; set; } }

    [DataKey("k"), BsonKnownTypes(typeof(ConflictKeyDerived))] private class ConflictKeyBase { [Deterministic] public int Code { get; set; } }

    [DataKey("k2")] private sealed class ConflictKeyDerived : ConflictKeyBase;

    [DataKey("k")] private class UnknownDerived { [Random] public int Value { get; set; } }

    private sealed class TheDerived : UnknownDerived { [Random] public int More { get; set; } }

    [DataKey("k")]
    private sealed class HoldsUnknownDerived
    {
        [Random] public int Value { get; set; }
        public PlainBase? Plain { get; set; }
    }

    private class PlainBase { public int Open { get; set; } }

    private sealed class TheDerivedBelow : PlainBase { [Random] public int More { get; set; } }

    [DataKey("k")]
    private sealed class HoldsInterface
    {
        [Random] public int Value { get; set; }
        public IHides? Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class HoldsListOfInterface
    {
        [Random] public int Value { get; set; }
        public List<IHides>? Plain { get; set; }
    }

    private interface IHides;

    private sealed class BehindInterface : IHides { [Random] public int More { get; set; } }

    [DataKey("k")]
    private sealed class DeepUnknownDerived
    {
        [Random] public int Value { get; set; }
        public DeepPlain? Deep { get; set; }
    }

    private sealed class DeepPlain { public List<PlainBase>? Plain { get; set; } }

    [DataKey("k")]
    private sealed class DeepIgnored
    {
        [Random] public int Value { get; set; }
        public List<OnlyIgnored>? Deep { get; set; }
    }

    private sealed class OnlyIgnored { [Random, BsonIgnore] public int Value { get; set; } }

    [DataKey("k")]
    private sealed class OwnSerializerBelow
    {
        [Random] public int Value { get; set; }
        public List<SerializedItself>? Plain { get; set; }
    }

    [BsonSerializer(typeof(object))] private sealed class SerializedItself { [Random] public int Secret { get; set; } }

    [DataKey("k")]
    private sealed class OwnSerializerOnMember
    {
        [Random] public int Value { get; set; }
        [BsonSerializer(typeof(object))] public Marked? Plain { get; set; }
    }

    private interface IHasSsn { [Deterministic] int Ssn { get; set; } }

    [DataKey("k")]
    private sealed class MarkedInInterface : IHasSsn
    {
        [Random] public int Value { get; set; }
        public int Ssn { get; set; }
    }

    [DataKey("k"), BsonKnownTypes(typeof(MarkedOverrideDerived))] private class MarkedOverride : Overridable { [Random] public int More { get; set; } }

    private sealed class MarkedOverrideDerived : MarkedOverride { [Random] public override int Value { get; set; } }

    private abstract class Overridable { public virtual int Value { get; set; } }

    [DataKey("k")]
    private sealed class UniqueIndexes
    {
        [Random] public int Random { get; set; }
        [Random] public List<int>? List { get; set; }
        public Marked? Below { get; set; }
    }

    [DataKey("k")]
    private sealed class ManyMistakes
    {
        [Deterministic] public string? Id { get; set; }
        [Deterministic] public double Double { get; set; }
        [Random, BsonIgnore] public int Ignored { get; set; }
        public List<Marked>? List { get; set; }
        public ManyMistakesBelow? First { get; set; }
        public ManyMistakesBelow? Second { get; set; }
    }

    private sealed class ManyMistakesBelow { [Deterministic, Random] public int Both { get; set; } }

    [DataKey("k"), EncryptedCollection("a.tenants")] private class Tenant { [Random] public int Value { get; set; } }

    [EncryptedCollection("a.special")] private sealed class SpecialTenant : Tenant { [Random] public int More { get; set; } }
}
