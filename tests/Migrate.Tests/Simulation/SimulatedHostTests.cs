using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Simulation.Hosts;
using static Migrate.Tests.Simulation.SimulatedProfiles;

namespace Migrate.Tests.Simulation;

public class SimulatedHostTests
{
    private const int EPERM = 1, ENOENT = 2, ENXIO = 6, E2BIG = 7, ENOEXEC = 8, EFAULT = 14, EBUSY = 16, EEXIST = 17, ENODEV = 19, EINVAL = 22;

    private static readonly VcpuFeatures Min = VcpuFeatures.Psci02;
    private static readonly VcpuFeatures All = new(0x7c);

    private static CreateVm Vm(ulong type = 0) => new(new VmType(type));
    private static MapMemory Map(int slot, ulong address, ulong size) => new(new MemorySlot(slot, address, size));
    private static InstallFilter Filter(uint first, uint count, SmcccAction action = SmcccAction.Deny) => new(new SmcccFilterRange(first, count, action));
    private static WriteRegister Write(RegisterId id, ulong value, int vcpu = 0) => new(vcpu, id, new RegisterValue(value, id.Size), null, StepPhase.Apply);
    private static RegisterId Z0 => RegisterId.Of(RegisterClass.Sve, 0, 256);
    private static VmAttribute Flag(string name) => new(name, AttributeType.Flag, true, default);

    private static ConfigurePmu Deny() => new(VmAttributes.Filter([new PmuFilterRange(0x11, 1, PmuFilterAction.Deny)]));

    /// <summary>Name, steps that succeed, the step in question, its errno.</summary>
    private static readonly (string Name, RestoreStep[] Before, RestoreStep Step, int Errno)[] Table =
    [
        ("memory before a VM", [], Map(0, 0, 4096), EINVAL),
        ("vCPU before a VM", [], new CreateVcpu(0, Min), EINVAL),
        ("register before a VM", [], Write(TpidrEl0, 1), EINVAL),
        ("second VM", [Vm()], Vm(), EEXIST),
        ("address bits the host has", [], Vm(48), 0),
        ("address bits the host lacks", [], Vm(47), EINVAL),
        ("address bits below 32", [], Vm(31), EINVAL),
        ("unknown VM type bits", [], Vm(0x100), EINVAL),
        ("protected VM without pKVM", [], Vm(1UL << 31), EINVAL),

        ("register before its vCPU", [Vm()], Write(TpidrEl0, 1), ENOEXEC),
        ("register of another vCPU", [Vm(), new CreateVcpu(0, Min)], Write(TpidrEl0, 1, vcpu: 1), ENOEXEC),
        ("events before the vCPU", [Vm()], new SetEvents(0, default), ENOEXEC),
        ("power state before the vCPU", [Vm()], new SetMpState(0, MpState.Runnable), ENOEXEC),
        ("finalize before the vCPU", [Vm()], new FinalizeSve(0), ENOEXEC),

        ("vCPU twice", [Vm(), new CreateVcpu(0, Min)], new CreateVcpu(0, Min), EEXIST),
        ("vCPU beyond the last", [Vm()], new CreateVcpu(512, Min), EINVAL),
        ("unknown feature", [Vm()], new CreateVcpu(0, new VcpuFeatures(1UL << 20)), ENOENT),
        ("shape the host refuses", [Vm()], new CreateVcpu(0, Min | VcpuFeatures.El2), EINVAL),
        ("shape nobody measured", [Vm()], new CreateVcpu(0, Min | VcpuFeatures.PmuV3), EINVAL),
        ("vCPUs of different features", [Vm(), new CreateVcpu(0, Min)], new CreateVcpu(1, All), EINVAL),
        ("vCPU that starts powered off", [Vm(), new CreateVcpu(0, Min)], new CreateVcpu(1, Min | VcpuFeatures.PowerOff), 0),

        ("memory", [Vm()], Map(0, 0x4000_0000, 0x1000), 0),
        ("memory up to the limit", [Vm(36)], Map(0, (1UL << 36) - 0x1000, 0x1000), 0),
        ("memory beyond the limit", [Vm(36)], Map(0, (1UL << 36) - 0x1000, 0x2000), EFAULT),
        ("memory beyond all addresses", [Vm()], Map(0, ulong.MaxValue - 0xfff, 0x2000), EINVAL),
        ("empty memory", [Vm()], Map(0, 0, 0), EINVAL),
        ("memory of half a page", [Vm()], Map(0, 0, 0x800), EINVAL),
        ("memory at half a page", [Vm()], Map(0, 0x800, 0x1000), EINVAL),
        ("slot number beyond the last", [Vm()], Map(32767, 0, 0x1000), EINVAL),
        ("slot twice", [Vm(), Map(0, 0, 0x1000)], Map(0, 0x10_0000, 0x2000), EINVAL),
        ("memory over memory", [Vm(), Map(0, 0x1000, 0x2000)], Map(1, 0x2000, 0x1000), EEXIST),
        ("memory beside memory", [Vm(), Map(0, 0x1000, 0x2000)], Map(1, 0x3000, 0x1000), 0),

        ("known capability", [Vm()], new SetAttribute(Flag("cap.arm-mte")), 0),
        ("unknown attribute", [Vm()], new SetAttribute(Flag("vendor.thing")), EINVAL),
        ("capability that is absent", [Vm()], new SetAttribute(Flag("cap.arm-system-suspend")), EINVAL),
        ("capability after a vCPU", [Vm(), new CreateVcpu(0, Min)], new SetAttribute(Flag("cap.arm-mte")), EINVAL),

        ("PMU filter before its vCPU", [Vm()], Deny(), ENOEXEC),
        ("PMU filter without a PMU", [Vm(), new CreateVcpu(0, Min)], Deny(), ENODEV),
        ("PMU filter", [Vm(), new CreateVcpu(0, All)], Deny(), 0),
        ("PMU filter that is none", [Vm(), new CreateVcpu(0, All)], new ConfigurePmu(new VmAttribute("pmu.filter", AttributeType.Bytes, true, [1])), EINVAL),
        ("PMU by its name", [Vm(), new CreateVcpu(0, All)], new ConfigurePmu(VmAttributes.Text("pmu.name", "armv8_pmuv3_0")), 0),
        ("PMU by another name", [Vm(), new CreateVcpu(0, All)], new ConfigurePmu(VmAttributes.Text("pmu.name", "armv8_other")), ENXIO),
        ("PMU counters that the kernel cannot set", [Vm(), new CreateVcpu(0, All)], new ConfigurePmu(VmAttributes.Number("pmu.counters", 2)), ENXIO),
        ("counter offset before a vCPU", [Vm()], new SetCounterOffset(1), ENOEXEC),
        ("counter offset", [Vm(), new CreateVcpu(0, Min)], new SetCounterOffset(1), 0),

        ("finalize", [Vm(), new CreateVcpu(0, All)], new FinalizeSve(0), 0),
        ("finalize twice", [Vm(), new CreateVcpu(0, All), new FinalizeSve(0)], new FinalizeSve(0), EPERM),
        ("finalize without SVE", [Vm(), new CreateVcpu(0, Min)], new FinalizeSve(0), EINVAL),
        ("vector lengths after finalize", [Vm(), new CreateVcpu(0, All), new FinalizeSve(0)],
            new WriteRegister(0, VectorLengths, Lengths(1), null, StepPhase.Prepare), EPERM),
        ("vector lengths the host lacks", [Vm(), new CreateVcpu(0, All)],
            new WriteRegister(0, VectorLengths, Lengths(1), null, StepPhase.Prepare), EINVAL),
        ("vector lengths without SVE", [Vm(), new CreateVcpu(0, Min)],
            new WriteRegister(0, VectorLengths, Lengths(1), null, StepPhase.Prepare), ENOENT),
        ("vector before finalize", [Vm(), new CreateVcpu(0, All)], new WriteRegister(0, Z0, new RegisterValue(new byte[256]), null, StepPhase.Apply), EPERM),
        ("vector after finalize", [Vm(), new CreateVcpu(0, All), new FinalizeSve(0)],
            new WriteRegister(0, Z0, new RegisterValue(new byte[256]), null, StepPhase.Apply), 0),
        ("vector without SVE", [Vm(), new CreateVcpu(0, Min)], new WriteRegister(0, Z0, new RegisterValue(new byte[256]), null, StepPhase.Apply), ENOENT),

        ("unknown register", [Vm(), new CreateVcpu(0, Min)], Write(RegisterId.System(3, 7, 15, 15, 7), 0), ENOENT),
        ("value of another size", [Vm(), new CreateVcpu(0, Min)], new WriteRegister(0, TpidrEl0, new RegisterValue(1, 4), null, StepPhase.Apply), EINVAL),
        ("value the host takes", [Vm(), new CreateVcpu(0, Min)], Write(Psci, 0x10000), 0),
        ("value the host refuses", [Vm(), new CreateVcpu(0, Min)], Write(Psci, 0x10007), EINVAL),
        ("identification register as it is not", [Vm(), new CreateVcpu(0, Min)], Write(Pfr0, 0), EINVAL),
        ("dependent without its controller", [Vm(), new CreateVcpu(0, Min), Write(Mmfr3, 0)], Write(Tcr2, 0), ENOENT),

        ("filter", [Vm()], Filter(0x8400_0050, 4), 0),
        ("empty filter range", [Vm()], Filter(0x8400_0050, 0), EINVAL),
        ("filter range beyond the end", [Vm()], Filter(uint.MaxValue, 2), EINVAL),
        ("last filter id", [Vm()], Filter(uint.MaxValue, 1), 0),
        ("unknown filter action", [Vm()], Filter(0x8400_0050, 1, (SmcccAction)3), EINVAL),
        ("reserved 32-bit range", [Vm()], Filter(0x8000_8000, 1), EEXIST),
        ("reserved 64-bit range", [Vm()], Filter(0xbfff_ffff, 2), EEXIST),
        ("same filter twice", [Vm(), Filter(0x8400_0050, 4)], Filter(0x8400_0050, 4), EEXIST),
        ("overlapping filter", [Vm(), Filter(0x8400_0050, 4)], Filter(0x8400_0053, 4), EEXIST),
        ("neighbouring filter", [Vm(), Filter(0x8400_0050, 4)], Filter(0x8400_0054, 4), 0),

        ("interrupt controller", [Vm()], new CreateGic(new(GicKind.GicV3, 0x800_0000, 0x80a_0000, 0, 64)), 0),
        ("second interrupt controller", [Vm(), new CreateGic(new(GicKind.GicV3))], new CreateGic(new(GicKind.GicV3)), EEXIST),
        ("no kind of interrupt controller", [Vm()], new CreateGic(default), ENODEV),
        ("too few interrupts", [Vm()], new CreateGic(new(GicKind.GicV3, Interrupts: 32)), EINVAL),
        ("misaligned distributor", [Vm()], new CreateGic(new(GicKind.GicV3, 0x800_1000)), EINVAL),
        ("redistributors beyond the limit", [Vm(36)], new CreateGic(new(GicKind.GicV3, 0, 1UL << 36)), E2BIG),
        ("device state without the device", [Vm()], new WriteDevice(new DeviceState("gicv3", default)), ENODEV),
        ("vCPU after the controller's state", [Vm(), new CreateGic(new(GicKind.GicV3)), new WriteDevice(new DeviceState("gicv3", default))],
            new CreateVcpu(0, Min), EBUSY),

        ("handler", [Vm()], new RestoreHandler(new HandlerState("psci", 1, default)), 0),
        ("unknown handler", [Vm()], new RestoreHandler(new HandlerState("sdei", 1, default)), ENOENT),
        ("events", [Vm(), new CreateVcpu(0, Min)], new SetEvents(0, new(true, true, 0x1ff_ffff, false)), 0),
        ("too wide a syndrome", [Vm(), new CreateVcpu(0, Min)], new SetEvents(0, new(true, true, 0x200_0000, false)), EINVAL),
        ("power state off", [Vm(), new CreateVcpu(0, Min)], new SetMpState(0, MpState.Stopped), 0),
        ("power state the host lacks", [Vm(), new CreateVcpu(0, Min)], new SetMpState(0, MpState.Suspended), EINVAL),
        ("power state that is none", [Vm(), new CreateVcpu(0, Min)], new SetMpState(0, (MpState)99), EINVAL),
    ];

    public static TheoryData<string> Names => [.. Table.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Answers_a_step_as_the_kernel_would(string name)
    {
        var (_, before, step, errno) = Table.Single(row => row.Name == name);
        var target = new SimulatedHost(WithSve).NewTarget();

        var answers = target.Execute([.. before, step]);

        Assert.All(answers.Take(before.Length), answer => Assert.Equal(0, answer.Errno));
        Assert.Equal(errno, answers[^1].Errno);
    }

    [Fact]
    public void A_counter_offset_moves_the_counters_of_every_vcpu_and_makes_their_writes_vain()
    {
        var target = new SimulatedHost(WithSve).NewTarget();
        target.Execute([Vm(), new CreateVcpu(0, Min), new CreateVcpu(1, Min)]);
        Assert.Equal(0, target.Execute([new SetCounterOffset(1UL << 50)])[0].Errno);
        Assert.Equal(0, target.Execute([Write(Count, 5, vcpu: 1)])[0].Errno);
        Assert.All(target.Read([new(0, Count), new(1, Count)]), a => Assert.True(a.Value!.Value.Low >= 1UL << 50));
    }

    [Fact]
    public void A_host_without_counter_offset_refuses_it()
    {
        var target = new SimulatedHost(WithSve with { Capabilities = [new("counter-offset", 0)] }).NewTarget();
        Assert.Equal([0, 0, EINVAL], target.Execute([Vm(), new CreateVcpu(0, Min), new SetCounterOffset(1)]).Select(a => a.Errno));
    }

    [Fact]
    public void Refuses_what_comes_after_the_first_run()
    {
        var target = Ready();
        Assert.True(target.Run(0).Succeeded);

        var answers = target.Execute(
        [
            Write(StandardBitmap, 0), Write(StandardBitmap, 1), Write(StandardBitmap, 2), Filter(0x8400_0050, 1), Filter(0, 0),
            new CreateGic(new(GicKind.GicV3)), Write(TpidrEl0, 5), Write(Psci, 0x10000),
        ]);

        Assert.Equal([EBUSY, 0, EINVAL, EBUSY, EINVAL, EBUSY, 0, 0], answers.Select(a => a.Errno));
    }

    [Fact]
    public void Takes_before_the_first_run_what_it_freezes_then() => Assert.Equal(0, Ready().Execute([Write(StandardBitmap, 0)])[0].Errno);

    [Fact]
    public void Runs_no_vcpu_before_it_is_finalized()
    {
        var target = new SimulatedHost(WithSve).NewTarget();
        Assert.Equal(ENOEXEC, target.Run(0).Errno);
        target.Execute([Vm(), new CreateVcpu(0, All)]);
        Assert.Equal(EPERM, target.Run(0).Errno);
        target.Execute([new FinalizeSve(0)]);
        Assert.Equal(0, target.Run(0).Errno);
    }

    [Fact]
    public void Has_no_filter_where_the_host_has_none()
    {
        var target = new SimulatedHost(WithSve with { HasSmcccFilter = false }).NewTarget();
        Assert.Equal([0, ENXIO], target.Execute([Vm(), Filter(0x8400_0050, 0)]).Select(a => a.Errno));
    }

    [Fact]
    public void Reads_back_what_the_host_stores_instead()
    {
        var target = Ready();
        target.Execute([Write(Workaround1, 0), Write(TpidrEl0, 7)]);
        Assert.Equal([new RegisterValue(ResetOf(Workaround1)), new RegisterValue(7)], Read(target, (0, Workaround1), (0, TpidrEl0)).Select(a => a.Value!.Value));
    }

    [Fact]
    public void Keeps_the_old_value_after_a_refusal()
    {
        var target = Ready();
        target.Execute([Write(Psci, 0x10000), Write(Psci, 0x10007)]);
        Assert.Equal(new RegisterValue(0x10000), Read(target, (0, Psci))[0].Value);
    }

    [Fact]
    public void Shares_registers_of_the_vm_and_no_others_between_vcpus()
    {
        var target = Ready();
        target.Execute([new CreateVcpu(1, Min), Write(Psci, 0x10000, vcpu: 1), Write(TpidrEl0, 7, vcpu: 1)]);
        Assert.Equal([new RegisterValue(0x10000), new RegisterValue(ResetOf(TpidrEl0))], Read(target, (0, Psci), (0, TpidrEl0)).Select(a => a.Value!.Value));
    }

    [Fact]
    public void A_dependent_register_follows_its_controller()
    {
        var target = Ready();
        Assert.Equal([0, 0], target.Execute([Write(Mmfr3, 1), Write(Tcr2, 1)]).Select(a => a.Errno));
        Assert.Equal(0, Read(target, (0, Tcr2))[0].Errno);
        target.Execute([Write(Mmfr3, 0)]);
        Assert.Equal(ENOENT, Read(target, (0, Tcr2))[0].Errno);
    }

    [Fact]
    public void Reading_obeys_the_same_order_as_writing()
    {
        var target = new SimulatedHost(WithSve).NewTarget();
        Assert.Equal(ENOEXEC, Read(target, (0, TpidrEl0))[0].Errno);
        target.Execute([Vm(), new CreateVcpu(0, All)]);
        Assert.Equal([EPERM, 0, ENOENT], Read(target, (0, Z0), (0, VectorLengths), (0, RegisterId.System(3, 7, 15, 15, 7))).Select(a => a.Errno));
    }

    [Fact]
    public void Numbers_its_vcpus_by_affinity()
    {
        var target = Ready();
        target.Execute([new CreateVcpu(17, Min)]);
        var mpidr = Read(target, (0, Mpidr), (17, Mpidr)).Select(a => a.Value!.Value.Low).ToArray();
        Assert.Equal(mpidr[0] + 0x101, mpidr[1]);
    }

    [Fact]
    public void The_counter_moves_on_from_what_was_written()
    {
        var target = Ready();
        target.Execute([Write(Count, 1UL << 40)]);
        Assert.InRange(Read(target, (0, Count))[0].Value!.Value.Low, 1UL << 40, 1UL << 41);
    }

    [Fact]
    public void Takes_every_reset_value_back()
    {
        var target = Ready();
        foreach (var register in WithSve.Shape(Min, GicKind.None)!.Registers.Where(r => r.Id != Tcr2))
            Assert.Equal(0, target.Execute([new WriteRegister(0, register.Id, register.Reset!.Value, null, StepPhase.Apply)])[0].Errno);
    }

    private static SimulatedTarget Ready()
    {
        var target = new SimulatedHost(WithSve).NewTarget();
        Assert.All(target.Execute([Vm(), new CreateVcpu(0, Min)]), answer => Assert.True(answer.Succeeded));
        return target;
    }

    private static IReadOnlyList<ReadAnswer> Read(SimulatedTarget target, params (int Vcpu, RegisterId Id)[] registers) =>
        target.Read([.. registers.Select(r => new RegisterAddress(r.Vcpu, r.Id))]);

    private static RegisterValue Lengths(byte first)
    {
        var bytes = new byte[64];
        bytes[0] = first;
        return new RegisterValue(bytes);
    }

    [Fact]
    public void A_scratch_vm_says_that_it_judges_no_device_and_owns_nothing()
    {
        using var scratch = new SimulatedHost(WithSve).NewScratch();
        var write = new WriteDevice(new DeviceState("gicv3", [new DeviceAttribute(1, 0, new RegisterValue(1))]));
        RestoreStep[] steps = [Vm(), new CreateVcpu(0, Min), new CreateGic(new GicDescription(GicKind.GicV3, 0x0800_0000, 0x080a_0000)), write];
        Assert.All(scratch.Execute(steps), a => Assert.True(a.Succeeded, a.Note));
        Assert.Same(write, Assert.Single(scratch.Untried).Step);
    }
}
