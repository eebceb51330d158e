using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Medco.Csfle;

/// <summary>A registered collection, for which a <see cref="ValidatorSchemaSource"/> is to write the <c>$jsonSchema</c>.</summary>
public sealed class ValidatorSchemaContext
{
    /// <summary>Describes a collection.</summary>
    /// <param name="namespace"><c>database.collection</c>.</param>
    /// <param name="type">The class it is registered with; null where it is registered with a schema.</param>
    /// <param name="schema">Its encryption schema, with the ids of the data keys.</param>
    /// <exception cref="Engine.EnforcementException"><see cref="Engine.CsfleErrorCode.NotEnforceable"/>: no validator can demand what the schema says.</exception>
    public ValidatorSchemaContext(string @namespace, Type? type, EncryptionSchema schema)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        ArgumentNullException.ThrowIfNull(schema);
        Namespace = @namespace;
        Type = type;
        Schema = schema;
        EncryptionRules = Engine.Operations.Enforcement.EncryptionRules.ToJsonSchema(@namespace, schema);
    }

    /// <summary><c>database.collection</c>.</summary>
    public string Namespace { get; }

    /// <summary>The class whose objects are the documents of the collection; null where it is registered with a schema.</summary>
    public Type? Type { get; }

    /// <summary>The encryption schema of the collection.</summary>
    public EncryptionSchema Schema { get; }

    /// <summary>
    /// The encryption rules alone, as a <c>$jsonSchema</c> that a server takes; BSON. Every rule in it has to be in the result, word
    /// for word: <c>bsonType</c> of the levels that lead to an encrypted path, and what is said about such a path, to which
    /// nothing is added. Each <c>encrypt</c> is complete; there is no <c>encryptMetadata</c>.
    /// </summary>
    public ReadOnlyMemory<byte> EncryptionRules { get; }

    /// <summary>Derived classes that are stored too, besides those that the class maps know.</summary>
    internal IReadOnlyCollection<Type> KnownTypes { get; init; } = [];

    /// <summary>Where a source says what it left out.</summary>
    internal ILogger Logger { get; init; } = NullLogger.Instance;
}
