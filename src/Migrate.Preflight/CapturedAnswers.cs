using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;
using Migrate.Preflight.Registers;

namespace Migrate.Preflight;

/// <summary>What a host answers to one register of a sequence.</summary>
/// <param name="Vcpu">Through which vCPU it is written.</param>
/// <param name="Register">Which register, and the value written.</param>
/// <param name="Answer">The answer to the write itself.</param>
/// <param name="AtEnd">What it reads as when everything is written; null where it was not taken, or nothing is known.</param>
public readonly record struct CapturedAnswer(int Vcpu, Register Register, PredictedAnswer Answer, RegisterValue? AtEnd);

/// <summary>Predicts the answers to a whole state written as captured: vCPU by vCPU in list order, vector lengths first.</summary>
public static class CapturedAnswers
{
    /// <summary>An answer for each register of each vCPU, in the order of the writes.</summary>
    /// <param name="state">What is written.</param>
    /// <param name="shape">Into which VM of which host.</param>
    public static IReadOnlyList<CapturedAnswer> Of(MachineState state, ShapeIndex shape)
    {
        var values = new Dictionary<(int Vcpu, RegisterId Id), RegisterValue>();
        (int, RegisterId) Key(int vcpu, RegisterId id) => (RegisterCase.IsVmWideAt(id, shape.Find(id)) ? -1 : vcpu, id);
        var answers = new List<CapturedAnswer>();
        foreach (var (vcpu, register) in InOrder(state))
        {
            var view = new View(values, vcpu.Index);
            var answer = shape.Predict(register.Id, register.Value, view);
            var stored = answer.IsAccepted && MaskPairs.Of(register.Id) is { } pair
                ? MaskPairs.AtEnd(shape, pair, vcpu.Registers, view) ?? answer.ReadsBack
                : answer.ReadsBack;
            if (stored is { } value) values[Key(vcpu.Index, register.Id)] = value;
            answers.Add(new CapturedAnswer(vcpu.Index, register, answer, null));
        }
        for (var i = 0; i < answers.Count; i++)
        {
            var at = answers[i];
            if (at.Answer.IsAccepted && values.TryGetValue(Key(at.Vcpu, at.Register.Id), out var value))
                answers[i] = at with { AtEnd = AtEnd(shape, at.Register, new View(values, at.Vcpu)) ?? value };
        }
        return answers;
    }

    /// <summary>What an accepted value reads as once everything is written, where what decides about it may have been written later; null where nothing else does.</summary>
    /// <remarks>Firmware registers stand before the ID registers in every list, and the level of Spectre v4 follows ID_AA64PFR1_EL1.SSBS (hypercalls.c, get_kernel_wa_level).</remarks>
    internal static RegisterValue? AtEnd<TValues>(ShapeIndex shape, in Register register, TValues values)
        where TValues : IRegisterValues, allows ref struct =>
        shape.Find(register.Id) is { When.Count: > 0 } there && MaskPairs.Of(register.Id) is null && shape.Predict(there, register.Value, values) is { IsAccepted: true } answer
            ? answer.ReadsBack : null;

    private static IEnumerable<(VcpuState Vcpu, Register Register)> InOrder(MachineState state)
    {
        foreach (var vcpu in state.Vcpus.AsEnumerable())
            if (vcpu.Registers.TryGet(KnownRegisters.SveLengths, out var lengths)) yield return (vcpu, new Register(KnownRegisters.SveLengths, lengths));
        foreach (var vcpu in state.Vcpus.AsEnumerable())
            foreach (var register in vcpu.Registers)
                if (register.Id != KnownRegisters.SveLengths) yield return (vcpu, register);
    }

    private readonly struct View(Dictionary<(int Vcpu, RegisterId Id), RegisterValue> values, int vcpu) : IRegisterValues
    {
        public bool TryGet(RegisterId id, out RegisterValue value) => values.TryGetValue((-1, id), out value) || values.TryGetValue((vcpu, id), out value);
    }
}
