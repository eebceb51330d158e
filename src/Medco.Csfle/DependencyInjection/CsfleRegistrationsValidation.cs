using Microsoft.Extensions.Options;

namespace Medco.Csfle.DependencyInjection;

/// <summary>
/// Checks the options of all registrations when the host starts, before any of them and any other service does its work. It
/// throws our own exception, with the mistakes of all of them, where the options library would make one of texts alone.
/// </summary>
internal sealed class CsfleRegistrationsValidation(IOptionsMonitor<CsfleOptions> options) : IValidateOptions<CsfleRegistrations>
{
    /// <inheritdoc/>
    /// <exception cref="CsfleConfigurationException">All mistakes.</exception>
    public ValidateOptionsResult Validate(string? name, CsfleRegistrations registrations)
    {
        var errors = registrations.Names.SelectMany(each => CsfleOptionsValidator.Check(options.Get(each))).ToArray();
        return errors.Length == 0 ? ValidateOptionsResult.Success : throw new CsfleConfigurationException(errors);
    }
}
