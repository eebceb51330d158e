using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// The fields of a command. A command asks for every field it knows, whether it needs it or not, and then calls
/// <see cref="RefuseOthers"/>: a field nobody asked for is an error, so that nothing is ignored in silence.
/// </summary>
internal sealed class CommandArguments(Document command)
{
    private const int OutOfRange = 51024;

    private readonly HashSet<string> _known = [command[0].Name];

    /// <summary>The name of the command as it was written.</summary>
    public string CommandName { get; } = command[0].Name;

    /// <summary>The value beside the command's name.</summary>
    public Value First { get; } = command[0].Value;

    /// <summary>The collection that stands beside the command's name.</summary>
    public string Collection(string database)
    {
        if (First.Type != BsonType.String)
        {
            throw new ServerException(ErrorCode.InvalidNamespace, $"collection name has invalid type {First.Type.Alias()}");
        }

        NamespaceRules.CheckCollection(database, First.Text);
        return First.Text;
    }

    /// <summary>A field, or null where it is missing, null or undefined, which MongoDB takes for the same.</summary>
    public Value? Optional(string name)
    {
        _known.Add(name);
        return command.Find(name) is { Type: not (BsonType.Null or BsonType.Undefined) } value ? value : null;
    }

    public Document? OptionalDocument(string name)
    {
        var value = Optional(name);
        return value is null ? null : value.IsDocument ? value.Document : throw WrongType(name, value, "object");
    }

    public string? OptionalText(string name)
    {
        var value = Optional(name);
        return value is null ? null : value.Type == BsonType.String ? value.Text : throw WrongType(name, value, "string");
    }

    public string Text(string name) => OptionalText(name) ?? throw Missing(name);

    /// <summary>A boolean; a number counts as one, as it does for MongoDB.</summary>
    public bool Boolean(string name, bool otherwise)
    {
        var value = Optional(name);
        if (value is null) return otherwise;
        if (value.IsNumber) return value.Number.CompareTo(Number.FromInt64(0)) != 0;
        return value.Type == BsonType.Boolean ? value.Boolean : throw WrongType(name, value, "bool");
    }

    /// <summary>A whole number that is not negative.</summary>
    public long? OptionalCount(string name)
    {
        var value = Optional(name);
        if (value is null) return null;
        if (!value.IsNumber) throw WrongType(name, value, "long");
        if (!value.Number.TryToInt64(out var number)) throw ServerException.BadValue($"BSON field '{CommandName}.{name}' must be a whole number, actual value '{value.Number}'");
        return number >= 0 ? number : throw new ServerException(OutOfRange, $"BSON field '{name}' value must be >= 0, actual value '{number}'");
    }

    /// <summary>An array of documents.</summary>
    public IReadOnlyList<Document> Documents(string name)
        => [.. Array(name).Select((item, index) => item.IsDocument ? item.Document : throw WrongType($"{name}.{index}", item, "object"))];

    /// <summary>An array of 64-bit integers.</summary>
    public IReadOnlyList<long> Int64s(string name)
        => [.. Array(name).Select((item, index) => item.Type == BsonType.Int64 ? item.Int64 : throw WrongType($"{name}.{index}", item, "long"))];

    /// <summary>A field that MongoDB knows and this server takes only where it asks for nothing: false or empty.</summary>
    public void RefuseUnlessNeutral(string name)
    {
        var value = Optional(name);
        var isNeutral = value is null
            or { Type: BsonType.Boolean, Boolean: false }
            or { Type: BsonType.Document, Document.Count: 0 };
        if (!isNeutral) throw ServerException.NotImplemented($"'{CommandName}.{name}'");
    }

    /// <summary>Refuses every field that was not asked for and is not one that any command may have.</summary>
    public void RefuseOthers()
    {
        var seen = new HashSet<string>();
        foreach (var (name, _) in command.Elements)
        {
            if (!seen.Add(name)) throw new ServerException(ErrorCode.DuplicateField, $"BSON field '{CommandName}.{name}' is a duplicate field");
            if (!_known.Contains(name) && !GenericArguments.IsKnown(name))
            {
                throw new ServerException(ErrorCode.UnknownField, $"BSON field '{CommandName}.{name}' is an unknown field.");
            }
        }
    }

    public ServerException WrongType(string name, Value value, string expected)
        => ServerException.TypeMismatch($"BSON field '{CommandName}.{name}' is the wrong type '{value.Type.Alias()}', expected type '{expected}'");

    private IEnumerable<Value> Array(string name)
    {
        var value = Optional(name) ?? throw Missing(name);
        return value.IsArray ? value.Items : throw WrongType(name, value, "array");
    }

    private ServerException Missing(string name)
        => new(ErrorCode.MissingField, $"BSON field '{CommandName}.{name}' is missing but a required field");
}
