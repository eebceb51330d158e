using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine.Tests.Kms;

/// <summary>Keeps every line that is logged.</summary>
internal sealed class CollectingLogger : ILogger, ILoggerFactory
{
    public List<(EventId Id, LogLevel Level, string Text)> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (Lines) Lines.Add((eventId, logLevel, formatter(state, exception)));
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
