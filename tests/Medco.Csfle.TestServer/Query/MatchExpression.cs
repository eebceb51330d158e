using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>A condition on a whole document: what a filter or a validator becomes.</summary>
internal abstract class MatchExpression
{
    public abstract bool Matches(Document document);
}

/// <summary>Every one of the conditions holds; with none, every document matches.</summary>
internal sealed class AllMatch(IReadOnlyList<MatchExpression> conditions) : MatchExpression
{
    public override bool Matches(Document document)
    {
        foreach (var condition in conditions)
        {
            if (!condition.Matches(document)) return false;
        }

        return true;
    }
}

/// <summary>At least one of the conditions holds.</summary>
internal sealed class AnyMatch(IReadOnlyList<MatchExpression> conditions) : MatchExpression
{
    public override bool Matches(Document document) => conditions.Any(condition => condition.Matches(document));
}

/// <summary>The condition does not hold.</summary>
internal sealed class NoMatch(MatchExpression condition) : MatchExpression
{
    public override bool Matches(Document document) => !condition.Matches(document);
}

/// <summary>A condition on what stands at a path.</summary>
internal sealed class FieldMatch(FieldPath path, FieldTest test) : MatchExpression
{
    public override bool Matches(Document document) => test.Matches(document, path);
}
