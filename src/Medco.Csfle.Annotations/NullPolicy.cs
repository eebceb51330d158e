namespace Medco.Csfle;

/// <summary>
/// What happens to null in a marked member. Null cannot be encrypted: CSFLE knows no ciphertext of it.
/// </summary>
/// <remarks>
/// A null inside a value that is encrypted as a whole, such as an item of a list, is part of the ciphertext and not affected.
/// Whatever is chosen, only null is: every other value of the member is encrypted or refused.
/// </remarks>
public enum NullPolicy
{
    /// <summary>What the class or the collection says; where neither says anything, <see cref="Reject"/>.</summary>
    Default,

    /// <summary>A document with null there is refused before anything is sent.</summary>
    Reject,

    /// <summary>
    /// The element is left out when a whole document is written, and reads back as the member's default. Everybody who sees the
    /// collection sees which documents have no value. An update by operator that sets null is refused, since leaving it out would
    /// keep the old value: <c>$unset</c> removes it.
    /// </summary>
    Omit,

    /// <summary>Null, and nothing else, is stored in clear. Everybody who sees the collection sees which documents have no value.</summary>
    StoreInClear,
}
