using System.Linq.Expressions;
using System.Reflection;
using MongoDB.Bson;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Benchmarks.Driver;

/// <summary>
/// The automatic encryption of MongoDB.Driver.Encryption without query analysis: its own session with libmongocrypt, driven as its
/// controller does, but that the answer of mongocryptd and the key documents are at hand. The classes are internal, so they are
/// reached by compiled expressions, which cost a few nanoseconds per call.
/// </summary>
internal sealed class OfficialCrypt : IDisposable
{
    private const int NeedMarkings = 2;
    private const int NeedKeys = 3;
    private const int Ready = 5;

    private static readonly Type ClientType = Internal("CryptClient");
    private static readonly Type ContextType = Internal("CryptContext");
    private static readonly Func<object, string, byte[], IDisposable> StartEncryption = Compile<Func<object, string, byte[], IDisposable>>(ClientType, "StartEncryptionContext");
    private static readonly Func<object, byte[], IDisposable> StartDecryption = Compile<Func<object, byte[], IDisposable>>(ClientType, "StartDecryptionContext");
    private static readonly Func<object, int> State = Compile<Func<object, int>>(ContextType, "get_State");
    private static readonly Func<object, IDisposable> GetOperation = Compile<Func<object, IDisposable>>(ContextType, "GetOperation");
    private static readonly Func<object, IDisposable> Finish = Compile<Func<object, IDisposable>>(ContextType, "FinalizeForEncryption");
    private static readonly Action<object, byte[]> Feed = Compile<Action<object, byte[]>>(ContextType, "Feed");
    private static readonly Action<object> MarkDone = Compile<Action<object>>(ContextType, "MarkDone");
    private static readonly Func<object, byte[]> ToArray = Compile<Func<object, byte[]>>(Internal("Binary"), "ToArray");

    private readonly IDisposable _client;
    private readonly IReadOnlyList<byte[]> _keyDocuments;
    private byte[]? _marked;

    public OfficialCrypt(PatientWork work)
    {
        _keyDocuments = work.KeyDocuments;
        var providers = new BsonDocument("local", new BsonDocument("key", work.MasterKey)).ToBson();
        var schemas = new BsonDocument(PatientWork.Namespace, MongoDB.Bson.Serialization.BsonSerializer.Deserialize<BsonDocument>(work.Schema)).ToBson();
        var credentialsType = Internal("KmsCredentials");
        var credentials = Array.CreateInstance(credentialsType, 1);
        credentials.SetValue(Activator.CreateInstance(credentialsType, providers), 0);
        var optionsType = Internal("CryptOptions");
        var options = Activator.CreateInstance(optionsType, credentials, schemas)!;
        _client = (IDisposable)Internal("CryptClientFactory").GetMethod("Create", [optionsType])!.Invoke(null, [options])!;
    }

    public byte[] EncryptCommand(string database, byte[] command)
    {
        using var context = StartEncryption(_client, database, command);
        return Run(context);
    }

    public byte[] DecryptReply(byte[] reply)
    {
        using var context = StartDecryption(_client, reply);
        return Run(context);
    }

    public void Dispose() => _client.Dispose();

    private byte[] Run(IDisposable context)
    {
        while (true)
        {
            switch (State(context))
            {
                case NeedMarkings:
                    Feed(context, _marked ??= Mark(context));
                    MarkDone(context);
                    break;
                case NeedKeys:
                    foreach (var key in _keyDocuments) Feed(context, key);
                    MarkDone(context);
                    break;
                case Ready:
                    using (var result = Finish(context)) return ToArray(result);
                case var state:
                    throw new InvalidOperationException($"Nothing is known to do in the state {state} of MongoDB.Driver.Encryption.");
            }
        }
    }

    private static byte[] Mark(IDisposable context)
    {
        using var operation = GetOperation(context);
        return PatientWork.Mark(ToArray(operation));
    }

    private static Type Internal(string name) => typeof(ClientEncryption).Assembly.GetType($"MongoDB.Driver.Encryption.{name}", throwOnError: true)!;

    private static TDelegate Compile<TDelegate>(Type type, string method)
        where TDelegate : Delegate
    {
        var signature = typeof(TDelegate).GetMethod("Invoke")!;
        var parameters = signature.GetParameters().Select(parameter => Expression.Parameter(parameter.ParameterType)).ToArray();
        Expression call = Expression.Call(
            Expression.Convert(parameters[0], type),
            type.GetMethod(method, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, [.. parameters[1..].Select(parameter => parameter.Type)])!,
            parameters[1..]);
        if (call.Type != signature.ReturnType) call = Expression.Convert(call, signature.ReturnType);
        return Expression.Lambda<TDelegate>(call, parameters).Compile();
    }
}
