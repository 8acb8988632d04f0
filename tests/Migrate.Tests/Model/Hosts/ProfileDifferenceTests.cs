using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Hosts;

public class ProfileDifferenceTests
{
    private static readonly HostProfile Host = Read("6.12.neoverse-n1");

    private static HostProfile Read(string host)
    {
        var path = Repository.Data("lab", host, "probe.profile");
        return (HostProfile)DocumentFile.Read(File.ReadAllBytes(path), path).Value;
    }

    [Fact]
    public void A_host_does_not_differ_from_itself() => Assert.Empty(ProfileDifference.Between(Host, Host with { }));

    public static TheoryData<string, Func<HostProfile, HostProfile>> Changes => new()
    {
        { "boot", p => p with { Boot = p.Boot with { BootId = "other" } } },
        { "host name", p => p with { Boot = p.Boot with { HostName = "other" } } },
        { "kernel", p => p with { Boot = p.Boot with { KernelRelease = "other" } } },
        { "kernel build", p => p with { Boot = p.Boot with { KernelBuild = "other" } } },
        { "command line", p => p with { Boot = p.Boot with { CommandLine = "other" } } },
        { "KVM mode", p => p with { Boot = p.Boot with { KvmMode = "other" } } },
        { "page size", p => p with { Boot = p.Boot with { PageSize = 1 } } },
        { "evidence", p => p with { Evidence = Evidence.Assumed } },
        { "origin", p => p with { Origin = "other" } },
        { "address sizes", p => p with { IpaSizes = [32] } },
        { "SMCCC filter", p => p with { HasSmcccFilter = null } },
        { "counter frequency", p => p with { CounterFrequency = 1 } },
        { "capability other", p => p with { Capabilities = [.. p.Capabilities, new HostCapability("other", 1)] } },
        { "service other", p => p with { Services = [.. p.Services, "other"] } },
        { "handler other", p => p with { Handlers = ["other"] } },
        { "attribute other", p => p with { KnownAttributes = [.. p.KnownAttributes, "other"] } },
        { "shape", p => p with { Shapes = [.. p.Shapes.Skip(1)] } },
        { "shape", p => Shape(p, s => s with { Errno = 5 }) },
        { "shape", p => Shape(p, s => s with { RefusedAt = "finalize", Errno = 5 }) },
        { "shape", p => Shape(p, s => s with { Evidence = Evidence.Tried }) },
        { "shape", p => Shape(p, s => s with { Capabilities = ["cap.mte"] }) },
        { "shape", p => Shape(p, s => s with { Registers = [.. s.Registers.Reverse()] }) },
        { "MIDR_EL1", p => Shape(p, s => s with { Registers = [.. s.Registers.Where(r => r.Id != Midr)] }) },
        { "MIDR_EL1 belongs to", p => Register(p, Midr, r => r with { Scope = r.Scope == RegisterScope.Vm ? RegisterScope.Vcpu : RegisterScope.Vm }) },
        { "MIDR_EL1 frozen after first run", p => Register(p, Midr, r => r with { FrozenAfterRun = !r.FrozenAfterRun }) },
        { "MIDR_EL1", p => Register(p, Midr, r => r with { Reset = new RegisterValue(r.Reset!.Value.Low ^ 1) }) },
        { "MIDR_EL1 of a new VM", p => Register(p, Midr, r => r with { Reset = null }) },
        { "MIDR_EL1 takes", p => Register(p, Midr, r => r with { Accepts = Acceptance.Any }) },
        { "MIDR_EL1 reads back", p => Register(p, Midr, r => r with { Stored = StoredAs.Always(1) }) },
        { "MIDR_EL1 depending on others", p => Register(p, Midr, r => r with { When = [new Conditional(Mmfr0, 0, 4, 1, null, StoredAs.Unchanged)] }) },
        { "ID_AA64MMFR0_EL1", p => Fields(p, a => a with { Fields = [.. a.Fields.Skip(1)] }) },
        { "ID_AA64MMFR0_EL1", p => Fields(p, a => a with { Fields = [a.Fields[0] with { Mask = (ushort)(a.Fields[0].Mask ^ 1) }, .. a.Fields.Skip(1)] }) },
        { "ID_AA64MMFR0_EL1 other bits must be", p => Fields(p, a => a with { Rest = a.Rest ^ 1 }) },
        { "ID_AA64MMFR0_EL1 refuses with", p => Fields(p, a => a with { Errno = 5 }) },
    };

    [Theory]
    [MemberData(nameof(Changes), DisableDiscoveryEnumeration = true)]
    public void Every_part_of_a_profile_that_differs_is_named(string subject, Func<HostProfile, HostProfile> change)
    {
        var rows = ProfileDifference.Between(Host, change(Host)).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.StartsWith(subject, row.Subject));
        Assert.All(rows, row => Assert.NotEqual(row.Here, row.There));
    }

    [Fact]
    public void What_several_shapes_share_is_one_row_that_counts_them()
    {
        var all = Host with { Shapes = Host.Shapes.Select(s => s with { Registers = s.Registers.Where(r => r.Id != Midr).ToEquatableArray() }).ToEquatableArray() };
        var created = Host.Shapes.Count(s => s.Errno == 0);
        Assert.True(created > 1);
        Assert.Equal(new StateDifference($"MIDR_EL1 ({created} shapes)", "listed", "-"), Assert.Single(ProfileDifference.Between(Host, all)));
    }

    [Fact]
    public void Two_kernels_of_one_CPU_differ_by_fields_and_registers_by_name()
    {
        var rows = ProfileDifference.Between(Host, Read("7.2.neoverse-n1")).ToList();
        Assert.Contains(rows, r => r.Subject.StartsWith("VENDOR_HYP_BMAP_2", StringComparison.Ordinal) && r.Here == "-");
        Assert.Contains(rows, r => r.Subject.StartsWith("ID_AA64PFR0_EL1.RAS takes", StringComparison.Ordinal) || r.Subject.StartsWith("ID_AA64MMFR0_EL1.", StringComparison.Ordinal));
    }

    private static RegisterId Midr => RegisterId.System(3, 0, 0, 0, 0);

    private static RegisterId Mmfr0 => RegisterId.System(3, 0, 0, 7, 0);

    private static HostProfile Shape(HostProfile profile, Func<HostShape, HostShape> change) =>
        profile with { Shapes = profile.Shapes.Select(s => s == profile.Shapes.First(m => m.Registers.Count > 0) ? change(s) : s).ToEquatableArray() };

    private static HostProfile Register(HostProfile profile, RegisterId id, Func<RegisterAcceptance, RegisterAcceptance> change) =>
        Shape(profile, s => s with { Registers = s.Registers.Select(r => r.Id == id ? change(r) : r).ToEquatableArray() });

    private static HostProfile Fields(HostProfile profile, Func<Acceptance, Acceptance> change) =>
        Register(profile, Mmfr0, r => r with { Accepts = change(r.Accepts) });
}
