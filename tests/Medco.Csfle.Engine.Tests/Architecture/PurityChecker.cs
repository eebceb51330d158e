using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Medco.Csfle.Engine.Tests.Architecture;

/// <summary>A use of something impure by code that has to be pure.</summary>
/// <param name="Where">The member that uses it, with its full name; compiler-generated ones stand under the type they were made for.</param>
/// <param name="What">The type or member used.</param>
internal sealed record PurityViolation(string Where, string What)
{
    public override string ToString() => $"{Where} uses {What}";
}

/// <summary>
/// Reads a compiled assembly and finds where the code of certain namespaces touches I/O, tasks or a clock, calls native code,
/// or leans on a part of the same assembly that is not pure itself. It looks at base types, interfaces, fields, signatures,
/// locals and at every instruction of every method, those the compiler made for lambdas, iterators and async methods included.
/// </summary>
internal sealed class PurityChecker
{
    private static readonly Dictionary<short, OpCode> OpCodes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    private static readonly string[] ImpureNamespaces =
        ["System.IO", "System.Net", "System.Threading", "System.Timers", "System.Diagnostics", "Microsoft.Extensions", "Microsoft.Win32"];

    /// <summary>Types within impure namespaces that neither wait nor measure: atomics and locks, assertions, attributes.</summary>
    private static readonly HashSet<string> PureTypes =
    [
        "System.Threading.Interlocked", "System.Threading.Volatile", "System.Threading.Monitor", "System.Threading.Lock",
        "System.Threading.LazyThreadSafetyMode", "System.Diagnostics.Debug", "System.Diagnostics.UnreachableException",
    ];

    private static readonly HashSet<string> ImpureTypes =
        ["System.TimeProvider", "System.Environment", "System.Console", "System.Runtime.InteropServices.NativeLibrary"];

    private static readonly HashSet<string> ImpureMembers =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today",
        "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
    ];

    /// <summary>Members of impure types that depend on nothing. Every iterator the compiler writes asks for the thread's id.</summary>
    private static readonly HashSet<string> PureMembers =
        ["System.Environment.get_NewLine", "System.Environment.get_CurrentManagedThreadId"];

    private readonly MetadataReader _metadata;
    private readonly PEReader _image;
    private readonly IReadOnlyCollection<string> _pureNamespaces;
    private readonly Func<string, bool> _isAllowed;
    private readonly SortedSet<PurityViolation> _violations =
        new(Comparer<PurityViolation>.Create((left, right) => string.CompareOrdinal(left.ToString(), right.ToString())));

    private string _where = "";

    private PurityChecker(PEReader image, IReadOnlyCollection<string> pureNamespaces, Func<string, bool> isAllowed)
    {
        _image = image;
        _metadata = image.GetMetadataReader();
        _pureNamespaces = pureNamespaces;
        _isAllowed = isAllowed;
    }

    /// <summary>Finds all violations in an assembly, sorted by place.</summary>
    /// <param name="assemblyPath">The compiled assembly.</param>
    /// <param name="pureNamespaces">The namespaces that have to be pure, each with all below it.</param>
    /// <param name="isAllowed">Which types of the same assembly outside these namespaces may be used, by full name.</param>
    /// <param name="checkedMethods">How many method bodies were read.</param>
    public static IReadOnlyCollection<PurityViolation> Check(
        string assemblyPath, IReadOnlyCollection<string> pureNamespaces, Func<string, bool> isAllowed, out int checkedMethods)
    {
        using var image = new PEReader(File.OpenRead(assemblyPath));
        var checker = new PurityChecker(image, pureNamespaces, isAllowed);
        checkedMethods = checker.CheckTypes();
        return checker._violations;
    }

    private int CheckTypes()
    {
        var methods = 0;
        foreach (var handle in _metadata.TypeDefinitions)
        {
            var type = _metadata.GetTypeDefinition(handle);
            var name = NameOf(handle);
            if (!_pureNamespaces.Any(pure => IsWithin(NamespaceOf(handle), pure))) continue;

            _where = name;
            if (!type.BaseType.IsNil) Use(type.BaseType);
            foreach (var implementation in type.GetInterfaceImplementations()) Use(_metadata.GetInterfaceImplementation(implementation).Interface);
            foreach (var field in type.GetFields().Select(_metadata.GetFieldDefinition))
            {
                _where = $"{name}.{_metadata.GetString(field.Name)}";
                field.DecodeSignature(new TypesUsed(this), null);
            }

            foreach (var method in type.GetMethods().Select(_metadata.GetMethodDefinition))
            {
                _where = $"{name}.{_metadata.GetString(method.Name)}";
                CheckMethod(method);
                methods++;
            }
        }

        return methods;
    }

    private void CheckMethod(MethodDefinition method)
    {
        method.DecodeSignature(new TypesUsed(this), null);
        if (method.Attributes.HasFlag(MethodAttributes.PinvokeImpl)) Report("native code");
        if (method.RelativeVirtualAddress == 0) return;

        var body = _image.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil) _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(new TypesUsed(this), null);
        foreach (var region in body.ExceptionRegions.Where(region => !region.CatchType.IsNil)) Use(region.CatchType);

        var code = body.GetILReader();
        while (code.RemainingBytes > 0)
        {
            int first = code.ReadByte();
            var opCode = OpCodes[first == 0xFE ? unchecked((short)(0xFE00 | code.ReadByte())) : (short)first];
            switch (opCode.OperandType)
            {
                case OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok or OperandType.InlineSig:
                    Use(MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    var targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                default:
                    code.Offset += SizeOf(opCode.OperandType);
                    break;
            }
        }
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineBrTarget or OperandType.InlineI or OperandType.InlineString or OperandType.ShortInlineR => 4,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => throw new NotSupportedException($"operand {operand}"),
    };

    /// <summary>Judges whatever a token names: a type, a member with its signature, a generic instantiation with its arguments.</summary>
    private void Use(EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.TypeReference or HandleKind.TypeDefinition:
                JudgeType(handle, member: null);
                break;
            case HandleKind.TypeSpecification:
                _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(new TypesUsed(this), null);
                break;
            case HandleKind.MethodSpecification:
                var specification = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                specification.DecodeSignature(new TypesUsed(this), null);
                Use(specification.Method);
                break;
            case HandleKind.MemberReference:
                UseMember(_metadata.GetMemberReference((MemberReferenceHandle)handle));
                break;
            case HandleKind.MethodDefinition:
                JudgeType(_metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType(), member: null);
                break;
            case HandleKind.FieldDefinition:
                JudgeType(_metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType(), member: null);
                break;
            case HandleKind.StandaloneSignature:
                Report("a call through a function pointer");
                break;
            default:
                throw new NotSupportedException($"token of kind {handle.Kind}");
        }
    }

    private void UseMember(MemberReference member)
    {
        if (member.Parent.Kind is HandleKind.TypeReference or HandleKind.TypeDefinition)
        {
            JudgeType(member.Parent, _metadata.GetString(member.Name));
        }
        else
        {
            Use(member.Parent);
        }

        if (member.GetKind() == MemberReferenceKind.Field) member.DecodeFieldSignature(new TypesUsed(this), null);
        else member.DecodeMethodSignature(new TypesUsed(this), null);
    }

    private void JudgeType(EntityHandle handle, string? member)
    {
        var type = NameOf(handle);
        var full = member is null ? type : $"{type}.{member}";
        var pure = handle.Kind == HandleKind.TypeDefinition
            ? IsPureHere(NamespaceOf(handle), type)
            : PureMembers.Contains(full) || (!ImpureMembers.Contains(full) && IsPureType(NamespaceOf(handle), type, member));
        if (!pure) Report(full);
    }

    /// <summary>A type of the same assembly. What the compiler adds stands in no namespace, or below System and Microsoft.CodeAnalysis.</summary>
    private bool IsPureHere(string @namespace, string type)
        => @namespace.Length == 0
            || IsWithin(@namespace, "System") || IsWithin(@namespace, "Microsoft.CodeAnalysis")
            || _pureNamespaces.Any(pure => IsWithin(@namespace, pure))
            || _isAllowed(OutermostOf(type));

    private static bool IsPureType(string @namespace, string type, string? member)
    {
        // A bare mention of Environment is part of every call on it; the call itself is judged by its member.
        if (type == "System.Environment" && member is null) return true;
        if (ImpureTypes.Contains(OutermostOf(type))) return false;
        return PureTypes.Contains(OutermostOf(type))
            || @namespace == "System.Diagnostics.CodeAnalysis"
            || !ImpureNamespaces.Any(impure => IsWithin(@namespace, impure));
    }

    private void Report(string what) => _violations.Add(new PurityViolation(_where, what));

    private static bool IsWithin(string @namespace, string outer)
        => @namespace == outer || @namespace.StartsWith(outer + ".", StringComparison.Ordinal);

    private static string OutermostOf(string type) => type.Split('+')[0];

    private string NamespaceOf(EntityHandle handle)
    {
        if (handle.Kind == HandleKind.TypeReference)
        {
            var reference = _metadata.GetTypeReference((TypeReferenceHandle)handle);
            return reference.ResolutionScope.Kind == HandleKind.TypeReference
                ? NamespaceOf(reference.ResolutionScope)
                : _metadata.GetString(reference.Namespace);
        }

        var definition = _metadata.GetTypeDefinition((TypeDefinitionHandle)handle);
        return definition.IsNested ? NamespaceOf(definition.GetDeclaringType()) : _metadata.GetString(definition.Namespace);
    }

    private string NameOf(EntityHandle handle)
    {
        if (handle.Kind == HandleKind.TypeReference)
        {
            var reference = _metadata.GetTypeReference((TypeReferenceHandle)handle);
            var name = _metadata.GetString(reference.Name);
            return reference.ResolutionScope.Kind == HandleKind.TypeReference
                ? $"{NameOf(reference.ResolutionScope)}+{name}"
                : Qualify(_metadata.GetString(reference.Namespace), name);
        }

        var definition = _metadata.GetTypeDefinition((TypeDefinitionHandle)handle);
        var own = _metadata.GetString(definition.Name);
        return definition.IsNested
            ? $"{NameOf(definition.GetDeclaringType())}+{own}"
            : Qualify(_metadata.GetString(definition.Namespace), own);
    }

    private static string Qualify(string @namespace, string name) => @namespace.Length == 0 ? name : $"{@namespace}.{name}";

    /// <summary>Walks a signature and hands every type named in it to the checker; the walk itself has no result.</summary>
    private sealed class TypesUsed(PurityChecker checker) : ISignatureTypeProvider<object?, object?>
    {
        public object? GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => Use(handle);

        public object? GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => Use(handle);

        public object? GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) => Use(handle);

        public object? GetModifiedType(object? modifier, object? unmodifiedType, bool isRequired) => null;

        public object? GetFunctionPointerType(MethodSignature<object?> signature) => null;

        public object? GetGenericInstantiation(object? genericType, ImmutableArray<object?> typeArguments) => null;

        public object? GetGenericMethodParameter(object? genericContext, int index) => null;

        public object? GetGenericTypeParameter(object? genericContext, int index) => null;

        public object? GetArrayType(object? elementType, ArrayShape shape) => null;

        public object? GetByReferenceType(object? elementType) => null;

        public object? GetPinnedType(object? elementType) => null;

        public object? GetPointerType(object? elementType) => null;

        public object? GetPrimitiveType(PrimitiveTypeCode typeCode) => null;

        public object? GetSZArrayType(object? elementType) => null;

        private object? Use(EntityHandle handle)
        {
            checker.Use(handle);
            return null;
        }
    }
}
