using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Tests.Transactions;

/// <summary>Commands of sessions as text: a session is a digit.</summary>
internal static class SessionCalls
{
    public static string Lsid(int session) => $"'lsid': {{'id': {{'$uuid': '00000000-0000-0000-0000-00000000000{session}'}}}}";

    /// <summary>The fields that start a transaction.</summary>
    public static string Start(int session, int number = 1) => $"{Continue(session, number)}, 'startTransaction': true";

    /// <summary>The fields of a further command of a transaction.</summary>
    public static string Continue(int session, int number = 1) => $"{Write(session, number)}, 'autocommit': false";

    /// <summary>The fields of a retryable write.</summary>
    public static string Write(int session, int number = 1) => $"{Lsid(session)}, 'txnNumber': {{'$numberLong': '{number}'}}";

    public static Document Commit(this InProcessMongoServer server, int session, int number = 1)
        => server.RunOk($"{{'commitTransaction': 1, {Continue(session, number)}}}", "admin");

    public static Document Abort(this InProcessMongoServer server, int session, int number = 1)
        => server.RunOk($"{{'abortTransaction': 1, {Continue(session, number)}}}", "admin");

    /// <summary>The documents of a collection as everybody sees them.</summary>
    public static string[] All(this InProcessMongoServer server, string more = "") => server.RunOk($"{{'find': 'c'{(more.Length == 0 ? "" : ", " + more)}}}").Batch();

    /// <summary>The labels of an error.</summary>
    public static string[] Labels(this Document reply) => reply.Find("errorLabels") is { } labels ? [.. labels.Items.Select(label => label.Text)] : [];
}
