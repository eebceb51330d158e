using System.Linq.Expressions;
using System.Reflection;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// Says what of a class is encrypted, for classes that cannot carry attributes. It says the same as the attributes, is checked
/// like them when the application starts, and may stand beside them as long as both agree.
/// </summary>
/// <remarks>
/// A mark belongs to the member of the class that declares it, as an attribute does: it holds wherever an object of that class
/// is stored in the collection, however the lambda led to it. An <c>Address</c> that is stored as home and as work address is
/// encrypted in both places. Other collections are not affected.
/// </remarks>
/// <typeparam name="T">The class.</typeparam>
/// <example>
/// <code>
/// csfle.AddCollection&lt;Patient&gt;("medicalRecords.patients", patient => patient
///     .DataKey("medco-patients")
///     .Deterministic(p => p.Ssn)
///     .Random(p => p.BloodType, nulls: NullPolicy.Omit)
///     .Random(p => p.MedicalRecords)
///     .Deterministic(p => p.Insurance.PolicyNumber));
/// </code>
/// </example>
public sealed class EncryptedClass<T>
{
    private readonly DeclaredModel _model;
    private readonly IReadOnlyList<MemberInfo> _prefix;

    internal EncryptedClass(DeclaredModel model, IReadOnlyList<MemberInfo> prefix)
    {
        _model = model;
        _prefix = prefix;
    }

    /// <summary>Names the data key of all marked members of the class, and below, that name none themselves: <c>[DataKey]</c> on the class.</summary>
    /// <param name="keyAltName">The key alternate name, compared exactly.</param>
    /// <exception cref="ArgumentException"><paramref name="keyAltName"/> is empty or blank.</exception>
    public EncryptedClass<T> DataKey(string keyAltName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyAltName);
        _model.AddClass(StoredType, keyAltName, NullPolicy.Default);
        return this;
    }

    /// <summary>What happens to null in all marked members of the class, and below, that do not say it themselves.</summary>
    /// <remarks>
    /// It holds for null in the place of an embedded document with marked members, too; unless told, such a null is stored as it
    /// is, since there is nothing to encrypt in it.
    /// </remarks>
    /// <param name="policy">What happens.</param>
    public EncryptedClass<T> Nulls(NullPolicy policy)
    {
        _model.AddClass(StoredType, null, policy);
        return this;
    }

    /// <summary>Encrypts a member so that it can be searched for equal values: <c>[Deterministic]</c>.</summary>
    /// <param name="member">The member, <c>p => p.Ssn</c>, or one inside embedded documents, <c>p => p.Insurance.PolicyNumber</c>.</param>
    /// <param name="dataKey">The key alternate name; null to take that of the class.</param>
    /// <param name="nulls">What happens to null.</param>
    public EncryptedClass<T> Deterministic<TMember>(Expression<Func<T, TMember>> member, string? dataKey = null, NullPolicy nulls = NullPolicy.Default)
        => Mark(member, new EncryptionMarks(true, false, null, dataKey, nulls), nameof(Deterministic));

    /// <summary>Encrypts a member with fresh randomness every time: <c>[Random]</c>.</summary>
    /// <param name="member">The member, <c>p => p.BloodType</c>, or one inside embedded documents.</param>
    /// <param name="dataKey">The key alternate name; null to take that of the class.</param>
    /// <param name="keyField">
    /// Where each document names its own data key: a JSON pointer of stored names, such as <c>/ownerKey</c>. It excludes
    /// <paramref name="dataKey"/>.
    /// </param>
    /// <param name="nulls">What happens to null.</param>
    public EncryptedClass<T> Random<TMember>(
        Expression<Func<T, TMember>> member, string? dataKey = null, string? keyField = null, NullPolicy nulls = NullPolicy.Default)
        => Mark(member, new EncryptionMarks(false, true, keyField, dataKey, nulls), nameof(Random));

    /// <summary>Says what of the class of an embedded document is encrypted; the document itself stays a document.</summary>
    /// <param name="member">The member that holds it.</param>
    /// <param name="configure">Says what of its class is encrypted.</param>
    /// <param name="dataKey">The key alternate name for this document, where it is another than that of its class.</param>
    /// <param name="nulls">What happens to null in the place of the document.</param>
    public EncryptedClass<T> Embedded<TMember>(
        Expression<Func<T, TMember>> member, Action<EncryptedClass<TMember>> configure, string? dataKey = null, NullPolicy nulls = NullPolicy.Default)
    {
        ArgumentNullException.ThrowIfNull(configure);
        if (Read(member, nameof(Embedded)) is not { } members) return this;
        if (dataKey is not null || nulls != NullPolicy.Default) _model.AddMember(members[^1], new EncryptionMarks(false, false, null, dataKey, nulls));
        configure(new EncryptedClass<TMember>(_model, [.. _prefix, .. members]));
        return this;
    }

    /// <summary>
    /// A derived class that may be stored in the place of this one. Documents of derived classes that nobody named are refused.
    /// </summary>
    /// <typeparam name="TDerived">The derived class.</typeparam>
    /// <param name="configure">Says what more of it is encrypted; null where nothing is.</param>
    public EncryptedClass<T> Derived<TDerived>(Action<EncryptedClass<TDerived>>? configure = null) where TDerived : T
    {
        _model.AddKnownType(typeof(TDerived));
        configure?.Invoke(new EncryptedClass<TDerived>(_model, _prefix));
        return this;
    }

    /// <summary>
    /// Tells of a unique index that the application has on a member, or on one inside embedded documents: with the random
    /// algorithm it would guarantee nothing, which is then an error.
    /// </summary>
    /// <param name="member">The member.</param>
    public EncryptedClass<T> UniqueIndex<TMember>(Expression<Func<T, TMember>> member)
    {
        if (Read(member, nameof(UniqueIndex)) is { } members) _model.AddUniqueIndex([.. _prefix, .. members]);
        return this;
    }

    private static Type StoredType => Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);

    private EncryptedClass<T> Mark(LambdaExpression member, EncryptionMarks marks, string method)
    {
        if (Read(member, method) is { } members) _model.AddMember(members[^1], marks);
        return this;
    }

    private IReadOnlyList<MemberInfo>? Read(LambdaExpression member, string method)
    {
        ArgumentNullException.ThrowIfNull(member);
        var members = MemberPath.Of(member);
        if (members is null) _model.AddNoMember(StoredType, member, method);
        return members;
    }
}
