namespace Medco.Csfle.Engine.Analysis.Expressions;

/// <summary>What an operator of aggregation expressions does with an encrypted operand.</summary>
internal enum ExpressionRule
{
    /// <summary>Compares two operands for equality; a constant can be encrypted.</summary>
    Comparison,

    /// <summary>Compares with each constant of an array.</summary>
    Membership,

    /// <summary>Chooses between two values, <c>[if, then, else]</c> or a document of these.</summary>
    Condition,

    /// <summary>Chooses the first value that is not null.</summary>
    FirstPresent,

    /// <summary>Chooses among several branches.</summary>
    Switch,

    /// <summary>Names plain values.</summary>
    Binding,

    /// <summary>Is its operand, which is not read.</summary>
    Constant,

    /// <summary>Applies an expression to the elements of an array; cannot work on an encrypted value.</summary>
    Iteration,

    /// <summary>Reads a field whose name is computed; cannot work on a document with encrypted fields.</summary>
    FieldAccess,

    /// <summary>Cannot work on an encrypted value; harmless on any other.</summary>
    PlaintextOnly,
}

/// <summary>
/// The operators of aggregation expressions. What is not named here is refused. Source: MongoDB manual, "Aggregation
/// Operators", and "Supported Operations for Automatic Encryption", expression operators.
/// </summary>
internal static class ExpressionOperators
{
    private static readonly string[] PlaintextOnly =
    [
        "$abs", "$acos", "$acosh", "$add", "$allElementsTrue", "$and", "$anyElementTrue", "$arrayElemAt", "$arrayToObject",
        "$asin", "$asinh", "$atan", "$atan2", "$atanh", "$avg", "$binarySize", "$bitAnd", "$bitNot", "$bitOr", "$bitXor",
        "$bsonSize", "$ceil", "$cmp", "$concat", "$concatArrays", "$convert", "$cos", "$cosh", "$dateAdd", "$dateDiff",
        "$dateFromParts", "$dateFromString", "$dateSubtract", "$dateToParts", "$dateToString", "$dateTrunc", "$dayOfMonth",
        "$dayOfWeek", "$dayOfYear", "$degreesToRadians", "$divide", "$exp", "$first", "$firstN", "$floor", "$function", "$gt",
        "$gte", "$hour", "$indexOfArray", "$indexOfBytes", "$indexOfCP", "$isArray", "$isNumber", "$isoDayOfWeek", "$isoWeek",
        "$isoWeekYear", "$last", "$lastN", "$ln", "$log", "$log10", "$lt", "$lte", "$ltrim", "$max", "$maxN", "$median",
        "$mergeObjects", "$meta", "$millisecond", "$min", "$minN", "$minute", "$mod", "$month", "$multiply", "$not",
        "$objectToArray", "$or", "$percentile", "$pow", "$radiansToDegrees", "$rand", "$range", "$reduce", "$regexFind",
        "$regexFindAll", "$regexMatch", "$replaceAll", "$replaceOne", "$reverseArray", "$round", "$rtrim", "$second",
        "$setDifference", "$setEquals", "$setField", "$setIntersection", "$setIsSubset", "$setUnion", "$sigmoid", "$sin",
        "$sinh", "$size", "$slice", "$sortArray", "$split", "$sqrt", "$stdDevPop", "$stdDevSamp", "$strcasecmp", "$strLenBytes",
        "$strLenCP", "$substr", "$substrBytes", "$substrCP", "$subtract", "$sum", "$tan", "$tanh", "$toBool", "$toDate",
        "$toDecimal", "$toDouble", "$toHashedIndexKey", "$toInt", "$toLong", "$toLower", "$toObjectId", "$toString", "$toUpper",
        "$toUUID", "$trim", "$trunc", "$tsIncrement", "$tsSecond", "$type", "$unsetField", "$week", "$year", "$zip",
    ];

    /// <summary>Every operator that is known.</summary>
    public static readonly IReadOnlyDictionary<string, ExpressionRule> All = Build();

    private static Dictionary<string, ExpressionRule> Build()
    {
        var all = new Dictionary<string, ExpressionRule>(StringComparer.Ordinal)
        {
            ["$eq"] = ExpressionRule.Comparison,
            ["$ne"] = ExpressionRule.Comparison,
            ["$in"] = ExpressionRule.Membership,
            ["$cond"] = ExpressionRule.Condition,
            ["$ifNull"] = ExpressionRule.FirstPresent,
            ["$switch"] = ExpressionRule.Switch,
            ["$let"] = ExpressionRule.Binding,
            ["$literal"] = ExpressionRule.Constant,
            ["$const"] = ExpressionRule.Constant,
            ["$map"] = ExpressionRule.Iteration,
            ["$filter"] = ExpressionRule.Iteration,
            ["$getField"] = ExpressionRule.FieldAccess,
        };
        foreach (var name in PlaintextOnly) all.Add(name, ExpressionRule.PlaintextOnly);
        return all;
    }
}
