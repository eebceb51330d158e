namespace Medco.Csfle.TestServer.Protocol;

/// <summary>A message that is not one. Its sender is told, and the connection is closed.</summary>
internal sealed class ProtocolException(string message) : Exception(message);
