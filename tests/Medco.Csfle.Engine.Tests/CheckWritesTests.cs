using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests;

/// <summary>Where a client may write that another engine encrypts for.</summary>
public sealed class CheckWritesTests : IDisposable
{
    private readonly EngineFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("""{"insert": "coll", "documents": [{"ssn": 1}]}""")]
    [InlineData("""{"find": "coll", "filter": {"bloodType": "AB+"}}""")]
    [InlineData("""{"insert": "visits", "documents": [{"day": 1}]}""")]
    [InlineData("""{"find": "other", "filter": {}}""")]
    [InlineData("""{"delete": "other", "deletes": [{"q": {}, "limit": 1}]}""")]
    [InlineData("""{"explain": {"update": "other", "updates": [{"q": {}, "u": {"$set": {"ssn": 1}}}]}}""")]
    public async Task What_is_registered_or_allowed_or_stores_nothing_passes(string command)
    {
        var bytes = ExtendedJson.ToBson(command);

        NewEngine().CheckWrites("db", bytes, encrypts: true, default);
        await NewEngine().CheckWritesAsync("db", bytes, encrypts: true, default);
    }

    [Theory]
    [InlineData("""{"insert": "other", "documents": [{"ssn": 1}]}""")]
    [InlineData("""{"update": "other", "updates": [{"q": {}, "u": {"$set": {"ssn": 1}}}]}""")]
    [InlineData("""{"findAndModify": "other", "query": {}, "update": {"$set": {"ssn": 1}}}""")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$out": "other"}], "cursor": {}}""")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$merge": {"into": "other"}}], "cursor": {}}""")]
    [InlineData("""{"bulkWrite": 1, "ops": [{"insert": 0, "document": {"ssn": 1}}], "nsInfo": [{"ns": "db.other"}]}""")]
    public async Task A_write_to_a_collection_that_nobody_registered_is_refused(string command)
    {
        var bytes = ExtendedJson.ToBson(command);

        Assert.Equal(CsfleErrorCode.UnregisteredNamespace, Assert.Throws<QueryAnalysisException>(() => NewEngine().CheckWrites("db", bytes, encrypts: true, default)).Code);
        await Assert.ThrowsAsync<QueryAnalysisException>(async () => await NewEngine().CheckWritesAsync("db", bytes, encrypts: true, default));
    }

    [Fact]
    public void A_command_that_is_not_known_is_refused()
        => Assert.Equal(
            CsfleErrorCode.CommandNotSupported,
            Assert.Throws<QueryAnalysisException>(() => NewEngine().CheckWrites("db", ExtendedJson.ToBson("""{"mapReduce": "coll"}"""), encrypts: true, default)).Code);

    [Theory]
    [InlineData("coll", true)]
    [InlineData("visits", false)]
    public void Where_nothing_is_encrypted_an_encrypted_collection_is_not_written_to(string collection, bool isRefused)
    {
        var insert = ExtendedJson.ToBson($$"""{"insert": "{{collection}}", "documents": [{"ssn": 1}]}""");

        var exception = Record.Exception(() => NewEngine().CheckWrites("db", insert, encrypts: false, default));

        Assert.Equal(isRefused, exception is QueryAnalysisException { Code: CsfleErrorCode.UnregisteredNamespace });
        Assert.Equal(!isRefused, exception is null);
    }

    [Fact]
    public void It_is_written_to_where_that_is_allowed_by_name()
        => NewEngine("db.coll").CheckWrites("db", ExtendedJson.ToBson("""{"insert": "coll", "documents": [{"ssn": 1}]}"""), encrypts: false, default);

    private CsfleEngine NewEngine(string allowed = "db.visits") => new(_fixture.Vault, new CsfleEngineOptions
    {
        Schemas = new Dictionary<string, Medco.Csfle.Engine.Schema.EncryptionSchema> { ["db.coll"] = _fixture.Schema },
        AllowUnencrypted = [allowed],
    });
}
