using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>Where the analysis of a pipeline stands: in front of one stage.</summary>
internal readonly ref struct PipelineScope
{
    /// <summary>A pipeline on one collection.</summary>
    /// <param name="scope">The collection; its schema is the one in front of the stage.</param>
    /// <param name="stored">The schema of the collection's documents as they are stored.</param>
    /// <param name="context">The command.</param>
    public PipelineScope(AnalysisScope scope, PlainNode stored, PipelineContext context)
    {
        Scope = scope;
        Stored = stored;
        Context = context;
    }

    /// <summary>The command, and the schema of the documents that the stage reads.</summary>
    public AnalysisScope Scope { get; }

    /// <summary>The schema of the collection's documents as they are stored.</summary>
    public PlainNode Stored { get; }

    /// <summary>What all stages share.</summary>
    public PipelineContext Context { get; }

    /// <summary>The schema of the documents that the stage reads.</summary>
    public PlainNode Input => Scope.Schema;

    /// <summary>The pipeline behind a stage.</summary>
    public PipelineScope Behind(PlainNode output) => new(Scope.Under(output), Stored, Context);

    /// <summary>The string that an argument of a stage has to be.</summary>
    /// <exception cref="QueryAnalysisException">It is no string.</exception>
    public ReadOnlySpan<byte> TextOf(in BsonReader element)
        => element.Type == BsonType.String ? element.GetUtf8() : throw Scope.Malformed(element.Name, "a string");
}
