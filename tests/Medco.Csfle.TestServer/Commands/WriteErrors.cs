using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Transactions;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// Runs the statements of a write command one by one and keeps the errors; an ordered batch ends at its first one.
/// </summary>
internal sealed class WriteErrors
{
    private readonly List<(int Index, ServerException Error)> _errors = [];
    private readonly CommandContext _context;
    private readonly int _count;
    private readonly bool _isOrdered;

    /// <summary>Prepares to run a batch.</summary>
    /// <param name="context">The command.</param>
    /// <param name="count">How many statements it has.</param>
    /// <param name="isOrdered">Whether an error ends it.</param>
    /// <exception cref="ServerException">It has none, or too many.</exception>
    public WriteErrors(CommandContext context, int count, bool isOrdered)
    {
        if (count is 0 or > WireLimits.MaxWriteBatch)
        {
            throw new ServerException(ErrorCode.InvalidLength, $"Write batch sizes must be between 1 and {WireLimits.MaxWriteBatch}. Got {count} operations.");
        }

        _context = context;
        _count = count;
        _isOrdered = isOrdered;
    }

    /// <summary>Runs the statement of every index that was not run already.</summary>
    /// <returns>What each did, apart from those with an error.</returns>
    public IReadOnlyList<(int Index, StatementResult Result)> Run(Func<int, StatementResult> run)
    {
        var results = new List<(int, StatementResult)>();
        for (var i = 0; i < _count; i++)
        {
            try
            {
                var statement = i;
                results.Add((i, _context.Statements.Run(i, () => run(statement))));
            }
            catch (ServerException e) when (e.Code != ErrorCode.WriteConflict)
            {
                _errors.Add((i, e));
                _context.Transaction?.Abort();
                if (_isOrdered || _context.Transaction is not null) break;
            }
        }

        return results;
    }

    /// <summary>Writes <c>writeErrors</c> where there are any.</summary>
    public void Write(BsonWriter reply)
    {
        if (_errors.Count == 0) return;
        Span<byte> buffer = stackalloc byte[BsonIndex.MaxLength];
        reply.StartArray("writeErrors"u8);
        for (var i = 0; i < _errors.Count; i++)
        {
            var (index, error) = _errors[i];
            reply.StartDocument(BsonIndex.Format(i, buffer));
            reply.WriteInt32("index"u8, index);
            reply.WriteInt32("code"u8, error.Code);
            foreach (var (name, value) in error.Details) reply.WriteRaw(value.Type, Encoding.UTF8.GetBytes(name), value.Bytes.Span);
            reply.WriteString("errmsg"u8, error.Message);
            reply.EndDocument();
        }

        reply.EndDocument();
    }
}
