using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Marking;

/// <summary>
/// Query analysis in the words of mongocryptd, for libmongocrypt and the drivers that use it: what they ask with, and
/// <c>{ hasEncryptionPlaceholders: bool, schemaRequiresEncryption: bool, result: the command with markings, ok: 1.0 }</c>. A pure
/// function, which holds no keys and encrypts nothing.
/// </summary>
internal static class MarkingReply
{
    // Every collection that a command names has a schema here, the empty one at least: nothing has to be allowed.
    private static readonly CommandAnalyzer Analyzer = new(new UnencryptedNamespaces([]));

    /// <summary>Whether query analysis is asked about a command of that name.</summary>
    public static bool Answers(string command)
        => CommandTable.Rules.GetValueOrDefault(command, CommandRule.Bypassed) == CommandRule.Analysed && command != "renameCollection";

    /// <summary>Answers one request.</summary>
    /// <param name="databaseName">The database that the command is for.</param>
    /// <param name="request">The command with the schemas of the collections it names.</param>
    /// <exception cref="QueryAnalysisException">The command may not be sent, or the request is not one.</exception>
    /// <exception cref="EncryptionSchemaException">A schema is not valid.</exception>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    public static byte[] For(string databaseName, ReadOnlySpan<byte> request)
    {
        var (command, schemas) = MarkingRequest.Read(databaseName, request);
        var plan = Analyzer.Analyze(databaseName, command, schemas);

        // Whoever reads the reply takes every marking in it for one of ours, also where only a collection beside is encrypted.
        if (schemas.EncryptsAnything) CallerCiphertextScan.Check(new BsonReader(command), collection: null);

        using var reply = new BsonWriter(command.Length + 128);
        reply.StartDocument();
        reply.WriteBoolean("hasEncryptionPlaceholders"u8, plan.HasPlaceholders);
        reply.WriteBoolean("schemaRequiresEncryption"u8, schemas.EncryptsAnything);
        reply.WriteDocument("result"u8, plan.IsVerbatim ? command : plan.ApplyMarkings());
        reply.WriteDouble("ok"u8, 1);
        reply.EndDocument();
        return reply.ToArray();
    }
}
