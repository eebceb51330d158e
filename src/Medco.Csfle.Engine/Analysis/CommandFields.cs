using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// The fields that an analysed command, or a statement of one, may have on an encrypted collection. Any other could carry a value of an
/// encrypted field in a way that this library does not know of.
/// </summary>
internal sealed class CommandFields
{
    // MongoDB manual, "Command arguments common to all commands", sessions, transactions and the Stable API.
    private static readonly string[] Generic =
    [
        "$db", "lsid", "txnNumber", "startTransaction", "autocommit", "readConcern", "writeConcern", "$readPreference",
        "$clusterTime", "maxTimeMS", "comment", "apiVersion", "apiStrict", "apiDeprecationErrors",
    ];

    private readonly byte[][] _names;

    private CommandFields(IEnumerable<string> names) => _names = [.. names.Select(Encoding.UTF8.GetBytes)];

    /// <summary>A command: the generic arguments and its own.</summary>
    public static CommandFields OfCommand(params string[] own) => new(Generic.Concat(own));

    /// <summary>One of the statements that a command holds in an array.</summary>
    public static CommandFields OfStatement(params string[] own) => new(own);

    /// <summary>Refuses unknown fields and fields that stand twice.</summary>
    /// <exception cref="QueryAnalysisException">There is one.</exception>
    public void Check(in AnalysisScope scope, BsonReader command)
    {
        var seen = 0L;
        while (command.Read())
        {
            var index = IndexOf(command.Name);
            if (index < 0)
            {
                throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, $"BSON field '{command.GetName()}' is an unknown field",
                    "Leave it out on an encrypted collection.", @operator: command.GetName());
            }

            var bit = 1L << index;
            if ((seen & bit) != 0)
            {
                throw scope.Refuse(CsfleErrorCode.MalformedCommand, $"The command has the field '{command.GetName()}' twice",
                    "Send each field once.", @operator: command.GetName());
            }

            seen |= bit;
        }
    }

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        for (var index = 0; index < _names.Length; index++)
        {
            if (name.SequenceEqual(_names[index])) return index;
        }

        return -1;
    }
}
