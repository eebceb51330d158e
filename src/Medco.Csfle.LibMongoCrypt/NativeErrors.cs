using System.Net;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Analysis;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>
/// Turns what MongoDB.Driver.Encryption throws into errors of this library. An exception that holds a command is not kept as
/// the inner one: the command that was analysed is in clear.
/// </summary>
/// <param name="mongocryptd">What analyses commands; null where that is <c>crypt_shared</c>, or nothing.</param>
internal sealed class NativeErrors(Mongocryptd? mongocryptd)
{
    // libmongocrypt, mongocrypt-ctx-encrypt.c, CHECK_CSFLE_ERROR.
    private const string CryptSharedPrefix = "[crypt_shared ";
    private const string CryptSharedRefusal = "\"analyze_query\" failed";

    /// <summary>
    /// The mongocryptd whose connection broke, so that the same command may be analysed again: nothing was sent to the server.
    /// Where it did not answer at all, the driver has tried again itself.
    /// </summary>
    public Mongocryptd? LostConnectionOf(Exception exception)
    {
        var cause = Unwrap(exception);
        var isLost = cause is MongoConnectionException lost && mongocryptd?.IsAt(lost.ConnectionId?.ServerId?.EndPoint) == true
            || cause is MongoConnectionPoolPausedException && mongocryptd?.IsMeantBy(cause.Message) == true;
        return isLost ? mongocryptd : null;
    }

    /// <summary>The error to throw where a command could not be encrypted.</summary>
    public Exception OfEncryption(Exception exception, string databaseName, byte[] command, CancellationToken cancellationToken)
        => Refusal(Unwrap(exception)) is { } problem
            ? new QueryAnalysisException(
                CsfleErrorCode.RefusedByMongocryptd,
                $"MongoDB's query analysis refuses the command: {problem.TrimEnd('.')}",
                "See MongoDB's manual, 'Supported Operations for Automatic Encryption', for what encrypted fields can do.",
                CommandNamespaces.Of(databaseName, command).Existing.FirstOrDefault())
            : Of(exception, "encrypt a command", cancellationToken);

    /// <summary>The error to throw where a reply could not be decrypted.</summary>
    public Exception OfDecryption(Exception exception, CancellationToken cancellationToken) => Of(exception, "decrypt a reply", cancellationToken);

    private Exception Of(Exception exception, string what, CancellationToken cancellationToken)
    {
        var cause = Unwrap(exception);
        return cause switch
        {
            CsfleException => cause,
            OperationCanceledException => new OperationCanceledException(cause.Message, cause, cancellationToken),
            MongoIncompatibleDriverException when mongocryptd is not null => mongocryptd.TooOld(cause),
            MongoConnectionException when LostConnectionOf(cause) is { } lost => lost.Unreachable(cause),
            TimeoutException or MongoClientException or MongoConnectionException when mongocryptd?.IsMeantBy(cause.Message) == true => mongocryptd.Unreachable(cause),
            MongoServerException server => Failed(what, $"the server answered with {ServerErrorOf(server)}", null),
            CryptException => Failed(what, cause.Message, cause),
            _ => Failed(what, cause.GetType().Name, cause),
        };
    }

    private string? Refusal(Exception cause) => cause switch
    {
        CryptException when cause.Message.StartsWith(CryptSharedPrefix, StringComparison.Ordinal) && cause.Message.Contains(CryptSharedRefusal, StringComparison.Ordinal) => cause.Message,
        MongoCommandException command when mongocryptd is not null && mongocryptd.IsAt(command.ConnectionId?.ServerId?.EndPoint) => command.ErrorMessage ?? ServerErrorOf(command),
        _ => null,
    };

    // The text of a server's error can quote values; that of mongocryptd is about the application's own command.
    private static string ServerErrorOf(MongoServerException exception) => exception switch
    {
        MongoCommandException command => new ServerError(command.Code, command.CodeName).ToString(),
        _ => exception.GetType().Name,
    };

    private static LibMongoCryptException Failed(string what, string problem, Exception? cause) => new(
        CsfleErrorCode.LibMongoCryptFailed,
        $"libmongocrypt could not {what}: {problem.TrimEnd('.')}",
        "Check the key vault, its data keys and the server; what the managed engine says about the same operation may tell more.",
        cause);

    private static Exception Unwrap(Exception exception)
        => exception is MongoEncryptionException { InnerException: { } cause } ? cause : exception;
}
