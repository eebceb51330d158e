using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>Reads updates: operators, a replacement or a pipeline. Every operator that it does not know is refused.</summary>
internal static class UpdateParser
{
    private static readonly Dictionary<string, ChangeReader> Changes = new()
    {
        ["$set"] = (_, _, value) => new SetChange(value),
        ["$setOnInsert"] = (_, _, value) => new SetChange(value, onlyOnInsert: true),
        ["$unset"] = (_, _, _) => new UnsetChange(),
        ["$rename"] = (_, field, value) => ParseRename(field, value),
        ["$inc"] = (name, field, value) => ParseArithmetic(name, "increment", field, value),
        ["$mul"] = (name, field, value) => ParseArithmetic(name, "multiply", field, value),
        ["$min"] = (_, _, value) => new LimitChange(value, isMinimum: true),
        ["$max"] = (_, _, value) => new LimitChange(value, isMinimum: false),
        ["$currentDate"] = (_, _, value) => ParseCurrentDate(value),
        ["$bit"] = (_, _, value) => ParseBit(value),
        ["$push"] = (_, _, value) => ParsePush(value),
        ["$addToSet"] = (_, _, value) => ParseAddToSet(value),
        ["$pull"] = (name, _, value) => new PullChange(name, MatchParser.ParseElement(value)),
        ["$pullAll"] = (_, _, value) => ParsePullAll(value),
        ["$pop"] = (_, _, value) => ParsePop(value),
    };

    private delegate FieldChange ChangeReader(string name, string field, Value value);

    /// <summary>The names of all operators.</summary>
    public static IEnumerable<string> Names => Changes.Keys;

    /// <summary>Reads an update.</summary>
    /// <exception cref="ServerException">It is none, or uses what this server does not have.</exception>
    public static DocumentUpdate Parse(Value update, IReadOnlyList<Document> arrayFilters)
    {
        if (update.IsArray) return PipelineUpdate.Parse(update, arrayFilters);
        if (!update.IsDocument) throw ServerException.FailedToParse("Update argument must be either an object or an array");

        var filters = new ArrayFilters(arrayFilters);
        var document = update.Document;
        if (document.Count > 0 && document[0].Name.StartsWith('$')) return ParseOperators(document, filters);

        if (filters.Count > 0) throw ServerException.FailedToParse("Cannot specify arrayFilters and a replacement-style update");
        if (document.Elements.FirstOrDefault(element => element.Name.StartsWith('$')) is { Name: { } name })
        {
            throw new ServerException(ErrorCode.DollarPrefixedFieldName, $"The dollar ($) prefixed field '{name}' in '{name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.");
        }

        return new Replacement(document);
    }

    private static OperatorUpdate ParseOperators(Document document, ArrayFilters filters)
    {
        var modifications = new List<Modification>();
        foreach (var (name, fields) in document.Elements)
        {
            var parse = ChangeParser(name);
            if (!fields.IsDocument)
            {
                throw ServerException.FailedToParse($"Modifiers operate on fields but we found type {fields.Type.Alias()} instead. For example: {{$mod: {{<field>: ...}}}} not {{{name}: {ValueText.Of(fields)}}}");
            }

            modifications.AddRange(fields.Document.Elements.Select(field => new Modification(UpdatePath.Parse(field.Name), parse(name, field.Name, field.Value))));
        }

        var paths = modifications.SelectMany(PathsOf).ToArray();
        for (var i = 0; i < paths.Length; i++)
        {
            for (var j = 0; j < i; j++) OperatorUpdate.CheckConflict(paths[j], paths[i]);
        }

        filters.CheckUse(paths);
        return new OperatorUpdate(modifications, filters);
    }

    private static IEnumerable<UpdatePath> PathsOf(Modification modification)
        => modification.Change is RenameChange rename ? [modification.Path, rename.Target] : [modification.Path];

    private static ChangeReader ChangeParser(string name) => Changes.TryGetValue(name, out var read)
        ? read
        : throw ServerException.FailedToParse($"Unknown modifier: {name}. Expected a valid update modifier or pipeline-style update specified as an array");

    private static RenameChange ParseRename(string field, Value value)
    {
        if (value.Type != BsonType.String) throw ServerException.BadValue($"The 'to' field for $rename must be a string: {field}: {ValueText.Of(value)}");
        var (source, target) = (UpdatePath.Parse(field), UpdatePath.Parse(value.Text));
        if (source.HasPlaceholders || target.HasPlaceholders) throw ServerException.BadValue($"The fields of $rename may not be dynamic: '{field}' to '{value.Text}'");
        if (field == value.Text) throw ServerException.BadValue($"The source and target field for $rename must differ: {field}: \"{field}\"");
        return new RenameChange(target);
    }

    private static ArithmeticChange ParseArithmetic(string name, string verb, string field, Value value)
        => value.IsNumber
            ? new ArithmeticChange(name, value)
            : throw ServerException.TypeMismatch($"Cannot {verb} with non-numeric argument: {{{field}: {ValueText.Of(value)}}}");

    private static CurrentDateChange ParseCurrentDate(Value value)
    {
        if (value.Type == BsonType.Boolean) return new CurrentDateChange(isTimestamp: false);
        if (!value.IsDocument) throw ServerException.BadValue($"{value.Type.Alias()} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({{$type: 'timestamp/date'}}).");
        foreach (var (name, _) in value.Document.Elements)
        {
            if (name != "$type") throw ServerException.BadValue($"Unrecognized $currentDate option: {name}");
        }

        return value.Document.Find("$type") is { Type: BsonType.String, Text: "date" or "timestamp" } type
            ? new CurrentDateChange(type.Text == "timestamp")
            : throw ServerException.BadValue("The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}");
    }

    private static BitChange ParseBit(Value value)
    {
        if (!value.IsDocument) throw ServerException.BadValue($"The $bit modifier is not compatible with a {value.Type.Alias()}. You must pass in an embedded document: {{$bit: {{field: {{and/or/xor: #}}}}");
        if (value.Document.Count == 0) throw ServerException.BadValue("You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}}");
        foreach (var (name, operand) in value.Document.Elements)
        {
            if (name is not ("and" or "or" or "xor")) throw ServerException.BadValue($"The $bit modifier only supports 'and', 'or', and 'xor', not '{name}' which is an unknown operator: {{$bit: {{field: {{and/or/xor: #}}}}");
            if (operand.Type is not (BsonType.Int32 or BsonType.Int64)) throw ServerException.BadValue($"The $bit modifier field must be an Integer(32/64 bit); a '{operand.Type.Alias()}' is not supported here: {{{name}: {ValueText.Of(operand)}}}");
        }

        return new BitChange(value.Document.Elements);
    }

    private static PushChange ParsePush(Value value)
    {
        if (!value.IsDocument || value.Document.Find("$each") is not { } each) return new PushChange([value], null, null, null);
        if (!each.IsArray) throw ServerException.BadValue($"The argument to $each in $push must be an array but it was of type: {each.Type.Alias()}");

        long? position = null;
        long? slice = null;
        Comparison<Value>? sort = null;
        foreach (var (name, operand) in value.Document.Elements)
        {
            switch (name)
            {
                case "$each":
                    break;
                case "$position":
                    position = Whole(name, operand);
                    break;
                case "$slice":
                    slice = Whole(name, operand);
                    break;
                case "$sort":
                    sort = PushSort.Parse(operand);
                    break;
                default:
                    throw ServerException.BadValue($"Unrecognized clause in $push: {name}");
            }
        }

        return new PushChange([.. each.Items], position, sort, slice);
    }

    private static long Whole(string name, Value value)
        => value.IsNumber && value.Number.TryToInt64(out var number)
            ? number
            : throw ServerException.BadValue($"The value for {name} must be an integer value but was given type: {value.Type.Alias()}");

    private static AddToSetChange ParseAddToSet(Value value)
    {
        if (!value.IsDocument || value.Document.Count == 0 || value.Document[0].Name != "$each") return new AddToSetChange([value]);
        if (value.Document.Count > 1) throw ServerException.BadValue($"Found unexpected fields after $each in $addToSet: {ValueText.Of(value)}");
        var each = value.Document[0].Value;
        return each.IsArray
            ? new AddToSetChange([.. each.Items])
            : throw ServerException.TypeMismatch($"The argument to $each in $addToSet must be an array but it was of type {each.Type.Alias()}");
    }

    private static PullChange ParsePullAll(Value value)
    {
        if (!value.IsArray) throw ServerException.BadValue($"$pullAll requires an array argument but was given a {value.Type.Alias()}");
        var pulled = value.Items.ToArray();
        return new PullChange("$pullAll", item => pulled.Any(other => ValueOrder.AreEqual(item, other)));
    }

    private static PopChange ParsePop(Value value)
        => value.IsNumber && value.Number.TryToInt64(out var end) && end is 1 or -1
            ? new PopChange(isFirst: end == -1)
            : throw ServerException.FailedToParse($"$pop expects 1 or -1, found: {ValueText.Of(value)}");
}
