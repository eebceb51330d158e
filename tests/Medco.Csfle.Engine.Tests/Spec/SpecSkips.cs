using System.Text;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>Why a test does not run; every reason names what is missing.</summary>
internal static class SpecSkips
{
    private static readonly HashSet<string> Entities = ["client", "database", "collection", "clientEncryption"];

    private static readonly HashSet<string> TestFields = ["description", "runOnRequirements", "skipReason", "operations", "expectEvents", "outcome"];

    /// <summary>The reason, or null for a test that runs.</summary>
    public static string? Reason(SpecTest test)
        => ReasonOfTheFile(test)
            ?? Requirements(test)
            ?? KeyManagement(test)
            ?? UnreachableKms(test)
            ?? NotInThisRunner(test)
            ?? KnownGaps.Reason(test);

    private static string? ReasonOfTheFile(SpecTest test)
    {
        if (test.Body.OptionalText("skipReason") is { } reason) return $"the file says: {reason}";
        var isQueryableEncryption = test.Content.Bytes.Span.IndexOf("encryptedFields"u8) >= 0
            || test.File.StartsWith("fle2", StringComparison.Ordinal) || test.File.StartsWith("QE-", StringComparison.Ordinal);
        return isQueryableEncryption ? "Queryable Encryption, which is another feature" : null;
    }

    private static string? Requirements(SpecTest test)
    {
        var version = test.Content.Text("schemaVersion");
        if (!version.StartsWith("1.", StringComparison.Ordinal)) return $"version {version} of the format";
        return Unmet(test.Content) ?? Unmet(test.Body);
    }

    private static string? Unmet(Document document)
    {
        string[] reasons = [];
        foreach (var requirement in document.Items("runOnRequirements"))
        {
            if (RunOnRequirement.Unmet(requirement) is not { } reason) return null;
            reasons = [.. reasons, reason];
        }

        return reasons.Length == 0 ? null : string.Join("; or ", reasons);
    }

    private static string? KeyManagement(SpecTest test)
    {
        if (test.File is "rewrapManyDataKey-decrypt_failure" or "rewrapManyDataKey-encrypt_failure")
        {
            return "key management: needs the cloud KMS that refuses the master key";
        }

        foreach (var operation in test.Operations)
        {
            var arguments = operation.OptionalDocument("arguments");
            var provider = arguments?.OptionalText("kmsProvider") ?? arguments?.OptionalDocument("opts")?.OptionalText("provider");
            if (provider is not null && KmsProvider.TryGetType(provider, out var type) && type == KmsProvider.Kmip)
            {
                return "key management: needs the KMS kmip, which gives the master key of a new wrapping its id";
            }

            if (arguments?.OptionalDocument("opts")?.OptionalDocument("masterKey")?.OptionalText("region") == "invalid")
            {
                return "key management: needs the KMS aws, which refuses a region that there is not";
            }
        }

        return null;
    }

    // The data keys of local and AWS are published with the tests; those of the others only their owners can unwrap.
    private static string? UnreachableKms(SpecTest test)
    {
        // Key management does not look at the keys; a stand-in wraps and unwraps them.
        if (test.Operations.Any(operation => KeyManagementOperations.Table.ContainsKey(operation.Text("name")))) return null;
        var providers = test.InitialData.SelectMany(data => data.Items("documents"))
            .Select(document => document.OptionalDocument("masterKey")?.OptionalText("provider"))
            .OfType<string>();
        foreach (var provider in providers)
        {
            if (KmsProvider.TryGetType(provider, out var type) && type is not (KmsProvider.Local or KmsProvider.Aws)) return $"needs the KMS {provider} and credentials for it";
        }

        return null;
    }

    private static string? NotInThisRunner(SpecTest test)
    {
        foreach (var (kind, _) in test.Entities)
        {
            if (!Entities.Contains(kind)) return $"this runner has no entity of the kind '{kind}'";
        }

        foreach (var (name, _) in test.Body.Elements)
        {
            if (!TestFields.Contains(name)) return $"this runner does not check '{name}'";
        }

        foreach (var (kind, name) in Operations(test))
        {
            var isKnown = kind switch
            {
                "testRunner" => TestRunnerOperations.Has(name),
                "collection" => CollectionOperations.Has(name),
                "database" => DatabaseOperations.Has(name),
                "clientEncryption" => ClientEncryptionOperations.Has(name),
                _ => false,
            };
            if (!isKnown) return $"this runner has no operation '{name}' on a {kind}";
        }

        return null;
    }

    private static IEnumerable<(string Kind, string Name)> Operations(SpecTest test)
    {
        var kinds = test.Entities.ToDictionary(entity => entity.Body.Text("id"), entity => entity.Kind);
        return test.Operations.Select(operation =>
        {
            var target = operation.Text("object");
            return (target == "testRunner" ? target : kinds.GetValueOrDefault(target, target), operation.Text("name"));
        });
    }
}

/// <summary>Whether the in-process server, a standalone 7.0.0, and the engine are what a test demands (<c>runOnRequirement</c>).</summary>
internal static class RunOnRequirement
{
    private static readonly Version ServerVersion = new(7, 0, 0);

    /// <summary>What is not met, or null.</summary>
    public static string? Unmet(Document requirement)
    {
        var unmet = new StringBuilder();
        foreach (var (name, value) in requirement.Elements)
        {
            var isMet = name switch
            {
                "minServerVersion" => ServerVersion >= Parse(value.Text),
                "maxServerVersion" => ServerVersion <= Parse(value.Text),
                "topologies" => value.Items.Any(topology => topology.Text == "single"),
                "serverless" => value.Text is "allow" or "forbid",
                "auth" => !value.IsTrue,
                // The engine stands in for libmongocrypt of any version: the tests with a least one assert what the engine does too.
                "csfle" => value.IsDocument || value.IsTrue,
                _ => false,
            };
            if (!isMet) unmet.Append(unmet.Length == 0 ? "" : ", ").Append("needs ").Append(name).Append(' ').Append(value.Json());
        }

        return unmet.Length == 0 ? null : $"{unmet} (the server is a standalone {ServerVersion})";
    }

    // "4.4" has no patch level; as a greatest version it means every 4.4.
    private static Version Parse(string text)
    {
        var parts = text.Split('.').Select(int.Parse).ToArray();
        return new Version(parts[0], parts.Length > 1 ? parts[1] : 0, parts.Length > 2 ? parts[2] : 0);
    }
}
