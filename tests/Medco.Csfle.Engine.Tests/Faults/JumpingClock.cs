namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>A clock whose time of day and whose count of time passed jump by themselves, as a test says.</summary>
internal sealed class JumpingClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public TimeSpan Passed { get; set; } = TimeSpan.FromDays(1);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Passed.Ticks;

    public override DateTimeOffset GetUtcNow() => Now;
}
