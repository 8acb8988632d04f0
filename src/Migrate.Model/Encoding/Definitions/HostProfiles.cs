using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>What a host accepts. Acceptances are in <see cref="Acceptances"/>.</summary>
internal static class HostProfiles
{
    private const int MaxShapes = 1024;

    public static Shape<HostProfile> Profile { get; } = DefineProfile();

    private static Shape<HostProfile> DefineProfile()
    {
        var addressBits = Shapes.List(Shapes.Int32Between(Rules.MinAddressBits, Rules.MaxAddressBits), 64)
            .Where(sizes => Rules.Repeated(sizes, s => s, s => $"{s}"));
        var r = new RecordShape<HostProfile>("HostProfile", "What one boot of one host accepts: acceptance as data.");
        var boot = r.Required("boot", MachineStates.Boot, v => v.Boot, "Which boot this was measured on.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>().Where(e => e == Evidence.Tried ? "a profile is measured or assumed" : null),
            v => v.Evidence, "measured: the host was asked; assumed: the answers are derived.");
        var origin = r.Optional("origin", Shapes.Text, v => v.Origin, "", "Where an assumed profile comes from, for people.");
        var ipaSizes = r.Optional("ipaSizes", addressBits, v => v.IpaSizes, default,
            "VM types that KVM_CREATE_VM accepts, by address bits; absent where unknown.");
        var filter = r.Optional("hasSmcccFilter", Shapes.OptionalValue(Shapes.Boolean), v => v.HasSmcccFilter, null,
            "Whether the host can install an SMCCC filter; absent where unknown.");
        var capabilities = r.Optional("capabilities", Capabilities(), v => v.Capabilities, default, "What KVM_CHECK_EXTENSION returned.");
        var services = r.Optional("services", Rules.Words(64), v => v.Services, default,
            "Hypercall services that the kernel answers by itself.");
        var handlers = r.Optional("handlers", Rules.Words(32), v => v.Handlers, default,
            "Handlers that the VMM on this host offers to guests.");
        var attributes = r.Optional("knownAttributes", Rules.Words(256), v => v.KnownAttributes, default,
            "VM attribute names that the VMM on this host knows.");
        var frequency = r.Optional("counterFrequency", Shapes.Hex64, v => v.CounterFrequency, 0UL,
            "CNTFRQ_EL0 in Hz; absent where unknown.");
        var shapes = r.Required("shapes", Shapes.List(DefineShape(), MaxShapes), v => v.Shapes,
            "One entry for every combination of features, capabilities and GIC that was measured.");
        r.Rule(ProfileProblem);
        return r.Build(v => new HostProfile
        {
            Boot = v.Get(boot),
            Evidence = v.Get(evidence),
            Origin = v.Get(origin),
            IpaSizes = v.Get(ipaSizes),
            HasSmcccFilter = v.Get(filter),
            Capabilities = v.Get(capabilities),
            Services = v.Get(services),
            Handlers = v.Get(handlers),
            KnownAttributes = v.Get(attributes),
            CounterFrequency = v.Get(frequency),
            Shapes = v.Get(shapes),
        });
    }

    private static string? ProfileProblem(HostProfile profile)
    {
        foreach (var shape in profile.Shapes)
            if (shape.Evidence > profile.Evidence) return $"the shape {shape.Features} has stronger evidence than its profile";
        return Rules.Repeated(profile.Shapes, s => (s.Features, s.Gic, s.Capabilities), s => $"the shape {s.Features}");
    }

    private static Shape<EquatableArray<HostCapability>> Capabilities()
    {
        var r = new RecordShape<HostCapability>("HostCapability", "A capability and what KVM_CHECK_EXTENSION returned for it.").OneLine();
        var name = r.Required("name", Rules.Word, v => v.Name, "KVM_CAP name in kebab case without the prefix.");
        var value = r.Required("value", Shapes.Int64, v => v.Value, "0 absent, else as the capability defines; in two's complement.");
        return Shapes.List(r.Build(v => new HostCapability(v.Get(name), v.Get(value))), 1024)
            .Where(c => Rules.Repeated(c, x => x.Name, x => $"'{x.Name}'"));
    }

    private static Shape<HostShape> DefineShape()
    {
        var registers = Shapes.List(Acceptances.Register, Rules.MaxRegisters)
            .Where(list => Rules.Repeated(list, x => x.Id, x => $"register {x.Id}"));
        var r = new RecordShape<HostShape>("HostShape", "What a host answers for one VM configuration.");
        var features = r.Required("features", VmDescriptions.Features.Where(f => f == f.Shape ? null : "power_off is no part of a shape"),
            v => v.Features, "vCPU features by name, without power_off.");
        var capabilities = r.Optional("capabilities", Rules.Words(64), v => v.Capabilities, default,
            "VM capabilities enabled at creation.");
        var gic = r.Optional("gic", Shapes.Enum<GicKind>(), v => v.Gic, GicKind.None, "The interrupt controller in the kernel.");
        var errno = r.Optional("errno", Rules.ErrnoOrZero, v => v.Errno, 0,
            "Absent when the host creates such a vCPU, else the errno of the refusal.");
        var refusedAt = r.Optional("refusedAt", Shapes.TextUpTo(64), v => v.RefusedAt, "",
            "Where it refused: vcpu_init, create_vm, finalize.");
        var evidence = r.Optional("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, Evidence.Measured,
            "How this shape is known; at most as strong as the profile's evidence.");
        var list = r.Optional("registers", registers, v => v.Registers, default,
            "Every register that the host lists for this shape, in list order.");
        return r.Build(v => new HostShape
        {
            Features = v.Get(features),
            Capabilities = v.Get(capabilities),
            Gic = v.Get(gic),
            Errno = v.Get(errno),
            RefusedAt = v.Get(refusedAt),
            Evidence = v.Get(evidence),
            Registers = v.Get(list),
        });
    }
}
