using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// What a validator says of a field that is ciphertext or null: <c>{ bsonType: [ "binData", "null" ], description }</c>.
/// <c>encrypt</c> forbids null, and drivers allow it nowhere but by itself. Who takes the schema from such a validator does not
/// learn from it that the field is encrypted, nor how; the description says so, to people and to this library.
/// </summary>
internal static class NullableCiphertext
{
    /// <summary>What the description says.</summary>
    public const string Description = "Encrypted by clients that have the schema themselves, or null: see Medco.Csfle, NullPolicy.StoreInClear";

    /// <summary>Whether there is such a field anywhere in a validator.</summary>
    public static bool IsIn(BsonReader validator)
    {
        while (validator.Read())
        {
            if (validator.Type is BsonType.Document or BsonType.Array && IsIn(validator.ReadDocument())) return true;
            if (validator.Type == BsonType.String && validator.Name.SequenceEqual("description"u8) && validator.GetString() == Description) return true;
        }

        return false;
    }
}
