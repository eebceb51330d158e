using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

public class MasterKeyDocumentTests
{
    [VectorFact]
    internal void Reads_what_libmongocrypt_reads_and_refuses_what_it_refuses()
    {
        var document = ExtendedJson.ToBson($"{{\"cases\": {OfficialVectors.ReadText("libmongocrypt/kek-tests.json")}}}");
        var outer = new BsonReader(document);
        outer.Read();
        var cases = outer.ReadDocument();
        var count = 0;
        while (cases.Read())
        {
            var input = cases.ReadDocument();
            Assert.True(input.ReadTo("input"u8));
            var bytes = input.Value.ToArray();
            var expect = cases.ReadDocument();
            Assert.True(expect.ReadTo("expect"u8));
            if (expect.GetString() == "ok")
            {
                MasterKeyDocument.Validate(bytes);
            }
            else
            {
                var error = Assert.Throws<DataKeyException>(() => MasterKeyDocument.Validate(bytes));
                Assert.Contains(expect.GetString(), error.Message, StringComparison.OrdinalIgnoreCase);
                Assert.Equal(CsfleErrorCode.MalformedDataKey, error.Code);
            }

            count++;
        }

        Assert.Equal(19, count);
    }

    [Theory]
    [InlineData("""{"provider": "local:Tenant_1"}""", "local:Tenant_1")]
    [InlineData("""{"provider": "aws:n", "region": "r", "key": "k"}""", "aws:n")]
    [InlineData("""{"keyId": "k", "delegated": true, "provider": "kmip"}""", "kmip")]
    public void Reads_named_providers_and_any_order(string json, string provider)
        => Assert.Equal(provider, MasterKeyDocument.Validate(ExtendedJson.ToBson(json)));

    [Theory]
    [InlineData("""{"provider": "vault"}""", "unrecognized KMS provider: vault")]
    [InlineData("""{"provider": "local:"}""", "unrecognized KMS provider: local:")]
    [InlineData("""{"provider": "local:a b"}""", "unrecognized KMS provider")]
    [InlineData("""{"provider": "LOCAL"}""", "unrecognized KMS provider")]
    [InlineData("""{"provider": 1}""", "expected UTF-8 provider")]
    [InlineData("""{"provider": "aws", "key": "k"}""", "expected UTF-8 region")]
    [InlineData("""{"provider": "aws", "key": "", "region": "r"}""", "'key' is empty")]
    [InlineData("""{"provider": "gcp", "projectId": "p"}""", "expected UTF-8 location")]
    [InlineData("""{"provider": "azure", "keyName": "k"}""", "expected endpoint keyVaultEndpoint")]
    [InlineData("""{"provider": "kmip", "delegated": "yes"}""", "expected boolean delegated")]
    [InlineData("""{"provider": "local", "provider": "local"}""", "twice")]
    public void Refuses_everything_else_and_says_what(string json, string expected)
        => Assert.Contains(expected, Assert.Throws<DataKeyException>(() => MasterKeyDocument.Validate(ExtendedJson.ToBson(json))).Message, StringComparison.Ordinal);

    [Fact]
    public void Creates_the_document_of_a_provider_and_its_fields()
    {
        Assert.Equal(ExtendedJson.ToBson("""{"provider": "local"}"""), MasterKeyDocument.Create("local", []));
        Assert.Equal(
            ExtendedJson.ToBson("""{"provider": "aws", "region": "r", "key": "k"}"""),
            MasterKeyDocument.Create("aws", ExtendedJson.ToBson("""{"region": "r", "key": "k"}""")));
        Assert.Throws<DataKeyException>(() => MasterKeyDocument.Create("aws", []));
        Assert.Throws<DataKeyException>(() => MasterKeyDocument.Create("local", ExtendedJson.ToBson("""{"provider": "local"}""")));
        Assert.Throws<BsonFormatException>(() => MasterKeyDocument.Create("local", new byte[3]));
    }
}
