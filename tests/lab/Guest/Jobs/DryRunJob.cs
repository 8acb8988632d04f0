using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Preflight;
using Migrate.Preflight.Trials;
using Migrate.Transfer.Agent;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Send;

namespace Migrate.LabGuest.Jobs;

/// <summary>Captured machines are tried on scratch VMs, as <c>check --dry-run</c> and an agent do, while another VM runs beside them.</summary>
internal static class DryRunJob
{
    private const ulong Frequency = TakesEverything.Frequency;

    /// <summary>The first question to an agent is mostly compilation, under emulation.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly RegisterId Mmfr0 = RegisterId.System(3, 0, 0, 7, 0);

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        var host = new KvmScratchHost(system);
        var plain = ScratchStates.New(system, new ScratchOptions(), Frequency);
        var ran = ScratchStates.Ran(system, VcpuFeatures.Psci02,
            [ScratchGuests.TimerRunning, ScratchGuests.TimerPending, ScratchGuests.Waiting, ScratchGuests.Counting], Patience, Frequency);
        var its = CaptureIts(system);
        // What the runtime opens once for itself is open from here on, and what it compiles once is compiled before anybody else needs the CPU.
        ThroughAgent(host, new TakesEverything(plain), plain);
        Neighbour? neighbour = null;
        if (!context.Case("a neighbour counts", () => neighbour = new Neighbour(system))) return;
        using (neighbour)
        {
            var open = Open();

            context.Case("a machine of one vCPU: every step tried, every register read back", () => Beside(neighbour!, () => IsTried(Try(host, plain))));
            context.Case("four vCPUs and a GICv3 that ran", () => Beside(neighbour!, () => IsTried(Try(host, ran))));
            context.Case("an ITS: what needs the guest's memory is said not to be tried", () => Beside(neighbour!, () =>
            {
                var report = Try(host, its);
                NothingFailed(report);
                string[] untried = ["gicv3 GICR_CTLR", "its GITS_CTLR", "its restore tables"];
                CheckFailedException.Equal(string.Join(", ", untried), string.Join(", ", report.Trial!.Untried.Select(u => u.What).Order(StringComparer.Ordinal)), "untried");
                CheckFailedException.Equal((Verdict.Unproven, Evidence.Assumed), (report.Verdict, report.Evidence), "verdict");
            }));
            context.Case("an address size that the CPU has not: EINVAL, by name, where the plan said yes", () => Beside(neighbour!, () =>
            {
                var report = Try(host, Perturbed(ran));
                var finding = report.Findings.Single(f => f.Stops);
                context.Note($"the host answers {finding.Answer} to {finding.Subject} = {finding.Here}; it has {finding.There}");
                CheckFailedException.Equal((Verdict.No, Evidence.Tried), (report.Verdict, report.Evidence), "verdict");
                CheckFailedException.Equal(("ID_AA64MMFR0_EL1", FindingCode.ValueRefused, "EINVAL", "taken"), (finding.Subject, finding.Code, finding.Answer, finding.Predicted), "finding");
                CheckFailedException.Equal(0, report.Trial!.Differences.Count, "registers that differ");
            }));
            context.Case("an IPA size that the host has not: one finding, the rest not tried", () =>
            {
                var report = Try(host, plain with { Vm = plain.Vm with { Type = new VmType(56) } });
                CheckFailedException.Equal("ipa-size EINVAL", string.Join("; ", report.Findings.Where(f => f.Stops).Select(f => $"{f.Code.Text()} {f.Answer}")), "findings");
                CheckFailedException.That(report.Trial!.Untried.Count > 100, $"{report.Trial.Untried.Count} steps not tried");
            });
            context.Case("512 GiB of memory take none", () =>
            {
                var report = Try(host, plain with { Vm = plain.Vm with { Memory = [new MemorySlot(0, ScratchMachine.MemoryBase, 512UL << 30)] } });
                IsTried(report);
            });
            context.Case("through an agent: the same report", () => Beside(neighbour!, () =>
            {
                foreach (var state in new[] { plain, ran, its, Perturbed(ran) })
                    CheckFailedException.That(ThroughAgent(host, new TakesEverything(state), state) == Try(host, state), $"{state.Vm.VcpuCount} vCPUs: another report");
            }));
            context.Case("several at once", () => Beside(neighbour!, () =>
            {
                var reports = new CheckReport[3];
                Parallel.For(0, reports.Length, i => reports[i] = Try(host, ran));
                foreach (var report in reports) IsTried(report);
            }));
            context.Case("the neighbour is what it was", neighbour!.CheckUndisturbed);
            context.Case("nothing is left open", () =>
            {
                var now = Open();
                CheckFailedException.That(now.SequenceEqual(open), $"new: {string.Join(", ", now.Except(open))}; gone: {string.Join(", ", open.Except(now))}");
            });
        }
    }

    /// <summary>Does it while the neighbour counts: before, during (it is further afterwards) and on.</summary>
    private static void Beside(Neighbour neighbour, Action act)
    {
        neighbour.WaitUntilItCounts();
        var from = neighbour.Count;
        act();
        CheckFailedException.That(neighbour.Count > from, $"the neighbour stood still at {from} meanwhile");
        neighbour.WaitUntilItCounts();
    }

    private static CheckReport Try(IScratchHost host, MachineState state) =>
        DryRun.Run(state, new TakesEverything(state).Measure(), new PlanOptions(), host);

    private static void IsTried(CheckReport report)
    {
        NothingFailed(report);
        CheckFailedException.Equal("", string.Join("; ", report.Trial!.Untried), "untried");
        CheckFailedException.Equal((Verdict.Yes, Evidence.Tried), (report.Verdict, report.Evidence), string.Join("; ", report.Findings));
        CheckFailedException.That(report.Trial.Compared > 200, $"only {report.Trial.Compared} registers were compared");
    }

    private static void NothingFailed(CheckReport report) =>
        CheckFailedException.Equal("", string.Join("; ", report.Findings.Where(f => f.Stops).Select(f => $"{f.Subject} {f.Here} {f.Answer}")), "findings");

    private static MachineState Perturbed(MachineState state) => state with
    {
        Vcpus = state.Vcpus.Select(v => v with
        {
            // PARange 0xf is reserved: larger than any CPU's.
            Registers = v.Registers.TryGet(Mmfr0, out var value) ? v.Registers.With(new Register(Mmfr0, new RegisterValue(value.Low | 0xf))) : v.Registers,
        }).ToEquatableArray(),
    };

    private static MachineState CaptureIts(KvmSystem system)
    {
        using var machine = ScratchMachine.Create(system, new ScratchOptions { HasGic = true, HasIts = true });
        ItsJob.Program(machine.Machine);
        KvmCapture.SaveTables(machine.Machine);
        return KvmCapture.Capture(machine.Machine, counterFrequency: Frequency);
    }

    private static CheckReport ThroughAgent(IScratchHost host, IProfileSource profile, MachineState state)
    {
        var directory = Directory.CreateTempSubdirectory("dry-run-").FullName;
        try
        {
            using var agent = new RestoreAgent(new AgentOptions { GreetingTimeout = Patience }, new StateDirectory(directory), profile, new NoIncoming(""), host);
            var client = new AgentClient("127.0.0.1", agent.EndPoint.Port) { Timeout = Patience };
            return client.DryRun(new MachineReport { State = state, PageSize = 4096 }, Policy.Vmmigrate, [], acceptAssumed: false, includePlan: false, Patience);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Every descriptor of this process, and every mapping of KVM, by what it is of and how many there are.</summary>
    private static List<string> Open() =>
    [
        .. Directory.GetFiles("/proc/self/fd").Select(f => File.ResolveLinkTarget(f, returnFinalTarget: false)?.FullName ?? "")
            .Concat(File.ReadLines("/proc/self/maps").Where(l => l.Contains("kvm", StringComparison.Ordinal)).Select(l => $"mapping {l.Split(' ')[^1]}"))
            // Not the directory that is being read, nor what the runtime loads when it is first needed and keeps open.
            .Where(name => name.Length > 0 && !name.EndsWith("/fd", StringComparison.Ordinal) && !name.EndsWith(".dll", StringComparison.Ordinal))
            .Select(name => name.Split('/')[^1].Split('[')[0].TrimEnd(':'))
            .CountBy(name => name).Select(pair => $"{pair.Value} {pair.Key}").Order(StringComparer.Ordinal),
    ];
}
