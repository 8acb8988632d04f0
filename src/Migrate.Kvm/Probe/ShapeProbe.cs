using Migrate.Kvm.Native;
using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Kvm.Probe;

/// <summary>A measured shape, with the values by which it can be recognised again.</summary>
/// <param name="Shape">As the profile has it.</param>
/// <param name="Measured">What each register was measured to do, in list order.</param>
internal sealed record MeasuredShape(HostShape Shape, IReadOnlyList<Measured> Measured);

/// <summary>Measures every register of one VM configuration.</summary>
internal sealed class ShapeProbe(IProbeHost host, ProbeNotes notes)
{
    private const ulong Leap = 1UL << 50;

    private static readonly RegisterId CacheLevels = RegisterId.System(3, 1, 0, 0, 1);

    /// <summary>Makes scratch VMs of the configuration and tries.</summary>
    /// <param name="features">Features that the host was seen to accept.</param>
    /// <param name="gic">An interrupt controller that the host was seen to offer.</param>
    /// <param name="without">
    /// The same features without a GIC, where that was measured before. The GIC decides <see cref="Couplings.OfGic"/>; these are measured anew, and so is every
    /// register that a new value, an accepted value or a refused one shows to be another. The rest is taken over.
    /// </param>
    public MeasuredShape Measure(VcpuFeatures features, GicKind gic, MeasuredShape? without = null)
    {
        var request = new ScratchVm(features, gic);
        var first = host.Create(request);
        if (first.Vm is null) return Refused(features, gic, first.Errno, first.RefusedAt);
        first.Vm.Dispose();

        using var pool = new ScratchPool(host, request);
        if (pool.Vm.List(0, out var ids) is not 0 and var unlisted)
        {
            notes.Add(features.ToString(), $"KVM_GET_REG_LIST answered errno {unlisted}");
            return Refused(features, gic, unlisted, "list");
        }
        var resets = Resets(pool.Vm, ids);
        var registers = new RegisterAcceptance[ids.Length];
        var measured = new Measured[ids.Length];
        var before = Before(without);
        var probe = new RegisterProbe(pool, notes);
        for (var i = 0; i < ids.Length; i++)
        {
            var (reset, moves) = resets[i];
            if (before.TryGetValue(ids[i], out var known) && !Couplings.OfGic(ids[i]) && IsStill(known, probe, reset)) measured[i] = known.Measured;
            else measured[i] = reset is { } own ? Measure(pool, probe, ids[i], ref own, moves, request) : Measured.Nothing;
            if (measured[i].Stored.Volatile) reset = new RegisterValue(new byte[ids[i].Size]);
            registers[i] = new RegisterAcceptance { Id = ids[i], Reset = reset, Scope = Usual(ids[i]), Accepts = measured[i].Accepts, Stored = measured[i].Stored };
        }
        Undisturbed(pool.Vm, registers);
        Scopes(request, registers, measured);
        Frozen(request, registers, measured);
        var conditions = without is null
            ? new DependentProbe(host, request, notes).Measure(pool, registers)
            : before.ToDictionary(entry => entry.Key, entry => entry.Value.Acceptance.When);
        for (var i = 0; i < registers.Length; i++)
            if (conditions.TryGetValue(ids[i], out var when)) registers[i] = registers[i] with { When = when };
        return new(new HostShape { Features = features, Gic = gic, Evidence = Evidence.Measured, Registers = EquatableArray.Create<RegisterAcceptance>(registers) }, measured);
    }

    private static MeasuredShape Refused(VcpuFeatures features, GicKind gic, int errno, string at) =>
        new(new HostShape { Features = features, Gic = gic, Errno = errno, RefusedAt = at }, []);

    private static Dictionary<RegisterId, (RegisterAcceptance Acceptance, Measured Measured)> Before(MeasuredShape? shape)
    {
        var before = new Dictionary<RegisterId, (RegisterAcceptance, Measured)>();
        for (var i = 0; i < (shape?.Measured.Count ?? 0); i++) before.Add(shape!.Shape.Registers[i].Id, (shape.Shape.Registers[i], shape.Measured[i]));
        return before;
    }

    /// <summary>Whether a register has the value it had and still answers a value that was taken and one that was refused in the same way.</summary>
    private static bool IsStill((RegisterAcceptance Acceptance, Measured Measured) known, RegisterProbe probe, RegisterValue? reset)
    {
        var (id, measured) = (known.Acceptance.Id, known.Measured);
        if (measured.Stored.Volatile || id == VectorLengthProbe.Id) return true;
        if (known.Acceptance.Reset != reset || reset is not { } own) return false;
        if (measured.Accepts.Kind == AcceptanceKind.Unproven) return false;
        var still = true;
        if (measured.Other is { } other) still = probe.Write(id, other) is { Errno: 0 } taken && taken.Read == measured.Stored.Of(other);
        if (still && measured.Refused is { } refused) still = probe.Write(id, refused).Errno != 0;
        probe.Restore(id, own);
        return still;
    }

    /// <summary>Every value twice, one whole pass apart: what differs moves by itself.</summary>
    private (RegisterValue? Reset, bool Moves)[] Resets(IProbeVm vm, RegisterId[] ids)
    {
        var resets = new (RegisterValue? Reset, bool Moves)[ids.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            var errno = vm.Get(0, ids[i], out var value);
            if (errno == 0) resets[i].Reset = value;
            else notes.Add(RegisterCatalog.Name(ids[i]), $"listed, but KVM_GET_ONE_REG answers errno {errno}");
        }
        for (var i = 0; i < ids.Length; i++)
            resets[i].Moves = resets[i].Reset is { } before && vm.Get(0, ids[i], out var after) == 0 && after != before;
        return resets;
    }

    private Measured Measure(ScratchPool pool, RegisterProbe probe, RegisterId id, ref RegisterValue reset, bool moves, in ScratchVm request)
    {
        if (id == VectorLengthProbe.Id)
        {
            using var early = host.Create(request with { Finalize = false }).Vm;
            return early is null ? Measured.Nothing : VectorLengthProbe.Measure(early, out reset);
        }
        foreach (var (control, compare) in Couplings.TimerStatus)
            if (id == control) moves |= ShowsTime(pool, probe, control, compare);
        return probe.Measure(id, reset, moves);
    }

    /// <summary>Whether a timer's control shows that its compare value has passed: it reads differently with one that has and one that has not.</summary>
    private static bool ShowsTime(ScratchPool pool, RegisterProbe probe, RegisterId control, RegisterId compare)
    {
        if (pool.Vm.Get(0, compare, out var before) != 0) return false;
        pool.Vm.Set(0, compare, new RegisterValue(0));
        var passed = probe.Write(control, new RegisterValue(0));
        pool.Vm.Set(0, compare, new RegisterValue(ulong.MaxValue));
        var ahead = probe.Write(control, new RegisterValue(0));
        pool.Vm.Set(0, compare, before);
        return passed.Read != ahead.Read;
    }

    /// <summary>A register that reads other than in a new VM although nobody is measuring it was changed by writing another.</summary>
    private void Undisturbed(IProbeVm vm, RegisterAcceptance[] registers)
    {
        foreach (var register in registers)
            if (!register.Stored.Volatile && register.Reset is { } reset && vm.Get(0, register.Id, out var now) == 0 && now != reset)
                notes.Add(RegisterCatalog.Name(register.Id), $"reads {now.ToShortString()} instead of {reset.ToShortString()} after other registers were written and restored");
    }

    /// <summary>Writes through one vCPU and reads through another.</summary>
    private void Scopes(ScratchVm request, RegisterAcceptance[] registers, Measured[] measured)
    {
        var answer = host.Create(request with { Vcpus = 2 });
        if (answer.Vm is not { } vm)
        {
            notes.Add(request.Features.ToString(), $"a VM of two vCPUs is refused at {answer.RefusedAt} with errno {answer.Errno}: scopes are taken for the usual ones");
            return;
        }
        using (vm)
        {
            for (var i = 0; i < registers.Length; i++)
                if (Scope(vm, registers[i], measured[i]) is { } scope) registers[i] = registers[i] with { Scope = scope };
        }
    }

    /// <summary>Whose a register is; null where no write shows it. One that is shared in part is each vCPU's: then all of it is written through each.</summary>
    private RegisterScope? Scope(IProbeVm vm, RegisterAcceptance register, Measured measured)
    {
        var id = register.Id;
        if (id == VectorLengthProbe.Id) return null;
        var (shared, changed, written) = (true, false, false);
        foreach (var other in measured.Others)
        {
            if (vm.Get(1, id, out var before) != 0) continue;
            var value = register.Stored.Volatile ? new RegisterValue(before.Low + Leap) : other;
            if (vm.Set(0, id, value) != 0 || vm.Get(0, id, out var here) != 0 || vm.Get(1, id, out var there) != 0) continue;
            written = true;
            if (register.Stored.Volatile)
            {
                shared = changed = there.Low - before.Low >= Leap / 2;
                break;
            }
            shared &= here == there;
            changed |= there != before;
        }
        if (!written) return null;
        if (register.Reset is { } reset) vm.Set(0, id, reset);
        if (changed && !shared) notes.Add(RegisterCatalog.Name(id), "in part the VM's and in part the vCPU's own: taken for the vCPU's");
        return shared && changed ? RegisterScope.Vm : RegisterScope.Vcpu;
    }

    /// <summary>Runs the tiny guest once, then writes another value: EBUSY says that it is too late.</summary>
    private void Frozen(ScratchVm request, RegisterAcceptance[] registers, Measured[] measured)
    {
        var answer = host.Create(request with { Runnable = true });
        using var vm = answer.Vm;
        var errno = vm is null ? answer.Errno : TinyGuest.Start(vm, out _);
        if (vm is null || errno != 0)
        {
            notes.Add(request.Features.ToString(), $"such a VM does not run (errno {errno}{(vm is null ? " at " + answer.RefusedAt : "")}): which registers freeze at first run was not measured");
            return;
        }
        for (var i = 0; i < registers.Length; i++)
        {
            var id = registers[i].Id;
            if (vm.Get(0, id, out var now) != 0) continue;
            var frozen = id == VectorLengthProbe.Id
                ? VectorLengthProbe.IsFrozen(vm, now)
                : Candidate(measured[i], registers[i].Reset, now) is { } value && vm.Set(0, id, value) == KvmErrno.EBUSY;
            if (frozen) registers[i] = registers[i] with { FrozenAfterRun = true };
        }
    }

    /// <summary>A value unlike the current one that would be taken if the VM had not run; where there is none, one that would be refused otherwise.</summary>
    private static RegisterValue? Candidate(Measured measured, RegisterValue? reset, RegisterValue now)
    {
        if (measured.Other is { } other) return other != now ? other : reset;
        return measured.Refused is { } refused && refused != now ? refused : null;
    }

    /// <summary>Where writing cannot show it, because only a new VM's own value is taken: identification and firmware belong to the VM, cache geometry to the vCPU.</summary>
    private static RegisterScope Usual(RegisterId id) => id.Class switch
    {
        RegisterClass.Firmware or RegisterClass.FirmwareBitmap => RegisterScope.Vm,
        RegisterClass.System when id == CacheLevels => RegisterScope.Vcpu,
        RegisterClass.System when id.Index >> 14 == 3 && ((id.Index >> 7) & 15) == 0 && ((id.Index >> 11) & 7) is 0 or 1 or 3 => RegisterScope.Vm,
        _ => RegisterScope.Vcpu,
    };
}
