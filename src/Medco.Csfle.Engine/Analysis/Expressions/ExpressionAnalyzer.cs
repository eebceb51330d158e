using System.Text.Unicode;
using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Expressions;

/// <summary>
/// Finds in an aggregation expression the constants that are compared with encrypted fields, refuses what cannot work on
/// ciphertext, and says whether the expression's value is encrypted.
/// </summary>
internal static class ExpressionAnalyzer
{
    // MongoDB manual, "Variables in Aggregation Expressions".
    private static readonly byte[][] PlainVariables =
    [
        "REMOVE"u8.ToArray(), "NOW"u8.ToArray(), "CLUSTER_TIME"u8.ToArray(), "USER_ROLES"u8.ToArray(), "KEEP"u8.ToArray(), "PRUNE"u8.ToArray(), "DESCEND"u8.ToArray(),
    ];

    /// <summary>Analyses the expression in an element.</summary>
    /// <param name="scope">The command, with the schema of the document that the expression reads.</param>
    /// <param name="element">The expression.</param>
    /// <param name="use">What becomes of its value.</param>
    /// <returns>The schema of the value; null where nothing of it is encrypted.</returns>
    /// <exception cref="QueryAnalysisException">The expression cannot work, or is not known to be safe.</exception>
    public static SchemaNode? Analyze(in AnalysisScope scope, in BsonReader element, ExpressionUse use)
    {
        switch (element.Type)
        {
            case BsonType.String when element.GetUtf8() is [(byte)'$', ..] text:
                return AnalyzeReference(scope, text, use, element);
            case BsonType.Array:
                return AnalyzeArray(scope, element.ReadDocument(), use);
            case BsonType.Document when IsOperator(element):
                return OperatorAnalyzer.Analyze(scope, element, use);
            case BsonType.Document:
                return AnalyzeObject(scope, element.ReadDocument(), use);
            default:
                return null;
        }
    }

    /// <summary>Whether an element is a document whose first name is that of an operator.</summary>
    public static bool IsOperator(in BsonReader element)
    {
        if (element.Type != BsonType.Document) return false;
        var first = element.ReadDocument();
        return first.Read() && first.Name is [(byte)'$', ..];
    }

    /// <summary>Analyses every element of a document or an array as an expression of its own.</summary>
    public static void AnalyzeEach(in AnalysisScope scope, BsonReader elements, ExpressionUse use)
    {
        var mark = scope.Plan.BeginDocument(elements.Start);
        while (elements.Read()) Analyze(scope, elements, use);
        scope.Plan.EndDocument(mark, elements);
    }

    private static SchemaNode? AnalyzeReference(in AnalysisScope scope, ReadOnlySpan<byte> text, ExpressionUse use, in BsonReader element)
    {
        if (text.Length == 1) throw scope.Malformed(element.Name, "an expression; a path needs a name behind the '$'");
        if (text[1] != (byte)'$') return FieldReference.Read(scope, text[1..], use);

        var variable = FieldReference.FirstComponent(text[2..]);
        if (variable.SequenceEqual("ROOT"u8) || variable.SequenceEqual("CURRENT"u8))
        {
            if (variable.Length + 2 < text.Length) return FieldReference.Read(scope, text[(variable.Length + 3)..], use);
            return scope.Schema.HasEncryption ? FieldReference.Use(scope, scope.Schema, text, use, @operator: null) : null;
        }

        // Variables of the user's are bound to plain values only.
        if (IsUserVariable(variable)) return null;
        foreach (var known in PlainVariables)
        {
            if (variable.SequenceEqual(known)) return null;
        }

        throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Unsupported variable in an aggregation expression",
            "Use $$ROOT, $$CURRENT, $$NOW, $$REMOVE, or variables of your own that start with a small letter.", text);
    }

    /// <summary>Whether a name is one that a variable of the user's may have. The others are the system's.</summary>
    public static bool IsUserVariable(ReadOnlySpan<byte> name) => name is [>= (byte)'a' and <= (byte)'z', ..] or [>= 0x80, ..];

    private static UnknownNode? AnalyzeArray(in AnalysisScope scope, BsonReader elements, ExpressionUse use)
    {
        var encrypted = false;
        var mark = scope.Plan.BeginDocument(elements.Start);
        while (elements.Read()) encrypted |= Analyze(scope, elements, InsideOf(use)) is not null;
        scope.Plan.EndDocument(mark, elements);
        return encrypted ? UnknownNode.Instance : null;
    }

    private static PlainNode? AnalyzeObject(in AnalysisScope scope, BsonReader fields, ExpressionUse use)
    {
        List<SchemaProperty>? encrypted = null;
        var names = new UniqueNames();
        var mark = scope.Plan.BeginDocument(fields.Start);
        while (fields.Read())
        {
            names.Add(scope, fields);
            if (Analyze(scope, fields, InsideOf(use)) is not { HasEncryption: true } value) continue;
            if (fields.Name is [] or [(byte)'$', ..] || fields.Name.Contains((byte)'.') || !Utf8.IsValid(fields.Name))
            {
                throw scope.Refuse(CsfleErrorCode.MalformedCommand, "A field name of an object in an expression is empty, has a dot, or starts with '$'",
                    "Nest objects instead.", fields.Name);
            }

            (encrypted ??= []).Add(new SchemaProperty(fields.GetName(), value));
        }

        scope.Plan.EndDocument(mark, fields);
        return encrypted is null ? null : TrackedSchema.Of(encrypted);
    }

    // To compare an object or an array is to compare all of it at once, which a constant could not be encrypted for.
    private static ExpressionUse InsideOf(ExpressionUse use) => use == ExpressionUse.Equality ? ExpressionUse.Computation : use;
}
