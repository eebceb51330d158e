namespace Medco.Csfle;

/// <summary>
/// Names the data encryption key of one encrypted member, or of all encrypted members of a class.
/// </summary>
/// <remarks>
/// <para>
/// On a class or struct the name holds for every marked member in it and in the classes nested in it, unless one of them, or a
/// member, names another: the nearest name counts. In the encryption schema it becomes <c>encryptMetadata.keyId</c> at that
/// level. On a property or field it becomes the <c>keyId</c> of that member, or, where the member holds a document of a class
/// with marked members, of that whole document. Derived classes and overriding properties inherit it.
/// </para>
/// <para>
/// <b>What it protects.</b> Who cannot unwrap the key cannot read the member. Deleting the key makes everything encrypted
/// under it unreadable for good, which is the way to erase, so a key per purpose or per tenant limits what one lost or deleted
/// key costs.
/// </para>
/// <para>
/// <b>What it leaks.</b> The key's name is stored in clear in the key vault, and every ciphertext begins with the key's id:
/// all can see which values share a key. Do not put a person's name or number into the name of a key.
/// </para>
/// <para>
/// <b>What it forbids.</b> The key must exist in the key vault when the application starts: an unknown name stops the start-up.
/// Deterministic members that are to be compared with one another must share a key. It excludes
/// <see cref="RandomAttribute.KeyField"/>, which names a key per document, on the same member.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// [EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
/// public class Patient
/// {
///     [Deterministic] public int Ssn { get; set; }                          // under medco-patients
///     [Random, DataKey("medco-notes")] public string Note { get; set; }     // under a key of its own
/// }
/// </code>
/// </example>
[AttributeUsage(
    AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Property | AttributeTargets.Field,
    AllowMultiple = false,
    Inherited = true)]
public sealed class DataKeyAttribute : Attribute
{
    /// <summary>Names the key.</summary>
    /// <param name="keyAltName">
    /// The key alternate name: one of the strings in <c>keyAltNames</c> of the key's document in the key vault, compared exactly.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="keyAltName"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="keyAltName"/> is empty or blank.</exception>
    public DataKeyAttribute(string keyAltName)
    {
        if (keyAltName is null) throw new ArgumentNullException(nameof(keyAltName));
        if (string.IsNullOrWhiteSpace(keyAltName))
        {
            throw new ArgumentException(
                "A data key needs a name. Write [DataKey(\"name\")] with one of the key's alternate names in the key vault.",
                nameof(keyAltName));
        }

        KeyAltName = keyAltName;
    }

    /// <summary>The key alternate name, as it stands in the key vault.</summary>
    public string KeyAltName { get; }
}
