using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests;

/// <summary>A test of what only replica sets do. It is skipped where <c>MONGODB_URI</c> names another server.</summary>
public sealed class ReplicaSetFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Reason = new(Ask);

    public ReplicaSetFactAttribute() => Skip = Reason.Value;

    private static string? Ask()
    {
        if (Environment.GetEnvironmentVariable("MONGODB_URI") is not { Length: > 0 } external) return null;
        using var client = new MongoClient(external);
        var hello = client.GetDatabase("admin").RunCommand<BsonDocument>(new BsonDocument("hello", 1));
        return hello.Contains("setName") || hello.GetValue("msg", "") == "isdbgrid"
            ? null
            : "MONGODB_URI names a standalone, which has no transactions and change streams; start it with --replSet";
    }
}
