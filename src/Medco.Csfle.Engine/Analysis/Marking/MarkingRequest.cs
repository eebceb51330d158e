using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Marking;

/// <summary>
/// A command as libmongocrypt hands it to query analysis: beside the command's own fields stand the schemas of the collections
/// it names. One schema is <c>{ jsonSchema, isRemoteSchema }</c>, several are
/// <c>{ csfleEncryptionSchemas: { "db.coll": { jsonSchema, isRemoteSchema } } }</c>. Source: libmongocrypt (Apache-2.0),
/// mc-schema-broker.c.
/// </summary>
/// <param name="Command">The command without what was added for query analysis, and without <c>$db</c>, which libmongocrypt adds again.</param>
/// <param name="Schemas">The collections that the request gave a schema for. Every collection that the command names is among them.</param>
internal sealed record MarkingRequest(byte[] Command, SchemaMap Schemas)
{
    /// <summary>Takes a request apart.</summary>
    /// <param name="databaseName">The database that the command is for.</param>
    /// <param name="request">One BSON document.</param>
    /// <exception cref="BsonFormatException">It is not BSON.</exception>
    /// <exception cref="QueryAnalysisException">It does not give the schema of every collection that it names.</exception>
    /// <exception cref="EncryptionSchemaException">A schema is not valid.</exception>
    public static MarkingRequest Read(string databaseName, ReadOnlySpan<byte> request)
    {
        BsonValidator.Validate(request);
        BsonReader schema = default, isRemote = default, several = default, queryable = default, database = default;
        using var rest = new BsonWriter(request.Length);
        rest.StartDocument();
        var reader = new BsonReader(request);
        while (reader.Read())
        {
            if (reader.Name.SequenceEqual("jsonSchema"u8)) Take(ref schema, reader);
            else if (reader.Name.SequenceEqual("isRemoteSchema"u8)) Take(ref isRemote, reader);
            else if (reader.Name.SequenceEqual("csfleEncryptionSchemas"u8)) Take(ref several, reader);
            else if (reader.Name.SequenceEqual("encryptionInformation"u8)) Take(ref queryable, reader);
            else if (reader.Name.SequenceEqual("$db"u8)) Take(ref database, reader);
            else rest.WriteRaw(reader.Type, reader.Name, reader.Value);
        }

        rest.EndDocument();
        var command = rest.ToArray();
        var named = CommandNamespaces.Of(databaseName, command);
        IReadOnlyList<string> names = named.Created is { } created ? [created, .. named.Existing] : named.Existing;

        var found = UnencryptedFields.NamespacesIn(command, queryable);
        if (IsThere(several))
        {
            if (IsThere(schema) || IsThere(isRemote)) throw Malformed("Only one of 'jsonSchema' and 'csfleEncryptionSchemas' may be given", "csfleEncryptionSchemas");
            ReadSeveral(several, found);
        }
        else if (IsThere(schema))
        {
            // The command's own namespace is the first that it names.
            var parsed = Parse(schema, isRemote);
            if (names.Count > 0) found[names[0]] = parsed;
        }
        else if (found.Count == 0)
        {
            throw Malformed("The command has neither 'jsonSchema' nor 'csfleEncryptionSchemas'", "jsonSchema");
        }

        // Analysis asks for the schemas it needs; where nothing encrypts anything, for none. One that is missing is an error
        // all the same: the caller may not have known of a collection that it has to look up.
        var schemas = new SchemaMap([]).With(found);
        foreach (var name in names) schemas.Find(name);
        return new MarkingRequest(command, schemas);
    }

    private static void ReadSeveral(in BsonReader element, Dictionary<string, EncryptionSchema?> schemas)
    {
        if (element.Type != BsonType.Document) throw Malformed("'csfleEncryptionSchemas' must be a document", "csfleEncryptionSchemas");
        var entries = element.ReadDocument();
        while (entries.Read())
        {
            if (entries.Type != BsonType.Document) throw Malformed("'csfleEncryptionSchemas' must hold documents", "csfleEncryptionSchemas");
            BsonReader schema = default, isRemote = default;
            var entry = entries.ReadDocument();
            while (entry.Read())
            {
                if (entry.Name.SequenceEqual("jsonSchema"u8)) Take(ref schema, entry);
                else if (entry.Name.SequenceEqual("isRemoteSchema"u8)) Take(ref isRemote, entry);
                else throw Malformed($"BSON field 'csfleEncryptionSchemas.{entry.GetName()}' is an unknown field", "csfleEncryptionSchemas");
            }

            if (!schemas.TryAdd(entries.GetName(), Parse(schema, isRemote))) throw Twice(entries);
        }
    }

    private static EncryptionSchema Parse(in BsonReader schema, in BsonReader isRemote)
    {
        if (!IsThere(schema) || schema.Type != BsonType.Document) throw Malformed("'jsonSchema' must be a document", "jsonSchema");
        if (!IsThere(isRemote) || isRemote.Type != BsonType.Boolean) throw Malformed("'isRemoteSchema' must stand beside 'jsonSchema' and be a boolean", "isRemoteSchema");
        return EncryptionSchema.Parse(schema.Value, isRemote.GetBoolean() ? EncryptionSchemaOrigin.Server : EncryptionSchemaOrigin.Local);
    }

    private static bool IsThere(in BsonReader element) => element.ValueStart > 0;

    private static void Take(ref BsonReader place, in BsonReader element)
    {
        if (IsThere(place)) throw Twice(element);
        place = element;
    }

    private static QueryAnalysisException Twice(in BsonReader element) => Malformed($"'{element.GetName()}' stands twice", element.GetName());

    private static QueryAnalysisException Malformed(string problem, string field)
        => new(CsfleErrorCode.MalformedCommand, problem, "Send the command as libmongocrypt does.", @operator: field);
}
