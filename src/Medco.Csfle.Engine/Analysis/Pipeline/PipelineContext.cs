using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>What all stages of one command share, those of its sub-pipelines included.</summary>
/// <param name="databaseName">The database that collections are named in.</param>
/// <param name="schemas">Their schemas.</param>
/// <param name="allowed">Collections that were said to be unencrypted.</param>
internal sealed class PipelineContext(string databaseName, SchemaMap schemas, UnencryptedNamespaces allowed)
{
    // MongoDB itself takes 1000 stages. With both limits the time is linear in the length of the command and of the schema.
    private const int MaxStages = 1000;

    private const int MaxChanges = 1000;

    private int _stages;
    private int _changes;

    /// <summary>Whether the server compares ciphertexts with each other.</summary>
    public bool ComparesEncrypted { get; private set; }

    /// <summary>Notes that it does.</summary>
    public void NoteEncryptedComparison() => ComparesEncrypted = true;

    /// <summary>Counts a stage.</summary>
    /// <exception cref="QueryAnalysisException">There are too many.</exception>
    public void CountStage()
    {
        if (++_stages > MaxStages) throw TooLong($"The pipeline has more than {MaxStages} stages");
    }

    /// <summary>Counts an encrypted field that a stage adds, moves or takes away.</summary>
    /// <exception cref="QueryAnalysisException">There are too many.</exception>
    public void CountChange()
    {
        if (++_changes > MaxChanges) throw TooLong($"The pipeline moves encrypted fields more than {MaxChanges} times");
    }

    /// <summary>The namespace of a collection that a stage names.</summary>
    public string Namespace(string collection) => $"{databaseName}.{collection}";

    /// <summary>The schema of a joined collection; that of a collection known to be unencrypted names nothing.</summary>
    /// <param name="scope">The command.</param>
    /// <param name="collection">The namespace.</param>
    /// <param name="stage">The stage that names it.</param>
    /// <exception cref="QueryAnalysisException">Nothing is known about the collection.</exception>
    public PlainNode SchemaOf(in AnalysisScope scope, string collection, string stage)
    {
        if (collection == scope.Collection || schemas.IsKnown(collection) || allowed.Allows(collection))
        {
            return schemas.IsKnown(collection) && schemas.Find(collection) is { } schema ? schema.Root : TrackedSchema.Plain;
        }

        throw scope.Refuse(CsfleErrorCode.CommandNotSupported, $"Missing encryption schema for namespace: {collection}",
            $"Register the collection with AddCollection, or say that it is not encrypted with AllowUnencrypted(\"{collection}\").", @operator: stage);
    }

    private static QueryAnalysisException TooLong(string problem)
        => new(CsfleErrorCode.UnsupportedOnEncryptedCollection, problem, "Split it into several.", @operator: "pipeline");
}
