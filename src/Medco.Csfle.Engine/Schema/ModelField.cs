using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Schema;

/// <summary>What a class says about one element, before the ids of the data keys are known.</summary>
/// <param name="Location">Class and member, for messages.</param>
internal abstract record ModelField(string Location);

/// <summary>An element that stays in clear with all there is below it.</summary>
internal sealed record PlainField(string Location) : ModelField(Location);

/// <summary>An encrypted element.</summary>
/// <param name="Location">Class and member.</param>
/// <param name="Algorithm">The algorithm.</param>
/// <param name="Types">The BSON types it is stored as; null where they are not known.</param>
/// <param name="KeyAltName">The key's name, where the member gives one itself.</param>
/// <param name="KeyField">The pointer to the key's name, where the document gives it.</param>
/// <param name="Nulls">What happens to null, where the member says it itself.</param>
internal sealed record EncryptedField(
    string Location, CsfleAlgorithm Algorithm, BsonTypeSet? Types, string? KeyAltName, JsonPointer? KeyField, NullPolicy Nulls) : ModelField(Location)
{
    /// <summary>True where values of both are encrypted alike.</summary>
    public bool EncryptsLike(EncryptedField other)
        => Algorithm == other.Algorithm && Types == other.Types && KeyAltName == other.KeyAltName && KeyField?.Text == other.KeyField?.Text && Nulls == other.Nulls;

    /// <summary>Why a document without the element cannot be read back as it was written; null where it can.</summary>
    public string? ProblemOfAbsence { get; init; }
}

/// <summary>An element, or the whole, that is a document with encrypted elements in it.</summary>
/// <param name="Location">Class and member.</param>
/// <param name="KeyAltName">The name of the key for everything below that names none itself.</param>
/// <param name="Fields">The elements by name, plain ones included.</param>
internal sealed record DocumentField(string Location, string? KeyAltName, IReadOnlyDictionary<string, ModelField> Fields) : ModelField(Location)
{
    /// <summary>What happens to null in place of the document, where the member that holds it says it.</summary>
    public NullPolicy Nulls { get; init; }

    /// <summary>What happens to null in everything below that does not say it itself.</summary>
    public NullPolicy NullsBelow { get; init; }

    /// <inheritdoc cref="EncryptedField.ProblemOfAbsence"/>
    public string? ProblemOfAbsence { get; init; }

    /// <summary>True where something in it is encrypted.</summary>
    public bool HasEncryption => Fields.Values.Any(element => element is EncryptedField or DocumentField { HasEncryption: true });

    /// <summary>
    /// The elements that two classes have which are stored in the same place; what both have, both must encrypt alike.
    /// </summary>
    /// <param name="other">The other class.</param>
    /// <param name="conflict">Called with the two sides of each disagreement.</param>
    public DocumentField Merge(DocumentField other, Action<string, ModelField, ModelField> conflict)
    {
        // Two names of keys for one level cannot both stand in its encryptMetadata; then every field says its own.
        if (KeyAltName != other.KeyAltName || NullsBelow != other.NullsBelow) return Explicit().Merge(other.Explicit(), conflict);

        var fields = new Dictionary<string, ModelField>(Fields, StringComparer.Ordinal);
        foreach (var (name, field) in other.Fields)
        {
            if (!fields.TryGetValue(name, out var mine))
            {
                fields.Add(name, field);
            }
            else if (mine is DocumentField left && field is DocumentField right && left.Nulls == right.Nulls)
            {
                fields[name] = left.Merge(right, conflict);
            }
            else if ((mine, field) is not (PlainField, PlainField) && !(mine is EncryptedField one && field is EncryptedField two && one.EncryptsLike(two)))
            {
                conflict(name, mine, field);
            }
        }

        return this with { Fields = fields };
    }

    private DocumentField Explicit()
        => this with
        {
            KeyAltName = null,
            NullsBelow = NullPolicy.Default,
            Fields = Fields.ToDictionary(
                pair => pair.Key,
                pair => pair.Value switch
                {
                    EncryptedField field => field with
                    {
                        KeyAltName = field.KeyField is null ? field.KeyAltName ?? KeyAltName : null,
                        Nulls = Nearest(field.Nulls),
                    },
                    DocumentField document => document with
                    {
                        KeyAltName = document.KeyAltName ?? KeyAltName,
                        Nulls = Nearest(document.Nulls),
                        NullsBelow = Nearest(document.NullsBelow),
                    },
                    var field => field,
                },
                StringComparer.Ordinal),
        };

    private NullPolicy Nearest(NullPolicy own) => own == NullPolicy.Default ? NullsBelow : own;
}
