using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Match;

/// <summary>
/// Finds in a filter the constants that are compared with encrypted fields, and refuses what cannot work on ciphertext.
/// </summary>
internal static class MatchAnalyzer
{
    /// <summary>
    /// Plans the encryption of a command's filter. A filter with a placeholder is written in the form in which MongoDB's own
    /// analyzer sends it: equality as <c>$eq</c>, and several predicates as <c>{$and: [{a: {$eq: 1}}, ...]}</c>. The meaning is
    /// the same.
    /// </summary>
    /// <exception cref="QueryAnalysisException">The filter cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader filter)
    {
        var mark = scope.Plan.Remember();
        var bare = false;
        var predicates = AnalyzeDocument(scope, filter, scope.Schema, normal: false, conjunction: false, ref bare);
        if ((predicates < 2 && !bare) || !scope.Plan.HasPlaceholdersSince(mark)) return;
        scope.Plan.Undo(mark);
        AnalyzeDocument(scope, filter, scope.Schema, normal: true, conjunction: predicates > 1, ref bare);
    }

    /// <param name="scope">The command.</param>
    /// <param name="filter">The filter, or a branch of one.</param>
    /// <param name="schema">The schema of the documents it applies to; null for elements of plain arrays.</param>
    /// <param name="normal">Whether to write <c>a: 1</c> as <c>a: {$eq: 1}</c>.</param>
    /// <param name="conjunction">Whether to write the predicates as branches of <c>$and</c>.</param>
    /// <param name="bare">Becomes true where <c>a: 1</c> stands.</param>
    /// <returns>The number of predicates.</returns>
    private static int AnalyzeDocument(in AnalysisScope scope, BsonReader filter, PlainNode? schema, bool normal, bool conjunction, ref bool bare)
    {
        var predicates = 0;
        var mark = scope.Plan.BeginDocument(filter.Start);
        var array = conjunction ? scope.Plan.Insert(filter.Start + sizeof(int), "\u0004$and\0\0\0\0\0"u8) + "\u0004$and\0"u8.Length : 0;
        var arrayMark = scope.Plan.Remember();
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        while (filter.Read())
        {
            if (conjunction)
            {
                var literal = scope.Plan.Insert(filter.ElementStart, [(byte)BsonType.Document, .. BsonIndex.Format(predicates, index), 0, 0, 0, 0, 0]);
                var elementMark = scope.Plan.Remember();
                AnalyzePredicate(scope, filter, schema, normal, ref bare);
                scope.Plan.Insert(filter.ValueEnd, [0]);
                scope.Plan.SetInt32(
                    literal + 1 + BsonIndex.Format(predicates, index).Length + 1,
                    sizeof(int) + (filter.ValueEnd - filter.ElementStart) + scope.Plan.GrowthSince(elementMark));
            }
            else
            {
                AnalyzePredicate(scope, filter, schema, normal, ref bare);
            }

            predicates++;
        }

        if (conjunction)
        {
            var elements = filter.End - 1 - (filter.Start + sizeof(int));
            scope.Plan.SetInt32(array, sizeof(int) + elements + scope.Plan.GrowthSince(arrayMark) + 1);
            scope.Plan.Insert(filter.End - 1, [0]);
        }

        scope.Plan.EndDocument(mark, filter);
        return predicates;
    }

    private static void AnalyzePredicate(in AnalysisScope scope, in BsonReader element, PlainNode? schema, bool normal, ref bool bare)
    {
        if (element.Name is [(byte)'$', ..])
        {
            AnalyzeTopLevelOperator(scope, element, schema, normal, ref bare);
            return;
        }

        var lookup = PathLookup.Resolve(schema, element.Name);
        if (IsOperatorDocument(element))
        {
            AnalyzeOperators(scope, element, lookup, element.Name);
            return;
        }

        switch (lookup.State)
        {
            case PathState.NotEncrypted:
                // {f: /x/} does not mean {f: {$eq: /x/}}.
                if (element.Type == BsonType.RegularExpression) break;
                bare = true;
                if (normal) scope.Plan.WrapInEquality(element);
                break;
            case PathState.Encrypted:
                var key = CheckConstant(scope, element, lookup.Node!, element.Name, "$eq");
                scope.Plan.EncryptAsEquality(element, lookup.Node!.Algorithm, key);
                break;
            default:
                throw RefusePath(scope, lookup, element.Name, "$eq");
        }
    }

    // The elements of plain arrays hold nothing encrypted; what is nested must still be known to be harmless.
    private static void AnalyzeElements(in AnalysisScope scope, BsonReader filter)
    {
        var bare = false;
        AnalyzeDocument(scope, filter, schema: null, normal: false, conjunction: false, ref bare);
    }

    private static void AnalyzeTopLevelOperator(in AnalysisScope scope, in BsonReader element, PlainNode? schema, bool normal, ref bool bare)
    {
        var name = element.GetName();
        var rule = MatchOperators.TopLevel.GetValueOrDefault(name, TopLevelRule.Refused);
        if (rule == TopLevelRule.Comment) return;
        if (rule == TopLevelRule.Refused)
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Unsupported match expression operator for encryption",
                "Write the condition with operators that name a field, such as $eq or $in.", default, name);
        }

        if (rule == TopLevelRule.Expression)
        {
            AnalyzeExpression(scope, element, schema);
            return;
        }

        if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array of filters");
        var branches = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(branches.Start);
        while (branches.Read())
        {
            if (branches.Type != BsonType.Document) throw scope.Malformed(element.Name, "an array of filters");
            AnalyzeDocument(scope, branches.ReadDocument(), schema, normal, conjunction: false, ref bare);
        }

        scope.Plan.EndDocument(mark, branches);
    }

    // The paths of an expression count from the whole document, and MongoDB takes none inside $elemMatch.
    private static void AnalyzeExpression(in AnalysisScope scope, in BsonReader element, PlainNode? schema)
    {
        if (schema is null)
        {
            throw scope.Refuse(CsfleErrorCode.MalformedCommand, "'$expr' can only stand at the top of a filter", "Move it out of $elemMatch.", default, "$expr");
        }

        ExpressionAnalyzer.Analyze(scope, element, ExpressionUse.Computation);
    }

    private static void AnalyzeOperators(in AnalysisScope scope, in BsonReader predicate, PathLookup lookup, ReadOnlySpan<byte> path)
    {
        var operators = predicate.ReadDocument();
        var mark = scope.Plan.BeginDocument(operators.Start);
        while (operators.Read()) AnalyzeOperator(scope, operators, lookup, path);
        scope.Plan.EndDocument(mark, operators);
    }

    private static void AnalyzeOperator(in AnalysisScope scope, in BsonReader element, PathLookup lookup, ReadOnlySpan<byte> path)
    {
        var name = element.GetName();
        if (!MatchOperators.AtPath.TryGetValue(name, out var rule))
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Unsupported match expression operator for encryption",
                "Use an operator that docs/operators.md lists.", path, name);
        }

        switch (lookup.State)
        {
            case PathState.NotEncrypted:
                AnalyzePlainOperator(scope, element, rule, path);
                break;
            case PathState.Encrypted:
                AnalyzeEncryptedOperator(scope, element, rule, lookup, path, name);
                break;
            case PathState.PrefixOfEncrypted when rule == MatchRule.Existence:
                break;
            default:
                throw RefusePath(scope, lookup, path, name);
        }
    }

    // Nothing here is encrypted, but what is nested must still be known to be harmless.
    private static void AnalyzePlainOperator(in AnalysisScope scope, in BsonReader element, MatchRule rule, ReadOnlySpan<byte> path)
    {
        var plain = new PathLookup(PathState.NotEncrypted);
        switch (rule)
        {
            case MatchRule.Negation when element.Type == BsonType.Document:
                AnalyzeOperators(scope, element, plain, path);
                break;
            case MatchRule.ArrayElements when element.Type == BsonType.Document:
                if (IsOperatorDocument(element)) AnalyzeElementOperators(scope, element, plain, path);
                else AnalyzeElements(scope, element.ReadDocument());
                break;
            case MatchRule.PlaintextOnly when element.Name.SequenceEqual("$all"u8) && element.Type == BsonType.Array:
                // {$all: [{$elemMatch: {...}}, ...]}
                var elements = element.ReadDocument();
                while (elements.Read())
                {
                    if (IsOperatorDocument(elements)) AnalyzeOperators(scope, elements, plain, path);
                }

                break;
        }
    }

    // {$elemMatch: {$gt: 1}} holds operators on the element, {$elemMatch: {$or: [...]}} filters of it.
    private static void AnalyzeElementOperators(in AnalysisScope scope, in BsonReader element, PathLookup plain, ReadOnlySpan<byte> path)
    {
        var first = element.ReadDocument();
        first.Read();
        if (MatchOperators.AtPath.ContainsKey(first.GetName())) AnalyzeOperators(scope, element, plain, path);
        else AnalyzeElements(scope, element.ReadDocument());
    }

    private static void AnalyzeEncryptedOperator(
        in AnalysisScope scope, in BsonReader element, MatchRule rule, PathLookup lookup, ReadOnlySpan<byte> path, string name)
    {
        var node = lookup.Node!;
        switch (rule)
        {
            case MatchRule.Existence:
                break;
            case MatchRule.Equality:
                scope.Plan.Encrypt(element, node.Algorithm, CheckConstant(scope, element, node, path, name));
                break;
            case MatchRule.Membership:
                EncryptEach(scope, element, node, path, name);
                break;
            case MatchRule.Negation when element.Type == BsonType.Document:
                AnalyzeOperators(scope, element, lookup, path);
                break;
            default:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Invalid match expression operator on encrypted field",
                    "Only $eq, $ne, $in, $nin and $exists can be used on an encrypted field. Keep what must be ranged or searched in a plain field of its own.",
                    path, name);
        }
    }

    private static void EncryptEach(in AnalysisScope scope, in BsonReader element, EncryptedNode node, ReadOnlySpan<byte> path, string name)
    {
        if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array");
        var values = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(values.Start);
        var any = false;
        while (values.Read())
        {
            any = true;
            scope.Plan.Encrypt(values, node.Algorithm, CheckConstant(scope, values, node, path, name));
        }

        if (!any) RefuseRandom(scope, node, path, name);
        scope.Plan.EndDocument(mark, values);
    }

    private static KeyReference CheckConstant(in AnalysisScope scope, in BsonReader element, EncryptedNode node, ReadOnlySpan<byte> path, string name)
    {
        RefuseRandom(scope, node, path, name);
        EncryptableValue.CheckCompared(scope, element, node, path, name);

        // A key that the document names is for the random algorithm alone, which no query gets past the line above.
        return KeyReference.ById(node.KeyId!.Value);
    }

    private static void RefuseRandom(in AnalysisScope scope, EncryptedNode node, ReadOnlySpan<byte> path, string name)
    {
        if (node.Algorithm != CsfleAlgorithm.Random) return;
        throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Cannot query on fields encrypted with the randomized encryption algorithm",
            "Query another field, or encrypt this one with the deterministic algorithm if its values may be compared.", path, name);
    }

    private static QueryAnalysisException RefusePath(in AnalysisScope scope, PathLookup lookup, ReadOnlySpan<byte> path, string name) => lookup.State switch
    {
        PathState.CaseVariant => scope.RefuseCaseVariant(CsfleErrorCode.UnsupportedQuery, lookup.Listed!, path, name),
        PathState.PrefixOfEncrypted => scope.Refuse(CsfleErrorCode.UnsupportedQuery,
            "The value at this path contains encrypted fields, and comparing it as a whole would send them in clear",
            "Compare the fields inside it one by one, by their dotted paths.", path, name),
        PathState.BelowEncrypted => scope.Refuse(CsfleErrorCode.UnsupportedQuery,
            "This path leads into a value that is encrypted as a whole", "Query the whole value, or another field.", path, name),
        PathState.Unknown => FieldReference.RefuseUnknown(scope, path, name),
        _ => scope.Refuse(CsfleErrorCode.UnsupportedQuery,
            "It cannot be told whether this path is encrypted: it has an empty component, one that starts with '$', or an array index",
            "Name the field by a path of plain names.", path, name),
    };

    // A DBRef is a value, though its first name starts with '$'.
    private static bool IsOperatorDocument(in BsonReader element)
    {
        if (element.Type != BsonType.Document) return false;
        var first = element.ReadDocument();
        return first.Read() && first.Name is [(byte)'$', ..]
            && !first.Name.SequenceEqual("$ref"u8) && !first.Name.SequenceEqual("$id"u8) && !first.Name.SequenceEqual("$db"u8);
    }
}
