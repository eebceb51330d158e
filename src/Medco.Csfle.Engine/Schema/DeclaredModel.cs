using System.Linq.Expressions;
using System.Reflection;

namespace Medco.Csfle.Engine.Schema;

/// <summary>What <see cref="EncryptedClass{T}"/> was told about the classes of one collection.</summary>
internal sealed class DeclaredModel
{
    private readonly Dictionary<(Type, Module, int), (MemberInfo Member, EncryptionMarks Marks)> _members = [];
    private readonly Dictionary<Type, (string? KeyAltName, NullPolicy Nulls)> _classes = [];
    private readonly List<EncryptionSchemaError> _errors = [];
    private readonly List<Type> _knownTypes = [];
    private readonly List<IReadOnlyList<MemberInfo>> _uniqueIndexes = [];

    /// <summary>Lambdas that lead to no member, and what was said twice and differently about a class.</summary>
    public IReadOnlyList<EncryptionSchemaError> Errors => _errors;

    /// <summary>Derived classes that are stored too.</summary>
    public IReadOnlyCollection<Type> KnownTypes => _knownTypes;

    /// <summary>The members that unique indexes are on, each with all members that lead to it.</summary>
    public IReadOnlyList<IReadOnlyList<MemberInfo>> UniqueIndexes => _uniqueIndexes;

    /// <summary>All members that something was said about.</summary>
    public IEnumerable<MemberInfo> Members => _members.Values.Select(each => each.Member);

    /// <summary>Reads what a callback says.</summary>
    public static DeclaredModel Of<T>(Action<EncryptedClass<T>> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var model = new DeclaredModel();
        configure(new EncryptedClass<T>(model, []));
        return model;
    }

    /// <summary>What was said about a member.</summary>
    public EncryptionMarks Of(MemberInfo member) => _members.GetValueOrDefault(EncryptionMarks.Identity(member)).Marks;

    /// <summary>The name of the data key that was said for a class or its nearest base class.</summary>
    public string? KeyOf(Type type) => ClassesOf(type).Select(each => each.KeyAltName).FirstOrDefault(name => name is not null);

    /// <summary>What was said about null for a class or its nearest base class.</summary>
    public NullPolicy NullsOf(Type type) => ClassesOf(type).Select(each => each.Nulls).FirstOrDefault(nulls => nulls != NullPolicy.Default);

    internal void AddMember(MemberInfo member, EncryptionMarks marks)
    {
        var identity = EncryptionMarks.Identity(member);
        _members[identity] = (member, _members.GetValueOrDefault(identity).Marks.And(marks));
    }

    internal void AddClass(Type type, string? keyAltName, NullPolicy nulls)
    {
        var known = _classes.GetValueOrDefault(type);
        if ((keyAltName is not null && known.KeyAltName is not null && keyAltName != known.KeyAltName)
            || (nulls != NullPolicy.Default && known.Nulls != NullPolicy.Default && nulls != known.Nulls))
        {
            _errors.Add(new EncryptionSchemaError(ClassNames.Of(type), "Its data key, or what happens to null, was said twice, differently.", "Say it once for each class."));
        }

        _classes[type] = (known.KeyAltName ?? keyAltName, known.Nulls == NullPolicy.Default ? nulls : known.Nulls);
    }

    internal void AddKnownType(Type type) => _knownTypes.Add(type);

    internal void AddUniqueIndex(IReadOnlyList<MemberInfo> members) => _uniqueIndexes.Add(members);

    internal void AddNoMember(Type type, LambdaExpression lambda, string method)
        => _errors.Add(new EncryptionSchemaError(ClassNames.Of(type), $"{method}({lambda}) leads to no property or field.",
            "Write a lambda that names members only: p => p.Insurance.PolicyNumber. What is inside a collection is encrypted with the collection, as a whole."));

    private IEnumerable<(string? KeyAltName, NullPolicy Nulls)> ClassesOf(Type type)
    {
        for (var level = type; level is not null; level = level.BaseType) yield return _classes.GetValueOrDefault(level);
    }
}
