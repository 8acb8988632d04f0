using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.State;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.LabGuest.Jobs;

/// <summary>Records states of this host's VMs, for other hosts to be asked about. Nothing in them changes from boot to boot.</summary>
internal static class StatesJob
{
    /// <summary>What the emulator's CNTFRQ_EL0 is everywhere; what it is does not matter here, that it is known does.</summary>
    private const ulong Frequency = 62_500_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly RegisterId Counter19 = RegisterId.Core(8 * 19, 8);
    private static readonly RegisterId Pc = RegisterId.Core(8 * 32, 8);

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        var all = ScratchStates.AllFeatures(system);
        (string Name, ScratchOptions Options)[] machines =
        [
            ("psci", new() { Features = VcpuFeatures.Psci02 }),
            ("all", new() { Features = all }),
            ("gic", new() { Features = all, HasGic = true }),
            ("psci-gic", new() { Features = VcpuFeatures.Psci02, HasGic = true }),
            ("no-pmu", new() { Features = all.Except(VcpuFeatures.PmuV3) }),
            ("no-sve", new() { Features = all.Except(VcpuFeatures.Sve) }),
        ];
        // A CPU without some feature makes the same VM twice.
        foreach (var (name, options) in machines.DistinctBy(m => (m.Options.Features, m.Options.HasGic)))
            Record(context, name, () => ScratchStates.New(system, options, Frequency));

        Record(context, "ran", () => ScratchStates.Ran(
            system, all, [ScratchGuests.TimerRunning, ScratchGuests.TimerPending, ScratchGuests.Waiting, null], Patience, Frequency));
        context.Case("a filter, where the host has one", () =>
        {
            using var target = new KvmTarget(system);
            var steps = ScratchMachine.Steps(new ScratchOptions()).Append(new Model.Plans.InstallFilter(new(0x8400_0020, 16, SmcccAction.Deny))).ToList();
            var answers = target.Execute(steps);
            CheckFailedException.That(answers.SkipLast(1).All(a => a.Succeeded), string.Join("; ", answers));
            if (answers[^1].Succeeded) Answer(context, "filter", KvmCapture.Capture(target.Machine!, counterFrequency: Frequency));
        });
    }

    private static void Record(JobContext context, string name, Func<MachineState> capture) => context.Case(name, () =>
    {
        var state = capture();
        CheckFailedException.That(state.Vcpus[0].Registers.Count > 100, $"{state.Vcpus[0].Registers.Count} registers");
        Answer(context, name, state);
    });

    private static void Answer(JobContext context, string name, MachineState state) =>
        context.Answer($"{name}.state", MessagePackEncoding.Encode(Documents.MachineState, Normalised(state, $"{context.Host} {name}")));

    /// <summary>Without names, counts and the instruction at which a guest in a loop was stopped.</summary>
    private static MachineState Normalised(MachineState state, string name) => state with
    {
        Vm = state.Vm with { Name = name, Id = new string('0', 32) },
        CapturedOn = null,
        Vcpus = state.Vcpus.Select(v => v with { Registers = new RegisterSet(v.Registers.Select(Normalised)) }).ToEquatableArray(),
    };

    private static Register Normalised(Register register)
    {
        if (Confusion.Subjects.Moves(register.Id))
        {
            // A control register's ISTATUS says whether its time has come.
            var isControl = RegisterCatalog.Name(register.Id) is "CNTV_CTL_EL0" or "CNTP_CTL_EL0";
            return register with { Value = new RegisterValue(isControl ? register.Value.Low & 3 : 0x1234_5678, register.Id.Size) };
        }
        if (register.Id == Counter19 && !register.Value.IsZero) return register with { Value = new RegisterValue(19) };
        return register.Id == Pc ? register with { Value = new RegisterValue(register.Value.Low & ~0xfffUL) } : register;
    }
}
