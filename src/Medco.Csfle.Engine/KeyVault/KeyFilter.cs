using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// A filter over data keys, for the stores that have no server to apply it: the part of MongoDB's query language that chooses
/// keys, and an error for everything else.
/// </summary>
/// <remarks>
/// Known are <c>$and</c>, <c>$or</c> and <c>$nor</c>; a field, dotted where it is in <c>masterKey</c>, with a value or with
/// <c>$eq</c>, <c>$ne</c>, <c>$in</c>, <c>$nin</c>, <c>$exists</c>; and <c>$lt</c>, <c>$lte</c>, <c>$gt</c>, <c>$gte</c> with a
/// date. Values are equal where type and bytes are; null also equals a field that is not there; an array matches where it or an
/// element of it does.
/// </remarks>
internal sealed class KeyFilter
{
    private const int MaxDepth = 32;

    private readonly Func<DataKeyDocument, bool> _matches;

    private KeyFilter(Func<DataKeyDocument, bool> matches) => _matches = matches;

    /// <summary>The filter <c>{ _id: id }</c>.</summary>
    public static byte[] ById(Guid id)
    {
        using var writer = new BsonWriter(64);
        writer.StartDocument();
        writer.WriteUuid("_id"u8, id);
        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>The filter <c>{ keyAltNames: name }</c>.</summary>
    public static byte[] ByName(string keyAltName)
    {
        using var writer = new BsonWriter(64);
        writer.StartDocument();
        writer.WriteString("keyAltNames"u8, keyAltName);
        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>Reads a filter.</summary>
    /// <exception cref="KeyVaultException">It has something that is not known here.</exception>
    /// <exception cref="BsonFormatException">It is not BSON.</exception>
    public static KeyFilter Parse(ReadOnlySpan<byte> filter)
    {
        BsonValidator.Validate(filter);
        return new KeyFilter(ParseAll(new BsonReader(filter)));
    }

    /// <summary>Whether it chooses that key.</summary>
    public bool Matches(DataKeyDocument key) => _matches(key);

    private static Func<DataKeyDocument, bool> ParseAll(BsonReader filter)
    {
        if (filter.Depth > MaxDepth) throw Unknown($"more than {MaxDepth} levels of nesting");
        var clauses = new List<Func<DataKeyDocument, bool>>();
        while (filter.Read())
        {
            var name = filter.GetName();
            clauses.Add(name switch
            {
                "$and" or "$or" or "$nor" => ParseLogical(name, filter),
                _ when name.StartsWith('$') => throw Unknown($"the operator '{name}'"),
                _ => ParseField(name, filter),
            });
        }

        return key => clauses.TrueForAll(clause => clause(key));
    }

    private static Func<DataKeyDocument, bool> ParseLogical(string name, BsonReader element)
    {
        if (element.Type != BsonType.Array) throw Unknown($"'{name}' without an array");
        var clauses = new List<Func<DataKeyDocument, bool>>();
        var array = element.ReadDocument();
        while (array.Read())
        {
            if (array.Type != BsonType.Document) throw Unknown($"'{name}' of something else than documents");
            clauses.Add(ParseAll(array.ReadDocument()));
        }

        if (clauses.Count == 0) throw Unknown($"'{name}' of nothing");
        return name switch
        {
            "$and" => key => clauses.TrueForAll(clause => clause(key)),
            "$or" => key => clauses.Exists(clause => clause(key)),
            _ => key => !clauses.Exists(clause => clause(key)),
        };
    }

    private static Func<DataKeyDocument, bool> ParseField(string field, BsonReader element)
    {
        string[] path = field.Split('.');
        if (!IsOperators(element)) return IsOneOf(path, [Value.Of(element)]);

        var tests = new List<Func<DataKeyDocument, bool>>();
        var operators = element.ReadDocument();
        while (operators.Read()) tests.Add(ParseOperator(path, operators));
        return key => tests.TrueForAll(test => test(key));
    }

    private static bool IsOperators(BsonReader element)
    {
        if (element.Type != BsonType.Document) return false;
        var document = element.ReadDocument();
        return document.Read() && document.Name.StartsWith("$"u8);
    }

    private static Func<DataKeyDocument, bool> ParseOperator(string[] path, BsonReader element)
    {
        var name = element.GetName();
        switch (name)
        {
            case "$eq":
                return IsOneOf(path, [Value.Of(element)]);
            case "$ne":
                return Not(IsOneOf(path, [Value.Of(element)]));
            case "$in":
                return IsOneOf(path, ReadValues(name, element));
            case "$nin":
                return Not(IsOneOf(path, ReadValues(name, element)));
            case "$exists":
                if (element.Type != BsonType.Boolean) throw Unknown("'$exists' without a boolean");
                var exists = element.GetBoolean();
                return key => Find(key, path) is not null == exists;
            case "$lt" or "$lte" or "$gt" or "$gte":
                if (element.Type != BsonType.DateTime) throw Unknown($"'{name}' with something else than a date");
                return Compare(path, name, element.GetInt64());
            default:
                throw Unknown($"the operator '{name}'");
        }
    }

    private static Value[] ReadValues(string name, BsonReader element)
    {
        if (element.Type != BsonType.Array) throw Unknown($"'{name}' without an array");
        var values = new List<Value>();
        var array = element.ReadDocument();
        while (array.Read()) values.Add(Value.Of(array));
        return [.. values];
    }

    private static Func<DataKeyDocument, bool> Not(Func<DataKeyDocument, bool> test) => key => !test(key);

    private static Func<DataKeyDocument, bool> IsOneOf(string[] path, Value[] wanted)
    {
        if (Array.Exists(wanted, value => value.Type == BsonType.RegularExpression)) throw Unknown("a regular expression");
        return key => Find(key, path) is { } found
            ? Array.Exists(wanted, value => value.IsIn(found))
            : Array.Exists(wanted, value => value.Type == BsonType.Null);
    }

    private static Func<DataKeyDocument, bool> Compare(string[] path, string name, long milliseconds) => key =>
    {
        if (Find(key, path) is not { Type: BsonType.DateTime } found) return false;
        var order = BitConverter.ToInt64(found.Bytes).CompareTo(milliseconds);
        return name switch
        {
            "$lt" => order < 0,
            "$lte" => order <= 0,
            "$gt" => order > 0,
            _ => order >= 0,
        };
    };

    private static Value? Find(DataKeyDocument key, string[] path)
    {
        var reader = new BsonReader(key.Bson.Span);
        for (var i = 0; ; i++)
        {
            if (!reader.ReadTo(Utf8Text.GetBytes(path[i]))) return null;
            if (i == path.Length - 1) return Value.Of(reader);
            if (reader.Type != BsonType.Document) return null;
            reader = reader.ReadDocument();
        }
    }

    private static KeyVaultException Unknown(string what) => new(
        $"this key vault does not know {what} in a filter",
        "Choose keys by '_id', 'keyAltNames', 'masterKey.provider' or a date, with $eq, $ne, $in, $nin, $exists, $lt, $lte, $gt, $gte, $and, $or and $nor. A key vault in MongoDB takes any filter.");

    private sealed record Value(BsonType Type, byte[] Bytes)
    {
        public static Value Of(BsonReader element) => new(element.Type, element.Value.ToArray());

        public bool IsIn(Value found)
        {
            if (Equals(found.Type, found.Bytes)) return true;
            if (found.Type != BsonType.Array) return false;
            var array = new BsonReader(found.Bytes);
            while (array.Read())
            {
                if (Equals(array.Type, array.Value)) return true;
            }

            return false;
        }

        private bool Equals(BsonType type, ReadOnlySpan<byte> bytes) => Type == type && bytes.SequenceEqual(Bytes);
    }
}
