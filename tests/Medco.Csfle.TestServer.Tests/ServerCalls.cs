using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Tests;

/// <summary>Commands as text, replies as documents.</summary>
internal static class ServerCalls
{
    public static Document Run(this InProcessMongoServer server, string command, string database = "test")
        => Document.Parse(server.RunCommand(database, Bson.Bytes(command)));

    /// <summary>Runs a command that must succeed.</summary>
    public static Document RunOk(this InProcessMongoServer server, string command, string database = "test")
    {
        var reply = server.Run(command, database);
        Assert.True(reply.Find("ok")!.Number.CompareTo(Number.FromInt64(1)) == 0, Bson.Json(reply));
        return reply;
    }

    /// <summary>Runs a command that must fail, and returns its message.</summary>
    public static string RunError(this InProcessMongoServer server, int code, string command, string database = "test")
    {
        var reply = server.Run(command, database);
        Assert.Equal(0, Int(reply.Find("ok")!));
        Assert.Equal((code, ErrorCode.NameOf(code)), (Int(reply.Find("code")!), reply.Find("codeName")!.Text));
        return reply.Find("errmsg")!.Text;
    }

    /// <summary>The documents of a first or next batch, as JSON.</summary>
    public static string[] Batch(this Document reply)
    {
        var cursor = reply.Find("cursor")!.Document;
        var batch = cursor.Find("firstBatch") ?? cursor.Find("nextBatch")!;
        return [.. batch.Items.Select(item => Bson.Json(item.Document))];
    }

    public static long CursorId(this Document reply) => reply.Find("cursor")!.Document.Find("id")!.Int64;

    public static int Int(Value value)
    {
        Assert.True(value.Number.TryToInt64(out var number));
        return (int)number;
    }
}
