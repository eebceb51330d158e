using System.Reflection;
using System.Runtime.InteropServices;

namespace Medco.Csfle.Peers;

/// <summary>The part of libmongocrypt's C interface (mongocrypt.h, 1.7 and later) that is used here.</summary>
internal static partial class NativeMethods
{
    private const string Library = "mongocrypt";

    static NativeMethods() => NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, Resolve);

    // The package with the library names it with its version alone; the plain name comes with the package for developers.
    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
        => name == Library && NativeLibrary.TryLoad("libmongocrypt.so.0", assembly, path, out var handle) ? handle : IntPtr.Zero;

    [LibraryImport(Library, EntryPoint = "mongocrypt_version")]
    internal static partial IntPtr Version(IntPtr length);

    [LibraryImport(Library, EntryPoint = "mongocrypt_binary_new")]
    internal static partial IntPtr BinaryNew();

    [LibraryImport(Library, EntryPoint = "mongocrypt_binary_new_from_data")]
    internal static unsafe partial IntPtr BinaryNewFromData(byte* data, uint length);

    [LibraryImport(Library, EntryPoint = "mongocrypt_binary_data")]
    internal static partial IntPtr BinaryData(IntPtr binary);

    [LibraryImport(Library, EntryPoint = "mongocrypt_binary_len")]
    internal static partial uint BinaryLength(IntPtr binary);

    [LibraryImport(Library, EntryPoint = "mongocrypt_binary_destroy")]
    internal static partial void BinaryDestroy(IntPtr binary);

    [LibraryImport(Library, EntryPoint = "mongocrypt_status_new")]
    internal static partial IntPtr StatusNew();

    [LibraryImport(Library, EntryPoint = "mongocrypt_status_message")]
    internal static partial IntPtr StatusMessage(IntPtr status, IntPtr length);

    [LibraryImport(Library, EntryPoint = "mongocrypt_status_destroy")]
    internal static partial void StatusDestroy(IntPtr status);

    [LibraryImport(Library, EntryPoint = "mongocrypt_new")]
    internal static partial IntPtr New();

    [LibraryImport(Library, EntryPoint = "mongocrypt_setopt_kms_provider_local")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool SetLocalProvider(IntPtr crypt, IntPtr key);

    [LibraryImport(Library, EntryPoint = "mongocrypt_setopt_schema_map")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool SetSchemaMap(IntPtr crypt, IntPtr schemas);

    [LibraryImport(Library, EntryPoint = "mongocrypt_setopt_bypass_query_analysis")]
    internal static partial void BypassQueryAnalysis(IntPtr crypt);

    [LibraryImport(Library, EntryPoint = "mongocrypt_init")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool Initialize(IntPtr crypt);

    [LibraryImport(Library, EntryPoint = "mongocrypt_status")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool Status(IntPtr crypt, IntPtr status);

    [LibraryImport(Library, EntryPoint = "mongocrypt_destroy")]
    internal static partial void Destroy(IntPtr crypt);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_new")]
    internal static partial IntPtr ContextNew(IntPtr crypt);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_status")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool ContextStatus(IntPtr context, IntPtr status);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_setopt_key_id")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool SetKeyId(IntPtr context, IntPtr keyId);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_setopt_key_alt_name")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool SetKeyAltName(IntPtr context, IntPtr name);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_setopt_key_material")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool SetKeyMaterial(IntPtr context, IntPtr material);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_setopt_algorithm", StringMarshalling = StringMarshalling.Utf8)]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool SetAlgorithm(IntPtr context, string algorithm, int length);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_setopt_key_encryption_key")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool SetMasterKey(IntPtr context, IntPtr masterKey);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_datakey_init")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool BeginCreateDataKey(IntPtr context);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_encrypt_init", StringMarshalling = StringMarshalling.Utf8)]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool BeginEncrypt(IntPtr context, string database, int length, IntPtr command);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_explicit_encrypt_init")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool BeginExplicitEncrypt(IntPtr context, IntPtr value);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_decrypt_init")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool BeginDecrypt(IntPtr context, IntPtr document);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_explicit_decrypt_init")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool BeginExplicitDecrypt(IntPtr context, IntPtr value);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_rewrap_many_datakey_init")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool BeginRewrap(IntPtr context, IntPtr filter);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_state")]
    internal static partial ContextState State(IntPtr context);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_mongo_op")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool Operation(IntPtr context, IntPtr operation);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_mongo_feed")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool Feed(IntPtr context, IntPtr reply);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_mongo_done")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool FeedDone(IntPtr context);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_next_kms_ctx")]
    internal static partial IntPtr NextKms(IntPtr context);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_kms_done")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool KmsDone(IntPtr context);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_finalize")]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool Finish(IntPtr context, IntPtr output);

    [LibraryImport(Library, EntryPoint = "mongocrypt_ctx_destroy")]
    internal static partial void ContextDestroy(IntPtr context);
}

/// <summary>What a context waits for (<c>mongocrypt_ctx_state_t</c>).</summary>
internal enum ContextState
{
    Error = 0,
    NeedCollectionInfo = 1,
    NeedMarkings = 2,
    NeedKeys = 3,
    NeedKms = 4,
    Ready = 5,
    Done = 6,
    NeedKmsCredentials = 7,
}
