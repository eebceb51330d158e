namespace Medco.Csfle.Engine.Schema;

/// <summary>How the name of a member becomes the name of its element, where no <c>[BsonElement]</c> says it.</summary>
public enum ElementNaming
{
    /// <summary><c>BloodType</c> is stored as <c>BloodType</c>: the driver's default.</summary>
    AsIs,

    /// <summary>
    /// <c>BloodType</c> is stored as <c>bloodType</c>: the first character in lower case, as the driver's
    /// <c>CamelCaseElementNameConvention</c> does it.
    /// </summary>
    CamelCase,
}
