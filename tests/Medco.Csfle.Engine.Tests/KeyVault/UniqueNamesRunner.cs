using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>
/// Puts the unique index on <c>keyAltNames</c> in front of a server that has no indexes: an insert with a name that is taken is
/// answered as MongoDB answers it, once the index was asked for.
/// </summary>
internal sealed class UniqueNamesRunner(IMongoCommandRunner server) : IMongoCommandRunner
{
    private readonly Lock _gate = new();
    private bool _hasIndex;

    public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            var reader = new BsonReader(command.Span);
            reader.Read();
            switch (reader.GetName())
            {
                case "createIndexes":
                    _hasIndex = true;
                    return ExtendedJson.ToBson("""{"numIndexesBefore": 1, "numIndexesAfter": 2, "ok": {"$numberDouble": "1"}}""");
                case "insert" when _hasIndex && TakenName(databaseName, reader.GetString(), command, cancellationToken) is { } name:
                    return ExtendedJson.ToBson($$$"""
                        {"n": 0, "writeErrors": [{"index": 0, "code": 11000, "errmsg": "E11000", "keyPattern": {"keyAltNames": 1},
                         "keyValue": {"keyAltNames": {{{System.Text.Json.JsonSerializer.Serialize(name)}}}}}], "ok": {"$numberDouble": "1"}}
                        """);
                default:
                    return server.RunCommand(databaseName, command, cancellationToken);
            }
        }
    }

    public async ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return RunCommand(databaseName, command, cancellationToken);
    }

    private string? TakenName(string database, string collection, ReadOnlyMemory<byte> insert, CancellationToken cancellationToken)
    {
        var reader = new BsonReader(insert.Span);
        reader.ReadTo("documents"u8);
        var documents = reader.ReadDocument();
        documents.Read();
        var taken = new MongoKeyVaultStore(server, $"{database}.{collection}").List(cancellationToken: cancellationToken).SelectMany(key => key.KeyAltNames);
        return DataKeyDocument.Parse(documents.Value).KeyAltNames.Intersect(taken).FirstOrDefault();
    }
}
