using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Tests.Values;

public class ValueOrderTests
{
    /// <summary>One value per place in MongoDB's order, least first; those of one line are equal.</summary>
    private static readonly string[][] Ascending =
    [
        ["{'$minKey': 1}"],
        ["{'$undefined': true}"],
        ["null"],
        ["{'$numberDouble': 'NaN'}", "{'$numberDecimal': 'NaN'}"],
        ["{'$numberDouble': '-Infinity'}", "{'$numberDecimal': '-Infinity'}"],
        ["{'$numberDecimal': '-1E+400'}"],
        ["{'$numberLong': '-9223372036854775808'}", "{'$numberDouble': '-9223372036854775808'}"],
        ["-1", "{'$numberDouble': '-1'}"],
        ["0", "{'$numberDouble': '-0.0'}", "{'$numberDecimal': '0E+100'}", "{'$numberDecimal': '-0'}"],
        ["{'$numberDouble': '5e-324'}"],
        ["{'$numberDecimal': '0.1'}", "{'$numberDecimal': '0.10'}"],
        ["{'$numberDouble': '0.1'}"],
        ["1", "{'$numberLong': '1'}", "{'$numberDouble': '1'}", "{'$numberDecimal': '1.000'}"],
        ["{'$numberDouble': '9007199254740992'}", "{'$numberLong': '9007199254740992'}"],
        ["{'$numberLong': '9007199254740993'}", "{'$numberDecimal': '9007199254740993'}"],
        ["{'$numberLong': '9223372036854775807'}"],
        ["{'$numberDouble': '9223372036854775808'}", "{'$numberDecimal': '9223372036854775808'}"],
        ["{'$numberDouble': 'Infinity'}"],
        ["''"],
        ["'A'"],
        ["'a'", "{'$symbol': 'a'}"],
        ["'aa'"],
        ["'\\u00e9'"],
        ["{}"],
        ["{'b': 1}"],
        ["{'b': 1, 'a': 1}"],
        ["{'b': 2}"],
        ["{'c': 0}"],
        ["{'a': 'text'}"],
        ["[]"],
        ["[1]"],
        ["[1, 1]"],
        ["[2]"],
        ["{'$binary': {'base64': '', 'subType': '06'}}"],
        ["{'$binary': {'base64': '/w==', 'subType': '00'}}"],
        ["{'$binary': {'base64': 'AA==', 'subType': '06'}}"],
        ["{'$binary': {'base64': 'AAA=', 'subType': '00'}}"],
        ["{'$oid': '000000000000000000000001'}"],
        ["{'$oid': 'ff0000000000000000000000'}"],
        ["false"],
        ["true"],
        ["{'$date': {'$numberLong': '-1'}}"],
        ["{'$date': {'$numberLong': '0'}}"],
        ["{'$timestamp': {'t': 1, 'i': 5}}"],
        ["{'$timestamp': {'t': 4294967295, 'i': 1}}"],
        ["{'$regularExpression': {'pattern': 'a', 'options': ''}}"],
        ["{'$regularExpression': {'pattern': 'a', 'options': 'i'}}"],
        ["{'$regularExpression': {'pattern': 'b', 'options': ''}}"],
        ["{'$dbPointer': {'$ref': 'b', '$id': {'$oid': '000000000000000000000001'}}}"],
        ["{'$code': 'a'}"],
        ["{'$code': 'a', '$scope': {}}"],
        ["{'$code': 'a', '$scope': {'x': 1}}"],
        ["{'$maxKey': 1}"],
    ];

    [Fact]
    public void Every_value_has_its_place_in_MongoDB_s_order()
    {
        var places = Ascending.Select(line => line.Select(Bson.Value).ToArray()).ToArray();
        for (var i = 0; i < places.Length; i++)
        {
            for (var j = 0; j < places.Length; j++)
            {
                foreach (var left in places[i])
                {
                    foreach (var right in places[j])
                    {
                        Assert.True(Math.Sign(ValueOrder.Compare(left, right)) == i.CompareTo(j), $"{ValueText.Of(left)} and {ValueText.Of(right)}");
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("5", true, 5)]
    [InlineData("{'$numberDouble': '5.0'}", true, 5)]
    [InlineData("{'$numberDouble': '5.5'}", false, 0)]
    [InlineData("{'$numberDecimal': '5E+2'}", true, 500)]
    [InlineData("{'$numberDecimal': '500E-2'}", true, 5)]
    [InlineData("{'$numberDecimal': '1E+6000'}", false, 0)]
    [InlineData("{'$numberDecimal': '1E-6000'}", false, 0)]
    [InlineData("{'$numberDouble': '1e300'}", false, 0)]
    [InlineData("{'$numberDouble': '9223372036854775808'}", false, 0)]
    [InlineData("{'$numberDouble': '-9223372036854775808'}", true, long.MinValue)]
    [InlineData("{'$numberDouble': 'NaN'}", false, 0)]
    [InlineData("{'$numberDouble': 'Infinity'}", false, 0)]
    public void A_number_is_a_64_bit_integer_only_where_it_is_exactly_one(string json, bool isOne, long expected)
    {
        Assert.Equal(isOne, Bson.Value(json).Number.TryToInt64(out var number));
        Assert.Equal(expected, number);
    }

    [Fact]
    public void A_decimal_that_is_not_canonical_is_zero()
    {
        var bytes = new byte[16];
        bytes[15] = 0x6C;
        Assert.True(ValueOrder.AreEqual(Bson.Value("0"), new Value(BsonType.Decimal128, bytes)));
    }
}
