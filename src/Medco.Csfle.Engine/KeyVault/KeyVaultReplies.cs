using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Reads what a server answers to the commands of a key vault, strictly. An error names the server's code, never its text,
/// which can quote what a document holds.
/// </summary>
/// <param name="keyVault">What and where the key vault is, for messages.</param>
internal sealed class KeyVaultReplies(string keyVault)
{
    private const int IndexOptionsConflict = 85;
    private const int IndexKeySpecsConflict = 86;
    private const int Unauthorized = 13;
    private const string CheckRunner = "Check that it is a MongoDB server that answers, and that nothing changes its answers on the way.";

    /// <summary>The keys of a page.</summary>
    /// <param name="reply">The answer to <see cref="KeyVaultCommands.Find"/>.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <exception cref="KeyVaultException">It is an error, or not shaped like such an answer.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: a document is no data key.</exception>
    public IReadOnlyList<DataKeyDocument> ReadKeys(byte[] reply, out int length)
    {
        Validate(reply);
        length = reply.Length;
        if (!ServerReply.IsOk(reply, out var error)) throw Refused("be read", error);
        if (!ServerReply.TryReadBatch(reply, out var batch)) throw Unintelligible("there is no complete batch in it");

        var keys = new List<DataKeyDocument>();
        while (batch.Read())
        {
            if (batch.Type != BsonType.Document) throw Unintelligible("its batch holds something else than documents");
            keys.Add(DataKeyDocument.Parse(batch.Value));
        }

        return keys;
    }

    /// <summary>Checks that a key was inserted.</summary>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: its id or a name is taken.</exception>
    /// <exception cref="KeyVaultException">It was not inserted, or it is not known whether it will stay.</exception>
    public void CheckInsert(byte[] reply, DataKeyDocument key)
    {
        Validate(reply);
        if (!ServerReply.IsOk(reply, out var error)) throw NotInserted(error, new BsonReader(reply), key);

        var reader = new BsonReader(reply);
        if (reader.ReadTo("writeErrors"u8))
        {
            if (reader.Type != BsonType.Array) throw Unintelligible("'writeErrors' is no array");
            var errors = reader.ReadDocument();
            if (!errors.Read() || errors.Type != BsonType.Document) throw Unintelligible("'writeErrors' holds no error");
            throw NotInserted(ServerError.Read(errors.ReadDocument()), errors.ReadDocument(), key);
        }

        CheckWriteConcern(reply, $"{key} was written to {keyVault}");
        reader = new BsonReader(reply);
        if (!reader.ReadTo("n"u8) || reader.Type != BsonType.Int32 || reader.GetInt32() != 1) throw Unintelligible("it does not say that one key was inserted");
    }

    /// <summary>The key that a <c>findAndModify</c> changed, as it was before.</summary>
    /// <param name="reply">The answer.</param>
    /// <param name="id">The key.</param>
    /// <param name="keyAltName">The name that it gets or loses.</param>
    /// <returns>Null where there was none.</returns>
    /// <exception cref="DataKeyException">
    /// <see cref="CsfleErrorCode.DuplicateDataKey"/>: the name is taken; <see cref="CsfleErrorCode.MalformedDataKey"/>: the document is no data key.
    /// </exception>
    /// <exception cref="KeyVaultException">It was not changed, or it is not known whether it will stay so.</exception>
    public DataKeyDocument? ReadChanged(byte[] reply, Guid id, string keyAltName)
    {
        Validate(reply);
        if (!ServerReply.IsOk(reply, out var error))
        {
            if (error.Code != ServerError.DuplicateKey) throw Refused("be written", error);
            throw new DataKeyException(CsfleErrorCode.DuplicateDataKey, $"the key alternate name '{keyAltName}' is already taken in {keyVault}",
                "Use the data key that has the name, or choose another name.", id, keyAltName);
        }

        CheckWriteConcern(reply, $"data key {id} was changed in {keyVault}");
        var reader = new BsonReader(reply);
        if (!reader.ReadTo("value"u8)) throw Unintelligible("it has no 'value'");
        return reader.Type switch
        {
            BsonType.Null => null,
            BsonType.Document => DataKeyDocument.Parse(reader.Value),
            _ => throw Unintelligible("its 'value' is no document"),
        };
    }

    /// <summary>How many documents a write reached.</summary>
    /// <param name="reply">The answer to an update or a delete.</param>
    /// <param name="what">What was written, for messages.</param>
    /// <returns>The documents matched or deleted, and those modified: <c>n</c> and <c>nModified</c>.</returns>
    /// <exception cref="KeyVaultException">It was not done completely, or it is not known whether it will stay.</exception>
    public RewrapResult ReadCounts(byte[] reply, string what)
    {
        Validate(reply);
        if (!ServerReply.IsOk(reply, out var error)) throw Refused("be written", error);
        var reader = new BsonReader(reply);
        if (reader.ReadTo("writeErrors"u8))
        {
            if (reader.Type != BsonType.Array) throw Unintelligible("'writeErrors' is no array");
            var errors = reader.ReadDocument();
            if (!errors.Read() || errors.Type != BsonType.Document) throw Unintelligible("'writeErrors' holds no error");
            throw Refused("be written", ServerError.Read(errors.ReadDocument()));
        }

        CheckWriteConcern(reply, $"{what} in {keyVault}");
        return new RewrapResult(
            ReadCount(reply, "n"u8) ?? throw Unintelligible("it does not say how many keys were found"),
            ReadCount(reply, "nModified"u8) ?? 0);
    }

    /// <summary>Whether the index is there, of the answer to <c>listIndexes</c>.</summary>
    /// <exception cref="KeyVaultException">It is an error, or not shaped like such an answer.</exception>
    public KeyVaultIndex ReadIndex(byte[] reply)
    {
        Validate(reply);
        if (KeyVaultIndexQuestion.TryRead(reply, out var index, out var error)) return index;
        throw error == default ? Unintelligible("there is no complete list of indexes in it") : Refused("be asked for its indexes", error);
    }

    /// <summary>Checks that the index is there.</summary>
    /// <exception cref="KeyVaultException">It is not.</exception>
    public void CheckIndex(byte[] reply)
    {
        Validate(reply);
        if (!ServerReply.IsOk(reply, out var error))
        {
            throw new KeyVaultException($"the unique index on keyAltNames of {keyVault} cannot be created: {error}", error.Code switch
            {
                ServerError.DuplicateKey => "Two data keys share a name. Remove the name from the one that nothing was encrypted with, and start again.",
                IndexOptionsConflict or IndexKeySpecsConflict => "There is another index on keyAltNames, or another one with the name 'keyAltNames_1'. Drop it, and start again.",
                Unauthorized => "Grant the user the right to create indexes there, or create the index once as somebody who has it.",
                _ => "See MongoDB's manual for the code. Without the index, one name can come to stand for two keys.",
            }, error);
        }

        CheckWriteConcern(reply, $"the unique index on keyAltNames of {keyVault} was created");
    }

    /// <summary>The error for a command that got no answer.</summary>
    public KeyVaultException NoAnswer(Exception cause) => new(
        $"{keyVault} cannot be reached ({cause.GetType().Name})",
        "See the inner exception. Check that the server runs, that its address is right, and that the user may read and write the key vault.",
        cause);

    private KeyVaultException Refused(string what, in ServerError error) => new(
        $"{keyVault} cannot {what}: the server answered with {error}",
        error.Code == Unauthorized ? "Grant the user read and write access to the key vault." : "See MongoDB's manual for the code.",
        error);

    private CsfleException NotInserted(in ServerError error, BsonReader details, DataKeyDocument key)
    {
        if (error.Code != ServerError.DuplicateKey) return Refused("be written", error);
        var (isId, isName, name) = (false, false, (string?)null);
        while (details.Read())
        {
            if (details.Type != BsonType.Document) continue;
            if (details.Name.SequenceEqual("keyPattern"u8))
            {
                isId = details.ReadDocument().ReadTo("_id"u8);
                isName = details.ReadDocument().ReadTo("keyAltNames"u8);
            }
            else if (details.Name.SequenceEqual("keyValue"u8))
            {
                var value = details.ReadDocument();
                if (value.ReadTo("keyAltNames"u8) && value.Type == BsonType.String) name = key.KeyAltNames.FirstOrDefault(value.GetString().Equals);
            }
        }

        if (isName && name is null && key.KeyAltNames.Count == 1) name = key.KeyAltNames[0];
        return new DataKeyException(
            CsfleErrorCode.DuplicateDataKey,
            (isId, isName, name) switch
            {
                (true, false, _) => $"{keyVault} already holds a data key {key.Id}",
                (false, true, not null) => $"the key alternate name '{name}' is already taken in {keyVault}",
                _ => $"the id or one of the names of {key} is already taken in {keyVault}",
            },
            isId ? "Use the data key that is there." : "Use the data key that has the name, or choose another name.",
            key.Id,
            name);
    }

    private static int? ReadCount(byte[] reply, ReadOnlySpan<byte> name)
    {
        var reader = new BsonReader(reply);
        return reader.ReadTo(name) && reader.Type == BsonType.Int32 ? reader.GetInt32() : null;
    }

    private void CheckWriteConcern(byte[] reply, string what)
    {
        var reader = new BsonReader(reply);
        if (!reader.ReadTo("writeConcernError"u8)) return;
        var error = reader.Type == BsonType.Document ? ServerError.Read(reader.ReadDocument()) : default;
        throw new KeyVaultException($"{what}, but not confirmed by the majority of the servers: {error}",
            "Wait until the replica set is healthy and look whether it is there; do not encrypt with a data key that may yet be lost.", error);
    }

    private void Validate(byte[] reply)
    {
        try
        {
            BsonValidator.Validate(reply);
        }
        catch (BsonFormatException e)
        {
            throw new KeyVaultException($"{keyVault} answered with bytes that are not BSON: {e.Message}", CheckRunner, e);
        }
    }

    private KeyVaultException Unintelligible(string what) => new($"{keyVault} gave an answer that cannot be understood: {what}", CheckRunner);
}
