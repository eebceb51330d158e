using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>A filter and the collation beside it, in whichever order they stand in a command.</summary>
internal struct CollatedFilter
{
    private bool _collates;
    private bool _encrypts;

    /// <summary>Plans the encryption of the filter's constants.</summary>
    /// <exception cref="QueryAnalysisException">The filter cannot work, or is not known to be safe.</exception>
    public void AnalyzeFilter(in AnalysisScope scope, in BsonReader element)
    {
        var mark = scope.Plan.Remember();
        MatchAnalyzer.Analyze(scope, SharedArguments.DocumentOf(scope, element));
        _encrypts |= scope.Plan.HasPlaceholdersSince(mark);
    }

    /// <summary>Notes what the command says about collation.</summary>
    /// <exception cref="QueryAnalysisException">It is no document.</exception>
    public void ReadCollation(in AnalysisScope scope, in BsonReader element)
    {
        var collation = SharedArguments.DocumentOf(scope, element);
        while (collation.ReadTo("locale"u8))
        {
            _collates |= collation.Type != BsonType.String || !collation.GetUtf8().SequenceEqual("simple"u8);
        }
    }

    /// <summary>Notes that the command compares the values of an encrypted field with each other.</summary>
    public void NoteEncryptedComparison() => _encrypts = true;

    /// <summary>Checks, when all has been read, that no collation applies to ciphertext.</summary>
    /// <exception cref="QueryAnalysisException">It does.</exception>
    public readonly void Check(in AnalysisScope scope)
    {
        if (!_collates || !_encrypts) return;
        throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "A collation has no effect on the comparison of an encrypted field",
            "Leave the collation out, or set {locale: \"simple\"}.", @operator: "collation");
    }
}
