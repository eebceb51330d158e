using System.Text;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>What happens to a command on its way out.</summary>
internal enum CommandRule
{
    /// <summary>Holds neither documents nor filters: sent without being read.</summary>
    Bypassed,

    /// <summary>Sent as it is where no collection that it names is encrypted; otherwise analysed, or refused where that is not possible yet.</summary>
    Analysed,
}

/// <summary>
/// The commands, by the name of their first element. What is not named here is refused on every collection. Source:
/// libmongocrypt (Apache-2.0), <c>_check_cmd_for_auto_encrypt</c>.
/// </summary>
internal static class CommandTable
{
    /// <summary>Every command that may pass in some form. Names are case-sensitive.</summary>
    public static readonly IReadOnlyDictionary<string, CommandRule> Rules = Build();

    private static readonly byte[][] Analysed = [.. Rules.Where(rule => rule.Value == CommandRule.Analysed).Select(rule => Encoding.UTF8.GetBytes(rule.Key))];

    /// <summary>Whether a command, by its name in UTF-8, is analysed. Allocates nothing.</summary>
    public static bool IsAnalysed(ReadOnlySpan<byte> name)
    {
        foreach (var analysed in Analysed)
        {
            if (name.SequenceEqual(analysed)) return true;
        }

        return false;
    }

    private static Dictionary<string, CommandRule> Build()
    {
        string[] analysed =
        [
            "aggregate", "count", "distinct", "delete", "find", "findAndModify", "insert", "update", "create", "createIndexes",
            "collMod", "explain", "bulkWrite",

            // Sent unread by the official drivers. Here they are looked at, since under its new name a collection would be
            // without its schema.
            "renameCollection",
        ];
        string[] bypassed =
        [
            "getMore", "authenticate", "getnonce", "logout", "isMaster", "ismaster", "hello", "abortTransaction",
            "commitTransaction", "endSessions", "startSession", "drop", "dropDatabase", "dropIndexes", "killCursors",
            "listCollections", "listDatabases", "listIndexes", "ping", "saslStart", "saslContinue", "killAllSessions",
            "killSessions", "killAllSessionsByPattern", "refreshSessions", "buildInfo", "buildinfo", "getCmdLineOpts",
            "getLog", "createSearchIndexes", "listSearchIndexes", "dropSearchIndex", "updateSearchIndex", "serverStatus",
        ];
        var rules = new Dictionary<string, CommandRule>(StringComparer.Ordinal);
        foreach (var name in analysed) rules.Add(name, CommandRule.Analysed);
        foreach (var name in bypassed) rules.Add(name, CommandRule.Bypassed);
        return rules;
    }
}
