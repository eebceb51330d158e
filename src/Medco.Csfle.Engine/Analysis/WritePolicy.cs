namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// An encrypted client writes only where it was told to. The engine sees bytes and no classes: a document written to a
/// collection that nobody registered, by a mistyped name for one, would be stored in clear without anybody noticing.
/// </summary>
/// <remarks>
/// A write is what stores a value that the client sends, or one that the server computes for it, in a document: insert,
/// update, findAndModify with an update, every namespace of a bulkWrite, and a pipeline that ends in <c>$out</c> or
/// <c>$merge</c>. To delete stores nothing; create, createIndexes, collMod and drop make room for documents, or take it away,
/// but write none. A schema that encrypts nothing is a registration too. There is no exception for the databases
/// <c>admin</c>, <c>config</c> and <c>local</c>: no driver writes documents there on behalf of an application.
/// </remarks>
internal static class WritePolicy
{
    /// <summary>Lets a write to a namespace pass that has a schema or is allowed to be unencrypted.</summary>
    /// <exception cref="QueryAnalysisException">It is neither.</exception>
    public static void Check(string collection, string command, SchemaMap schemas, UnencryptedNamespaces allowed)
    {
        if (schemas.Find(collection) is not null || allowed.Allows(collection)) return;
        throw new QueryAnalysisException(CsfleErrorCode.UnregisteredNamespace,
            "An encrypted client does not write to a collection without an encryption schema, since all of it would be stored in clear",
            $"Register the collection with AddCollection, or allow it to be written in clear with AllowUnencrypted(\"{collection}\").",
            collection, @operator: command);
    }
}
