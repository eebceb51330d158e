using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// The fields that any command may have. They are checked as a standalone server checks them, which runs no transactions, or
/// as the one member of a replica set; what a transaction makes of them is told elsewhere.
/// </summary>
internal static class GenericArguments
{
    private static readonly HashSet<string> Names =
    [
        "$db", "$readPreference", "$clusterTime", "lsid", "txnNumber", "startTransaction", "autocommit",
        "readConcern", "writeConcern", "maxTimeMS", "comment", "apiVersion", "apiStrict", "apiDeprecationErrors",
    ];

    public static bool IsKnown(string name) => Names.Contains(name);

    public static void Check(CommandDefinition definition, CommandArguments arguments, bool isReplicaSet)
    {
        arguments.OptionalText("$db");
        arguments.OptionalDocument("$readPreference");
        arguments.OptionalDocument("$clusterTime");
        arguments.Optional("comment");
        arguments.OptionalCount("maxTimeMS");
        CheckSession(arguments, isReplicaSet);
        CheckApiVersion(arguments);
        CheckReadConcern(definition, arguments, isReplicaSet);
        CheckWriteConcern(definition, arguments, isReplicaSet);
    }

    private static void CheckSession(CommandArguments arguments, bool isReplicaSet)
    {
        var session = arguments.OptionalDocument("lsid");
        if (session is not null && session.Find("id") is not { Type: BsonType.Binary, BinarySubtype: BinarySubtype.Uuid, Binary.Length: 16 })
        {
            throw ServerException.TypeMismatch("BSON field 'lsid.id' must be a UUID");
        }

        if (isReplicaSet) return;
        foreach (var name in new[] { "txnNumber", "startTransaction", "autocommit" })
        {
            if (arguments.Optional(name) is not null)
            {
                throw new ServerException(ErrorCode.IllegalOperation, "Transaction numbers are only allowed on a replica set member or mongos");
            }
        }
    }

    private static void CheckApiVersion(CommandArguments arguments)
    {
        var version = arguments.OptionalText("apiVersion");
        var isStrict = arguments.Boolean("apiStrict", otherwise: false);
        var failsOnDeprecated = arguments.Boolean("apiDeprecationErrors", otherwise: false);
        if (version is not (null or "1")) throw new ServerException(ErrorCode.ApiVersionError, "API version must be \"1\"");
        if (version is null && (isStrict || failsOnDeprecated))
        {
            throw new ServerException(ErrorCode.ApiVersionError, "Provided apiStrict or apiDeprecationErrors without passing apiVersion");
        }
    }

    private static void CheckReadConcern(CommandDefinition definition, CommandArguments arguments, bool isReplicaSet)
    {
        var concern = arguments.OptionalDocument("readConcern");
        if (concern is null || concern.Count == 0) return;
        foreach (var (name, _) in concern.Elements)
        {
            if (name is not ("level" or "afterClusterTime")) throw new ServerException(ErrorCode.UnknownField, $"BSON field 'readConcern.{name}' is an unknown field.");
        }

        var level = concern.Find("level") is { Type: BsonType.String } text ? text.Text : "local";
        if ((level is "linearizable" or "snapshot") && isReplicaSet && (definition.TakesReadConcern || arguments.Optional("startTransaction") is not null))
        {
            // A transaction reads a snapshot whatever it asks for; reads outside of transactions keep none.
            if (level == "snapshot" && arguments.Optional("autocommit") is null) throw ServerException.NotImplemented("readConcern 'snapshot' outside of a transaction");
            if (level == "linearizable" && arguments.Optional("autocommit") is not null) throw new ServerException(ErrorCode.InvalidOptions, "readConcern 'linearizable' is not for transactions");
            return;
        }

        if (level is "linearizable" or "snapshot")
        {
            throw new ServerException(ErrorCode.NotAReplicaSet, $"node needs to be a replica set member to use readConcern: {level}");
        }

        if (level is not ("local" or "available" or "majority")) throw ServerException.FailedToParse($"'{level}' is not a read concern level");
        // The first command of a transaction has the read concern of all of it.
        if (!definition.TakesReadConcern && level != "local" && !(isReplicaSet && arguments.Optional("startTransaction") is not null))
        {
            throw new ServerException(ErrorCode.InvalidOptions, $"Command {definition.Name} does not support readConcern");
        }
    }

    private static void CheckWriteConcern(CommandDefinition definition, CommandArguments arguments, bool isReplicaSet)
    {
        var concern = arguments.OptionalDocument("writeConcern");
        if (concern is null) return;
        if (!definition.TakesWriteConcern) throw new ServerException(ErrorCode.InvalidOptions, $"Command {definition.Name} does not support writeConcern");
        foreach (var (name, value) in concern.Elements)
        {
            var isValid = name switch
            {
                "w" => value.Type == BsonType.String || value.IsNumber,
                "j" or "fsync" => value.Type == BsonType.Boolean || value.IsNumber,
                "wtimeout" => value.IsNumber,
                _ => throw new ServerException(ErrorCode.UnknownField, $"BSON field 'writeConcern.{name}' is an unknown field."),
            };
            if (!isValid) throw ServerException.TypeMismatch($"BSON field 'writeConcern.{name}' is the wrong type '{value.Type.Alias()}'");
        }

        var w = concern.Find("w");
        var isPossible = w is null
            || (w.Type == BsonType.String ? w.Text == "majority" : w.Number.TryToInt64(out var count) && count is (0 or 1));
        if (isPossible) return;
        throw isReplicaSet
            ? ServerException.NotImplemented("a write concern of more than the one member")
            : ServerException.BadValue("cannot use 'w' > 1 when a host is not replicated");
    }
}
