using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Model.Hosts;

/// <summary>What a host answers for one VM configuration.</summary>
public sealed record HostShape
{
    /// <summary>vCPU features, without power_off.</summary>
    public required VcpuFeatures Features { get; init; }

    /// <summary>VM capabilities enabled at creation (<c>cap.arm-mte</c>).</summary>
    public EquatableArray<string> Capabilities { get; init; }

    /// <summary>The interrupt controller in the kernel.</summary>
    public GicKind Gic { get; init; }

    /// <summary>0 when the host creates such a vCPU, else the positive errno of the refusal.</summary>
    public int Errno { get; init; }

    /// <summary>Where it refused: <c>vcpu_init</c>, <c>create_vm</c>, <c>finalize</c>; empty when it did not.</summary>
    public string RefusedAt { get; init; } = "";

    /// <summary>How this shape is known; at most as strong as the profile's evidence.</summary>
    public Evidence Evidence { get; init; } = Evidence.Measured;

    /// <summary>Every register that the host lists for this shape, in list order. Anything else is unknown there (ENOENT).</summary>
    public EquatableArray<RegisterAcceptance> Registers { get; init; }

    /// <summary>Finds a register; O(n), for callers that look up few. A planner builds an index.</summary>
    public RegisterAcceptance? Find(RegisterId id)
    {
        foreach (var register in Registers)
            if (register.Id == id) return register;
        return null;
    }
}

/// <summary>Whether a register belongs to the VM or to each vCPU.</summary>
public enum RegisterScope
{
    /// <summary>Each vCPU has its own.</summary>
    Vcpu = 1,

    /// <summary>One for the VM, seen through every vCPU: ID registers, firmware registers, bitmaps.</summary>
    Vm = 2,
}

/// <summary>What one host accepts for one register of one shape.</summary>
public sealed record RegisterAcceptance
{
    /// <summary>Which register.</summary>
    public required RegisterId Id { get; init; }

    /// <summary>Whose it is.</summary>
    public RegisterScope Scope { get; init; } = RegisterScope.Vcpu;

    /// <summary>Whether another value is refused (EBUSY) once a vCPU has run: such a register is written before the first page is sent.</summary>
    public bool FrozenAfterRun { get; init; }

    /// <summary>The value that a new VM has; null where it cannot be read.</summary>
    public RegisterValue? Reset { get; init; }

    /// <summary>Which values are accepted.</summary>
    public required Acceptance Accepts { get; init; }

    /// <summary>What an accepted value reads back as.</summary>
    public StoredAs Stored { get; init; } = StoredAs.Unchanged;

    /// <summary>Answers that hold under other values of a register that controls this one; the first that matches counts, else <see cref="Accepts"/>.</summary>
    public EquatableArray<Conditional> When { get; init; }
}

/// <summary>The acceptance of a dependent register while a field of its controller has one of some values.</summary>
/// <param name="Controller">The register whose field decides (an ID register of the same VM).</param>
/// <param name="Shift">The field's lowest bit.</param>
/// <param name="Width">Its width, 1 to 5 bits (PMCR_EL0.N has five).</param>
/// <param name="Values">Bit n set: holds while the field is n.</param>
/// <param name="Accepts">The acceptance then; null when the register does not exist then (ENOENT).</param>
/// <param name="Stored">What an accepted value reads back as then.</param>
public sealed record Conditional(RegisterId Controller, int Shift, int Width, uint Values, Acceptance? Accepts, StoredAs Stored);
