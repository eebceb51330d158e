using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Validation;

/// <summary>Checks the operands of <c>encrypt</c> and <c>encryptMetadata</c> when a schema is read.</summary>
internal static class EncryptionKeywords
{
    private const int BadKeyIdSubtype = 51084;
    private const int BadKeyIdType = 51085;
    private const int BadKeyIdElement = 51088;
    private const int UnescapedTilde = 51063;
    private const int EmptyPointer = 51064;
    private const int PointerWithoutSlash = 51065;

    public static void CheckEncrypt(Value operand)
    {
        if (!operand.IsDocument) throw ServerException.TypeMismatch("$jsonSchema keyword 'encrypt' must be an object");
        CheckFields("encrypt", operand.Document, allowsType: true);
    }

    public static void CheckEncryptMetadata(Value operand)
    {
        if (!operand.IsDocument) throw ServerException.TypeMismatch("$jsonSchema keyword 'encryptMetadata' must be an object");
        if (operand.Document.Count == 0) throw ServerException.FailedToParse("$jsonSchema keyword 'encryptMetadata' cannot be an empty object");
        CheckFields("encryptMetadata", operand.Document, allowsType: false);
    }

    private static void CheckFields(string keyword, Document fields, bool allowsType)
    {
        var seen = new HashSet<string>();
        foreach (var (name, value) in fields.Elements)
        {
            if (!seen.Add(name)) throw new ServerException(ErrorCode.DuplicateField, $"BSON field '{keyword}.{name}' is a duplicate field");
            switch (name)
            {
                case "algorithm":
                    CheckAlgorithm(value);
                    break;
                case "keyId":
                    CheckKeyId(value);
                    break;
                case "bsonType" when allowsType:
                    JsonSchemaParser.ParseTypes(name, value);
                    break;
                default:
                    throw new ServerException(ErrorCode.UnknownField, $"BSON field '{keyword}.{name}' is an unknown field.");
            }
        }
    }

    private static void CheckAlgorithm(Value value)
    {
        if (value.Type != BsonType.String) throw ServerException.TypeMismatch("the algorithm of an encrypted field must be a string");
        if (value.Text is not ("AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic" or "AEAD_AES_256_CBC_HMAC_SHA_512-Random"))
        {
            throw ServerException.BadValue($"Enumeration value '{value.Text}' for field 'algorithm' is not a valid value.");
        }
    }

    private static void CheckKeyId(Value value)
    {
        if (value.Type == BsonType.String)
        {
            CheckPointer(value.Text);
            return;
        }

        if (!value.IsArray)
        {
            throw new ServerException(BadKeyIdType, $"Expected either string or array of UUID for EncryptSchemaKeyId, found {value.Type.Alias()}");
        }

        foreach (var item in value.Items)
        {
            if (item.Type != BsonType.Binary) throw new ServerException(BadKeyIdElement, $"Array elements must have type BinData, found {item.Type.Alias()}");
            if (item.BinarySubtype != BinarySubtype.Uuid)
            {
                throw new ServerException(BadKeyIdSubtype, $"Array elements must have bindata type UUID, found {item.BinarySubtype}");
            }
        }

        if (value.Document.Count == 0) throw ServerException.FailedToParse("the keyId of an encrypted field must name a key");
    }

    private static void CheckPointer(string pointer)
    {
        if (pointer.Length == 0) throw new ServerException(EmptyPointer, "Empty JSONPointers are not supported");
        if (pointer[0] != '/') throw new ServerException(PointerWithoutSlash, "JSONPointer must start with a '/'");
        for (var i = 0; i < pointer.Length; i++)
        {
            if (pointer[i] == '~' && (i + 1 == pointer.Length || pointer[i + 1] is not ('0' or '1')))
            {
                throw new ServerException(UnescapedTilde, "JSONPointer cannot contain unescaped ~ character");
            }
        }
    }
}
