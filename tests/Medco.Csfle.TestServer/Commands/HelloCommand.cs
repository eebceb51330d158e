using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Replication;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// <c>hello</c> and its older spellings: a writable standalone, or the primary of a replica set, with the wire version of MongoDB 7.0. Without a
/// <c>topologyVersion</c> in the reply a driver asks again from time to time and does not wait for changes, which never come.
/// </summary>
internal static class HelloCommand
{
    public const int MaxWireVersion = 21;

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        arguments.Optional("client");
        arguments.Optional("compression");
        arguments.Optional("saslSupportedMechs");
        arguments.Optional("speculativeAuthenticate");
        arguments.Optional("loadBalanced");
        arguments.Optional("hostInfo");
        arguments.Optional("topologyVersion");
        arguments.Optional("maxAwaitTimeMS");
        arguments.Optional("backpressure");
        var helloOk = arguments.Boolean("helloOk", otherwise: false);
        arguments.RefuseOthers();

        var reply = context.Reply;
        if (helloOk) reply.WriteBoolean("helloOk"u8, true);
        if (arguments.CommandName == "hello") reply.WriteBoolean("isWritablePrimary"u8, true);
        else reply.WriteBoolean("ismaster"u8, true);
        if (context.ReplicaSet is { } set) WriteSet(reply, set);
        reply.WriteInt32("maxBsonObjectSize"u8, WireLimits.MaxDocumentBytes);
        reply.WriteInt32("maxMessageSizeBytes"u8, WireLimits.MaxMessageBytes);
        reply.WriteInt32("maxWriteBatchSize"u8, WireLimits.MaxWriteBatch);
        reply.WriteInt64("localTime"u8, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), BsonType.DateTime);
        reply.WriteInt32("logicalSessionTimeoutMinutes"u8, 30);
        reply.WriteInt32("connectionId"u8, context.ConnectionId);
        reply.WriteInt32("minWireVersion"u8, 0);
        reply.WriteInt32("maxWireVersion"u8, MaxWireVersion);
        reply.WriteBoolean("readOnly"u8, false);
    }

    private static void WriteSet(BsonWriter reply, ReplicaSet set)
    {
        reply.WriteString("setName"u8, set.Name);
        reply.WriteInt32("setVersion"u8, 1);
        reply.WriteBoolean("secondary"u8, false);
        reply.StartArray("hosts"u8);
        reply.WriteString("0"u8, set.Address);
        reply.EndDocument();
        reply.WriteString("primary"u8, set.Address);
        reply.WriteString("me"u8, set.Address);
        reply.StartDocument("lastWrite"u8);
        var time = set.Oplog.Now;
        reply.WriteInt64("lastWriteDate"u8, (long)(time >> 32) * 1000, BsonType.DateTime);
        reply.EndDocument();
    }
}
