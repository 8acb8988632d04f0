using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Migrate.Cli.Demo;
using Migrate.Kvm.Scratch;
using Migrate.LabGuest.Programs;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// The kill matrix of tests/Migrate.ProcessTests, its machines hosted by the reference VMM on this host's KVM: sender, agent and VMM are killed at every point of
/// a handover. Each of its tests is a case, each of its classes a job: below the emulator the whole of it takes longer than a host should.
/// </summary>
internal static partial class KillsJob
{
    /// <summary>What the names of its jobs begin with, by which tests/lab/run knows that the image must hold the tests.</summary>
    private const string Name = "kills";

    /// <summary>Where the lab put the tests (tests/lab/run).</summary>
    private const string Tests = "/app/tests/Migrate.ProcessTests.dll";

    /// <summary>vmmigrate with its runtime, all of it machine code (tests/lab/run): its processes live for a minute, much of which the JIT would take below the emulator.</summary>
    private const string Vmmigrate = "/app/whole/vmmigrate";

    /// <summary>.NET prints a failed test's words on the lines that follow its name.</summary>
    private const int WordsOfAFailure = 12;

    /// <summary>The job of one class: `kills-source` is SourceKillTests.</summary>
    public static LabJob Of(string who) => new($"{Name}-{who.ToLowerInvariant()}", TimeSpan.FromMinutes(75), context => Run(context, $"{who}KillTests")) { OnRequest = true };

    private static void Run(JobContext context, string tests)
    {
        var directory = Directory.CreateTempSubdirectory("kills-").FullName;
        File.WriteAllLines(Path.Combine(directory, "command"), [Vmmigrate]);
        File.WriteAllBytes(Path.Combine(directory, "guest.bin"), MemoryMarshal.AsBytes<uint>(Guest()));
        File.WriteAllBytes(Path.Combine(directory, "agent.profile"), MessagePackEncoding.Encode(Documents.HostProfile, WithoutPmu(MeasuredHost.Report().Profile)));

        string[] arguments =
        [
            Tests, "--filter-class", $"Migrate.ProcessTests.KillMatrix.{tests}", "--max-threads", "1", "--output", "Detailed", "--no-ansi", "--no-progress",
        ];
        var start = new ProcessStartInfo(Child.Runtime, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["VMMIGRATE_TEST_LAB"] = directory;
        // Every process of these lives for a minute at most: below the emulator it would spend much of that on compiling hot methods once more.
        start.Environment["DOTNET_TC_CallCountingDelayMs"] = "600000";
        using var rationed = new RationedVcpus();
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data)) context.Note(line.Data);
        };
        process.BeginErrorReadLine();
        var results = new Results(context);
        while (process.StandardOutput.ReadLine() is { } line) results.Take(line);
        process.WaitForExit();
        results.End();
        context.Case("the runner is content", () => CheckFailedException.Equal(0, process.ExitCode, "exit code"));
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Four MiB that are not zero, then for ever one page written and one access that the VMM must answer.</summary>
    private static uint[] Guest() => new Assembly()
        .Load(20, ScratchMachine.MemoryBase + (8UL << 20)).Load(21, 1023).Load(11, ScratchMachine.ReportPage + 0x10_0000)
        .Label("fill").Do(A64.Add(19, 19, 1)).Do(Page()).Do(A64.Compare(19, 21)).Do(A64.IncrementIfLower(18)).IfEqual(19, 21, "work").Branch("fill")
        .Label("work").Do(A64.Add(19, 19, 1)).Do(Page()).Do(A64.Store(19, 11)).Branch("work").ToArray();

    /// <summary>X19 into the page that it names modulo 1,024.</summary>
    private static uint[] Page() => [A64.And(22, 19, 21), A64.AddShifted(22, 20, 22, 12), A64.Store(19, 22)];

    /// <summary>A host of this boot that has no PMU: its agent refuses a machine that has one.</summary>
    private static HostProfile WithoutPmu(HostProfile profile) => profile with
    {
        Shapes = profile.Shapes.Select(shape => shape.Features.Has(VcpuFeatures.PmuV3) ? shape with { Errno = 22, RefusedAt = "vcpu_init", Registers = [] } : shape).ToEquatableArray(),
    };

    /// <summary>Turns what the runner prints into cases.</summary>
    private sealed partial class Results(JobContext context)
    {
        private readonly List<string> _failure = [];
        private string? _failed;

        public void Take(string line)
        {
            if (Outcome().Match(line) is not { Success: true } match)
            {
                if (_failed is not null && _failure.Count < WordsOfAFailure) _failure.Add(line.Trim());
                return;
            }
            End();
            var name = match.Groups[2].Value;
            if (match.Groups[1].Value == "failed") _failed = name;
            else context.Case(name, () => CheckFailedException.Equal("passed", match.Groups[1].Value, "outcome"));
        }

        public void End()
        {
            if (_failed is { } name) context.Case(name, () => throw new CheckFailedException(string.Join(" | ", _failure)));
            _failed = null;
            _failure.Clear();
        }

        /// <summary>"passed NAME (1s 20ms)".</summary>
        [GeneratedRegex(@"^(passed|failed|skipped) Migrate\.ProcessTests\.KillMatrix\.(.+?)(?: \([0-9a-z ]+\))?$")]
        private static partial Regex Outcome();
    }
}
