using System.Globalization;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Wire;
using Medco.Csfle.LibMongoCrypt.Tests;

// What tests start as a process of its own: a mongocryptd, which is an endpoint of this library, for a while that its arguments
// say; or an application, whose start-up error is printed.
if (args is ["application", var kind, ..])
{
    Console.WriteLine(Application.Start(kind, args[2..]));
    return 0;
}

var port = int.Parse(Value("--port"), CultureInfo.InvariantCulture);
var idle = TimeSpan.FromSeconds(int.Parse(Value("--idleShutdownTimeoutSecs"), CultureInfo.InvariantCulture));
if (args.Contains("--failAtOnce")) return 48;
try
{
    using var endpoint = QueryAnalysisEndpoint.Start(new QueryAnalysisEndpointOptions { Port = port });
    Thread.Sleep(idle);
    return 0;
}
catch (EndpointException)
{
    // As mongocryptd does where another one has the port.
    return 48;
}

string Value(string name) => args.Single(argument => argument.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];
