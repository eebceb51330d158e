namespace Medco.Csfle;

/// <summary>
/// What libmongocrypt analyses commands with, and where that is found. Unless told otherwise: <c>crypt_shared</c> where the
/// system looks for libraries, and where it is not there a <c>mongocryptd</c> on port 27020 of this machine, which is started
/// from <c>PATH</c> where none answers.
/// </summary>
public sealed class LibMongoCryptOptions
{
    /// <summary>The port that <c>mongocryptd</c> listens on unless told otherwise.</summary>
    public const int DefaultMongocryptdPort = 27020;

    /// <summary>
    /// The file of MongoDB's library <c>crypt_shared</c>, <c>mongo_crypt_v1.so</c>, <c>.dylib</c> or <c>.dll</c>;
    /// <c>$ORIGIN</c> in it is the folder of libmongocrypt. Where it is given and cannot be loaded, start-up fails. A process
    /// can load one such file, so that every client in it has to name the same. The drivers call it
    /// <c>cryptSharedLibPath</c>.
    /// </summary>
    public string? CryptSharedLibraryPath { get; set; }

    /// <summary>
    /// Whether start-up fails where <c>crypt_shared</c> was not found, instead of going on with <c>mongocryptd</c>. The drivers
    /// call it <c>cryptSharedLibRequired</c>.
    /// </summary>
    public bool CryptSharedLibraryRequired { get; set; }

    /// <summary>
    /// Where <c>mongocryptd</c> listens, as a connection string: only needed where it does not run on this machine's
    /// <see cref="MongocryptdPort"/>. Commands are sent there in clear. The drivers call it <c>mongocryptdURI</c>.
    /// </summary>
    public string? MongocryptdUri { get; set; }

    /// <summary>
    /// Whether <c>mongocryptd</c> is never started from here: for where it runs as a service. The drivers call it
    /// <c>mongocryptdBypassSpawn</c>.
    /// </summary>
    public bool MongocryptdBypassSpawn { get; set; }

    /// <summary>
    /// The file of <c>mongocryptd</c>, or its folder; without it <c>PATH</c> is searched. The drivers call it
    /// <c>mongocryptdSpawnPath</c>.
    /// </summary>
    public string? MongocryptdSpawnPath { get; set; }

    /// <summary>
    /// The port that a <c>mongocryptd</c> which is started here listens on and that is connected to, 27020 unless told. The
    /// argument <c>--port</c>.
    /// </summary>
    public int? MongocryptdPort { get; set; }

    /// <summary>
    /// After how long without work a <c>mongocryptd</c> that was started here ends, in whole seconds; 60 seconds unless told.
    /// The next command then has to wait until it is started again, which can take more than ten seconds. The argument
    /// <c>--idleShutdownTimeoutSecs</c>.
    /// </summary>
    public TimeSpan MongocryptdIdleShutdownTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Further arguments for a <c>mongocryptd</c> that is started here, such as <c>--logpath=/var/log/mongocryptd.log</c>. With
    /// those above they are what the drivers call <c>mongocryptdSpawnArgs</c>.
    /// </summary>
    public IList<string> MongocryptdSpawnArguments { get; } = [];

    /// <summary>
    /// Whether clients of this engine decrypt only. Neither <c>crypt_shared</c> nor <c>mongocryptd</c> is needed then. Since
    /// nothing would be encrypted, writes to encrypted collections are refused, unless
    /// <see cref="CsfleBuilder.AllowUnencrypted"/> names them: for applications that encrypt every value explicitly. The drivers
    /// call it <c>bypassAutoEncryption</c>.
    /// </summary>
    public bool BypassAutoEncryption { get; set; }

    /// <summary>
    /// The same for Client-Side Field Level Encryption: without query analysis nothing is encrypted automatically. The drivers
    /// call it <c>bypassQueryAnalysis</c>.
    /// </summary>
    public bool BypassQueryAnalysis { get; set; }

    /// <summary>Whether values are encrypted, and not decrypted only.</summary>
    internal bool Encrypts => !BypassAutoEncryption && !BypassQueryAnalysis;
}
