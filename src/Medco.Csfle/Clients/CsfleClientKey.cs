namespace Medco.Csfle;

/// <summary>The service key of a client of a named registration. Being a type of its own, it meets no key of the application.</summary>
/// <param name="Registration">The name given to <c>AddCsfle</c>.</param>
/// <param name="IsEncrypted">Whether it is the client that encrypts and decrypts.</param>
public sealed record CsfleClientKey(string Registration, bool IsEncrypted)
{
    /// <inheritdoc/>
    public override string ToString() => $"{(IsEncrypted ? "encrypted" : "unencrypted")} client of AddCsfle(\"{Registration}\")";
}
