using System.Globalization;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer;

/// <summary>MongoDB's error codes (manual, "Error Codes") that this server uses, with the names replies carry.</summary>
internal static class ErrorCode
{
    public const int InternalError = 1;
    public const int BadValue = 2;
    public const int FailedToParse = 9;
    public const int Unauthorized = 13;
    public const int TypeMismatch = 14;
    public const int Overflow = 15;
    public const int InvalidLength = 16;
    public const int ProtocolError = 17;
    public const int IllegalOperation = 20;
    public const int InvalidBson = 22;
    public const int NamespaceNotFound = 26;
    public const int IndexNotFound = 27;
    public const int PathNotViable = 28;
    public const int ConflictingUpdateOperators = 40;
    public const int CursorNotFound = 43;
    public const int NamespaceExists = 48;
    public const int MaxTimeMSExpired = 50;
    public const int DollarPrefixedFieldName = 52;
    public const int InvalidIdField = 53;
    public const int NotSingleValueField = 54;
    public const int EmptyFieldName = 56;
    public const int CommandNotFound = 59;
    public const int ImmutableField = 66;
    public const int CannotCreateIndex = 67;
    public const int InvalidOptions = 72;
    public const int InvalidNamespace = 73;
    public const int IndexOptionsConflict = 85;
    public const int IndexKeySpecsConflict = 86;
    public const int WriteConflict = 112;
    public const int ConflictingOperationInProgress = 117;
    public const int DocumentValidationFailure = 121;
    public const int NotAReplicaSet = 123;
    public const int CommandFailed = 125;
    public const int InvalidPipelineOperator = 168;
    public const int CannotIndexParallelArrays = 171;
    public const int InvalidIndexSpecificationOption = 197;
    public const int TransactionTooOld = 225;
    public const int NotImplemented = 238;
    public const int NoSuchTransaction = 251;
    public const int TransactionCommitted = 256;
    public const int InvalidResumeToken = 260;
    public const int OperationNotSupportedInTransaction = 263;
    public const int ChangeStreamFatalError = 280;
    public const int ChangeStreamHistoryLost = 286;
    public const int NoQueryExecutionPlans = 291;
    public const int ApiVersionError = 322;
    public const int UnsupportedOpQueryCommand = 352;
    public const int DuplicateKey = 11000;
    public const int InterruptedAtShutdown = 11600;
    public const int DatabaseDifferCase = 13297;
    public const int DuplicateField = 40413;
    public const int MissingField = 40414;
    public const int UnknownField = 40415;

    private static readonly Dictionary<int, string> Names = new()
    {
        [InternalError] = "InternalError",
        [BadValue] = "BadValue",
        [FailedToParse] = "FailedToParse",
        [Unauthorized] = "Unauthorized",
        [TypeMismatch] = "TypeMismatch",
        [Overflow] = "Overflow",
        [InvalidLength] = "InvalidLength",
        [ProtocolError] = "ProtocolError",
        [IllegalOperation] = "IllegalOperation",
        [InvalidBson] = "InvalidBSON",
        [NamespaceNotFound] = "NamespaceNotFound",
        [IndexNotFound] = "IndexNotFound",
        [PathNotViable] = "PathNotViable",
        [ConflictingUpdateOperators] = "ConflictingUpdateOperators",
        [CursorNotFound] = "CursorNotFound",
        [NamespaceExists] = "NamespaceExists",
        [MaxTimeMSExpired] = "MaxTimeMSExpired",
        [DollarPrefixedFieldName] = "DollarPrefixedFieldName",
        [InvalidIdField] = "InvalidIdField",
        [NotSingleValueField] = "NotSingleValueField",
        [EmptyFieldName] = "EmptyFieldName",
        [CommandNotFound] = "CommandNotFound",
        [ImmutableField] = "ImmutableField",
        [CannotCreateIndex] = "CannotCreateIndex",
        [InvalidOptions] = "InvalidOptions",
        [InvalidNamespace] = "InvalidNamespace",
        [IndexOptionsConflict] = "IndexOptionsConflict",
        [IndexKeySpecsConflict] = "IndexKeySpecsConflict",
        [WriteConflict] = "WriteConflict",
        [ConflictingOperationInProgress] = "ConflictingOperationInProgress",
        [DocumentValidationFailure] = "DocumentValidationFailure",
        [NotAReplicaSet] = "NotAReplicaSet",
        [CommandFailed] = "CommandFailed",
        [InvalidPipelineOperator] = "InvalidPipelineOperator",
        [CannotIndexParallelArrays] = "CannotIndexParallelArrays",
        [InvalidIndexSpecificationOption] = "InvalidIndexSpecificationOption",
        [TransactionTooOld] = "TransactionTooOld",
        [NotImplemented] = "NotImplemented",
        [NoSuchTransaction] = "NoSuchTransaction",
        [TransactionCommitted] = "TransactionCommitted",
        [InvalidResumeToken] = "InvalidResumeToken",
        [OperationNotSupportedInTransaction] = "OperationNotSupportedInTransaction",
        [ChangeStreamFatalError] = "ChangeStreamFatalError",
        [ChangeStreamHistoryLost] = "ChangeStreamHistoryLost",
        [NoQueryExecutionPlans] = "NoQueryExecutionPlans",
        [ApiVersionError] = "APIVersionError",
        [UnsupportedOpQueryCommand] = "UnsupportedOpQueryCommand",
        [DuplicateKey] = "DuplicateKey",
        [InterruptedAtShutdown] = "InterruptedAtShutdown",
        [DatabaseDifferCase] = "DatabaseDifferCase",
    };

    /// <summary>The name of a code; MongoDB calls those without one after their number.</summary>
    public static string NameOf(int code)
        => Names.TryGetValue(code, out var name) ? name : "Location" + code.ToString(CultureInfo.InvariantCulture);
}

/// <summary>An error with a MongoDB code that ends a command, or one write of it, and becomes part of its reply.</summary>
internal sealed class ServerException(int code, string message, IReadOnlyList<Element>? details = null) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>Further fields of the error, such as <c>keyPattern</c> or <c>errInfo</c>.</summary>
    public IReadOnlyList<Element> Details { get; } = details ?? [];

    public static ServerException BadValue(string message) => new(ErrorCode.BadValue, message);

    public static ServerException FailedToParse(string message) => new(ErrorCode.FailedToParse, message);

    public static ServerException TypeMismatch(string message) => new(ErrorCode.TypeMismatch, message);

    /// <summary>Something MongoDB has and this server does not.</summary>
    public static ServerException NotImplemented(string what) => new(ErrorCode.NotImplemented, $"{what} is not supported by this server");
}
