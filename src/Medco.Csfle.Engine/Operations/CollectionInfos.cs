using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations;

/// <summary>One question to a server for the schemas of collections of one database, and the reading of its answer.</summary>
/// <remarks>Texts known from libmongocrypt are used verbatim. Source: libmongocrypt (Apache-2.0), schema broker.</remarks>
internal sealed class CollectionInfos
{
    private const int Unauthorized = 13;
    private const string CheckServer = "Check that it is a MongoDB server that answers, and that nothing changes its answers on the way.";

    private readonly string[] _collections;
    private readonly bool _usesSchemas;

    /// <summary>Asks for collections of a database.</summary>
    /// <param name="database">The database.</param>
    /// <param name="collections">The names of the collections in it.</param>
    /// <param name="usesSchemas">Whether schemas of the server are used; else to allow a collection by its name is a way out, and errors say so.</param>
    public CollectionInfos(string database, IEnumerable<string> collections, bool usesSchemas = true)
    {
        Database = database;
        _collections = [.. collections];
        _usesSchemas = usesSchemas;
    }

    /// <summary>Where the command is to run.</summary>
    public string Database { get; }

    /// <summary><c>{ listCollections: 1, filter: { name } }</c>, or with <c>{ name: { $in: [ … ] } }</c> for several.</summary>
    public byte[] ToCommand()
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteInt32("listCollections"u8, 1);
        writer.StartDocument("filter"u8);
        if (_collections.Length == 1)
        {
            writer.WriteString("name"u8, _collections[0]);
        }
        else
        {
            Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
            writer.StartDocument("name"u8);
            writer.StartArray("$in"u8);
            for (var i = 0; i < _collections.Length; i++) writer.WriteString(BsonIndex.Format(i, index), _collections[i]);
            writer.EndDocument();
            writer.EndDocument();
        }

        writer.EndDocument();
        writer.StartDocument("cursor"u8);
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>The schema of every collection asked for, by its name; null where it has none, or does not exist.</summary>
    /// <exception cref="ServerSchemaException">The answer is an error, or not one to this question.</exception>
    /// <exception cref="EncryptionSchemaException">A validator does not say clearly what is encrypted.</exception>
    /// <exception cref="QueryAnalysisException">One of them is a view, or a collection of Queryable Encryption.</exception>
    public IReadOnlyDictionary<string, EncryptionSchema?> Read(byte[] reply)
    {
        Validate(reply);
        if (!ServerReply.IsOk(reply, out var error))
        {
            throw new ServerSchemaException($"the server refused to list {Names}: {error}",
                $"{(error.Code == Unauthorized ? MissingPrivilege : "See MongoDB's manual for the code.")} {WithoutAsking(_collections[0])}",
                FullName(_collections[0]), error);
        }

        if (!ServerReply.TryReadBatch(reply, out var batch)) throw Unexpected("there is no complete batch in it");
        var schemas = new Dictionary<string, EncryptionSchema?>(StringComparer.Ordinal);
        while (batch.Read())
        {
            if (batch.Type != BsonType.Document) throw Unexpected("its batch holds something else than documents");
            ReadInfo(batch.ReadDocument(), schemas);
        }

        foreach (var name in _collections) schemas.TryAdd(name, null);
        return schemas;
    }

    /// <summary>The error for a question that got no answer.</summary>
    public ServerSchemaException NoAnswer(Exception cause) => new(
        $"the server could not be asked for the schema of {Names} ({cause.GetType().Name})",
        $"See the inner exception, and check that the server runs. {WithoutAsking(_collections[0])}",
        FullName(_collections[0]),
        cause);

    private string MissingPrivilege => $"Grant the user the privilege of the action 'listCollections' on the database '{Database}'; the role 'read' has it.";

    private string WithoutAsking(string collection) => _usesSchemas
        ? "Nobody is asked about a collection that is registered with its schema."
        : $"Nobody is asked about a collection that is registered, nor about one that is allowed by its name: AllowUnencrypted(\"{FullName(collection)}\").";

    private string Names => _collections.Length == 1 ? $"'{FullName(_collections[0])}'" : $"'{FullName(_collections[0])}' and {_collections.Length - 1} more";

    private void ReadInfo(BsonReader info, Dictionary<string, EncryptionSchema?> schemas)
    {
        string? name = null;
        string? type = null;
        var options = default(BsonReader);
        var hasOptions = false;
        while (info.Read())
        {
            if (info.Name.SequenceEqual("name"u8))
            {
                if (name is not null || info.Type != BsonType.String) throw Unexpected("a collection has no single name");
                name = info.GetString();
            }
            else if (info.Name.SequenceEqual("type"u8))
            {
                if (type is not null || info.Type != BsonType.String) throw Unexpected("a collection has no single type");
                type = info.GetString();
            }
            else if (info.Name.SequenceEqual("options"u8))
            {
                if (hasOptions || info.Type != BsonType.Document) throw Unexpected("the options of a collection are not one document");
                options = info.ReadDocument();
                hasOptions = true;
            }
        }

        if (name is null || !_collections.Contains(name, StringComparer.Ordinal)) throw Unexpected("got unexpected collinfo result");
        if (schemas.ContainsKey(name)) throw Unexpected($"unexpected duplicate collinfo result for '{FullName(name)}'");
        CheckType(name, type);
        schemas.Add(name, hasOptions ? ReadOptions(FullName(name), options) : null);
    }

    private void CheckType(string name, string? type)
    {
        switch (type)
        {
            case "collection" or "timeseries":
                return;
            case "view":
                throw new QueryAnalysisException(CsfleErrorCode.CommandNotSupported, $"cannot auto encrypt a view: {FullName(name)}",
                    _usesSchemas
                        ? "Use the collection behind the view, or a client without encryption."
                        : $"Use the collection behind the view, or a client without encryption; or, if the view reads no encrypted collection, allow it by its name: AllowUnencrypted(\"{FullName(name)}\").",
                    FullName(name));
            default:
                throw Unexpected($"'{FullName(name)}' is neither a collection nor a view");
        }
    }

    private EncryptionSchema? ReadOptions(string collection, BsonReader options)
    {
        var validator = default(BsonReader);
        var hasValidator = false;
        while (options.Read())
        {
            if (options.Name.SequenceEqual("encryptedFields"u8))
            {
                throw new QueryAnalysisException(CsfleErrorCode.CommandNotSupported,
                    "The collection uses Queryable Encryption ('encryptedFields'), which is not supported",
                    "Use a collection with Client-Side Field Level Encryption, or another client.", collection);
            }

            if (!options.Name.SequenceEqual("validator"u8)) continue;
            if (hasValidator || options.Type != BsonType.Document) throw Unexpected($"the validator of '{collection}' is not one document");
            validator = options.ReadDocument();
            hasValidator = true;
        }

        if (!hasValidator) return null;
        if (!NullableCiphertext.IsIn(validator)) return ValidatorSchema.Read(collection, validator);
        throw new EncryptionSchemaException(CsfleErrorCode.InvalidSchema, $"The validator of the collection '{collection}'",
            [new EncryptionSchemaError("description", "A field is ciphertext or null there, and a validator cannot say how such a field is encrypted.", "Register the collection with the client.")]);
    }

    private void Validate(byte[] reply)
    {
        try
        {
            BsonValidator.Validate(reply);
        }
        catch (BsonFormatException e)
        {
            throw new ServerSchemaException($"the server's answer about {Names} is not BSON: {e.Message}", CheckServer, FullName(_collections[0]), e);
        }
    }

    private ServerSchemaException Unexpected(string what)
        => new($"the server's answer about {Names} cannot be understood: {what}", CheckServer, FullName(_collections[0]));

    private string FullName(string collection) => $"{Database}.{collection}";
}
