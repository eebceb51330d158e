using System.Buffers.Binary;
using System.Globalization;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Analysis;
using Medco.Csfle.Peers;
using Xunit.Abstractions;

namespace Medco.Csfle.Interop.Tests.LibMongoCryptTests;

/// <summary>
/// Whole commands: libmongocrypt asks our query analysis as it asks mongocryptd, and encrypts what is marked. The command that
/// comes out is the engine's own: the same bytes but for random ciphertexts, and those have the same plaintext.
/// </summary>
public sealed class CommandTests : IDisposable
{
    private const int MutatedCommands = 20_000;
    private const int DefaultSeed = 1122;

    // libmongocrypt 1.7 knows these commands; of others it says so, or asks no query analysis about them.
    private static readonly string[] Commands =
        ["insert", "find", "update", "delete", "aggregate", "count", "distinct", "findAndModify", "explain", "create", "collMod", "createIndexes"];

    private readonly ITestOutputHelper _output;
    private readonly SharedKeyVault _shared = new();
    private readonly IReadOnlyList<AnalysisCase> _cases = [.. AnalysisCase.LoadAll().Where(@case => @case.Joined.Length == 0 && @case.Allow.Length == 0)];
    private readonly Dictionary<string, (CsfleEngine Engine, LibMongoCrypt Peer)> _sides = new(StringComparer.Ordinal);

    public CommandTests(ITestOutputHelper output)
    {
        _output = output;
        if (LibMongoCrypt.MissingReason is not null) return;
        using var peer = _shared.NewLibMongoCrypt();
        foreach (var id in new[] { "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444" })
        {
            _shared.Insert(WithId(peer.CreateDataKey([$"key {id[0]}"]), Guid.Parse(id)));
        }
    }

    public void Dispose()
    {
        foreach (var (_, peer) in _sides.Values) peer.Dispose();
        _shared.Dispose();
    }

    [LibMongoCryptFact]
    public void Every_case_that_the_engine_encrypts_libmongocrypt_encrypts_alike()
    {
        var results = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var @case in _cases) Compare(@case.Schema, ExtendedJson.ToBson(@case.Command), @case.ToString(), results);
        Report(results);
        Assert.InRange(results.Where(result => result.Key.StartsWith("encrypted", StringComparison.Ordinal)).Sum(result => result.Value), 150, int.MaxValue);
        Assert.All(new[] { "insert", "find", "update", "aggregate", "delete", "count", "distinct", "findAndModify" }, name => Assert.Contains($"encrypted {name}", results.Keys));
    }

    [LibMongoCryptFact]
    public void Thousands_of_generated_commands_come_out_alike()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("CSFLE_FUZZ_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : DefaultSeed;
        var random = new Random(seed);
        var commands = _cases.Select(@case => ExtendedJson.ToBson(@case.Command)).ToArray();
        var encrypting = Enumerable.Range(0, commands.Length).Where(index => _cases[index].Expect.Contains("$encrypted", StringComparison.Ordinal)).ToArray();
        var mutation = new CommandMutation(commands);
        var results = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < MutatedCommands; i++)
        {
            var index = encrypting[random.Next(encrypting.Length)];
            Compare(_cases[index].Schema, mutation.Of(commands[index], random), $"seed {seed}, number {i}", results);
        }

        _output.WriteLine($"seed {seed}");
        Report(results);
        Assert.InRange(results.Where(result => result.Key.StartsWith("encrypted", StringComparison.Ordinal)).Sum(result => result.Value), 2_000, int.MaxValue);
    }

    // What the engine refuses is not sent to libmongocrypt, which would ask the same analysis.
    private void Compare(string schema, byte[] command, string name, SortedDictionary<string, int> results)
    {
        var (engine, peer) = SidesFor(schema);
        string commandName;
        byte[] ours;
        try
        {
            BsonValidator.Validate(command);
            commandName = NameOf(command);
            if (!Commands.Contains(commandName))
            {
                Count(results, "not a command of both");
                return;
            }

            ours = engine.EncryptCommand("db", command).ToArray();
        }
        catch (CsfleException exception)
        {
            Count(results, $"refused {exception.Code}");
            return;
        }

        byte[] theirs;
        try
        {
            theirs = peer.EncryptCommand("db", WithDatabase(command));
        }
        catch (LibMongoCryptException exception)
        {
            // It refuses more than the engine does, and never anything else.
            Count(results, $"refused by libmongocrypt alone: {exception.Message}");
            return;
        }

        catch (CsfleException exception)
        {
            // This libmongocrypt hands over one schema; of other collections in the same command query analysis then knows nothing.
            Assert.True(exception.Code == CsfleErrorCode.CommandNotSupported && exception.Message.Contains("whose encryption schema is not known", StringComparison.Ordinal), $"{name}: {exception.Message}");
            Count(results, "names collections whose schemas libmongocrypt does not hand over");
            return;
        }

        try
        {
            AssertAlike(new BsonReader(WithDatabase(ours)), new BsonReader(theirs), engine, peer);
            foreach (var encrypted in new[] { ours, theirs })
            {
                if (CutOffAtNul.IsIn(new BsonReader(encrypted))) continue;
                Assert.Equal(OrNothing(() => peer.DecryptReply(encrypted)), OrNothing(() => engine.DecryptReply(encrypted).ToArray()));
            }
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(
                $"{name}: {ExtendedJson.ToJson(command)}\nours   {ExtendedJson.ToJson(ours)}\ntheirs {ExtendedJson.ToJson(theirs)}\nhex {Convert.ToHexString(command)}", exception);
        }

        Count(results, ours.AsSpan().SequenceEqual(command) ? $"unchanged {commandName}" : $"encrypted {commandName}");
    }

    // Commands hold ciphertexts of their own too, some under keys that nobody has.
    private static byte[]? OrNothing(Func<byte[]> decrypt)
    {
        try
        {
            return decrypt();
        }
        catch (Exception exception) when (exception is CsfleException or LibMongoCryptException)
        {
            return null;
        }
    }

    private static void AssertAlike(BsonReader ours, BsonReader theirs, CsfleEngine engine, LibMongoCrypt peer)
    {
        while (true)
        {
            var more = ours.Read();
            Assert.Equal(more, theirs.Read());
            if (!more) return;
            Assert.Equal(ours.Name.ToArray(), theirs.Name.ToArray());
            Assert.Equal(ours.Type, theirs.Type);
            if (ours.Type is BsonType.Document or BsonType.Array)
            {
                AssertAlike(ours.ReadDocument(), theirs.ReadDocument(), engine, peer);
            }
            else if (ours.Type == BsonType.Binary && IsRandomCiphertext(ours) && IsRandomCiphertext(theirs) && !ours.Value.SequenceEqual(theirs.Value))
            {
                Assert.Equal(ours.Value[..(sizeof(int) + 1 + Ciphertext.HeaderLength)].ToArray(), theirs.Value[..(sizeof(int) + 1 + Ciphertext.HeaderLength)].ToArray());
                var (one, other) = (Alone(ours), Alone(theirs));
                Assert.Equal(peer.Decrypt(one), engine.Decrypt(other));
            }
            else
            {
                Assert.Equal(ours.Value.ToArray(), theirs.Value.ToArray());
            }
        }
    }

    private static bool IsRandomCiphertext(in BsonReader element)
    {
        var bytes = element.GetBinary(out var subtype);
        return subtype == BinarySubtype.Encrypted && bytes.Length > 0 && bytes[0] == (byte)CsfleAlgorithm.Random;
    }

    private static byte[] Alone(in BsonReader element)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteRaw(element.Type, "v"u8, element.Value);
        writer.EndDocument();
        return writer.ToArray();
    }

    private (CsfleEngine Engine, LibMongoCrypt Peer) SidesFor(string schema)
    {
        if (_sides.TryGetValue(schema, out var sides)) return sides;
        var parsed = EncryptionSchema.Parse(schema);
        using var map = new BsonWriter();
        map.StartDocument();
        map.WriteDocument("db.coll"u8, parsed.ToBson());
        map.EndDocument();
        sides = (new CsfleEngine(_shared.Vault, [new("db.coll", parsed)]), _shared.NewLibMongoCrypt(map.ToArray(), Analyze));
        return _sides[schema] = sides;
    }

    // Before some commands libmongocrypt asks how new mongocryptd is.
    private static byte[] Analyze(byte[] request)
        => NameOf(request) == "isMaster" ? ExtendedJson.ToBson("""{"ok": 1, "maxWireVersion": 21}""") : MarkingReply.For("db", request);

    // libmongocrypt adds $db to what it hands to query analysis and leaves it there, at the end.
    private static byte[] WithDatabase(byte[] command)
    {
        using var writer = new BsonWriter(command.Length + 16);
        writer.StartDocument();
        var reader = new BsonReader(command);
        while (reader.Read())
        {
            if (!reader.Name.SequenceEqual("$db"u8)) writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        }

        writer.WriteString("$db"u8, "db"u8);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] WithId(byte[] keyDocument, Guid id)
    {
        using var writer = new BsonWriter(keyDocument.Length);
        writer.StartDocument();
        var reader = new BsonReader(keyDocument);
        while (reader.Read())
        {
            if (reader.Name.SequenceEqual("_id"u8)) writer.WriteUuid("_id"u8, id);
            else writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        }

        writer.EndDocument();
        return writer.ToArray();
    }

    private static string NameOf(byte[] command)
    {
        var reader = new BsonReader(command);
        return reader.Read() ? reader.GetName() : "";
    }

    private static void Count(SortedDictionary<string, int> results, string result) => results[result] = results.GetValueOrDefault(result) + 1;

    private void Report(SortedDictionary<string, int> results)
    {
        foreach (var (result, count) in results) _output.WriteLine($"{count,6} {result}");
    }
}
