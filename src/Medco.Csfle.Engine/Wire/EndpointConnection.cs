using System.Net.Sockets;

namespace Medco.Csfle.Engine.Wire;

/// <summary>
/// One client of the endpoint: reads message after message and answers each. What is not a message is answered with an error
/// where that is possible, and ends the connection; nothing a client sends reaches further than that.
/// </summary>
internal sealed class EndpointConnection(Socket socket, EndpointReplies replies, QueryAnalysisEndpointOptions options) : IDisposable
{
    private const int FirstReadLength = 64 * 1024;

    private readonly CancellationTokenSource _timeout = new();
    private int _lastReplyId;

    /// <summary>Serves the client until it leaves, misbehaves, is silent for too long, or the connection is disposed of.</summary>
    public async Task ServeAsync()
    {
        try
        {
            socket.NoDelay = true;
            while (await ReadMessageAsync().ConfigureAwait(false) is { } message)
            {
                var (reply, goesOn) = Answer(message);
                if (reply is not null) await SendAsync(reply).ConfigureAwait(false);
                if (!goesOn) return;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The client left or is silent, or the endpoint stops: nobody is there to be told.
        }
        finally
        {
            socket.Dispose();
            _timeout.Dispose();
        }
    }

    /// <summary>Hangs up, which ends <see cref="ServeAsync"/>.</summary>
    public void Dispose() => socket.Dispose();

    /// <returns>A whole message, or null where the client has left or sends what cannot be one.</returns>
    private async ValueTask<byte[]?> ReadMessageAsync()
    {
        var header = new byte[MessageHeader.Length];
        _timeout.CancelAfter(options.IdleTimeout);
        var read = await socket.ReceiveAsync(header, SocketFlags.None, _timeout.Token).ConfigureAwait(false);
        if (read == 0) return null;

        _timeout.CancelAfter(options.MessageTimeout);
        if (!await ReadAsync(header.AsMemory(read)).ConfigureAwait(false)) return null;

        // An impossible length leaves no way to find the next message.
        var parsed = MessageHeader.Read(header);
        if (!parsed.IsPossible) return null;

        // The length is a claim: memory is taken as the bytes arrive.
        var message = new byte[Math.Min(parsed.MessageLength, FirstReadLength)];
        header.CopyTo(message, 0);
        var length = header.Length;
        while (true)
        {
            if (!await ReadAsync(message.AsMemory(length)).ConfigureAwait(false)) return null;
            length = message.Length;
            if (length == parsed.MessageLength) return message;
            Array.Resize(ref message, Math.Min(parsed.MessageLength, 2 * length));
        }
    }

    private async ValueTask<bool> ReadAsync(Memory<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var read = await socket.ReceiveAsync(buffer, SocketFlags.None, _timeout.Token).ConfigureAwait(false);
            if (read == 0) return false;
            buffer = buffer[read..];
        }

        return true;
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> message)
    {
        _timeout.CancelAfter(options.MessageTimeout);
        while (message.Length > 0)
        {
            message = message[await socket.SendAsync(message, SocketFlags.None, _timeout.Token).ConfigureAwait(false)..];
        }
    }

    /// <returns>What to send, and whether the connection goes on.</returns>
    private (byte[]? Reply, bool GoesOn) Answer(byte[] message)
    {
        // The time that analysis takes is not the client's.
        _timeout.CancelAfter(Timeout.InfiniteTimeSpan);
        var header = MessageHeader.Read(message);
        return header.OpCode switch
        {
            OpCode.Msg => AnswerMsg(header, message),
            OpCode.Query => AnswerQuery(header, message),
            _ => (null, false),
        };
    }

    private (byte[]? Reply, bool GoesOn) AnswerMsg(MessageHeader header, byte[] message)
    {
        try
        {
            var request = OpMsg.Read(message);
            var reply = replies.To(request.Command.Span);
            return (request.ExpectsReply ? WriteMsg(header, reply) : null, true);
        }
        catch (MalformedMessageException e)
        {
            return (WriteMsg(header, EndpointReplies.ToMalformed(e)), false);
        }
        catch (BsonFormatException e)
        {
            return (WriteMsg(header, EndpointReplies.ToMalformed(e)), false);
        }
    }

    private (byte[]? Reply, bool GoesOn) AnswerQuery(MessageHeader header, byte[] message)
    {
        try
        {
            return (WriteQuery(header, replies.ToQuery(OpQuery.Read(message).Span)), true);
        }
        catch (MalformedMessageException e)
        {
            return (WriteQuery(header, EndpointReplies.ToMalformed(e)), false);
        }
        catch (BsonFormatException e)
        {
            return (WriteQuery(header, EndpointReplies.ToMalformed(e)), false);
        }
    }

    private byte[] WriteMsg(MessageHeader request, byte[] document) => OpMsg.WriteReply(unchecked(++_lastReplyId), request.RequestId, document);

    private byte[] WriteQuery(MessageHeader request, byte[] document) => OpQuery.WriteReply(unchecked(++_lastReplyId), request.RequestId, document);
}
