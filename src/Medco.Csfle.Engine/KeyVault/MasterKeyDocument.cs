using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// The <c>masterKey</c> of a data key: which customer master key wraps it, and where that lives. Reading is strict, as
/// libmongocrypt's is: every field is a string (<c>delegated</c> a boolean), and a field the provider does not have is an error.
/// </summary>
internal static class MasterKeyDocument
{
    private const string ProviderField = "provider";

    private enum Kind
    {
        Text,
        Endpoint,
        EndpointWithoutDot,
        Flag,
    }

    private static readonly Dictionary<string, Field[]> Fields = new(StringComparer.Ordinal)
    {
        [KmsProvider.Local] = [],
        [KmsProvider.Aws] = [new("region"), new("key"), new("endpoint", Kind.Endpoint, Required: false)],
        [KmsProvider.Azure] = [new("keyVaultEndpoint", Kind.Endpoint), new("keyName"), new("keyVersion", Required: false)],
        [KmsProvider.Gcp] =
        [
            new("projectId"), new("location"), new("keyRing"), new("keyName"),
            new("keyVersion", Required: false), new("endpoint", Kind.Endpoint, Required: false),
        ],

        // The key id is optional because a data key is created before the server has given its own.
        [KmsProvider.Kmip] =
        [
            new("keyId", Required: false), new("endpoint", Kind.EndpointWithoutDot, Required: false), new("delegated", Kind.Flag, Required: false),
        ],
    };

    /// <summary>Checks a document.</summary>
    /// <param name="document">The raw BSON.</param>
    /// <param name="keyId">The data key it belongs to, for the message.</param>
    /// <returns>The provider it names.</returns>
    /// <exception cref="DataKeyException">It is not the master key of a provider.</exception>
    /// <exception cref="BsonFormatException">It is not BSON.</exception>
    public static string Validate(ReadOnlySpan<byte> document, Guid? keyId = null)
    {
        var reader = new BsonReader(document);
        if (!reader.ReadTo("provider"u8) || reader.Type != BsonType.String) throw Malformed("expected UTF-8 provider", keyId);
        var provider = reader.GetString();
        if (!KmsProvider.TryGetType(provider, out var type)) throw Malformed($"unrecognized KMS provider: {provider}", keyId);

        var fields = Fields[type];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        reader = new BsonReader(document);
        while (reader.Read())
        {
            var name = reader.GetName();
            if (!seen.Add(name)) throw Malformed($"the field '{name}' stands there twice", keyId);
            if (name == ProviderField) continue;
            var field = Array.Find(fields, candidate => candidate.Name == name) ?? throw Malformed($"Unexpected field: '{name}'", keyId);
            field.Check(reader, keyId);
        }

        foreach (var field in fields)
        {
            if (field.Required && !seen.Contains(field.Name)) throw Malformed($"expected {(field.Kind == Kind.Endpoint ? "endpoint" : "UTF-8")} {field.Name}", keyId);
        }

        return provider;
    }

    /// <summary>The document of a provider: its name, then the fields given.</summary>
    /// <exception cref="DataKeyException">The fields are not those of the provider.</exception>
    /// <exception cref="BsonFormatException">The fields are not BSON.</exception>
    public static byte[] Create(string provider, ReadOnlySpan<byte> fields)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("provider"u8, provider);
        if (!fields.IsEmpty)
        {
            BsonValidator.Validate(fields);
            writer.WriteElements(fields);
        }

        writer.EndDocument();
        var document = writer.ToArray();
        Validate(document);
        return document;
    }

    private static DataKeyException Malformed(string what, Guid? keyId) => new(
        CsfleErrorCode.MalformedDataKey,
        keyId is null ? $"invalid 'masterKey': {what}" : $"invalid 'masterKey' of data key {keyId}: {what}",
        "See MongoDB's manual for the fields that each KMS provider has. A document that was changed by hand is restored from a backup of the key vault.",
        keyId);

    private sealed record Field(string Name, Kind Kind = Kind.Text, bool Required = true)
    {
        public void Check(BsonReader reader, Guid? keyId)
        {
            if (Kind == Kind.Flag)
            {
                if (reader.Type != BsonType.Boolean) throw Malformed($"expected boolean {Name}", keyId);
                return;
            }

            if (reader.Type != BsonType.String) throw Malformed($"expected UTF-8 {Name}", keyId);
            var text = reader.GetUtf8();
            if (text.IsEmpty) throw Malformed($"'{Name}' is empty", keyId);
            if (Kind == Kind.Endpoint && !text.Contains((byte)'.')) throw Malformed($"invalid endpoint: no dot in the host of '{Name}'", keyId);
        }
    }
}
