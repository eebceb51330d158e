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
    private const int InvalidVariable = 16867;

    // Which code an operator has for arguments that are no document, for one that is unknown, and for each that is missing.
    private static readonly Dictionary<string, (int NotDocument, int Unknown, int[] Missing)> ArgumentErrors = new()
    {
        ["$cond"] = (WrongArity, 17083, [17080, 17081, 17082]),
        ["$switch"] = (40060, 40067, [40068]),
        ["case"] = (40062, 40063, [40064, 40065]),
        ["$let"] = (16874, 16875, [16876, 16877]),
        ["$map"] = (16878, 16879, [16880, 16882]),
        ["$filter"] = (28646, 28647, [28648, 28650]),
    };

    private static readonly HashSet<string> SystemVariables = ["ROOT", "CURRENT", "REMOVE", "NOW"];

    /// <summary>The operators that decide what of their operands is evaluated, and with which variables.</summary>
    private static readonly Dictionary<string, FormReader> SpecialForms = new()
    {
        ["$literal"] = (_, operand, _) => new Constant(operand),
        // What query analyzers write in its place; MongoDB knows both.
        ["$const"] = (_, operand, _) => new Constant(operand),
        ["$and"] = ParseLogical,
        ["$or"] = ParseLogical,
        ["$ifNull"] = (_, operand, variables) => ParseIfNull(operand, variables),
        ["$cond"] = (_, operand, variables) => ParseConditional(operand, value => Parse(value, variables)),
        ["$switch"] = (_, operand, variables) => ParseSwitch(operand, value => Parse(value, variables)),
        ["$let"] = (_, operand, variables) => ParseLet(operand, variables),
        ["$map"] = ParseOverArray,
        ["$filter"] = ParseOverArray,
    };

    private delegate Expression FormReader(string name, Value operand, HashSet<string> variables);

    /// <summary>The names of all operators.</summary>
    public static IEnumerable<string> Names => [.. SpecialForms.Keys, .. Operators.Table.Keys];

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
        if (SpecialForms.TryGetValue(name, out var read)) return read(name, operand, variables);
        if (!Operators.Table.TryGetValue(name, out var known)) throw new ServerException(ErrorCode.InvalidPipelineOperator, $"Unrecognized expression '{name}'");
        var operands = Operands(operand).Select(value => Parse(value, variables)).ToArray();
        if (operands.Length < known.Least || operands.Length > known.Most)
        {
            throw new ServerException(WrongArity, $"Expression {name} takes {(known.Least == known.Most ? $"exactly {known.Least}" : $"at least {known.Least}")} arguments. {operands.Length} were passed in.");
        }

        return new OperatorExpression(operands, known.Apply);
    }

    private static ScopedExpression ParseLogical(string name, Value operand, HashSet<string> variables)
    {
        var clauses = Operands(operand).Select(value => Parse(value, variables)).ToArray();
        var isAnd = name == "$and";
        return new ScopedExpression(scope => Value.FromBoolean(isAnd
            ? clauses.All(clause => clause.Evaluate(scope) is { IsTrue: true })
            : clauses.Any(clause => clause.Evaluate(scope) is { IsTrue: true })));
    }

    private static ScopedExpression ParseIfNull(Value operand, HashSet<string> variables)
    {
        var choices = Operands(operand).Select(value => Parse(value, variables)).ToArray();
        if (choices.Length < 2) throw new ServerException(1257300, "$ifNull needs at least two arguments");
        return new ScopedExpression(scope => choices[..^1].Select(choice => choice.Evaluate(scope)).FirstOrDefault(value => !Operators.IsNullish(value)) ?? choices[^1].Evaluate(scope));
    }

    /// <summary>The operands as written: an array of them, or one by itself.</summary>
    private static IEnumerable<Value> Operands(Value operand) => operand.IsArray ? operand.Items : [operand];

    private static ScopedExpression ParseConditional(Value operand, Func<Value, Expression> read)
    {
        Expression[] parts;
        if (operand.IsDocument)
        {
            var named = Named("$cond", operand, ["if", "then", "else"]);
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
        var named = Named("$switch", operand, ["branches", "default"]);
        if (!named["branches"].IsArray) throw new ServerException(40061, $"$switch expected an array for 'branches', found: {named["branches"].Type.Alias()}");
        var branches = named["branches"].Items.Select(branch => Named("case", branch, ["case", "then"]))
            .Select(branch => (Case: read(branch["case"]), Then: read(branch["then"])))
            .ToArray();
        if (branches.Length == 0) throw new ServerException(40068, "$switch requires at least one branch.");
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
        var named = Named("$let", operand, ["vars", "in"]);
        if (!named["vars"].IsDocument) throw new ServerException(10065, "invalid parameter: expected an object (vars)");
        var defined = named["vars"].Document.Elements.Select(element => (Name: Variable(element.Name), Value: Parse(element.Value, variables))).ToArray();
        var body = Parse(named["in"], [.. variables, .. defined.Select(variable => variable.Name)]);
        return new ScopedExpression(scope => body.Evaluate(defined.Aggregate(scope, (inner, variable) => inner.With(variable.Name, variable.Value.Evaluate(scope)))));
    }

    private static ScopedExpression ParseOverArray(string name, Value operand, HashSet<string> variables)
    {
        var isMap = name == "$map";
        var named = Named(name, operand, ["input", isMap ? "in" : "cond", "as", .. isMap ? Array.Empty<string>() : ["limit"]]);
        var variable = "this";
        if (named.TryGetValue("as", out var given)) variable = given.Type == BsonType.String ? Variable(given.Text) : throw new ServerException(InvalidVariable, $"{name}.as must be a name");
        var input = Parse(named["input"], variables);
        var body = Parse(named[isMap ? "in" : "cond"], [.. variables, variable]);
        var limit = named.TryGetValue("limit", out var most) ? Parse(most, variables) : null;
        return new ScopedExpression(scope =>
        {
            var array = input.Evaluate(scope);
            if (Operators.IsNullish(array)) return Value.Null;
            if (!array!.IsArray) throw new ServerException(isMap ? 16883 : 28651, $"input to {name} must be an array not {array.Type.Alias()}");
            return Value.FromArray(isMap
                ? array.Items.Select(item => body.Evaluate(scope.With(variable, item)) ?? Value.Null)
                : array.Items.Where(item => body.Evaluate(scope.With(variable, item)) is { IsTrue: true }).Take(Limit(limit?.Evaluate(scope))));
        });
    }

    /// <summary>The most elements that <c>$filter</c> returns; null and missing are no limit.</summary>
    private static int Limit(Value? limit)
    {
        if (Operators.IsNullish(limit)) return int.MaxValue;
        if (!limit!.IsNumber || !limit.Number.TryToInt64(out var most) || most > int.MaxValue) throw new ServerException(327391, "$filter: limit must be represented as a 32-bit integral value");
        return most > 0 ? (int)most : throw new ServerException(327392, $"$filter: limit must be greater than 0, is {most}");
    }

    private static string Variable(string name)
        => name.Length > 0 && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            ? name
            : throw new ServerException(InvalidVariable, $"'{name}' starts with an invalid character for a user variable name");

    /// <summary>The named arguments of an operator.</summary>
    /// <param name="operation">The operator.</param>
    /// <param name="operand">What stands beside it.</param>
    /// <param name="known">The names there may be, the required ones first.</param>
    private static Dictionary<string, Value> Named(string operation, Value operand, string[] known)
    {
        var errors = ArgumentErrors[operation];
        if (!operand.IsDocument) throw new ServerException(errors.NotDocument, $"{operation} only supports an object as its argument");
        var named = new Dictionary<string, Value>();
        foreach (var (name, value) in operand.Document.Elements)
        {
            if (!known.Contains(name)) throw new ServerException(errors.Unknown, $"Unrecognized parameter to {operation}: {name}");
            named[name] = value;
        }

        foreach (var (name, code) in known.Zip(errors.Missing))
        {
            if (!named.ContainsKey(name)) throw new ServerException(code, $"Missing '{name}' parameter to {operation}");
        }

        return named;
    }
}
