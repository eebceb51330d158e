using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>
/// Something that reads bytes from elsewhere, fed with many inputs. Each gives a result or a typed error, within so many bytes
/// of memory for each byte of it, on a small stack, and comes to an end. What fails is named by the seed and by the input in hex.
/// </summary>
/// <param name="name">What reads the bytes.</param>
/// <param name="output">Where seed and counts are told.</param>
internal sealed class FuzzTarget(string name, ITestOutputHelper output)
{
    /// <summary>What each pattern in an encryption schema may cost, however short: it is compiled to an automaton.</summary>
    public const int PerByteOfPatterns = 20_000;

    // What an exception with its texts and its stack takes, buffers of a fixed size, and an automaton.
    private const long Fixed = 2 * 1024 * 1024;
    private const int StackSize = 1024 * 1024;

    // Far from what any input takes on a busy machine: an input that is not done by then does not end.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private string _current = "";
    private long _done;

    /// <summary>How many inputs without <c>CSFLE_FUZZ</c>.</summary>
    public int InSuite { get; init; } = 5_000;

    /// <summary>The most memory that may be allocated in all, whether or not it is kept, for each byte of an input; it counts the work as well.</summary>
    public int BytesPerByte { get; init; } = 200;

    /// <summary>Which exceptions are typed errors.</summary>
    public Func<Exception, bool> IsTyped { get; init; } = exception => exception is CsfleException;

    /// <summary>Feeds inputs of several parts.</summary>
    /// <param name="make">Makes the next input.</param>
    /// <param name="bytesOf">The bytes it consists of.</param>
    /// <param name="read">Reads it and returns whether there was anything to it; throws what fails it.</param>
    public void Run<T>(Func<Random, T> make, Func<T, byte[][]> bytesOf, Func<T, bool> read)
    {
        var count = FuzzSettings.Count(InSuite);
        var seed = FuzzSettings.Seed();
        output.WriteLine($"{name}: {count} inputs, seed {seed}");
        var random = new Random(seed);
        var outcomes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        Exception? failure = null;
        var worker = new Thread(Feed, StackSize) { IsBackground = true };
        worker.Start();
        var before = -1L;
        while (!worker.Join(Patience))
        {
            var done = Interlocked.Read(ref _done);
            if (done == before) Assert.Fail($"{name}: seed {seed}, number {done} does not end: {Volatile.Read(ref _current)}");
            before = done;
        }

        if (failure is not null) Assert.Fail($"{name}: seed {seed}, number {_done}: {_current}: {failure}");
        output.WriteLine(string.Join(", ", outcomes.Select(outcome => $"{outcome.Key}: {outcome.Value}")));
        Assert.True(outcomes.Count > 1, "Inputs that all end in the same way reach next to nothing.");

        void Feed()
        {
            try
            {
                for (; _done < count; Interlocked.Increment(ref _done))
                {
                    var input = make(random);
                    var bytes = bytesOf(input);
                    Volatile.Write(ref _current, string.Join(' ', bytes.Select(Convert.ToHexString)));
                    var bound = Fixed + (long)BytesPerByte * bytes.Sum(part => part.Length);
                    var outcome = Outcome(input, read, out var allocated);

                    // What is set up once for all is not this input's: it counts when it happens again.
                    if (allocated > bound) Outcome(input, read, out allocated);
                    if (allocated > bound) throw new InvalidOperationException($"{allocated} bytes were allocated, {bound} are the most.");
                    outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
                }
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }
    }

    /// <summary>Feeds inputs of one part.</summary>
    public void Run(Func<Random, byte[]> make, Func<byte[], bool> read) => Run(make, input => [input], read);

    private string Outcome<T>(T input, Func<T, bool> read, out long allocated)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        string outcome;
        try
        {
            outcome = read(input) ? "accepted" : "nothing to do";
        }
        catch (Exception exception) when (IsTyped(exception))
        {
            outcome = exception is CsfleException { Code: var code } ? code : exception.GetType().Name;
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return outcome;
    }
}
