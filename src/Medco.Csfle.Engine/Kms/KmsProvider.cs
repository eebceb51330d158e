namespace Medco.Csfle.Engine.Kms;

/// <summary>The names of KMS providers: a type, or a type and a name: <c>type:name</c>.</summary>
internal static class KmsProvider
{
    public const string Local = "local";
    public const string Aws = "aws";
    public const string Azure = "azure";
    public const string Gcp = "gcp";
    public const string Kmip = "kmip";

    /// <summary>The type of a provider.</summary>
    /// <returns>False for an unknown type and for a name with other characters than letters, digits and underscores.</returns>
    public static bool TryGetType(string provider, out string type)
    {
        var colon = provider.IndexOf(':');
        type = colon < 0 ? provider : provider[..colon];
        return type is Local or Aws or Azure or Gcp or Kmip && (colon < 0 || IsName(provider.AsSpan(colon + 1)));
    }

    /// <summary>Whether that may stand behind the colon.</summary>
    public static bool IsName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        }

        return !name.IsEmpty;
    }
}
