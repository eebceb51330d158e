using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Aggregation;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Replication;

/// <summary>The events of a change stream that were not read yet, and those to come.</summary>
internal sealed class ChangeStreamCursor : Cursor
{
    private readonly ChangeStream _stream;
    private readonly ReplicaSet _replicaSet;
    private readonly Queue<(Document Event, ResumeToken Token)> _ready = [];
    private int _next;
    private bool _hasEnded;
    private ResumeToken _read;

    /// <exception cref="ServerException">There is no place as the one where the stream shall begin.</exception>
    public ChangeStreamCursor(long id, string fullName, ChangeStream stream, ReplicaSet replicaSet)
        : base(id, fullName)
    {
        (_stream, _replicaSet) = (stream, replicaSet);
        (_next, var ended) = stream.Begin(replicaSet.Oplog);
        if (ended is not null) End(ended);
    }

    /// <summary>Whether there is nothing to tell at the moment.</summary>
    public bool IsWaiting
    {
        get
        {
            LookForEvents();
            return _ready.Count == 0 && !_hasEnded;
        }
    }

    public override bool IsExhausted => _hasEnded && _ready.Count == 0;

    protected override Document? Next
    {
        get
        {
            LookForEvents();
            return _ready.TryPeek(out var first) ? first.Event : null;
        }
    }

    public override void WriteState(BsonWriter reply) => reply.WriteDocument("postBatchResumeToken"u8, _read.ToDocument().Bytes.Span);

    protected override void MoveOn()
    {
        _read = _ready.Dequeue().Token;
        LookForEvents();
        if (_ready.Count == 0 && !_hasEnded) _read = ResumeToken.UpTo(_replicaSet.Oplog.Now);
    }

    private void LookForEvents()
    {
        var oplog = _replicaSet.Oplog;
        while (_next < oplog.Count && !_hasEnded)
        {
            var entry = oplog[_next++];
            if (!_stream.Tells(entry.Change)) continue;
            if (ChangeEvent.Of(entry, _stream.LooksUp ? LookUp : null) is { } told) Add(told, new ResumeToken(entry.ClusterTime, entry.Index, TokenKind.Event));
            if (_stream.EndsAfter(entry.Change)) End(entry);
        }

        if (_ready.Count == 0 && !_hasEnded) _read = ResumeToken.UpTo(oplog.Now);
    }

    private void End(OplogEntry entry)
    {
        Add(ChangeEvent.InvalidateAfter(entry), new ResumeToken(entry.ClusterTime, entry.Index, TokenKind.Invalidate));
        _hasEnded = true;
    }

    private void Add(Document told, ResumeToken token)
    {
        foreach (var document in PipelineParser.Run(_stream.Stages, [told]))
        {
            if (document.Find("_id") is not { IsDocument: true } id || !id.Bytes.Span.SequenceEqual(told[0].Value.Bytes.Span))
            {
                throw new ServerException(
                    ErrorCode.ChangeStreamFatalError,
                    "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point.",
                    [new("errorLabels", Value.FromArray([Value.FromText("NonResumableChangeStreamError")]))]);
            }

            _ready.Enqueue((document, token));
        }
    }

    private Document? LookUp(Change change) => _replicaSet.Catalog.Find(change.Database, change.Collection)?.FindById(change.Id);
}
