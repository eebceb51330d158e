using Medco.Csfle.Engine;

namespace Medco.Csfle;

/// <summary>One mistake in what <c>AddCsfle</c> or <see cref="CsfleClientFactory.Create"/> was told.</summary>
/// <param name="Option">The method of <see cref="CsfleBuilder"/> that it is about, or the path in the configuration.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Remedy">What to do instead.</param>
public sealed record CsfleConfigurationError(string Option, string Problem, string Remedy)
{
    /// <summary>The name of the registration, where it has one.</summary>
    public string? Registration { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{(Registration is null ? "" : $"AddCsfle(\"{Registration}\"), ")}{Option}: {Problem} {Remedy}";
}

/// <summary>
/// The library is set up in a way that does not work: settings are missing or wrong, or the application did with the driver's
/// auto-encryption something that would switch this library's off.
/// </summary>
public sealed class CsfleConfigurationException : CsfleException
{
    internal CsfleConfigurationException(IReadOnlyList<CsfleConfigurationError> errors)
        : base(CsfleErrorCode.InvalidConfiguration, Describe(errors), "No client is created until this is corrected.")
        => Errors = errors;

    internal CsfleConfigurationException(string code, string what, string remedy, Exception? innerException = null)
        : base(code, $"{what}.", remedy, innerException)
    {
    }

    /// <summary>Every mistake in the settings; empty where the error is about something else.</summary>
    public IReadOnlyList<CsfleConfigurationError> Errors { get; } = [];

    private static string Describe(IReadOnlyList<CsfleConfigurationError> errors)
        => errors.Count == 1
            ? $"Medco.Csfle is not set up correctly. {errors[0]}"
            : $"Medco.Csfle is not set up correctly:{string.Concat(errors.Select(error => $"{Environment.NewLine}  - {error}"))}{Environment.NewLine}";
}
