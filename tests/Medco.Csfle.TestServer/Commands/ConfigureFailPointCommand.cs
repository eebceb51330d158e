using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// <c>configureFailPoint</c> for <c>failCommand</c> with <c>blockConnection</c>, <c>errorCode</c> and <c>errorLabels</c>, as
/// often as <c>mode</c> says: <c>"off"</c>, <c>"alwaysOn"</c> or <c>{times}</c>.
/// </summary>
internal static class ConfigureFailPointCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        if (context.Database != "admin") throw new ServerException(ErrorCode.Unauthorized, "configureFailPoint may only be run against the admin database.");
        if (arguments.First is not { IsText: true, Text: "failCommand" }) throw ServerException.NotImplemented("a fail point other than failCommand");
        var times = Times(arguments.Optional("mode") ?? throw new ServerException(ErrorCode.MissingField, "BSON field 'configureFailPoint.mode' is missing but a required field"));
        var data = arguments.OptionalDocument("data") ?? Document.Empty;
        arguments.RefuseOthers();

        var commands = data.Find("failCommands");
        if (times != 0 && commands is not { IsArray: true }) throw ServerException.BadValue("failCommand needs the array 'failCommands'");
        context.FailCommand.Configure(Fault(data), commands?.Items.Where(name => name.IsText).Select(name => name.Text) ?? [], times);
    }

    private static long Times(Value mode) => mode switch
    {
        { IsText: true, Text: "off" } => 0,
        { IsText: true, Text: "alwaysOn" } => long.MaxValue,
        { IsDocument: true, Document.Count: 1 } when mode.Document.Find("times") is { IsNumber: true } times && times.Number.TryToInt64(out var count) && count > 0 => count,
        _ => throw ServerException.NotImplemented("this mode of a fail point"),
    };

    private static FailCommand.Fault Fault(Document data)
    {
        var delays = false;
        long milliseconds = 0;
        int? errorCode = null;
        IReadOnlyList<Value> labels = [];
        foreach (var (name, value) in data.Elements)
        {
            switch (name)
            {
                case "failCommands":
                    break;
                case "blockConnection":
                    delays = value.IsTrue;
                    break;
                case "blockTimeMS":
                    milliseconds = Whole(name, value);
                    break;
                case "errorCode":
                    errorCode = (int)Whole(name, value);
                    break;
                case "errorLabels" when value.IsArray:
                    labels = [.. value.Items];
                    break;
                default:
                    throw ServerException.NotImplemented($"'data.{name}' of failCommand");
            }
        }

        return new FailCommand.Fault(delays ? TimeSpan.FromMilliseconds(milliseconds) : TimeSpan.Zero, errorCode, labels);
    }

    private static long Whole(string name, Value value)
        => value.IsNumber && value.Number.TryToInt64(out var number) && number is >= 0 and <= int.MaxValue
            ? number
            : throw ServerException.BadValue($"'data.{name}' of failCommand must be a whole number that is not negative");
}
