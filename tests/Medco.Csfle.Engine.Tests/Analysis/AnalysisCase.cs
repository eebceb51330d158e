using System.Text;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>One case of a text file in <c>Cases/</c>.</summary>
/// <remarks>
/// <code>
/// # a comment
/// case: name
/// schema: {...} or the name of a file in Cases/Schemas
/// joined: the schema of a second collection, db.joined; may be left out
/// allow: namespaces that may be written without a schema, separated by blanks; may be left out
/// command: {...}
/// expect: {...} | unchanged | error CODE text the message contains
/// </code>
/// A value goes on over the following lines until the next of these words. The collection is <c>db.coll</c>. In
/// <c>expect</c>, <c>{"$encrypted": {"a": 1, "k": "...", "v": value}}</c> stands for a ciphertext: algorithm (1 deterministic,
/// 2 random), key (id or alternate name) and plaintext.
/// </remarks>
public sealed record AnalysisCase(string File, string Name, string Schema, string Joined, string Allow, string Command, string Expect)
{
    private static readonly string[] Required = ["case", "schema", "command", "expect"];

    private static readonly string[] Keys = [.. Required, "joined", "allow"];

    /// <summary>All cases of all files, in order.</summary>
    public static IReadOnlyList<AnalysisCase> LoadAll()
        => [.. Directory.EnumerateFiles(Folder, "*.case").Order(StringComparer.Ordinal).SelectMany(Load)];

    /// <summary>What analysis makes of a command, this case's own or one made from it, under the case's schema.</summary>
    internal EncryptionPlan Analyze(byte[] command)
    {
        var analyzer = new CommandAnalyzer(new UnencryptedNamespaces(Allow.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        List<KeyValuePair<string, EncryptionSchema>> schemas = [new("db.coll", EncryptionSchema.Parse(Schema))];
        if (Joined.Length > 0) schemas.Add(new("db.joined", EncryptionSchema.Parse(Joined)));
        return analyzer.Analyze("db", command, new SchemaMap(schemas));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{File}: {Name}";

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Analysis", "Cases");

    private static IEnumerable<AnalysisCase> Load(string path)
    {
        Dictionary<string, StringBuilder>? current = null;
        StringBuilder? value = null;
        var number = 0;
        foreach (var line in System.IO.File.ReadLines(path))
        {
            number++;
            if (line.StartsWith('#') || line.Length == 0) continue;
            var key = Keys.FirstOrDefault(candidate => line.StartsWith(candidate + ":", StringComparison.Ordinal));
            if (key == "case")
            {
                if (current is not null) yield return Finish(path, current);
                current = [];
            }

            if (current is null) throw new InvalidDataException($"{path}:{number}: text before the first case");
            if (key is not null)
            {
                value = new StringBuilder();
                if (!current.TryAdd(key, value)) throw new InvalidDataException($"{path}:{number}: '{key}' twice in one case");
                value.Append(line.AsSpan(key.Length + 1));
            }
            else
            {
                value!.Append('\n').Append(line);
            }
        }

        if (current is not null) yield return Finish(path, current);
    }

    private static AnalysisCase Finish(string path, Dictionary<string, StringBuilder> parts)
    {
        foreach (var key in Required)
        {
            if (!parts.ContainsKey(key)) throw new InvalidDataException($"{path}: case '{parts["case"]}' has no '{key}'");
        }

        return new AnalysisCase(
            Path.GetFileName(path), parts["case"].ToString().Trim(), ReadSchema(parts["schema"]),
            parts.TryGetValue("joined", out var joined) ? ReadSchema(joined) : "",
            parts.TryGetValue("allow", out var allow) ? allow.ToString().Trim() : "",
            parts["command"].ToString().Trim(), parts["expect"].ToString().Trim());
    }

    private static string ReadSchema(StringBuilder value)
    {
        var text = value.ToString().Trim();
        return text.StartsWith('{') ? text : System.IO.File.ReadAllText(Path.Combine(Folder, "Schemas", text));
    }
}
