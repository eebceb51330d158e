using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Finds the ciphertexts in a reply and writes the reply with their plaintexts. A first walk collects the data keys, a second
/// one, when they are there, writes; a reply without ciphertext is not written at all.
/// </summary>
internal static class ReplyDecryption
{
    /// <summary>The data keys that a reply's ciphertexts name, each once; null where nothing is to be decrypted.</summary>
    /// <remarks>
    /// A reply with <c>ok: 0</c> has none, nor has what stands under <c>writeErrors</c> and <c>writeConcernError</c>: drivers
    /// put these into exception messages, and a plaintext there ends in a log.
    /// </remarks>
    /// <exception cref="BsonFormatException">The reply is not BSON.</exception>
    /// <exception cref="DecryptionException">Binary data of subtype 6 in it is no ciphertext.</exception>
    public static KeySet? CollectKeys(ReadOnlySpan<byte> reply)
    {
        if (IsError(reply)) return null;
        KeySet? keys = null;
        var top = new BsonReader(reply);
        try
        {
            while (top.Read())
            {
                if (!IsErrorDetail(top.Name)) CollectFrom(top, ref keys);
            }
        }
        catch (DecryptionException exception)
        {
            throw ReplyPlace.OfFirst(reply, ReplyPlace.HasNoKeyId).Tell(exception);
        }

        return keys;
    }

    /// <summary>Writes the decrypted reply.</summary>
    /// <param name="reply">The reply whose keys were collected.</param>
    /// <param name="keys">The set that was collected.</param>
    /// <param name="dataKeys">The data keys in the order of <see cref="KeySet.Keys"/>.</param>
    /// <exception cref="DecryptionException">A ciphertext does not authenticate.</exception>
    public static byte[] Decrypt(ReadOnlySpan<byte> reply, KeySet keys, ReadOnlySpan<DataKey> dataKeys)
    {
        // A plaintext is shorter than its ciphertext by 50 bytes at least, so that the reply's own length is always enough. How
        // much shorter only decryption tells.
        var room = ArrayPool<byte>.Shared.Rent(reply.Length);
        var copy = new Copy(reply, room);
        try
        {
            var top = new BsonReader(reply);
            var start = copy.Enter(top);
            while (top.Read())
            {
                if (!IsErrorDetail(top.Name)) DecryptElement(ref copy, top, keys, dataKeys);
            }

            copy.Leave(top, start);
            return room.AsSpan(0, copy.Finish()).ToArray();
        }
        catch (DecryptionException exception)
        {
            var failed = copy.Reached;
            throw (exception.Code == CsfleErrorCode.DecryptionFailed ? ReplyPlace.At(reply, failed) : ReplyPlace.OfFirst(reply, ReplyPlace.IsMalformed)).Tell(exception);
        }
        finally
        {
            // It holds plaintext, and whoever rents it next may show it.
            Array.Clear(room, 0, reply.Length);
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    private static void CollectFrom(in BsonReader element, ref KeySet? keys)
    {
        switch (element.Type)
        {
            case BsonType.Document or BsonType.Array:
                var document = element.ReadDocument();
                while (document.Read()) CollectFrom(document, ref keys);
                break;
            case BsonType.Binary:
                var bytes = element.GetBinary(out var subtype);
                if (subtype == BinarySubtype.Encrypted) (keys ??= new KeySet()).Add(Ciphertext.ReadKeyId(bytes));
                break;
        }
    }

    private static void DecryptElement(ref Copy copy, in BsonReader element, KeySet keys, ReadOnlySpan<DataKey> dataKeys)
    {
        switch (element.Type)
        {
            case BsonType.Document or BsonType.Array:
                var document = element.ReadDocument();
                var start = copy.Enter(document);
                while (document.Read()) DecryptElement(ref copy, document, keys, dataKeys);
                copy.Leave(document, start);
                break;
            case BsonType.Binary:
                var bytes = element.GetBinary(out var subtype);
                if (subtype != BinarySubtype.Encrypted) break;
                var ciphertext = Ciphertext.Parse(bytes);
                copy.Replace(element, ciphertext, dataKeys[keys.IndexOf(ciphertext.KeyId)]);
                break;
        }
    }

    internal static bool IsErrorDetail(ReadOnlySpan<byte> name)
        => name.SequenceEqual("writeErrors"u8) || name.SequenceEqual("writeConcernError"u8);

    private static bool IsError(ReadOnlySpan<byte> reply)
    {
        var reader = new BsonReader(reply);
        return reader.ReadTo("ok"u8) && reader.Type switch
        {
            BsonType.Double => reader.GetDouble() == 0,
            BsonType.Int32 => reader.GetInt32() == 0,
            BsonType.Int64 => reader.GetInt64() == 0,
            BsonType.Boolean => !reader.GetBoolean(),
            _ => false,
        };
    }

    /// <summary>Copies a document, replacing elements on the way and correcting the lengths of what encloses them.</summary>
    private ref struct Copy(ReadOnlySpan<byte> source, Span<byte> target)
    {
        private readonly ReadOnlySpan<byte> _source = source;
        private readonly Span<byte> _target = target;
        private int _read;
        private int _written;

        /// <summary>How far the source has been copied: to where the value begins whose decryption has failed.</summary>
        public readonly int Reached => _read;

        /// <summary>Where in the target the document's length will stand.</summary>
        public readonly int Enter(in BsonReader document) => _written + (document.Start - _read);

        /// <summary>Corrects the document's length, if anything in it was replaced.</summary>
        public readonly void Leave(in BsonReader document, int start)
        {
            if (_read <= document.Start) return;
            var end = _written + (document.End - _read);
            BinaryPrimitives.WriteInt32LittleEndian(_target[start..], end - start);
        }

        /// <summary>Writes the element with the plaintext in place of the ciphertext.</summary>
        public void Replace(in BsonReader element, Ciphertext ciphertext, DataKey key)
        {
            CopyTo(element.ValueStart);
            _target[_written - (element.ValueStart - element.ElementStart)] = (byte)ciphertext.OriginalType;
            _written += key.Decrypt(ciphertext, _target[_written..]);
            _read = element.ValueEnd;
        }

        /// <summary>Copies the rest.</summary>
        /// <returns>The length of the copy.</returns>
        public int Finish()
        {
            CopyTo(_source.Length);
            return _written;
        }

        private void CopyTo(int end)
        {
            _source[_read..end].CopyTo(_target[_written..]);
            _written += end - _read;
            _read = end;
        }
    }
}

/// <summary>Data keys by the order in which they were first met: a list while they are few, with an index when they are many.</summary>
internal sealed class KeySet
{
    private const int ListLimit = 8;

    private readonly List<KeyReference> _keys = [];
    private Dictionary<Guid, int>? _indexes;

    /// <summary>The keys, each once.</summary>
    public ReadOnlySpan<KeyReference> Keys => CollectionsMarshal.AsSpan(_keys);

    /// <summary>Adds an id unless it is there.</summary>
    public void Add(Guid id)
    {
        if (IndexOf(id) >= 0) return;
        _indexes?.Add(id, _keys.Count);
        _keys.Add(KeyReference.ById(id));
        if (_indexes is null && _keys.Count > ListLimit)
        {
            _indexes = [];
            for (var i = 0; i < _keys.Count; i++) _indexes.Add(_keys[i].Id, i);
        }
    }

    /// <summary>The position of an id, or -1.</summary>
    public int IndexOf(Guid id)
    {
        if (_indexes is not null) return _indexes.GetValueOrDefault(id, -1);
        var keys = Keys;
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys[i].Id == id) return i;
        }

        return -1;
    }
}
