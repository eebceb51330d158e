using System.Diagnostics;

namespace Medco.Csfle.Benchmarks;

/// <summary>
/// Operations per second of 1 to 64 threads that share one engine, or one libmongocrypt. Rounds go over all numbers of threads
/// in turn, so that what else the machine does spoils none of them alone.
/// </summary>
internal static class Throughput
{
    public const string Encrypt = "encrypting one patient";
    public const string Decrypt = "decrypting one patient";

    public static readonly int[] Threads = [1, 2, 4, 8, 16, 32, 64];

    /// <summary>Measures.</summary>
    /// <param name="figures">Receives the time per operation of all threads together: the median of the rounds.</param>
    /// <param name="rounds">How many rounds.</param>
    /// <param name="length">How long each measurement of a round takes.</param>
    public static void Measure(Figures figures, int rounds, TimeSpan length)
    {
        using var work = new PatientWork();
        var peer = work.LibMongoCryptFor(work.Insert);
        var reply = work.Reply(1);
        var contests = new List<(string What, string Who, Action Operation)>
        {
            (Encrypt, Contestant.Engine, () => work.Engine.EncryptCommand(PatientWork.Database, work.Insert)),
            (Decrypt, Contestant.Engine, () => work.Engine.DecryptReply(reply)),
        };
        if (peer is not null)
        {
            contests.Add((Encrypt, Contestant.LibMongoCrypt, () => peer.EncryptCommand(PatientWork.Database, work.Insert)));
            contests.Add((Decrypt, Contestant.LibMongoCrypt, () => peer.DecryptReply(reply)));
        }

        foreach (var (what, who, operation) in contests)
        {
            Run(operation, Threads[^1], length);
            var measured = Threads.ToDictionary(threads => threads, _ => new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                foreach (var threads in Threads) measured[threads].Add(Run(operation, threads, length));
            }

            foreach (var threads in Threads) figures.Add(Work.Threads(what, threads), who, Figures.MedianOf(measured[threads]));
        }
    }

    // Nanoseconds per operation of all threads together.
    private static double Run(Action operation, int threads, TimeSpan length)
    {
        using var barrier = new Barrier(threads + 1);
        var isOver = false;
        var counts = new long[threads];
        var workers = Enumerable.Range(0, threads).Select(index => new Thread(() =>
        {
            barrier.SignalAndWait();
            long count = 0;
            while (!Volatile.Read(ref isOver))
            {
                operation();
                count++;
            }

            counts[index] = count;
        })).ToArray();
        foreach (var worker in workers) worker.Start();
        barrier.SignalAndWait();
        var started = Stopwatch.GetTimestamp();
        Thread.Sleep(length);
        Volatile.Write(ref isOver, true);
        foreach (var worker in workers) worker.Join();
        return Stopwatch.GetElapsedTime(started).TotalNanoseconds / Math.Max(1, counts.Sum());
    }
}
