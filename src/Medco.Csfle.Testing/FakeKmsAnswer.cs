using Medco.Csfle.Engine;

namespace Medco.Csfle.Testing;

/// <summary>How a <see cref="FakeKeyManagementService"/> behaves in one call.</summary>
public sealed class FakeKmsAnswer
{
    private FakeKmsAnswer(string name) => Name = name;

    /// <summary>The right answer at once.</summary>
    public static FakeKmsAnswer Right { get; } = new("right");

    /// <summary>It says no: <see cref="KmsFailure.Refused"/>.</summary>
    public static FakeKmsAnswer Refusal { get; } = new("refusal") { Failure = KmsFailure.Refused };

    /// <summary>It cannot be reached: <see cref="KmsFailure.Unavailable"/>.</summary>
    public static FakeKmsAnswer Outage { get; } = new("outage") { Failure = KmsFailure.Unavailable };

    /// <summary>It never answers: the call ends when it is cancelled.</summary>
    public static FakeKmsAnswer Silence { get; } = new("silence") { Delay = Timeout.InfiniteTimeSpan };

    /// <summary>
    /// An answer of the right form and the wrong content. A data key that is unwrapped so does not decrypt, and one that is
    /// wrapped so cannot be unwrapped.
    /// </summary>
    public static FakeKmsAnswer WrongContent { get; } = new("wrong content") { IsContentWrong = true };

    internal string Name { get; }

    internal KmsFailure? Failure { get; private init; }

    internal TimeSpan Delay { get; private init; }

    internal bool IsContentWrong { get; private init; }

    internal int? Length { get; private init; }

    /// <summary>The right answer, but late.</summary>
    /// <param name="delay">How late.</param>
    public static FakeKmsAnswer After(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return new FakeKmsAnswer("after a delay") { Delay = delay };
    }

    /// <summary>An answer of another length than a right one.</summary>
    /// <param name="length">Its length in bytes.</param>
    public static FakeKmsAnswer OfLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new FakeKmsAnswer("of another length") { Length = length };
    }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
