using System.Globalization;
using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine.Wire;

/// <summary>
/// What the endpoint answers to one command. Every command has an answer: an error is one, too.
/// </summary>
internal sealed class EndpointReplies(TimeProvider time, ILogger logger)
{
    // MongoDB 8.1, the first that understands csfleEncryptionSchemas. From 27 on libmongocrypt would mix in Queryable Encryption.
    private const int MaxWireVersion = 26;
    private const int MaxDocumentLength = 16_777_216;
    private const int MaxWriteBatch = 100_000;

    // MongoDB's own codes (MongoDB manual, "Error Codes").
    private const int InternalError = 1;
    private const int InvalidBson = 22;
    private const int CommandNotFound = 59;
    private const int UnsupportedOpQueryCommand = 352;
    private const int ProtocolError = 17;
    private const int TooLarge = 10334;
    private const int MissingDatabase = 40571;

    /// <summary>Answers a command of OP_MSG.</summary>
    public byte[] To(ReadOnlySpan<byte> command)
    {
        try
        {
            var database = new BsonReader(command);
            if (!database.ReadTo("$db"u8) || database.Type != BsonType.String) return Error(MissingDatabase, "Location40571", "OP_MSG requests require a $db argument");
            var name = NameOf(command);
            if (IsHello(name)) return Hello(command, name);
            if (name == "ping") return Ok();
            if (!MarkingReply.Answers(name)) return Error(CommandNotFound, "CommandNotFound", $"no such command for query analysis: '{name}'");

            var reply = MarkingReply.For(database.GetString(), command);
            return reply.Length <= MessageHeader.MaxMessageLength - MessageHeader.Length - sizeof(uint) - 1
                ? reply
                : Error(TooLarge, "BSONObjectTooLarge", "The command is too long with its markings. Send fewer documents at once.");
        }
        catch (CsfleException e)
        {
            // The code in figures, which no server uses: what this library refuses must not be taken for an error of MongoDB's.
            return Error(int.Parse(e.Code.AsSpan("CSFLE".Length), CultureInfo.InvariantCulture), e.Code, e.Message);
        }
        catch (Exception e)
        {
            // The message could quote a value; its type and where it happened cannot.
            logger.QueryAnalysisFault(e.GetType(), e.StackTrace);
            return Error(InternalError, "InternalError", $"Query analysis failed by a fault of its own ({e.GetType().Name}). Please report it.");
        }
    }

    /// <summary>Answers a command of OP_QUERY, which has to be a hello.</summary>
    public byte[] ToQuery(ReadOnlySpan<byte> command)
    {
        var name = NameOf(command);
        return IsHello(name) ? Hello(command, name) : Error(UnsupportedOpQueryCommand, "UnsupportedOpQueryCommand", $"Unsupported OP_QUERY command: {name}");
    }

    /// <summary>Answers what is no message.</summary>
    public static byte[] ToMalformed(MalformedMessageException e) => Error(ProtocolError, "ProtocolError", e.Message);

    /// <summary>Answers a message that holds no command.</summary>
    public static byte[] ToMalformed(BsonFormatException e) => Error(InvalidBson, "InvalidBSON", e.Message);

    private static string NameOf(ReadOnlySpan<byte> command)
    {
        var reader = new BsonReader(command);
        return reader.Read() ? reader.GetName() : "";
    }

    private static bool IsHello(string name) => name is "hello" or "isMaster" or "ismaster";

    // As a standalone server without sessions: drivers then send commands and nothing around them.
    private byte[] Hello(ReadOnlySpan<byte> command, string name)
    {
        using var reply = new BsonWriter();
        reply.StartDocument();
        reply.WriteBoolean(name == "hello" ? "isWritablePrimary"u8 : "ismaster"u8, true);
        reply.WriteBoolean("iscryptd"u8, true);
        if (new BsonReader(command).ReadTo("helloOk"u8)) reply.WriteBoolean("helloOk"u8, true);
        reply.WriteInt32("maxBsonObjectSize"u8, MaxDocumentLength);
        reply.WriteInt32("maxMessageSizeBytes"u8, MessageHeader.MaxMessageLength);
        reply.WriteInt32("maxWriteBatchSize"u8, MaxWriteBatch);
        reply.WriteInt64("localTime"u8, time.GetUtcNow().ToUnixTimeMilliseconds(), BsonType.DateTime);
        reply.WriteInt32("minWireVersion"u8, 0);
        reply.WriteInt32("maxWireVersion"u8, MaxWireVersion);
        reply.WriteDouble("ok"u8, 1);
        reply.EndDocument();
        return reply.ToArray();
    }

    private static byte[] Ok()
    {
        using var reply = new BsonWriter();
        reply.StartDocument();
        reply.WriteDouble("ok"u8, 1);
        reply.EndDocument();
        return reply.ToArray();
    }

    private static byte[] Error(int code, string codeName, string message)
    {
        using var reply = new BsonWriter();
        reply.StartDocument();
        reply.WriteDouble("ok"u8, 0);
        reply.WriteString("errmsg"u8, message);
        reply.WriteInt32("code"u8, code);
        reply.WriteString("codeName"u8, codeName);
        reply.EndDocument();
        return reply.ToArray();
    }
}
