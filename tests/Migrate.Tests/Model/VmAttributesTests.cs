using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Machines;
using Migrate.Tests.Preflight;

namespace Migrate.Tests.Model;

public class VmAttributesTests
{
    /// <summary>Bytes of struct kvm_pmu_event_filter, typed from the kernel's header: u16 base_event, u16 nevents, u8 action, u8 pad[3].</summary>
    [Fact]
    public void A_filter_has_the_kernels_own_layout_and_order()
    {
        PmuFilterRange[] ranges = [new(0x1234, 0x0002, PmuFilterAction.Deny), new(0x11, 1, PmuFilterAction.Allow)];
        var attribute = VmAttributes.Filter(ranges);
        Assert.Equal([0x34, 0x12, 0x02, 0x00, 1, 0, 0, 0, 0x11, 0, 0x01, 0x00, 0, 0, 0, 0], attribute.Value);
        Assert.Equal(ranges, VmAttributes.FilterOf(attribute));
        Assert.Equal("deny 0x1234-0x1235, allow 0x11", VmAttributes.Describe(attribute));
    }

    [Theory]
    [InlineData(new byte[0], "no multiple of 8")]
    [InlineData(new byte[] { 1, 2, 3 }, "no multiple of 8")]
    [InlineData(new byte[] { 0, 0, 1, 0, 2, 0, 0, 0 }, "the action 2 at byte 4")]
    [InlineData(new byte[] { 0, 0, 1, 0, 0, 0, 0, 1 }, "padding that is not zero at byte 5")]
    [InlineData(new byte[] { 0, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 2, 0, 0, 0, 0, 0 }, "beyond event 0xffff at byte 8")]
    public void A_filter_that_is_none_is_told_with_its_offset(byte[] value, string problem) =>
        Assert.Contains(problem, VmAttributes.Problem(new(VmAttributes.PmuFilter, AttributeType.Bytes, true, value.ToEquatableArray())));

    [Theory]
    [InlineData("armv8_pmuv3_0", true)]
    [InlineData("", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    public void A_pmu_name_cannot_leave_its_directory(string name, bool isName) =>
        Assert.Equal(isName, VmAttributes.Problem(VmAttributes.Text(VmAttributes.PmuName, name)) is null);

    [Fact]
    public void A_number_of_counters_ends_at_the_architectures()
    {
        Assert.Null(VmAttributes.Problem(VmAttributes.Number(VmAttributes.PmuCounters, 31)));
        Assert.Contains("at most 31", VmAttributes.Problem(VmAttributes.Number(VmAttributes.PmuCounters, 32)));
    }

    [Fact]
    public void A_known_name_with_another_type_is_refused_and_an_unknown_name_is_nobodys_business()
    {
        Assert.Equal("counter-offset is a flag", VmAttributes.Problem(VmAttributes.Number(VmAttributes.CounterOffset, 1)));
        Assert.Null(VmAttributes.Problem(VmAttributes.Number("vendor.thing", 1)));
    }

    [Fact]
    public void A_document_keeps_every_known_attribute_and_refuses_a_malformed_one()
    {
        VmAttribute[] good = [VmAttributes.Flag(VmAttributes.CounterOffset), VmAttributes.Text(VmAttributes.PmuName, "p"), VmAttributes.Filter([new(0, 1, PmuFilterAction.Deny)])];
        var vm = Given.Machine().Vm with { Attributes = [.. good] };
        Assert.Equal(vm, MessagePackEncoding.Decode(Documents.VmDescription, MessagePackEncoding.Encode(Documents.VmDescription, vm)));
        var bad = vm with { Attributes = [new(VmAttributes.PmuFilter, AttributeType.Bytes, true, [1])] };
        Assert.Contains("pmu.filter has 1 bytes", Assert.Throws<MigrateException>(() => JsonEncoding.Encode(Documents.VmDescription, bad)).Message);
    }

    [Fact]
    public void Two_states_differ_in_the_value_of_an_attribute_too()
    {
        var here = Given.Machine().WithVm(vm => vm with { Attributes = [VmAttributes.Number(VmAttributes.PmuCounters, 4)] });
        var there = here.WithVm(vm => vm with { Attributes = [VmAttributes.Number(VmAttributes.PmuCounters, 6)] });
        Assert.Equal(new StateDifference("attributes", "pmu.counters 4", "pmu.counters 6"), Assert.Single(StateDifference.Between(here, there)));
    }
}
