using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Medco.Csfle.Engine;

/// <summary>
/// What this library measures and traces, under one name: <c>AddMeter(CsfleTelemetry.Name)</c> and
/// <c>AddSource(CsfleTelemetry.Name)</c> in OpenTelemetry. Where nobody listens, nothing is measured and no clock is read.
/// </summary>
/// <remarks>
/// <para>Tags carry names, ids and codes; never a value. <c>error.type</c> is a code of <see cref="CsfleErrorCode"/>, or the
/// type of an exception that is none of this library's.</para>
/// <list type="table">
/// <item><term><c>medco.csfle.commands</c></term><description>counter: commands that values were encrypted in, or, with
/// <c>error.type</c>, that were not sent; <c>db.operation.name</c>, <c>db.namespace</c>, <c>db.collection.name</c>.</description></item>
/// <item><term><c>medco.csfle.encrypted_values</c></term><description>counter: values encrypted.</description></item>
/// <item><term><c>medco.csfle.decrypted_replies</c></term><description>counter: replies, and single values, in which ciphertexts were decrypted, or, with <c>error.type</c>, were not.</description></item>
/// <item><term><c>medco.csfle.encryption.duration</c></term><description>histogram, seconds: analysis and encryption of a command that values were encrypted in, without the time that its data keys took.</description></item>
/// <item><term><c>medco.csfle.key_cache.lookups</c></term><description>counter: data keys asked for; <c>medco.csfle.cache.result</c> is <c>hit</c> or <c>miss</c>.</description></item>
/// <item><term><c>medco.csfle.key_fetch.duration</c></term><description>histogram, seconds: keys fetched from the key vault and unwrapped.</description></item>
/// <item><term><c>medco.csfle.kms.duration</c></term><description>histogram, seconds: one request to a KMS with all its attempts; <c>medco.csfle.kms.provider</c>, <c>medco.csfle.kms.operation</c>.</description></item>
/// </list>
/// <para>Activities: <c>csfle.start</c>, <c>csfle.fetch_keys</c>, <c>csfle.kms.wrap</c>, <c>csfle.kms.unwrap</c>, <c>csfle.rewrap</c>.</para>
/// </remarks>
public static class CsfleTelemetry
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Medco.Csfle";

    internal const string ErrorType = "error.type";

    private static readonly string? Version = typeof(CsfleTelemetry).Assembly.GetName().Version?.ToString(3);
    private static readonly Meter Meter = new(Name, Version);

    internal static readonly ActivitySource Activities = new(Name, Version);

    internal static readonly Counter<long> Commands = Meter.CreateCounter<long>("medco.csfle.commands", "{command}", "Commands that values were encrypted in, or that were not sent.");

    internal static readonly Counter<long> EncryptedValues = Meter.CreateCounter<long>("medco.csfle.encrypted_values", "{value}", "Values encrypted.");

    internal static readonly Counter<long> DecryptedReplies = Meter.CreateCounter<long>("medco.csfle.decrypted_replies", "{reply}", "Replies that ciphertexts were decrypted in, or could not be.");

    internal static readonly Histogram<double> EncryptionDuration = Meter.CreateHistogram<double>("medco.csfle.encryption.duration", "s", "Analysis and encryption of a command, without fetching data keys.");

    internal static readonly Counter<long> KeyCacheLookups = Meter.CreateCounter<long>("medco.csfle.key_cache.lookups", "{key}", "Data keys asked for.");

    internal static readonly Histogram<double> KeyFetchDuration = Meter.CreateHistogram<double>("medco.csfle.key_fetch.duration", "s", "Data keys fetched from the key vault and unwrapped.");

    internal static readonly Histogram<double> KmsDuration = Meter.CreateHistogram<double>("medco.csfle.kms.duration", "s", "Requests to a KMS, with all their attempts.");

    /// <summary>What <c>error.type</c> says of an exception.</summary>
    internal static string TypeOf(Exception exception) => exception is CsfleException { Code: { } code } ? code : exception.GetType().FullName!;
}
