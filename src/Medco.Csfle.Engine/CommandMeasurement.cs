using System.Diagnostics;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine;

/// <summary>What is measured and logged of one command. Nothing is, and no clock is read, where nobody listens.</summary>
internal struct CommandMeasurement
{
    private long _started;
    private TimeSpan _elapsed;

    /// <summary>Starts the clock, at first or again.</summary>
    public void Run()
    {
        if (CsfleTelemetry.EncryptionDuration.Enabled) _started = Stopwatch.GetTimestamp();
    }

    /// <summary>Stops the clock while somebody else is waited for.</summary>
    public void Pause()
    {
        if (_started != 0) _elapsed += Stopwatch.GetElapsedTime(_started);
    }

    /// <summary>Says that values of a command were encrypted.</summary>
    public void Complete(string databaseName, ReadOnlySpan<byte> command, int values)
    {
        Pause();
        if (CsfleTelemetry.EncryptedValues.Enabled) CsfleTelemetry.EncryptedValues.Add(values, new KeyValuePair<string, object?>("db.namespace", databaseName));
        if (!CsfleTelemetry.Commands.Enabled && _started == 0) return;
        var (name, collection) = NamesOf(command);
        var tags = Tags(name, databaseName, collection);
        CsfleTelemetry.Commands.Add(1, tags);
        if (_started != 0) CsfleTelemetry.EncryptionDuration.Record(_elapsed.TotalSeconds, tags);
    }

    /// <summary>Says that a command is not sent; as the condition of a catch clause that catches nothing.</summary>
    /// <returns>False.</returns>
    public static bool Refuse(Exception exception, string databaseName, ReadOnlySpan<byte> command, ILogger logger)
    {
        if (exception is not CsfleException { Code: var code }) return false;
        var isLogged = logger.IsEnabled(LogLevel.Information);
        if (!isLogged && !CsfleTelemetry.Commands.Enabled) return false;

        var (name, collection) = NamesOf(command);
        var query = exception as QueryAnalysisException;
        if (query?.Collection is { } full) collection = MongoNamespace.Split(full).Collection;
        if (isLogged) logger.CommandRefused(name, collection is null ? databaseName : $"{databaseName}.{collection}", query?.Path, code);
        if (CsfleTelemetry.Commands.Enabled)
        {
            var tags = Tags(name, databaseName, collection);
            tags.Add(CsfleTelemetry.ErrorType, code);
            CsfleTelemetry.Commands.Add(1, tags);
        }

        return false;
    }

    private static TagList Tags(string name, string databaseName, string? collection)
    {
        var tags = new TagList { { "db.operation.name", name }, { "db.namespace", databaseName } };
        if (collection is not null) tags.Add("db.collection.name", collection);
        return tags;
    }

    // What is no command's name may be anything, a value included.
    private static (string Name, string? Collection) NamesOf(ReadOnlySpan<byte> command)
    {
        const string Other = "_OTHER";
        try
        {
            var first = new BsonReader(command);
            if (!first.Read()) return (Other, null);
            var name = first.GetName();
            if (!CommandTable.Rules.TryGetValue(name, out var rule)) return (Other, null);
            return (name, rule == CommandRule.Analysed && first.Type == BsonType.String ? first.GetString() : null);
        }
        catch (BsonFormatException)
        {
            return (Other, null);
        }
    }
}
