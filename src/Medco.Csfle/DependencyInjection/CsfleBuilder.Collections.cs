using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;

namespace Medco.Csfle;

public sealed partial class CsfleBuilder
{
    /// <summary>
    /// An encrypted collection whose documents are objects of a class: the members marked <c>[Deterministic]</c> and
    /// <c>[Random]</c> are encrypted, under the names and types that the driver's class maps store them with.
    /// </summary>
    /// <typeparam name="T">The class; <c>[EncryptedCollection]</c> on it names the collection.</typeparam>
    public CsfleBuilder AddCollection<T>() => Add(new CollectionRegistration(null, typeof(T), null));

    /// <summary>An encrypted collection whose documents are objects of a class, whatever <c>[EncryptedCollection]</c> on it says.</summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <param name="namespace"><c>database.collection</c>.</param>
    public CsfleBuilder AddCollection<T>(string @namespace)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        return Add(new CollectionRegistration(@namespace, typeof(T), null));
    }

    /// <summary>
    /// An encrypted collection whose documents are objects of a class, where code says what attributes do not, or cannot: for
    /// classes that carry none. Both are checked together at start-up.
    /// </summary>
    /// <typeparam name="T">The class; <c>[EncryptedCollection]</c> on it names the collection.</typeparam>
    /// <param name="configure">Says what is encrypted; called once, now.</param>
    public CsfleBuilder AddCollection<T>(Action<EncryptedClass<T>> configure)
        => Add(new CollectionRegistration(null, typeof(T), null) { Declared = DeclaredModel.Of(configure) });

    /// <inheritdoc cref="AddCollection{T}(Action{EncryptedClass{T}})"/>
    /// <param name="namespace"><c>database.collection</c>.</param>
    /// <param name="configure">Says what is encrypted; called once, now.</param>
    public CsfleBuilder AddCollection<T>(string @namespace, Action<EncryptedClass<T>> configure)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        return Add(new CollectionRegistration(@namespace, typeof(T), null) { Declared = DeclaredModel.Of(configure) });
    }

    /// <summary>An encrypted collection with a schema that was written by hand or kept in a file.</summary>
    /// <param name="namespace"><c>database.collection</c>.</param>
    /// <param name="schema">The encryption schema: a JSON schema with <c>encrypt</c> and <c>encryptMetadata</c>, in Extended JSON.</param>
    public CsfleBuilder AddCollection(string @namespace, string schema)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        ArgumentNullException.ThrowIfNull(schema);
        return Add(new CollectionRegistration(@namespace, null, schema));
    }

    /// <summary>
    /// Lets encrypted clients write to collections that have no schema, in clear. Without it such a write is refused, because a
    /// model that was stored in the wrong collection would be stored in clear. Collections that have a schema are not affected.
    /// </summary>
    /// <param name="patterns">
    /// <c>database.collection</c> for one collection, <c>database.*</c> for all of a database. About a collection that is named
    /// in full, the server is not asked whether it is a view or has a schema: it is taken to be neither.
    /// </param>
    public CsfleBuilder AllowUnencrypted(params string[] patterns)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        _options.AllowUnencrypted.AddRange(patterns);
        return this;
    }

    /// <summary>
    /// Takes the schemas of collections that are not registered here from the server: from <c>encrypt</c> in the validator of
    /// the collection. Whoever can change the validator can then switch encryption off; registered schemas are safer.
    /// </summary>
    public CsfleBuilder UseServerSchema()
    {
        _options.UseServerSchema = true;
        return this;
    }

    private CsfleBuilder Add(CollectionRegistration registration)
    {
        _options.Collections.Add(registration);
        return this;
    }
}
