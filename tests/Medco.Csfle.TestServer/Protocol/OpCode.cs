namespace Medco.Csfle.TestServer.Protocol;

/// <summary>The kinds of messages this server reads and writes.</summary>
internal static class OpCode
{
    /// <summary>The old reply, in answer to <see cref="Query"/>.</summary>
    public const int Reply = 1;

    /// <summary>The old query, which drivers still send to say hello.</summary>
    public const int Query = 2004;

    /// <summary>Every command and every reply to it.</summary>
    public const int Msg = 2013;
}
