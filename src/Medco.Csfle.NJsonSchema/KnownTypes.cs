using Medco.Csfle.Schema;
using MongoDB.Bson.Serialization;

namespace Medco.Csfle.ClassSchemas;

/// <summary>The classes whose objects may be stored in one place.</summary>
internal static class KnownTypes
{
    /// <summary>The class and those that are known to be stored in its place, by its class map or by the registration.</summary>
    /// <returns>Null where one of them is not stored member by member.</returns>
    public static IReadOnlyList<Type>? Of(Type type, IReadOnlyCollection<Type> registered)
    {
        var found = new List<Type> { type };
        for (var index = 0; index < found.Count; index++)
        {
            if (!SerializedForm.IsClassMap(BsonSerializer.LookupSerializer(found[index]))) return null;
            found.AddRange(BsonClassMap.LookupClassMap(found[index]).KnownTypes.Concat(registered).Where(known => type.IsAssignableFrom(known) && !found.Contains(known)).Distinct().ToList());
        }

        return found;
    }
}
