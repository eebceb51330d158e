using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Tests.Bson;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>
/// Makes new commands of given ones: elements are lost, doubled, renamed and exchanged for those of others, so that what comes
/// out is BSON and gets far into the analysis; now and then bytes are damaged as well.
/// </summary>
internal sealed class CommandMutation
{
    private const int MaxLength = 1 << 16;

    private readonly List<byte[]> _names = [.. new[] { "", "$", ".", "a.", "$db", "_id", "insurance.0", "\u00DF" }.Select(Encoding.UTF8.GetBytes)];
    private readonly List<(BsonType Type, byte[] Value)> _values = [];

    /// <summary>Mutations that put together parts of these commands.</summary>
    public CommandMutation(IEnumerable<byte[]> commands)
    {
        foreach (var command in commands) Collect(new BsonReader(command));
    }

    /// <summary>A command made from another.</summary>
    public byte[] Of(byte[] command, Random random)
    {
        var rate = 1 + random.Next(20);
        var mutated = Mutate(new BsonReader(command), random, rate);
        if (mutated.Length > MaxLength) mutated = command;
        return random.Next(10) == 0 ? Mutation.Of(mutated, random) : mutated;
    }

    private void Collect(BsonReader reader)
    {
        while (reader.Read())
        {
            _names.Add(reader.Name.ToArray());
            _values.Add((reader.Type, reader.Value.ToArray()));
            if (reader.Type is BsonType.Document or BsonType.Array) Collect(reader.ReadDocument());
        }
    }

    // Of each element the chance of a change is one in so many.
    private byte[] Mutate(BsonReader reader, Random random, int rate)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        while (reader.Read())
        {
            var (type, value) = reader.Type is BsonType.Document or BsonType.Array
                ? (reader.Type, Mutate(reader.ReadDocument(), random, rate + 2))
                : (reader.Type, reader.Value.ToArray());
            var name = reader.Name.ToArray();
            switch (random.Next(6 * rate))
            {
                case 0:
                    continue;
                case 1:
                    writer.WriteRaw(type, name, value);
                    break;
                case 2:
                    name = Name(random);
                    break;
                case 3:
                    (type, value) = Value(random);
                    break;
                case 4:
                    var (otherType, otherValue) = Value(random);
                    writer.WriteRaw(otherType, Name(random), otherValue);
                    break;
                case 5:
                    (type, value) = (random.Next(2) == 0 ? BsonType.Document : BsonType.Array, Around(Name(random), type, value));
                    break;
            }

            writer.WriteRaw(type, name, value);
        }

        writer.EndDocument();
        return writer.ToArray();
    }

    private byte[] Name(Random random)
    {
        var name = _names[random.Next(_names.Count)];
        return random.Next(4) == 0 ? [.. name, (byte)'.', .. _names[random.Next(_names.Count)]] : name;
    }

    private (BsonType Type, byte[] Value) Value(Random random) => _values[random.Next(_values.Count)];

    private static byte[] Around(byte[] name, BsonType type, byte[] value)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteRaw(type, name, value);
        writer.EndDocument();
        return writer.ToArray();
    }
}
