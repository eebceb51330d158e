using System.Diagnostics;
using System.Runtime.InteropServices;

// What PurityCheckerTests looks at: code that has to be found impure, one way each, and code that has to be found pure.
namespace Medco.Csfle.Engine.Tests.Architecture.Fixtures.Elsewhere
{
    internal static class Neighbour
    {
        public static int Answer() => 42;
    }

    internal static class AllowedNeighbour
    {
        public static int Answer() => 42;
    }
}

namespace Medco.Csfle.Engine.Tests.Architecture.Fixtures.Impure
{
    internal sealed class Sample
    {
        private readonly object _stream = Stream.Null;

        public Stream? Property { get; set; }

        public static string ReadsAFile() => File.ReadAllText("name");

        public static DateTime ReadsTheClock() => DateTime.UtcNow;

        public static DateTimeOffset ReadsTheClockWithOffset() => DateTimeOffset.Now;

        public static long Measures() => Stopwatch.GetTimestamp();

        public static void Waits() => Thread.Sleep(1);

        public static void StartsAProcess() => Process.Start("name");

        public static string? ReadsTheEnvironment() => Environment.GetEnvironmentVariable("name");

        public static void Prints() => Console.WriteLine();

        public static void TakesATimeProvider(TimeProvider provider) => provider.ToString();

        public static void HidesItInALambda() => new List<string>().ForEach(name => File.Delete(name));

        public static async void IsAsynchronous() => await Task.Yield();

        public static IEnumerable<bool> IteratesOverFiles()
        {
            yield return File.Exists("name");
        }

        public static Type NamesItAsTypeArgument() => typeof(List<HttpClient>);

        public static void CatchesIt(Action action)
        {
            try
            {
                action();
            }
            catch (IOException)
            {
            }
        }

        public static DateTime ReadsTheClockBehindASwitch(int day)
        {
            switch (day)
            {
                case 0: return default;
                case 1: return DateTime.MinValue;
                case 2: return DateTime.MaxValue;
                case 3: return DateTime.UnixEpoch;
                case 4: return DateTime.Today;
                default: return new DateTime(day, DateTimeKind.Utc);
            }
        }

        public static int LeansOnImpureNeighbours() => Elsewhere.Neighbour.Answer();

        [DllImport("name")]
        public static extern int CallsNativeCode();

        public override string ToString() => $"{_stream}{Property}";
    }
}

namespace Medco.Csfle.Engine.Tests.Architecture.Fixtures.Pure
{
    internal sealed class Sample
    {
        private readonly Lock _gate = new();
        private int _count;

        public static DateTime ComputesWithDates(DateTime date) => date.AddDays(1);

        public static string BreaksLines(IEnumerable<int> numbers) => string.Join(Environment.NewLine, numbers);

        public static IEnumerable<int> Iterates(int[] numbers)
        {
            foreach (var number in numbers) yield return number switch { 1 => 2, 2 => 3, 3 => 5, 4 => 7, 5 => 11, _ => 0 };
        }

        public int Counts()
        {
            lock (_gate) _count++;
            Debug.Assert(_count > 0, "counted");
            return Interlocked.Increment(ref _count);
        }

        public static int LeansOnAllowedNeighbours() => Elsewhere.AllowedNeighbour.Answer();
    }
}
