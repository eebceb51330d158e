using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>
/// Reads what a server answers about collections, strictly. An error names the server's code, never its text, which can quote
/// what a document holds.
/// </summary>
internal static class EnforcementReplies
{
    private const int Unauthorized = 13;
    private const int NamespaceNotFound = 26;
    private const int NamespaceExists = 48;
    private const string CheckServer = "Check that it is a MongoDB server that answers, and that nothing changes its answers on the way.";

    /// <summary>The collections that the answer to <c>listCollections</c> describes, by name.</summary>
    /// <param name="reply">The answer.</param>
    /// <param name="database">The database that was asked about.</param>
    /// <param name="names">The collections that were asked about.</param>
    /// <exception cref="EnforcementException">It is an error, or not such an answer.</exception>
    public static Dictionary<string, CollectionState> ReadCollections(byte[] reply, string database, IReadOnlyCollection<string> names)
    {
        var ns = $"{database}.{names.First()}";
        Validate(reply, ns);
        if (!ServerReply.IsOk(reply, out var error)) throw Refused($"the server refused to list the collections of '{database}'", "listCollections, which the role read has", ns, error);
        if (!ServerReply.TryReadBatch(reply, out var batch)) throw Unexpected(ns, "there is no complete batch in it");

        var states = new Dictionary<string, CollectionState>(StringComparer.Ordinal);
        while (batch.Read())
        {
            if (batch.Type != BsonType.Document || CollectionState.Read(RuleNode.Read(batch.Value)) is not var (name, state)) throw Unexpected(ns, "it holds something else than collections");
            if (!names.Contains(name, StringComparer.Ordinal) || !states.TryAdd(name, state)) throw Unexpected(ns, "it names a collection twice, or one that was not asked for");
        }

        return states;
    }

    /// <summary>How many documents the answer to <c>count</c> says there are.</summary>
    /// <exception cref="EnforcementException">It is an error, or not such an answer.</exception>
    public static long ReadCount(byte[] reply, string ns)
    {
        Validate(reply, ns);
        if (!ServerReply.IsOk(reply, out var error)) throw Refused($"the server refused to count the documents of '{ns}' that would be rejected", "find, which the role read has", ns, error);
        var reader = new BsonReader(reply);
        if (!reader.ReadTo("n"u8)) throw Unexpected(ns, "it has no count");
        return reader.Type switch
        {
            BsonType.Int32 => reader.GetInt32(),
            BsonType.Int64 => reader.GetInt64(),
            _ => throw Unexpected(ns, "its count is no integer"),
        };
    }

    /// <summary>Checks that a collection was created or modified, or that it came to be, or went away, just before: another look tells.</summary>
    /// <exception cref="EnforcementException">It was not, or it is not known whether it will stay so.</exception>
    public static void CheckApplied(byte[] reply, string ns)
    {
        Validate(reply, ns);
        if (!ServerReply.IsOk(reply, out var error))
        {
            if (error.Code is NamespaceExists or NamespaceNotFound) return;
            throw Refused($"the server refused the validator of '{ns}'", "createCollection and collMod on it, which the role dbAdmin has; or let somebody apply who has them, and verify only", ns, error);
        }

        var reader = new BsonReader(reply);
        if (!reader.ReadTo("writeConcernError"u8)) return;
        throw new EnforcementException($"the validator of '{ns}' was written, but not confirmed by the majority of the servers: {(reader.Type == BsonType.Document ? ServerError.Read(reader.ReadDocument()) : default)}",
            "Wait until the replica set is healthy, and apply again.", ns, default(ServerError));
    }

    /// <summary>The error for a command that got no answer.</summary>
    public static EnforcementException NoAnswer(string ns, Exception cause) => new(
        CsfleErrorCode.EnforcementFailed,
        $"the server could not be asked about '{ns}' ({cause.GetType().Name})",
        "See the inner exception. Check that the server runs and that its address is right.",
        ns,
        cause);

    private static EnforcementException Refused(string what, string privilege, string ns, in ServerError error) => new(
        $"{what}: {error}",
        error.Code == Unauthorized ? $"Grant the user {privilege}." : "See MongoDB's manual for the code.",
        ns,
        error);

    private static void Validate(byte[] reply, string ns)
    {
        try
        {
            BsonValidator.Validate(reply);
        }
        catch (BsonFormatException e)
        {
            throw new EnforcementException(CsfleErrorCode.EnforcementFailed, $"the server's answer about '{ns}' is not BSON: {e.Message}", CheckServer, ns, e);
        }
    }

    private static EnforcementException Unexpected(string ns, string what)
        => new(CsfleErrorCode.EnforcementFailed, $"the server's answer about '{ns}' cannot be understood: {what}", CheckServer, ns);
}
