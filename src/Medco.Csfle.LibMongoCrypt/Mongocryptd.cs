using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Medco.Csfle.Engine;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>
/// The process that analyses commands where <c>crypt_shared</c> is not loaded: where it listens, how it is started, and what to
/// say when it does not answer.
/// </summary>
/// <remarks>
/// The driver starts it by itself, but only after ten seconds without an answer, and reports what went wrong as a timeout. So it
/// is started here, at start-up; the driver starts it again after it has shut itself down.
/// </remarks>
internal sealed class Mongocryptd
{
    private const string Program = "mongocryptd";

    // An answer from the same machine comes at once; a process needs time to start.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(10);

    private static int _lastNumber;

    private readonly LibMongoCryptOptions _options;
    private readonly ILogger _logger;
    private readonly MongoUrl _url;
    private string? _started;

    /// <summary>Starts nothing yet.</summary>
    public Mongocryptd(LibMongoCryptOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;

        // Clients with equal settings share their connections, and the driver closes those of an engine with it: without a
        // name of its own, the engine of one factory would take those of another one with it.
        var builder = new MongoUrlBuilder(options.MongocryptdUri ?? $"mongodb://localhost:{options.MongocryptdPort ?? LibMongoCryptOptions.DefaultMongocryptdPort}");
        builder.ApplicationName = $"Medco.Csfle {Interlocked.Increment(ref _lastNumber).ToString(CultureInfo.InvariantCulture)}";
        _url = builder.ToMongoUrl();
    }

    /// <summary>Host and port, without what else may stand in a connection string.</summary>
    public string Address => string.Join(",", _url.Servers);

    /// <summary>The options of the driver that say the same.</summary>
    public IEnumerable<KeyValuePair<string, object>> DriverOptions
    {
        get
        {
            yield return new("mongocryptdURI", _url.ToString());
            yield return new("mongocryptdBypassSpawn", _options.MongocryptdBypassSpawn);
            yield return new("mongocryptdSpawnPath", _options.MongocryptdSpawnPath ?? "");
            yield return new("mongocryptdSpawnArgs", Arguments);
        }
    }

    private string Arguments
    {
        get
        {
            var arguments = new List<string> { $"--port={(_options.MongocryptdPort ?? _url.Server.Port).ToString(CultureInfo.InvariantCulture)}" };
            arguments.Add($"--idleShutdownTimeoutSecs={_options.MongocryptdIdleShutdownTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)}");
            arguments.AddRange(_options.MongocryptdSpawnArguments);
            if (!arguments.Any(argument => argument.Contains("logpath", StringComparison.Ordinal)))
            {
                arguments.Add($"--logpath={(OperatingSystem.IsWindows() ? "nul" : "/dev/null")}");
                arguments.Add("--logappend");
            }

            return string.Join(' ', arguments);
        }
    }

    /// <summary>Starts it where it does not answer and may be started.</summary>
    /// <exception cref="LibMongoCryptException">It cannot be started, or does not answer.</exception>
    public void EnsureRunning(CancellationToken cancellationToken)
    {
        using var connection = new Connection(_url);
        if (Answers(connection, cancellationToken)) return;
        using var process = Start();
        for (var waiting = Stopwatch.StartNew(); ;)
        {
            // Asked before it is asked for an answer: one that ended since another was faster leaves that one to answer.
            var isOver = process.HasExited || waiting.Elapsed > StartTime;
            if (Answers(connection, cancellationToken)) return;
            if (isOver) throw StartedInVain(process);
        }
    }

    /// <inheritdoc cref="EnsureRunning"/>
    public async ValueTask EnsureRunningAsync(CancellationToken cancellationToken)
    {
        using var connection = new Connection(_url);
        if (await AnswersAsync(connection, cancellationToken).ConfigureAwait(false)) return;
        using var process = Start();
        for (var waiting = Stopwatch.StartNew(); ;)
        {
            // Asked before it is asked for an answer: one that ended since another was faster leaves that one to answer.
            var isOver = process.HasExited || waiting.Elapsed > StartTime;
            if (await AnswersAsync(connection, cancellationToken).ConfigureAwait(false)) return;
            if (isOver) throw StartedInVain(process);
        }
    }

    /// <summary>Whether an answer came from it.</summary>
    public bool IsAt(EndPoint? endPoint) => endPoint switch
    {
        DnsEndPoint dns => _url.Servers.Any(server => server.Port == dns.Port && string.Equals(server.Host, dns.Host, StringComparison.OrdinalIgnoreCase)),
        IPEndPoint ip => _url.Servers.Any(server => server.Port == ip.Port && string.Equals(server.Host, ip.Address.ToString(), StringComparison.OrdinalIgnoreCase)),
        null => false,
        _ => _url.Servers.Any(server => server.Host == endPoint.ToString()),
    };

    /// <summary>Whether an error of the driver is about it: the driver names servers by their addresses.</summary>
    public bool IsMeantBy(string message)
        => message.Contains(Program, StringComparison.Ordinal) || _url.Servers.Any(server => message.Contains($"{server.Host}:{server.Port}", StringComparison.Ordinal));

    /// <summary>The error to throw where it does not answer.</summary>
    public LibMongoCryptException Unreachable(Exception? cause)
    {
        var tried = _options.MongocryptdBypassSpawn ? "it is not started from here, as MongocryptdBypassSpawn says"
            : _started is { } started ? $"it was started as {started}"
            : $"it was not started";
        return Unavailable($"no mongocryptd answers at {Address}, and {tried}", cause);
    }

    /// <summary>The error to throw where it is too old for the driver.</summary>
    public LibMongoCryptException TooOld(Exception cause) => new(
        CsfleErrorCode.MongocryptdTooOld,
        $"The mongocryptd at {Address} is too old for MongoDB.Driver: {cause.Message.TrimEnd('.')}",
        "Install one of a newer MongoDB Enterprise Server, and make sure that no old one goes on running at that port.",
        cause);

    /// <summary>The error to throw where it refuses a command that holds nothing but a schema: it is a server, or refuses the schema.</summary>
    public LibMongoCryptException Refuses(QueryAnalysisException refusal) => new(
        CsfleErrorCode.QueryAnalysisUnavailable,
        $"What listens at {Address} refuses the schema of '{refusal.Collection}': {refusal.Message}",
        $"If that is a mongod and no mongocryptd, name the address of one with {nameof(LibMongoCryptOptions.MongocryptdUri)} or {nameof(LibMongoCryptOptions.MongocryptdPort)}; else correct the schema.",
        refusal);

    private static LibMongoCryptException Unavailable(string what, Exception? cause) => new(
        CsfleErrorCode.QueryAnalysisUnavailable,
        $"libmongocrypt has nothing to analyse commands with: {CryptShared.FileName} was not found where the system looks for libraries, and {what}",
        $"Install one of them: crypt_shared, a library from MongoDB's Download Center, named with {nameof(LibMongoCryptOptions.CryptSharedLibraryPath)}; or mongocryptd of MongoDB Enterprise, "
            + $"package mongodb-enterprise-cryptd, named with {nameof(LibMongoCryptOptions.MongocryptdSpawnPath)} or {nameof(LibMongoCryptOptions.MongocryptdUri)}. The managed engine needs neither.",
        cause);

    private bool Answers(Connection connection, CancellationToken cancellationToken)
    {
        try
        {
            connection.Ping(cancellationToken);
            return true;
        }
        catch (MongoIncompatibleDriverException exception)
        {
            throw TooOld(exception);
        }
        catch (Exception exception) when (IsSilence(exception))
        {
            return false;
        }
    }

    private async ValueTask<bool> AnswersAsync(Connection connection, CancellationToken cancellationToken)
    {
        try
        {
            await connection.PingAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (MongoIncompatibleDriverException exception)
        {
            throw TooOld(exception);
        }
        catch (Exception exception) when (IsSilence(exception))
        {
            return false;
        }
    }

    private static bool IsSilence(Exception exception) => exception is TimeoutException or MongoConnectionException;

    private Process Start()
    {
        if (_options.MongocryptdBypassSpawn) throw Unreachable(null);
        var path = FindProgram();
        var arguments = Arguments;
        _started = $"'{path} {arguments}'";
        try
        {
            var process = Process.Start(new ProcessStartInfo(path, arguments) { CreateNoWindow = true, UseShellExecute = false })!;
            _logger.MongocryptdStarted(path, arguments);
            return process;
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException)
        {
            throw Unavailable($"mongocryptd cannot be started as {_started}: {exception.Message.TrimEnd('.')}", exception);
        }
    }

    // As the driver looks for it, so that the one which it starts later is the same one.
    private string FindProgram()
    {
        var file = OperatingSystem.IsWindows() ? $"{Program}.exe" : Program;
        var named = _options.MongocryptdSpawnPath;
        if (!string.IsNullOrEmpty(named))
        {
            var path = Directory.Exists(named) ? Path.Combine(named, file) : named;
            return File.Exists(path) ? path : throw Unavailable($"there is no mongocryptd at '{Path.GetFullPath(path)}', which {nameof(LibMongoCryptOptions.MongocryptdSpawnPath)} names", null);
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists)
            ?? throw Unavailable($"no mongocryptd answers at {Address}, and there is no file '{file}' in a folder of PATH ({string.Join(", ", folders)})", null);
    }

    private LibMongoCryptException StartedInVain(Process process)
        => process.HasExited
            ? Unavailable($"mongocryptd, started as {_started}, ended at once with exit code {process.ExitCode}", null)
            : Unavailable($"mongocryptd, started as {_started}, does not answer at {Address}", null);

    /// <summary>A client of its own that does not wait as long as others.</summary>
    private sealed class Connection : IDisposable
    {
        private static readonly BsonDocument PingCommand = new("ping", 1);

        private readonly MongoClient _client;

        public Connection(MongoUrl url)
        {
            var settings = MongoClientSettings.FromUrl(url);
            settings.ServerSelectionTimeout = AnswerTime;
            _client = new MongoClient(settings);
        }

        public void Ping(CancellationToken cancellationToken)
        {
            try
            {
                _client.GetDatabase("admin").RunCommand<BsonDocument>(PingCommand, cancellationToken: cancellationToken);
            }
            catch (MongoCommandException)
            {
                // An answer all the same.
            }
        }

        public async Task PingAsync(CancellationToken cancellationToken)
        {
            try
            {
                await _client.GetDatabase("admin").RunCommandAsync<BsonDocument>(PingCommand, cancellationToken: cancellationToken).ConfigureAwait(false);
            }
            catch (MongoCommandException)
            {
                // An answer all the same.
            }
        }

        public void Dispose()
        {
            ClusterRegistry.Instance.UnregisterAndDisposeCluster(_client.Cluster);
            _client.Dispose();
        }
    }
}
