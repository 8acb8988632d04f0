using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight.Trials;

/// <summary>Steps and answers as findings of a dry run say them.</summary>
internal static class TrialWords
{
    /// <summary>What the plan expects of every step.</summary>
    public const string Taken = "taken";

    /// <summary>The step's subject.</summary>
    public static string Of(RestoreStep step) => step switch
    {
        CreateVm => "IPA size",
        SetAttribute s => $"attribute {s.Attribute.Name}",
        MapMemory s => $"memory slot {s.Slot.Slot}",
        CreateVcpu => "vCPU features",
        CreateGic s => s.Gic.Kind.ToString(),
        FinalizeSve => "SVE",
        ConfigurePmu s => $"attribute {s.Attribute.Name}",
        SetCounterOffset => "counter offset",
        InstallFilter s => $"SMCCC filter 0x{s.Range.Base:x}",
        WriteRegister s => RegisterCatalog.Name(s.Id),
        WriteDevice s => $"state of {s.Device.Kind}",
        RestoreHandler s => $"handler {s.State.Handler}",
        SetEvents => "pending events",
        SetMpState => "power state",
        _ => step.GetType().Name,
    };

    /// <summary>What of the step the source has.</summary>
    public static string Here(RestoreStep step) => step switch
    {
        CreateVm s => s.Type.ToString(),
        MapMemory s => $"0x{s.Slot.GuestAddress:x} + 0x{s.Slot.Size:x}",
        CreateVcpu s => s.Features.ToString(),
        WriteRegister s => RegisterText.Describe(s.Id, s.Value),
        SetMpState s => s.State.ToString(),
        _ => "",
    };

    /// <summary>What the host answered: the errno by name, and what it said besides.</summary>
    public static string Answer(FailedStep failed) =>
        failed.Note.Length == 0 ? RegisterWords.Errno(failed.Errno) : $"{RegisterWords.Errno(failed.Errno)}: {failed.Note}";
}
