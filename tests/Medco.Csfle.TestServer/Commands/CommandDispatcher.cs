using System.Text;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// Runs commands, one at a time: a command sees and changes the storage as if it were alone. Whatever happens, there is a reply.
/// </summary>
internal sealed class CommandDispatcher
{
    private readonly Lock _lock = new();
    private readonly Catalog _catalog = new();
    private readonly CursorTable _cursors = new();
    private readonly FailCommand _failCommand = new();

    /// <summary>Runs a command.</summary>
    /// <returns>Its reply, or the error as a reply.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up while the fail point held the command back.</exception>
    public byte[] Run(string database, Document command, int connectionId, CancellationToken cancellationToken = default)
    {
        try
        {
            if (command.Count == 0) throw new ServerException(ErrorCode.CommandNotFound, "no such command: ''");
            var definition = CommandTable.Find(command[0].Name);
            NamespaceRules.CheckDatabase(database);
            var arguments = new CommandArguments(command);
            GenericArguments.Check(definition, arguments);
            _failCommand.Take(definition.Name)?.Happen(cancellationToken);

            using var reply = new BsonWriter();
            reply.StartDocument();
            lock (_lock)
            {
                definition.Run(new CommandContext(database, arguments, _catalog, _cursors, _failCommand, connectionId, reply));
            }

            reply.WriteDouble("ok"u8, 1);
            reply.EndDocument();
            return reply.ToArray();
        }
        catch (ServerException e)
        {
            return Error(e);
        }
        catch (BsonFormatException e)
        {
            return Error(new ServerException(ErrorCode.InvalidBson, e.Message));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            // A mistake in this server is told to the one who met it; the others go on.
            return Error(new ServerException(ErrorCode.InternalError, $"{e.GetType().Name}: {e.Message}"));
        }
    }

    /// <summary>The reply that tells an error.</summary>
    public static byte[] Error(ServerException error)
    {
        using var reply = new BsonWriter();
        reply.StartDocument();
        reply.WriteDouble("ok"u8, 0);
        reply.WriteString("errmsg"u8, error.Message);
        reply.WriteInt32("code"u8, error.Code);
        reply.WriteString("codeName"u8, ErrorCode.NameOf(error.Code));
        foreach (var (name, value) in error.Details) reply.WriteRaw(value.Type, Encoding.UTF8.GetBytes(name), value.Bytes.Span);
        reply.EndDocument();
        return reply.ToArray();
    }
}
