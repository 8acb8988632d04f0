using System.Globalization;
using System.Text.Json;

namespace Migrate.Benchmarks;

/// <summary>
/// A whole move against the minimal program, alternating in one run: the same non-zero bytes over one loopback connection into equally
/// fresh memory. The move does everything that it always does: dirty log, rounds, plan, read-back, durable records.
/// </summary>
internal static class MoveBenchmark
{
    private const long Bytes = 1L << 30;
    private const double LeastRatio = 0.6;
    private const long MostOwnBytes = 150_000_000;

    public static bool Run(int runs)
    {
        var (minimal, move, ratio, sender, agent) = (new Figures(), new Figures(), new Figures(), new Figures(), new Figures());
        for (var i = 0; i < runs; i++)
        {
            var plain = MinimalMove.Measure(Bytes);
            var (ours, senderBytes, agentBytes) = Move();
            minimal.Add(plain / 1e9);
            move.Add(ours / 1e9);
            ratio.Add(ours / plain);
            sender.Add(senderBytes / 1e6);
            agent.Add(agentBytes / 1e6);
        }
        Console.WriteLine($"move   minimal {minimal.Text("0.00", " GB/s")}, vmmigrate {move.Text("0.00", " GB/s")}");
        return Figures.Promise($"at least {LeastRatio} of the minimal program's speed", ratio.Text("0.00", ""), ratio.Median >= LeastRatio)
            & Figures.Promise($"sender under {MostOwnBytes / 1e6:0} MB beyond guest memory", sender.Text("0", " MB"), sender.Median * 1e6 < MostOwnBytes)
            & Figures.Promise($"agent under {MostOwnBytes / 1e6:0} MB beyond guest memory", agent.Text("0", " MB"), agent.Median * 1e6 < MostOwnBytes);
    }

    /// <summary>Bytes a second while pages were sent, acknowledgements included, and the peak memory of both processes.</summary>
    private static (double Speed, long Sender, long Agent) Move()
    {
        var state = Directory.CreateTempSubdirectory("vmb").FullName;
        try
        {
            Dictionary<string, string> environment = new() { ["VMMIGRATE_STATE"] = state };
            using var machine = Child.Start(Child.Vmmigrate, ["run", "--simulate", "--name", "bench", "--memory", $"{Bytes}", "--fill", "1", "--rate", "1", "--end-with-stdin"], environment);
            using var incoming = Child.Start(Child.Vmmigrate, ["run", "--simulate", "--incoming", "--name", "target", "--end-with-stdin"], environment);
            incoming.WaitForError("machine target at");
            using var agent = Child.Start(Child.Vmmigrate, ["agent", "--listen", "127.0.0.1:0", "--simulate", "--attach", "target", "--end-with-stdin"], environment);
            var address = agent.WaitForError("listening on").Split(' ')[^1];
            machine.WaitForError("machine bench at");
            using var send = Child.Start(Child.Vmmigrate, ["send", "bench", address, "--accept", "assumed", "--json"], environment);
            var last = send.ReadToEnd().TrimEnd().Split('\n')[^1];
            send.WaitForSuccess();
            using var done = JsonDocument.Parse(last);
            return (Number(done.RootElement.GetProperty("report").GetProperty("throughput")), send.PeakOwnBytes, agent.PeakOwnBytes);
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }

    private static double Number(JsonElement hex) => ulong.Parse(hex.GetString().AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
