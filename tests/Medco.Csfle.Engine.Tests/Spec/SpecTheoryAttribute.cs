using Xunit.Abstractions;
using Xunit.Sdk;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// A theory over the official tests, one case for each: those that cannot run are skipped with their reasons, which are known
/// when tests are discovered. Without the files, the theory as a whole is skipped.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Medco.Csfle.Engine.Tests.Spec.SpecTheoryDiscoverer", "Medco.Csfle.Engine.Tests")]
internal sealed class SpecTheoryAttribute : TheoryAttribute
{
    public SpecTheoryAttribute() => Skip = SpecSuite.SkipReason;
}

/// <summary>A fact about the official tests as a whole.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SpecFactAttribute : FactAttribute
{
    public SpecFactAttribute() => Skip = SpecSuite.SkipReason;
}

/// <summary>Gives every case of a <see cref="SpecTheoryAttribute"/> its reason to be skipped, where it has one.</summary>
/// <param name="diagnosticMessageSink">Where xunit reports.</param>
public sealed class SpecTheoryDiscoverer(IMessageSink diagnosticMessageSink) : TheoryDiscoverer(diagnosticMessageSink)
{
    /// <inheritdoc/>
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo theoryAttribute, object[] dataRow)
    {
        ArgumentNullException.ThrowIfNull(dataRow);
        return SpecSkips.Reason(SpecSuite.Find((string)dataRow[0], (string)dataRow[1])) is { } reason
            ? CreateTestCasesForSkippedDataRow(discoveryOptions, testMethod, theoryAttribute, dataRow, reason)
            : base.CreateTestCasesForDataRow(discoveryOptions, testMethod, theoryAttribute, dataRow);
    }
}
