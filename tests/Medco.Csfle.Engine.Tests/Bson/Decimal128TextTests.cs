using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Bson;

public class Decimal128TextTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("9999999999999999999999999999999999E+6111", "9.999999999999999999999999999999999E+6144")]
    [InlineData("1E+6144", "1.000000000000000000000000000000000E+6144")]
    [InlineData("1.0E-6175", "1.0E-6175")]
    [InlineData("100E-6178", "1E-6176")]
    [InlineData("-0E-99999999999999999999999999", "-0E-6176")]
    [InlineData("00000000000000000000000000000000000000000000000001", "1")]
    [InlineData("0.00000000000000000000000000000000000000000000000001", "1E-50")]
    [InlineData("1.", "1")]
    [InlineData("-INFINITY", "-Infinity")]
    public void Text_comes_back_in_canonical_form(string text, string canonical)
    {
        var bytes = new byte[Decimal128Text.Size];
        Assert.True(Decimal128Text.TryParse(Encoding.ASCII.GetBytes(text), bytes, out var problem), problem);
        Assert.Equal(canonical, Decimal128Text.Format(bytes));
    }

    [Theory]
    [InlineData("1E+6145")]
    [InlineData("10000000000000000000000000000000001")]
    [InlineData("99999999999999999999999999999999995")]
    [InlineData("1E-6177")]
    [InlineData("11E-6177")]
    [InlineData("1E+99999999999999999999999999")]
    [InlineData("1E-99999999999999999999999999")]
    [InlineData("1\0")]
    [InlineData("+")]
    [InlineData("e")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("١")]
    public void Text_that_no_decimal_is_exactly_is_refused(string text)
        => Assert.False(Decimal128Text.TryParse(Encoding.UTF8.GetBytes(text), new byte[Decimal128Text.Size], out _));

    [Fact]
    public void Every_decimal_of_dotnet_has_the_same_digits()
        => Check.One(Seeded.Config(output, 500), Prop.ForAll(ArbMap.Default.ArbFor<decimal>(), number =>
        {
            var bytes = new byte[Decimal128Text.Size];
            Assert.True(Decimal128Text.TryParse(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)), bytes, out _));
            Assert.Equal(number, decimal.Parse(Decimal128Text.Format(bytes), NumberStyles.Float, CultureInfo.InvariantCulture));
        }));

    [Fact]
    public void Any_sixteen_bytes_have_a_text_that_parses()
        => Check.One(Seeded.Config(output, 500), Prop.ForAll(
            Arb.From(Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(Decimal128Text.Size)), bytes =>
            {
                var text = Decimal128Text.Format(bytes);
                var parsed = new byte[Decimal128Text.Size];
                Assert.True(Decimal128Text.TryParse(Encoding.ASCII.GetBytes(text), parsed, out _));
                Assert.Equal(text, Decimal128Text.Format(parsed));
            }));
}
