using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>What every step of the analysis of one command on one encrypted collection shares.</summary>
internal readonly ref struct AnalysisScope
{
    /// <summary>A scope for one command.</summary>
    public AnalysisScope(ReadOnlySpan<byte> command, string collection, PlainNode schema, EncryptionPlan plan)
    {
        Command = command;
        Collection = collection;
        Schema = schema;
        Plan = plan;
    }

    /// <summary>The whole command; every offset counts from its start.</summary>
    public ReadOnlySpan<byte> Command { get; }

    /// <summary>The namespace, <c>db.collection</c>.</summary>
    public string Collection { get; }

    /// <summary>The root of the collection's encryption schema.</summary>
    public PlainNode Schema { get; }

    /// <summary>Receives what is found.</summary>
    public EncryptionPlan Plan { get; }

    /// <summary>The same command where documents look otherwise: behind a stage of a pipeline.</summary>
    public AnalysisScope Under(PlainNode schema) => new(Command, Collection, schema, Plan);

    /// <summary>The same command where it reads another collection.</summary>
    public AnalysisScope In(string collection, PlainNode schema) => new(Command, collection, schema, Plan);

    /// <summary>A refusal that names this collection.</summary>
    public QueryAnalysisException Refuse(string code, string problem, string remedy, Place place = default, string? @operator = null)
        => new(code, problem, remedy, Collection, place.Spell(Command), @operator ?? place.Operator);

    /// <summary>An element's name, or a component of a path, that only its case tells from an encrypted field.</summary>
    public QueryAnalysisException RefuseCaseVariant(string code, string listed, Place place, string? @operator = null)
        => Refuse(code, $"The name differs only in case from '{listed}', which the encryption schema encrypts, and would be another field, in clear",
            $"Write '{listed}', or name the field in the encryption schema if it really is another one.", place, @operator);

    /// <summary>A part of the command whose BSON type is not what MongoDB's manual says.</summary>
    public QueryAnalysisException Malformed(ReadOnlySpan<byte> field, string expected)
    {
        var name = Encoding.UTF8.GetString(field);
        return Refuse(CsfleErrorCode.MalformedCommand, $"'{name}' must be {expected}", "Send the command as MongoDB's manual describes it.", @operator: name);
    }
}
