using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>The arguments of an operation. One that nobody asked for is a failure, so that nothing is left out in silence.</summary>
internal sealed class SpecArguments(string operation, Document? arguments)
{
    private readonly Document _arguments = arguments ?? Document.Empty;
    private readonly HashSet<string> _known = [];

    public string Operation => operation;

    public Value? Optional(string name)
    {
        _known.Add(name);
        return _arguments.Find(name);
    }

    public Value Required(string name) => Optional(name) ?? throw new SpecFailure($"{operation} needs '{name}'");

    public string Text(string name) => Required(name).Text;

    /// <summary>A boolean; false where it is missing.</summary>
    public bool Flag(string name) => Optional(name)?.IsTrue ?? false;

    /// <summary>The arguments of these names that are there: options that go into the command as they are.</summary>
    public IEnumerable<Element> Options(params string[] names)
    {
        foreach (var name in names)
        {
            if (Optional(name) is { } value) yield return new Element(name, value);
        }
    }

    /// <summary>All arguments that nobody asked for by name: what goes into the command as it is, whatever it is.</summary>
    public IEnumerable<Element> Rest()
    {
        Element[] rest = [.. _arguments.Elements.Where(element => !_known.Contains(element.Name))];
        _known.UnionWith(rest.Select(element => element.Name));
        return rest;
    }

    /// <exception cref="SpecFailure">An argument is left.</exception>
    public void RefuseOthers()
    {
        foreach (var (name, _) in _arguments.Elements)
        {
            if (!_known.Contains(name)) throw new SpecFailure($"this runner's {operation} has no argument '{name}'");
        }
    }
}
