using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

public sealed class InMemoryKeyVaultStoreTests : KeyVaultStoreContract
{
    protected override IKeyVaultStore NewStore() => new InMemoryKeyVaultStore();

    protected override IKeyVaultStore Reopen(IKeyVaultStore store) => store;
}
