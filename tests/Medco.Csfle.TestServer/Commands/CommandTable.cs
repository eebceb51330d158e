namespace Medco.Csfle.TestServer.Commands;

/// <summary>The commands this server has. One command is one file; a new one is a line here.</summary>
internal static class CommandTable
{
    private static readonly Dictionary<string, CommandDefinition> Commands = new CommandDefinition[]
    {
        new("hello", HelloCommand.Run),
        new("isMaster", HelloCommand.Run),
        new("ismaster", HelloCommand.Run),
        new("ping", PingCommand.Run),
        new("buildInfo", BuildInfoCommand.Run),
        new("buildinfo", BuildInfoCommand.Run),
        new("configureFailPoint", ConfigureFailPointCommand.Run),
        new("endSessions", EndSessionsCommand.Run),
        new("create", CreateCommand.Run) { TakesWriteConcern = true },
        new("drop", DropCommand.Run) { TakesWriteConcern = true },
        new("listCollections", ListCollectionsCommand.Run),
        new("collMod", CollModCommand.Run) { TakesWriteConcern = true },
        new("renameCollection", RenameCollectionCommand.Run) { TakesWriteConcern = true },
        new("listDatabases", ListDatabasesCommand.Run),
        new("dropDatabase", DropDatabaseCommand.Run) { TakesWriteConcern = true },
        new("insert", InsertCommand.Run) { TakesWriteConcern = true },
        new("update", UpdateCommand.Run) { TakesWriteConcern = true },
        new("delete", DeleteCommand.Run) { TakesWriteConcern = true },
        new("findAndModify", FindAndModifyCommand.Run) { TakesWriteConcern = true },
        new("findandmodify", FindAndModifyCommand.Run) { TakesWriteConcern = true },
        new("count", CountCommand.Run) { TakesReadConcern = true },
        new("distinct", DistinctCommand.Run) { TakesReadConcern = true },
        new("aggregate", AggregateCommand.Run) { TakesReadConcern = true, TakesWriteConcern = true },
        new("explain", ExplainCommand.Run),
        new("createIndexes", CreateIndexesCommand.Run) { TakesWriteConcern = true },
        new("listIndexes", ListIndexesCommand.Run),
        new("dropIndexes", DropIndexesCommand.Run) { TakesWriteConcern = true },
        new("find", FindCommand.Run) { TakesReadConcern = true },
        new("getMore", GetMoreCommand.Run),
        new("killCursors", KillCursorsCommand.Run),
    }.ToDictionary(definition => definition.Name);

    /// <summary>The names of all commands.</summary>
    public static IEnumerable<string> Names => Commands.Keys;

    /// <exception cref="ServerException">There is no such command.</exception>
    public static CommandDefinition Find(string name)
        => Commands.TryGetValue(name, out var definition) ? definition : throw new ServerException(ErrorCode.CommandNotFound, $"no such command: '{name}'");
}
