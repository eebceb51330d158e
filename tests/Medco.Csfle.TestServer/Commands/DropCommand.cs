using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>drop</c>. As of MongoDB 7.0, dropping what is not there is no error.</summary>
internal static class DropCommand
{
    public static void Run(CommandContext context)
    {
        var name = context.Arguments.Collection(context.Database);
        context.Arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);
        if (!context.Catalog.Drop(context.Database, name)) return;

        var fullName = $"{context.Database}.{name}";
        context.Cursors.Drop(fullName);
        context.Reply.WriteInt32("nIndexesWas"u8, 1);
        context.Reply.WriteString("ns"u8, fullName);
    }
}
