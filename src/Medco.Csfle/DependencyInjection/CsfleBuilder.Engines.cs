using Medco.Csfle.Clients;

namespace Medco.Csfle;

public sealed partial class CsfleBuilder
{
    /// <summary>
    /// Which engine encrypts for the clients of <see cref="ICsfleClientFactory.CreateEncryptedClient()"/>. Where nothing is
    /// said it is libmongocrypt if that was set up, and the managed engine otherwise. The other one stays there for
    /// <see cref="ICsfleClientFactory.CreateEncryptedClient(CsfleEngineKind)"/>.
    /// </summary>
    /// <param name="engine">The engine.</param>
    public CsfleBuilder UseEngine(CsfleEngineKind engine)
    {
        _options.DefaultEngine = engine;
        return this;
    }

    internal CsfleBuilder Use(OfficialEngine engine)
    {
        _options.OfficialEngine = engine;
        return this;
    }
}
