using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Aggregation;

/// <summary>Reads aggregation expressions. An operator that is not in its tables is an error, whether MongoDB has it or not.</summary>
internal static class ExpressionParser
{
    private const int BadFieldPath = 16872;
    private const int OneFieldOnly = 15983;
    private const int UndefinedVariable = 17276;
    private const int WrongArity = 16020;
    private const int WrongArgument = 28667;

    private static readonly HashSet<string> SystemVariables = ["ROOT", "CURRENT", "REMOVE", "NOW"];

    /// <summary>Reads an expression.</summary>
    /// <exception cref="ServerException">It is none, or uses what this server does not have.</exception>
    public static Expression Parse(Value value) => Parse(value, []);

    private static Expression Parse(Value value, HashSet<string> variables) => value.Type switch
    {
        BsonType.String when value.Text.StartsWith('$') => ParsePath(value.Text, variables),
        BsonType.Array => new ArrayExpression([.. value.Items.Select(item => Parse(item, variables))]),
        BsonType.Document => ParseDocument(value.Document, variables),
        _ => new Constant(value),
    };

    private static PathExpression ParsePath(string text, HashSet<string> variables)
    {
        var isVariable = text.StartsWith("$$", StringComparison.Ordinal);
        var parts = text[(isVariable ? 2 : 1)..].Split('.');
        if (parts.Any(part => part.Length == 0 || part[0] == '$')) throw new ServerException(BadFieldPath, $"'{text}' by itself is not a valid FieldPath");
        if (!isVariable) return new PathExpression(null, parts);
        if (!SystemVariables.Contains(parts[0]) && !variables.Contains(parts[0])) throw new ServerException(UndefinedVariable, $"Use of undefined variable: {parts[0]}");
        return new PathExpression(parts[0], parts[1..]);
    }

    private static Expression ParseDocument(Document document, HashSet<string> variables)
    {
        if (document.Count > 0 && document[0].Name.StartsWith('$'))
        {
            return document.Count == 1
                ? ParseOperator(document[0].Name, document[0].Value, variables)
                : throw new ServerException(OneFieldOnly, $"an object representing an expression must have exactly one field: {ValueText.Of(document)}");
        }

        var fields = new List<(string, Expression)>();
        foreach (var (name, value) in document.Elements)
        {
            if (name.StartsWith('$')) throw new ServerException(OneFieldOnly, $"an object representing an expression must have exactly one field: {ValueText.Of(document)}");
            if (name.Length == 0 || name.Contains('.', StringComparison.Ordinal)) throw new ServerException(40412, $"FieldPath field names may not contain '.' in '{name}'. Consider using $getField or $setField.");
            fields.Add((name, Parse(value, variables)));
        }

        return new DocumentExpression(fields);
    }

    private static Expression ParseOperator(string name, Value operand, HashSet<string> variables)
    {
        Expression Read(Value value) => Parse(value, variables);

        switch (name)
        {
            // What query analysis makes of a constant; MongoDB takes it for $literal.
            case "$const" or "$literal":
                return new Constant(operand);
            case "$and" or "$or":
                var clauses = Operands(operand).Select(Read).ToArray();
                var isAnd = name == "$and";
                return new ScopedExpression(scope => Value.FromBoolean(isAnd
                    ? clauses.All(clause => clause.Evaluate(scope) is { IsTrue: true })
                    : clauses.Any(clause => clause.Evaluate(scope) is { IsTrue: true })));
            case "$ifNull":
                var choices = Operands(operand).Select(Read).ToArray();
                if (choices.Length < 2) throw new ServerException(1257300, "$ifNull needs at least two arguments");
                return new ScopedExpression(scope => choices[..^1].Select(choice => choice.Evaluate(scope)).FirstOrDefault(value => !Operators.IsNullish(value)) ?? choices[^1].Evaluate(scope));
            case "$cond":
                return ParseConditional(operand, Read);
            case "$switch":
                return ParseSwitch(operand, Read);
            case "$let":
                return ParseLet(operand, variables);
            case "$map" or "$filter":
                return ParseOverArray(name, operand, variables);
            default:
                if (!Operators.Table.TryGetValue(name, out var known)) throw new ServerException(ErrorCode.InvalidPipelineOperator, $"Unrecognized expression '{name}'");
                var operands = Operands(operand).Select(Read).ToArray();
                if (operands.Length < known.Least || operands.Length > known.Most)
                {
                    throw new ServerException(WrongArity, $"Expression {name} takes {(known.Least == known.Most ? $"exactly {known.Least}" : $"at least {known.Least}")} arguments. {operands.Length} were passed in.");
                }

                return new OperatorExpression(operands, known.Apply);
        }
    }

    /// <summary>The operands as written: an array of them, or one by itself.</summary>
    private static IEnumerable<Value> Operands(Value operand) => operand.IsArray ? operand.Items : [operand];

    private static ScopedExpression ParseConditional(Value operand, Func<Value, Expression> read)
    {
        Expression[] parts;
        if (operand.IsDocument)
        {
            var named = Named("$cond", operand, ["if", "then", "else"], required: 3);
            parts = [read(named["if"]), read(named["then"]), read(named["else"])];
        }
        else
        {
            parts = [.. Operands(operand).Select(read)];
            if (parts.Length != 3) throw new ServerException(WrongArity, $"Expression $cond takes exactly 3 arguments. {parts.Length} were passed in.");
        }

        return new ScopedExpression(scope => parts[0].Evaluate(scope) is { IsTrue: true } ? parts[1].Evaluate(scope) : parts[2].Evaluate(scope));
    }

    private static ScopedExpression ParseSwitch(Value operand, Func<Value, Expression> read)
    {
        var named = Named("$switch", operand, ["branches", "default"], required: 1);
        if (!named["branches"].IsArray) throw new ServerException(40061, $"$switch expected an array for 'branches', found: {named["branches"].Type.Alias()}");
        var branches = named["branches"].Items.Select(branch => Named("$switch", branch, ["case", "then"], required: 2))
            .Select(branch => (Case: read(branch["case"]), Then: read(branch["then"])))
            .ToArray();
        var otherwise = named.TryGetValue("default", out var value) ? read(value) : null;
        return new ScopedExpression(scope =>
        {
            foreach (var (condition, then) in branches)
            {
                if (condition.Evaluate(scope) is { IsTrue: true }) return then.Evaluate(scope);
            }

            return otherwise is null
                ? throw new ServerException(40066, "$switch could not find a matching branch for an input, and no default was specified.")
                : otherwise.Evaluate(scope);
        });
    }

    private static ScopedExpression ParseLet(Value operand, HashSet<string> variables)
    {
        var named = Named("$let", operand, ["vars", "in"], required: 2);
        if (!named["vars"].IsDocument) throw new ServerException(WrongArgument, "invalid parameter: expected an object ($let.vars)");
        var defined = named["vars"].Document.Elements.Select(element => (Name: Variable(element.Name), Value: Parse(element.Value, variables))).ToArray();
        var body = Parse(named["in"], [.. variables, .. defined.Select(variable => variable.Name)]);
        return new ScopedExpression(scope => body.Evaluate(defined.Aggregate(scope, (inner, variable) => inner.With(variable.Name, variable.Value.Evaluate(scope)))));
    }

    private static ScopedExpression ParseOverArray(string name, Value operand, HashSet<string> variables)
    {
        var isMap = name == "$map";
        var named = Named(name, operand, ["input", isMap ? "in" : "cond", "as"], required: 2);
        var variable = "this";
        if (named.TryGetValue("as", out var given)) variable = given.Type == BsonType.String ? Variable(given.Text) : throw new ServerException(WrongArgument, $"{name}.as must be a name");
        var input = Parse(named["input"], variables);
        var body = Parse(named[isMap ? "in" : "cond"], [.. variables, variable]);
        return new ScopedExpression(scope =>
        {
            var array = input.Evaluate(scope);
            if (Operators.IsNullish(array)) return Value.Null;
            if (!array!.IsArray) throw new ServerException(28651, $"input to {name} must be an array not {array.Type.Alias()}");
            return Value.FromArray(isMap
                ? array.Items.Select(item => body.Evaluate(scope.With(variable, item)) ?? Value.Null)
                : array.Items.Where(item => body.Evaluate(scope.With(variable, item)) is { IsTrue: true }));
        });
    }

    private static string Variable(string name)
        => name.Length > 0 && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            ? name
            : throw new ServerException(16867, $"'{name}' starts with an invalid character for a user variable name");

    /// <summary>The named arguments of an operator.</summary>
    /// <param name="operation">The operator.</param>
    /// <param name="operand">What stands beside it.</param>
    /// <param name="known">The names there may be, the required ones first.</param>
    /// <param name="required">How many must be there.</param>
    private static Dictionary<string, Value> Named(string operation, Value operand, string[] known, int required)
    {
        if (!operand.IsDocument) throw new ServerException(WrongArgument, $"{operation} only supports an object as its argument");
        var named = new Dictionary<string, Value>();
        foreach (var (name, value) in operand.Document.Elements)
        {
            if (!known.Contains(name)) throw new ServerException(WrongArgument, $"Unrecognized parameter to {operation}: {name}");
            named[name] = value;
        }

        foreach (var name in known.Take(required))
        {
            if (!named.ContainsKey(name)) throw new ServerException(WrongArgument, $"Missing '{name}' parameter to {operation}");
        }

        return named;
    }
}
