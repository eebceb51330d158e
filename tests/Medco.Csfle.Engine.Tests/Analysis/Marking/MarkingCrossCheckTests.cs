using System.Globalization;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Analysis.Marking;

/// <summary>
/// Two ways to one command: whoever encrypts each marking of a reply gets, byte for byte, the command as this engine encrypts it.
/// </summary>
public sealed class MarkingCrossCheckTests(ITestOutputHelper output)
{
    private static readonly byte[] Empty = ExtendedJson.ToBson("{}");

    [Fact]
    public void Every_analysis_case_comes_out_the_same_both_ways()
    {
        var marked = 0;
        foreach (var @case in AnalysisCase.LoadAll())
        {
            var command = MarkingRequests.Without(ExtendedJson.ToBson(@case.Command), "$db");
            var schemas = SchemasOf(@case, command);
            if (schemas is null) continue;
            var outcome = Compare(command, schemas);

            // What is refused in the cases for lack of a schema is given the empty one here.
            if (@case.Expect.StartsWith('{')) Assert.True(outcome is Outcome.Marked, @case.ToString());
            marked += outcome is Outcome.Marked ? 1 : 0;
        }

        output.WriteLine($"{marked} cases with markings");
        Assert.True(marked > 100);
    }

    [Fact]
    public void Mutated_commands_come_out_the_same_both_ways()
    {
        const int Count = 20_000;
        const int Seed = 20_311;
        var random = new Random(Seed);
        var cases = AnalysisCase.LoadAll();
        var commands = cases.Select(@case => ExtendedJson.ToBson(@case.Command)).ToArray();
        var mutation = new CommandMutation(commands);
        var outcomes = new Dictionary<Outcome, int>();
        for (var i = 0; i < Count; i++)
        {
            var number = random.Next(cases.Count);
            var command = mutation.Of(commands[number], random);
            try
            {
                BsonValidator.Validate(command);
                command = MarkingRequests.Without(command, "$db", "jsonSchema", "isRemoteSchema", "csfleEncryptionSchemas", "encryptionInformation");
                if (SchemasOf(cases[number], command) is not { } schemas) continue;
                var outcome = Compare(command, schemas);
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            }
            catch (BsonFormatException)
            {
                // Damaged beyond being a command.
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"seed {Seed}, number {i}: command {Convert.ToHexString(command)}"), e);
            }
        }

        output.WriteLine($"{Count} mutated commands, seed {Seed}: {string.Join(", ", outcomes)}");
        Assert.All([Outcome.Marked, Outcome.Unmarked, Outcome.Refused], outcome => Assert.True(outcomes.GetValueOrDefault(outcome) > 100, outcome.ToString()));
    }

    private enum Outcome
    {
        Refused,
        Unmarked,
        Marked,
    }

    // The case's schemas, and the empty one for every other collection that the command names; null where that is impossible.
    private static Dictionary<string, byte[]>? SchemasOf(AnalysisCase @case, byte[] command)
    {
        var schemas = new Dictionary<string, byte[]> { ["db.coll"] = ExtendedJson.ToBson(@case.Schema) };
        if (@case.Joined.Length > 0) schemas["db.joined"] = ExtendedJson.ToBson(@case.Joined);
        var named = CommandNamespaces.Of("db", command);
        foreach (var name in named.Created is { } created ? named.Existing.Append(created) : named.Existing)
        {
            if (name.Contains('\0', StringComparison.Ordinal)) return null;
            schemas.TryAdd(name, Empty);
        }

        return schemas;
    }

    private static Outcome Compare(byte[] command, Dictionary<string, byte[]> schemas)
    {
        var request = MarkingRequests.WithSchemas(command, schemas);
        var map = new SchemaMap([]).With(schemas.ToDictionary(entry => entry.Key, entry => (EncryptionSchema?)EncryptionSchema.Parse(entry.Value)));
        EncryptionPlan plan;
        try
        {
            plan = new CommandAnalyzer(new UnencryptedNamespaces([])).Analyze("db", command, map);
            if (map.EncryptsAnything) CallerCiphertextScan.Check(new BsonReader(command), null);
        }
        catch (CsfleException e)
        {
            Assert.Equal(e.Code, Assert.ThrowsAny<CsfleException>(() => MarkingReply.For("db", request)).Code);
            return Outcome.Refused;
        }

        var reply = MarkingReply.For("db", request);
        BsonValidator.Validate(reply);
        var result = MarkingRequests.Document(reply, "result");
        var keys = plan.Keys.Select((_, index) => new DataKey(new Guid(index, 1, 2, new byte[8]), Material(index))).ToArray();
        Assert.Equal(plan.Placeholders.Count, MarkingRequests.Markings(result).Count);
        Assert.Equal(plan.HasPlaceholders ? plan.Apply(keys, new Zeros()) : command, EncryptMarkings(result, plan.Keys.Zip(keys).ToDictionary(pair => pair.First, pair => pair.Second)));
        foreach (var key in keys) key.Dispose();
        return plan.HasPlaceholders ? Outcome.Marked : Outcome.Unmarked;
    }

    private static byte[] EncryptMarkings(byte[] document, Dictionary<KeyReference, DataKey> keys)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        EncryptMarkings(new BsonReader(document), writer, keys);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static void EncryptMarkings(BsonReader reader, BsonWriter writer, Dictionary<KeyReference, DataKey> keys)
    {
        while (reader.Read())
        {
            if (reader.Type is BsonType.Document or BsonType.Array)
            {
                if (reader.Type == BsonType.Array) writer.StartArray(reader.Name);
                else writer.StartDocument(reader.Name);
                EncryptMarkings(reader.ReadDocument(), writer, keys);
                writer.EndDocument();
            }
            else if (reader.Type == BsonType.Binary && reader.GetBinary(out var subtype) is [0, ..] marking && subtype == BinarySubtype.Encrypted)
            {
                writer.WriteBinary(reader.Name, BinarySubtype.Encrypted, Encrypt(marking[1..], keys));
            }
            else
            {
                writer.WriteRaw(reader.Type, reader.Name, reader.Value);
            }
        }
    }

    // As libmongocrypt reads a marking: a, ki or ka, v, and nothing else.
    private static byte[] Encrypt(ReadOnlySpan<byte> marking, Dictionary<KeyReference, DataKey> keys)
    {
        var reader = new BsonReader(marking);
        Assert.True(reader.Read() && reader.GetName() == "a");
        var algorithm = (CsfleAlgorithm)reader.GetInt32();
        Assert.True(reader.Read());
        KeyReference key;
        if (reader.GetName() == "ka")
        {
            key = KeyReference.ByName(reader.GetString());
        }
        else
        {
            Assert.Equal("ki", reader.GetName());
            key = KeyReference.ById(new Guid(reader.GetBinary(out var subtype), bigEndian: true));
            Assert.Equal(BinarySubtype.Uuid, subtype);
        }

        Assert.True(reader.Read() && reader.GetName() == "v");
        var ciphertext = new byte[Ciphertext.LengthFor(reader.Value.Length)];
        keys[key].Encrypt(algorithm, reader.Type, reader.Value, new byte[AeadKey.IvLength], ciphertext);
        Assert.False(reader.Read());
        return ciphertext;
    }

    private static byte[] Material(int index)
    {
        var material = new byte[AeadKey.KeyLength];
        Array.Fill(material, (byte)(index + 1));
        return material;
    }

    private sealed class Zeros : IRandomSource
    {
        public void Fill(Span<byte> destination) => destination.Clear();
    }
}
