using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Validation;

/// <summary>The validator of a collection: a filter that documents must match to be written.</summary>
internal sealed class CollectionValidator
{
    private readonly List<(string Name, Value Operand, MatchExpression Expression)> _clauses;

    public CollectionValidator(Document filter)
    {
        // One clause at a time, so that an error can tell which one failed.
        _clauses = [.. filter.Elements.Select(element => (element.Name, element.Value, MatchParser.Parse(new Document([element]))))];
    }

    /// <summary>The error for a document that does not match, or null.</summary>
    public ServerException? Check(Document document)
    {
        foreach (var (name, operand, expression) in _clauses)
        {
            if (expression.Matches(document)) continue;
            IEnumerable<Element> details = expression is SchemaMatch match
                ? [new("operatorName", Value.FromText(name)), new("schemaRulesNotSatisfied", Value.FromArray(match.Schema.Explain(new Value(document))))]
                : [new("operatorName", Value.FromText(name)), new("specifiedAs", new Value(new Document([new(name, operand)]))), new("reason", Value.FromText("comparison failed"))];
            return new ServerException(ErrorCode.DocumentValidationFailure, "Document failed validation",
            [
                new("errInfo", new Value(new Document(
                [
                    new("failingDocumentId", document.Find("_id") ?? Value.Null),
                    new("details", new Value(new Document(details))),
                ]))),
            ]);
        }

        return null;
    }
}
