using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// Runs the statements of a write command one by one and keeps the errors; an ordered batch ends at its first one.
/// </summary>
internal sealed class WriteErrors
{
    private readonly List<(int Index, ServerException Error)> _errors = [];
    private readonly int _count;
    private readonly bool _isOrdered;

    /// <summary>Prepares to run a batch.</summary>
    /// <param name="count">How many statements it has.</param>
    /// <param name="isOrdered">Whether an error ends it.</param>
    /// <exception cref="ServerException">It has none, or too many.</exception>
    public WriteErrors(int count, bool isOrdered)
    {
        if (count is 0 or > WireLimits.MaxWriteBatch)
        {
            throw new ServerException(ErrorCode.InvalidLength, $"Write batch sizes must be between 1 and {WireLimits.MaxWriteBatch}. Got {count} operations.");
        }

        _count = count;
        _isOrdered = isOrdered;
    }

    /// <summary>Runs the statement of every index.</summary>
    public void Run(Action<int> run)
    {
        for (var i = 0; i < _count; i++)
        {
            try
            {
                run(i);
            }
            catch (ServerException e)
            {
                _errors.Add((i, e));
                if (_isOrdered) break;
            }
        }
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
