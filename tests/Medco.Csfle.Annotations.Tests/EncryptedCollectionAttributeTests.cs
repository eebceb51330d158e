namespace Medco.Csfle.Annotations.Tests;

public class EncryptedCollectionAttributeTests
{
    [Theory]
    [InlineData("medicalRecords.patients", "medicalRecords", "patients")]
    [InlineData("app.audit.2024", "app", "audit.2024")]
    [InlineData("a.b", "a", "b")]
    [InlineData("app.two words", "app", "two words")]
    public void The_first_dot_ends_the_name_of_the_database(string text, string database, string collection)
    {
        var attribute = new EncryptedCollectionAttribute(text);

        Assert.Equal(text, attribute.Namespace);
        Assert.Equal(database, attribute.DatabaseName);
        Assert.Equal(collection, attribute.CollectionName);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("patients")]
    [InlineData(".patients")]
    [InlineData("medicalRecords.")]
    [InlineData(".")]
    [InlineData("medicalRecords. ")]
    [InlineData("medicalRecords..patients")]
    [InlineData("medicalRecords.patients.")]
    [InlineData("medical records.patients")]
    [InlineData("medical/records.patients")]
    [InlineData("medical\\records.patients")]
    [InlineData("medical\"records.patients")]
    [InlineData("medical$records.patients")]
    [InlineData("medical\0records.patients")]
    [InlineData("medicalRecords.$cmd")]
    [InlineData("medicalRecords.pat\0ients")]
    public void What_names_no_collection_is_refused_with_the_form_to_write(string text)
    {
        var error = Assert.Throws<ArgumentException>(() => new EncryptedCollectionAttribute(text));

        Assert.Equal("namespace", error.ParamName);
        Assert.Contains("[EncryptedCollection(\"database.collection\")]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Null_is_refused()
        => Assert.Equal("namespace", Assert.Throws<ArgumentNullException>(() => new EncryptedCollectionAttribute(null!)).ParamName);

    [Fact]
    public void It_stands_for_one_class_and_is_not_inherited()
    {
        Assert.Equal("app.animals", Attribute.GetCustomAttribute(typeof(Animal), typeof(EncryptedCollectionAttribute)) is EncryptedCollectionAttribute own ? own.Namespace : null);
        Assert.Null(Attribute.GetCustomAttribute(typeof(Dog), typeof(EncryptedCollectionAttribute)));
    }

    [EncryptedCollection("app.animals")]
    private class Animal;

    private sealed class Dog : Animal;
}
