namespace Medco.Csfle.Testing;

/// <summary>What one path of a stored document should have been, and what it is.</summary>
/// <param name="Collection"><c>database.collection</c>; null where bytes were looked at that no collection holds.</param>
/// <param name="Path">The dotted path as it is stored.</param>
/// <param name="Expected">What was expected there.</param>
/// <param name="Found">What is there: its type, never its value.</param>
public sealed record EncryptionAssertionFailure(string? Collection, string Path, string Expected, string Found)
{
    /// <summary>All of it in one line.</summary>
    public override string ToString()
        => $"{(Collection is null ? "" : $"{Collection}: ")}'{Path}' should be {Expected}, but is {Found}.";
}

/// <summary>
/// An assertion of this package that does not hold. Test frameworks show it as they show any exception that a test throws. It
/// names collections, paths, types, algorithms and data keys, and no values.
/// </summary>
public sealed class EncryptionAssertionException : Exception
{
    internal EncryptionAssertionException(string message)
        : base(message)
    {
    }

    internal EncryptionAssertionException(IReadOnlyList<EncryptionAssertionFailure> failures)
        : base(string.Join(Environment.NewLine, failures))
        => Failures = failures;

    /// <summary>Every path that is not as it should be; none where the assertion was not about paths, or found nothing to look at.</summary>
    public IReadOnlyList<EncryptionAssertionFailure> Failures { get; } = [];
}
