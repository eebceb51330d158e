using System.Net.Sockets;
using Medco.Csfle.Engine;
using Medco.Csfle.TestServer.Commands;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Protocol;

/// <summary>Runs one command of a connection.</summary>
internal delegate byte[] RunCommand(string database, Document command, int connectionId);

/// <summary>
/// One client: reads message after message and answers each. What is not a message is answered with an error where that is
/// possible, and ends the connection; nothing a client sends reaches further than that.
/// </summary>
internal sealed class ClientConnection(int id, Socket socket, RunCommand run) : IDisposable
{
    private const int MissingDatabase = 40571;

    private readonly NetworkStream _stream = new(socket, ownsSocket: true);
    private int _lastReplyId;

    /// <summary>
    /// Serves the client until it leaves, misbehaves, or the connection is disposed of. It blocks the calling thread, which is
    /// the connection's own: tests that keep the thread pool busy with waiting for an answer must still get it.
    /// </summary>
    public void Serve()
    {
        try
        {
            using (this)
            {
                socket.NoDelay = true;
                while (ReadMessage() is { } message && Answer(message))
                {
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The client left, or the server is shutting down: nobody is there to be told.
        }
    }

    /// <summary>Closes the connection and thereby ends <see cref="Serve"/>.</summary>
    public void Dispose() => _stream.Dispose();

    /// <returns>A whole message, or null where the client has left or sends what cannot be one.</returns>
    private byte[]? ReadMessage()
    {
        var header = new byte[MessageHeader.Length];
        if (_stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length) return null;

        // An impossible length leaves no way to find the next message.
        var length = MessageHeader.Read(header).MessageLength;
        if (length is < MessageHeader.Length or > WireLimits.MaxMessageBytes) return null;

        var message = new byte[length];
        header.CopyTo(message, 0);
        _stream.ReadExactly(message.AsSpan(header.Length));
        return message;
    }

    /// <returns>Whether the connection goes on.</returns>
    private bool Answer(byte[] message)
    {
        var header = MessageHeader.Read(message);
        var (reply, goesOn) = header.OpCode switch
        {
            OpCode.Msg => AnswerMsg(header, message),
            OpCode.Query => AnswerQuery(header, message),
            _ => (null, false),
        };
        if (reply is not null) _stream.Write(reply);
        return goesOn;
    }

    private (byte[]? Reply, bool GoesOn) AnswerMsg(MessageHeader header, byte[] message)
    {
        OpMsg request;
        try
        {
            request = OpMsg.Read(message);
        }
        catch (Exception e) when (e is ProtocolException or BsonFormatException)
        {
            return (WriteMsg(header, CommandDispatcher.Error(Malformed(e))), false);
        }

        var reply = request.Command.Find("$db") is { Type: Engine.Bson.BsonType.String } database
            ? run(database.Text, request.Command, id)
            : CommandDispatcher.Error(new ServerException(MissingDatabase, "OP_MSG requests require a $db argument"));
        return (request.ExpectsReply ? WriteMsg(header, reply) : null, true);
    }

    private (byte[]? Reply, bool GoesOn) AnswerQuery(MessageHeader header, byte[] message)
    {
        try
        {
            return (WriteQuery(header, run("admin", OpQuery.Read(message), id)), true);
        }
        catch (ServerException e)
        {
            return (WriteQuery(header, CommandDispatcher.Error(e)), true);
        }
        catch (Exception e) when (e is ProtocolException or BsonFormatException)
        {
            return (WriteQuery(header, CommandDispatcher.Error(Malformed(e))), false);
        }
    }

    private byte[] WriteMsg(MessageHeader request, byte[] document) => OpMsg.WriteReply(++_lastReplyId, request.RequestId, document);

    private byte[] WriteQuery(MessageHeader request, byte[] document) => OpQuery.WriteReply(++_lastReplyId, request.RequestId, document);

    private static ServerException Malformed(Exception e)
        => new(e is BsonFormatException ? ErrorCode.InvalidBson : ErrorCode.ProtocolError, e.Message);
}
