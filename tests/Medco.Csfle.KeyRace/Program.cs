using System.Globalization;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.KeyRace;

// One of many processes that ask for the same data key at the same moment, several times each:
//   file|mongo <path|port> <master key file> <key name> <starts>
// Says that it is ready, waits for a line, and prints the id that every start got.
var (kind, place, masterKeyFile, name, starts) = (args[0], args[1], args[2], args[3], int.Parse(args[4], CultureInfo.InvariantCulture));
using var masterKey = LocalMasterKey.FromFile(masterKeyFile);
Console.WriteLine("ready");
Console.ReadLine();

var threads = Enumerable.Range(0, starts).Select(i => Task.Factory.StartNew(() => Start(isAsync: i % 2 == 0), TaskCreationOptions.LongRunning).Unwrap());
foreach (var id in await Task.WhenAll(threads)) Console.WriteLine(id);
return;

async Task<Guid> Start(bool isAsync)
{
    using var runner = kind == "mongo" ? new TcpCommandRunner(int.Parse(place, CultureInfo.InvariantCulture)) : null;
    IKeyVaultStore store = runner is null ? new FileKeyVaultStore(place) : new MongoKeyVaultStore(runner, "encryption.__keyVault");
    using var vault = new KeyVaultService(store, [new LocalKeyManagementService(masterKey)]);
    return isAsync ? await vault.GetOrCreateDataKeyAsync("local", name) : vault.GetOrCreateDataKey("local", name);
}
