using System.Runtime.CompilerServices;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Medco.Csfle.Testing;

/// <summary>
/// Keeps the encryption schemas of an application in a file beside the test, so that a changed class, convention or attribute
/// that changes what is encrypted shows up in review.
/// </summary>
public static class SchemaSnapshots
{
    /// <summary>The environment variable that, set to <c>1</c>, has snapshots written instead of compared.</summary>
    public const string AcceptVariable = "CSFLE_ACCEPT_SNAPSHOTS";

    private const string KeyIdName = "keyId";

    /// <summary>
    /// Compares the encryption schemas of all registered collections with a file. A file that is not there is written, except on
    /// a build server, where the environment variable <c>CI</c> is <c>true</c>: there it is missing from the commit.
    /// </summary>
    /// <param name="csfle">The factory, started.</param>
    /// <param name="fileName">The file, from the folder of the source file that calls; or a full path.</param>
    /// <param name="callerFilePath">Filled in by the compiler.</param>
    /// <exception cref="EncryptionAssertionException">
    /// The file says something else; the message shows the lines that differ. Or it is missing on a build server, or the folder of
    /// the source file is not on this machine, as in a build with mapped source paths.
    /// </exception>
    /// <exception cref="CsfleConfigurationException">The factory has not been started.</exception>
    public static void ShouldMatchSchemaSnapshot(this ICsfleClientFactory csfle, string fileName, [CallerFilePath] string callerFilePath = "")
    {
        ArgumentNullException.ThrowIfNull(csfle);
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        Check(
            PathOf(fileName, callerFilePath),
            TextOf(csfle),
            Environment.GetEnvironmentVariable(AcceptVariable) == "1",
            string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase));
    }

    internal static string TextOf(ICsfleClientFactory csfle)
        => TextOf(csfle.Schemas, csfle.Keys.Store.Find(Schema.RegisteredCollections.KeyIdsIn(csfle.Schemas.Values), []));

    /// <summary>
    /// The schemas in indented Extended JSON, by namespace, with the names of the data keys in the place of their ids, which differ
    /// from one key vault to the next. Of several names of a key it is the first by code points; a key without names keeps its id.
    /// </summary>
    internal static string TextOf(IReadOnlyDictionary<string, EncryptionSchema> schemas, IEnumerable<DataKeyDocument> keys)
    {
        var names = keys.Where(key => key.KeyAltNames.Count > 0).ToDictionary(key => key.Id, key => key.KeyAltNames.Order(StringComparer.Ordinal).First());
        var all = new BsonDocument(schemas.OrderBy(schema => schema.Key, StringComparer.Ordinal)
            .Select(schema => new BsonElement(schema.Key, Named(BsonSerializer.Deserialize<BsonDocument>(schema.Value.ToBson()), names))));
        return $"{ExtendedJson.ToJson(all.ToBson(), indented: true).ReplaceLineEndings("\n")}\n";
    }

    internal static void Check(string path, string actual, bool accept, bool isBuildServer)
    {
        if (accept || (!File.Exists(path) && !isBuildServer))
        {
            File.WriteAllText(path, actual);
            return;
        }

        if (!File.Exists(path))
        {
            throw new EncryptionAssertionException($"The schema snapshot '{path}' is missing. On a build server none is written: run the test elsewhere, look at the file, and commit it.");
        }

        var approved = File.ReadAllText(path).ReplaceLineEndings("\n");
        if (approved == actual) return;
        throw new EncryptionAssertionException(
            $"""
            The encryption schemas are not those of the snapshot '{path}' (-: snapshot, +: now).
            {LineDifference.Of(approved, actual)}
            If the change is meant, run the test with {AcceptVariable}=1, which writes the file, and commit the file with the change. What is stored already stays as it is: a field that is encrypted otherwise than before may not be found or read any more.
            """);
    }

    private static string PathOf(string fileName, string callerFilePath)
    {
        if (Path.IsPathRooted(fileName)) return fileName;
        var folder = Path.GetDirectoryName(callerFilePath);
        if (Directory.Exists(folder)) return Path.Combine(folder, fileName);
        return Unmapped(folder) is { } unmapped
            ? Path.Combine(unmapped, fileName)
            : throw new EncryptionAssertionException($"The folder '{folder}' of the source file that asks for the schema snapshot '{fileName}' is not on this machine. Pass a full path, or build without mapping source paths (-p:DeterministicSourcePaths=false).");
    }

    // Builds for release write '/_/' for the root of the repository, which is somewhere above where the test runs.
    private static string? Unmapped(string? folder)
    {
        var parts = folder?.Split('/', '\\') ?? [];
        if (parts is not ["", ['_', ..], ..]) return null;
        var relative = Path.Combine([.. parts[2..]]);
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var candidate = Path.Combine(directory.FullName, relative);
            if (Directory.Exists(candidate)) return candidate;
        }

        return null;
    }

    private static BsonValue Named(BsonValue value, IReadOnlyDictionary<Guid, string> names) => value switch
    {
        BsonDocument document => new BsonDocument(document.Select(element => new BsonElement(
            element.Name, element is { Name: KeyIdName, Value: BsonArray ids } ? new BsonArray(ids.Select(id => NameOf(id, names))) : Named(element.Value, names)))),
        BsonArray array => new BsonArray(array.Select(item => Named(item, names))),
        _ => value,
    };

    private static BsonValue NameOf(BsonValue id, IReadOnlyDictionary<Guid, string> names)
        => id is BsonBinaryData { SubType: BsonBinarySubType.UuidStandard } binary && names.TryGetValue(new Guid(binary.Bytes, bigEndian: true), out var name) ? name : id;
}
