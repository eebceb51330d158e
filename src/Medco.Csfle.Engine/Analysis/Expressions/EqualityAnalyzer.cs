using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Expressions;

/// <summary>
/// <c>$eq</c>, <c>$ne</c> and <c>$in</c>, the operators whose constants can be encrypted.
/// </summary>
internal static class EqualityAnalyzer
{
    /// <summary><c>[field, constant]</c>, or the other way round.</summary>
    /// <exception cref="QueryAnalysisException">An encrypted field is compared with anything but a constant of its type.</exception>
    public static void AnalyzeComparison(in AnalysisScope scope, in BsonReader operation, string name)
    {
        var operands = OperandsOf(scope, operation);
        var mark = scope.Plan.BeginDocument(operands.Start);
        var first = operands;
        first.Read();
        var second = first;
        second.Read();
        if (IsConstant(first))
        {
            // Only a plain path is looked at before the constant in front of it is written.
            var compared = IsPath(second) ? ExpressionAnalyzer.Analyze(scope, second, ExpressionUse.Equality) : null;
            if (compared is EncryptedNode node) Encrypt(scope, first, node, second, name);
            else if (!IsPath(second)) ExpressionAnalyzer.Analyze(scope, second, ExpressionUse.Computation);
        }
        else
        {
            var compared = ExpressionAnalyzer.Analyze(scope, first, ExpressionUse.Equality);
            if (IsConstant(second))
            {
                if (compared is not null) Encrypt(scope, second, NodeOf(scope, compared, first, name), first, name);
            }
            else if (ExpressionAnalyzer.Analyze(scope, second, ExpressionUse.Equality) is not null || compared is not null)
            {
                throw RefuseFields(scope, compared is null ? second : first, name);
            }
        }

        scope.Plan.EndDocument(mark, operands);
    }

    /// <summary><c>[field, [constant, ...]]</c>.</summary>
    /// <exception cref="QueryAnalysisException">An encrypted field is compared with anything but constants of its type.</exception>
    public static void AnalyzeMembership(in AnalysisScope scope, in BsonReader operation, string name)
    {
        var operands = OperandsOf(scope, operation);
        var mark = scope.Plan.BeginDocument(operands.Start);
        var needle = operands;
        needle.Read();
        var haystack = needle;
        haystack.Read();
        var compared = IsConstant(needle) ? null : ExpressionAnalyzer.Analyze(scope, needle, ExpressionUse.Equality);
        if (compared is null)
        {
            ExpressionAnalyzer.Analyze(scope, haystack, ExpressionUse.Computation);
        }
        else
        {
            var node = NodeOf(scope, compared, needle, name);
            if (haystack.Type != BsonType.Array) throw RefuseFields(scope, needle, name);
            var constants = haystack.ReadDocument();
            var arrayMark = scope.Plan.BeginDocument(constants.Start);
            while (constants.Read())
            {
                if (!IsConstant(constants)) throw RefuseFields(scope, needle, name);
                Encrypt(scope, constants, node, needle, name);
            }

            scope.Plan.EndDocument(arrayMark, constants);
        }

        scope.Plan.EndDocument(mark, operands);
    }

    private static BsonReader OperandsOf(in AnalysisScope scope, in BsonReader operation)
    {
        if (operation.Type != BsonType.Array) throw scope.Malformed(operation.Name, "an array of two operands");
        var operands = operation.ReadDocument();
        if (operands.Read() && operands.Read() && !operands.Read()) return operation.ReadDocument();
        throw scope.Malformed(operation.Name, "an array of two operands");
    }

    private static bool IsPath(in BsonReader element) => element.Type == BsonType.String && element.GetUtf8() is [(byte)'$', ..];

    // Objects and arrays are no constants that could be encrypted here: nothing deterministic has their type.
    private static bool IsConstant(in BsonReader element) => element.Type switch
    {
        BsonType.String => !IsPath(element),
        BsonType.Document => IsLiteral(element),
        BsonType.Array => false,
        _ => true,
    };

    private static bool IsLiteral(in BsonReader element)
    {
        var literal = element.ReadDocument();
        return literal.Read() && (literal.Name.SequenceEqual("$literal"u8) || literal.Name.SequenceEqual("$const"u8)) && !literal.Read();
    }

    private static void Encrypt(in AnalysisScope scope, in BsonReader constant, EncryptedNode node, in BsonReader field, string name)
    {
        if (constant.Type != BsonType.Document)
        {
            EncryptValue(scope, constant, node, field, name);
            return;
        }

        var literal = constant.ReadDocument();
        var mark = scope.Plan.BeginDocument(literal.Start);
        literal.Read();
        EncryptValue(scope, literal, node, field, name);
        literal.Read();
        scope.Plan.EndDocument(mark, literal);
    }

    private static void EncryptValue(in AnalysisScope scope, in BsonReader constant, EncryptedNode node, in BsonReader field, string name)
    {
        EncryptableValue.CheckCompared(scope, constant, node, PathOf(field), name);
        scope.Plan.Encrypt(constant, node.Algorithm, KeyReference.ById(node.KeyId!.Value));
    }

    // What is chosen among values that are encrypted in different ways, or not at all, is unknown.
    private static EncryptedNode NodeOf(in AnalysisScope scope, SchemaNode compared, in BsonReader operand, string name)
        => compared as EncryptedNode ?? throw FieldReference.RefuseUnknown(scope, PathOf(operand), name);

    private static ReadOnlySpan<byte> PathOf(in BsonReader operand) => IsPath(operand) ? operand.GetUtf8()[1..] : default;

    private static QueryAnalysisException RefuseFields(in AnalysisScope scope, in BsonReader operand, string name) => scope.Refuse(
        CsfleErrorCode.UnsupportedQuery, "Comparison disallowed between an encrypted field and anything but constants",
        "Compare it with a constant, or compare after decryption.", PathOf(operand), name);
}
