using System.Reflection;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Observed;

/// <summary>What the driver's exceptions hold of plaintext, and that it is gone after redaction while the rest is not.</summary>
public sealed class CsfleRedactionTests : IDisposable
{
    private readonly Patients _patients = new();

    public void Dispose() => _patients.Dispose();

    [Fact]
    public async Task The_command_before_encryption_is_gone_and_everything_else_stays()
    {
        var exception = await Assert.ThrowsAsync<MongoCommandException>(() => Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "find", "patients" }, { "filter", new BsonDocument("ssn", Sentinels.Number) }, { "batchSize", -1 } }));
        exception.AddErrorLabel("Label");
        Assert.NotEmpty(Sentinels.In(exception.Command.ToString()!));

        var redacted = Assert.IsType<RedactedException>(exception.Redact());

        AssertNothingIn(redacted);
        Assert.Equal((exception.Message, (int?)exception.Code, exception.CodeName), (redacted.Message, redacted.Code, redacted.CodeName));
        Assert.Equal(["Label"], redacted.ErrorLabels);
        Assert.Equal(exception.ConnectionId.ToString(), redacted.Connection);
        Assert.Equal(exception.StackTrace, redacted.StackTrace);
        Assert.StartsWith("MongoDB.Driver.MongoCommandException: ", redacted.ToString(), StringComparison.Ordinal);
        Assert.Contains($"(code {exception.Code}", redacted.ToString(), StringComparison.Ordinal);
        Assert.Contains("(labels Label)", redacted.ToString(), StringComparison.Ordinal);
        Assert.Contains("   at ", redacted.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_models_of_a_bulk_are_gone()
    {
        var collection = _patients.Collection<BsonDocument>(_patients.Encrypted);
        var document = new BsonDocument { { "_id", 1 }, { "ssn", Sentinels.Number } };
        await collection.InsertOneAsync(document);
        var exception = await Assert.ThrowsAsync<MongoBulkWriteException<BsonDocument>>(() => collection.BulkWriteAsync(
            [new InsertOneModel<BsonDocument>(document), new InsertOneModel<BsonDocument>(new BsonDocument { { "_id", 2 }, { "ssn", Sentinels.Number } })]));
        Assert.NotEmpty(exception.UnprocessedRequests.OfType<InsertOneModel<BsonDocument>>().SelectMany(model => Sentinels.In(model.Document.ToJson())));

        var redacted = (RedactedException)exception.Redact();

        AssertNothingIn(redacted);
        Assert.Equal((11000, "DuplicateKey"), (redacted.Code, redacted.CodeName));
    }

    [Fact]
    public async Task A_cause_is_redacted_wherever_it_is()
    {
        var cause = await Assert.ThrowsAsync<MongoCommandException>(() => Database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "find", "patients" }, { "filter", new BsonDocument("ssn", Sentinels.Number) }, { "batchSize", -1 } }));
        var exception = new InvalidOperationException("No patient was found.", new AggregateException(new TimeoutException("late"), cause));

        var redacted = exception.Redact();

        Assert.Equal("No patient was found.", redacted.Message);
        Assert.DoesNotContain(Chain(redacted), each => each is MongoException);
        foreach (var each in Chain(redacted)) AssertNothingIn(each);
        Assert.Contains("System.TimeoutException: late", redacted.ToString(), StringComparison.Ordinal);
        Assert.Contains("MongoDB.Driver.MongoCommandException", redacted.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Our_own_exceptions_and_those_of_others_are_left_alone()
    {
        var ours = await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Doctor.Find(patient => patient.BloodType == Sentinels.Text).ToListAsync());
        var other = new InvalidOperationException("x", new TimeoutException());

        Assert.Same(ours, ours.Redact());
        Assert.Same(other, other.Redact());
    }

    [Fact]
    public void An_exception_that_was_never_thrown_is_redacted_too()
    {
        var redacted = new MongoException("x").Redact();

        Assert.Equal("MongoDB.Driver.MongoException: x", redacted.ToString());
        Assert.Null(redacted.StackTrace);
    }

    private IMongoDatabase Database => _patients.Encrypted.GetDatabase(_patients.Namespace.DatabaseNamespace.DatabaseName);

    private static IEnumerable<Exception> Chain(Exception? exception) => exception switch
    {
        null => [],
        AggregateException aggregate => [aggregate, .. aggregate.InnerExceptions.SelectMany(Chain)],
        _ => [exception, .. Chain(exception.InnerException)],
    };

    private static void AssertNothingIn(Exception exception)
    {
        Assert.Empty(Sentinels.In(exception.ToString()));
        foreach (var property in exception.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            Assert.Empty(Sentinels.In(property.GetValue(exception)?.ToString() ?? ""));
        }
    }
}
