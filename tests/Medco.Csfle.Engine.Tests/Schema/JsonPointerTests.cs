using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Schema;

public class JsonPointerTests
{
    [Theory]
    [InlineData("/a", "a")]
    [InlineData("/a/b", "a|b")]
    [InlineData("/a~1b/c~0d", "a/b|c~d")]
    [InlineData("/~01", "~1")]
    [InlineData("/", "")]
    public void Steps_are_split_and_unescaped(string text, string tokens)
    {
        Assert.True(JsonPointer.TryParse(text, out var pointer, out _));
        Assert.Equal(tokens.Split('|'), pointer.Tokens);
    }

    [Theory]
    [InlineData("", "Empty JSONPointers are not supported")]
    [InlineData("a/b", "JSONPointer must start with a '/'")]
    [InlineData("/a~", "JSONPointer cannot contain unescaped ~ character")]
    [InlineData("/a~2", "JSONPointer cannot contain unescaped ~ character")]
    [InlineData("/~0~", "JSONPointer cannot contain unescaped ~ character")]
    [InlineData("/a\0b", "JSONPointer cannot contain NUL")]
    public void What_is_not_a_pointer_is_refused(string text, string expected)
    {
        Assert.False(JsonPointer.TryParse(text, out _, out var problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_are_bounded()
    {
        Assert.True(JsonPointer.TryParse(string.Concat(Enumerable.Repeat("/a", 100)), out _, out _));
        Assert.False(JsonPointer.TryParse(string.Concat(Enumerable.Repeat("/a", 101)), out _, out var problem));
        Assert.Contains("101 steps", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/name", "n")]
    [InlineData("/owner/key", "k")]
    [InlineData("/owner/keys/1", "k1")]
    [InlineData("/owner/keys/2/deep", "d")]
    [InlineData("/o~1w", "slash")]
    public void A_pointer_finds_its_value_through_objects_and_arrays(string text, string expected)
    {
        Assert.True(TryResolve(text, out var type, out var value));
        Assert.Equal(BsonType.String, type);
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("/missing")]
    [InlineData("/owner/missing")]
    [InlineData("/name/below")]
    [InlineData("/owner/keys/9")]
    [InlineData("/owner/keys/01")]
    [InlineData("/owner/keys/-1")]
    public void A_pointer_to_nothing_finds_nothing(string text) => Assert.False(TryResolve(text, out _, out _));

    private static bool TryResolve(string text, out BsonType type, out string? value)
    {
        // The document stands behind other bytes, as it does inside a command.
        byte[] buffer = [1, 2, 3, .. ExtendedJson.ToBson("""{"name":"n","owner":{"key":"k","keys":["k0","k1",{"deep":"d"}]},"o/w":"slash"}""")];
        JsonPointer.TryParse(text, out var pointer, out _);
        var found = pointer!.TryResolve(buffer, 3, out type, out var range);
        value = found && type == BsonType.String ? Encoding.UTF8.GetString(buffer.AsSpan(range)[4..^1]) : null;
        return found;
    }
}
