namespace Medco.Csfle;

/// <summary>Something that a class demands of its objects, and that the server does not check: the application has to.</summary>
/// <param name="Namespace">The collection, <c>database.collection</c>.</param>
/// <param name="Path">The element, <c>insurance.policyNumber</c>; empty where the class as a whole is meant.</param>
/// <param name="Constraint">The attribute without its ending, such as <c>Range</c>.</param>
/// <param name="Reason">Why the server does not.</param>
public sealed record UnenforcedConstraint(string Namespace, string Path, string Constraint, string Reason);
