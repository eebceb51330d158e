namespace Medco.Csfle.TestServer.Storage;

/// <summary>
/// A command has to wait for another: for the end of a transaction, or for something to happen that it can tell. It is run again
/// then, so that it is thrown before anything is changed that a second run would change twice.
/// </summary>
/// <param name="isLimited">Whether <c>maxTimeMS</c> ends the wait with an error; otherwise the command knows its limit itself.</param>
internal sealed class NotYetException(bool isLimited) : Exception("the command has to wait")
{
    public bool IsLimited { get; } = isLimited;
}
