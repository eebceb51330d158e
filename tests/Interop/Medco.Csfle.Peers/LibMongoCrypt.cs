using System.Diagnostics;
using System.Runtime.InteropServices;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Peers;

/// <summary>
/// MongoDB's libmongocrypt, as a driver uses it: the state machine of its contexts, with data keys from a key vault in BSON and
/// the query analysis of whoever is asked for it. Safe to use from many threads, as libmongocrypt is.
/// </summary>
public sealed class LibMongoCrypt : IDisposable
{
    private readonly Func<byte[], IEnumerable<byte[]>> _findKeys;
    private readonly Func<byte[], byte[]>? _analyze;
    private IntPtr _crypt;

    /// <summary>Initializes the library.</summary>
    /// <param name="masterKey">96 bytes, the master key of KMS provider <c>local</c>.</param>
    /// <param name="findKeys">Finds documents in the key vault by a filter, one BSON document.</param>
    /// <param name="schemas">One BSON document: namespace, encryption schema; null without query analysis.</param>
    /// <param name="analyze">What mongocryptd does: takes a command with its schema, gives back the reply.</param>
    public LibMongoCrypt(byte[] masterKey, Func<byte[], IEnumerable<byte[]>> findKeys, byte[]? schemas = null, Func<byte[], byte[]>? analyze = null)
    {
        _findKeys = findKeys;
        _analyze = analyze;
        _crypt = NativeMethods.New();
        try
        {
            With(masterKey, key => Check(NativeMethods.SetLocalProvider(_crypt, key)));
            if (schemas is not null) With(schemas, map => Check(NativeMethods.SetSchemaMap(_crypt, map)));
            // Without a path to search for crypt_shared none is loaded, and markings are asked for.
            if (analyze is null) NativeMethods.BypassQueryAnalysis(_crypt);
            Check(NativeMethods.Initialize(_crypt));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Why libmongocrypt cannot be used on this machine; null where it can.</summary>
    public static string? MissingReason { get; } = FindMissingReason();

    /// <summary>The version of the library.</summary>
    public static string Version => Marshal.PtrToStringUTF8(NativeMethods.Version(IntPtr.Zero))!;

    /// <summary>Encrypts one value.</summary>
    /// <param name="value">A document with one element <c>v</c>.</param>
    /// <param name="algorithm">Deterministic or random.</param>
    /// <param name="keyId">The UUID of the data key.</param>
    public byte[] Encrypt(byte[] value, CsfleAlgorithm algorithm, Guid keyId) => Run(
        context =>
        {
            With(keyId.ToByteArray(bigEndian: true), id => CheckContext(context, NativeMethods.SetKeyId(context, id)));
            SetAlgorithm(context, algorithm);
        },
        context => With(value, bytes => CheckContext(context, NativeMethods.BeginExplicitEncrypt(context, bytes))));

    /// <summary>Encrypts one value under the data key of that name.</summary>
    /// <inheritdoc cref="Encrypt(byte[], CsfleAlgorithm, Guid)"/>
    public byte[] Encrypt(byte[] value, CsfleAlgorithm algorithm, string keyAltName) => Run(
        context =>
        {
            With(Name(keyAltName), name => CheckContext(context, NativeMethods.SetKeyAltName(context, name)));
            SetAlgorithm(context, algorithm);
        },
        context => With(value, bytes => CheckContext(context, NativeMethods.BeginExplicitEncrypt(context, bytes))));

    /// <summary>Decrypts one value: a document with one element <c>v</c>.</summary>
    public byte[] Decrypt(byte[] ciphertext)
        => Run(_ => { }, context => With(ciphertext, bytes => CheckContext(context, NativeMethods.BeginExplicitDecrypt(context, bytes))));

    /// <summary>Encrypts what the schemas say in a command.</summary>
    public byte[] EncryptCommand(string database, byte[] command)
        => Run(_ => { }, context => With(command, bytes => CheckContext(context, NativeMethods.BeginEncrypt(context, database, -1, bytes))));

    /// <summary>Decrypts whatever is encrypted in a document.</summary>
    public byte[] DecryptReply(byte[] reply)
        => Run(_ => { }, context => With(reply, bytes => CheckContext(context, NativeMethods.BeginDecrypt(context, bytes))));

    /// <summary>Creates a data key: the document to insert into the key vault.</summary>
    /// <param name="keyAltNames">Its names.</param>
    /// <param name="keyMaterial">96 bytes, or null for random ones.</param>
    public byte[] CreateDataKey(IEnumerable<string> keyAltNames, byte[]? keyMaterial = null) => Run(
        context =>
        {
            With(LocalProvider(), masterKey => CheckContext(context, NativeMethods.SetMasterKey(context, masterKey)));
            foreach (var keyAltName in keyAltNames) With(Name(keyAltName), name => CheckContext(context, NativeMethods.SetKeyAltName(context, name)));
            if (keyMaterial is null) return;
            using var writer = new BsonWriter();
            writer.StartDocument();
            writer.WriteBinary("keyMaterial"u8, BinarySubtype.Generic, keyMaterial);
            writer.EndDocument();
            With(writer.WrittenSpan.ToArray(), material => CheckContext(context, NativeMethods.SetKeyMaterial(context, material)));
        },
        context => CheckContext(context, NativeMethods.BeginCreateDataKey(context)));

    /// <summary>Wraps the data keys that match a filter anew: a document <c>{ v: [ key documents with their new key material ] }</c>.</summary>
    public byte[] Rewrap(byte[] filter) => Run(
        context => With(LocalProvider(), masterKey => CheckContext(context, NativeMethods.SetMasterKey(context, masterKey))),
        context => With(filter, bytes => CheckContext(context, NativeMethods.BeginRewrap(context, bytes))));

    /// <inheritdoc/>
    public void Dispose()
    {
        var crypt = Interlocked.Exchange(ref _crypt, IntPtr.Zero);
        if (crypt != IntPtr.Zero) NativeMethods.Destroy(crypt);
    }

    private byte[] Run(Action<IntPtr> configure, Action<IntPtr> begin)
    {
        ObjectDisposedException.ThrowIf(_crypt == IntPtr.Zero, this);
        var context = NativeMethods.ContextNew(_crypt);
        try
        {
            configure(context);
            begin(context);
            byte[]? result = null;
            while (true)
            {
                switch (NativeMethods.State(context))
                {
                    case ContextState.NeedKeys:
                        foreach (var key in _findKeys(Output(context, NativeMethods.Operation))) Feed(context, key);
                        CheckContext(context, NativeMethods.FeedDone(context));
                        break;
                    case ContextState.NeedMarkings:
                        Feed(context, _analyze!(Output(context, NativeMethods.Operation)));
                        CheckContext(context, NativeMethods.FeedDone(context));
                        break;
                    case ContextState.NeedCollectionInfo:
                        CheckContext(context, NativeMethods.FeedDone(context));
                        break;
                    case ContextState.NeedKms:
                        // The local provider asks nobody.
                        if (NativeMethods.NextKms(context) != IntPtr.Zero) throw new LibMongoCryptException("A KMS was asked for, and there is only a local master key.");
                        CheckContext(context, NativeMethods.KmsDone(context));
                        break;
                    case ContextState.Ready:
                        result = Output(context, NativeMethods.Finish);
                        break;
                    case ContextState.Done:
                        return result!;
                    case ContextState.Error:
                        CheckContext(context, false);
                        throw new UnreachableException();
                    case var state:
                        throw new LibMongoCryptException($"Nothing is known to do in the state {state}.");
                }

                if (result is not null) return result;
            }
        }
        finally
        {
            NativeMethods.ContextDestroy(context);
        }
    }

    private static void SetAlgorithm(IntPtr context, CsfleAlgorithm algorithm) => CheckContext(context, NativeMethods.SetAlgorithm(
        context,
        algorithm == CsfleAlgorithm.Deterministic ? "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic" : "AEAD_AES_256_CBC_HMAC_SHA_512-Random",
        -1));

    private static void Feed(IntPtr context, byte[] document) => With(document, bytes => CheckContext(context, NativeMethods.Feed(context, bytes)));

    private static byte[] Output(IntPtr context, Func<IntPtr, IntPtr, bool> read)
    {
        var output = NativeMethods.BinaryNew();
        try
        {
            CheckContext(context, read(context, output));
            var bytes = new byte[checked((int)NativeMethods.BinaryLength(output))];
            Marshal.Copy(NativeMethods.BinaryData(output), bytes, 0, bytes.Length);
            return bytes;
        }
        finally
        {
            NativeMethods.BinaryDestroy(output);
        }
    }

    private static unsafe void With(byte[] bytes, Action<IntPtr> use)
    {
        fixed (byte* data = bytes)
        {
            var binary = NativeMethods.BinaryNewFromData(data, (uint)bytes.Length);
            try
            {
                use(binary);
            }
            finally
            {
                NativeMethods.BinaryDestroy(binary);
            }
        }
    }

    private void Check(bool ok)
    {
        if (!ok) throw Failure(status => NativeMethods.Status(_crypt, status));
    }

    private static void CheckContext(IntPtr context, bool ok)
    {
        if (!ok) throw Failure(status => NativeMethods.ContextStatus(context, status));
    }

    private static LibMongoCryptException Failure(Func<IntPtr, bool> read)
    {
        var status = NativeMethods.StatusNew();
        try
        {
            read(status);
            return new LibMongoCryptException(Marshal.PtrToStringUTF8(NativeMethods.StatusMessage(status, IntPtr.Zero)) ?? "No reason was given.");
        }
        finally
        {
            NativeMethods.StatusDestroy(status);
        }
    }

    private static byte[] Name(string keyAltName)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("keyAltName"u8, keyAltName);
        writer.EndDocument();
        return writer.WrittenSpan.ToArray();
    }

    private static byte[] LocalProvider() => ExtendedJson.ToBson("""{"provider": "local"}""");

    private static string? FindMissingReason()
    {
        try
        {
            return Version.Length > 0 ? null : "libmongocrypt gives no version.";
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return "libmongocrypt is not installed: run ./build.sh peers.";
        }
    }
}
