using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Schema;

public class BsonTypeSetTests
{
    [Fact]
    public void Any_holds_each_of_the_21_types()
    {
        Assert.Equal(21, BsonTypeSet.Any.Count);
        Assert.Equal(Enum.GetValues<BsonType>().Order(), BsonTypeSet.Any.Types.Order());
        Assert.All(Enum.GetValues<BsonType>(), type => Assert.True(BsonTypeSet.Any.Contains(type)));
        Assert.Equal(BsonTypeSet.Any, BsonTypeSet.Of(Enum.GetValues<BsonType>()));
    }

    [Fact]
    public void A_set_holds_what_was_put_in_and_nothing_else()
    {
        foreach (var type in Enum.GetValues<BsonType>())
        {
            var set = BsonTypeSet.Of(type);
            Assert.Equal([type], set.Types);
            Assert.False(set.IsAny);
            Assert.Equal([type], Enum.GetValues<BsonType>().Where(set.Contains));
        }

        Assert.True(default(BsonTypeSet).IsEmpty);
    }

    [Fact]
    public void A_set_is_described_as_error_messages_have_it()
        => Assert.Equal("[ string, int ]", BsonTypeSet.Of(BsonType.Int32, BsonType.String).Describe());
}
