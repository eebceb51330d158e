using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Aggregation;
using Medco.Csfle.TestServer.Commands;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Replication;

/// <summary>
/// A pipeline that begins with <c>$changeStream</c> (manual, "Change Streams"): which changes it tells, from when on, and what
/// becomes of their events.
/// </summary>
internal sealed class ChangeStream
{
    /// <summary>The stage.</summary>
    public const string Name = "$changeStream";

    private const int NotFirst = 40602;

    private static readonly HashSet<string> AllowedStages = ["$addFields", "$match", "$project", "$replaceRoot", "$replaceWith", "$set", "$unset"];
    private static readonly HashSet<string> ReservedDatabases = ["admin", "config", "local"];

    private readonly string _database;
    private readonly string? _collection;
    private readonly bool _ofCluster;
    private readonly ResumeToken? _resumeAfter;
    private readonly ResumeToken? _startAfter;
    private readonly ulong? _startAt;

    /// <summary>Reads one.</summary>
    /// <param name="database">The database the command runs in.</param>
    /// <param name="collection">The collection; null for all of the database, or of the cluster.</param>
    /// <param name="pipeline">The whole pipeline.</param>
    /// <exception cref="ServerException">It is none, or asks for what this server does not have.</exception>
    public ChangeStream(string database, string? collection, IReadOnlyList<Document> pipeline)
    {
        (_database, _collection) = (database, collection);
        var value = pipeline[0][0].Value;
        if (!value.IsDocument) throw ServerException.FailedToParse($"the {Name} stage specification must be an object");
        var arguments = StatementArguments.Of(Name, value.Document);
        LooksUp = arguments.Optional("fullDocument") is not null && FullDocument(arguments.Text("fullDocument"));
        if (arguments.Optional("fullDocumentBeforeChange") is not null && arguments.Text("fullDocumentBeforeChange") is var before and not "off")
        {
            throw ServerException.NotImplemented($"'{Name}.fullDocumentBeforeChange: {before}': there are no pre-images");
        }

        foreach (var option in new[] { "showExpandedEvents", "showMigrationEvents" })
        {
            if (arguments.Boolean(option, otherwise: false)) throw ServerException.NotImplemented($"'{Name}.{option}'");
        }

        _ofCluster = arguments.Boolean("allChangesForCluster", otherwise: false);
        if (_ofCluster && (database != "admin" || collection is not null)) throw Invalid("allChangesForCluster: true is for {aggregate: 1} on the admin database only");
        if (!_ofCluster && ReservedDatabases.Contains(database)) throw new ServerException(ErrorCode.InvalidNamespace, $"{Name} may not be opened on the internal {database} database");
        _resumeAfter = arguments.OptionalDocument("resumeAfter") is { } resumed ? ResumeToken.Parse(resumed) : null;
        _startAfter = arguments.OptionalDocument("startAfter") is { } started ? ResumeToken.Parse(started) : null;
        _startAt = arguments.Optional("startAtOperationTime") switch
        {
            null => null,
            { Type: BsonType.Timestamp } time => unchecked((ulong)time.Int64),
            _ => throw ServerException.TypeMismatch($"BSON field '{Name}.startAtOperationTime' must be a timestamp"),
        };
        arguments.RefuseOthers();
        if ((_resumeAfter is null ? 0 : 1) + (_startAfter is null ? 0 : 1) + (_startAt is null ? 0 : 1) > 1)
        {
            throw Invalid($"Only one of 'resumeAfter', 'startAfter' and 'startAtOperationTime' may be specified in a {Name} stage");
        }

        if (_resumeAfter is { Kind: TokenKind.Invalidate })
        {
            throw new ServerException(ErrorCode.InvalidResumeToken, "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.");
        }

        Stages = ParseStages(pipeline);
    }

    /// <summary>Whether update events tell the document as it is when they are read.</summary>
    public bool LooksUp { get; }

    /// <summary>What becomes of the events.</summary>
    public IReadOnlyList<Stage> Stages { get; }

    /// <summary>Whether a pipeline is one.</summary>
    public static bool IsAskedFor(IReadOnlyList<Document> pipeline)
    {
        if (pipeline.Skip(1).Any(stage => stage.Count == 1 && stage[0].Name == Name)) throw new ServerException(NotFirst, $"{Name} is only valid as the first stage in a pipeline");
        return pipeline.Count > 0 && pipeline[0].Count == 1 && pipeline[0][0].Name == Name;
    }

    /// <summary>Whether the stream tells a change.</summary>
    public bool Tells(Change change) => _ofCluster
        ? !ReservedDatabases.Contains(change.Database)
        : change.Database == _database && (_collection is null || change.Collection == _collection);

    /// <summary>Whether the stream ends after a change that it tells.</summary>
    public bool EndsAfter(Change change) => change.Kind switch
    {
        ChangeKind.Drop or ChangeKind.Rename => _collection is not null,
        ChangeKind.DropDatabase => !_ofCluster,
        _ => false,
    };

    /// <summary>Where the stream begins.</summary>
    /// <returns>The first entry to look at, and the one whose event was the last told where the event that ends the stream is still to be.</returns>
    /// <exception cref="ServerException">There is no such place.</exception>
    public (int First, OplogEntry? Ended) Begin(Oplog oplog)
    {
        if (_startAt is { } time)
        {
            return time >= oplog.Start
                ? (oplog.Find(time, 0), null)
                : throw new ServerException(ErrorCode.ChangeStreamHistoryLost, "Resume of change stream was not possible, as the resume point may no longer be in the oplog.");
        }

        if ((_resumeAfter ?? _startAfter) is not { } token) return (oplog.Count, null);
        var found = oplog.Find(token.ClusterTime, token.Index);
        if (token.Kind == TokenKind.Time)
        {
            return token.ClusterTime >= oplog.Start && token.ClusterTime <= oplog.Now ? (found, null) : throw NotFound();
        }

        if (found == oplog.Count || oplog[found] is not { } entry || (entry.ClusterTime, entry.Index) != (token.ClusterTime, token.Index)) throw NotFound();
        return (found + 1, token.Kind == TokenKind.Event && Tells(entry.Change) && EndsAfter(entry.Change) ? entry : null);
    }

    private static bool FullDocument(string mode) => mode switch
    {
        "default" => false,
        "updateLookup" => true,
        "whenAvailable" or "required" => throw ServerException.NotImplemented($"'{Name}.fullDocument: {mode}': there are no post-images"),
        _ => throw ServerException.BadValue($"Enumeration value '{mode}' for field '{Name}.fullDocument' is not a valid value."),
    };

    private static IReadOnlyList<Stage> ParseStages(IReadOnlyList<Document> pipeline)
    {
        var stages = pipeline.Skip(1).ToArray();
        if (stages.FirstOrDefault(stage => stage.Count == 1 && !AllowedStages.Contains(stage[0].Name)) is { } refused)
        {
            throw new ServerException(ErrorCode.IllegalOperation, $"{refused[0].Name} is not permitted in a {Name} pipeline");
        }

        return new PipelineParser(_ => null).Parse(stages);
    }

    private static ServerException NotFound()
        => new(ErrorCode.ChangeStreamFatalError, "cannot resume stream; the resume token was not found.", [new("errorLabels", Value.FromArray([Value.FromText("NonResumableChangeStreamError")]))]);

    private static ServerException Invalid(string message) => new(ErrorCode.InvalidOptions, message);
}
