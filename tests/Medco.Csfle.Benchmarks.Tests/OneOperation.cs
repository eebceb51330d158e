using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Medco.Csfle.Benchmarks.Tests;

/// <summary>Runs what BenchmarkDotNet would measure once, so that benchmarks cannot rot.</summary>
internal static class OneOperation
{
    /// <summary>Sets up, calls every benchmark of the class once, and cleans up.</summary>
    /// <param name="benchmarks">The instance, its parameters set.</param>
    /// <param name="leaveOut">The descriptions of what is not on this machine.</param>
    /// <returns>How many benchmarks were called.</returns>
    public static int OfEach(object benchmarks, params string[] leaveOut)
    {
        var methods = benchmarks.GetType().GetMethods();
        Single<GlobalSetupAttribute>()?.Invoke(benchmarks, null);
        var called = 0;
        foreach (var method in methods)
        {
            if (method.GetCustomAttribute<BenchmarkAttribute>() is not { } benchmark || leaveOut.Contains(benchmark.Description)) continue;
            method.Invoke(benchmarks, null);
            called++;
        }

        Single<GlobalCleanupAttribute>()?.Invoke(benchmarks, null);
        return called;

        MethodInfo? Single<TAttribute>()
            where TAttribute : Attribute
            => methods.SingleOrDefault(method => method.IsDefined(typeof(TAttribute)));
    }
}
