using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>The fields of one statement of a write command, or of another document in a command. A field nobody asked for is an error.</summary>
internal sealed class StatementArguments
{
    private readonly HashSet<string> _known = [];
    private readonly string _where;
    private readonly Document _statement;

    private StatementArguments(string where, Document statement)
    {
        _where = where;
        _statement = statement;
    }

    /// <summary>The fields of a document that stands at <paramref name="where"/>.</summary>
    public static StatementArguments Of(string where, Document statement) => new(where, statement);

    public Value? Optional(string name)
    {
        _known.Add(name);
        return _statement.Find(name) is { Type: not (BsonType.Null or BsonType.Undefined) } value ? value : null;
    }

    public Value Required(string name)
        => Optional(name) ?? throw new ServerException(ErrorCode.MissingField, $"BSON field '{_where}.{name}' is missing but a required field");

    public Document Document(string name)
    {
        var value = Required(name);
        return value.IsDocument ? value.Document : throw WrongType(name, value, "object");
    }

    public Document? OptionalDocument(string name) => Optional(name) is null ? null : Document(name);

    public string Text(string name)
    {
        var value = Required(name);
        return value.Type == BsonType.String ? value.Text : throw WrongType(name, value, "string");
    }

    public bool Boolean(string name, bool otherwise)
    {
        var value = Optional(name);
        if (value is null) return otherwise;
        return value.IsNumber || value.Type == BsonType.Boolean ? value.IsTrue : throw WrongType(name, value, "bool");
    }

    /// <summary>An array of documents; empty where there is none.</summary>
    public IReadOnlyList<Document> Documents(string name)
    {
        var value = Optional(name);
        if (value is null) return [];
        if (!value.IsArray) throw WrongType(name, value, "array");
        return [.. value.Items.Select((item, index) => item.IsDocument ? item.Document : throw WrongType($"{name}.{index}", item, "object"))];
    }

    /// <summary>Refuses every field that was not asked for.</summary>
    public void RefuseOthers()
    {
        var seen = new HashSet<string>();
        foreach (var (name, _) in _statement.Elements)
        {
            if (!seen.Add(name)) throw new ServerException(ErrorCode.DuplicateField, $"BSON field '{_where}.{name}' is a duplicate field");
            if (!_known.Contains(name)) throw new ServerException(ErrorCode.UnknownField, $"BSON field '{_where}.{name}' is an unknown field.");
        }
    }

    private ServerException WrongType(string name, Value value, string expected)
        => ServerException.TypeMismatch($"BSON field '{_where}.{name}' is the wrong type '{value.Type.Alias()}', expected type '{expected}'");
}
