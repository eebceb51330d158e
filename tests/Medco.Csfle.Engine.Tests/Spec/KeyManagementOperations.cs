using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>The operations on data keys, as <see cref="KeyVaultService"/> has them.</summary>
internal static class KeyManagementOperations
{
    /// <summary>By the names that the tests give them.</summary>
    public static readonly IReadOnlyDictionary<string, Func<SpecClientEncryption, SpecArguments, ValueTask<SpecResult>>> Table =
        new Dictionary<string, Func<SpecClientEncryption, SpecArguments, ValueTask<SpecResult>>>
        {
            ["createDataKey"] = Create,
            ["getKey"] = Get,
            ["getKeys"] = GetAll,
            ["getKeyByAltName"] = GetByName,
            ["addKeyAltName"] = AddName,
            ["removeKeyAltName"] = RemoveName,
            ["deleteKey"] = Delete,
            ["rewrapManyDataKey"] = Rewrap,
        };

    private static async ValueTask<SpecResult> Create(SpecClientEncryption target, SpecArguments arguments)
    {
        var provider = arguments.Text("kmsProvider");
        var options = new SpecArguments("createDataKey.opts", arguments.Optional("opts")?.Document);
        arguments.RefuseOthers();
        var creation = new DataKeyCreationOptions
        {
            KeyAltNames = [.. options.Optional("keyAltNames")?.Items.Select(name => name.Text) ?? []],
            KeyMaterial = options.Optional("keyMaterial") is { } material ? material.Binary.ToArray() : default(ReadOnlyMemory<byte>),
            MasterKey = options.Optional("masterKey")?.Document.Bytes ?? default,
        };
        options.RefuseOthers();
        var vault = target.Encryption.Vault;
        return new(Value.FromUuid(target.Client.IsAsync ? await vault.CreateDataKeyAsync(provider, creation) : vault.CreateDataKey(provider, creation)));
    }

    private static async ValueTask<SpecResult> Get(SpecClientEncryption target, SpecArguments arguments)
    {
        var id = Id(arguments);
        arguments.RefuseOthers();
        var vault = target.Encryption.Vault;
        return Key(target.Client.IsAsync ? await vault.FindByIdAsync(id) : vault.FindById(id));
    }

    private static async ValueTask<SpecResult> GetByName(SpecClientEncryption target, SpecArguments arguments)
    {
        var name = arguments.Text("keyAltName");
        arguments.RefuseOthers();
        var vault = target.Encryption.Vault;
        return Key(target.Client.IsAsync ? await vault.FindByNameAsync(name) : vault.FindByName(name));
    }

    private static async ValueTask<SpecResult> GetAll(SpecClientEncryption target, SpecArguments arguments)
    {
        arguments.RefuseOthers();
        var vault = target.Encryption.Vault;
        var keys = target.Client.IsAsync ? await vault.FindKeysAsync() : vault.FindKeys();
        return new(SpecDocuments.Array(keys.Select(key => new Value(Document.Parse(key.ToBson())))));
    }

    private static async ValueTask<SpecResult> AddName(SpecClientEncryption target, SpecArguments arguments)
    {
        var (id, name) = (Id(arguments), arguments.Text("keyAltName"));
        arguments.RefuseOthers();
        var vault = target.Encryption.Vault;
        return Key(target.Client.IsAsync ? await vault.AddKeyAltNameAsync(id, name) : vault.AddKeyAltName(id, name));
    }

    private static async ValueTask<SpecResult> RemoveName(SpecClientEncryption target, SpecArguments arguments)
    {
        var (id, name) = (Id(arguments), arguments.Text("keyAltName"));
        arguments.RefuseOthers();
        var vault = target.Encryption.Vault;
        return Key(target.Client.IsAsync ? await vault.RemoveKeyAltNameAsync(id, name) : vault.RemoveKeyAltName(id, name));
    }

    private static async ValueTask<SpecResult> Delete(SpecClientEncryption target, SpecArguments arguments)
    {
        var id = Id(arguments);
        arguments.RefuseOthers();
        var vault = target.Encryption.Vault;
        var isDeleted = target.Client.IsAsync ? await vault.DeleteKeyAsync(id) : vault.DeleteKey(id);
        return new(new Value(SpecDocuments.Of(new Element("deletedCount", SpecDocuments.Value(isDeleted ? 1 : 0)))));
    }

    private static async ValueTask<SpecResult> Rewrap(SpecClientEncryption target, SpecArguments arguments)
    {
        var filter = arguments.Required("filter").Document.Bytes;
        var opts = new SpecArguments("rewrapManyDataKey.opts", arguments.Optional("opts")?.Document);
        arguments.RefuseOthers();
        var options = new RewrapOptions { Provider = opts.Optional("provider")?.Text, MasterKey = opts.Optional("masterKey")?.Document.Bytes ?? default };
        opts.RefuseOthers();
        var vault = target.Encryption.Vault;
        var result = target.Client.IsAsync ? await vault.RewrapManyDataKeyAsync(filter, options) : vault.RewrapManyDataKey(filter, options);
        if (result.MatchedCount == 0) return new(new Value(Document.Empty));
        var counts = SpecDocuments.Of(
            new("insertedCount", SpecDocuments.Value(0)),
            new("matchedCount", SpecDocuments.Value(result.MatchedCount)),
            new("modifiedCount", SpecDocuments.Value(result.ModifiedCount)),
            new("deletedCount", SpecDocuments.Value(0)),
            new("upsertedCount", SpecDocuments.Value(0)),
            new("upsertedIds", new Value(Document.Empty)));
        return new(new Value(SpecDocuments.Of(new Element("bulkWriteResult", new Value(counts)))));
    }

    private static Guid Id(SpecArguments arguments) => new(arguments.Required("id").Binary, bigEndian: true);

    // Drivers return null for a key that is not there.
    private static SpecResult Key(DataKeyDocument? key) => new(key is null ? Value.Null : new Value(Document.Parse(key.ToBson())));
}
