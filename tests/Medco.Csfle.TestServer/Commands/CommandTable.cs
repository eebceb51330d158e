namespace Medco.Csfle.TestServer.Commands;

/// <summary>The commands this server has. One command is one file; a new one is a line here.</summary>
internal static class CommandTable
{
    private static readonly Dictionary<string, CommandDefinition> Commands = new CommandDefinition[]
    {
        new("hello", HelloCommand.Run) { InTransactions = InTransactions.NotFirst },
        new("isMaster", HelloCommand.Run) { InTransactions = InTransactions.NotFirst },
        new("ismaster", HelloCommand.Run) { InTransactions = InTransactions.NotFirst },
        new("ping", PingCommand.Run),
        new("buildInfo", BuildInfoCommand.Run) { InTransactions = InTransactions.NotFirst },
        new("buildinfo", BuildInfoCommand.Run) { InTransactions = InTransactions.NotFirst },
        new("configureFailPoint", ConfigureFailPointCommand.Run),
        new("endSessions", EndSessionsCommand.Run),
        new("commitTransaction", CommitTransactionCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.NotFirst, EndsTransactions = true },
        new("abortTransaction", AbortTransactionCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.NotFirst, EndsTransactions = true },
        new("create", CreateCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.Always },
        new("drop", DropCommand.Run) { TakesWriteConcern = true },
        new("listCollections", ListCollectionsCommand.Run),
        new("collMod", CollModCommand.Run) { TakesWriteConcern = true },
        new("renameCollection", RenameCollectionCommand.Run) { TakesWriteConcern = true },
        new("listDatabases", ListDatabasesCommand.Run),
        new("dropDatabase", DropDatabaseCommand.Run) { TakesWriteConcern = true },
        new("insert", InsertCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.Always, IsRetryable = true },
        new("update", UpdateCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.Always, IsRetryable = true },
        new("delete", DeleteCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.Always, IsRetryable = true },
        new("findAndModify", FindAndModifyCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.Always, IsRetryable = true },
        new("findandmodify", FindAndModifyCommand.Run) { TakesWriteConcern = true, InTransactions = InTransactions.Always, IsRetryable = true },
        new("count", CountCommand.Run) { TakesReadConcern = true },
        new("distinct", DistinctCommand.Run) { TakesReadConcern = true, InTransactions = InTransactions.Always },
        new("aggregate", AggregateCommand.Run) { TakesReadConcern = true, TakesWriteConcern = true, InTransactions = InTransactions.Always },
        new("explain", ExplainCommand.Run),
        new("createIndexes", CreateIndexesCommand.Run) { TakesWriteConcern = true },
        new("listIndexes", ListIndexesCommand.Run),
        new("dropIndexes", DropIndexesCommand.Run) { TakesWriteConcern = true },
        new("find", FindCommand.Run) { TakesReadConcern = true, InTransactions = InTransactions.Always },
        new("getMore", GetMoreCommand.Run) { InTransactions = InTransactions.NotFirst },
        new("killCursors", KillCursorsCommand.Run) { InTransactions = InTransactions.NotFirst },
    }.ToDictionary(definition => definition.Name);

    /// <summary>The names of all commands.</summary>
    public static IEnumerable<string> Names => Commands.Keys;

    /// <exception cref="ServerException">There is no such command.</exception>
    public static CommandDefinition Find(string name)
        => Commands.TryGetValue(name, out var definition) ? definition : throw new ServerException(ErrorCode.CommandNotFound, $"no such command: '{name}'");
}
