namespace Medco.Csfle;

/// <summary>
/// Says in which collection the documents of a class are stored, so that their marked members are encrypted there.
/// </summary>
/// <remarks>
/// <para>
/// <b>What it protects.</b> Nothing by itself: it ties the members marked with <see cref="DeterministicAttribute"/> and
/// <see cref="RandomAttribute"/> to one namespace. Encryption goes by namespace, not by class: the same object written to
/// another collection is not covered by this attribute.
/// </para>
/// <para><b>What it leaks.</b> Names of databases, collections and fields are never encrypted.</para>
/// <para>
/// <b>What it forbids.</b> Only what is known to be safe may be sent to a collection that has encrypted fields; whatever else
/// a command says is refused before it leaves the process. Views cannot be encrypted collections.
/// </para>
/// <para>
/// The attribute is not inherited: a collection has one schema, so one class stands for it. Where a collection holds a
/// hierarchy, the attribute belongs on the base class; a derived class that has a collection of its own says so itself.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// [EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
/// public class Patient
/// {
///     [Deterministic] public int Ssn { get; set; }
/// }
/// </code>
/// </example>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, AllowMultiple = false, Inherited = false)]
public sealed class EncryptedCollectionAttribute : Attribute
{
    private static readonly char[] ForbiddenInDatabaseName = ['/', '\\', ' ', '"', '$', '\0'];
    private static readonly char[] ForbiddenInCollectionName = ['$', '\0'];

    /// <summary>Names the collection.</summary>
    /// <param name="namespace">
    /// <c>database.collection</c>. The first dot ends the name of the database; the name of the collection may contain more of
    /// them, as in <c>app.audit.2024</c>.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="namespace"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// The text is not of that form, or holds a character that MongoDB does not allow there: in a database name <c>/</c>,
    /// <c>\</c>, blank, <c>"</c>, <c>$</c> and NUL, in a collection name <c>$</c>, NUL and a dot at either end.
    /// </exception>
    public EncryptedCollectionAttribute(string @namespace)
    {
        if (@namespace is null) throw new ArgumentNullException(nameof(@namespace));
        var dot = @namespace.IndexOf('.');
        if (dot <= 0 || dot == @namespace.Length - 1)
        {
            throw NotANamespace(@namespace, "it must be 'database.collection'");
        }

        var database = @namespace.Substring(0, dot);
        var collection = @namespace.Substring(dot + 1);
        if (database.IndexOfAny(ForbiddenInDatabaseName) >= 0)
        {
            throw NotANamespace(@namespace, "the name of a database may not contain '/', '\\', a blank, '\"', '$' or NUL");
        }

        if (collection.IndexOfAny(ForbiddenInCollectionName) >= 0)
        {
            throw NotANamespace(@namespace, "the name of a collection may not contain '$' or NUL");
        }

        if (string.IsNullOrWhiteSpace(collection) || collection[0] == '.' || collection[collection.Length - 1] == '.')
        {
            throw NotANamespace(@namespace, "the name of a collection may not be blank, nor begin or end with a dot");
        }

        Namespace = @namespace;
        DatabaseName = database;
        CollectionName = collection;
    }

    /// <summary>The whole name, <c>database.collection</c>.</summary>
    public string Namespace { get; }

    /// <summary>The name of the database: everything before the first dot.</summary>
    public string DatabaseName { get; }

    /// <summary>The name of the collection: everything after the first dot.</summary>
    public string CollectionName { get; }

    /// <summary>
    /// What happens to null in every marked member of the collection that does not say it itself, and to null in the place of an
    /// embedded document with marked members, which unless told is stored as it is.
    /// </summary>
    public NullPolicy Nulls { get; set; }

    private static ArgumentException NotANamespace(string text, string why)
        => new($"'{text}' does not name a collection: {why}. Write [EncryptedCollection(\"database.collection\")].", "namespace");
}
