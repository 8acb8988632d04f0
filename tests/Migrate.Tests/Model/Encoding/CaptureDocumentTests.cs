using System.Globalization;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Encoding;

/// <summary>What real kernels list fits the documents.</summary>
public class CaptureDocumentTests
{
    public static TheoryData<string> Captures =>
        [.. Directory.GetFiles(Repository.Data("captures"), "*.*.*.txt").Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_real_capture_is_a_document_in_both_encodings(string file)
    {
        var lines = File.ReadAllLines(Repository.Data("captures", file));
        var state = Read(lines);
        Assert.Equal(lines.Count(l => l.StartsWith("R ", StringComparison.Ordinal)), state.Vcpus[0].Registers.Count + state.Vcpus[0].Unreadable.Count);
        Assert.Equal(state, MessagePackEncoding.Decode(Documents.MachineState, MessagePackEncoding.Encode(Documents.MachineState, state)));
        var json = System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Documents.MachineState, state));
        Assert.Equal(state, JsonEncoding.Decode(Documents.MachineState, json));
    }

    private static MachineState Read(string[] lines)
    {
        var words = lines[0].Split(' ');
        Assert.True(VcpuFeatures.TryParse(words[1], out var features));
        var (registers, unreadable) = (new List<Register>(), new List<UnreadableRegister>());
        foreach (var line in lines.Skip(1))
        {
            var parts = line.Split(' ');
            Assert.Equal("R", parts[0]);
            Assert.True(RegisterId.TryParse(parts[1], out var id));
            if (parts[2].StartsWith("err", StringComparison.Ordinal))
            {
                unreadable.Add(new UnreadableRegister(id, int.Parse(parts[2].AsSpan(3), CultureInfo.InvariantCulture)));
                continue;
            }
            Assert.True(RegisterValue.TryParse(parts[2], out var value));
            registers.Add(new Register(id, value));
        }
        return new MachineState
        {
            Vm = new VmDescription
            {
                Name = "capture",
                Id = new string('0', 32),
                Type = new VmType(0),
                Features = features,
                VcpuCount = 1,
                Memory = [new MemorySlot(0, 0x4000_0000, 0x1000_0000)],
            },
            Vcpus = [new VcpuState { Index = 0, Registers = new RegisterSet(registers), Unreadable = unreadable.ToEquatableArray() }],
        };
    }
}
