using System.Diagnostics;
using System.Reflection;
using BenchmarkDotNet.Attributes;
using Medco.Csfle.Peers;

namespace Medco.Csfle.Benchmarks;

/// <summary>
/// Measures the methods of benchmark classes in turn, a few milliseconds each, again and again. BenchmarkDotNet measures one after
/// the other; on a machine that others use too, that compares different minutes, and its ratios say more about them than about the
/// code. Here what disturbs one contestant disturbs all.
/// </summary>
internal static class Interleaved
{
    private const int MinRounds = 11;
    private const int MaxRounds = 400;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    private static object? _result;

    /// <summary>Measures everything in these instances.</summary>
    /// <param name="figures">Receives medians and allocations.</param>
    /// <param name="budget">How long it may take, after warming up; eleven rounds at least are done.</param>
    /// <param name="slice">How long one contestant runs before the next one does.</param>
    /// <param name="instances">Instances of benchmark classes, not yet set up, each with the name of its work; without one the category of the method names it.</param>
    public static void Measure(Figures figures, TimeSpan budget, TimeSpan slice, params (object Benchmarks, string? Work)[] instances)
    {
        foreach (var (benchmarks, _) in instances) Call<GlobalSetupAttribute>(benchmarks);
        var contestants = instances.SelectMany(instance => Contestants(instance.Benchmarks, instance.Work)).ToList();
        foreach (var contestant in contestants) contestant.WarmUp(slice);
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; round < MaxRounds && (round < MinRounds || Stopwatch.GetElapsedTime(started) < budget); round++)
        {
            foreach (var contestant in contestants) contestant.Measure();
        }

        foreach (var contestant in contestants) figures.Add(contestant.Work, contestant.Who, Figures.MedianOf(contestant.Times), contestant.Allocated());
        foreach (var (benchmarks, _) in instances) Call<GlobalCleanupAttribute>(benchmarks);
    }

    private static IEnumerable<Measured> Contestants(object benchmarks, string? work)
    {
        foreach (var method in benchmarks.GetType().GetMethods())
        {
            if (method.GetCustomAttribute<BenchmarkAttribute>()?.Description is not { } who) continue;
            if (who == Contestant.LibMongoCrypt && LibMongoCrypt.MissingReason is not null) continue;
            yield return new Measured(work ?? method.GetCustomAttribute<BenchmarkCategoryAttribute>()!.Categories[0], who, ToAction(benchmarks, method));
        }
    }

    private static Action ToAction(object benchmarks, MethodInfo method) => method.ReturnType == typeof(void)
        ? method.CreateDelegate<Action>(benchmarks)
        : (Action)typeof(Interleaved).GetMethod(nameof(KeepResult), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(method.ReturnType).Invoke(null, [benchmarks, method])!;

    // What nobody reads the compiler may leave out. Values are compared rather than kept: boxing would be counted.
    private static Action KeepResult<TResult>(object benchmarks, MethodInfo method)
    {
        var function = method.CreateDelegate<Func<TResult>>(benchmarks);
        if (!typeof(TResult).IsValueType) return () => _result = function();
        return () =>
        {
            if (EqualityComparer<TResult>.Default.Equals(function(), default)) throw new InvalidOperationException($"{method.Name} gave nothing.");
        };
    }

    private static void Call<TAttribute>(object benchmarks)
        where TAttribute : Attribute
        => benchmarks.GetType().GetMethods().SingleOrDefault(method => method.IsDefined(typeof(TAttribute)))?.Invoke(benchmarks, null);

    /// <summary>One method, and what it took.</summary>
    private sealed class Measured(string work, string who, Action operation)
    {
        private int _operations = 1;

        public string Work { get; } = work;

        public string Who { get; } = who;

        /// <summary>Nanoseconds per operation, one for each slice.</summary>
        public List<double> Times { get; } = [];

        /// <summary>Runs until the code is compiled for good, and finds how many operations make a slice.</summary>
        public void WarmUp(TimeSpan slice)
        {
            var started = Stopwatch.GetTimestamp();
            var fastest = double.MaxValue;
            do
            {
                fastest = Math.Min(fastest, Run(1));
            }
            while (Stopwatch.GetElapsedTime(started) < Interleaved.WarmUp);
            _operations = (int)Math.Clamp(slice.TotalNanoseconds / fastest, 1, 1_000_000);
        }

        public void Measure() => Times.Add(Run(_operations));

        /// <summary>Bytes allocated by one operation.</summary>
        public double Allocated()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Run(_operations);
            return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)_operations;
        }

        private double Run(int operations)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < operations; i++) operation();
            return Stopwatch.GetElapsedTime(started).TotalNanoseconds / operations;
        }
    }
}
