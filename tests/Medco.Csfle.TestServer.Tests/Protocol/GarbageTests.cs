using System.Net.Sockets;
using FsCheck;
using FsCheck.Fluent;

namespace Medco.Csfle.TestServer.Tests.Protocol;

/// <summary>Whatever bytes come in, the server answers or hangs up, and goes on serving the others.</summary>
public sealed class GarbageTests : IDisposable
{
    private static readonly byte[][] Seeds =
    [
        RawClient.Msg(0, RawClient.Body("{'find': 'c', 'filter': {'a': {'$in': [1, 'x']}}, 'sort': {'a': 1}, 'projection': {'a.b': 1}, '$db': 'test'}")),
        RawClient.Msg(0, RawClient.Body("{'insert': 'c', '$db': 'test'}"), RawClient.Sequence("documents", "{'a': {'b': [1, {'c': 'x'}]}}", "{'_id': 7}")),
        RawClient.Msg(0, RawClient.Body("{'create': 'd', 'validator': {'$jsonSchema': {'properties': {'a': {'encrypt': {'bsonType': 'int'}}}}}, '$db': 'test'}")),
        RawClient.Msg(0, RawClient.Body("{'getMore': {'$numberLong': '5'}, 'collection': 'c', '$db': 'test', 'lsid': {'id': {'$uuid': '00112233-4455-6677-8899-aabbccddeeff'}}}")),
        RawClient.MsgWithChecksum(RawClient.Body("{'ping': 1, '$db': 'test'}")),
        RawClient.Query("admin.$cmd", "{'isMaster': 1, 'client': {'application': {'name': 'x'}}}"),
    ];

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Random_bytes_do_not_bring_the_server_down()
        => Check.One(Config.QuickThrowOnFailure.WithMaxTest(150), Prop.ForAll<byte[]>(bytes => Survives(bytes)));

    [Fact]
    public void Random_content_behind_a_proper_header_does_not_bring_the_server_down()
        => Check.One(Config.QuickThrowOnFailure.WithMaxTest(150), Prop.ForAll<byte[], bool>((bytes, isQuery) =>
            Survives(RawClient.Message(isQuery ? 2004 : 2013, bytes))));

    [Fact]
    public void Messages_with_a_few_bytes_changed_do_not_bring_the_server_down()
    {
        var mutants =
            from seed in Gen.Elements(Seeds)
            from changes in Gen.ListOf(Gen.Choose(4, seed.Length - 1).Zip(Gen.Choose(0, 255)))
            select changes.Take(4).Aggregate((byte[])seed.Clone(), (bytes, change) =>
            {
                bytes[change.Item1] = (byte)change.Item2;
                return bytes;
            });
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Arb.From(mutants), bytes => Survives(bytes)));
    }

    private bool Survives(byte[] bytes)
    {
        using (var client = new RawClient(_server))
        {
            try
            {
                client.Send(bytes);
                client.EndSending();
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Hung up on while still sending.
            }

            // Reads whatever answer there is; a server that neither answers nor hangs up runs into the time limit.
            while (!client.IsClosed())
            {
            }
        }

        using var other = new RawClient(_server);
        return Bson.Json(other.RoundTrip("{'ping': 1, '$db': 'test'}")) == "{'ok': 1.0}";
    }
}
