namespace Samples;

/// <summary>Prints what a step shows and counts what it proves. The first thing that does not hold ends the sample.</summary>
internal sealed class Checks
{
    private int _passed;

    /// <summary>Starts a section.</summary>
    public static void Section(string title) => Console.WriteLine($"{Environment.NewLine}== {title}");

    /// <summary>Shows a document or a message.</summary>
    public static void Show(string label, string text)
    {
        Console.WriteLine($"   {label}:");
        foreach (var line in text.Split('\n')) Console.WriteLine($"      {line.TrimEnd()}");
    }

    /// <summary>Proves one statement.</summary>
    /// <exception cref="InvalidOperationException">It does not hold.</exception>
    public void That(bool holds, string statement)
    {
        if (!holds) throw new InvalidOperationException($"Not true: {statement}");
        _passed++;
        Console.WriteLine($"   ok: {statement}");
    }

    /// <summary>The error of that type that the action ends with, or null where it ends well.</summary>
    public static T? Fails<T>(Action action)
        where T : Exception
    {
        try
        {
            action();
            return null;
        }
        catch (T exception)
        {
            return exception;
        }
    }

    /// <inheritdoc cref="Fails{T}(Action)"/>
    public static async Task<T?> Fails<T>(Func<Task> action)
        where T : Exception
    {
        try
        {
            await action();
            return null;
        }
        catch (T exception)
        {
            return exception;
        }
    }

    /// <summary>The last line.</summary>
    public void Finish() => Console.WriteLine($"{Environment.NewLine}{_passed} checks passed");
}
