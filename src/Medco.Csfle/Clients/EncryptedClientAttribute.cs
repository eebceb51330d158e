using Microsoft.Extensions.DependencyInjection;

namespace Medco.Csfle;

/// <summary>
/// On a parameter of type <c>IMongoClient</c>: the client that encrypts and decrypts. The same as
/// <see cref="FromKeyedServicesAttribute"/> with a key of <see cref="CsfleClients"/>, which attributes cannot write for a named
/// registration.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class EncryptedClientAttribute : FromKeyedServicesAttribute
{
    /// <summary>The client of the registration without a name.</summary>
    public EncryptedClientAttribute()
        : base(CsfleClients.Encrypted)
    {
    }

    /// <summary>The client of a named registration.</summary>
    /// <param name="registration">The name given to <c>AddCsfle</c>.</param>
    public EncryptedClientAttribute(string registration)
        : base(CsfleClients.EncryptedOf(registration))
        => Registration = registration;

    /// <summary>The name of the registration; null for the one without.</summary>
    public string? Registration { get; }
}
