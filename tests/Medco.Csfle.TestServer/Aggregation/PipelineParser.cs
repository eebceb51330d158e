using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Updates;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Aggregation;

/// <summary>One stage of a pipeline.</summary>
internal delegate IEnumerable<Document> Stage(IEnumerable<Document> documents);

/// <summary>Reads pipelines. A stage that is not known is an error, as is all of a stage that is not understood.</summary>
/// <param name="findCollection">The collections of the database, for <c>$lookup</c>; null where there is none of a name.</param>
internal sealed class PipelineParser(Func<string, Collection?> findCollection)
{
    private const int StageWithoutOneField = 40323;
    private const int UnknownStage = 40324;
    private const int MissingFields = 15955;
    private const int NoAccumulator = 40234;
    private const int DottedGroupField = 40235;
    private const int OneAccumulator = 40238;
    private const int BadCountName = 40156;

    private static readonly Dictionary<string, Func<PipelineParser, string, Value, Stage>> Stages = new()
    {
        ["$match"] = (_, _, value) => ParseMatch(value),
        ["$project"] = (_, _, value) => ParseProject(value),
        ["$addFields"] = (_, name, value) => ParseAddFields(name, value),
        ["$set"] = (_, name, value) => ParseAddFields(name, value),
        ["$unset"] = (_, _, value) => ParseUnset(value),
        ["$group"] = (_, name, value) => ParseGroup(DocumentOf(name, 15947, value)),
        ["$sort"] = (_, _, value) => ParseSort(value),
        ["$limit"] = (_, _, value) => ParseLimit(value),
        ["$skip"] = (_, _, value) => ParseSkip(value),
        ["$count"] = (_, _, value) => ParseCount(value),
        ["$unwind"] = (_, _, value) => ParseUnwind(value),
        ["$lookup"] = (parser, _, value) => parser.ParseLookup(value),
        ["$sortByCount"] = (_, _, value) => ParseSortByCount(value),
        ["$replaceRoot"] = (_, name, value) => ParseReplaceRoot(StatementArguments(name, value).Required("newRoot"), name),
        ["$replaceWith"] = (_, name, value) => ParseReplaceRoot(value, name),
        ["$facet"] = (parser, _, value) => parser.ParseFacet(value),
    };

    private static readonly HashSet<string> Unsupported =
    [
        "$out", "$merge", "$geoNear", "$graphLookup", "$bucket", "$bucketAuto", "$sample", "$redact", "$unionWith", "$indexStats",
        "$collStats", "$planCacheStats", "$currentOp", "$listSessions", "$listLocalSessions", "$changeStream", "$search",
        "$searchMeta", "$setWindowFields", "$densify", "$fill", "$documents", "$vectorSearch",
    ];

    /// <summary>The names of all stages but <c>$changeStream</c>, which begins pipelines of its own kind.</summary>
    public static IEnumerable<string> Names => Stages.Keys;

    /// <summary>Reads a pipeline.</summary>
    /// <exception cref="ServerException">It is none, or uses what this server does not have.</exception>
    public IReadOnlyList<Stage> Parse(IEnumerable<Document> pipeline)
    {
        var stages = new List<Stage>();
        foreach (var stage in pipeline)
        {
            if (stage.Count != 1) throw new ServerException(StageWithoutOneField, "A pipeline stage specification object must contain exactly one field.");
            stages.Add(ParseStage(stage[0].Name, stage[0].Value));
        }

        return stages;
    }

    private Stage ParseStage(string name, Value value)
    {
        if (Stages.TryGetValue(name, out var read)) return read(this, name, value);
        throw Unsupported.Contains(name)
            ? ServerException.NotImplemented($"the stage {name}")
            : new ServerException(UnknownStage, $"Unrecognized pipeline stage name: '{name}'");
    }

    private static Stage ParseMatch(Value value)
    {
        var filter = MatchParser.Parse(DocumentOf("$match", 15959, value));
        return documents => documents.Where(filter.Matches);
    }

    private static Stage ParseProject(Value value)
    {
        var specification = DocumentOf("$project", 15969, value);
        if (specification.Count == 0) throw new ServerException(51272, "Invalid $project :: caused by :: projection specification must have at least one field");
        var projection = new Projection(specification, isStage: true);
        return documents => documents.Select(projection.Apply);
    }

    private static Stage ParseAddFields(string name, Value value)
    {
        var specification = DocumentOf(name, 40272, value);
        if (specification.Count == 0) throw new ServerException(40177, $"Invalid {name} :: caused by :: specification must have at least one field");
        var projection = Projection.Addition(specification);
        return documents => documents.Select(projection.Apply);
    }

    private static Stage ParseUnset(Value value)
    {
        Value[] names = value.IsArray ? [.. value.Items] : [value];
        if (names.Length == 0 || names.Any(item => item.Type != BsonType.String)) throw new ServerException(31002, "$unset specification must be a string or an array containing only string values");
        var projection = new Projection(new Document(names.Select(item => new Element(item.Text, Value.FromInt32(0)))), isStage: true);
        return documents => documents.Select(projection.Apply);
    }

    private static Stage ParseGroup(Document specification)
    {
        var id = specification.Find("_id") ?? throw new ServerException(MissingFields, "a group specification must include an _id");
        var key = ExpressionParser.Parse(id);
        var fields = specification.Elements.Where(element => element.Name != "_id").Select(element =>
        {
            if (element.Name.Contains('.', StringComparison.Ordinal)) throw new ServerException(DottedGroupField, $"The field name '{element.Name}' cannot contain '.'");
            if (!element.Value.IsDocument || !MatchParser.IsOperators(element.Value)) throw new ServerException(NoAccumulator, $"The field '{element.Name}' must be an accumulator object");
            if (element.Value.Document.Count != 1) throw new ServerException(OneAccumulator, $"The field '{element.Name}' must specify one accumulator");
            var (operation, operand) = element.Value.Document[0];
            if (operation == "$count" && operand is not { IsDocument: true, Document.Count: 0 }) throw ServerException.BadValue("$count takes no arguments, i.e. $count:{}");
            return (element.Name, Operand: ExpressionParser.Parse(operand), Accumulate: Accumulator.Find(operation));
        }).ToArray();

        return documents => documents
            .Select(document => new Scope(document))
            .GroupBy(scope => key.Evaluate(scope) ?? Value.Null, EqualValues.Instance)
            .Select(group => new Document(fields
                .Select(field => new Element(field.Name, field.Accumulate([.. group.Select(field.Operand.Evaluate)])))
                .Prepend(new Element("_id", group.Key))));
    }

    private static Stage ParseSort(Value value)
    {
        var specification = DocumentOf("$sort", 15973, value);
        if (specification.Count == 0) throw new ServerException(15976, "$sort stage must have at least one sort key");
        return new SortOrder(specification).Apply;
    }

    private static Stage ParseLimit(Value value)
    {
        var limit = Whole("$limit", 2107201, value);
        if (limit == 0) throw new ServerException(15958, "the limit must be positive");
        return documents => documents.Take((int)Math.Min(limit, int.MaxValue));
    }

    private static Stage ParseSkip(Value value)
    {
        var skip = Whole("$skip", 2107200, value);
        return documents => documents.Skip((int)Math.Min(skip, int.MaxValue));
    }

    private static Stage ParseCount(Value value)
    {
        if (value.Type != BsonType.String || value.Text.Length == 0 || value.Text[0] == '$' || value.Text.Contains('.', StringComparison.Ordinal))
        {
            throw new ServerException(BadCountName, "the count field must be a non-empty string, neither beginning with '$' nor containing '.'");
        }

        // Of nothing there is no count.
        return documents => documents.Count() is var count && count == 0 ? [] : [new Document([new Element(value.Text, Value.FromInt32(count))])];
    }

    private static Stage ParseUnwind(Value value)
    {
        var path = value;
        Value? indexField = null;
        var preserves = false;
        if (value.IsDocument)
        {
            var arguments = StatementArguments("$unwind", value);
            path = arguments.Required("path");
            indexField = arguments.Optional("includeArrayIndex");
            preserves = arguments.Boolean("preserveNullAndEmptyArrays", otherwise: false);
            arguments.RefuseOthers();
        }

        if (path.Type != BsonType.String || path.Text.Length < 2 || path.Text[0] != '$' || path.Text[1] == '$') throw new ServerException(28818, $"path option to $unwind stage should be prefixed with a '$': {ValueText.Of(path)}");
        if (indexField is not null && (indexField.Type != BsonType.String || indexField.Text.Length == 0 || indexField.Text[0] == '$')) throw new ServerException(28810, "includeArrayIndex option to $unwind stage must be a name");
        var array = path.Text[1..].Split('.');
        var index = indexField?.Text.Split('.');

        Document WithIndex(Document document, Value number) => index is null ? document : DocumentEdit.Edit(document, index, _ => number);
        return documents => documents.SelectMany(document =>
        {
            var found = FindField(document, array);
            return found switch
            {
                { IsArray: true, Document.Count: > 0 } => found.Items.Select((item, i) => WithIndex(DocumentEdit.Edit(document, array, _ => item), Value.FromInt64(i))),
                { IsArray: true } => preserves ? [WithIndex(DocumentEdit.Edit(document, array, _ => null), Value.Null)] : [],
                _ when Operators.IsNullish(found) => preserves ? [WithIndex(document, Value.Null)] : [],
                _ => (IEnumerable<Document>)[WithIndex(document, Value.Null)],
            };
        });
    }

    private Stage ParseLookup(Value value)
    {
        var arguments = StatementArguments("$lookup", value);
        if (arguments.Optional("pipeline") is not null || arguments.Optional("let") is not null) throw ServerException.NotImplemented("$lookup with a pipeline");
        var from = arguments.Text("from");
        var local = new FieldPath(arguments.Text("localField"));
        var foreign = new FieldPath(arguments.Text("foreignField"));
        var target = UpdatePath.Parse(arguments.Text("as"));
        arguments.RefuseOthers();

        return documents => documents.Select(document =>
        {
            var tests = new List<ComparisonTest>();
            local.Any(document, looksIntoArrays: false, found =>
            {
                // The elements of an array are looked up one by one; what is missing finds null and missing fields.
                tests.AddRange((found is { IsArray: true } ? found.Items : [found ?? Value.Null]).Select(item => new ComparisonTest(Query.Comparison.Equal, item)));
                return false;
            });
            var joined = (findCollection(from)?.Find(Document.Empty) ?? []).Where(candidate => tests.Any(test => test.Matches(candidate, foreign)));
            var result = Value.FromArray(joined.Select(found => new Value(found)));
            return DocumentEdit.Edit(document, target.Components, _ => result);
        });
    }

    private static Stage ParseSortByCount(Value value)
    {
        if (value is not ({ Type: BsonType.String } or { IsDocument: true }) || (value.IsDocument && !MatchParser.IsOperators(value)))
        {
            throw new ServerException(40149, "the sortByCount field must be specified as a string or as an object that is an expression");
        }

        var count = new Value(new Document([new Element("$sum", Value.FromInt32(1))]));
        var group = ParseGroup(new Document([new("_id", value), new("count", count)]));
        var sort = new SortOrder(new Document([new Element("count", Value.FromInt32(-1))]));
        return documents => sort.Apply(group(documents));
    }

    private static Stage ParseReplaceRoot(Value value, string name)
    {
        var root = ExpressionParser.Parse(value);
        return documents => documents.Select(document => root.Evaluate(new Scope(document)) is { IsDocument: true } found
            ? found.Document
            : throw new ServerException(40228, $"'{(name == "$replaceRoot" ? "newRoot" : "replacement")}' expression must evaluate to an object"));
    }

    private Stage ParseFacet(Value value)
    {
        var specification = DocumentOf("$facet", 40169, value);
        if (specification.Count == 0) throw new ServerException(40169, "the $facet specification must be a non-empty object");
        var facets = specification.Elements.Select(facet =>
        {
            if (!facet.Value.IsArray || facet.Value.Items.Any(stage => !stage.IsDocument)) throw new ServerException(40170, $"arguments to $facet must be arrays of stages, {facet.Name} is not");
            return (facet.Name, Stages: Parse(facet.Value.Items.Select(stage => stage.Document)));
        }).ToArray();
        return documents =>
        {
            var input = documents.ToArray();
            return [new Document(facets.Select(facet => new Element(facet.Name, Value.FromArray(Run(facet.Stages, input).Select(document => new Value(document))))))];
        };
    }

    /// <summary>Runs the stages one after the other.</summary>
    public static IEnumerable<Document> Run(IReadOnlyList<Stage> stages, IEnumerable<Document> documents)
        => stages.Aggregate(documents, (input, stage) => stage(input));

    private static Commands.StatementArguments StatementArguments(string name, Value value)
        => Commands.StatementArguments.Of(name, DocumentOf(name, ErrorCode.FailedToParse, value));

    private static Document DocumentOf(string name, int code, Value value)
        => value.IsDocument ? value.Document : throw new ServerException(code, $"the {name} specification must be an object");

    private static long Whole(string name, int code, Value value)
        => value.IsNumber && value.Number.TryToInt64(out var number) && number >= 0
            ? number
            : throw new ServerException(code, $"invalid argument to {name} stage: Expected a non-negative number in: {name}: {ValueText.Of(value)}");

    /// <summary>A field below documents alone, as <c>$unwind</c> names it.</summary>
    private static Value? FindField(Document document, string[] path)
    {
        Value? value = new(document);
        foreach (var name in path) value = value is { IsDocument: true } ? value.Document.Find(name) : null;
        return value;
    }

    /// <summary>Equality of group keys.</summary>
    private sealed class EqualValues : IEqualityComparer<Value>
    {
        public static EqualValues Instance { get; } = new();

        public bool Equals(Value? x, Value? y) => ValueOrder.AreEqual(x!, y!);

        // Equal values of different types have different bytes, so that only what they have in common may count.
        public int GetHashCode(Value value) => value.IsNumber && value.Number.TryToInt64(out var number) ? number.GetHashCode() : value.IsText ? value.Text.GetHashCode(StringComparison.Ordinal) : 0;
    }
}
