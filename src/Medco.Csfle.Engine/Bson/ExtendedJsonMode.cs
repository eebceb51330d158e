namespace Medco.Csfle.Engine.Bson;

/// <summary>The two formats of MongoDB Extended JSON v2 that are written; both are read.</summary>
public enum ExtendedJsonMode
{
    /// <summary>Plain JSON numbers and ISO-8601 dates where they fit: easy to read, but a 64-bit integer may come back as a 32-bit one.</summary>
    Relaxed,

    /// <summary>Every value with its BSON type, such as <c>{"$numberInt":"42"}</c>: comes back as the type it was.</summary>
    Canonical,
}
