using Migrate.Model.Encoding;
using Migrate.Model.Explanations;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Everything that has a shape, each with a way to make one: what lossless, fuzz and schema tests run over.</summary>
internal abstract record DocumentCase(string Name)
{
    public static IReadOnlyList<DocumentCase> All { get; } =
    [
        new DocumentCase<MachineState>("MachineState", Documents.MachineState, r => r.State()),
        new DocumentCase<HostProfile>("HostProfile", Documents.HostProfile, r => r.Profile()),
        new DocumentCase<RestorePlan>("RestorePlan", Documents.RestorePlan, r => r.Plan()),
        new DocumentCase<CheckReport>("CheckReport", Documents.CheckReport, r => r.Check()),
        new DocumentCase<MatrixReport>("MatrixReport", Documents.Matrix, r => r.Matrix()),
        new DocumentCase<Explanation>("Explanation", Documents.Explanation, r => r.Explanation()),
        new DocumentCase<VmConfig>("VmConfig", Documents.VmConfig, r => r.Config()),
        new DocumentCase<BaselineReport>("BaselineReport", Documents.Baseline, r => r.Baseline()),
        new DocumentCase<VmDescription>("VmDescription", Documents.VmDescription, r => r.Vm(3)),
        new DocumentCase<MemorySlot>("MemorySlot", Documents.MemorySlot, r => r.Slot(1)),
        new DocumentCase<VcpuState>("VcpuState", Documents.VcpuState, r => r.Vcpu(2)),
        new DocumentCase<BootIdentity>("BootIdentity", Documents.BootIdentity, r => r.Boot()),
        new DocumentCase<MachineReport>("MachineReport", Documents.MachineReport, r => r.Report()),
        new DocumentCase<RestoreStep>("RestoreStep", Documents.RestoreStep, r => r.EveryStep().ElementAt(r.Below(17))),
        new DocumentCase<StepAnswer>("StepAnswer", Documents.StepAnswer, r => r.StepAnswer()),
        new DocumentCase<RegisterAddress>("RegisterAddress", Documents.RegisterAddress, r => r.Address()),
        new DocumentCase<ReadAnswer>("ReadAnswer", Documents.ReadAnswer, r => r.ReadAnswer()),
        new DocumentCase<Finding>("Finding", Documents.Finding, r => r.Finding()),
        new DocumentCase<RunReport>("RunReport", Documents.RunReport, r => r.Run()),
        new DocumentCase<RegisterId>("RegisterId", Documents.RegisterId, r => r.Id(5)),
    ];

    public static TheoryData<string> Names => [.. All.Select(c => c.Name)];

    public static DocumentCase Of(string name) => All.Single(c => c.Name == name);

    public abstract byte[] Encode(int seed, DocumentEncoding encoding);

    public abstract void Decode(ReadOnlySpan<byte> bytes, DocumentEncoding encoding);

    /// <summary>Both ways in both encodings, and across them, with nothing lost and the same bytes each time.</summary>
    public abstract void CheckLossless(int seed);
}

internal sealed record DocumentCase<T>(string Name, Shape<T> Shape, Func<RandomModel, T> Make) : DocumentCase(Name)
{
    public override byte[] Encode(int seed, DocumentEncoding encoding)
    {
        var value = Make(new RandomModel(seed));
        return encoding == DocumentEncoding.Json
            ? System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Shape, value, indented: seed % 2 == 0))
            : MessagePackEncoding.Encode(Shape, value);
    }

    public override void Decode(ReadOnlySpan<byte> bytes, DocumentEncoding encoding)
    {
        if (encoding == DocumentEncoding.Json) JsonEncoding.Decode(Shape, bytes);
        else MessagePackEncoding.Decode(Shape, bytes);
    }

    public override void CheckLossless(int seed)
    {
        var value = Make(new RandomModel(seed));
        var packed = MessagePackEncoding.Encode(Shape, value);
        var fromPacked = MessagePackEncoding.Decode(Shape, packed);
        Assert.Equal(value, fromPacked);
        foreach (var indented in new[] { true, false })
        {
            var json = JsonEncoding.Encode(Shape, fromPacked, indented);
            var fromJson = JsonEncoding.Decode(Shape, System.Text.Encoding.UTF8.GetBytes(json));
            Assert.Equal(value, fromJson);
            Assert.Equal(json, JsonEncoding.Encode(Shape, fromJson, indented));
            Assert.Equal(packed, MessagePackEncoding.Encode(Shape, fromJson));
        }
    }
}
