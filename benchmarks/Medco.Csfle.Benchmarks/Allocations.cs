using System.Text;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Benchmarks;

/// <summary>
/// What one call allocates beside its output array, with 1 to 64 encrypted fields. .NET's one-shot AES allocates on every call;
/// the floor allocates nothing else, and is subtracted.
/// </summary>
internal static class Allocations
{
    public const string Encrypting = "encrypted command";
    public const string Decrypting = "decrypted reply";

    public static readonly int[] Fields = [1, 4, 16, 64];

    private const int Calls = 200;

    public static string Named(string what, int fields) => $"{what}, {fields} fields";

    /// <summary>Measures into the allocations of figures; their medians are 0.</summary>
    /// <param name="figures">Receives the figures.</param>
    public static void Measure(Figures figures)
    {
        foreach (var fields in Fields)
        {
            using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);
            var key = vault.CreateDataKey("local");
            var engine = new CsfleEngine(vault, [new(PatientWork.Namespace, AnalysisBenchmarks.Schema(fields, key))]);
            var command = Command(fields);
            var reply = engine.EncryptCommand(PatientWork.Database, command);
            using var floor = new Floor([.. Enumerable.Range(0, fields).Select(index => (new byte[18], index % 2 == 0))]);
            figures.Add(Named(Encrypting, fields), Contestant.Engine, 0, PerCall(() => engine.EncryptCommand(PatientWork.Database, command).Length));
            figures.Add(Named(Encrypting, fields), Contestant.Floor, 0, PerCall(() => { floor.Encrypt(); return 0; }));
            figures.Add(Named(Decrypting, fields), Contestant.Engine, 0, PerCall(() => engine.DecryptReply(reply).Length));
            figures.Add(Named(Decrypting, fields), Contestant.Floor, 0, PerCall(() => { floor.Decrypt(); return 0; }));
        }
    }

    // The call returns the length of its output array, which is not counted: its bytes, and the head of an array, to 8 bytes.
    private static double PerCall(Func<int> call)
    {
        long output = 0;
        for (var i = 0; i < Calls; i++) call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++) output += call() is var length and > 0 ? (length + 24 + 7) / 8 * 8 : 0;
        return (GC.GetAllocatedBytesForCurrentThread() - before - output) / (double)Calls;
    }

    private static byte[] Command(int fields)
    {
        using var document = new BsonWriter();
        document.StartDocument();
        for (var i = 0; i < fields; i++) document.WriteString(Encoding.UTF8.GetBytes($"field{i}"), "a value to enc");
        document.EndDocument();
        return PatientWork.InsertOf([document.ToArray()]);
    }
}
