using System.Diagnostics;
using System.Diagnostics.Metrics;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine.Tests;

/// <summary>
/// What is measured, traced and logged. Instruments belong to the process, so that what other tests do at the same time is seen
/// as well: assertions look for measurements of this test's own database.
/// </summary>
[Collection(nameof(TelemetryTests))]
public sealed class TelemetryTests : IDisposable
{
    private readonly EngineFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Encrypted_commands_are_counted_and_timed_with_the_names_that_OpenTelemetry_gives_them()
    {
        using var metrics = new Metrics();

        Run("""{"insert": "coll", "documents": [{"ssn": 1, "bloodType": "A"}, {"ssn": 2}]}""");

        var tags = new[] { "db.collection.name=coll", "db.namespace=db", "db.operation.name=insert" };
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.commands" && each.Value == 1 && each.Tags.SequenceEqual(tags));
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.encrypted_values" && each.Value == 3 && each.Tags.SequenceEqual(["db.namespace=db"]));
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.encryption.duration" && each.Value >= 0 && each.Tags.SequenceEqual(tags));
    }

    [Theory]
    [InlineData("""{"find": "coll", "filter": {"bloodType": "A"}}""", "find", "coll", CsfleErrorCode.UnsupportedQuery)]
    [InlineData("""{"insert": "other", "documents": []}""", "insert", "other", CsfleErrorCode.UnregisteredNamespace)]
    [InlineData("""{"mapReduce": "coll"}""", "_OTHER", null, CsfleErrorCode.CommandNotSupported)]
    public void Refused_commands_are_counted_by_code_and_name_and_logged(string command, string name, string? collection, string code)
    {
        using var metrics = new Metrics();
        var log = new RecordingLogger();
        var engine = new CsfleEngine(_fixture.Vault, new CsfleEngineOptions { Schemas = new Dictionary<string, Medco.Csfle.Engine.Schema.EncryptionSchema> { ["db.coll"] = _fixture.Schema }, LoggerFactory = log });

        Assert.Throws<QueryAnalysisException>(() => engine.EncryptCommand("db", ExtendedJson.ToBson(command)));

        string[] tags = [.. collection is null ? (string[])[] : [$"db.collection.name={collection}"], "db.namespace=db", $"db.operation.name={name}", $"error.type={code}"];
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.commands" && each.Value == 1 && each.Tags.SequenceEqual(tags));
        Assert.Contains(log.Messages, message => message.StartsWith($"4100 Refused the command {name} on db", StringComparison.Ordinal) && message.Contains(code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_replies_and_kms_calls_are_counted_and_timed()
    {
        using var metrics = new Metrics();
        using var fixture = new EngineFixture();

        var sent = await fixture.Engine.EncryptCommandAsync("db", ExtendedJson.ToBson("""{"insert": "coll", "documents": [{"ssn": 1}]}"""));
        await fixture.Engine.DecryptReplyAsync(sent);

        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.key_cache.lookups" && each.Tags.SequenceEqual(["medco.csfle.cache.result=miss"]));
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.key_cache.lookups" && each.Tags.SequenceEqual(["medco.csfle.cache.result=hit"]));
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.key_fetch.duration");
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.kms.duration" && each.Tags.SequenceEqual(["medco.csfle.kms.operation=unwrap", "medco.csfle.kms.provider=local"]));
        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.decrypted_replies" && each.Tags.Length == 0);
    }

    [Fact]
    public void A_reply_that_is_not_decrypted_is_counted_and_logged_by_its_code()
    {
        using var metrics = new Metrics();
        var log = new RecordingLogger();
        var engine = new CsfleEngine(_fixture.Vault, new CsfleEngineOptions { LoggerFactory = log });
        var reply = ExtendedJson.ToBson($$"""{"ok": 1, "v": {{_fixture.Ciphertext("1")}}}""");
        reply[^3] ^= 1;

        Assert.Throws<DecryptionException>(() => engine.DecryptReply(reply));

        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.decrypted_replies" && each.Tags.SequenceEqual([$"error.type={CsfleErrorCode.DecryptionFailed}"]));
        Assert.Contains(log.Messages, message => message.StartsWith($"4101 A reply was not decrypted: {CsfleErrorCode.DecryptionFailed}", StringComparison.Ordinal));
    }

    [Fact]
    public void Key_fetches_and_kms_calls_are_traced_below_what_needs_them()
    {
        using var traces = new Traces();
        using var root = new Activity("test").Start();

        Run("""{"insert": "coll", "documents": [{"ssn": 1}]}""");

        var fetch = Assert.Single(traces.All, activity => activity.TraceId == root.TraceId && activity.OperationName == "csfle.fetch_keys");
        var kms = Assert.Single(traces.All, activity => activity.TraceId == root.TraceId && activity.OperationName == "csfle.kms.unwrap");
        Assert.Equal((fetch.SpanId, ActivityKind.Client, "local"), (kms.ParentSpanId, kms.Kind, kms.GetTagItem("medco.csfle.kms.provider")));
        Assert.Equal(ActivityStatusCode.Unset, fetch.Status);
    }

    [Fact]
    public void A_key_that_is_not_found_is_traced_by_its_code()
    {
        using var traces = new Traces();
        using var root = new Activity("test").Start();

        Assert.Throws<DataKeyException>(() => _fixture.Engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), Medco.Csfle.Engine.Cryptography.CsfleAlgorithm.Random, Guid.NewGuid()));

        var fetch = Assert.Single(traces.All, activity => activity.TraceId == root.TraceId);
        Assert.Equal((ActivityStatusCode.Error, CsfleErrorCode.DataKeyNotFound), (fetch.Status, fetch.GetTagItem("error.type")));
    }

    [Fact]
    public void A_rewrap_is_traced()
    {
        using var traces = new Traces();
        using var root = new Activity("test").Start();
        using var folder = new TemporaryFolder();

        new RewrapJob(_fixture.Vault, new RewrapJobOptions { BackupPath = folder.PathOf("backup") }).Run();

        var rewrap = Assert.Single(traces.All, activity => activity.TraceId == root.TraceId && activity.OperationName == "csfle.rewrap");
        Assert.Equal(1, rewrap.GetTagItem("medco.csfle.keys"));
    }

    [Fact]
    public void A_kms_that_fails_is_timed_with_the_error()
    {
        using var metrics = new Metrics();
        using var service = new ResilientKeyManagementService(new LocalKeyManagementService(LocalMasterKey.Generate(), "failing"));

        Assert.ThrowsAny<Exception>(() => service.Unwrap(ReadOnlyMemory<byte>.Empty, new byte[144]));

        Assert.Contains(metrics.All, each => each.Name == "medco.csfle.kms.duration" && each.Tags is [var error, "medco.csfle.kms.operation=unwrap", "medco.csfle.kms.provider=local:failing"]
            && error.StartsWith("error.type=", StringComparison.Ordinal));
    }

    [Fact]
    public void Where_nobody_listens_measuring_allocates_nothing()
    {
        var command = ExtendedJson.ToBson("""{"insert": "coll", "documents": []}""");
        Measure();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) Measure();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Measure()
        {
            var measurement = default(CommandMeasurement);
            measurement.Run();
            measurement.Pause();
            measurement.Complete("db", command, 1);
            if (MeasuredCall.Begin("csfle.start") is not null) throw new InvalidOperationException("Somebody listens.");
        }
    }

    private void Run(string command) => _fixture.Engine.EncryptCommand("db", ExtendedJson.ToBson(command));

    private sealed record Measurement(string Name, double Value, string[] Tags);

    private sealed class Metrics : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<Measurement> _all = [];

        public Metrics()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == CsfleTelemetry.Name) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.Start();
        }

        public IReadOnlyList<Measurement> All
        {
            get
            {
                lock (_all) return [.. _all];
            }
        }

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var measurement = new Measurement(instrument.Name, value, [.. tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal)]);
            lock (_all) _all.Add(measurement);
        }
    }

    private sealed class Traces : IDisposable
    {
        private readonly ActivityListener _listener;
        private readonly List<Activity> _all = [];

        public Traces()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == CsfleTelemetry.Name,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity =>
                {
                    lock (_all) _all.Add(activity);
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IReadOnlyList<Activity> All
        {
            get
            {
                lock (_all) return [.. _all];
            }
        }

        public void Dispose() => _listener.Dispose();
    }

    private sealed class RecordingLogger : ILoggerFactory, ILogger
    {
        public List<string> Messages { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Messages.Add($"{eventId.Id} {formatter(state, exception)}");
    }
}
