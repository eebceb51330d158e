using System.Text;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>Which names databases and collections may have (manual, "MongoDB Limits and Thresholds", "Naming Restrictions").</summary>
internal static class NamespaceRules
{
    private const int MaxDatabaseNameBytes = 63;
    private const int MaxNamespaceBytes = 255;

    public static void CheckDatabase(string name)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > MaxDatabaseNameBytes || name.AsSpan().IndexOfAny("/\\. \"$\0") >= 0)
        {
            throw new ServerException(ErrorCode.InvalidNamespace, $"Invalid database name: '{name}'");
        }
    }

    /// <summary>Checks the name of a collection that a command speaks of.</summary>
    public static void CheckCollection(string database, string name)
    {
        if (name.Length == 0 || name[0] == '.' || name[^1] == '.' || name.AsSpan().IndexOfAny("$\0") >= 0)
        {
            throw new ServerException(ErrorCode.InvalidNamespace, $"Invalid namespace specified '{database}.{name}'");
        }

        if (Encoding.UTF8.GetByteCount(database) + 1 + Encoding.UTF8.GetByteCount(name) > MaxNamespaceBytes)
        {
            throw new ServerException(ErrorCode.InvalidNamespace, $"Fully qualified namespace is too long. Max: {MaxNamespaceBytes} bytes");
        }
    }

    /// <summary>Checks the name of a collection that a command writes, creates or drops: the system's own are not for that.</summary>
    public static void CheckWritableCollection(string database, string name)
    {
        CheckCollection(database, name);
        if (name == "system" || name.StartsWith("system.", StringComparison.Ordinal))
        {
            throw new ServerException(ErrorCode.InvalidNamespace, $"cannot write to '{database}.{name}'");
        }
    }
}
