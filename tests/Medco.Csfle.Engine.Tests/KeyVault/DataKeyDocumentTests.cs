using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

public class DataKeyDocumentTests
{
    private const string Valid =
        """
        {"_id": {"$uuid": "61616161-6161-6161-6161-616161616161"}, "keyAltNames": ["a", "b"], "keyMaterial": {"$binary": {"base64": "AQID", "subType": "00"}},
         "creationDate": {"$date": {"$numberLong": "1"}}, "updateDate": {"$date": {"$numberLong": "2"}}, "status": 1, "masterKey": {"provider": "local"}, "version": 0}
        """;

    [Fact]
    public void Reads_every_field_and_keeps_the_bytes()
    {
        var bson = ExtendedJson.ToBson(Valid);
        var key = DataKeyDocument.Parse(bson);
        Assert.Equal(Guid.Parse("61616161-6161-6161-6161-616161616161"), key.Id);
        Assert.Equal(["a", "b"], key.KeyAltNames);
        Assert.Equal([1, 2, 3], key.KeyMaterial.ToArray());
        Assert.Equal(1, key.CreationDate);
        Assert.Equal(2, key.UpdateDate);
        Assert.Equal(1, key.Status);
        Assert.Equal("local", key.Provider);
        Assert.Equal(ExtendedJson.ToBson("""{"provider": "local"}"""), key.MasterKey.ToArray());
        Assert.Equal(bson, key.ToBson());
        Assert.Equal("data key 61616161-6161-6161-6161-616161616161 'a', 'b' (local)", key.ToString());
    }

    [Fact]
    public void Does_not_change_with_the_bytes_it_was_read_from_or_gave_away()
    {
        var bson = ExtendedJson.ToBson(Valid);
        var key = DataKeyDocument.Parse(bson);
        Array.Clear(bson);
        Array.Clear(key.ToBson());
        Assert.Equal(ExtendedJson.ToBson(Valid), key.ToBson());
        Assert.Equal([1, 2, 3], key.KeyMaterial.ToArray());
    }

    [Fact]
    public void A_new_one_has_the_shape_that_every_driver_reads()
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);
        var key = DataKeyDocument.Create(Guid.Parse("61616161-6161-6161-6161-616161616161"), ["n"], [1, 2, 3], now, ExtendedJson.ToBson("""{"provider": "local:x"}"""));
        Assert.Equal(
            """{"_id":{"$binary":{"base64":"YWFhYWFhYWFhYWFhYWFhYQ==","subType":"04"}},"keyAltNames":["n"],"keyMaterial":{"$binary":{"base64":"AQID","subType":"00"}},"creationDate":{"$date":{"$numberLong":"1700000000123"}},"updateDate":{"$date":{"$numberLong":"1700000000123"}},"status":{"$numberInt":"0"},"masterKey":{"provider":"local:x"}}""",
            ExtendedJson.ToJson(key.ToBson(), ExtendedJsonMode.Canonical).Replace(" ", "", StringComparison.Ordinal));
        Assert.DoesNotContain("keyAltNames", ExtendedJson.ToJson(TestKeys.New().ToBson()), StringComparison.Ordinal);
    }

    [VectorFact]
    internal void Reads_the_official_documents_and_writes_them_back_unchanged()
    {
        var files = Directory.GetFiles(OfficialVectors.PathOf("libmongocrypt"), "key-document-*.json")
            .Concat(Directory.GetFiles(OfficialVectors.PathOf("libmongocrypt/multikey"), "key-document-*.json"))
            .Concat(Directory.GetFiles(OfficialVectors.PathOf("libmongocrypt/rmd"), "key-document-*.json"))
            .Concat(Directory.GetFiles(OfficialVectors.PathOf("libmongocrypt/keys"), "*-document.json"))
            .Concat(Directory.GetFiles(OfficialVectors.PathOf("csfle/corpus"), "corpus-key-*.json"))
            .Where(file => Path.GetFileName(file) != "key-document-no-region.json")
            .ToArray();
        Assert.Equal(22, files.Length);
        foreach (var file in files)
        {
            var bson = ExtendedJson.ToBson(File.ReadAllText(file));
            Assert.Equal(bson, DataKeyDocument.Parse(bson).ToBson());
        }
    }

    [VectorFact]
    internal void Refuses_the_official_document_without_a_region()
    {
        var error = Malformed(OfficialVectors.ReadText("libmongocrypt/key-document-no-region.json"));
        Assert.Contains("expected UTF-8 region", error.Message, StringComparison.Ordinal);
        Assert.Equal(Guid.Parse("61616161-6161-6161-6161-616161616161"), error.KeyId);
    }

    [Theory]
    [InlineData("_id", "invalid key, no '_id'")]
    [InlineData("keyMaterial", "invalid key, no 'keyMaterial'")]
    [InlineData("creationDate", "invalid key, no 'creationDate'")]
    [InlineData("updateDate", "invalid key, no 'updateDate'")]
    [InlineData("status", "invalid key, no 'status'")]
    [InlineData("masterKey", "invalid key, no 'masterKey'")]
    public void A_required_field_that_is_missing_is_named(string field, string expected)
        => Assert.Contains(expected, Malformed(Without(field)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("keyAltNames")]
    [InlineData("version")]
    public void Names_and_version_may_be_missing(string field)
        => Assert.Equal(field == "keyAltNames" ? 0 : 2, DataKeyDocument.Parse(ExtendedJson.ToBson(Without(field))).KeyAltNames.Count);

    [Theory]
    [InlineData("\"_id\": 1", "'_id' is not a UUID")]
    [InlineData("\"_id\": {\"$binary\": {\"base64\": \"YWFhYWFhYWFhYWFhYWFhYQ==\", \"subType\": \"03\"}}", "'_id' is not a UUID")]
    [InlineData("\"_id\": {\"$binary\": {\"base64\": \"YWFh\", \"subType\": \"04\"}}", "'_id' is not a UUID")]
    [InlineData("\"keyAltNames\": \"a\"", "expected array")]
    [InlineData("\"keyAltNames\": [1]", "unexpected non-UTF8 keyAltName")]
    [InlineData("\"keyAltNames\": [\"x\", \"y\", \"x\"]", "unexpected duplicate keyAltNames")]
    [InlineData("\"keyMaterial\": \"a\"", "expected binary")]
    [InlineData("\"keyMaterial\": {\"$binary\": {\"base64\": \"AQID\", \"subType\": \"06\"}}", "expected subtype 0")]
    [InlineData("\"creationDate\": 1", "invalid 'creationDate', expect datetime")]
    [InlineData("\"updateDate\": \"x\"", "invalid 'updateDate', expect datetime")]
    [InlineData("\"masterKey\": 1", "invalid 'masterKey', expected document")]
    [InlineData("\"masterKey\": {}", "expected UTF-8 provider")]
    [InlineData("\"version\": \"0\"", "invalid 'version', expect int")]
    [InlineData("\"version\": 1", "only supports version=0")]
    [InlineData("\"extra\": 1", "unrecognized field 'extra'")]
    public void A_field_of_another_shape_is_refused(string field, string expected)
    {
        var name = field[1..field.IndexOf('"', 1)];
        Assert.Contains(expected, Malformed(Without(name).TrimEnd()[..^1] + (Without(name).TrimEnd().Length > 2 ? ", " : "") + field + "}").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_that_stands_there_twice_is_refused()
        => Assert.Contains("twice", Malformed(Valid.TrimEnd()[..^1] + ", \"status\": 0}").Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1", 1)]
    [InlineData("3", 3)]
    [InlineData("{\"$numberLong\": \"0\"}", null)]
    public void The_status_decides_nothing(string status, int? expected)
        => Assert.Equal(expected, DataKeyDocument.Parse(ExtendedJson.ToBson(Without("status").TrimEnd()[..^1] + $", \"status\": {status}}}")).Status);

    [Fact]
    public void Any_bytes_are_a_typed_error()
    {
        var bson = ExtendedJson.ToBson(Valid);
        var random = new Random(1);
        for (var round = 0; round < 20_000; round++)
        {
            var garbage = (byte[])bson.Clone();
            for (var i = 0; i <= round % 3; i++) garbage[random.Next(garbage.Length)] = (byte)random.Next(256);
            try
            {
                DataKeyDocument.Parse(garbage.AsSpan(0, round % 5 == 0 ? random.Next(garbage.Length) : garbage.Length));
            }
            catch (CsfleException)
            {
                // The one kind of exception there may be; changes that matter to nobody raise none.
            }
        }
    }

    private static DataKeyException Malformed(string json)
    {
        var error = Assert.Throws<DataKeyException>(() => DataKeyDocument.Parse(ExtendedJson.ToBson(json)));
        Assert.Equal(CsfleErrorCode.MalformedDataKey, error.Code);
        return error;
    }

    private static string Without(string field)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        var reader = new BsonReader(ExtendedJson.ToBson(Valid));
        while (reader.Read())
        {
            if (reader.GetName() != field) writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        }

        writer.EndDocument();
        return ExtendedJson.ToJson(writer.WrittenSpan, ExtendedJsonMode.Canonical);
    }
}
