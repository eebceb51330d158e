using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Operations;

/// <summary>
/// Writes synthetic documents through an encrypting connection, looks at them through one that does not decrypt, reads them back
/// through the first, and removes them again, whatever happened.
/// </summary>
/// <param name="encrypted">Runs commands through an encrypting client, which has the schema for the documents' collection.</param>
/// <param name="plain">Runs commands on the same server and neither encrypts nor decrypts.</param>
internal sealed class Canary(IMongoCommandRunner encrypted, IMongoCommandRunner plain)
{
    /// <summary>Does it.</summary>
    /// <exception cref="EncryptionProofException"><see cref="CsfleErrorCode.CanaryFailed"/>.</exception>
    public void Run(SyntheticDocuments documents, CancellationToken cancellationToken)
    {
        if (documents.MarkerName is null || documents.Count == 0) return;
        try
        {
            CheckWritten(documents, Ask(encrypted, documents, documents.ToInsert(withDatabase: false), cancellationToken), documents.Count);
            CheckStored(documents, Ask(plain, documents, Find(documents), cancellationToken));
            CheckRead(documents, Ask(encrypted, documents, Find(documents), cancellationToken));
        }
        catch
        {
            TryRemove(documents);
            throw;
        }

        CheckRemoved(documents, Ask(plain, documents, Delete(documents), CancellationToken.None));
    }

    /// <inheritdoc cref="Run"/>
    public async ValueTask RunAsync(SyntheticDocuments documents, CancellationToken cancellationToken)
    {
        if (documents.MarkerName is null || documents.Count == 0) return;
        try
        {
            CheckWritten(documents, await AskAsync(encrypted, documents, documents.ToInsert(withDatabase: false), cancellationToken).ConfigureAwait(false), documents.Count);
            CheckStored(documents, await AskAsync(plain, documents, Find(documents), cancellationToken).ConfigureAwait(false));
            CheckRead(documents, await AskAsync(encrypted, documents, Find(documents), cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await TryRemoveAsync(documents).ConfigureAwait(false);
            throw;
        }

        CheckRemoved(documents, await AskAsync(plain, documents, Delete(documents), CancellationToken.None).ConfigureAwait(false));
    }

    private static byte[] Ask(IMongoCommandRunner runner, SyntheticDocuments documents, byte[] command, CancellationToken cancellationToken)
    {
        try
        {
            return runner.RunCommand(documents.Namespace.Database, command, cancellationToken);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw NoAnswer(documents, e);
        }
    }

    private static async ValueTask<byte[]> AskAsync(IMongoCommandRunner runner, SyntheticDocuments documents, byte[] command, CancellationToken cancellationToken)
    {
        try
        {
            return await runner.RunCommandAsync(documents.Namespace.Database, command, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw NoAnswer(documents, e);
        }
    }

    // The error that is under way already says more than one about the removal.
    private void TryRemove(SyntheticDocuments documents)
    {
        try
        {
            Ask(plain, documents, Delete(documents), CancellationToken.None);
        }
        catch (CsfleException)
        {
        }
    }

    private async ValueTask TryRemoveAsync(SyntheticDocuments documents)
    {
        try
        {
            await AskAsync(plain, documents, Delete(documents), CancellationToken.None).ConfigureAwait(false);
        }
        catch (CsfleException)
        {
        }
    }

    private static void CheckWritten(SyntheticDocuments documents, byte[] reply, int count)
    {
        var problem = Problem(reply);
        if (problem is null && CountIn(reply) != count) problem = "it does not say that all were written";
        if (problem is not null) throw Failed(documents, $"The server did not take the canary's documents: {problem}", "Check that the application may write to this collection.");
    }

    private static void CheckRemoved(SyntheticDocuments documents, byte[] reply)
    {
        var problem = Problem(reply);
        if (problem is null && CountIn(reply) != documents.Count) problem = "it does not say that all were removed";
        if (problem is not null)
        {
            throw Failed(documents, $"The canary's documents were stored encrypted, but not removed: {problem}",
                $"Check that the application may remove from this collection, and remove what is left: its '{documents.MarkerName}' begins with 'csfle-canary-'.");
        }
    }

    private static void CheckStored(SyntheticDocuments documents, byte[] reply)
    {
        var seen = 0;
        var batch = Batch(documents, reply);
        while (batch.Read()) EncryptionProof.CheckStored(documents, Number(documents, batch, ref seen), batch.Value);
        RequireAll(documents, seen);
    }

    private static void CheckRead(SyntheticDocuments documents, byte[] reply)
    {
        var seen = 0;
        var batch = Batch(documents, reply);
        while (batch.Read()) EncryptionProof.CheckRead(documents, Number(documents, batch, ref seen), batch.Value);
        RequireAll(documents, seen);
    }

    private static BsonReader Batch(SyntheticDocuments documents, byte[] reply)
    {
        if (Problem(reply) is { } problem) throw Failed(documents, $"The canary's documents could not be read: {problem}", "Check that the application may read from this collection.");
        return ServerReply.TryReadBatch(reply, out var batch) ? batch : throw Failed(documents, "The canary's documents could not be read: there is no complete batch in the answer", CheckServer);
    }

    private static int Number(SyntheticDocuments documents, in BsonReader element, ref int seen)
    {
        seen++;
        if (element.Type == BsonType.Document)
        {
            var document = element.ReadDocument();
            if (document.ReadTo(System.Text.Encoding.UTF8.GetBytes(documents.MarkerName!)) && document.Type == BsonType.String)
            {
                var marker = document.GetString();
                for (var number = 0; number < documents.Count; number++)
                {
                    if (documents.MarkerValues[number] == marker) return number;
                }
            }
        }

        throw Failed(documents, "The server returned a document that the canary did not write", CheckServer);
    }

    private static void RequireAll(SyntheticDocuments documents, int seen)
    {
        if (seen != documents.Count) throw Failed(documents, $"Of the canary's {documents.Count} documents, {seen} were found again", CheckServer);
    }

    private static string? Problem(byte[] reply)
    {
        if (!ServerReply.IsOk(reply, out var error)) return $"{error}";
        var reader = new BsonReader(reply);
        while (reader.Read())
        {
            if (reader.Name.SequenceEqual("writeErrors"u8) && reader.Type == BsonType.Array && reader.ReadDocument() is var errors && errors.Read() && errors.Type == BsonType.Document)
            {
                return $"{ServerError.Read(errors.ReadDocument())}";
            }

            if (reader.Name.SequenceEqual("writeConcernError"u8) && reader.Type == BsonType.Document) return $"{ServerError.Read(reader.ReadDocument())}";
        }

        return null;
    }

    private static int CountIn(byte[] reply)
    {
        var reader = new BsonReader(reply);
        return reader.ReadTo("n"u8) && reader.Type == BsonType.Int32 ? reader.GetInt32() : -1;
    }

    private static byte[] Find(SyntheticDocuments documents)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("find"u8, documents.Namespace.Collection);
        writer.StartDocument("filter"u8);
        WriteMarkers(writer, documents);
        writer.EndDocument();
        writer.WriteInt32("batchSize"u8, documents.Count);
        writer.WriteBoolean("singleBatch"u8, true);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] Delete(SyntheticDocuments documents)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("delete"u8, documents.Namespace.Collection);
        writer.StartArray("deletes"u8);
        writer.StartDocument("0"u8);
        writer.StartDocument("q"u8);
        WriteMarkers(writer, documents);
        writer.EndDocument();
        writer.WriteInt32("limit"u8, 0);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static void WriteMarkers(BsonWriter writer, SyntheticDocuments documents)
    {
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        writer.StartDocument(documents.MarkerName!);
        writer.StartArray("$in"u8);
        for (var number = 0; number < documents.Count; number++) writer.WriteString(BsonIndex.Format(number, index), documents.MarkerValues[number]);
        writer.EndDocument();
        writer.EndDocument();
    }

    private const string CheckServer = "Check that it is one MongoDB server that both clients talk to, and that nothing changes what it answers.";

    private static EncryptionProofException NoAnswer(SyntheticDocuments documents, Exception cause) => new(
        CsfleErrorCode.CanaryFailed, "The server did not answer the canary", "Check the connection. Nothing of the application was sent.", documents.Namespace.ToString(), null, cause);

    private static EncryptionProofException Failed(SyntheticDocuments documents, string problem, string remedy)
        => new(CsfleErrorCode.CanaryFailed, problem, remedy, documents.Namespace.ToString());
}
