using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>Something is not as the test file says.</summary>
internal sealed class SpecFailure(string message) : Exception(message);

/// <summary>An error of the client, before anything was sent: a driver's own checks.</summary>
internal sealed class SpecClientException(string message) : Exception(message);

/// <summary>The time that <c>timeoutMS</c> gives an operation is over.</summary>
internal sealed class SpecTimeoutException() : Exception("the operation exceeded its time limit (timeoutMS)");

/// <summary>A KMS refused a request.</summary>
internal sealed class SpecKmsException(string message) : Exception(message);

/// <summary>A server's answer that is an error, or has one for a write.</summary>
internal sealed class SpecServerException(Document reply, Document error) : Exception(error.OptionalText("errmsg") ?? "an error without a message")
{
    public Document Reply { get; } = reply;

    public long? Code { get; } = error.Find("code")?.Whole();

    public string? CodeName { get; } = error.OptionalText("codeName");

    public IReadOnlyList<string> Labels { get; } = [.. reply.Find("errorLabels")?.Items.Select(label => label.Text) ?? []];

    /// <exception cref="SpecServerException">The reply is an error.</exception>
    public static void ThrowIfError(Document reply)
    {
        if (reply.Find("ok") is not { } ok || !ok.IsTrue) throw new SpecServerException(reply, reply);
        if (reply.Items("writeErrors").FirstOrDefault() is { } writeError) throw new SpecServerException(reply, writeError);
        if (reply.OptionalDocument("writeConcernError") is { } concernError) throw new SpecServerException(reply, concernError);
    }
}

/// <summary>Compares an error with <c>expectError</c>.</summary>
internal static class ExpectedError
{
    /// <summary>
    /// Whether an exception is an error that an operation may have: one of the engine's own, or of the client around it. Any
    /// other, such as a null reference, is a defect whatever the test expects.
    /// </summary>
    public static bool IsLegitimate(Exception exception)
        => exception is CsfleException or SpecClientException or SpecTimeoutException or SpecKmsException or SpecServerException;

    public static void Check(Document expected, Exception actual, Matching matching)
    {
        var server = actual as SpecServerException;
        foreach (var (name, value) in expected.Elements)
        {
            var isMet = name switch
            {
                "isError" => true,
                "isClientError" => value.IsTrue == server is null,
                "isTimeoutError" => value.IsTrue == actual is SpecTimeoutException,
                "errorContains" => actual.Message.Contains(value.Text, StringComparison.OrdinalIgnoreCase),
                "errorCode" => server?.Code == value.Whole(),
                "errorCodeName" => string.Equals(server?.CodeName, value.Text, StringComparison.OrdinalIgnoreCase),
                "errorLabelsContain" => value.Items.All(label => server?.Labels.Contains(label.Text) == true),
                "errorLabelsOmit" => value.Items.All(label => server?.Labels.Contains(label.Text) != true),
                "errorResponse" => matching.IsMet(value, server is null ? null : new Value(server.Reply)),
                _ => throw new SpecFailure($"this runner does not know 'expectError.{name}'"),
            };
            if (!isMet) throw new SpecFailure($"the error does not meet {name}: {value.Json()}; it is {actual.GetType().Name}: {actual.Message}");
        }
    }
}
