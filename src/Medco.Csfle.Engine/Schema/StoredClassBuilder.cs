using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Medco.Csfle.Engine.Schema;

/// <summary>Finds out which classes may be stored where, for a model that is without mistakes.</summary>
/// <param name="mapping">How classes are stored.</param>
/// <param name="marks">What is encrypted as a whole, and need not be looked into.</param>
/// <param name="withKnownTypes">A class and those that may be stored in its place.</param>
[RequiresUnreferencedCode(EncryptedModel.Trimming)]
internal sealed class StoredClassBuilder(IFieldMapping mapping, ModelMarks marks, Func<Type, List<Type>> withKnownTypes)
{
    private readonly Dictionary<string, StoredClass> _classes = new(StringComparer.Ordinal);

    /// <summary>The classes of the documents of a collection.</summary>
    public StoredClass Build(Type root) => BuildClass([root]);

    private StoredClass BuildClass(IReadOnlyList<Type> declared)
    {
        var key = string.Join('|', declared.Select(type => type.AssemblyQualifiedName).Order(StringComparer.Ordinal));
        if (_classes.TryGetValue(key, out var known)) return known;

        var types = declared.SelectMany(withKnownTypes).Distinct().ToArray();
        var result = new StoredClass([.. types.Where(type => !type.IsInterface).Select(ClassNames.Of)]);
        _classes.Add(key, result);
        var mappings = types.Select(mapping.Map).OfType<ClassMapping>().ToArray();

        // In the place of a sealed class nothing else can stand.
        if (declared.Any(type => !type.IsSealed))
        {
            foreach (var discriminator in mappings.Select(each => each.Discriminator).OfType<Discriminator>())
            {
                result.AddDiscriminator(Encoding.UTF8.GetBytes(discriminator.ElementName), discriminator.Value);
            }

            if (mappings.Length == 0) result.AddDiscriminator("_t"u8.ToArray(), []);
        }

        var stored = mappings.SelectMany(each => each.Members.Where(member => !marks.Of(each.Type, member.Member).IsEncrypted && !member.IsExtraElements));
        foreach (var group in stored.GroupBy(member => member.ElementName, StringComparer.Ordinal))
        {
            if (BuildShape([.. group.Select(member => member.Stored)]) is { } shape) result.AddMember(Encoding.UTF8.GetBytes(group.Key), shape);
        }

        return result;
    }

    private StoredShape? BuildShape(IReadOnlyList<StoredForm> forms)
    {
        var types = forms.Where(form => form.Shape == FieldShape.Document || form.IsInterface).SelectMany(form => form.Contained).Distinct().ToArray();
        var items = forms.SelectMany(form => form.Items).ToArray();
        var @class = types.Length == 0 ? null : BuildClass(types);
        var shape = new StoredShape(@class is { IsTrivial: false } ? @class : null, items.Length == 0 ? null : BuildShape(items));
        return shape is { Class: null, Items: null } ? null : shape;
    }
}
