using Migrate.Model.Explanations;
using Migrate.Model.Plans;

namespace Migrate.Model.Encoding.Definitions;

/// <summary>What explain says.</summary>
internal static class Explanations
{
    private const int MaxRules = 256;
    private const int MaxFields = 64;

    public static Shape<Explanation> Explanation { get; } = DefineExplanation();

    private static Shape<Explanation> DefineExplanation()
    {
        var rules = Shapes.List(DefineRule(), MaxRules);
        var r = new RecordShape<Explanation>("Explanation", "What a finding code or a register means.");
        var subject = r.Required("subject", Shapes.Text, v => v.Subject, "What was asked about, in its proper spelling.");
        var findings = r.Optional("findings", Shapes.List(DefineFinding(rules), MaxRules), v => v.Findings, default, "The kinds of finding that were asked about.");
        var register = r.Optional("register", Shapes.Optional(DefineRegister(rules)), v => v.Register, null, "The register that was asked about.");
        return r.Build(v => new Explanation { Subject = v.Get(subject), Findings = v.Get(findings), Register = v.Get(register) });
    }

    private static Shape<FindingExplanation> DefineFinding(Shape<EquatableArray<RuleExplanation>> ruleList)
    {
        var r = new RecordShape<FindingExplanation>("FindingExplanation", "What a kind of finding means and what can be done.");
        var code = r.Required("code", Shapes.Enum<FindingCode>(), v => v.Code, "Which.");
        var severities = r.Required("severities", Shapes.List(Shapes.Enum<Severity>(), 4), v => v.Severities, "How bad findings of this kind are, mildest first.");
        var meaning = r.Required("meaning", Shapes.Text, v => v.Meaning, "What it says.");
        var guest = r.Required("guest", Shapes.Text, v => v.Guest, "Why it matters to the guest.");
        var remedy = r.Required("remedy", Shapes.Text, v => v.Remedy, "What to do about it, whatever the VMM.");
        var qemu = r.Optional("qemu", Shapes.Text, v => v.Qemu, "", "What to do in QEMU.");
        var firecracker = r.Optional("firecracker", Shapes.Text, v => v.Firecracker, "", "What to do in Firecracker.");
        var accept = r.Optional("accept", Shapes.Text, v => v.Accept, "", "The argument of --accept that lifts it; absent where nothing does.");
        var accepting = r.Required("accepting", Shapes.Text, v => v.Accepting, "What accepting it means, or why it cannot be accepted.");
        var rules = r.Optional("rules", ruleList, v => v.Rules, default, "The rules that emit it.");
        return r.Build(v => new FindingExplanation
        {
            Code = v.Get(code),
            Severities = v.Get(severities),
            Meaning = v.Get(meaning),
            Guest = v.Get(guest),
            Remedy = v.Get(remedy),
            Qemu = v.Get(qemu),
            Firecracker = v.Get(firecracker),
            Accept = v.Get(accept),
            Accepting = v.Get(accepting),
            Rules = v.Get(rules),
        });
    }

    private static Shape<RuleExplanation> DefineRule()
    {
        var r = new RecordShape<RuleExplanation>("RuleExplanation", "A rule of the planner.").OneLine();
        var name = r.Required("name", Shapes.Text, v => v.Name, "Its name.");
        var says = r.Required("says", Shapes.Text, v => v.Says, "What it looks at and decides.");
        var codes = r.Required("codes", Shapes.List(Shapes.Enum<FindingCode>(), MaxRules), v => v.Codes, "The kinds of finding that it emits.");
        var every = r.Optional("ofEvery", Shapes.Boolean, v => v.OfEvery, false, "Whether it speaks about every register rather than a few.");
        return r.Build(v => new RuleExplanation(v.Get(name), v.Get(says), v.Get(codes), v.Get(every)));
    }

    private static Shape<RegisterExplanation> DefineRegister(Shape<EquatableArray<RuleExplanation>> ruleList)
    {
        var r = new RecordShape<RegisterExplanation>("RegisterExplanation", "What a register is.");
        var name = r.Required("name", Shapes.Text, v => v.Name, "The architecture's or KVM's name.");
        var id = r.Required("id", Registers.Id, v => v.Id, "KVM's id.");
        var group = r.Required("group", Shapes.Text, v => v.Group, "What it is about, in words.");
        var restored = r.Optional("restored", Shapes.Text, v => v.Restored, "", "When a plan restores it, and why then.");
        var fields = r.Optional("fields", Shapes.List(DefineField(), MaxFields), v => v.Fields, default,
            "Its fields, highest first; the one that was asked about, where one was.");
        var rules = r.Optional("rules", ruleList, v => v.Rules, default, "The rules that speak about it.");
        var host = r.Optional("host", Shapes.Optional(DefineHost()), v => v.Host, null, "What a host accepts, where one was given.");
        return r.Build(v => new RegisterExplanation
        {
            Name = v.Get(name),
            Id = v.Get(id),
            Group = v.Get(group),
            Restored = v.Get(restored),
            Fields = v.Get(fields),
            Rules = v.Get(rules),
            Host = v.Get(host),
        });
    }

    private static Shape<FieldExplanation> DefineField()
    {
        var r = new RecordShape<FieldExplanation>("FieldExplanation", "A field of a register.").OneLine();
        var name = r.Required("name", Shapes.Text, v => v.Name, "The architecture's name.");
        var bits = r.Required("bits", Shapes.Text, v => v.Bits, "Its place: 63:60.");
        var words = r.Optional("words", Shapes.Text, v => v.Words, "", "Values that have a name.");
        return r.Build(v => new FieldExplanation(v.Get(name), v.Get(bits), v.Get(words)));
    }

    private static Shape<HostAnswer> DefineHost()
    {
        var r = new RecordShape<HostAnswer>("HostAnswer", "What one host accepts for a register of the VM that it creates.");
        var host = r.Required("host", Shapes.Text, v => v.Host, "The host, for people.");
        var features = r.Required("features", Shapes.Text, v => v.Features, "The vCPU features of the VM.");
        var evidence = r.Required("evidence", Shapes.Enum<Evidence>(), v => v.Evidence, "How it is known.");
        var listed = r.Required("listed", Shapes.Boolean, v => v.Listed, "Whether the host lists the register for such a VM.");
        var fresh = r.Optional("new", Shapes.Text, v => v.New, "", "The value of a new VM.");
        var accepts = r.Optional("accepts", Shapes.Text, v => v.Accepts, "", "What is accepted, one phrase.");
        var notes = r.Optional("notes", Shapes.List(Shapes.Text, MaxRules), v => v.Notes, default, "What else is so.");
        var fields = r.Optional("fields", Shapes.List(DefineFieldAnswer(), MaxFields), v => v.Fields, default, "Field by field.");
        return r.Build(v => new HostAnswer
        {
            Host = v.Get(host),
            Features = v.Get(features),
            Evidence = v.Get(evidence),
            Listed = v.Get(listed),
            New = v.Get(fresh),
            Accepts = v.Get(accepts),
            Notes = v.Get(notes),
            Fields = v.Get(fields),
        });
    }

    private static Shape<FieldAnswer> DefineFieldAnswer()
    {
        var r = new RecordShape<FieldAnswer>("FieldAnswer", "What one host accepts for one field.").OneLine();
        var name = r.Required("name", Shapes.Text, v => v.Name, "The field, or the bits.");
        var bits = r.Required("bits", Shapes.Text, v => v.Bits, "Its place: 63:60.");
        var fresh = r.Optional("new", Shapes.Text, v => v.New, "", "The value of a new VM.");
        var accepts = r.Required("accepts", Shapes.Text, v => v.Accepts, "The accepted values.");
        return r.Build(v => new FieldAnswer(v.Get(name), v.Get(bits), v.Get(fresh), v.Get(accepts)));
    }
}
