using System.Reflection;
using System.Text.RegularExpressions;

namespace Medco.Csfle.Engine.Tests.Documentation;

public sealed partial class ErrorsPageTests
{
    [Fact]
    public void Every_error_code_has_its_paragraph_and_no_other_has()
    {
        var codes = typeof(CsfleErrorCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!).Order();
        var headings = Heading().Matches(RepositoryFiles.Read("docs/errors.md")).Select(match => match.Groups[1].Value);
        Assert.Equal(codes, headings);
    }

    [Fact]
    public void The_help_link_of_an_error_leads_to_its_paragraph()
    {
        var exception = Assert.Throws<BsonFormatException>(() => Medco.Csfle.Engine.Bson.ExtendedJson.ToJson([]));
        Assert.Equal("docs/errors.md#csfle1001", exception.HelpLink);
    }

    [GeneratedRegex("^## (CSFLE\\d+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
