namespace Medco.Csfle.Peers;

/// <summary>libmongocrypt refused or failed.</summary>
public sealed class LibMongoCryptException(string message) : Exception(message);
