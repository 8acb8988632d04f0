using Migrate.Model.Hosts;
using Migrate.Model.Registers;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>Which values a host accepts for a register, and what it makes of them.</summary>
internal static class Acceptances
{
    private const int MaxValues = 4096;
    private const int MaxConditions = 64;
    private const int MaxStoredFields = 256;

    private static readonly Shape<Acceptance> Accepted = DefineAcceptance();

    private static readonly Shape<StoredAs> Stored = DefineStored();

    public static Shape<RegisterAcceptance> Register { get; } = DefineRegister();

    private static Shape<RegisterAcceptance> DefineRegister()
    {
        var r = new RecordShape<RegisterAcceptance>("RegisterAcceptance", "What one host accepts for one register of one shape.").OneLine();
        r.Hint("name", v => RegisterCatalog.Name(v.Id), Registers.NameDescription);
        var id = r.Required("id", Registers.Id, v => v.Id, "KVM's id.");
        var scope = r.Optional("scope", Shapes.Enum<RegisterScope>(), v => v.Scope, RegisterScope.Vcpu,
            "Whose it is; absent: each vCPU has its own.");
        var frozen = r.Optional("frozenAfterRun", Shapes.Boolean, v => v.FrozenAfterRun, false,
            "Whether another value is refused once a vCPU has run.");
        var reset = r.Optional("reset", Shapes.OptionalValue(Shapes.RegisterValue), v => v.Reset, null,
            "The value that a new VM has; absent where it cannot be read.");
        var accepts = r.Required("accepts", Accepted, v => v.Accepts, "Which values are accepted.");
        var stored = r.Optional("stored", Stored, v => v.Stored, StoredAs.Unchanged,
            "What an accepted value reads back as; absent: as written.");
        var when = r.Optional("when", Shapes.List(DefineConditional(), MaxConditions), v => v.When, default,
            "Answers under values of a register that controls this one; the first that matches counts.");
        r.Rule(RegisterProblem);
        return r.Build(v => new RegisterAcceptance
        {
            Id = v.Get(id),
            Scope = v.Get(scope),
            FrozenAfterRun = v.Get(frozen),
            Reset = v.Get(reset),
            Accepts = v.Get(accepts),
            Stored = v.Get(stored),
            When = v.Get(when),
        });
    }

    private static Shape<Conditional> DefineConditional()
    {
        var r = new RecordShape<Conditional>("Conditional",
            "The acceptance of a register while a field of its controller has one of some values.");
        r.Hint("name", v => RegisterCatalog.Name(v.Controller), "The controller's name, as a help for people; ignored on reading.");
        var controller = r.Required("controller", Registers.Id, v => v.Controller, "The register whose field decides.");
        var shift = r.Required("shift", Shapes.Int32Between(0, 63), v => v.Shift, "The field's lowest bit.");
        var width = r.Required("width", Shapes.Int32Between(1, 5), v => v.Width, "Its width in bits.");
        var values = r.Required("values", Shapes.UInt32, v => v.Values, "Bit n set: holds while the field is n.");
        var accepts = r.Optional("accepts", Shapes.Optional(Accepted), v => v.Accepts, null,
            "The acceptance then; absent when the register does not exist then.");
        var stored = r.Optional("stored", Stored, v => v.Stored, StoredAs.Unchanged, "What an accepted value reads back as then.");
        r.Rule(v => Rules.Field(v.Shift, v.Width, 5, Bits(v.Controller)) ?? MaskProblem(v.Width, v.Values));
        return r.Build(v => new Conditional(v.Get(controller), v.Get(shift), v.Get(width), v.Get(values), v.Get(accepts), v.Get(stored)));
    }

    private static Shape<Acceptance> DefineAcceptance()
    {
        var f = new RecordShape<FieldAcceptance>("FieldAcceptance", "The accepted values of one field.").OneLine();
        var shift = f.Required("shift", Shapes.Int32Between(0, 63), v => v.Shift, "Lowest bit.");
        var width = f.Required("width", Shapes.Int32Between(1, 4), v => v.Width, "Bits; a wider field is several entries.");
        var mask = f.Required("mask", Shapes.UInt16, v => v.Mask, "Bit n set: the value n is accepted.");
        f.Rule(v => Rules.Field(v.Shift, v.Width, 4) ?? MaskProblem(v.Width, v.Mask));
        var field = f.Build(v => new FieldAcceptance(v.Get(shift), v.Get(width), v.Get(mask)));

        var r = new RecordShape<Acceptance>("Acceptance",
            "The set of values that KVM_SET_ONE_REG takes for a register, and the errno that all others get.");
        var kind = r.Required("kind", Shapes.Enum<AcceptanceKind>(), v => v.Kind,
            "any: every value; one-of: those listed; fields: each field by its own mask; unproven: not known.");
        var values = r.Optional("values", Shapes.List(Shapes.RegisterValue, MaxValues), v => v.Values, default,
            "The accepted values, for one-of.");
        var fields = r.Optional("fields", Shapes.List(field, 64), v => v.Fields, default, "The fields, for fields; they do not overlap.");
        var rest = r.Optional("rest", Shapes.Hex64, v => v.Rest, 0UL, "What the bits outside all fields must be, for fields.");
        var errno = r.Optional("errno", Rules.Errno, v => v.Errno, 22, "The errno of a refusal; absent: EINVAL.");
        r.Rule(AcceptanceProblem);
        return r.Build(v => new Acceptance { Kind = v.Get(kind), Values = v.Get(values), Fields = v.Get(fields), Rest = v.Get(rest), Errno = v.Get(errno) });
    }

    private static Shape<StoredAs> DefineStored()
    {
        var f = new RecordShape<StoredField>("StoredField", "One replaced field value.").OneLine();
        var shift = f.Required("shift", Shapes.Int32Between(0, 63), v => v.Shift, "Lowest bit.");
        var width = f.Required("width", Shapes.Int32Between(1, 16), v => v.Width, "Bits.");
        var written = f.Required("written", Shapes.UInt16, v => v.Written, "The value that is replaced.");
        var reads = f.Required("reads", Shapes.UInt16, v => v.Reads, "What it reads back as.");
        f.Rule(v => Rules.Field(v.Shift, v.Width, 16)
            ?? (v.Written >> v.Width != 0 || v.Reads >> v.Width != 0 ? $"a value that does not fit in {v.Width} bits" : null));
        var field = f.Build(v => new StoredField(v.Get(shift), v.Get(width), v.Get(written), v.Get(reads)));

        var r = new RecordShape<StoredAs>("StoredAs", "What a register reads back as after an accepted write.");
        var keep = r.Optional("keep", Shapes.Hex64, v => v.Keep, ulong.MaxValue, "Bits that are kept as written; absent: all.");
        var set = r.Optional("set", Shapes.Hex64, v => v.Set, 0UL, "Bits that read as one whatever was written.");
        var moves = r.Optional("volatile", Shapes.Boolean, v => v.Volatile, false,
            "The register moves by itself: no read-back proves anything.");
        var fields = r.Optional("fields", Shapes.List(field, MaxStoredFields), v => v.Fields, default,
            "Single field values that the kernel replaces.");
        r.Rule(v => (v.Keep & v.Set) != 0 ? "a bit is both kept and set" : null);
        return r.Build(v => new StoredAs { Keep = v.Get(keep), Set = v.Get(set), Volatile = v.Get(moves), Fields = v.Get(fields) });
    }

    private static string? AcceptanceProblem(Acceptance acceptance)
    {
        if (acceptance.Values.Count > 0 && acceptance.Kind != AcceptanceKind.OneOf) return "values without one-of";
        if ((acceptance.Fields.Count > 0 || acceptance.Rest != 0) && acceptance.Kind != AcceptanceKind.Fields)
            return "fields or rest without fields as its kind";
        var taken = 0UL;
        foreach (var field in acceptance.Fields)
        {
            if ((taken & field.Bits) != 0) return $"the field at bit {field.Shift} overlaps another";
            taken |= field.Bits;
        }
        return null;
    }

    /// <summary>A mask of accepted values has a bit for each value of the field, and for no others.</summary>
    private static string? MaskProblem(int width, uint mask) =>
        (ulong)mask >> (1 << width) != 0 ? $"a mask of 0x{mask:x} names values that a field of {width} bits does not have" : null;

    private static string? RegisterProblem(RegisterAcceptance register)
    {
        if (Rules.Size(register.Id, register.Reset) is { } reset) return reset;
        if (FitProblem(register.Id, register.Accepts) is { } fit) return fit;
        foreach (var condition in register.When)
            if (condition.Accepts is not null && FitProblem(register.Id, condition.Accepts) is { } conditional) return conditional;
        return null;
    }

    /// <summary>Values must have the register's size; fields and rest must lie within it.</summary>
    private static string? FitProblem(RegisterId id, Acceptance acceptance)
    {
        foreach (var value in acceptance.Values)
            if (Rules.Size(id, value) is { } problem) return problem;
        if (acceptance.Kind != AcceptanceKind.Fields) return null;
        if (id.Size > 8) return $"register {id} of {id.Size} bytes cannot be accepted field by field";
        foreach (var field in acceptance.Fields)
            if (Rules.Field(field.Shift, field.Width, 4, Bits(id)) is { } problem) return problem;
        return id.Size < 8 && acceptance.Rest >> Bits(id) != 0 ? $"rest does not fit in the {id.Size} bytes of register {id}" : null;
    }

    private static int Bits(RegisterId id) => Math.Min(64, id.Size * 8);
}
