using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>Updates documents of a collection: what the validator, the unique indexes and the <c>_id</c> allow.</summary>
internal sealed class CollectionUpdate(Collection collection, Document filter, DocumentUpdate update, bool bypassesValidation)
{
    private const int ObjectTooLarge = 17419;
    private const int UpsertTooLarge = 17420;

    private readonly MatchExpression _filter = MatchParser.Parse(filter);

    /// <summary>Updates one document that the filter found.</summary>
    /// <returns>The document as it is stored now: the very same where nothing changed.</returns>
    public Document Apply(Document document)
    {
        var changed = update.Apply(document, _filter, isInsert: false);
        CheckId(document, changed);
        CheckSize(changed, ObjectTooLarge, "Resulting document after update");
        var updated = InsertedDocument.Prepare(changed);
        if (updated.Bytes.Span.SequenceEqual(document.Bytes.Span)) return document;
        if (!bypassesValidation && collection.Options.EnforcedOnUpdate(document)?.Check(updated) is { } error) throw error;
        collection.Replace(document, updated, update is Replacement ? ChangeKind.Replace : ChangeKind.Update);
        return updated;
    }

    /// <summary>Inserts the document that the filter and the update make together.</summary>
    public Document Insert()
    {
        var seed = update is Replacement ? UpsertSeed.ForReplacement(filter) : UpsertSeed.ForOperators(filter);
        var changed = update.Apply(seed, _filter, isInsert: true);
        CheckId(seed, changed);
        CheckSize(changed, UpsertTooLarge, "Document to upsert");
        var inserted = InsertedDocument.Prepare(changed);
        if (!bypassesValidation && collection.Options.Enforced?.Check(inserted) is { } error) throw error;
        collection.Insert(inserted);
        return inserted;
    }

    private void CheckId(Document old, Document changed)
    {
        if (old.Find("_id") is not { } id) return;
        var isSame = changed.Find("_id") is { } other && ValueOrder.AreEqual(id, other);
        if (isSame) return;
        throw new ServerException(ErrorCode.ImmutableField, update is Replacement
            ? $"After applying the update, the (immutable) field '_id' was found to have been altered to _id: {ValueText.Of(changed.Find("_id") ?? Value.Null)}"
            : "Performing an update on the path '_id' would modify the immutable field '_id'");
    }

    private static void CheckSize(Document document, int code, string what)
    {
        if (document.Bytes.Length > WireLimits.MaxDocumentBytes)
        {
            throw new ServerException(code, $"{what} is larger than {WireLimits.MaxDocumentBytes}");
        }
    }
}
