using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>insert</c>: documents one by one; an ordered batch ends at its first error.</summary>
internal static class InsertCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var documents = arguments.Documents("documents");
        var isOrdered = arguments.Boolean("ordered", otherwise: true);
        var bypassesValidation = arguments.Boolean("bypassDocumentValidation", otherwise: false);
        arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);
        if (documents.Count is 0 or > WireLimits.MaxWriteBatch)
        {
            throw new ServerException(ErrorCode.InvalidLength, $"Write batch sizes must be between 1 and {WireLimits.MaxWriteBatch}. Got {documents.Count} operations.");
        }

        var collection = context.Catalog.Find(context.Database, name) ?? context.Catalog.Create(context.Database, name, CollectionOptions.None);
        var errors = new List<(int Index, ServerException Error)>();
        var inserted = 0;
        for (var i = 0; i < documents.Count; i++)
        {
            try
            {
                Insert(collection, documents[i], bypassesValidation);
                inserted++;
            }
            catch (ServerException e)
            {
                errors.Add((i, e));
                if (isOrdered) break;
            }
        }

        context.Reply.WriteInt32("n"u8, inserted);
        if (errors.Count > 0) WriteErrors(context.Reply, errors);
    }

    private static void Insert(Collection collection, Document document, bool bypassesValidation)
    {
        var prepared = InsertedDocument.Prepare(document);
        if (!bypassesValidation && collection.Options.Enforced?.Check(prepared) is { } error) throw error;
        collection.Insert(prepared);
    }

    private static void WriteErrors(BsonWriter reply, List<(int Index, ServerException Error)> errors)
    {
        Span<byte> buffer = stackalloc byte[BsonIndex.MaxLength];
        reply.StartArray("writeErrors"u8);
        for (var i = 0; i < errors.Count; i++)
        {
            var (index, error) = errors[i];
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
