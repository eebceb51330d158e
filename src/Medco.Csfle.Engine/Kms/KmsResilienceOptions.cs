using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine.Kms;

/// <summary>How long a KMS is waited for, and how often it is asked again.</summary>
public sealed class KmsResilienceOptions
{
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    /// <summary>The most time for one operation, all attempts and the pauses between them. 30 seconds unless told.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The most time for one attempt. 10 seconds unless told.</summary>
    public TimeSpan AttemptTimeLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a KMS that is unavailable or too slow is asked, the first time included. 4 unless told.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>
    /// The pause before the second attempt. It doubles for each further one, and is shortened at random by up to half, so that
    /// many applications do not come back at the same moment. 200 milliseconds unless told.
    /// </summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause. 5 seconds unless told.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The clock of limits and pauses.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where to log that a KMS is asked again; nowhere unless told.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A limit is not above zero, a pause is negative, either is longer than a day, or there is no attempt.</exception>
    internal void Validate()
    {
        foreach (var (setting, problem, remedy) in FindMistakes()) throw new ArgumentOutOfRangeException(setting, $"It {problem}. {remedy}");
    }

    /// <summary>Every setting that cannot be, with what is wrong with it and what to do.</summary>
    internal IEnumerable<(string Setting, string Problem, string Remedy)> FindMistakes()
    {
        const string GiveLimit = "Give a time above zero and of a day at most.";
        const string GivePause = "Give a time of a day at most; zero for no pause.";
        if (TimeLimit <= TimeSpan.Zero || TimeLimit > LongestTime) yield return (nameof(TimeLimit), "is not above zero, or is longer than a day", GiveLimit);
        if (AttemptTimeLimit <= TimeSpan.Zero || AttemptTimeLimit > LongestTime) yield return (nameof(AttemptTimeLimit), "is not above zero, or is longer than a day", GiveLimit);
        if (MaxAttempts < 1) yield return (nameof(MaxAttempts), "allows no attempt", "Give 1 or more.");
        if (FirstPause < TimeSpan.Zero || FirstPause > LongestTime) yield return (nameof(FirstPause), "is negative, or longer than a day", GivePause);
        if (LongestPause < TimeSpan.Zero || LongestPause > LongestTime) yield return (nameof(LongestPause), "is negative, or longer than a day", GivePause);
    }

    /// <summary>The pause after an attempt that failed.</summary>
    /// <param name="attempt">The number of the attempt; the first is 1.</param>
    /// <param name="random">From 0 (half of the pause) to 1 (all of it).</param>
    internal TimeSpan PauseAfter(int attempt, double random)
    {
        var pause = Math.Min(FirstPause.TotalMilliseconds * Math.Pow(2, attempt - 1), LongestPause.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(pause * (1 + random) / 2);
    }
}
