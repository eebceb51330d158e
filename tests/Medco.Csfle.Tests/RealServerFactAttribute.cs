namespace Medco.Csfle.Tests;

/// <summary>A test of what the server in this process does not have.</summary>
public sealed class RealServerFactAttribute : FactAttribute
{
    public RealServerFactAttribute()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("MONGODB_URI"))) Skip = "Needs a MongoDB server; MONGODB_URI names none.";
    }
}
