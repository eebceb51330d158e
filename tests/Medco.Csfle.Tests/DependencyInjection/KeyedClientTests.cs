using MedcoMd.Model;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Moq;

namespace Medco.Csfle.Tests.DependencyInjection;

/// <summary>The two clients of a container.</summary>
public sealed class KeyedClientTests : IDisposable
{
    private readonly MongoServer _server = new();

    [Fact]
    public async Task The_keys_give_the_client_that_they_say()
    {
        using var provider = Provider(services => services.AddSingleton<Records>());
        var records = provider.GetRequiredService<Records>();
        var ns = CollectionNamespace.FromFullName(_server.Namespace("patients"));

        await records.Doctor.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<Patient>(ns.CollectionName).InsertOneAsync(JonDoe.Create());

        var stored = await records.Receptionist.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(ns.CollectionName).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync();
        Assert.True(stored["ssn"].IsBsonBinaryData);
        Assert.Same(records.Doctor, provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Encrypted));
        Assert.Same(records.Receptionist, provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Unencrypted));
    }

    [Fact]
    public void Nobody_gets_a_client_without_saying_which()
    {
        using var provider = Provider(services => services.AddCsfle("clinic", Configure));

        Assert.Null(provider.GetService<IMongoClient>());
        Assert.Empty(provider.GetServices<IMongoClient>());
        Assert.Null(provider.GetKeyedService<IMongoClient>("clinic"));
    }

    [Fact]
    public void Clients_are_made_when_they_are_first_asked_for()
    {
        var made = new List<string>();
        using var provider = Provider(ReplaceFactory(made));

        provider.GetRequiredService<ICsfleClientFactory>();
        Assert.Empty(made);
        provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Unencrypted);
        Assert.Equal(["unencrypted"], made);
        provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Encrypted);
        provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Encrypted);
        Assert.Equal(["unencrypted", "encrypted"], made);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_container_disposes_the_clients_before_the_factory(bool clientsFirst)
    {
        var events = new List<string>();
        var provider = Provider(ReplaceFactory(events));
        if (!clientsFirst) provider.GetRequiredService<ICsfleClientFactory>();
        provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Encrypted);
        provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Unencrypted);

        provider.Dispose();

        Assert.Equal(["encrypted", "unencrypted", "unencrypted disposed", "encrypted disposed", "factory disposed"], events);
    }

    [Fact]
    public void Keys_of_named_clients_are_told_apart_by_name_and_kind()
    {
        Assert.Equal(CsfleClients.EncryptedOf("clinic"), CsfleClients.EncryptedOf("clinic"));
        Assert.NotEqual(CsfleClients.EncryptedOf("clinic"), CsfleClients.UnencryptedOf("clinic"));
        Assert.NotEqual(CsfleClients.EncryptedOf("clinic"), CsfleClients.EncryptedOf("Clinic"));
        Assert.Equal((CsfleClients.EncryptedOf("clinic"), "clinic"), (new EncryptedClientAttribute("clinic").Key, new EncryptedClientAttribute("clinic").Registration));
        Assert.Equal((CsfleClients.UnencryptedOf("clinic"), "clinic"), (new UnencryptedClientAttribute("clinic").Key, new UnencryptedClientAttribute("clinic").Registration));
        Assert.Equal((CsfleClients.Encrypted, CsfleClients.Unencrypted), (new EncryptedClientAttribute().Key, new UnencryptedClientAttribute().Key));
    }

    public void Dispose() => _server.Dispose();

    private static Action<IServiceCollection> ReplaceFactory(List<string> events) => services => services.AddSingleton<ICsfleClientFactory>(_ =>
    {
        var factory = new Mock<ICsfleClientFactory>();
        factory.Setup(each => each.CreateEncryptedClient()).Returns(() => NewClient("encrypted"));
        factory.Setup(each => each.CreateUnencryptedClient()).Returns(() => NewClient("unencrypted"));
        factory.As<IDisposable>().Setup(each => each.Dispose()).Callback(() => events.Add("factory disposed"));
        return factory.Object;

        IMongoClient NewClient(string name)
        {
            events.Add(name);
            var client = new Mock<IMongoClient>();
            client.Setup(each => each.Dispose()).Callback(() => events.Add($"{name} disposed"));
            return client.Object;
        }
    });

    private ServiceProvider Provider(Action<IServiceCollection> configure)
    {
        var services = new ServiceCollection();
        configure(services);
        services.AddCsfle(Configure);
        return services.BuildServiceProvider();
    }

    private void Configure(CsfleBuilder csfle) => csfle
        .ConnectTo(_server.ConnectionString)
        .UseKeyVault(new InMemoryKeyVaultStore())
        .UseLocalMasterKey(LocalMasterKey.Generate())
        .AddCollection<Patient>(_server.Namespace("patients"))
        .CreateMissingDataKeys();

    private sealed class Records([EncryptedClient] IMongoClient doctor, [UnencryptedClient] IMongoClient receptionist)
    {
        public IMongoClient Doctor => doctor;

        public IMongoClient Receptionist => receptionist;
    }
}
