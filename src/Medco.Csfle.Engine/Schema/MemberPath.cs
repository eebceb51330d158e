using System.Linq.Expressions;
using System.Reflection;

namespace Medco.Csfle.Engine.Schema;

/// <summary>The members that a lambda such as <c>p => p.Insurance.PolicyNumber</c> names.</summary>
internal static class MemberPath
{
    /// <summary>The members, outermost first; null where the lambda is anything but a chain of properties and fields.</summary>
    public static IReadOnlyList<MemberInfo>? Of(LambdaExpression lambda)
    {
        var members = new List<MemberInfo>();
        var body = WithoutConversion(lambda.Body);
        while (body is MemberExpression { Expression: { } owner } access)
        {
            if (!IsValueOfNullable(access.Member)) members.Insert(0, access.Member);
            body = WithoutConversion(owner);
        }

        return body == lambda.Parameters[0] && members.Count > 0 ? members : null;
    }

    private static Expression WithoutConversion(Expression expression)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.ConvertChecked or ExpressionType.TypeAs } conversion)
        {
            expression = conversion.Operand;
        }

        return expression;
    }

    private static bool IsValueOfNullable(MemberInfo member)
        => member.Name == nameof(Nullable<int>.Value) && Nullable.GetUnderlyingType(member.DeclaringType!) is not null;
}
