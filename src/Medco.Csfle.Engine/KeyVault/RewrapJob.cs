using System.Security.Cryptography;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Wraps the data keys of a key vault with another master key, or with the newest version of their own, in a way that nothing can
/// be lost: first everything is tried without writing, then a backup is written, then the keys, and at the end every key is
/// unwrapped and compared with the one in the backup.
/// </summary>
/// <remarks>
/// <para>A run may stop anywhere, and be run again with <see cref="RewrapJobOptions.Resume"/>: a key is wrapped the old way or the new
/// one, and works either way, as long as both master keys are configured. With a new master key, a key that has it already is
/// done; with its own, one whose wrapping is not that of the backup any more.</para>
/// <para>Applications go on working meanwhile, provided that both master keys are configured there, too.</para>
/// </remarks>
public sealed class RewrapJob
{
    // Between two commands a run can be cancelled.
    private const int BatchSize = 100;
    private const string ActivityName = "csfle.rewrap";

    private readonly KeyVaultService _vault;
    private readonly RewrapJobOptions _options;
    private readonly byte[]? _target;

    /// <summary>A job on a key vault. Nothing is read or written yet.</summary>
    /// <param name="vault">The key vault, with the old master keys and the new one.</param>
    /// <param name="options">What to do.</param>
    /// <exception cref="DataKeyException">The KMS of the new master key is not configured, or its fields are not those of the provider.</exception>
    public RewrapJob(KeyVaultService vault, RewrapJobOptions options)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(options.BackupPath, nameof(options));
        _vault = vault;
        _options = options;
        _target = vault.RewrapTarget(options.Target);
    }

    /// <summary>
    /// The dry run: says what <see cref="Run"/> would do. Every key is unwrapped, wrapped anew and unwrapped again; nothing is written.
    /// </summary>
    /// <exception cref="KeyVaultException">The key vault cannot be read, or the backup is in the way.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: a document is no data key.</exception>
    public RewrapPlan Plan(CancellationToken cancellationToken = default) => Prepare(cancellationToken).Plan;

    /// <inheritdoc cref="Plan"/>
    public async ValueTask<RewrapPlan> PlanAsync(CancellationToken cancellationToken = default)
        => (await PrepareAsync(cancellationToken).ConfigureAwait(false)).Plan;

    /// <summary>Does it. Where every key is wrapped as it should be already, nothing is written and no backup either.</summary>
    /// <exception cref="DataKeyException">A key does not unwrap. Before the first write nothing was changed; afterwards, there is the backup.</exception>
    /// <exception cref="KeyVaultException">The key vault or the backup cannot be read or written. Run it again with <see cref="RewrapJobOptions.Resume"/>.</exception>
    public RewrapReport Run(CancellationToken cancellationToken = default)
    {
        using var call = MeasuredCall.Begin(ActivityName);
        try
        {
            return Report(call, RunOnce(cancellationToken));
        }
        catch (Exception exception) when (call?.Fail(exception) ?? false)
        {
            throw;
        }
    }

    /// <inheritdoc cref="Run"/>
    public async ValueTask<RewrapReport> RunAsync(CancellationToken cancellationToken = default)
    {
        using var call = MeasuredCall.Begin(ActivityName);
        try
        {
            return Report(call, await RunOnceAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (Exception exception) when (call?.Fail(exception) ?? false)
        {
            throw;
        }
    }

    private RewrapReport Report(MeasuredCall? call, RewrapReport report)
    {
        call?.Tag("medco.csfle.keys", report.Rewrapped);
        _vault.Logger.KeysRewrapped(report.Rewrapped, report.Checked, _vault.Store.Description);
        return report;
    }

    private RewrapReport RunOnce(CancellationToken cancellationToken)
    {
        var prepared = Prepare(cancellationToken);
        prepared.ThrowIfProblem();
        var backup = prepared.Backup;
        if (backup is null && prepared.Rewrapped.Count > 0) backup = WriteBackup(_vault.FindKeys(default, cancellationToken));
        RequireKept(backup, prepared);

        foreach (var batch in prepared.Rewrapped.Chunk(BatchSize)) _vault.Store.Rewrap(batch, _vault.Time.GetUtcNow(), cancellationToken);

        foreach (var before in prepared.All)
        {
            var after = _vault.FindById(before.Id, cancellationToken) ?? throw Vanished(before);
            byte[]? material = null, kept = null;
            try
            {
                material = _vault.Unwrap(after, cancellationToken);
                if (backup?.Find(before.Id) is { } document) kept = _vault.Unwrap(document, cancellationToken);
                Compare(after, material, kept, backup);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(material);
                CryptographicOperations.ZeroMemory(kept);
            }
        }

        return new RewrapReport(prepared.Rewrapped.Count, prepared.All.Count, backup?.Path);
    }

    private async ValueTask<RewrapReport> RunOnceAsync(CancellationToken cancellationToken)
    {
        var prepared = await PrepareAsync(cancellationToken).ConfigureAwait(false);
        prepared.ThrowIfProblem();
        var backup = prepared.Backup;
        if (backup is null && prepared.Rewrapped.Count > 0) backup = WriteBackup(await _vault.FindKeysAsync(default, cancellationToken).ConfigureAwait(false));
        RequireKept(backup, prepared);

        foreach (var batch in prepared.Rewrapped.Chunk(BatchSize))
        {
            await _vault.Store.RewrapAsync(batch, _vault.Time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        }

        foreach (var before in prepared.All)
        {
            var after = await _vault.FindByIdAsync(before.Id, cancellationToken).ConfigureAwait(false) ?? throw Vanished(before);
            byte[]? material = null, kept = null;
            try
            {
                material = await _vault.UnwrapAsync(after, cancellationToken).ConfigureAwait(false);
                if (backup?.Find(before.Id) is { } document) kept = await _vault.UnwrapAsync(document, cancellationToken).ConfigureAwait(false);
                Compare(after, material, kept, backup);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(material);
                CryptographicOperations.ZeroMemory(kept);
            }
        }

        return new RewrapReport(prepared.Rewrapped.Count, prepared.All.Count, backup?.Path);
    }

    private Prepared Prepare(CancellationToken cancellationToken)
    {
        var prepared = new Prepared(ReadBackup());
        foreach (var key in _vault.FindKeys(_options.Filter, cancellationToken))
        {
            if (prepared.AddDone(key, IsDone(key, prepared.Backup))) continue;
            try
            {
                prepared.Add(key, _vault.Rewrap(key, _target, cancellationToken));
            }
            catch (CsfleException e)
            {
                prepared.Add(key, e);
            }
        }

        return prepared;
    }

    private async ValueTask<Prepared> PrepareAsync(CancellationToken cancellationToken)
    {
        var prepared = new Prepared(ReadBackup());
        foreach (var key in await _vault.FindKeysAsync(_options.Filter, cancellationToken).ConfigureAwait(false))
        {
            if (prepared.AddDone(key, IsDone(key, prepared.Backup))) continue;
            try
            {
                prepared.Add(key, await _vault.RewrapAsync(key, _target, cancellationToken).ConfigureAwait(false));
            }
            catch (CsfleException e)
            {
                prepared.Add(key, e);
            }
        }

        return prepared;
    }

    private bool IsDone(DataKeyDocument key, RewrapBackup? backup)
        => _target is not null
            ? key.MasterKey.Span.SequenceEqual(_target)
            : backup?.Find(key.Id) is { } kept && !key.KeyMaterial.Span.SequenceEqual(kept.KeyMaterial.Span);

    private RewrapBackup? ReadBackup()
    {
        if (!File.Exists(_options.BackupPath)) return null;
        return _options.Resume
            ? RewrapBackup.Read(_options.BackupPath)
            : throw new KeyVaultException($"the backup '{_options.BackupPath}' exists already",
                $"Give another path; or, to go on with the run that wrote it and stopped, set {nameof(RewrapJobOptions.Resume)}.");
    }

    private RewrapBackup WriteBackup(IReadOnlyList<DataKeyDocument> keys) => RewrapBackup.Write(_options.BackupPath, keys);

    // A key that came, or was wrapped anew by somebody else, since the backup was written would be changed without one.
    private static void RequireKept(RewrapBackup? backup, Prepared prepared)
    {
        foreach (var key in prepared.Plan.ToRewrap)
        {
            if (backup?.Find(key.Id) is { } kept && kept.KeyMaterial.Span.SequenceEqual(key.KeyMaterial.Span)) continue;
            throw new KeyVaultException($"the backup '{backup?.Path}' does not hold {key} as it is now", "Nothing was changed. Start a new run with a new backup.");
        }
    }

    private static void Compare(DataKeyDocument after, byte[] material, byte[]? kept, RewrapBackup? backup)
    {
        if (kept is null || CryptographicOperations.FixedTimeEquals(material, kept)) return;
        throw new DataKeyException(CsfleErrorCode.DataKeyNotUnwrapped, $"{after} is not the key that the backup '{backup?.Path}' holds under its id",
            "Restore it from the backup: without it, what it encrypted cannot be read.", after.Id);
    }

    private static DataKeyException Vanished(DataKeyDocument key) => new(
        CsfleErrorCode.DataKeyNotFound, $"{key} is not in the key vault any more", "It was deleted meanwhile. Where that was not meant, restore it from the backup.", key.Id);

    private sealed class Prepared(RewrapBackup? backup)
    {
        private readonly List<DataKeyDocument> _toRewrap = [];
        private readonly List<DataKeyDocument> _done = [];
        private readonly List<CsfleException> _problems = [];
        private readonly List<RewrappedKey> _rewrapped = [];

        public RewrapBackup? Backup => backup;

        public IReadOnlyList<RewrappedKey> Rewrapped => _rewrapped;

        public IReadOnlyList<DataKeyDocument> All => [.. _done, .. _toRewrap];

        public RewrapPlan Plan => new(_toRewrap, _done, _problems);

        public bool AddDone(DataKeyDocument key, bool isDone)
        {
            if (isDone) _done.Add(key);
            return isDone;
        }

        public void Add(DataKeyDocument key, RewrappedKey rewrapped)
        {
            _toRewrap.Add(key);
            _rewrapped.Add(rewrapped);
        }

        public void Add(DataKeyDocument key, CsfleException problem)
        {
            _toRewrap.Add(key);
            _problems.Add(problem);
        }

        public void ThrowIfProblem()
        {
            if (_problems.Count > 0) throw _problems[0];
        }
    }
}
