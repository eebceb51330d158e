namespace Medco.Csfle.Engine.Tests.Kms;

/// <summary>A clock that a test turns, and whose timers ring when it does.</summary>
internal sealed class TimerClock : TimeProvider
{
    private readonly object _lock = new();
    private readonly List<ClockTimer> _timers = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ClockTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Waits until somebody waits for that long, and lets the time pass.</summary>
    public void Pass(TimeSpan wait)
    {
        Assert.True(SpinWait.SpinUntil(() => IsWaitedFor(wait), TimeSpan.FromSeconds(30)), $"nobody waits for {wait}");
        List<ClockTimer> due;
        lock (_lock)
        {
            _now += wait.Ticks;
            due = [.. _timers.Where(timer => timer.Due <= _now)];
            foreach (var timer in due) _timers.Remove(timer);
        }

        foreach (var timer in due) timer.Ring();
    }

    private bool IsWaitedFor(TimeSpan wait)
    {
        lock (_lock) return _timers.Exists(timer => timer.Due - _now == wait.Ticks);
    }

    private sealed class ClockTimer(TimerClock clock, Action ring) : ITimer
    {
        public long Due { get; private set; }

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = clock._now + dueTime.Ticks;
                clock._timers.Add(this);
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._lock) clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
