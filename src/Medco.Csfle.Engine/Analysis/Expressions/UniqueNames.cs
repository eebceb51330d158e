using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Expressions;

/// <summary>
/// The names of one document of a pipeline. Which of two elements of the same name counts is the server's affair, so that it
/// would not be known what is encrypted.
/// </summary>
internal sealed class UniqueNames
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Notes the current element.</summary>
    /// <exception cref="QueryAnalysisException">Its name was there before.</exception>
    public void Add(in AnalysisScope scope, in BsonReader element)
    {
        if (_names.Add(element.GetName())) return;
        throw scope.Refuse(CsfleErrorCode.MalformedCommand, "The document has this element twice", "Write each element once.", element.Name);
    }
}
