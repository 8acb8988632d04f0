using System.Diagnostics;
using System.Text.Json.Nodes;
using Migrate.Model.Encoding.MessagePack;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Exchange with an implementation that shares no line with ours: Debian's python3-msgpack, by tests/Data/msgpack/independent.py.</summary>
public class MessagePackIndependentTests
{
    private const string Python = "/usr/bin/python3";

    private static readonly MessagePackLimits Limits = MessagePackLimits.Default with { MaxStringBytes = 1 << 20 };

    [Fact]
    public void What_we_write_python_reads_and_what_python_writes_we_read()
    {
        if (!IsPresent())
        {
            const string reason = "python3-msgpack is not installed: apt-get install python3-msgpack";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", reason);
            Assert.Skip(reason);
        }

        var documents = Documents().ToArray();
        var requests = documents.Select(d => new JsonObject { ["document"] = d.DeepClone(), ["ours"] = Convert.ToHexStringLower(MessagePackDocument.Encode(d)) });
        var answers = Run(string.Join('\n', requests.Select(r => r.ToJsonString())));

        Assert.Equal(documents.Length, answers.Length);
        foreach (var (document, line) in documents.Zip(answers))
        {
            var answer = JsonNode.Parse(line)!;
            AssertSame(document, answer["oursAsRead"]!);
            var theirs = Convert.FromHexString((string)answer["theirs"]!);
            AssertSame(document, MessagePackDocument.Decode(theirs, Limits));
            Assert.Equal(MessagePackDocument.Encode(document), theirs);
        }
    }

    private static void AssertSame(JsonNode expected, JsonNode actual) => Assert.Equal(expected.ToJsonString(), actual.ToJsonString());

    private static IEnumerable<JsonNode> Documents()
    {
        var random = new Random(5);
        for (var i = 0; i < 300; i++) yield return MessagePackDocument.Random(random, 3);
        foreach (var length in (int[])[65535, 65536])
        {
            yield return new JsonArray("s", new string('a', length));
            yield return new JsonArray("b", new string('0', 2 * length));
            yield return new JsonArray("a", new JsonArray([.. Enumerable.Range(0, length).Select(_ => new JsonArray("n"))]));
            yield return new JsonArray("m", new JsonArray([.. Enumerable.Range(0, length)
                .Select(i => new JsonArray(new JsonArray("i", $"{i}"), new JsonArray("t")))]));
        }
    }

    private static bool IsPresent()
    {
        if (!File.Exists(Python)) return false;
        using var process = Start("-c", "import msgpack");
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 && errors.Result.Length == 0;
    }

    private static string[] Run(string requests)
    {
        using var process = Start(Repository.Data("msgpack", "independent.py"));
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var answers = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardInput.Write(requests);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return answers.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(Python, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardInputEncoding = new System.Text.UTF8Encoding(false),
    })!;
}
