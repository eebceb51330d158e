using Microsoft.Extensions.Options;

namespace Medco.Csfle.DependencyInjection;

/// <summary>All registrations of a container, by name; that of the one without a name is <see cref="Options.DefaultName"/>.</summary>
internal sealed class CsfleRegistrations
{
    private readonly List<string> _names = [];

    /// <summary>The names in the order of their registration, each once.</summary>
    public IReadOnlyList<string> Names => _names;

    public void Add(string name)
    {
        if (!_names.Contains(name, StringComparer.Ordinal)) _names.Add(name);
    }
}
