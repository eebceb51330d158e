using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Medco.Csfle.Engine;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Tests.Observed;

/// <summary>Keeps everything that this library logs (through it), measures and traces (in the whole process), as text.</summary>
internal sealed class Recorder : ILoggerFactory, ILogger
{
    private readonly List<string> _logs = [];
    private readonly List<string> _traces = [];
    private readonly List<string> _metrics = [];
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;

    public Recorder()
    {
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CsfleTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => Add(_traces, Describe(activity)),
        };
        ActivitySource.AddActivityListener(_activities);
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == CsfleTelemetry.Name) listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(_metrics, Describe(instrument, value, tags)));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(_metrics, Describe(instrument, value, tags)));
        _meters.Start();
    }

    public IReadOnlyList<string> Logs => Copy(_logs);

    public IReadOnlyList<string> Traces => Copy(_traces);

    public IReadOnlyList<string> Metrics => Copy(_metrics);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        Add(_logs, $"scope {state}");
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var values = state is IEnumerable<KeyValuePair<string, object?>> named ? string.Join(' ', named.Select(each => $"{each.Key}={each.Value}")) : $"{state}";
        Add(_logs, $"{logLevel} {eventId.Id} {formatter(state, exception)} {values} {exception}");
    }

    public void Dispose()
    {
        _activities.Dispose();
        _meters.Dispose();
    }

    private static string Describe(Activity activity)
    {
        var events = activity.Events.Select(each => $"{each.Name} {string.Join(' ', each.Tags.Select(tag => $"{tag.Key}={tag.Value}"))}");
        return $"{activity.DisplayName} {activity.Status} {activity.StatusDescription} {string.Join(' ', activity.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))} {string.Join(' ', activity.Baggage)} {string.Join(' ', events)}";
    }

    private static string Describe<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        => $"{instrument.Name} {string.Create(CultureInfo.InvariantCulture, $"{value}")} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}";

    private static void Add(List<string> list, string text)
    {
        lock (list) list.Add(text);
    }

    private static IReadOnlyList<string> Copy(List<string> list)
    {
        lock (list) return [.. list];
    }
}
