using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Expressions;

/// <summary>Analyses <c>{$operator: operands}</c>.</summary>
internal static class OperatorAnalyzer
{
    private static readonly CommandFields ConditionFields = CommandFields.OfStatement("if", "then", "else");

    private static readonly CommandFields SwitchFields = CommandFields.OfStatement("branches", "default");

    private static readonly CommandFields BranchFields = CommandFields.OfStatement("case", "then");

    private static readonly CommandFields BindingFields = CommandFields.OfStatement("vars", "in");

    /// <summary>Analyses the operator in an element's document.</summary>
    /// <returns>The schema of the value; null where nothing of it is encrypted.</returns>
    /// <exception cref="QueryAnalysisException">The operator is not known, or cannot work.</exception>
    public static SchemaNode? Analyze(in AnalysisScope scope, in BsonReader element, ExpressionUse use)
    {
        var operation = element.ReadDocument();
        operation.Read();
        var name = operation.GetName();
        if (!ExpressionOperators.All.TryGetValue(name, out var rule))
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Unsupported aggregation expression operator for encryption",
                "Use an operator that docs/operators.md lists.", @operator: name);
        }

        var mark = scope.Plan.BeginDocument(operation.Start);
        var value = Apply(scope, operation, rule, name, use);
        if (operation.Read())
        {
            throw scope.Refuse(CsfleErrorCode.MalformedCommand, "An object that is an expression must have exactly one operator", "Write one operator.", @operator: name);
        }

        scope.Plan.EndDocument(mark, operation);
        return value;
    }

    private static SchemaNode? Apply(in AnalysisScope scope, in BsonReader operation, ExpressionRule rule, string name, ExpressionUse use)
    {
        switch (rule)
        {
            case ExpressionRule.Constant:
                return null;
            case ExpressionRule.Comparison:
                EqualityAnalyzer.AnalyzeComparison(scope, operation, name);
                return null;
            case ExpressionRule.Membership:
                EqualityAnalyzer.AnalyzeMembership(scope, operation, name);
                return null;
            case ExpressionRule.Condition:
                return AnalyzeCondition(scope, operation, use);
            case ExpressionRule.FirstPresent:
                return AnalyzeFirstPresent(scope, operation, use);
            case ExpressionRule.Switch:
                return AnalyzeSwitch(scope, operation, use);
            case ExpressionRule.Binding:
                return AnalyzeBinding(scope, operation, use);
            case ExpressionRule.Iteration:
                CheckVariable(scope, operation);
                break;
            case ExpressionRule.FieldAccess:
                CheckFieldAccess(scope, operation);
                break;
        }

        AnalyzeOperands(scope, operation);
        return null;
    }

    // {$op: operand}, {$op: [operand, ...]} or {$op: {name: operand, ...}}.
    private static void AnalyzeOperands(in AnalysisScope scope, in BsonReader operation)
    {
        if (operation.Type == BsonType.Array || (operation.Type == BsonType.Document && !ExpressionAnalyzer.IsOperator(operation)))
        {
            ExpressionAnalyzer.AnalyzeEach(scope, operation.ReadDocument(), ExpressionUse.Computation);
        }
        else
        {
            ExpressionAnalyzer.Analyze(scope, operation, ExpressionUse.Computation);
        }
    }

    private static SchemaNode? AnalyzeCondition(in AnalysisScope scope, in BsonReader operation, ExpressionUse use)
    {
        var outcome = new Outcome();
        if (operation.Type == BsonType.Document && !ExpressionAnalyzer.IsOperator(operation)) ConditionFields.Check(scope, operation.ReadDocument());
        else if (operation.Type != BsonType.Array) throw scope.Malformed(operation.Name, "an array or a document of if, then and else");

        var isArray = operation.Type == BsonType.Array;
        var operands = operation.ReadDocument();
        var mark = scope.Plan.BeginDocument(operands.Start);
        var count = 0;
        while (operands.Read())
        {
            var isCondition = isArray ? count == 0 : operands.Name.SequenceEqual("if"u8);
            if (isCondition) ExpressionAnalyzer.Analyze(scope, operands, ExpressionUse.Computation);
            else outcome.Add(ExpressionAnalyzer.Analyze(scope, operands, Chosen(use)));
            count++;
        }

        if (count != 3) throw scope.Malformed(operation.Name, "three operands: if, then and else");
        scope.Plan.EndDocument(mark, operands);
        return outcome.Value;
    }

    private static SchemaNode? AnalyzeFirstPresent(in AnalysisScope scope, in BsonReader operation, ExpressionUse use)
    {
        if (operation.Type != BsonType.Array) throw scope.Malformed(operation.Name, "an array");
        var outcome = new Outcome();
        var operands = operation.ReadDocument();
        var mark = scope.Plan.BeginDocument(operands.Start);
        while (operands.Read()) outcome.Add(ExpressionAnalyzer.Analyze(scope, operands, Chosen(use)));
        scope.Plan.EndDocument(mark, operands);
        return outcome.Value;
    }

    private static SchemaNode? AnalyzeSwitch(in AnalysisScope scope, in BsonReader operation, ExpressionUse use)
    {
        var arguments = SharedArguments.DocumentOf(scope, operation);
        SwitchFields.Check(scope, arguments);
        var outcome = new Outcome();
        var mark = scope.Plan.BeginDocument(arguments.Start);
        while (arguments.Read())
        {
            if (arguments.Name.SequenceEqual("default"u8)) outcome.Add(ExpressionAnalyzer.Analyze(scope, arguments, Chosen(use)));
            else AnalyzeBranches(scope, arguments, use, ref outcome);
        }

        scope.Plan.EndDocument(mark, arguments);
        return outcome.Value;
    }

    private static void AnalyzeBranches(in AnalysisScope scope, in BsonReader element, ExpressionUse use, ref Outcome outcome)
    {
        if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array of documents");
        var branches = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(branches.Start);
        while (branches.Read())
        {
            if (branches.Type != BsonType.Document) throw scope.Malformed(element.Name, "an array of documents");
            var branch = branches.ReadDocument();
            BranchFields.Check(scope, branch);
            var branchMark = scope.Plan.BeginDocument(branch.Start);
            while (branch.Read())
            {
                if (branch.Name.SequenceEqual("case"u8)) ExpressionAnalyzer.Analyze(scope, branch, ExpressionUse.Computation);
                else outcome.Add(ExpressionAnalyzer.Analyze(scope, branch, Chosen(use)));
            }

            scope.Plan.EndDocument(branchMark, branch);
        }

        scope.Plan.EndDocument(mark, branches);
    }

    // Since a variable is never encrypted, what "in" says of one needs no check.
    private static SchemaNode? AnalyzeBinding(in AnalysisScope scope, in BsonReader operation, ExpressionUse use)
    {
        var arguments = SharedArguments.DocumentOf(scope, operation);
        BindingFields.Check(scope, arguments);
        SchemaNode? value = null;
        var mark = scope.Plan.BeginDocument(arguments.Start);
        while (arguments.Read())
        {
            if (arguments.Name.SequenceEqual("in"u8))
            {
                value = ExpressionAnalyzer.Analyze(scope, arguments, use);
                continue;
            }

            var variables = SharedArguments.DocumentOf(scope, arguments);
            while (variables.Read())
            {
                if (!ExpressionAnalyzer.IsUserVariable(variables.Name)) throw RefuseVariable(scope, variables.Name, "$let");
            }

            ExpressionAnalyzer.AnalyzeEach(scope, arguments.ReadDocument(), ExpressionUse.Computation);
        }

        scope.Plan.EndDocument(mark, arguments);
        return value;
    }

    private static void CheckVariable(in AnalysisScope scope, in BsonReader operation)
    {
        var arguments = SharedArguments.DocumentOf(scope, operation);
        while (arguments.ReadTo("as"u8))
        {
            if (arguments.Type != BsonType.String || !ExpressionAnalyzer.IsUserVariable(arguments.GetUtf8()))
            {
                throw RefuseVariable(scope, arguments.Type == BsonType.String ? arguments.GetUtf8() : default, operation.GetName());
            }
        }
    }

    // Without an input the field is one of the whole document.
    private static void CheckFieldAccess(in AnalysisScope scope, in BsonReader operation)
    {
        if (!scope.Schema.HasEncryption) return;
        if (operation.Type == BsonType.Document && operation.ReadDocument() is var arguments && arguments.ReadTo("input"u8)) return;
        throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection,
            "A field of a document with encrypted fields cannot be named by an expression, since it would not be known which one it is",
            "Name the field by its path, \"$field\", or give a plain document as 'input'.", @operator: operation.GetName());
    }

    private static QueryAnalysisException RefuseVariable(in AnalysisScope scope, ReadOnlySpan<byte> name, string @operator) => scope.Refuse(
        CsfleErrorCode.UnsupportedOnEncryptedCollection, "The system's variables cannot be bound to other values", "Start the name with a small letter.", name, @operator);

    private static ExpressionUse Chosen(ExpressionUse use) => use == ExpressionUse.Copy ? ExpressionUse.Equality : use;

    /// <summary>The value of an operator that chooses: known only where every choice is encrypted in the same way.</summary>
    private struct Outcome
    {
        private bool _any;

        public SchemaNode? Value { get; private set; }

        public void Add(SchemaNode? choice)
        {
            if (!_any) Value = choice;
            else if (!IsSame(Value, choice)) Value = UnknownNode.Instance;
            _any = true;
        }

        private static bool IsSame(SchemaNode? one, SchemaNode? other)
            => (one is null && other is null) || (one is EncryptedNode a && other is EncryptedNode b && a.HasSameMetadataAs(b));
    }
}
