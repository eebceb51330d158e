#pragma warning disable CA1812, CS0649 // A class that is only looked at.
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Properties;

/// <summary>What becomes of null in every document of a class.</summary>
public sealed class NullPolicyPropertyTests(ITestOutputHelper output) : IDisposable
{
    private readonly KeyVaultService _vault = new(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);

    public void Dispose() => _vault.Dispose();

    [Fact]
    public void Null_is_left_out_kept_or_refused_and_everything_else_comes_back()
    {
        var keyId = _vault.CreateDataKey("local");
        var schema = EncryptedModel.FromClass<Model>().ToSchema(new Dictionary<string, Guid> { ["k"] = keyId });
        var engine = new CsfleEngine(_vault, [new("db.coll", schema)]);
        var outcomes = new Dictionary<string, int>();
        Check.One(Seeded.Config(output, 1000), Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            using var given = new BsonWriter();
            using var expected = new BsonWriter();
            given.StartDocument();
            expected.StartDocument();
            var refused = WriteMembers(random, given, expected, depth: 0);
            given.EndDocument();
            expected.EndDocument();
            var insert = EngineFixture.Insert(given.ToArray());
            if (refused)
            {
                Assert.Equal(CsfleErrorCode.ValueNotEncryptable, Assert.Throws<QueryAnalysisException>(() => engine.EncryptCommand("db", insert)).Code);
            }
            else
            {
                Assert.Equal(EngineFixture.Insert(expected.ToArray()), engine.DecryptReply(engine.EncryptCommand("db", insert)).ToArray());
            }

            var outcome = refused ? "refused" : "stored";
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }));
        output.WriteLine(string.Join(", ", outcomes));
        Assert.True(outcomes["refused"] > 50 && outcomes["stored"] > 50);
    }

    // Refusals are rare, so that a document with many members is stored now and then.
    private static bool WriteMembers(Random random, BsonWriter given, BsonWriter expected, int depth)
    {
        var refused = false;
        foreach (var name in new[] { "Omitted", "Clear", "OmittedText", "ClearText", "Rejected", "Unsaid", "Plain" }.OrderBy(_ => random.Next()))
        {
            var bytes = Encoding.UTF8.GetBytes(name);
            var rejects = name is "Rejected" or "Unsaid";
            switch (random.Next(rejects ? 20 : 3))
            {
                case 0:
                    given.WriteRaw(BsonType.Null, bytes, []);
                    if (!name.StartsWith("Omitted", StringComparison.Ordinal)) expected.WriteRaw(BsonType.Null, bytes, []);
                    refused |= rejects;
                    break;
                case 1:
                    break;
                default:
                    var value = Encoding.UTF8.GetBytes($"{random.Next()}");
                    given.WriteString(bytes, value);
                    expected.WriteString(bytes, value);
                    break;
            }
        }

        if (depth == 1 || random.Next(3) == 0) return refused;
        given.StartDocument("Inner");
        expected.StartDocument("Inner");
        refused |= WriteMembers(random, given, expected, depth + 1);
        given.EndDocument();
        expected.EndDocument();
        return refused;
    }

    [DataKey("k")]
    private sealed class Model
    {
        [Deterministic(Nulls = NullPolicy.Omit)]
        public string? Omitted { get; set; }

        [Deterministic(Nulls = NullPolicy.StoreInClear)]
        public string? Clear { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public string? OmittedText { get; set; }

        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? ClearText { get; set; }

        [Random(Nulls = NullPolicy.Reject)]
        public string? Rejected { get; set; }

        [Random]
        public string? Unsaid { get; set; }

        public string? Plain { get; set; }

        public Middle? Inner { get; set; }
    }

    private sealed class Middle
    {
        [Deterministic(Nulls = NullPolicy.Omit)]
        public string? Omitted { get; set; }

        [Deterministic(Nulls = NullPolicy.StoreInClear)]
        public string? Clear { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public string? OmittedText { get; set; }

        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? ClearText { get; set; }

        [Random(Nulls = NullPolicy.Reject)]
        public string? Rejected { get; set; }

        [Random]
        public string? Unsaid { get; set; }

        public string? Plain { get; set; }
    }
}
