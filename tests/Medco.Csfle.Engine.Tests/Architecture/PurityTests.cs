namespace Medco.Csfle.Engine.Tests.Architecture;

/// <summary>Analysis and cryptography are functions of bytes, schema and keys: no I/O, no tasks, no clock.</summary>
public class PurityTests
{
    private static readonly Type[] Engine = typeof(CsfleException).Assembly.GetTypes();

    /// <summary>What pure code may use of the engine's root namespace: its errors, which say something and do nothing.</summary>
    private static readonly HashSet<string?> Errors =
    [
        .. Engine.Where(type => typeof(CsfleException).IsAssignableFrom(type)).Select(type => type.FullName),
        typeof(CsfleErrorCode).FullName,
        typeof(EncryptionSchemaError).FullName,
    ];

    [Theory]
    [InlineData("Medco.Csfle.Engine.Bson")]
    [InlineData("Medco.Csfle.Engine.Cryptography")]
    [InlineData("Medco.Csfle.Engine.Schema")]
    [InlineData("Medco.Csfle.Engine.Analysis")]
    public void A_pure_namespace_touches_no_io_no_tasks_no_clock_and_nothing_impure_of_the_engine(string @namespace)
    {
        string[] pure =
        [
            "Medco.Csfle.Engine.Bson", "Medco.Csfle.Engine.Cryptography", "Medco.Csfle.Engine.Schema", "Medco.Csfle.Engine.Analysis",
        ];

        var violations = PurityChecker.Check(
            typeof(CsfleException).Assembly.Location,
            [@namespace],
            type => Errors.Contains(type) || pure.Any(each => type.StartsWith(each + ".", StringComparison.Ordinal)),
            out var checkedMethods);

        Assert.Empty(violations);
        Assert.True(checkedMethods > 0, $"{@namespace} has no code: a namespace that moved must move here too.");
    }
}
