using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>Register ids, registers and sets of them.</summary>
internal static class Registers
{
    public const string NameDescription = "The register's name, as a help for people; ignored on reading.";

    public static Shape<RegisterId> Id { get; } = Shapes.Hex64.As(id => id.Value, raw => new RegisterId(raw))
        .Where(id => id.IsWellFormed ? null : $"{id} is no arm64 KVM register id");

    public static Shape<Register> Register { get; } = DefineRegister();

    public static Shape<RegisterSet> Set { get; } = Shapes.List(Register, Rules.MaxRegisters)
        .As(set => EquatableArray.Create(set.Span), list => new RegisterSet(list));

    public static Shape<UnreadableRegister> Unreadable { get; } = DefineUnreadable();

    public static Shape<RegisterAddress> Address { get; } = DefineAddress();

    private static Shape<Register> DefineRegister()
    {
        var r = new RecordShape<Register>("Register", "A register and its value.").OneLine();
        r.Hint("name", v => RegisterCatalog.Name(v.Id), NameDescription);
        var id = r.Required("id", Id, v => v.Id, "KVM's id.");
        var value = r.Required("value", Shapes.RegisterValue, v => v.Value, "Its value, of the size that the id says.");
        r.Rule(v => Rules.Size(v.Id, v.Value));
        return r.Build(v => new Register(v.Get(id), v.Get(value)));
    }

    private static Shape<UnreadableRegister> DefineUnreadable()
    {
        var r = new RecordShape<UnreadableRegister>("UnreadableRegister", "A listed register that KVM_GET_ONE_REG refused.").OneLine();
        r.Hint("name", v => RegisterCatalog.Name(v.Id), NameDescription);
        var id = r.Required("id", Id, v => v.Id, "KVM's id.");
        var errno = r.Required("errno", Rules.Errno, v => v.Errno, "The positive errno.");
        return r.Build(v => new UnreadableRegister(v.Get(id), v.Get(errno)));
    }

    private static Shape<RegisterAddress> DefineAddress()
    {
        var r = new RecordShape<RegisterAddress>("RegisterAddress", "A register of one vCPU.").OneLine();
        r.Hint("name", v => RegisterCatalog.Name(v.Id), NameDescription);
        var vcpu = r.Required("vcpu", Rules.VcpuIndex, v => v.Vcpu, "vCPU number.");
        var id = r.Required("id", Id, v => v.Id, "KVM's id.");
        return r.Build(v => new RegisterAddress(v.Get(vcpu), v.Get(id)));
    }
}
