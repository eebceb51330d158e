using BenchmarkDotNet.Running;
using Medco.Csfle.Benchmarks;

// page <file> [figures of Medco.Csfle.Benchmarks.Driver]: everything, onto the page. Anything else is BenchmarkDotNet's.
if (args is not ["page", var page, .. var rest])
{
    BenchmarkSwitcher.FromAssembly(typeof(EngineFigures).Assembly).Run(args, BenchmarkRun.Config);
    return 0;
}

var driverFile = rest.FirstOrDefault();
var driver = driverFile is not null && File.Exists(driverFile) ? Figures.Load(driverFile) : null;
var written = new PerformancePage(EngineFigures.Measure(), driver).Write();
Console.WriteLine();
Console.WriteLine(written);
File.WriteAllText(page, written);
return 0;
