namespace Medco.Csfle.TestServer;

/// <summary>A command as it reached the server, for tests that ask what was in it.</summary>
/// <param name="Database">The database it runs in.</param>
/// <param name="Name">The command's name.</param>
/// <param name="Bytes">The command as one BSON document; document sequences are folded in as arrays.</param>
public sealed record ReceivedCommand(string Database, string Name, ReadOnlyMemory<byte> Bytes);
