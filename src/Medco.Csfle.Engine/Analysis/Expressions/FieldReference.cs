using System.Text;
using System.Text.Unicode;
using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Expressions;

/// <summary>What becomes of the value of an expression.</summary>
internal enum ExpressionUse
{
    /// <summary>It is passed on as it is: encrypted or not makes no difference.</summary>
    Copy,

    /// <summary>It is the key of a group: equal values have to have equal bytes.</summary>
    GroupKey,

    /// <summary>It is compared with a constant, or chosen among others: deterministic encryption is good enough.</summary>
    Equality,

    /// <summary>It is computed with, which ciphertext cannot be.</summary>
    Computation,
}

/// <summary>A field that an expression or a stage names, and what that means where it is encrypted.</summary>
internal static class FieldReference
{
    // MongoDB takes no documents nested deeper than this.
    private const int MaxComponents = 100;

    private const string ComputeWithPlain = "Compute with plain fields, or after decryption.";

    /// <summary>What stands at a path that is read.</summary>
    /// <returns>The schema of the value; null where nothing of it is encrypted.</returns>
    /// <exception cref="QueryAnalysisException">The value cannot be put to that use.</exception>
    public static SchemaNode? Read(in AnalysisScope scope, ReadOnlySpan<byte> path, ExpressionUse use, string? @operator = null)
    {
        var lookup = PathLookup.Resolve(scope.Schema, path);
        switch (lookup.State)
        {
            case PathState.NotEncrypted:
                return null;
            case PathState.CaseVariant:
                throw scope.RefuseCaseVariant(CsfleErrorCode.UnsupportedQuery, lookup.Listed!, path, @operator);
            case PathState.Unresolvable:
                throw RefuseUnresolvable(scope, path, @operator);
            case PathState.BelowEncrypted:
                throw RefuseReference(scope, path, @operator);
            case PathState.Encrypted:
                return Use(scope, lookup.Node!, path, use, @operator);
            case PathState.PrefixOfEncrypted:
                return Use(scope, lookup.Prefix!, path, use, @operator);
            default:
                return Use(scope, UnknownNode.Instance, path, use, @operator);
        }
    }

    /// <summary>Checks that a value can be put to a use.</summary>
    /// <param name="scope">The command.</param>
    /// <param name="value">The schema of the value.</param>
    /// <param name="path">Where it was read.</param>
    /// <param name="use">The use.</param>
    /// <param name="operator">Who reads it.</param>
    /// <returns>The value.</returns>
    /// <exception cref="QueryAnalysisException">It cannot.</exception>
    public static SchemaNode Use(in AnalysisScope scope, SchemaNode value, ReadOnlySpan<byte> path, ExpressionUse use, string? @operator)
    {
        if (use == ExpressionUse.Copy) return value;
        var isDeterministic = value is EncryptedNode { Algorithm: CsfleAlgorithm.Deterministic };
        switch (use)
        {
            case ExpressionUse.GroupKey when !isDeterministic:
                throw RefuseGrouping(scope, path, @operator);
            case ExpressionUse.Equality when value is EncryptedNode && !isDeterministic:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Cannot query on fields encrypted with the randomized encryption algorithm",
                    "Use another field, or encrypt this one with the deterministic algorithm if its values may be compared.", path, @operator);
            case ExpressionUse.GroupKey or ExpressionUse.Equality when isDeterministic:
                return value;
            default:
                throw value is UnknownNode ? RefuseUnknown(scope, path, @operator) : RefuseReference(scope, path, @operator);
        }
    }

    /// <summary>Checks an argument of a stage that has to name a plain field.</summary>
    /// <exception cref="QueryAnalysisException">It is no string, or names another field.</exception>
    public static void RequirePlain(in PipelineScope pipeline, in BsonReader element, string @operator)
        => RequirePlain(pipeline.Scope, pipeline.TextOf(element), @operator);

    /// <summary>Checks a path that has to be plain.</summary>
    /// <exception cref="QueryAnalysisException">It is not.</exception>
    public static void RequirePlain(in AnalysisScope scope, ReadOnlySpan<byte> path, string @operator)
    {
        switch (PathLookup.Resolve(scope.Schema, path).State)
        {
            case PathState.NotEncrypted:
                return;
            case PathState.Unknown:
                throw RefuseUnknown(scope, path, @operator);
            default:
                throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, $"'{@operator}' names a path that is encrypted, or is not known not to be",
                    ComputeWithPlain, path, @operator);
        }
    }

    /// <summary>
    /// Checks a path that a stage writes a value to. It may differ from an encrypted one only in case: what a pipeline computes
    /// is not stored, and LINQ names its results as C# does.
    /// </summary>
    /// <param name="scope">The command, with the schema in front of the stage.</param>
    /// <param name="path">The path.</param>
    /// <param name="value">The schema of the value; null where nothing of it is encrypted.</param>
    /// <param name="operator">The stage.</param>
    /// <exception cref="QueryAnalysisException">What then stands there could not be told, or would be mistaken for something else.</exception>
    public static void CheckTarget(in AnalysisScope scope, ReadOnlySpan<byte> path, SchemaNode? value, string @operator)
    {
        var lookup = PathLookup.Resolve(scope.Schema, path);
        if (lookup.State == PathState.Unresolvable) throw RefuseUnresolvable(scope, path, @operator);
        if (lookup.State == PathState.BelowEncrypted || (lookup.State == PathState.PrefixOfEncrypted && value is { HasEncryption: true }))
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "Cannot add an encrypted field as a prefix of another encrypted field",
                "Give the new field a name of its own.", path, @operator);
        }

        if (value is not { HasEncryption: true }) return;
        if (Utf8.IsValid(path) && path.Count((byte)'.') < MaxComponents && !HasOddComponent(path)) return;
        throw RefuseUnresolvable(scope, path, @operator);
    }

    /// <summary>A path of which it is not known whether it is encrypted.</summary>
    public static QueryAnalysisException RefuseUnknown(in AnalysisScope scope, ReadOnlySpan<byte> path, string? @operator) => scope.Refuse(
        CsfleErrorCode.UnsupportedQuery, "Cannot get metadata for path whose encryption properties are not known until runtime",
        "Refer to the field in an earlier stage, before it is joined, collected, chosen or dropped.", path, @operator);

    /// <summary>A group's key that cannot be one.</summary>
    public static QueryAnalysisException RefuseGrouping(in AnalysisScope scope, ReadOnlySpan<byte> path, string? @operator) => scope.Refuse(
        CsfleErrorCode.UnsupportedQuery,
        $"Cannot group on field '{Encoding.UTF8.GetString(path)}' which is encrypted with the random algorithm or whose encryption properties are not known until runtime",
        "Group by a plain field or one that is encrypted deterministically.", path, @operator);

    /// <summary>The part of a path in front of its first dot.</summary>
    public static ReadOnlySpan<byte> FirstComponent(ReadOnlySpan<byte> path)
    {
        var dot = path.IndexOf((byte)'.');
        return dot < 0 ? path : path[..dot];
    }

    private static bool HasOddComponent(ReadOnlySpan<byte> path)
    {
        var rest = path;
        while (true)
        {
            var component = FirstComponent(rest);
            if (component is [] or [(byte)'$', ..]) return true;
            if (component.Length == rest.Length) return false;
            rest = rest[(component.Length + 1)..];
        }
    }

    private static QueryAnalysisException RefuseReference(in AnalysisScope scope, ReadOnlySpan<byte> path, string? @operator) => scope.Refuse(
        CsfleErrorCode.UnsupportedQuery, $"Invalid reference to an encrypted field within aggregate expression: {Encoding.UTF8.GetString(path)}",
        ComputeWithPlain, path, @operator);

    private static QueryAnalysisException RefuseUnresolvable(in AnalysisScope scope, ReadOnlySpan<byte> path, string? @operator) => scope.Refuse(
        CsfleErrorCode.UnsupportedQuery,
        "It cannot be told whether this path is encrypted: it has an empty component, one that starts with '$', or an array index",
        "Name the field by a path of plain names.", path, @operator);
}
