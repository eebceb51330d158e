namespace Medco.Csfle.Engine.Wire;

/// <summary>How a <see cref="QueryAnalysisEndpoint"/> listens. There is no address to choose: it is 127.0.0.1.</summary>
internal sealed record QueryAnalysisEndpointOptions
{
    /// <summary>The port; 0, the default, lets the operating system choose one that is free.</summary>
    public int Port { get; init; }

    /// <summary>How many clients are served at once; who comes after that is hung up on. A driver's pool holds 100 unless told otherwise.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>How long a client may be silent between messages; 30 minutes unless told otherwise.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a message may take to arrive once it has begun, and a reply to be taken; 30 seconds unless told otherwise.</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock whose time <c>hello</c> tells.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
