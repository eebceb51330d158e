namespace Medco.Csfle.Benchmarks;

/// <summary>The names of what is measured, as benchmarks and the page call it.</summary>
internal static class Work
{
    public const string Insert = "insert command of one patient";
    public const string Find = "find by SSN";
    public const string Reply = "reply of one patient";
    public const string ReplyOf100 = "reply of 100 patients";
    public const string ReplyOf10000 = "reply of 10,000 patients";
    public const string PlainReply = "reply without anything encrypted";
    public const string PlainInsert = "command without anything to encrypt";

    public static string Threads(string what, int threads) => $"{what}, {threads} threads";
}

/// <summary>The operations measured end to end.</summary>
internal static class EndToEndWork
{
    public const string InsertOne = "insert one patient";
    public const string FindBySsn = "find a patient by SSN";
    public const string Insert100 = "insert 100 patients";
    public const string Find100 = "find 100 patients";

    public static readonly string[] All = [InsertOne, FindBySsn, Insert100, Find100];
}

/// <summary>Where the measuring of a cold start begins.</summary>
internal static class ColdStartWork
{
    public const string FromMain = "first line of Main to the end of the insert";
    public const string WholeProcess = "whole process, start to exit";

    /// <summary>Time of the first spent in the JIT compiler, by all threads.</summary>
    public const string Compiling = "JIT compilation up to then, all threads";

    /// <summary>A number of methods, where others have nanoseconds.</summary>
    public const string Methods = "methods compiled up to then";

    public static readonly string[] All = [FromMain, WholeProcess];
}
