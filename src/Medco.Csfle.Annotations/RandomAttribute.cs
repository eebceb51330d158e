namespace Medco.Csfle;

/// <summary>
/// Encrypts a member with fresh randomness every time: the same value becomes another ciphertext at every write. The stronger
/// of the two algorithms, for members that are never searched for.
/// </summary>
/// <remarks>
/// <para>
/// <b>What it protects.</b> The value is encrypted before it leaves the process (AEAD_AES_256_CBC_HMAC_SHA_512 with a random
/// initialization vector): servers, backups, administrators and the network see ciphertext from which not even equal values can
/// be told, and a changed ciphertext is not accepted. Arrays and documents are encrypted as a whole, names of fields included.
/// </para>
/// <para>
/// <b>What it leaks.</b> The BSON type, the length up to a block of 16 bytes (so roughly how long a list is), the id of the data
/// key, and whether the field is there at all.
/// </para>
/// <para>
/// <b>What it forbids.</b> No query on the member but <c>$exists</c>; no sort, group or distinct. Store another field beside it
/// where documents must be found (the last four digits, say), and mind what that one leaks. A unique index on the member
/// guarantees nothing. The BSON types null, undefined, minKey and maxKey cannot be encrypted; all others
/// can. Members of the elements of an array cannot be encrypted one by one: mark the array. Nothing below a marked member may be
/// marked again. It cannot be combined with <see cref="DeterministicAttribute"/>.
/// </para>
/// <para>
/// Overriding properties inherit it. On the parameter of a positional record write <c>[property: Random]</c>; without the prefix
/// the compiler refuses it.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// [Random] public string BloodType { get; set; }
/// [Random] public List&lt;MedicalRecord&gt; MedicalRecords { get; set; }     // the whole array, one ciphertext
///
/// public string OwnerKey { get; set; }                                 // stored as ownerKey, in clear
/// [Random(KeyField = "/ownerKey")] public string Diary { get; set; }   // under the key that this document names
/// </code>
/// </example>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, AllowMultiple = false, Inherited = true)]
public sealed class RandomAttribute : Attribute
{
    /// <summary>
    /// Where each document names its own data key: a JSON pointer, from the root of the stored document, to the field that holds
    /// the key alternate name, such as <c>/ownerKey</c> or <c>/owner/key</c>. Null, the default, takes the key from
    /// <see cref="DataKeyAttribute"/>.
    /// </summary>
    /// <remarks>
    /// It uses names as they are stored (<c>ownerKey</c>, not <c>OwnerKey</c>), begins with <c>/</c>, and writes <c>~</c> as
    /// <c>~0</c> and <c>/</c> within a name as <c>~1</c>. The field it points to stays in clear, must itself not be encrypted, and
    /// must be a string in every document that is written; a document without it is refused. Updates by operator cannot write
    /// such a member, because they do not carry the field. Deleting one person's key erases that person's values and nobody
    /// else's. The pointer is checked when the application starts, with all other marks of the class.
    /// </remarks>
    public string? KeyField { get; set; }

    /// <summary>What happens to null, which cannot be encrypted.</summary>
    public NullPolicy Nulls { get; set; }
}
