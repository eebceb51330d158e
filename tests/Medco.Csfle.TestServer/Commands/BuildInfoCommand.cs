using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>buildInfo</c>: a 7.0.0 without modules, which is to say the Community server.</summary>
internal static class BuildInfoCommand
{
    private static readonly int[] Version = [7, 0, 0, 0];

    public static void Run(CommandContext context)
    {
        context.Arguments.RefuseOthers();

        var reply = context.Reply;
        Span<byte> buffer = stackalloc byte[BsonIndex.MaxLength];
        reply.WriteString("version"u8, "7.0.0");
        reply.WriteString("gitVersion"u8, "0000000000000000000000000000000000000000");
        reply.StartArray("modules"u8);
        reply.EndDocument();
        reply.StartArray("versionArray"u8);
        for (var i = 0; i < Version.Length; i++) reply.WriteInt32(BsonIndex.Format(i, buffer), Version[i]);
        reply.EndDocument();
        reply.WriteInt32("bits"u8, 64);
        reply.WriteBoolean("debug"u8, false);
        reply.WriteInt32("maxBsonObjectSize"u8, WireLimits.MaxDocumentBytes);
    }
}
