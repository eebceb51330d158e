using System.Globalization;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Replication;

/// <summary>
/// The field <c>updateDescription</c> of an update event: what is different, by path. Embedded documents and arrays are looked
/// into, so that a document that was set as a whole shows the fields of it that are different.
/// </summary>
internal sealed class UpdateDescription
{
    private readonly List<Element> _updated = [];
    private readonly List<Value> _removed = [];
    private readonly List<Value> _truncated = [];

    private UpdateDescription()
    {
    }

    public static Document Between(Document before, Document after)
    {
        var description = new UpdateDescription();
        description.Compare("", before, after);
        return new Document(
        [
            new("updatedFields", new Value(new Document(description._updated))),
            new("removedFields", Value.FromArray(description._removed)),
            new("truncatedArrays", Value.FromArray(description._truncated)),
        ]);
    }

    private void Compare(string prefix, Document before, Document after)
    {
        foreach (var (name, value) in after.Elements) Compare(prefix + name, before.Find(name), value);
        _removed.AddRange(before.Elements.Where(element => after.Find(element.Name) is null).Select(element => Value.FromText(prefix + element.Name)));
    }

    private void Compare(string path, Value? before, Value after)
    {
        if (before is not null && before.Type == after.Type)
        {
            if (before.Bytes.Span.SequenceEqual(after.Bytes.Span)) return;
            if (after.IsDocument)
            {
                Compare(path + ".", before.Document, after.Document);
                return;
            }

            if (after.IsArray)
            {
                CompareArrays(path, before.Document, after.Document);
                return;
            }
        }

        _updated.Add(new Element(path, after));
    }

    private void CompareArrays(string path, Document before, Document after)
    {
        for (var i = 0; i < after.Count; i++)
        {
            Compare($"{path}.{i.ToString(CultureInfo.InvariantCulture)}", i < before.Count ? before[i].Value : null, after[i].Value);
        }

        if (after.Count < before.Count)
        {
            _truncated.Add(new Value(new Document([new("field", Value.FromText(path)), new("newSize", Value.FromInt32(after.Count))])));
        }
    }
}
