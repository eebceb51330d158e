using System.Text;
using MongoDB.Driver;

namespace Medco.Csfle;

/// <summary>Makes exceptions of MongoDB.Driver safe to log.</summary>
/// <remarks>
/// <para>What the driver throws in an encrypted client holds plaintext, though its message does not:
/// <see cref="MongoCommandException.Command"/> is the command as it was before encryption,
/// <see cref="MongoBulkWriteException{TDocument}.UnprocessedRequests"/> and the bulk's result hold the application's own objects.
/// A logger that writes an exception's message and stack trace shows none of it; one that walks its properties (structured
/// logging, error tracking) shows all of it.</para>
/// <para>The server's own messages are safe as far as encrypted fields go: it has seen ciphertext only. Of fields that are not
/// encrypted they can quote values. Exceptions of others keep their messages: what an application, or a serializer of the driver,
/// writes into one is not judged here.</para>
/// </remarks>
public static class CsfleRedaction
{
    /// <summary>
    /// The same exception, or, where it or one that it was caused by comes from the driver, one that says the same and holds no
    /// command, document, reply or model: <c>logger.LogError(exception.Redact(), "…")</c>.
    /// </summary>
    /// <param name="exception">The exception.</param>
    public static Exception Redact(this Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return Redacted(exception, depth: 0);
    }

    private static Exception Redacted(Exception exception, int depth)
    {
        const int MaxDepth = 32;
        if (!NeedsRedaction(exception, 0)) return exception;
        var causes = exception is AggregateException aggregate ? aggregate.InnerExceptions : exception.InnerException is { } inner ? [inner] : (IReadOnlyList<Exception>)[];
        return new RedactedException(exception, depth < MaxDepth ? [.. causes.Select(cause => Redacted(cause, depth + 1))] : []);
    }

    private static bool NeedsRedaction(Exception exception, int depth)
    {
        const int MaxDepth = 64;
        if (exception is MongoException || depth > MaxDepth) return true;
        if (exception is AggregateException aggregate) return aggregate.InnerExceptions.Any(inner => NeedsRedaction(inner, depth + 1));
        return exception.InnerException is { } cause && NeedsRedaction(cause, depth + 1);
    }
}

/// <summary>
/// What is safe to log of an exception of MongoDB.Driver, or of one that it caused: type, message, server code, labels,
/// connection, stack trace and causes. Made by <see cref="CsfleRedaction.Redact"/>, never thrown.
/// </summary>
public sealed class RedactedException : Exception
{
    private readonly string? _stackTrace;

    internal RedactedException(Exception original, IReadOnlyList<Exception> causes)
        : base(original.Message, causes.Count switch { 0 => null, 1 => causes[0], _ => new AggregateException(causes) })
    {
        OriginalType = original.GetType().ToString();
        HResult = original.HResult;
        Source = original.Source;
        HelpLink = original.HelpLink;
        _stackTrace = original.StackTrace;
        ErrorLabels = original is MongoException labelled ? [.. labelled.ErrorLabels] : [];
        Connection = (original as MongoServerException)?.ConnectionId?.ToString() ?? (original as MongoConnectionException)?.ConnectionId?.ToString();
        (Code, CodeName) = original switch
        {
            MongoCommandException command => (command.Code, command.CodeName),
            MongoExecutionTimeoutException timeout => (timeout.Code, timeout.CodeName),
            MongoWriteException { WriteError: { } error } => (error.Code, error.Category.ToString()),
            MongoBulkWriteException { WriteErrors: [var error, ..] } => (error.Code, error.Category.ToString()),
            _ => default((int? Code, string? Name)),
        };
    }

    /// <summary>The type of the exception that it stands for.</summary>
    public string OriginalType { get; }

    /// <summary>The server's code, where it answered with one; of a bulk the first error's.</summary>
    public int? Code { get; }

    /// <summary>The name of that code; of write errors their category.</summary>
    public string? CodeName { get; }

    /// <summary>Labels such as <c>TransientTransactionError</c>.</summary>
    public IReadOnlyList<string> ErrorLabels { get; }

    /// <summary>The connection, where it is about one.</summary>
    public string? Connection { get; }

    /// <summary>Where the original was thrown.</summary>
    public override string? StackTrace => _stackTrace;

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder($"{OriginalType}: {Message}");
        if (Code is { } code) text.Append($" (code {code}{(CodeName is null ? "" : $", {CodeName}")})");
        if (ErrorLabels.Count > 0) text.Append($" (labels {string.Join(", ", ErrorLabels)})");
        if (Connection is not null) text.Append($" (connection {Connection})");
        if (InnerException is not null) text.Append($"{Environment.NewLine} ---> {InnerException}{Environment.NewLine}   --- End of inner exception stack trace ---");
        if (_stackTrace is not null) text.Append($"{Environment.NewLine}{_stackTrace}");
        return text.ToString();
    }
}
