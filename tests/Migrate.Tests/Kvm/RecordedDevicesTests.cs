using Migrate.Kvm.State;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Kvm;

/// <summary>What real kernels gave (tests/Data/lab), held against the tables that schemas/machine-state.md shows.</summary>
public class RecordedDevicesTests
{
    private static readonly RegisterId Mpidr = RegisterId.System(3, 0, 0, 0, 5);

    public static TheoryData<string> States =>
        [.. Directory.GetFiles(Repository.Data("lab"), "*.*", SearchOption.AllDirectories).Where(f => Path.GetExtension(f) is ".state" or ".vm")
            .Select(f => Path.GetRelativePath(Repository.Data("lab"), f)).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(States))]
    public void A_recorded_state_has_what_the_tables_name_in_their_order_and_nothing_else(string file)
    {
        var state = Read(file);
        Assert.Equal(StateTable.Devices.Select(d => d.Kind).Where(k => state.Devices.Any(d => d.Kind == k)), state.Devices.Select(d => d.Kind));
        foreach (var device in state.Devices.AsEnumerable())
        {
            var named = StateTable.Devices.Single(d => d.Kind == device.Kind).Blocks.SelectMany(b => b.Attributes(Geometry(state)).Select(a => (Block: b, Attribute: a))).ToList();
            var at = 0;
            foreach (var recorded in device.Attributes.AsEnumerable())
            {
                for (; at < named.Count && (named[at].Block.Group, named[at].Attribute) != (recorded.Group, recorded.Attribute); at++) MayBeAbsent(named[at].Block, named[at].Attribute);
                Assert.True(at < named.Count, $"{device.Kind} {recorded.Group}/0x{recorded.Attribute:x} is in no table, or elsewhere");
                var block = named[at++].Block;
                Assert.Equal(block.Bytes, recorded.Value.Size);
                if (block.Use == AttributeUse.Command) Assert.True(recorded.Value.IsZero);
                if (block.Unset is { } unset) Assert.NotEqual(unset, recorded.Value.Low);
                if (block.Use == AttributeUse.ClearOthers) Assert.Equal(~(uint)Of(device, block.Group, recorded.Attribute + (ulong)block.SetRegisterAt), (uint)recorded.Value.Low);
            }
            for (; at < named.Count; at++) MayBeAbsent(named[at].Block, named[at].Attribute);
        }

        void MayBeAbsent(AttributeBlock block, ulong attribute) => Assert.True(
            block.Unset is not null || block.AbsentWhen.Length != 0
            // The timers of EL2, which older kernels do not know.
            || (block.Name == "timer interrupts" && VcpuAttributeTable.AttributeOf(attribute) is 2 or 3),
            $"{block.Name} 0x{attribute:x} is missing");
    }

    /// <summary>KVM answers whether the CPU has RAS, pending or not; the syndrome only with an SError.</summary>
    [Theory, MemberData(nameof(States))]
    public void A_recorded_vcpu_without_an_SError_has_no_syndrome(string file) =>
        Assert.All(Read(file).Vcpus.AsEnumerable(), v => Assert.True(!v.Events.ExternalDataAbortPending && (v.Events.SErrorPending || v.Events.SErrorEsr == 0), v.Events.ToString()));

    [Fact]
    public void Old_and_new_kernels_with_a_GIC_are_among_the_recorded_ones()
    {
        foreach (var kernel in new[] { "5.10", "6.1", "6.12", "7.2" })
            Assert.Contains(States.Select(s => s.Data), f => f.StartsWith(kernel + ".", StringComparison.Ordinal) && Read(f).Devices.Any(d => d.Kind == "gicv3"));
    }

    private static MachineState Read(string file) => (MachineState)DocumentFile.Read(File.ReadAllBytes(Repository.Data("lab", file)), file).Value;

    private static ulong Of(DeviceState device, uint group, ulong attribute) => device.Attributes.AsEnumerable().Single(a => a.Group == group && a.Attribute == attribute).Value.Low;

    /// <summary>As <see cref="KvmCapture"/> asks KVM for it; 256 interrupts are what it gives unasked.</summary>
    private static DeviceGeometry Geometry(MachineState state)
    {
        var places = state.Vcpus.Select(v => new VcpuPlace(v.Index, VcpuPlace.AffinityOf(v.Registers.TryGet(Mpidr, out var mpidr) ? mpidr.Low : 0))).ToList();
        return new(places, state.Vm.Gic.Interrupts == 0 ? 256 : state.Vm.Gic.Interrupts,
            state.Vm.Features.Has(VcpuFeatures.PmuV3), state.Vm.Gic.Kind == GicKind.GicV3, state.Vm.Features.Has(VcpuFeatures.El2));
    }
}
