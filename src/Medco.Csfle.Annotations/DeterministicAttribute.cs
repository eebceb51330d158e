namespace Medco.Csfle;

/// <summary>
/// Encrypts a member so that it can still be searched for equal values: the same value under the same key always becomes the
/// same ciphertext.
/// </summary>
/// <remarks>
/// <para>
/// <b>What it protects.</b> The value is encrypted before it leaves the process (AEAD_AES_256_CBC_HMAC_SHA_512 with the
/// initialization vector derived from the value): servers, backups, administrators and the network see ciphertext, and a
/// changed ciphertext is not accepted.
/// </para>
/// <para>
/// <b>What it leaks.</b> Equality. Everybody who sees the collection sees which documents share a value and how often each
/// value occurs; where there are few possible values (a blood type, a yes or no) that is often enough to guess them. Use it for
/// values of high cardinality that must be found, such as numbers of persons or policies, and <see cref="RandomAttribute"/>
/// for all others. The BSON type, the length up to a block of 16 bytes and the id of the data key are visible too.
/// </para>
/// <para>
/// <b>What it forbids.</b> Only equality works on the member: <c>$eq</c>, <c>$ne</c>, <c>$in</c>, <c>$nin</c>, inside
/// <c>$and</c>, <c>$or</c> and <c>$nor</c>, and <c>$exists</c>. Ranges, regular expressions, <c>$type</c>, <c>$size</c>,
/// <c>$mod</c> and comparison with null are refused; a sort follows the ciphertext, so it is refused as well. The
/// value must be exactly of the member's BSON type, which must be one of string, int, long, date, objectId, binData, regex,
/// timestamp, javascript, symbol and dbPointer: <c>double</c>, <c>decimal</c>, <c>bool</c>, arrays, dictionaries and whole
/// documents cannot be deterministic, and null cannot be encrypted at all. A collation does not reach into ciphertext: "Doe"
/// and "doe" are different values. Members of the elements of an array cannot be encrypted one by one. It cannot be combined
/// with <see cref="RandomAttribute"/>, and its data key is fixed by <see cref="DataKeyAttribute"/>.
/// </para>
/// <para>
/// Overriding properties inherit it. On the parameter of a positional record write <c>[property: Deterministic]</c>; without
/// the prefix the compiler refuses it.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// public class Insurance
/// {
///     [Deterministic] public int PolicyNumber { get; set; }   // found by number, stored as ciphertext
///     public string Provider { get; set; }                    // stays in clear
/// }
/// </code>
/// </example>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, AllowMultiple = false, Inherited = true)]
public sealed class DeterministicAttribute : Attribute
{
    /// <summary>What happens to null, which cannot be encrypted.</summary>
    public NullPolicy Nulls { get; set; }
}
