namespace Medco.Csfle.Engine;

/// <summary>
/// The stable codes of every error this library raises. A code never changes its meaning; <c>docs/errors/</c> has a page for
/// each.
/// </summary>
public static class CsfleErrorCode
{
    /// <summary>Bytes that are not BSON.</summary>
    public const string MalformedBson = "CSFLE1001";

    /// <summary>BSON beyond a hard limit: nesting or length.</summary>
    public const string BsonLimit = "CSFLE1002";

    /// <summary>Text that is not JSON, or not Extended JSON v2.</summary>
    public const string MalformedExtendedJson = "CSFLE1003";

    /// <summary>An encryption schema that breaks a rule of the grammar.</summary>
    public const string InvalidSchema = "CSFLE2001";

    /// <summary>Attributes on classes that cannot become an encryption schema.</summary>
    public const string InvalidMapping = "CSFLE2002";

    /// <summary>A text that was to name a collection or collections, and does not.</summary>
    public const string InvalidNamespace = "CSFLE2003";

    /// <summary>A collection whose encryption schema the server was asked for and did not give.</summary>
    public const string ServerSchemaUnavailable = "CSFLE2004";

    /// <summary>A document of a class that the registered model does not know.</summary>
    public const string UnknownClass = "CSFLE2005";

    /// <summary>A command that this library does not know how to analyse, so that it may not be sent.</summary>
    public const string CommandNotSupported = "CSFLE3001";

    /// <summary>A part of a command (field, operator, expression) that is not known to be safe on an encrypted collection.</summary>
    public const string UnsupportedOnEncryptedCollection = "CSFLE3002";

    /// <summary>A query or an update that cannot work on an encrypted field.</summary>
    public const string UnsupportedQuery = "CSFLE3003";

    /// <summary>A value at an encrypted path that cannot be encrypted there.</summary>
    public const string ValueNotEncryptable = "CSFLE3004";

    /// <summary>A command that would let a value of an encrypted field leave in clear.</summary>
    public const string WouldLeakPlaintext = "CSFLE3005";

    /// <summary>A command that is not shaped as MongoDB's manual describes it.</summary>
    public const string MalformedCommand = "CSFLE3006";

    /// <summary>A write to a collection that has no encryption schema and was not allowed to be unencrypted.</summary>
    public const string UnregisteredNamespace = "CSFLE3007";

    /// <summary>A port on which query analysis was to be offered, and which cannot be listened on.</summary>
    public const string EndpointUnavailable = "CSFLE3010";

    /// <summary>A customer master key that cannot be read or has the wrong length.</summary>
    public const string InvalidMasterKey = "CSFLE4001";

    /// <summary>A data key that the key vault does not hold.</summary>
    public const string DataKeyNotFound = "CSFLE4002";

    /// <summary>A data key that the master key does not unwrap.</summary>
    public const string DataKeyNotUnwrapped = "CSFLE4003";

    /// <summary>A document in the key vault that is not a data key.</summary>
    public const string MalformedDataKey = "CSFLE4004";

    /// <summary>A key alternate name or id that is already taken.</summary>
    public const string DuplicateDataKey = "CSFLE4005";

    /// <summary>A key vault that cannot be read or written.</summary>
    public const string KeyVaultUnavailable = "CSFLE4006";

    /// <summary>A data key whose master key lives in a KMS that is not configured.</summary>
    public const string KmsNotConfigured = "CSFLE4007";

    /// <summary>A KMS that cannot be reached, refuses, takes too long, or answers what cannot be an answer.</summary>
    public const string KmsFailed = "CSFLE4009";

    /// <summary>Bytes in BinData subtype 6 that are not a ciphertext.</summary>
    public const string MalformedCiphertext = "CSFLE5001";

    /// <summary>A ciphertext that does not authenticate: it was changed, or belongs to another key.</summary>
    public const string DecryptionFailed = "CSFLE5002";

    /// <summary>Settings of the SDK that are missing, wrong, or cannot work together.</summary>
    public const string InvalidConfiguration = "CSFLE6001";

    /// <summary>Another auto-encryption provider is registered with the driver in this process.</summary>
    public const string ProviderTaken = "CSFLE6002";

    /// <summary>Auto-encryption options that no client factory of this library issued.</summary>
    public const string ForeignOptions = "CSFLE6003";

    /// <summary>Something was asked for that is known only after start-up.</summary>
    public const string NotStarted = "CSFLE6004";

    /// <summary>A collection that has an encryption schema on the server, but none with the client.</summary>
    public const string SchemaNotRegistered = "CSFLE6010";

    /// <summary>A client was to encrypt with an engine that was not set up.</summary>
    public const string EngineNotSetUp = "CSFLE6030";

    /// <summary>The native library libmongocrypt cannot be loaded.</summary>
    public const string LibMongoCryptNotLoaded = "CSFLE6031";

    /// <summary>MongoDB's library <c>crypt_shared</c> was named or required and is not loaded.</summary>
    public const string CryptSharedNotLoaded = "CSFLE6032";

    /// <summary>libmongocrypt has nothing that analyses commands: no <c>crypt_shared</c>, and no <c>mongocryptd</c> answers.</summary>
    public const string QueryAnalysisUnavailable = "CSFLE6033";

    /// <summary>A <c>mongocryptd</c> that is too old for MongoDB.Driver.</summary>
    public const string MongocryptdTooOld = "CSFLE6034";

    /// <summary>MongoDB's own query analysis refused a command.</summary>
    public const string RefusedByMongocryptd = "CSFLE6035";

    /// <summary>libmongocrypt failed to encrypt or to decrypt.</summary>
    public const string LibMongoCryptFailed = "CSFLE6036";

    /// <summary>A collection whose validator on the server is missing or says something else than the encryption schema demands.</summary>
    public const string NotEnforced = "CSFLE6040";

    /// <summary>A collection whose validator may not be changed as wanted: it cannot have one, or has rules that contradict.</summary>
    public const string EnforcementConflict = "CSFLE6041";

    /// <summary>A server that could not be asked for a validator, or refused to change it.</summary>
    public const string EnforcementFailed = "CSFLE6042";

    /// <summary>A collection for which no validator can be written that demands what its encryption schema says.</summary>
    public const string NotEnforceable = "CSFLE6043";

    /// <summary>A plan that does not fit what the server has any more.</summary>
    public const string PlanOutdated = "CSFLE6044";

    /// <summary>A synthetic insert that did not leave the encryption provider as the schema says.</summary>
    public const string ProofFailed = "CSFLE6050";

    /// <summary>A client whose commands the driver does not hand to this library.</summary>
    public const string ProviderNotWired = "CSFLE6051";

    /// <summary>A synthetic document that was not stored on the server as the schema says, could not be read back, or not be removed.</summary>
    public const string CanaryFailed = "CSFLE6052";

    /// <summary>A class whose constraints cannot be read, so that no validator can be written from it.</summary>
    public const string InvalidConstraint = "CSFLE6070";
}

/// <summary>
/// The root of every error this library raises on purpose. The message says what happened, where, and what to do; it names
/// keys by id and fields by path and never contains a value or key material.
/// </summary>
public abstract class CsfleException : Exception
{
    private protected CsfleException(string code, string what, string remedy, Exception? innerException = null)
        : base($"{what} {remedy} [{code}]", innerException)
    {
        Code = code;
        Remedy = remedy;
        HelpLink = $"{HelpAddress}{code}.md";
    }

    /// <summary>
    /// Where the pages about errors are: a folder of the repository, and of the package of this assembly. The one place to
    /// change when they have a public address.
    /// </summary>
    internal const string HelpAddress = "docs/errors/";

    /// <summary>The stable code, one of <see cref="CsfleErrorCode"/>; <see cref="Exception.HelpLink"/> is the page about it.</summary>
    public string Code { get; }

    /// <summary>What to do about it; also part of <see cref="Exception.Message"/>.</summary>
    public string Remedy { get; }

    /// <summary>The namespace of the collection that the error is about, <c>db.collection</c>, where it is known.</summary>
    public virtual string? Collection => null;

    /// <summary>The dotted path of the field that the error is about, as it is stored, where it is known.</summary>
    public virtual string? Path => null;
}

/// <summary>Bytes that are not a BSON document, or are one beyond the limits of this library.</summary>
public sealed class BsonFormatException : CsfleException
{
    internal BsonFormatException(string what, int offset, string code = CsfleErrorCode.MalformedBson)
        : base(code, $"Malformed BSON at offset {offset}: {what}.", "Pass the bytes of one complete BSON document.")
        => Offset = offset;

    /// <summary>Offset in bytes, from the start of the outermost document, of the first byte that does not fit.</summary>
    public int Offset { get; }
}

/// <summary>Text that is not Extended JSON v2.</summary>
public sealed class ExtendedJsonFormatException : CsfleException
{
    internal ExtendedJsonFormatException(string what, long position, Exception? innerException = null)
        : base(CsfleErrorCode.MalformedExtendedJson, $"Malformed Extended JSON at byte {position}: {what}.",
            "Pass one JSON object in canonical or relaxed MongoDB Extended JSON v2.", innerException)
        => Position = position;

    /// <summary>Offset in bytes of the UTF-8 text at which reading stopped.</summary>
    public long Position { get; }
}

/// <summary>One mistake in an encryption schema or in the attributes it is built from.</summary>
/// <param name="Location">The JSON path in the schema, or class and member.</param>
/// <param name="Problem">What is wrong there.</param>
/// <param name="Remedy">What to do instead.</param>
public sealed record EncryptionSchemaError(string Location, string Problem, string Remedy)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Location}: {Problem} {Remedy}";
}

/// <summary>An encryption schema, or classes meant to become one, with all mistakes found in it.</summary>
public sealed class EncryptionSchemaException : CsfleException
{
    internal EncryptionSchemaException(string code, string subject, IReadOnlyList<EncryptionSchemaError> errors)
        : base(code, Describe(subject, errors), "Nothing is encrypted until this is corrected.")
        => Errors = errors;

    /// <summary>Every mistake found, never empty.</summary>
    public IReadOnlyList<EncryptionSchemaError> Errors { get; }

    private static string Describe(string subject, IReadOnlyList<EncryptionSchemaError> errors)
        => errors.Count == 1
            ? $"{subject}: {errors[0]}"
            : $"{subject} has {errors.Count} mistakes:{string.Concat(errors.Select(error => $"{Environment.NewLine}  - {error}"))}{Environment.NewLine}";
}

/// <summary>A text that was to be <c>db.collection</c>, or a pattern for it, and is not.</summary>
public sealed class NamespaceException : CsfleException
{
    internal NamespaceException(string what, string remedy)
        : base(CsfleErrorCode.InvalidNamespace, $"{what}.", remedy)
    {
    }
}

/// <summary>A command that may not be sent: it cannot work on encrypted fields, or is not known to be safe.</summary>
public sealed class QueryAnalysisException : CsfleException
{
    internal QueryAnalysisException(string code, string problem, string remedy, string? collection = null, string? path = null, string? @operator = null)
        : base(code, Describe(problem, collection, path, @operator), remedy)
    {
        Collection = collection;
        Path = path;
        Operator = @operator;
    }

    /// <inheritdoc/>
    public override string? Collection { get; }

    /// <inheritdoc/>
    public override string? Path { get; }

    /// <summary>The command, command field, operator, stage or expression that is refused, where there is one.</summary>
    public string? Operator { get; }

    private static string Describe(string problem, string? collection, string? path, string? @operator)
    {
        var context = new List<string>(3);
        if (collection is not null) context.Add($"collection '{collection}'");
        if (path is not null) context.Add($"path '{path}'");
        if (@operator is not null) context.Add($"operator '{@operator}'");
        return context.Count == 0 ? $"{problem}." : $"{problem} ({string.Join(", ", context)}).";
    }
}

/// <summary>A port of 127.0.0.1 on which query analysis was to be offered, and which cannot be listened on.</summary>
public sealed class EndpointException : CsfleException
{
    internal EndpointException(int port, Exception innerException)
        : base(CsfleErrorCode.EndpointUnavailable, $"Query analysis cannot listen on 127.0.0.1:{port}.",
            "Choose another port, or 0 for any that is free; another process may listen on it, or the system may not allow it.", innerException)
        => Port = port;

    /// <summary>The port that was asked for.</summary>
    public int Port { get; }
}

/// <summary>A single value that cannot be encrypted explicitly.</summary>
public sealed class EncryptionValueException : CsfleException
{
    internal EncryptionValueException(string problem, string remedy)
        : base(CsfleErrorCode.ValueNotEncryptable, $"{problem}.", remedy)
    {
    }
}

/// <summary>
/// Bytes that cannot be decrypted: no ciphertext, or one that does not authenticate. One failure for every cause beyond the
/// layout, so that nothing is learnt about why.
/// </summary>
public sealed class DecryptionException : CsfleException
{
    internal DecryptionException(string code, string what, string remedy, Guid? keyId = null)
        : base(code, $"{what}.", remedy)
        => (_what, KeyId) = (what, keyId);

    private DecryptionException(DecryptionException cause, string? collection, string path, string place)
        : base(cause.Code, $"{cause._what} ({(collection is null ? "" : $"collection '{collection}', ")}{place}).", cause.Remedy, cause)
        => (_what, KeyId, Collection, Path) = (cause._what, cause.KeyId, collection, path);

    private readonly string _what;

    /// <summary>The data key that the ciphertext names, where it could be read.</summary>
    public Guid? KeyId { get; }

    /// <inheritdoc/>
    public override string? Collection { get; }

    /// <summary>
    /// The dotted path of the ciphertext: as it is stored where the reply has documents of a collection in a known place, else
    /// from the top of the reply. Null for a single value that was decrypted explicitly.
    /// </summary>
    public override string? Path { get; }

    /// <summary>The same error with the place where it happened.</summary>
    /// <param name="collection">The namespace of the collection, where the reply names it.</param>
    /// <param name="path">For <see cref="Path"/>.</param>
    /// <param name="place">The same for people, with the document's place in the reply.</param>
    internal DecryptionException At(string? collection, string path, string place) => new(this, collection, path, place);
}

/// <summary>A customer master key that is missing, unreadable or of the wrong length.</summary>
public sealed class MasterKeyException : CsfleException
{
    internal MasterKeyException(string what, string remedy, Exception? innerException = null)
        : base(CsfleErrorCode.InvalidMasterKey, $"{what}.", remedy, innerException)
    {
    }
}

/// <summary>A data key that cannot be found, read, unwrapped or stored.</summary>
public sealed class DataKeyException : CsfleException
{
    internal DataKeyException(string code, string what, string remedy, Guid? keyId = null, string? keyAltName = null, Exception? innerException = null)
        : base(code, $"{what}.", remedy, innerException)
    {
        KeyId = keyId;
        KeyAltName = keyAltName;
    }

    /// <summary>The id of the data key, where known.</summary>
    public Guid? KeyId { get; }

    /// <summary>The key alternate name, where the key was asked for by name.</summary>
    public string? KeyAltName { get; }
}

/// <summary>How a KMS failed, which decides whether it is asked again.</summary>
public enum KmsFailure
{
    /// <summary>It cannot be reached, or says that it cannot answer now. It is asked again.</summary>
    Unavailable,

    /// <summary>It did not answer in time. It is asked again.</summary>
    TooSlow,

    /// <summary>It said no: credentials, permissions, or a master key that is not there or is disabled.</summary>
    Refused,

    /// <summary>It answered, but not with a data key.</summary>
    WrongAnswer,
}

/// <summary>
/// A KMS that did not wrap or unwrap a data key. Whether the master key is the right one is not known; where it is not,
/// <see cref="DataKeyException"/> says so.
/// </summary>
public sealed class KmsException : CsfleException
{
    /// <summary>An error of a KMS; also for implementations of <see cref="Kms.IKeyManagementService"/> outside of this library.</summary>
    /// <param name="provider">The KMS provider, such as <c>aws</c> or <c>aws:tenant1</c>.</param>
    /// <param name="failure">How it failed.</param>
    /// <param name="what">What happened, without a full stop; neither key material nor credentials.</param>
    /// <param name="innerException">What it was caused by.</param>
    public KmsException(string provider, KmsFailure failure, string what, Exception? innerException = null)
        : base(CsfleErrorCode.KmsFailed, $"KMS provider `{provider}`: {what}.", RemedyFor(failure), innerException)
    {
        Provider = provider;
        Failure = failure;
        What = what;
    }

    /// <summary>The KMS provider.</summary>
    public string Provider { get; }

    /// <summary>How it failed.</summary>
    public KmsFailure Failure { get; }

    internal string What { get; }

    private static string RemedyFor(KmsFailure failure) => failure switch
    {
        KmsFailure.Unavailable => "Check the network, the endpoint and the state of the KMS. Data keys that are in memory go on working until they expire.",
        KmsFailure.TooSlow => "Check the network and the load of the KMS, or allow more time. Data keys that are in memory go on working until they expire.",
        KmsFailure.Refused => "Check the credentials, what they permit, and that the master key exists and is enabled.",
        _ => "Check that the endpoint is the KMS and not something between. Do not create a new data key: it would not read what the old one encrypted.",
    };
}

/// <summary>A key vault that cannot be read or written.</summary>
public sealed class KeyVaultException : CsfleException
{
    internal KeyVaultException(string what, string remedy, Exception? innerException = null)
        : base(CsfleErrorCode.KeyVaultUnavailable, $"{what}.", remedy, innerException)
    {
    }

    internal KeyVaultException(string what, string remedy, in ServerError error)
        : this(what, remedy)
    {
        ServerCode = error.Code;
        ServerCodeName = error.CodeName;
    }

    /// <summary>MongoDB's code of the error, where a server answered with one.</summary>
    public int? ServerCode { get; }

    /// <summary>MongoDB's name of that code, such as <c>Unauthorized</c>, where the server gave it.</summary>
    public string? ServerCodeName { get; }
}

/// <summary>A collection whose encryption schema could not be read from the server, so that commands on it may not be sent.</summary>
public sealed class ServerSchemaException : CsfleException
{
    internal ServerSchemaException(string what, string remedy, string collection, Exception? innerException = null)
        : base(CsfleErrorCode.ServerSchemaUnavailable, $"{what}.", remedy, innerException)
        => Collection = collection;

    internal ServerSchemaException(string what, string remedy, string collection, in ServerError error)
        : this(what, remedy, collection)
    {
        ServerCode = error.Code;
        ServerCodeName = error.CodeName;
    }

    /// <summary>The namespace, <c>db.collection</c>; the first where several were asked for at once.</summary>
    public override string Collection { get; }

    /// <summary>MongoDB's code of the error, where the server answered with one.</summary>
    public int? ServerCode { get; }

    /// <summary>MongoDB's name of that code, where the server gave it.</summary>
    public string? ServerCodeName { get; }
}

/// <summary>Server-side enforcement that is not in force, cannot be brought about, or whose state is not known.</summary>
public sealed class EnforcementException : CsfleException
{
    internal EnforcementException(string code, string what, string remedy, string? collection, Exception? innerException = null)
        : base(code, what.EndsWith('\n') ? what : $"{what}.", remedy, innerException)
        => Collection = collection;

    internal EnforcementException(string what, string remedy, string collection, in ServerError error)
        : this(CsfleErrorCode.EnforcementFailed, what, remedy, collection)
    {
        ServerCode = error.Code;
        ServerCodeName = error.CodeName;
    }

    /// <summary>The namespace, <c>db.collection</c>; the first where it is about several.</summary>
    public override string? Collection { get; }

    /// <summary>MongoDB's code of the error, where the server answered with one.</summary>
    public int? ServerCode { get; }

    /// <summary>MongoDB's name of that code, where the server gave it.</summary>
    public string? ServerCodeName { get; }
}

/// <summary>
/// What was to be encrypted was not, or could not be decrypted again, when it was tried with synthetic values at start-up. No
/// value of the application is involved.
/// </summary>
public sealed class EncryptionProofException : CsfleException
{
    internal EncryptionProofException(string code, string problem, string remedy, string? collection = null, string? path = null, Exception? innerException = null)
        : base(code, Describe(problem, collection, path), remedy, innerException)
    {
        Collection = collection;
        Path = path;
    }

    /// <summary>The namespace, <c>db.collection</c>, where it is about one.</summary>
    public override string? Collection { get; }

    /// <summary>The dotted path of the field, where it is about one; names that a pattern or <c>additionalProperties</c> stand for are made up.</summary>
    public override string? Path { get; }

    private static string Describe(string problem, string? collection, string? path) => (collection, path) switch
    {
        (null, _) => $"{problem}.",
        (_, null) => $"{problem} (collection '{collection}').",
        _ => $"{problem} (collection '{collection}', path '{path}').",
    };
}
