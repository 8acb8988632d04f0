using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Migrate.Cli.Output;
using Migrate.Kvm.Probe;
using Migrate.Linux.Files;
using Migrate.Model;
using Migrate.Model.Encoding;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate probe</c>: measures this host into a profile.</summary>
internal static class ProbeCommand
{
    private const UnixFileMode ForEverybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static Command Build(Terminal terminal)
    {
        var output = new Option<string?>("--output", "-o") { Description = "Where to write the profile; a name that ends in .json gets JSON, any other MessagePack.", HelpName = "FILE" };
        var explain = new Option<bool>("--explain") { Description = "Say what was not measured and why, and what stands in the way." };
        var json = Options.Json();
        var command = new Command("probe", "Measure what this host's KVM accepts, by trying it on scratch VMs, into a host profile.") { output, explain, json };
        command.SetAction(parsed =>
        {
            var explained = parsed.GetValue(explain);
            if (explained && KvmProbe.Obstacles() is { Count: > 0 } obstacles) return Refuse(terminal, obstacles, parsed.GetValue(json));
            var report = KvmProbe.Measure(terminal.IsLive ? what => terminal.Error.Write($"\r\x1b[Kprobe: {what}") : null);
            if (terminal.IsLive) terminal.Error.Write("\r\x1b[K");
            if (parsed.GetValue(output) is { } to)
            {
                var bytes = to.EndsWith(".json", StringComparison.Ordinal)
                    ? System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Documents.HostProfile, report.Profile) + "\n")
                    : MessagePackEncoding.Encode(Documents.HostProfile, report.Profile);
                DurableFile.WriteAtomically(to, bytes, ForEverybody);
            }
            if (parsed.GetValue(json)) terminal.Out.WriteLine(explained ? Explanation(report.Notes, report) : JsonEncoding.Encode(Documents.HostProfile, report.Profile));
            else Write(terminal, report, explained, parsed.GetValue(output));
            return ExitCode.Yes;
        });
        return command;
    }

    /// <summary>The profile in a few lines, the notes where asked for, and last what to do next.</summary>
    internal static void Write(Terminal terminal, ProbeReport report, bool explained, string? file)
    {
        var (profile, boot) = (report.Profile, report.Profile.Boot);
        var measured = profile.Shapes.Where(s => s.Errno == 0).ToList();
        var registers = measured.Sum(s => s.Registers.Count);
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{boot.HostName}: measured {registers} registers in {measured.Count} VM shapes with {report.Calls} ioctls in {report.Elapsed.TotalSeconds:F1} s"));
        terminal.Out.WriteLine($"host        {HostText.Of(boot)}");
        terminal.Out.WriteLine($"addresses   {(profile.IpaSizes.Count == 0 ? "no size is accepted" : $"{profile.IpaSizes.Min()} to {profile.IpaSizes.Max()} bits")}");
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"counter     {profile.CounterFrequency / 1e6} MHz"));
        terminal.Out.WriteLine($"filter      {profile.HasSmcccFilter switch { true => "can be installed", false => "none", null => "not measured" }}");
        terminal.Out.WriteLine($"services    {string.Join(", ", profile.Services)}");
        ProfileText.Shapes(terminal, profile);
        if (explained) terminal.Write(["not measured", "why", "remedy"], report.Notes.Select(n => (IReadOnlyList<string>)[n.Subject, n.Reason, n.Remedy]));
        else terminal.Out.WriteLine($"{report.Notes.Count} notes on what was not measured: --explain shows them");
        if (file is not null) terminal.Out.WriteLine($"written to {file}");
        else terminal.Out.WriteLine("Nothing was written: -o FILE keeps the profile for vmmigrate check.");
    }

    /// <summary>The doctor's answer where nothing can be measured at all.</summary>
    private static int Refuse(Terminal terminal, EquatableArray<ProbeNote> obstacles, bool json)
    {
        if (json) terminal.Out.WriteLine(Explanation(obstacles, null));
        foreach (var obstacle in json ? [] : obstacles)
        {
            terminal.Out.WriteLine($"This host cannot be measured. {obstacle.Reason}");
            terminal.Out.WriteLine(obstacle.Remedy);
        }
        return ExitCode.No;
    }

    private static string Explanation(EquatableArray<ProbeNote> notes, ProbeReport? report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("schema", "vmmigrate/probe-explanation/1");
            json.WriteBoolean("measured", report is not null);
            if (report is not null)
            {
                json.WriteNumber("ioctls", report.Calls);
                json.WriteNumber("milliseconds", (long)report.Elapsed.TotalMilliseconds);
            }
            json.WriteStartArray("notes");
            foreach (var note in notes)
            {
                json.WriteStartObject();
                json.WriteString("subject", note.Subject);
                json.WriteString("reason", note.Reason);
                if (note.Remedy.Length > 0) json.WriteString("remedy", note.Remedy);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
