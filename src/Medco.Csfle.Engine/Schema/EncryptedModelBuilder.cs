using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// Turns attributed classes into the tree of their elements. It goes on after a mistake, so that one start-up shows all of
/// them, and it refuses whatever would leave a marked member in clear.
/// </summary>
[RequiresUnreferencedCode(EncryptedModel.Trimming)]
internal sealed class EncryptedModelBuilder
{
    // The server stores no document that is nested more deeply.
    private const int MaxDepth = 100;
    private const int MaxGenericDepth = 10;

    private readonly Type _root;
    private readonly IFieldMapping _mapping;
    private readonly IReadOnlyCollection<Type> _knownTypes;
    private readonly DeclaredModel _declared;
    private readonly ModelMarks _marks;
    private readonly List<EncryptionSchemaError> _errors = [];
    private readonly List<(JsonPointer Pointer, string Location)> _keyFields = [];
    private readonly Dictionary<Assembly, Type[]> _types = [];
    private readonly HashSet<(Type, Module, int)> _met = [];

    private EncryptedModelBuilder(Type root, IFieldMapping mapping, IReadOnlyCollection<Type> knownTypes, DeclaredModel declared)
    {
        _root = root;
        _mapping = mapping;
        _knownTypes = [.. knownTypes, .. declared.KnownTypes];
        _declared = declared;
        _marks = new ModelMarks(declared);
        _errors.AddRange(declared.Errors);
    }

    /// <summary>Builds the tree of a class, and what its documents may say of their classes.</summary>
    /// <exception cref="EncryptionSchemaException">All mistakes in its attributes, and in what was declared beside them.</exception>
    public static (DocumentField Document, StoredClass Class) Build(
        Type root, IFieldMapping mapping, IReadOnlyCollection<Type> knownTypes, DeclaredModel declared, IReadOnlyCollection<string> uniqueIndexes)
    {
        var builder = new EncryptedModelBuilder(root, mapping, knownTypes, declared);
        var document = builder.BuildRoot();
        if (document is not null)
        {
            builder.CheckKeys(document, null);
            builder.CheckKeyFields();
            builder.CheckNulls(document, NullPolicy.Default);
            foreach (var path in uniqueIndexes.Concat(declared.UniqueIndexes.Select(builder.ElementPath).OfType<string>())) builder.CheckUniqueIndex(document, path);
            builder.CheckMet();
        }

        // A class that is used in two places shows its mistakes twice.
        var errors = builder._errors.Distinct().ToArray();
        return errors.Length == 0
            ? (document!, new StoredClassBuilder(mapping, builder._marks, builder.WithKnownTypes).Build(root))
            : throw new EncryptionSchemaException(CsfleErrorCode.InvalidMapping, $"The class {ClassNames.Of(root)}", errors);
    }

    private void Report(string location, string problem, string remedy) => _errors.Add(new EncryptionSchemaError(location, problem, remedy));

    private DocumentField? BuildRoot()
    {
        if (_root.ContainsGenericParameters || _mapping.Map(_root) is null)
        {
            Report(ClassNames.Of(_root), "It is not stored as a document of named members.", "Register a class or struct with properties, all type arguments given.");
            return null;
        }

        var nulls = ReadAttribute<EncryptedCollectionAttribute>(_root, inherit: false)?.Nulls ?? NullPolicy.Default;
        CheckDerived(ClassNames.Of(_root), _root);
        CheckReachable(_root, []);
        var document = BuildDocument(ClassNames.Of(_root), _root, []);
        if (!document.HasEncryption && _errors.Count == 0)
        {
            Report(ClassNames.Of(_root), "No member is encrypted.", "Mark the members to encrypt with [Deterministic] or [Random], or do not register the class.");
        }

        if (nulls == NullPolicy.Default) return document;
        if (document.NullsBelow != NullPolicy.Default && document.NullsBelow != nulls) ReportContradiction(ClassNames.Of(_root), "what happens to null");
        return document with { NullsBelow = nulls };
    }

    private DocumentField BuildDocument(string location, Type type, IReadOnlyCollection<Type> path)
    {
        DocumentField? merged = null;
        foreach (var known in WithKnownTypes(type))
        {
            var document = BuildClass(location, known, [.. path, type, known]);
            merged = merged?.Merge(document, ReportConflict) ?? document;
        }

        return merged!;
    }

    private void ReportConflict(string element, ModelField one, ModelField other)
        => Report(one.Location, $"The element '{element}' is also stored by {other.Location}, which encrypts it in another way or not at all.",
            "Classes that share a collection share its schema: mark both alike, with the same type and data key, or name the elements differently.");

    private DocumentField BuildClass(string location, Type type, IReadOnlyCollection<Type> path)
    {
        var fields = new Dictionary<string, ModelField>(StringComparer.Ordinal);
        if (_mapping.Map(type) is not { } mapping) return new DocumentField(location, null, fields);

        foreach (var member in mapping.Members)
        {
            var field = BuildMember(type, member, path);
            if (fields.TryAdd(member.ElementName, field)) continue;
            Report(field.Location, $"The element name '{member.ElementName}' is also that of {fields[member.ElementName].Location}.",
                "Give each member an element name of its own, with [BsonElement] for example.");
        }

        var key = ReadAttribute<DataKeyAttribute>(type, inherit: true)?.KeyAltName;
        var declaredKey = _declared.KeyOf(type);
        if (key is not null && declaredKey is not null && key != declaredKey) ReportContradiction(ClassNames.Of(type), "the data key");
        return new DocumentField(location, declaredKey ?? key, fields) { NullsBelow = _declared.NullsOf(type) };
    }

    private void ReportContradiction(string location, string what)
        => Report(location, $"Its attributes and its registration, or two calls of the registration, say differently {what}.", "Say it once, or the same in both places.");

    private TAttribute? ReadAttribute<TAttribute>(Type type, bool inherit) where TAttribute : Attribute
    {
        try
        {
            return (TAttribute?)Attribute.GetCustomAttribute(type, typeof(TAttribute), inherit);
        }
        catch (ArgumentException exception)
        {
            ReportArgument(ClassNames.Of(type), exception);
            return null;
        }
    }

    private EncryptionMarks MarksOf(Type type, MemberInfo member)
    {
        try
        {
            var marks = _marks.Of(type, member);
            if (marks.Contradiction is { } what) ReportContradiction(ClassNames.Of(member), what);
            _met.Add(EncryptionMarks.Identity(member));
            return marks;
        }
        catch (ArgumentException exception)
        {
            ReportArgument(ClassNames.Of(member), exception);
            return default;
        }
    }

    private void ReportArgument(string location, ArgumentException exception)
        => Report(location, exception.Message, "Correct the argument of the attribute.");

    /// <summary>
    /// Looks at every class that is stored, those without any encryption included, for marks that would be without effect.
    /// </summary>
    private void CheckReachable(Type type, HashSet<Type> visited)
    {
        if (!visited.Add(type) || IsEndless(type)) return;
        foreach (var known in WithKnownTypes(type))
        {
            if (_mapping.Map(known) is not { } mapping) continue;
            CheckNotStored(mapping);
            foreach (var member in mapping.Members)
            {
                if (MarksOf(known, member.Member).IsEncrypted) continue;
                var location = ClassNames.Of(member.Member);
                foreach (var contained in member.Stored.Contained)
                {
                    CheckDerived(location, contained);
                    if (member.Stored.Shape == FieldShape.Opaque || _mapping.Map(contained) is null) CheckOpaque(location, contained);
                    else CheckReachable(contained, visited);
                }
            }
        }
    }

    private void CheckNotStored(ClassMapping mapping)
    {
        foreach (var member in _marks.MembersOf(mapping.Type))
        {
            _met.Add(EncryptionMarks.Identity(member));
            if (mapping.Members.Any(stored => EncryptionMarks.AreSame(stored.Member, member))) continue;
            Report(ClassNames.Of(member), "It is marked for encryption, but it is not stored: it is ignored, static, private, or cannot be written.",
                "Take the attribute away, or make it a public property with a getter and a setter.");
        }

        // Classes do not inherit attributes from interfaces.
        foreach (var member in mapping.Type.GetInterfaces().SelectMany(_marks.MembersOf))
        {
            var stored = mapping.Members.FirstOrDefault(candidate => candidate.Member.Name == member.Name);
            if (stored is not null && MarksOf(mapping.Type, stored.Member).IsEncrypted) continue;
            Report(ClassNames.Of(member), $"It is marked for encryption in an interface, which has no effect on {ClassNames.Of(mapping.Type)}.",
                $"Put the attribute on the member of {ClassNames.Of(mapping.Type)}.");
        }
    }

    private void CheckOpaque(string location, Type type)
    {
        if (_marks.MembersOf(type).FirstOrDefault() is not { } member) return;
        _met.Add(EncryptionMarks.Identity(member));
        Report(location, $"{ClassNames.Of(member)} below it is marked for encryption, but how {ClassNames.Of(type)} is stored is not known: by a serializer of its own, or behind an interface.",
            $"Encrypt the whole: mark {location} with [Random], and take the attribute from {ClassNames.Of(member)} away.");
    }

    private ModelField BuildMember(Type type, MemberMapping member, IReadOnlyCollection<Type> path)
    {
        var location = ClassNames.Of(member.Member);
        var marks = MarksOf(type, member.Member);
        if (marks.IsEncrypted) return BuildEncrypted(location, member, marks, path);

        if (member.Stored.Shape == FieldShape.Document && FindEncryption(member.Stored.Contained[0]) is { } below)
        {
            return BuildEmbedded(location, member, marks, below, path);
        }

        if (member.Stored.Shape == FieldShape.Items)
        {
            foreach (var inItem in member.Stored.Contained.Select(FindEncryption).OfType<string>())
            {
                Report(location, $"{inItem} is marked for encryption, but lies below a collection or dictionary of documents, which automatic encryption cannot reach into.",
                    $"Encrypt the whole collection: mark {location} with [Random], and take the attribute from {inItem} away.");
            }
        }

        if (marks.KeyAltName is not null)
        {
            Report(location, "[DataKey] names a key, but nothing here is encrypted.", "Add [Deterministic] or [Random], or take [DataKey] away.");
        }

        if (marks.Nulls != NullPolicy.Default)
        {
            Report(location, "It says what happens to null, but nothing here is encrypted.", "Encrypt something in it, or take the null policy away.");
        }

        return new PlainField(location);
    }

    private ModelField BuildEmbedded(string location, MemberMapping member, EncryptionMarks marks, string below, IReadOnlyCollection<Type> path)
    {
        CheckName(location, member);
        var type = member.Stored.Contained[0];
        if (path.Contains(type) || path.Count > 2 * MaxDepth)
        {
            Report(location, $"{ClassNames.Of(type)} contains itself, and {below} in it is marked for encryption: the schema would have to be endless.",
                $"Encrypt the recursive member as a whole: mark {location} with [Random].");
            return new PlainField(location);
        }

        var document = BuildDocument(location, type, path) with { Nulls = marks.Nulls, ProblemOfAbsence = member.ProblemOfAbsence };
        return marks.KeyAltName is null ? document : document with { KeyAltName = marks.KeyAltName };
    }

    private EncryptedField BuildEncrypted(string location, MemberMapping member, EncryptionMarks marks, IReadOnlyCollection<Type> path)
    {
        CheckName(location, member);
        if (member.IsId && path.Count <= 2)
        {
            Report(location, "It is stored as '_id', which cannot be encrypted: the server makes and looks up '_id' itself.", "Store the value in a field of its own.");
        }

        if (member.IsExtraElements)
        {
            Report(location, "It takes the elements that have no member, so that it has no element of its own to encrypt.", "Give the value a member of its own.");
        }

        if (marks is { IsDeterministic: true, IsRandom: true })
        {
            Report(location, "It is marked [Deterministic] and [Random].", "Keep [Deterministic] where equal values must be found (KeyField is then not possible), else [Random].");
        }

        foreach (var contained in member.Stored.Contained)
        {
            // A member that cuts a recursion necessarily has marked members below it.
            if (path.Contains(contained) || FindEncryption(contained) is not { } below) continue;
            Report(location, $"It is encrypted as a whole, and {below} below it is marked again.", $"Take the attribute away from {below}, or from {location}.");
        }

        var algorithm = marks.IsDeterministic ? CsfleAlgorithm.Deterministic : CsfleAlgorithm.Random;
        CheckTypes(location, algorithm, member.Stored);
        var keyField = marks.KeyField is null ? null : ParseKeyField(location, marks);
        return new EncryptedField(location, algorithm, member.Stored.Types, keyField is null ? marks.KeyAltName : null, keyField, marks.Nulls)
        {
            ProblemOfAbsence = member.ProblemOfAbsence,
        };
    }

    private void CheckName(string location, MemberMapping member)
    {
        if (member.ElementName.Length > 0 && member.ElementName[0] != '$' && member.ElementName.AsSpan().IndexOfAny('.', '\0') < 0) return;
        Report(location, $"Its element name '{member.ElementName}' is empty, starts with '$' or contains a dot or NUL, so that no path leads to it.", "Give it another element name.");
    }

    private void CheckTypes(string location, CsfleAlgorithm algorithm, StoredForm stored)
    {
        if (algorithm == CsfleAlgorithm.Deterministic)
        {
            if (stored.Types is null)
            {
                Report(location, "The BSON type it is stored as is not known, and deterministic encryption needs to know it.",
                    "Say it with [BsonRepresentation], or use [Random].");
                return;
            }

            if (stored.Types.Value.Count != 1)
            {
                Report(location, $"It is stored as one of {stored.Types.Value.Describe()}, and deterministic encryption needs exactly one type.",
                    "Say which with [BsonRepresentation], or use [Random].");
            }
        }

        foreach (var type in (stored.Types ?? default).Types.Where(type => EncryptedNode.IsProhibited(algorithm, type)))
        {
            var remedy = type switch
            {
                BsonType.Array or BsonType.Document => "Use [Random], which encrypts it as a whole.",
                _ when EncryptedNode.IsProhibited(CsfleAlgorithm.Random, type) => "Take the attribute away.",
                _ => "Use [Random], or store it as a string or an integer.",
            };
            Report(location, $"It is stored as '{type.Alias()}', which cannot be encrypted with the {algorithm.ToString().ToLowerInvariant()} algorithm.", remedy);
        }
    }

    private JsonPointer? ParseKeyField(string location, EncryptionMarks marks)
    {
        if (marks.KeyAltName is not null)
        {
            Report(location, "KeyField takes the key from the document, and [DataKey] names one.", "Keep one of the two.");
        }

        if (!JsonPointer.TryParse(marks.KeyField!, out var pointer, out var problem))
        {
            Report(location, $"KeyField '{marks.KeyField}' is not a JSON pointer: {problem}", "Write the stored names from the root of the document, each after a '/': \"/ownerKey\".");
            return null;
        }

        _keyFields.Add((pointer, location));
        return pointer;
    }

    private void CheckKeys(DocumentField document, string? inherited)
    {
        var key = document.KeyAltName ?? inherited;
        foreach (var field in document.Fields.Values)
        {
            if (field is DocumentField below) CheckKeys(below, key);
            if (field is EncryptedField { KeyAltName: null, KeyField: null } && key is null)
            {
                Report(field.Location, "It has no data key.", "Name one with [DataKey(\"name\")] on the member, on its class or on the class that holds it, or use [Random(KeyField = \"/field\")].");
            }
        }
    }

    private void CheckNulls(DocumentField document, NullPolicy inherited)
    {
        inherited = document.NullsBelow == NullPolicy.Default ? inherited : document.NullsBelow;
        foreach (var field in document.Fields.Values)
        {
            var (own, problem) = field switch
            {
                EncryptedField encrypted => (encrypted.Nulls, encrypted.ProblemOfAbsence),
                DocumentField { HasEncryption: true } below => (below.Nulls, below.ProblemOfAbsence),
                _ => (NullPolicy.Reject, null),
            };
            if (!Enum.IsDefined(own) || !Enum.IsDefined(inherited))
            {
                Report(field.Location, "Its null policy is none of NullPolicy.", "Use a value of NullPolicy.");
            }

            if (problem is not null && (own == NullPolicy.Default ? inherited : own) == NullPolicy.Omit)
            {
                Report(field.Location, $"Null is to be omitted, but {problem}.", "Use NullPolicy.Reject or NullPolicy.StoreInClear for it, or change how the class is read.");
            }

            if (field is DocumentField inner) CheckNulls(inner, inherited);
        }
    }

    /// <summary>What was declared for a member that no document has is a mistake: it would have no effect.</summary>
    private void CheckMet()
    {
        foreach (var member in _declared.Members)
        {
            if (_met.Contains(EncryptionMarks.Identity(member))) continue;
            Report(ClassNames.Of(member), $"It is marked for encryption at the registration of {ClassNames.Of(_root)}, but no document of that collection stores it by itself.",
                "Name a member that is stored, outside of what is encrypted as a whole; name derived classes with Derived<T>().");
        }
    }

    private string? ElementPath(IReadOnlyList<MemberInfo> members)
    {
        var names = new List<string>();
        IReadOnlyCollection<Type> level = [_root];
        foreach (var member in members)
        {
            var found = level.SelectMany(WithKnownTypes).SelectMany(type => _mapping.Map(type)?.Members ?? [])
                .FirstOrDefault(candidate => EncryptionMarks.AreSame(candidate.Member, member));
            if (found is null)
            {
                Report(ClassNames.Of(member), "A unique index on it was named, but it is not stored.", "Name a member that is stored.");
                return null;
            }

            names.Add(found.ElementName);
            level = found.Stored.Contained;
        }

        return string.Join('.', names);
    }

    private void CheckKeyFields()
    {
        foreach (var (pointer, location) in _keyFields)
        {
            if (ProblemOfTarget(pointer) is { } problem)
            {
                Report(location, $"KeyField '{pointer.Text}' {problem}.", "Point to a member that is stored in clear, as a string, under that name.");
            }
        }
    }

    private string? ProblemOfTarget(JsonPointer pointer)
    {
        IReadOnlyCollection<Type> level = [_root];
        for (var index = 0; index < pointer.Tokens.Count; index++)
        {
            var token = pointer.Tokens[index];
            var found = level.SelectMany(WithKnownTypes).Distinct()
                .SelectMany(type => (_mapping.Map(type)?.Members ?? []).Where(member => member.ElementName == token).Select(member => (type, member)))
                .ToArray();
            if (found.Length == 0) return $"leads to an element '{token}' that no member is stored as";
            if (Array.Find(found, candidate => MarksOf(candidate.type, candidate.member.Member).IsEncrypted) is { member: { } encrypted })
            {
                return $"leads to {ClassNames.Of(encrypted.Member)}, which is encrypted itself";
            }

            var stored = found[0].member.Stored;
            if (index == pointer.Tokens.Count - 1)
            {
                return stored.Types is { } types && !types.Contains(BsonType.String) ? $"leads to {ClassNames.Of(found[0].member.Member)}, which is not stored as a string" : null;
            }

            // What is below a value of unknown type shows when a document is written, which is refused without the key's name.
            if (stored.Shape == FieldShape.Items) return $"leads through {ClassNames.Of(found[0].member.Member)}, a collection or dictionary";
            if (stored.Shape == FieldShape.Opaque) return null;
            level = [.. found.SelectMany(candidate => candidate.member.Stored.Contained)];
        }

        return null;
    }

    private void CheckUniqueIndex(DocumentField document, string path)
    {
        ModelField field = document;
        foreach (var name in path.Split('.'))
        {
            if (field is not DocumentField level) break;
            if (!level.Fields.TryGetValue(name, out var next)) return;
            field = next;
        }

        var random = RandomIn(field);
        if (random is null) return;
        Report(random.Location, $"The unique index on '{path}' guarantees nothing: with the random algorithm every encryption of a value differs.",
            "Use [Deterministic], or put the index on another field.");
    }

    private static EncryptedField? RandomIn(ModelField field) => field switch
    {
        EncryptedField { Algorithm: CsfleAlgorithm.Random } random => random,
        DocumentField document => document.Fields.Values.Select(RandomIn).FirstOrDefault(found => found is not null),
        _ => null,
    };

    /// <summary>The type and the classes that may be stored in its place.</summary>
    private List<Type> WithKnownTypes(Type type)
    {
        var found = new List<Type> { type };
        for (var index = 0; index < found.Count; index++)
        {
            var known = (_mapping.Map(found[index])?.KnownTypes ?? []).Concat(_knownTypes);
            found.AddRange(known.Where(candidate => type.IsAssignableFrom(candidate) && !found.Contains(candidate)).Distinct().ToArray());
        }

        return found;
    }

    /// <summary>The first member to encrypt in the type, in its known types, or below; null where there is none.</summary>
    private string? FindEncryption(Type type) => FindEncryption(type, []);

    private string? FindEncryption(Type type, HashSet<Type> visited)
    {
        if (!visited.Add(type) || IsEndless(type)) return null;
        foreach (var known in WithKnownTypes(type))
        {
            foreach (var member in _mapping.Map(known)?.Members ?? [])
            {
                if (MarksOf(known, member.Member).IsEncrypted) return ClassNames.Of(member.Member);
                if (member.Stored.Shape == FieldShape.Opaque) continue;
                foreach (var contained in member.Stored.Contained)
                {
                    if (FindEncryption(contained, visited) is { } below) return below;
                }
            }
        }

        return null;
    }

    /// <summary>
    /// True for a generic class whose type arguments are nested so deeply that it must contain itself with ever longer ones:
    /// following it would never end.
    /// </summary>
    private bool IsEndless(Type type)
    {
        if (GenericDepth(type) <= MaxGenericDepth) return false;
        Report(ClassNames.Of(_root), $"A generic class below it contains itself with other type arguments, more than {MaxGenericDepth} levels deep.",
            "Encrypt the recursive member as a whole with [Random], or ignore it.");
        return true;
    }

    private static int GenericDepth(Type type)
        => type.IsGenericType ? 1 + type.GetGenericArguments().Max(GenericDepth) : type.IsArray ? GenericDepth(type.GetElementType()!) : 0;

    /// <summary>
    /// Refuses derived classes that nobody has told of: an object of such a class would be stored, and what is marked in it
    /// would stay in clear. Only the assembly of the base class can be searched.
    /// </summary>
    private void CheckDerived(string location, Type type)
    {
        if (type.IsSealed) return;
        var known = WithKnownTypes(type);
        foreach (var derived in TypesIn(type.Assembly))
        {
            if (derived == type || derived.IsAbstract || !type.IsAssignableFrom(derived)) continue;
            if (known.Exists(one => one == derived || (one.IsGenericType && one.GetGenericTypeDefinition() == derived))) continue;
            if (!_marks.AreAddedBy(derived, type) || derived.IsDefined(typeof(EncryptedCollectionAttribute), false)) continue;
            Report(location, $"{ClassNames.Of(derived)} may be stored here in place of {ClassNames.Of(type)}, but is not known, and its marked members would stay in clear.",
                $"Name it: [BsonKnownTypes(typeof({ClassNames.Of(derived)}))] on {ClassNames.Of(type)}, or Derived<{ClassNames.Of(derived)}>() or a known type at registration.");
        }
    }

    private Type[] TypesIn(Assembly assembly)
    {
        if (_types.TryGetValue(assembly, out var types)) return types;
        try
        {
            types = assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException exception)
        {
            types = [.. exception.Types.OfType<Type>()];
        }

        _types.Add(assembly, types);
        return types;
    }
}
