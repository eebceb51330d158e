namespace Medco.Csfle.Engine.Schema;

/// <summary>Completes a compiled schema by what only a class says: the policies for null, and the classes of documents.</summary>
internal static class ModelNodes
{
    /// <summary>The nodes of a schema that was written from a model, with all that the model knows.</summary>
    public static PlainNode Complete(PlainNode node, DocumentField document, StoredClass @class) => Complete(node, document, NullPolicy.Default, NullPolicy.Default, @class);

    private static PlainNode Complete(PlainNode node, DocumentField document, NullPolicy own, NullPolicy inherited, StoredClass? @class)
    {
        var below = Nearest(document.NullsBelow, inherited);
        var properties = node.Properties.Select(property => property with { Node = Complete(property.Node, document.Fields[property.Name], below) });
        return new PlainNode("", [.. properties], [], null) { Nulls = own, Member = document.Location, Class = @class };
    }

    private static SchemaNode Complete(SchemaNode node, ModelField field, NullPolicy inherited) => (node, field) switch
    {
        (EncryptedNode encrypted, EncryptedField model) => new EncryptedNode(encrypted.Algorithm, encrypted.KeyId, encrypted.KeyPointer, encrypted.Types)
        {
            Nulls = Nearest(model.Nulls, inherited),
            Member = model.Location,
        },
        (PlainNode plain, DocumentField model) => Complete(plain, model, Nearest(model.Nulls, inherited), inherited, null),
        _ => node,
    };

    private static NullPolicy Nearest(NullPolicy own, NullPolicy inherited) => own == NullPolicy.Default ? inherited : own;
}
