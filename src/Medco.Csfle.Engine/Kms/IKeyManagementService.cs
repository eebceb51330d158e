using System.Security.Cryptography;

namespace Medco.Csfle.Engine.Kms;

/// <summary>
/// The seam to whatever holds a customer master key: wraps data keys with it and unwraps them. One instance serves one KMS
/// provider and is called from many threads.
/// </summary>
/// <remarks>
/// <para>Every operation exists twice, waiting on the calling thread and asynchronous; neither may be built on the other by
/// blocking. What a service needs that comes asynchronously alone, such as a token of a cloud, it has before it is asked: it
/// fetches the first one while it is made, by an asynchronous factory method, and the next one in the background before that
/// one expires. A sync call that finds none that is valid fails with <see cref="KmsFailure.Unavailable"/>; it does not block
/// on the fetching.</para>
/// <para>Time limits and retries are not the service's business: <see cref="ResilientKeyManagementService"/> adds them to
/// every service. For that a service makes one attempt, stops both its operations soon after the token is cancelled, may be
/// asked the same thing again, and says how it failed with <see cref="KmsException"/>. <see cref="HttpRequestException"/>,
/// <see cref="IOException"/>, <see cref="System.Net.Sockets.SocketException"/> and <see cref="TimeoutException"/> count as
/// <see cref="KmsFailure.Unavailable"/>.</para>
/// <para>The master key document is the raw BSON of the data key's <c>masterKey</c>, <c>provider</c> included. It was checked
/// for the fields its provider has before it gets here.</para>
/// </remarks>
public interface IKeyManagementService : IDisposable
{
    /// <summary>
    /// The provider as data keys name it: <c>local</c>, <c>aws</c>, <c>azure</c>, <c>gcp</c> or <c>kmip</c>, or one of these
    /// with a name, such as <c>local:tenant1</c>.
    /// </summary>
    string Provider { get; }

    /// <summary>Encrypts a data key with the master key.</summary>
    /// <param name="masterKey">The master key document.</param>
    /// <param name="dataKey">The 96 bytes of the data key; the caller zeroes them, and no copy may be kept.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The wrapped data key, which is no secret.</returns>
    /// <exception cref="KmsException">It did not wrap it.</exception>
    byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="Wrap"/>
    ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default);

    /// <summary>Decrypts a wrapped data key with the master key.</summary>
    /// <param name="masterKey">The master key document.</param>
    /// <param name="wrappedDataKey">What <see cref="Wrap"/> returned once.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The data key, in an array that the caller zeroes as soon as it has used it and that nobody else may keep.</returns>
    /// <exception cref="CryptographicException">The master key does not unwrap these bytes.</exception>
    /// <exception cref="DataKeyException">The same, from the services of this library.</exception>
    /// <exception cref="KmsException">It did not answer, so that this is not known.</exception>
    byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="Unwrap"/>
    ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default);
}
