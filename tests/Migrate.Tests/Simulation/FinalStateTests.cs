using Migrate.Linux.Memory;
using Migrate.Model.Machines;
using Migrate.Model.Ports;
using Migrate.Model.Registers;
using Migrate.Simulation.Verification;

namespace Migrate.Tests.Simulation;

public class FinalStateTests
{
    private const int Bytes = 1 << 20;
    private static readonly RegisterId X0 = RegisterId.Core(0, 8);
    private static readonly RegisterId Count = RegisterId.System(3, 3, 14, 3, 2);

    [Fact]
    public void A_hole_equals_zeros()
    {
        Assert.Equal(Of(_ => { }), Of(memory => memory.Fill(0)));
        Assert.Equal(UInt128.Zero, Of(_ => { }));
    }

    [Fact]
    public void One_bit_anywhere_counts()
    {
        var digests = new HashSet<UInt128> { Of(_ => { }) };
        foreach (var at in (int[])[0, 1, 8, 31, 32, 4095, 4096, Bytes - 1])
            for (var bit = 0; bit < 8; bit++) Assert.True(digests.Add(Of(memory => memory[at] = (byte)(1 << bit))));
    }

    [Fact]
    public void Two_pages_that_change_places_count() =>
        Assert.NotEqual(
            Of(memory => { memory[0] = 1; memory[4096] = 2; }),
            Of(memory => { memory[0] = 2; memory[4096] = 1; }));

    [Fact]
    public void A_missing_register_equals_zero_and_any_other_value_counts()
    {
        Assert.Equal(Registers(), Registers((X0, 0)));
        Assert.NotEqual(Registers(), Registers((X0, 1)));
        Assert.NotEqual(Registers((X0, 2)), Registers((X0, 1)));
        Assert.NotEqual(Registers((RegisterId.Core(8, 8), 1)), Registers((X0, 1)));
    }

    [Fact]
    public void Counters_and_what_is_excepted_do_not_count()
    {
        Assert.Equal(Registers((Count, 5)), Registers((Count, 6)));
        var except = new HashSet<RegisterId> { X0 };
        Assert.Equal(FinalState.Digest(State((X0, 1)), [], except), FinalState.Digest(State((X0, 2)), [], except));
    }

    [Fact]
    public void Says_which_registers_differ()
    {
        Assert.Equal([new RegisterAddress(0, X0)], FinalState.DifferentRegisters(State((X0, 1), (Count, 1)), State((X0, 2), (Count, 2))));
        Assert.Empty(FinalState.DifferentRegisters(State((X0, 0)), State()));
        Assert.Empty(FinalState.DifferentRegisters(State((X0, 1)), State((X0, 2)), new HashSet<RegisterId> { X0 }));
    }

    [Fact]
    public void The_power_state_counts()
    {
        var state = State();
        Assert.NotEqual(
            FinalState.Digest(state, []),
            FinalState.Digest(state with { Vcpus = [state.Vcpus[0] with { MpState = MpState.Stopped }] }, []));
    }

    private static UInt128 Registers(params (RegisterId Id, ulong Value)[] registers) => FinalState.Digest(State(registers), []).Registers;

    private static MachineState State(params (RegisterId Id, ulong Value)[] registers) => new()
    {
        Vm = new VmDescription
        {
            Name = "m",
            Id = new string('c', 32),
            Type = default,
            Features = VcpuFeatures.Psci02,
            VcpuCount = 1,
            Memory = [],
        },
        Vcpus = [new VcpuState { Index = 0, Registers = new RegisterSet(registers.Select(r => new Register(r.Id, new RegisterValue(r.Value)))) }],
    };

    private static UInt128 Of(Fill fill)
    {
        using var file = MemFd.Create("digest", Bytes);
        using (var mapping = file.Map(MappingAccess.ReadWrite)) fill(mapping.Slice(0, Bytes));
        return MemoryDigest.Of([new GuestMemory(new MemorySlot(0, 0, Bytes), file)]);
    }

    private delegate void Fill(Span<byte> memory);
}
