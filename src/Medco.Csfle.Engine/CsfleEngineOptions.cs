using Medco.Csfle.Engine.Schema;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine;

/// <summary>Which collections a <see cref="CsfleEngine"/> encrypts, and which it may leave in clear.</summary>
public sealed class CsfleEngineOptions
{
    /// <summary>
    /// The encryption schema of each encrypted collection, by namespace, <c>database.collection</c>. It goes before a schema
    /// that the collection has on the server.
    /// </summary>
    public IReadOnlyDictionary<string, EncryptionSchema> Schemas { get; init; } = new Dictionary<string, EncryptionSchema>();

    /// <summary>
    /// Collections without an encryption schema that may be written to all the same, as <c>database.collection</c> or
    /// <c>database.*</c>. To any other, a write is refused: it might hold what should have been encrypted.
    /// </summary>
    public IReadOnlyList<string> AllowUnencrypted { get; init; } = [];

    /// <summary>
    /// Where to ask for the schemas of collections that <see cref="Schemas"/> does not name: the <c>$jsonSchema</c> of their
    /// validators. Null, as it is unless told, to ask nobody. Answers count for 60 seconds.
    /// </summary>
    /// <remarks>
    /// It must not encrypt. Who controls the server can take such a schema away, and plaintext would be sent: what has to stay
    /// secret from the server's operators belongs into <see cref="Schemas"/>.
    /// </remarks>
    public IMongoCommandRunner? ServerSchemas { get; init; }

    /// <summary>
    /// Where to ask what a collection is that neither <see cref="Schemas"/> nor, by its full name,
    /// <see cref="AllowUnencrypted"/> names. Commands on views are refused, since a view may read an encrypted collection, and
    /// those on collections that have an encryption schema on the server. Null, as it is unless told, to ask nobody; not used
    /// where <see cref="ServerSchemas"/> is set. Answers count for 60 seconds.
    /// </summary>
    /// <remarks>
    /// It must not encrypt. What it says can only forbid a command, so that nobody who controls the server gains by it. What a
    /// pattern (<c>database.*</c>) allows is asked for all the same: a view can be among it.
    /// </remarks>
    public IMongoCommandRunner? ServerChecks { get; init; }

    /// <summary>The clock that the answers of the server age by.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where refused commands are logged, by code, collection and path; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
