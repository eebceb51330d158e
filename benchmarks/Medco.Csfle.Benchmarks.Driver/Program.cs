using System.Diagnostics;
using Medco.Csfle.Benchmarks.Driver;

var started = Stopwatch.GetTimestamp();
switch (args)
{
    case ["cold", var kind, var connectionString, var masterKey]:
        ColdStart.Run(started, kind, connectionString, masterKey);
        return 0;
    case ["figures", var file]:
        DriverFigures.Measure(file);
        return 0;
    default:
        DriverFigures.Switch(args);
        return 0;
}
