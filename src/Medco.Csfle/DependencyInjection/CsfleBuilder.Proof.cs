namespace Medco.Csfle;

public sealed partial class CsfleBuilder
{
    internal const string DefaultCanarySuffix = ".csfle_canary";

    /// <summary>
    /// Lets the start-up write synthetic documents to the server through an encrypted client, look at them through one that does
    /// not decrypt, read them back and remove them. The application does not start when one of them is not stored as the schema
    /// says. Without it, the start-up proves the same of the bytes about to be sent, and writes nothing.
    /// </summary>
    /// <remarks>
    /// <para>Each registered collection gets a canary collection of its own beside it, with the same encryption schema and without
    /// its validator, so that nobody who reads the real one ever meets such a document. It is created by the first write and stays,
    /// empty. Documents that a crash leaves behind hold random values only; their <c>_id</c> (where that is encrypted, their
    /// <c>csfleCanary</c>) begins with <c>csfle-canary-</c>.</para>
    /// <para>It needs the rights to insert into the canary collections, to find and to remove there.</para>
    /// </remarks>
    /// <param name="suffix">What the canary collection's name adds to that of the collection.</param>
    public CsfleBuilder UseCanary(string suffix = DefaultCanarySuffix)
    {
        ArgumentException.ThrowIfNullOrEmpty(suffix);
        _options.CanarySuffix = suffix;
        return this;
    }
}
