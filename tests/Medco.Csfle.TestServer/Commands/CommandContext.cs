using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>What a command works on.</summary>
/// <param name="Database">The database it runs in.</param>
/// <param name="Arguments">Its fields.</param>
/// <param name="Catalog">The collections of all databases.</param>
/// <param name="Cursors">The open cursors.</param>
/// <param name="FailCommand">The fail point.</param>
/// <param name="ConnectionId">The number of the connection it came on; 0 where it came on none.</param>
/// <param name="Reply">Where it writes the fields of its reply; <c>ok</c> is written for it.</param>
internal sealed record CommandContext(
    string Database, CommandArguments Arguments, Catalog Catalog, CursorTable Cursors, FailCommand FailCommand, int ConnectionId, BsonWriter Reply);

/// <summary>One command of this server.</summary>
/// <param name="Name">Its name, case-sensitive.</param>
/// <param name="Run">Runs it; an error is a <see cref="ServerException"/>.</param>
internal sealed record CommandDefinition(string Name, Action<CommandContext> Run)
{
    public bool TakesReadConcern { get; init; }

    public bool TakesWriteConcern { get; init; }
}
