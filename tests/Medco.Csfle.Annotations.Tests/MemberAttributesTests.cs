namespace Medco.Csfle.Annotations.Tests;

/// <summary>Where [Deterministic] and [Random] may stand, and who inherits them: a mark that gets lost is a value in clear.</summary>
public class MemberAttributesTests
{
    [Theory]
    [InlineData(nameof(Base.Number), typeof(DeterministicAttribute))]
    [InlineData(nameof(Base.Note), typeof(RandomAttribute))]
    [InlineData(nameof(Base.Note), typeof(DataKeyAttribute))]
    public void An_overriding_property_keeps_the_marks_of_the_property_it_overrides(string property, Type mark)
        => Assert.NotNull(Attribute.GetCustomAttribute(typeof(Derived).GetProperty(property)!, mark));

    [Fact]
    public void Fields_can_be_marked()
        => Assert.NotNull(Attribute.GetCustomAttribute(typeof(Base).GetField(nameof(Base.Field))!, typeof(RandomAttribute)));

    [Fact]
    public void A_positional_record_marks_its_properties()
        => Assert.NotNull(Attribute.GetCustomAttribute(typeof(Positional).GetProperty(nameof(Positional.Ssn))!, typeof(DeterministicAttribute)));

    [Theory]
    [InlineData(typeof(DeterministicAttribute))]
    [InlineData(typeof(RandomAttribute))]
    [InlineData(typeof(DataKeyAttribute))]
    public void A_parameter_cannot_be_marked_so_that_a_forgotten_prefix_does_not_compile(Type mark)
        => Assert.Equal((AttributeTargets)0, UsageOf(mark).ValidOn & AttributeTargets.Parameter);

    [Theory]
    [InlineData(typeof(DeterministicAttribute))]
    [InlineData(typeof(RandomAttribute))]
    [InlineData(typeof(DataKeyAttribute))]
    [InlineData(typeof(EncryptedCollectionAttribute))]
    public void Every_mark_stands_once(Type mark) => Assert.False(UsageOf(mark).AllowMultiple);

    [Fact]
    public void Random_takes_a_key_per_document_only_where_it_is_told_to()
    {
        Assert.Null(new RandomAttribute().KeyField);
        Assert.Equal("/owner/key", new RandomAttribute { KeyField = "/owner/key" }.KeyField);
    }

    private static AttributeUsageAttribute UsageOf(Type mark)
        => (AttributeUsageAttribute)Attribute.GetCustomAttribute(mark, typeof(AttributeUsageAttribute))!;

    private class Base
    {
        [Random]
        public string Field = "";

        [Deterministic]
        public virtual int Number { get; set; }

        [Random, DataKey("notes")]
        public virtual string Note { get; set; } = "";
    }

    private sealed class Derived : Base
    {
        public override int Number { get; set; }

        public override string Note { get; set; } = "";
    }

    private sealed record Positional([property: Deterministic] int Ssn);
}
