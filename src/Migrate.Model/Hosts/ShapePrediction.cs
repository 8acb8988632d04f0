using Migrate.Model.Registers;

namespace Migrate.Model.Hosts;

/// <summary>What becomes of a value that is written to a register.</summary>
public enum AnswerKind
{
    /// <summary>Accepted, and reads back as written.</summary>
    Kept = 1,

    /// <summary>Accepted, and reads back as another value.</summary>
    Changed = 2,

    /// <summary>Accepted, and the register moves by itself: no read-back proves anything.</summary>
    Volatile = 3,

    /// <summary>Refused with an errno.</summary>
    Refused = 4,

    /// <summary>The shape does not list the register, or not under the current values of its controller (ENOENT).</summary>
    Unknown = 5,

    /// <summary>Nobody asked the host: no statement.</summary>
    Unproven = 6,
}

/// <summary>The predicted answer of KVM_SET_ONE_REG and of the KVM_GET_ONE_REG after it.</summary>
/// <param name="Kind">What becomes of the value.</param>
/// <param name="Errno">The positive errno of a refusal, 2 (ENOENT) for <see cref="AnswerKind.Unknown"/>, else 0.</param>
/// <param name="ReadsBack">The value afterwards where it was accepted and does not move by itself, else null.</param>
public readonly record struct PredictedAnswer(AnswerKind Kind, int Errno, RegisterValue? ReadsBack)
{
    /// <summary>Whether the host takes the write, changed or not.</summary>
    public bool IsAccepted => Kind is AnswerKind.Kept or AnswerKind.Changed or AnswerKind.Volatile;
}

/// <summary>The values that a VM's registers have at the moment of a write: what couplings depend on.</summary>
public interface IRegisterValues
{
    /// <summary>The register's current value; false where the caller does not know it, and then a new VM's value counts.</summary>
    bool TryGet(RegisterId id, out RegisterValue value);
}

/// <summary>Nothing written yet: every controller has the value of a new VM.</summary>
public readonly struct NewVmValues : IRegisterValues
{
    /// <inheritdoc/>
    public bool TryGet(RegisterId id, out RegisterValue value)
    {
        value = default;
        return false;
    }
}

/// <summary>A shape with its registers by id: the one place where recorded acceptance becomes an answer, for the planner and the simulated host alike.</summary>
/// <remarks>Immutable and safe to share. Answers describe a VM that has not run yet; what <see cref="RegisterAcceptance.FrozenAfterRun"/> adds is the caller's.</remarks>
public sealed class ShapeIndex
{
    private const int ENoEnt = 2;

    private readonly Dictionary<RegisterId, RegisterAcceptance> _registers;

    /// <summary>Indexes a shape; where a register is recorded twice the first counts.</summary>
    public ShapeIndex(HostShape shape)
    {
        Shape = shape;
        _registers = new Dictionary<RegisterId, RegisterAcceptance>(shape.Registers.Count);
        foreach (var register in shape.Registers) _registers.TryAdd(register.Id, register);
    }

    /// <summary>The shape as recorded.</summary>
    public HostShape Shape { get; }

    /// <summary>What is recorded for a register; null where the shape does not have it.</summary>
    public RegisterAcceptance? Find(RegisterId id) => _registers.GetValueOrDefault(id);

    /// <summary>Predicts a write. <paramref name="current"/> gives the VM's values at that moment; a register it does not know has the value of a new VM.</summary>
    public PredictedAnswer Predict<TValues>(RegisterId id, RegisterValue value, TValues current)
        where TValues : IRegisterValues, allows ref struct => Predict(Find(id), value, current);

    /// <summary>Predicts a write into a register that was looked up before; null where the shape does not have it.</summary>
    public PredictedAnswer Predict<TValues>(RegisterAcceptance? register, RegisterValue value, TValues current)
        where TValues : IRegisterValues, allows ref struct
    {
        if (Shape.Errno != 0) return new(AnswerKind.Refused, Shape.Errno, null);
        if (register is null) return new(AnswerKind.Unknown, ENoEnt, null);

        var accepts = register.Accepts;
        var stored = register.Stored;
        foreach (var conditional in register.When)
        {
            if (!TryCurrent(conditional.Controller, current, out var controller)) return new(AnswerKind.Unproven, 0, null);
            var field = (int)(controller >> conditional.Shift) & ((1 << conditional.Width) - 1);
            if ((conditional.Values >> field & 1) == 0) continue;
            if (conditional.Accepts is null) return new(AnswerKind.Unknown, ENoEnt, null);
            accepts = conditional.Accepts;
            stored = conditional.Stored;
            break;
        }

        switch (accepts.Accepts(value))
        {
            case null:
                return new(AnswerKind.Unproven, 0, null);
            case false:
                return new(AnswerKind.Refused, accepts.Errno, null);
        }
        if (stored.Volatile) return new(AnswerKind.Volatile, 0, null);
        var reads = stored.Of(value);
        return new(reads == value ? AnswerKind.Kept : AnswerKind.Changed, 0, reads);
    }

    /// <summary>Predicts a write with a delegate for the current values; null from it means not known.</summary>
    public PredictedAnswer Predict(RegisterId id, RegisterValue value, Func<RegisterId, RegisterValue?> current) =>
        Predict(id, value, new DelegatedValues(current));

    /// <summary>Predicts a write into a VM on which nothing was written yet.</summary>
    public PredictedAnswer Predict(RegisterId id, RegisterValue value) => Predict(id, value, default(NewVmValues));

    private bool TryCurrent<TValues>(RegisterId controller, TValues current, out ulong value)
        where TValues : IRegisterValues, allows ref struct
    {
        if (current.TryGet(controller, out var known))
        {
            value = known.Low;
            return true;
        }
        var reset = _registers.GetValueOrDefault(controller)?.Reset;
        value = reset?.Low ?? 0;
        return reset is not null;
    }

    private readonly struct DelegatedValues(Func<RegisterId, RegisterValue?> current) : IRegisterValues
    {
        public bool TryGet(RegisterId id, out RegisterValue value)
        {
            var known = current(id);
            value = known.GetValueOrDefault();
            return known is not null;
        }
    }
}
