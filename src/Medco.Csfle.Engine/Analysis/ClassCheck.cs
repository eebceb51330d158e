using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Refuses documents that say they are of a class which the registered model does not know: what is marked in such a class is
/// in no schema, and would be stored in clear. What is encrypted as a whole may hold any class.
/// </summary>
internal static class ClassCheck
{
    /// <summary>Looks at a document that is stored, and at those inside it.</summary>
    /// <exception cref="QueryAnalysisException">One is of a class that is not known.</exception>
    public static void Check(in AnalysisScope scope, BsonReader document, StoredClass @class, Place root)
    {
        while (document.Read())
        {
            if (@class.FindDiscriminator(document.Name) is { } known)
            {
                CheckDiscriminator(scope, document, @class, known, root.At(document));
            }
            else if (document.Type is BsonType.Document or BsonType.Array && @class.FindMember(document.Name) is { } shape)
            {
                CheckValue(scope, document, shape, root);
            }
        }
    }

    /// <summary>Looks at a value that an update operator stores at a dotted path.</summary>
    /// <param name="scope">The command.</param>
    /// <param name="element">The path, and the value.</param>
    /// <param name="class">What the documents of the collection may be.</param>
    /// <param name="name">The operator.</param>
    /// <exception cref="QueryAnalysisException">It is of a class that is not known.</exception>
    public static void CheckUpdated(in AnalysisScope scope, in BsonReader element, StoredClass @class, string name)
    {
        var shape = new StoredShape(@class, null);
        var rest = element.Name;
        while (true)
        {
            var dot = rest.IndexOf((byte)'.');
            var component = dot < 0 ? rest : rest[..dot];
            if (shape.Items is { } items && (shape.Class is null || IsPosition(component)))
            {
                shape = items;
            }
            else if (dot < 0 && shape.Class?.FindDiscriminator(component) is { } known)
            {
                CheckDiscriminator(scope, element, shape.Class, known, new Place(element.Name, name));
                return;
            }
            else if (shape.Class?.FindMember(component) is { } member)
            {
                shape = member;
            }
            else
            {
                return;
            }

            if (dot < 0) break;
            rest = rest[(dot + 1)..];
        }

        if (element.Type is not (BsonType.Document or BsonType.Array)) return;
        var place = Place.Document(element.Name, element.ReadDocument().Start, name);
        if (name is not ("$push" or "$addToSet") || shape.Items is not { } pushed)
        {
            CheckValue(scope, element, shape, place);
            return;
        }

        var each = element.ReadDocument();
        if (element.Type == BsonType.Document && each.ReadTo("$each"u8)) CheckItems(scope, each, pushed, place);
        else CheckValue(scope, element, pushed, place);
    }

    private static void CheckValue(in AnalysisScope scope, in BsonReader element, StoredShape shape, Place root)
    {
        if (element.Type == BsonType.Document && shape.Class is { } @class) Check(scope, element.ReadDocument(), @class, root);
        else if (element.Type is BsonType.Document or BsonType.Array) CheckItems(scope, element, shape.Items ?? shape, root);
    }

    private static void CheckItems(in AnalysisScope scope, in BsonReader element, StoredShape item, Place root)
    {
        if (element.Type is not (BsonType.Document or BsonType.Array)) return;
        var items = element.ReadDocument();
        while (items.Read()) CheckValue(scope, items, item, root);
    }

    private static void CheckDiscriminator(in AnalysisScope scope, in BsonReader element, StoredClass @class, List<byte[]> known, Place place)
    {
        foreach (var value in known)
        {
            if (value.Length > 0 && value[0] == (byte)element.Type && element.Value.SequenceEqual(value.AsSpan(1))) return;
        }

        throw scope.Refuse(CsfleErrorCode.UnknownClass,
            $"A document is of a class that the registered model does not know here, so that what is marked in it would be stored in clear; it knows {(@class.Names.Count == 0 ? "none" : string.Join(", ", @class.Names))}",
            "Name the class: with [BsonKnownTypes] on its base class, or with Derived<T>() where the collection is registered; or encrypt the member that holds it as a whole with [Random].",
            place);
    }

    // An index, or one of $, $[] and $[name].
    private static bool IsPosition(ReadOnlySpan<byte> component)
        => component.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0 || component is [(byte)'$', ..];
}
