using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>The configuration of a VM that is to live on several hosts.</summary>
internal static class VmConfigs
{
    /// <summary>Before what is made of it: members are made in this order.</summary>
    public static Shape<RegisterSetting> Setting { get; } = DefineSetting();

    public static Shape<VmConfig> Config { get; } = DefineConfig();

    private static Shape<VmConfig> DefineConfig()
    {
        var settings = Shapes.List(Setting, Rules.MaxRegisters).Where(list => Rules.Repeated(list, s => s.Id, s => $"register {s.Id}"));
        var expected = Shapes.List(Registers.Register, Rules.MaxRegisters).Where(list => Rules.Repeated(list, s => s.Id, s => $"register {s.Id}"));
        var r = new RecordShape<VmConfig>("VmConfig", "How a VM is created so that it can live on more hosts than one.");
        var name = r.Optional("name", Shapes.TextUpTo(256), v => v.Name, "", "What the configuration is for, for people.");
        var type = r.Required("type", VmDescriptions.Type, v => v.Type, "The argument of KVM_CREATE_VM: bits 7:0 are the guest's address bits, 0 meaning 40.");
        var features = r.Required("features", VmDescriptions.Features.Where(f => f == f.Shape ? null : "power_off is no part of a configuration"),
            v => v.Features, "vCPU features by name, the same for every vCPU.");
        var gic = r.Optional("gic", Shapes.Enum<GicKind>(), v => v.Gic, GicKind.None, "The interrupt controller in the kernel.");
        var revision = r.Optional("gicRevision", Shapes.OptionalValue(Shapes.Int32Between(0, GicV3State.MostRevision)), v => v.GicRevision, null,
            "Revision of a GICv3, written through GICD_IIDR before the first run; absent for each host's own.");
        var written = r.Optional("settings", settings, v => v.Settings, default,
            "What is written through every vCPU before the first run, in this order, on top of the host's own values.");
        var promised = r.Optional("expected", expected, v => v.Expected, default,
            "Registers that cannot be set: a host that lists one must have exactly this value.");
        var frequency = r.Optional("counterFrequency", Shapes.Hex64, v => v.CounterFrequency, 0UL, "CNTFRQ_EL0 in Hz that a host must have; absent where unknown.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "How it is known that hosts take this configuration.");
        return r.Build(v => new VmConfig
        {
            Name = v.Get(name),
            Type = v.Get(type),
            Features = v.Get(features),
            Gic = v.Get(gic),
            GicRevision = v.Get(revision),
            Settings = v.Get(written),
            Expected = v.Get(promised),
            CounterFrequency = v.Get(frequency),
            Evidence = v.Get(evidence),
        });
    }

    private static Shape<RegisterSetting> DefineSetting()
    {
        var r = new RecordShape<RegisterSetting>("RegisterSetting", "Some bits of one register that a configuration fixes.").OneLine();
        r.Hint("name", v => RegisterCatalog.Name(v.Id), Registers.NameDescription);
        var id = r.Required("id", Registers.Id, v => v.Id, "KVM's id.");
        var value = r.Required("value", Shapes.RegisterValue, v => v.Value, "The bits in place, of the size that the id says; zero outside of the mask.");
        var mask = r.Optional("mask", Shapes.Hex64, v => v.Mask, ulong.MaxValue, "Which bits; absent for the whole register.");
        r.Rule(v => Rules.Size(v.Id, v.Value)
            ?? (v.Mask == ulong.MaxValue ? null
                : v.Value.Size > 8 ? $"register {v.Id} has {v.Value.Size} bytes: it is set as a whole"
                : v.Mask == 0 ? "a setting of no bits"
                : (v.Value.Low & ~v.Mask) != 0 ? "the value has bits outside of its mask" : null));
        return r.Build(v => new RegisterSetting(v.Get(id), v.Get(value), v.Get(mask)));
    }
}
