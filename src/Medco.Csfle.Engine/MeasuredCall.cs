using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Medco.Csfle.Engine;

/// <summary>One call that is timed and traced; there is none where nobody listens. An error leaves its type there, never its text.</summary>
internal sealed class MeasuredCall : IDisposable
{
    private readonly Activity? _activity;
    private readonly Histogram<double>? _duration;
    private readonly long _started;
    private TagList _tags;
    private string? _error;

    private MeasuredCall(Activity? activity, Histogram<double>? duration, in TagList tags)
    {
        _activity = activity;
        _duration = duration is { Enabled: true } ? duration : null;
        _tags = tags;
        _started = _duration is null ? 0 : Stopwatch.GetTimestamp();
    }

    /// <summary>Begins a call to somebody else.</summary>
    /// <param name="name">The activity's name.</param>
    /// <param name="duration">Receives how long it took.</param>
    /// <param name="first">A tag.</param>
    /// <param name="second">Another one.</param>
    /// <returns>Null where nobody listens.</returns>
    public static MeasuredCall? Begin(string name, Histogram<double> duration, KeyValuePair<string, object?> first, KeyValuePair<string, object?>? second = null)
    {
        if (!duration.Enabled && !CsfleTelemetry.Activities.HasListeners()) return null;
        var tags = new TagList { first };
        if (second is { } other) tags.Add(other);
        return new MeasuredCall(CsfleTelemetry.Activities.StartActivity(ActivityKind.Client, tags: tags, name: name), duration, tags);
    }

    /// <summary>Begins something that this library does itself.</summary>
    /// <returns>Null where nobody listens.</returns>
    public static MeasuredCall? Begin(string name)
        => CsfleTelemetry.Activities.StartActivity(name) is { } activity ? new MeasuredCall(activity, null, default) : null;

    /// <summary>Adds to what the activity says.</summary>
    public void Tag(string name, object value) => _activity?.SetTag(name, value);

    /// <summary>Remembers an error; as the condition of a catch clause that catches nothing.</summary>
    /// <returns>False.</returns>
    public bool Fail(Exception exception)
    {
        _error = CsfleTelemetry.TypeOf(exception);
        return false;
    }

    /// <summary>What failed before has succeeded now.</summary>
    public void Succeed() => _error = null;

    /// <summary>Ends the call.</summary>
    public void Dispose()
    {
        if (_error is not null)
        {
            _tags.Add(CsfleTelemetry.ErrorType, _error);
            _activity?.SetTag(CsfleTelemetry.ErrorType, _error).SetStatus(ActivityStatusCode.Error);
        }

        _duration?.Record(Stopwatch.GetElapsedTime(_started).TotalSeconds, _tags);
        _activity?.Dispose();
    }
}
