namespace Medco.Csfle.Annotations.Tests;

public class DataKeyAttributeTests
{
    [Fact]
    public void It_keeps_the_name_exactly_as_written()
        => Assert.Equal(" medco-Patients/1", new DataKeyAttribute(" medco-Patients/1").KeyAltName);

    [Theory]
    [InlineData("")]
    [InlineData(" \t")]
    public void A_blank_name_is_refused(string name)
        => Assert.Equal("keyAltName", Assert.Throws<ArgumentException>(() => new DataKeyAttribute(name)).ParamName);

    [Fact]
    public void Null_is_refused()
        => Assert.Equal("keyAltName", Assert.Throws<ArgumentNullException>(() => new DataKeyAttribute(null!)).ParamName);

    [Fact]
    public void A_derived_class_uses_the_key_of_its_base_until_it_names_its_own()
    {
        Assert.Equal("animals", KeyOf(typeof(Dog)));
        Assert.Equal("cats", KeyOf(typeof(Cat)));
    }

    private static string? KeyOf(Type type)
        => ((DataKeyAttribute?)Attribute.GetCustomAttribute(type, typeof(DataKeyAttribute)))?.KeyAltName;

    [DataKey("animals")]
    private class Animal;

    private sealed class Dog : Animal;

    [DataKey("cats")]
    private sealed class Cat : Animal;
}
