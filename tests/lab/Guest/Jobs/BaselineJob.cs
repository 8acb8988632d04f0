using Migrate.Kvm.Handles;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Preflight.Baselines;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// Creates the VM of this host's baseline and records its states, new and after it ran, for the other hosts of the pool to be tried on; and the VM of the
/// baseline that it has with a host of another pool, where the two alone have one.
/// </summary>
internal static class BaselineJob
{
    private const ulong ATime = 0x1234_5678;

    private static readonly RegisterId Pc = RegisterId.Core(8 * 32, 8);

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        var baseline = LabBaseline.Of(context);
        context.Case("the host creates the VM of its baseline, as its profile says", () => CheckCreation(context, baseline, baseline.CaptureNew(system)));
        context.Case("new", () => Record(context, "baseline-new.vm", "new", baseline.CaptureNew(system)));
        context.Case("four vCPUs: timer running, timer interrupt pending, WFI, off", () => Record(context, "baseline-ran.vm", "ran", baseline.CaptureRan(system)));
        foreach (var other in baseline.Others)
        {
            if (baseline.ForTwo(context, other) is { } pair)
                context.Case($"one that {other} takes as well", () => Record(context, LabBaseline.FileForTwo(other), $"ran, for {other}", pair.CaptureRan(system)));
        }
        var holdings = Holdings.Of(system, baseline.Report, context.Host).Select(h => h + "\n").ToArray();
        if (holdings.Length > 0) context.Answer("baseline-holdings.txt", string.Join("", holdings));
    }

    private static void CheckCreation(JobContext context, LabBaseline baseline, MachineState state)
    {
        var config = baseline.Config;
        var predicted = ConfiguredMachine.Of(baseline.Host, config).Vcpus[0].Registers;
        foreach (var vcpu in state.Vcpus)
        {
            foreach (var setting in config.Settings)
                if (vcpu.Registers.TryGet(setting.Id, out var value)) CheckFailedException.Equal(setting.Apply(value), value, $"vCPU {vcpu.Index} {RegisterCatalog.Name(setting.Id)}");
            foreach (var (id, promised) in config.Expected)
                if (vcpu.Registers.TryGet(id, out var value)) CheckFailedException.Equal(promised, value, $"vCPU {vcpu.Index} {RegisterCatalog.Name(id)}");
        }
        var own = state.Vcpus[0].Registers;
        var wrong = predicted.Where(r => !LabBaseline.IsClock(r.Id) && !IsTimerControl(r.Id)).Select(r => (r.Id, Predicted: r.Value.ToShortString(), Is: own.TryGet(r.Id, out var value) ? value.ToShortString() : "not listed"))
            .Concat(own.Where(r => !predicted.Contains(r.Id)).Select(r => (r.Id, Predicted: "not listed", Is: r.Value.ToShortString()))).Where(r => r.Predicted != r.Is)
            .Select(r => $"{RegisterCatalog.Name(r.Id)} predicted {r.Predicted}, is {r.Is}").ToArray();
        context.Note($"{predicted.Count} registers predicted, {wrong.Length} otherwise");
        CheckFailedException.Equal("", string.Join("; ", wrong), "registers of the new VM");
    }

    /// <summary>Whose status bit says that its time has come: a new timer's compare value is in the past, and a profile has it without.</summary>
    private static bool IsTimerControl(RegisterId id) => RegisterCatalog.Name(id) is "CNTV_CTL_EL0" or "CNTP_CTL_EL0";

    private static void Record(JobContext context, string file, string kind, MachineState state) =>
        context.Answer(file, MessagePackEncoding.Encode(Documents.MachineState, Normalised(state, context.Host, kind)));

    /// <summary>Without what changes from boot to boot: names, the time, and at which instruction of its loop a guest was stopped.</summary>
    private static MachineState Normalised(MachineState state, string host, string kind) => state with
    {
        Vm = state.Vm with { Name = $"baseline of {host}, {kind}", Id = new string('0', 32) },
        CapturedOn = state.CapturedOn is { } boot ? boot with { BootId = "", CommandLine = "", HostName = host } : null,
        Vcpus = state.Vcpus.Select(v => v with { Registers = new RegisterSet(v.Registers.Select(r => r with { Value = Normalised(r) })) }).ToEquatableArray(),
    };

    private static RegisterValue Normalised(Register register)
    {
        if (LabBaseline.IsClock(register.Id)) return new RegisterValue(ATime, register.Id.Size);
        if (register.Id == Pc) return new RegisterValue(register.Value.Low & ~0xfffUL);
        return register.Id == RegisterId.Core(8 * 19, 8) && !register.Value.IsZero ? new RegisterValue(19) : register.Value;
    }
}
