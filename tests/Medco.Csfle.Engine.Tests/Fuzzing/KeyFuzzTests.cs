using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Tests.Analysis;
using Medco.Csfle.Engine.Tests.KeyVault;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>What a key vault holds, and what is asked of it.</summary>
public sealed class KeyFuzzTests(ITestOutputHelper output) : IDisposable
{
    private static readonly DataKeyDocument[] Keys =
    [
        TestKeys.New(), TestKeys.New("one"), TestKeys.New("two", "three"),
        DataKeyDocument.Create(Guid.NewGuid(), ["local"], new byte[160], DateTimeOffset.UnixEpoch, ExtendedJson.ToBson("""{"provider": "local"}""")),
        DataKeyDocument.Create(Guid.NewGuid(), [], new byte[96], DateTimeOffset.UnixEpoch, ExtendedJson.ToBson("""{"provider": "azure", "keyVaultEndpoint": "v.example", "keyName": "k", "keyVersion": "1"}""")),
        DataKeyDocument.Create(Guid.NewGuid(), [], new byte[96], DateTimeOffset.UnixEpoch, ExtendedJson.ToBson("""{"provider": "kmip", "keyId": "1", "delegated": true}""")),
    ];

    private static readonly byte[][] Documents = [.. Keys.Select(key => key.ToBson())];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_document_is_taken_as_it_is_or_refused()
    {
        var mutation = new CommandMutation(Documents);
        var corpus = new Corpus(Documents);
        new FuzzTarget("Key documents", output).Run(
            random => random.Next(2) == 0 ? corpus.Damaged(random) : mutation.Of(Documents[random.Next(Documents.Length)], random),
            bytes =>
            {
                Assert.Equal(bytes, DataKeyDocument.Parse(bytes).ToBson());
                return true;
            });
    }

    [Fact]
    public void A_key_vault_file_is_read_or_said_to_be_damaged_and_never_written_over()
    {
        var path = _folder.PathOf("keys.json");
        var all = KeyCollection.Of(Keys);
        var corpus = new Corpus(
            FileKeyVaultStore.Format(all, ExtendedJsonMode.Relaxed),
            FileKeyVaultStore.Format(all, ExtendedJsonMode.Canonical),
            FileKeyVaultStore.Format(KeyCollection.Of(Keys[..1]), ExtendedJsonMode.Relaxed),
            Encoding.UTF8.GetBytes("[]"));
        var store = new FileKeyVaultStore(path);
        var added = TestKeys.New("added");
        new FuzzTarget("Key vault files", output) { InSuite = 1_000, BytesPerByte = 500 }.Run(corpus.Damaged, content =>
        {
            File.WriteAllBytes(path, content);
            IReadOnlyList<DataKeyDocument> found;
            try
            {
                found = store.List();
            }
            catch (KeyVaultException)
            {
                Assert.Throws<KeyVaultException>(() => store.Insert(added));
                Assert.Equal(content, File.ReadAllBytes(path));
                throw;
            }

            store.Insert(added);
            Assert.Equal(found.Select(key => key.Id).Append(added.Id).Order(), store.List().Select(key => key.Id).Order());
            return found.Count > 0;
        });
    }

    [Fact]
    public void A_filter_over_keys_is_understood_or_refused()
    {
        byte[][] filters =
        [
            KeyFilter.ById(Keys[0].Id), KeyFilter.ByName("one"),
            ExtendedJson.ToBson("""{"$or": [{"masterKey.provider": "aws"}, {"$and": [{"keyAltNames": {"$in": ["one", null]}}, {"$nor": [{"status": {"$ne": 0}}]}]}]}"""),
            ExtendedJson.ToBson("""{"creationDate": {"$lte": {"$date": "2030-01-01T00:00:00Z"}, "$exists": true}, "masterKey": {"$nin": [{"provider": "local"}]}}"""),
        ];
        var mutation = new CommandMutation(filters);
        var corpus = new Corpus(filters);
        new FuzzTarget("Filters over keys", output) { BytesPerByte = 500 }.Run(
            random => random.Next(4) == 0 ? corpus.Damaged(random) : mutation.Of(filters[random.Next(filters.Length)], random),
            bytes => KeyCollection.Of(Keys).Matching(KeyFilter.Parse(bytes)).Count > 0);
    }
}
