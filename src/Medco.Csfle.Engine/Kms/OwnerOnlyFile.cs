namespace Medco.Csfle.Engine.Kms;

/// <summary>Writes a file that only its owner may read, completely or not at all.</summary>
/// <remarks>
/// The bytes go to a new file in the same folder, to the disk, and under their name in one step, so that a crash leaves the
/// old file or the new one. On Unix the new file is created with mode 0600, never opened up and closed afterwards. On Windows
/// it inherits the access list of its folder: keep it in a folder that only the service's account may read.
/// </remarks>
internal static class OwnerOnlyFile
{
    /// <summary>Read and write for the owner: 0600.</summary>
    public const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">What it shall hold.</param>
    /// <param name="overwrite">Whether a file of that name is replaced.</param>
    /// <param name="reached">Is told after every step; what it throws counts as that step's failure.</param>
    /// <exception cref="IOException">Among others: the file exists and may not be overwritten; nothing was changed.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, bool overwrite, Action<FileWriteStep>? reached = null)
    {
        var target = Path.GetFullPath(path);
        var temporary = Path.Combine(Path.GetDirectoryName(target) ?? target, $".{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = Open(temporary, FileMode.CreateNew))
            {
                reached?.Invoke(FileWriteStep.Created);
                stream.Write(content);
                reached?.Invoke(FileWriteStep.Written);
                stream.Flush(flushToDisk: true);
                reached?.Invoke(FileWriteStep.Flushed);
            }

            Publish(temporary, target, overwrite);
            reached?.Invoke(FileWriteStep.Published);

            // The new name must reach the disk too: data encrypted with a key outlives a power failure on some other machine.
            // .NET cannot flush a folder; flushing the renamed file makes the usual journaling file systems write both.
            using var published = new FileStream(target, new FileStreamOptions { Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
            published.Flush(flushToDisk: true);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Opens a file for writing that no other process may open meanwhile; it is created for the owner alone.</summary>
    public static FileStream Open(string path, FileMode mode)
    {
        // No buffer of the stream's own: what is written may be a key.
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Mode;
        return new FileStream(path, options);
    }

    private static void Publish(string temporary, string target, bool overwrite)
    {
        // On Windows a reader that has the old file open keeps it from being replaced for that moment.
        const int WindowsAttempts = 50;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                File.Move(temporary, target, overwrite);
                return;
            }
            catch (Exception e) when (overwrite && OperatingSystem.IsWindows() && attempt < WindowsAttempts && e is (IOException or UnauthorizedAccessException))
            {
                Thread.Sleep(20);
            }
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here says more.
        }
    }
}
