using Migrate.Model.Explanations;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding;

/// <summary>The shapes of the model: documents, which begin with their schema id, and the parts that messages embed.</summary>
public static class Documents
{
    /// <summary>vmmigrate/machine-state/1.</summary>
    public static DocumentShape<MachineState> MachineState { get; } = new("machine-state", 1, () => Definitions.MachineStates.State);

    /// <summary>vmmigrate/host-profile/1.</summary>
    public static DocumentShape<HostProfile> HostProfile { get; } = new("host-profile", 1, () => Definitions.HostProfiles.Profile);

    /// <summary>vmmigrate/restore-plan/1.</summary>
    public static DocumentShape<RestorePlan> RestorePlan { get; } = new("restore-plan", 1, () => Definitions.Plans.Plan);

    /// <summary>vmmigrate/check-report/1.</summary>
    public static DocumentShape<CheckReport> CheckReport { get; } = new("check-report", 1, () => Definitions.Plans.Check);

    /// <summary>vmmigrate/matrix/1.</summary>
    public static DocumentShape<MatrixReport> Matrix { get; } = new("matrix", 1, () => Definitions.Matrices.Matrix);

    /// <summary>vmmigrate/explanation/1.</summary>
    public static DocumentShape<Explanation> Explanation { get; } = new("explanation", 1, () => Definitions.Explanations.Explanation);

    /// <summary>vmmigrate/vm-config/1.</summary>
    public static DocumentShape<VmConfig> VmConfig { get; } = new("vm-config", 1, () => Definitions.VmConfigs.Config);

    /// <summary>vmmigrate/baseline/1.</summary>
    public static DocumentShape<BaselineReport> Baseline { get; } = new("baseline", 1, () => Definitions.Baselines.Report);

    /// <summary>Every kind of document, in the order in which messages list them.</summary>
    internal static IReadOnlyList<DocumentKind> All { get; } =
    [
        new DocumentKind<MachineState>(MachineState), new DocumentKind<HostProfile>(HostProfile),
        new DocumentKind<RestorePlan>(RestorePlan), new DocumentKind<CheckReport>(CheckReport),
        new DocumentKind<MatrixReport>(Matrix), new DocumentKind<Explanation>(Explanation),
        new DocumentKind<VmConfig>(VmConfig), new DocumentKind<BaselineReport>(Baseline),
    ];

    /// <summary>Name and newest version of every document, as a schema id has them.</summary>
    public static IReadOnlyList<(string Name, int Version)> Versions { get; } = [.. All.Select(d => (d.Name, d.Version))];

    /// <summary>Part: the description of a VM.</summary>
    public static Shape<VmDescription> VmDescription => Definitions.VmDescriptions.Vm;

    /// <summary>Part: one range of guest memory.</summary>
    public static Shape<MemorySlot> MemorySlot => Definitions.VmDescriptions.Slot;

    /// <summary>Part: the state of one vCPU.</summary>
    public static Shape<VcpuState> VcpuState => Definitions.MachineStates.Vcpu;

    /// <summary>Part: one boot of one host.</summary>
    public static Shape<BootIdentity> BootIdentity => Definitions.MachineStates.Boot;

    /// <summary>Part: what a machine tells before a move.</summary>
    public static Shape<MachineReport> MachineReport => Definitions.MachineStates.Report;

    /// <summary>Part: one step of a plan, of any kind.</summary>
    public static Shape<RestoreStep> RestoreStep => Definitions.Steps.Step;

    /// <summary>Part: the answer to a step.</summary>
    public static Shape<StepAnswer> StepAnswer => Definitions.Steps.StepAnswer;

    /// <summary>Part: a register of one vCPU.</summary>
    public static Shape<RegisterAddress> RegisterAddress => Definitions.Registers.Address;

    /// <summary>Part: the answer to reading a register.</summary>
    public static Shape<ReadAnswer> ReadAnswer => Definitions.Steps.ReadAnswer;

    /// <summary>Part: one finding.</summary>
    public static Shape<Finding> Finding => Definitions.Plans.Finding;

    /// <summary>Part: what executing a plan came to.</summary>
    public static Shape<RunReport> RunReport => Definitions.Plans.Run;

    /// <summary>Part: a register's id.</summary>
    public static Shape<RegisterId> RegisterId => Definitions.Registers.Id;
}
