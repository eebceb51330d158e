namespace Medco.Csfle.Engine.KeyVault;

/// <summary>What a <see cref="RewrapJob"/> shall do.</summary>
public sealed class RewrapJobOptions
{
    /// <summary>
    /// The file that the whole key vault is written to before anything changes: a JSON array of key documents in canonical
    /// Extended JSON, readable for its owner alone. <see cref="FileKeyVaultStore"/> and <c>mongoimport --jsonArray</c> read it. It is
    /// never written over.
    /// </summary>
    public required string BackupPath { get; init; }

    /// <summary>The keys to wrap anew; see <see cref="IKeyVaultStore.FindMatching"/>. Empty, unless told, for every key.</summary>
    public ReadOnlyMemory<byte> Filter { get; init; }

    /// <summary>The new master key; unless told, the newest version of each key's own.</summary>
    public RewrapOptions Target { get; init; } = new();

    /// <summary>
    /// Goes on with a run that stopped: a backup that is there is that run's. Where there is none, the run starts anew. Without it,
    /// a backup that is there is an error.
    /// </summary>
    public bool Resume { get; init; }
}

/// <summary>What a <see cref="RewrapJob"/> would do.</summary>
/// <param name="ToRewrap">The keys that it would wrap anew, as they are.</param>
/// <param name="Done">The keys that the filter chooses and that are wrapped as they should be already.</param>
/// <param name="Problems">Why keys cannot be wrapped anew. While there is a problem, the job writes nothing.</param>
public sealed record RewrapPlan(IReadOnlyList<DataKeyDocument> ToRewrap, IReadOnlyList<DataKeyDocument> Done, IReadOnlyList<CsfleException> Problems);

/// <summary>What a <see cref="RewrapJob"/> has done.</summary>
/// <param name="Rewrapped">How many keys were wrapped anew by this run.</param>
/// <param name="Checked">How many keys were unwrapped at the end and found to be the same as before.</param>
/// <param name="BackupPath">The backup; null where there was nothing to change and none was written.</param>
public sealed record RewrapReport(int Rewrapped, int Checked, string? BackupPath);
