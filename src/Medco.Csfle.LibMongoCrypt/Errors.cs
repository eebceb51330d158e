using Medco.Csfle.Engine;

namespace Medco.Csfle;

/// <summary>
/// libmongocrypt, or what it analyses commands with, is missing or failed. Nothing was sent. A command that its query analysis
/// refused is a <see cref="QueryAnalysisException"/>, as with the managed engine.
/// </summary>
public sealed class LibMongoCryptException : CsfleException
{
    internal LibMongoCryptException(string code, string what, string remedy, Exception? innerException = null)
        : base(code, $"{what}.", remedy, innerException)
    {
    }
}
