using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Bson;

public class ExtendedJsonTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("   ", 3)]
    [InlineData("[]", 0)]
    [InlineData("1", 0)]
    [InlineData("{", 1)]
    [InlineData("""{"a"}""", 4)]
    [InlineData("""{"a": 1,}""", 8)]
    [InlineData("""{"a": [1,]}""", 9)]
    [InlineData("""{"a": 01}""", 7)]
    [InlineData("{\n  \"a\": 1,\n  \"b\": x\n}", 19)]
    [InlineData("{} {}", 3)]
    [InlineData("{} // comment", 3)]
    [InlineData("\uFEFF{}", 0)]
    [InlineData("""{"a\u0000": 1}""", 1)]
    [InlineData("""{"a": {"$": 1, "\u0000": 1}}""", 15)]
    [InlineData("""{"a": "\ud800"}""", 6)]
    [InlineData("""{"a": "\udc00\ud800"}""", 6)]
    [InlineData("""{"\ud800": 1}""", 1)]
    [InlineData("""{"a": {"\ud800": "00", "$binary": ""}}""", 7)]
    [InlineData("""{"a": {"$type": "00", "\ud800": ""}}""", 22)]
    [InlineData("""{"a": 1e400}""", 6)]
    [InlineData("""{"a": {"$oid": "0123456789abcdef0123456"}}""", 15)]
    [InlineData("""{"a": {"$oid": "0123456789abcdef0123456g"}}""", 15)]
    [InlineData("""{"a": {"$oid": "0123456789abcdef01234567", "$oid": "0123456789abcdef01234567"}}""", 43)]
    [InlineData("""{"a": {"b": 1, "$oid": "0123456789abcdef01234567"}}""", 15)]
    [InlineData("""{"a": {"$numberInt": "2147483648"}}""", 21)]
    [InlineData("""{"a": {"$numberInt": "1 "}}""", 21)]
    [InlineData("""{"a": {"$numberInt": "1\u0000"}}""", 21)]
    [InlineData("""{"a": {"$numberInt": ""}}""", 21)]
    [InlineData("""{"a": {"$numberLong": "9223372036854775808"}}""", 22)]
    [InlineData("""{"a": {"$numberDouble": "1e400"}}""", 24)]
    [InlineData("""{"a": {"$numberDouble": "nan"}}""", 24)]
    [InlineData("""{"a": {"$numberDouble": "infinity"}}""", 24)]
    [InlineData("""{"a": {"$numberDouble": "+Infinity"}}""", 24)]
    [InlineData("""{"a": {"$numberDouble": "."}}""", 24)]
    [InlineData("""{"a": {"$numberDouble": ""}}""", 24)]
    [InlineData("""{"a": {"$numberDouble": "0x10"}}""", 24)]
    [InlineData("""{"a": {"$numberDecimal": "1E+7000"}}""", 25)]
    [InlineData("""{"a": {"$binary": {"base64": "A", "subType": "00"}}}""", 29)]
    [InlineData("""{"a": {"$binary": {"base64": "AA", "subType": "00"}}}""", 29)]
    [InlineData("""{"a": {"$binary": {"base64": "AA ==", "subType": "00"}}}""", 29)]
    [InlineData("""{"a": {"$binary": {"base64": "_-8=", "subType": "00"}}}""", 29)]
    [InlineData("""{"a": {"$binary": {"base64": "", "subType": ""}}}""", 44)]
    [InlineData("""{"a": {"$binary": {"base64": "", "subType": "100"}}}""", 44)]
    [InlineData("""{"a": {"$binary": {"base64": "", "subType": "-1"}}}""", 44)]
    [InlineData("""{"a": {"$binary": {"base64": "", "base64": "", "subType": "00"}}}""", 33)]
    [InlineData("""{"a": {"$binary": "", "type": "00"}}""", 22)]
    [InlineData("""{"a": {"$binary": ""}}""", 20)]
    [InlineData("""{"a": {"$type": "00", "$binary": "", "b": 1}}""", 37)]
    [InlineData("""{"a": {"$type": 0, "$binary": ""}}""", 19)]
    [InlineData("""{"a": {"$scope": {}}}""", 19)]
    [InlineData("""{"a": {"$code": "", "$scope": {"$oid": "0123456789abcdef01234567"}}}""", 31)]
    [InlineData("""{"a": {"$timestamp": {"t": -1, "i": 0}}}""", 27)]
    [InlineData("""{"a": {"$timestamp": {"t": 4294967296, "i": 0}}}""", 27)]
    [InlineData("""{"a": {"$timestamp": {"t": 1.0, "i": 0}}}""", 27)]
    [InlineData("""{"a": {"$timestamp": {"t": -0, "i": 0}}}""", 27)]
    [InlineData("""{"a": {"$minKey": 1.0}}""", 18)]
    [InlineData("""{"a": {"$undefined": false}}""", 21)]
    [InlineData("""{"a": {"$dbPointer": {"$ref": "b", "$id": "x"}}}""", 42)]
    [InlineData("""{"a": {"$dbPointer": {"$ref": "b", "$id": {"$numberInt": "1"}}}}""", 43)]
    [InlineData("""{"a": {"$date": "2012-12-24"}}""", 16)]
    [InlineData("""{"a": {"$date": {"$numberInt": "1"}}}""", 17)]
    [InlineData("""{"a": {"$date": {"$numberLong": "1", "b": 1}}}""", 37)]
    public void Text_that_is_no_extended_json_is_refused_at_its_position(string json, long position)
    {
        Assert.Equal(position, Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson(json)).Position);
        Assert.Equal(position, Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson(Encoding.UTF8.GetBytes(json))).Position);
    }

    [Fact]
    public void An_error_quotes_nothing_of_the_text()
    {
        foreach (var json in new[] { "{\"ssn\": 123456789x}", "{\"ssn\": {\"$numberInt\": \"secret\"}}", "{\"ssn\": {\"$date\": \"secret\"}}", "{\"ssn\": secret}" })
        {
            var error = Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson(json));
            Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("123456789", error.ToString(), StringComparison.Ordinal);
            Assert.Null(error.InnerException);
        }
    }

    [Fact]
    public void Characters_that_are_no_unicode_are_refused_where_they_stand()
    {
        Assert.Equal(8, Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson("{\"é\": \"\uD800\"}")).Position);
        Assert.Equal(7, Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson([.. "{\"a\": \""u8, 0xFF, .. "\"}"u8])).Position);
    }

    [Theory]
    [InlineData("2147483647", "{\"$numberInt\":\"2147483647\"}")]
    [InlineData("2147483648", "{\"$numberLong\":\"2147483648\"}")]
    [InlineData("-9223372036854775808", "{\"$numberLong\":\"-9223372036854775808\"}")]
    [InlineData("9223372036854775808", "{\"$numberDouble\":\"9.223372036854776E+18\"}")]
    [InlineData("1.0", "{\"$numberDouble\":\"1.0\"}")]
    [InlineData("1e2", "{\"$numberDouble\":\"100.0\"}")]
    [InlineData("-0.0", "{\"$numberDouble\":\"-0.0\"}")]
    [InlineData("5e-324", "{\"$numberDouble\":\"5E-324\"}")]
    [InlineData("{\"$numberDouble\": \"1\"}", "{\"$numberDouble\":\"1.0\"}")]
    public void A_number_gets_the_smallest_type_that_holds_it(string number, string canonical)
        => Assert.Equal($$$"""{"n":{{{canonical}}}}""", ExtendedJson.ToJson(ExtendedJson.ToBson($$$"""{"n": {{{number}}}}"""), ExtendedJsonMode.Canonical));

    [Fact]
    public void Nan_is_written_as_every_driver_writes_it()
        => Assert.Equal(Convert.FromHexString("10000000016100000000000000F87F00"), ExtendedJson.ToBson("""{"a": {"$numberDouble": "NaN"}}"""));

    [Theory]
    [InlineData("1970-01-01T00:00:00Z", 0)]
    [InlineData("1970-01-01t00:00:00.5z", 500)]
    [InlineData("1970-01-01T00:00:00.05Z", 50)]
    [InlineData("1970-01-01T01:00:00+01:00", 0)]
    [InlineData("1969-12-31T18:29:59.999-05:30", -1)]
    [InlineData("2000-02-29T23:59:59.999Z", 951_868_799_999)]
    [InlineData("9999-12-31T23:59:59.999Z", 253_402_300_799_999)]
    [InlineData("0001-01-01T00:00:00Z", -62_135_596_800_000)]
    public void A_date_text_becomes_milliseconds(string text, long milliseconds)
    {
        var reader = new BsonReader(ExtendedJson.ToBson($$$"""{"a": {"$date": "{{{text}}}"}}"""));
        Assert.True(reader.Read());
        Assert.Equal(BsonType.DateTime, reader.Type);
        Assert.Equal(milliseconds, reader.GetInt64());
    }

    [Theory]
    [InlineData("2001-02-29T00:00:00Z")]
    [InlineData("2001-13-01T00:00:00Z")]
    [InlineData("2001-00-01T00:00:00Z")]
    [InlineData("2001-01-00T00:00:00Z")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("2001-01-01T24:00:00Z")]
    [InlineData("2001-01-01T00:60:00Z")]
    [InlineData("2001-01-01T00:00:60Z")]
    [InlineData("2001-01-01T00:00:00")]
    [InlineData("2001-01-01T00:00:00.Z")]
    [InlineData("2001-01-01T00:00:00.0001Z")]
    [InlineData("2001-01-01T00:00:00.123")]
    [InlineData("2001-01-01T00:00:00+0100")]
    [InlineData("2001-01-01T00:00:00+24:00")]
    [InlineData("2001-01-01T00:00:00Z ")]
    [InlineData("+2001-01-01T00:00:00Z")]
    [InlineData("")]
    public void A_date_text_that_is_no_time_or_too_precise_is_refused(string text)
        => Assert.Equal(16, Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson($$$"""{"a": {"$date": "{{{text}}}"}}""")).Position);

    [Theory]
    [InlineData("""{"a":{"$regex":"^x"}}""")]
    [InlineData("""{"a":{"$regex":"^x","$options":"i"}}""")]
    [InlineData("""{"a":{"$options":"i","$regex":"^x"}}""")]
    [InlineData("""{"a":{"$regex":{"$regularExpression":{"pattern":"^x","options":""}},"$options":"i"}}""")]
    [InlineData("""{"a":{"$type":"string"}}""")]
    [InlineData("""{"a":{"$type":2}}""")]
    [InlineData("""{"a":{"$type":"00","$exists":true}}""")]
    [InlineData("""{"a":{"$gt":1,"$lt":2}}""")]
    [InlineData("""{"a":{"$ref":"c","$id":1}}""")]
    [InlineData("""{"$oid":"not the wrapper, since outermost","$date":1}""")]
    [InlineData("""{"a":1,"a":2,"":{},"b":[[],{}]}""")]
    public void Query_operators_dbrefs_and_repeated_names_stay_documents(string json)
        => Assert.Equal(json, ExtendedJson.ToJson(ExtendedJson.ToBson(json)));

    [Theory]
    [InlineData("""{"$binary": "//8=", "$type": "04"}""", "04")]
    [InlineData("""{"$type": "4", "$binary": "//8="}""", "04")]
    [InlineData("""{"$type": "02", "$binary": "//8="}""", "02")]
    [InlineData("""{"$binary": {"subType": "A", "base64": "//8="}}""", "0a")]
    [InlineData("""{"$b\u0069nary": {"subTyp\u0065": "A", "base\u00364": "\u002f/8="}}""", "0a")]
    public void Binary_data_is_read_in_both_forms_and_any_order(string json, string subtype)
        => Assert.Equal(
            $$$$"""{"a":{"$binary":{"base64":"//8=","subType":"{{{{subtype}}}}"}}}""",
            ExtendedJson.ToJson(ExtendedJson.ToBson($$$"""{"a": {{{json}}}}""")));

    [Fact]
    public void The_inner_length_of_old_binary_data_is_left_out_of_the_text_and_put_back()
    {
        const string json = """{"a":{"$binary":{"base64":"","subType":"02"}}}""";
        var bson = Convert.FromHexString("11000000056100" + "040000000200000000" + "00");
        Assert.Equal(bson, ExtendedJson.ToBson(json));
        Assert.Equal(json, ExtendedJson.ToJson(bson));
    }

    [Fact]
    public void Scope_before_code_is_the_same_as_after_it()
        => Assert.Equal(
            ExtendedJson.ToBson("""{"a": {"$code": "f", "$scope": {"x": {"$numberInt": "1"}}}, "b": 1}"""),
            ExtendedJson.ToBson("""{"a": {"$scope": {"x": {"$numberInt": "1"}}, "$code": "f"}, "b": 1}"""));

    [Fact]
    public void Options_of_a_regular_expression_are_put_in_order_and_what_is_not_ascii_is_kept()
    {
        Assert.Contains("\"options\":\"imx\"", Reformat("""{"a": {"$regularExpression": {"pattern": "", "options": "xmi"}}}"""), StringComparison.Ordinal);
        Assert.Contains("\"options\":\"zéa\"", Reformat("""{"a": {"$regularExpression": {"pattern": "", "options": "zéa"}}}"""), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_escapes_only_what_json_wants_escaped()
    {
        const string json = "{\"é\\\"\\\\/\":\"\\u0000\\b\\t\\n\\f\\r\\u001f\u007f<>&'+☆😀\u2028\"}";
        Assert.Equal(json, Reformat(json));
    }

    [Fact]
    public void Indented_text_has_an_element_a_line_and_wrappers_on_one()
        => Assert.Equal(
            """
            {
              "a": {
                "b": [
                  1,
                  {"$oid":"0123456789abcdef01234567"}
                ],
                "c": {},
                "d": []
              }
            }
            """.ReplaceLineEndings("\n"),
            ExtendedJson.ToJson(ExtendedJson.ToBson("""{"a":{"b":[1,{"$oid":"0123456789ABCDEF01234567"}],"c":{},"d":[]}}"""), indented: true));

    [Theory]
    [InlineData("{\"a\":", "}")]
    [InlineData("{\"a\":{\"$code\":\"\",\"$scope\":", "}}")]
    [InlineData("{\"a\":{\"$scope\":", ",\"$code\":\"\"}}")]
    public void Nesting_is_read_to_the_limit_on_a_small_stack_and_refused_beyond_it(string open, string close)
    {
        var deepest = Nest(open, close, BsonLimits.MaxDepth);
        var tooDeep = Nest(open, close, BsonLimits.MaxDepth + 1);
        var farTooDeep = Nest(open, close, 100_000);
        Exception? failure = null;
        var thread = new Thread(
            () => failure = Record.Exception(() =>
            {
                var bson = ExtendedJson.ToBson(deepest);
                Assert.Equal(bson, ExtendedJson.ToBson(ExtendedJson.ToJson(bson, ExtendedJsonMode.Canonical)));
                Assert.Contains("200 levels", Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson(tooDeep)).Message, StringComparison.Ordinal);
                Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson(farTooDeep));
                Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson("{\"a\":" + new string('[', 100_000)));
            }),
            maxStackSize: 512 * 1024);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    [Fact]
    public void A_document_longer_than_the_limit_is_refused()
    {
        var json = $$$"""{"a": "{{{new string('x', BsonLimits.MaxLength)}}}"}""";
        Assert.Equal(CsfleErrorCode.BsonLimit, Assert.Throws<BsonFormatException>(() => ExtendedJson.ToBson(json)).Code);
    }

    private static string Nest(string open, string close, int depth)
        => new StringBuilder().Insert(0, open, depth).Append("{}").Insert(open.Length * depth + 2, close, depth).ToString();

    private static string Reformat(string json) => ExtendedJson.ToJson(ExtendedJson.ToBson(json));
}
