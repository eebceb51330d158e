using System.Text;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Medco.Csfle.Tests.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Xunit.Abstractions;

namespace Medco.Csfle.Tests.Fuzzing;

/// <summary>Whatever stands in the section of a configuration: settings, or mistakes that the validator reports.</summary>
public sealed class ConfigurationFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Settings =
    [
        "ConnectionString=mongodb://localhost:1",
        "KeyVault=encryption.__keyVault",
        $"LocalMasterKey:Base64={TestHost.MasterKey}",
        "LocalMasterKeys:one:EnvironmentVariable=NOT_SET",
        "WrapNewDataKeysWith=local:one",
        "CreateMissingDataKeys=true",
        "DataKeyCacheLifetime=00:00:30",
        "KmsResilience:TimeLimit=00:00:30",
        "KmsResilience:AttemptTimeLimit=00:00:10",
        "KmsResilience:MaxAttempts=4",
        "Collections:app.people:Schema={\"bsonType\": \"object\"}",
        "AllowUnencrypted:0=app.*",
        "AllowUnencrypted:1=app.logs",
        "UseServerSchema=false",
    ];

    private static readonly Corpus Sections = new([.. Enumerable.Range(0, 2 * Settings.Length).Select(number => Encoding.UTF8.GetBytes(string.Join('\n',
        number < Settings.Length ? Settings : Settings.Where((_, index) => index != number - Settings.Length))))]);

    [Fact]
    public void A_section_gives_settings_or_mistakes_that_are_reported()
        => new FuzzTarget("Configurations", output) { InSuite = 2_000, BytesPerByte = 2_000 }.Run(Sections.Damaged, text =>
        {
            var options = new CsfleOptions();
            new CsfleBuilder(options).ReadFrom(SectionOf(text));
            var mistakes = CsfleOptionsValidator.Check(options);
            Assert.True(mistakes.Count >= options.ConfigurationErrors.Distinct().Count());
            Assert.All(mistakes, mistake => Assert.True(mistake.Option.Length > 0 && mistake.Problem.Length > 0 && mistake.Remedy.Length > 0));
            return mistakes.Count == 0;
        });

    // Each line a key and a value; a key that stands twice has the value that came last.
    private static IConfigurationSection SectionOf(byte[] text)
    {
        var pairs = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in Encoding.UTF8.GetString(text).Split('\n'))
        {
            var parts = line.Split('=', 2);
            pairs[$"Csfle:{parts[0]}"] = parts.Length == 2 ? parts[1] : null;
        }

        return new ConfigurationBuilder().AddInMemoryCollection(pairs).Build().GetSection("Csfle");
    }
}
