using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Valid values of everything that documents carry, the same for the same seed. Acceptances are in <see cref="RandomHosts"/>.</summary>
internal sealed class RandomModel(int seed)
{
    private static readonly string[] Units = ["a", "Z", "0", " ", "\"", "\\", "/", "<", "'", "é", "漢", "😀", "{", "\u00a0"];
    private readonly Random _random = new(seed);

    public int Below(int limit) => _random.Next(limit);

    public bool Coin() => _random.Next(2) == 0;

    public ulong UInt64() => _random.Next(4) switch
    {
        0 => 0,
        1 => ulong.MaxValue >> _random.Next(64),
        2 => (ulong)_random.Next(256),
        _ => (ulong)_random.NextInt64(long.MinValue, long.MaxValue),
    };

    public T Any<T>() where T : struct, Enum => Enum.GetValues<T>()[_random.Next(Enum.GetValues<T>().Length)];

    public EquatableArray<T> Some<T>(int most, Func<int, T> make) =>
        Enumerable.Range(0, _random.Next(most + 1)).Select(make).ToEquatableArray();

    public string Text() => string.Concat(Enumerable.Range(0, _random.Next(12)).Select(_ => Units[_random.Next(Units.Length)]));

    public string Word(int index) => $"{(char)('a' + _random.Next(26))}-{index}.{_random.Next(100)}";

    public EquatableArray<byte> Bytes(int least, int most)
    {
        var bytes = new byte[_random.Next(least, most + 1)];
        _random.NextBytes(bytes);
        return EquatableArray.Create<byte>(bytes);
    }

    /// <summary>An id whose value has 1 to 256 bytes; the index makes it unique within a list.</summary>
    public RegisterId Id(int index)
    {
        var groups = Enum.GetValues<RegisterClass>();
        return RegisterId.Of(groups[_random.Next(groups.Length)], (ushort)index, 1 << _random.Next(9));
    }

    public RegisterValue Value(RegisterId id) => new(Bytes(id.Size, id.Size).Span);

    public RegisterValue? MaybeValue(RegisterId id) => Coin() ? Value(id) : null;

    public VcpuFeatures Features() => new((UInt64() & 0x1ff) | (Coin() ? 1UL << 63 : 0));

    public int Errno() => _random.Next(1, 4096);

    public BootIdentity Boot() => new()
    {
        BootId = Text(),
        HostName = Text(),
        KernelRelease = Text(),
        KernelBuild = Text(),
        CommandLine = Text(),
        KvmMode = Coin() ? "vhe" : "",
        PageSize = new[] { 0, 4096, 16384, 65536 }[_random.Next(4)],
    };

    public MemorySlot Slot(int index) => new(index, (ulong)index << 40, (ulong)_random.Next(1, 1 << 20) << 12, Coin());

    public GicDescription Gic() => new(Any<GicKind>(), UInt64(), UInt64(), UInt64(), _random.Next(1 << 24));

    public VmConfig Config() => new()
    {
        Name = Text(),
        Type = new VmType((ulong)_random.Next(32, 57)),
        Features = Features().Shape,
        Gic = Any<GicKind>(),
        GicRevision = Coin() ? _random.Next(16) : null,
        Settings = Some(4, Setting),
        Expected = Some(3, i => Id(i) is var id ? new Register(id, Value(id)) : default),
        CounterFrequency = UInt64(),
        Evidence = Any<Evidence>(),
    };

    public RegisterSetting Setting(int index)
    {
        var id = Id(index);
        var value = Value(id);
        if (id.Size > 8 || Coin()) return new RegisterSetting(id, value);
        var mask = UInt64() & (ulong.MaxValue >> 1) | 1;
        return new RegisterSetting(id, new RegisterValue(value.Low & mask, id.Size), mask);
    }

    public SmcccFilterRange FilterRange()
    {
        var first = (uint)_random.NextInt64(uint.MaxValue);
        return new(first, (uint)Math.Min(_random.NextInt64(1, uint.MaxValue), (1L << 32) - first), Any<SmcccAction>());
    }

    public VmAttribute Attribute(int index) => Any<AttributeType>() switch
    {
        AttributeType.Flag => new(Word(index), AttributeType.Flag, Coin(), []),
        AttributeType.Number => new(Word(index), AttributeType.Number, Coin(), Bytes(1, 8)),
        AttributeType.Text => new(Word(index), AttributeType.Text, Coin(), EquatableArray.Create<byte>(System.Text.Encoding.UTF8.GetBytes(Text()))),
        _ => new(Word(index), AttributeType.Bytes, Coin(), Bytes(0, 40)),
    };

    public VmDescription Vm(int vcpus) => new()
    {
        Name = Text(),
        Id = Convert.ToHexStringLower(Bytes(16, 16).Span),
        Type = new VmType((UInt64() & ~0xffUL) | (uint)new[] { 0, 32, 40, 48, 52, 56 }[_random.Next(6)]),
        Features = Features(),
        VcpuCount = vcpus,
        Memory = Some(5, Slot),
        Gic = Coin() ? Gic() : default,
        SmcccFilter = Some(3, _ => FilterRange()),
        Handlers = Some(3, Word),
        Attributes = Some(4, Attribute),
    };

    public VcpuEvents Events() => new(Coin(), Coin(), UInt64(), Coin());

    public VcpuState Vcpu(int index) => new()
    {
        Index = index,
        Registers = new RegisterSet(Some(20, Id).Select(id => new Register(id, Value(id)))),
        MpState = Any<MpState>(),
        Events = Coin() ? Events() : default,
        Unreadable = Some(3, i => new UnreadableRegister(Id(1000 + i), Errno())),
    };

    public DeviceState Device() => new("gicv3", Some(5, i => new DeviceAttribute((uint)_random.Next(20), UInt64(), Value(Id(i)))));

    public HandlerState Handler(int index) => new(Word(index), _random.Next(1, 9), Bytes(0, 60));

    public MachineState State()
    {
        var vcpus = _random.Next(1, 5);
        return new()
        {
            Vm = Vm(vcpus),
            Vcpus = Enumerable.Range(0, vcpus).Select(Vcpu).ToEquatableArray(),
            CapturedOn = Coin() ? Boot() : null,
            Devices = Some(2, _ => Device()),
            Handlers = Some(3, Handler),
            CounterFrequency = UInt64(),
        };
    }

    public MachineReport Report() => new() { State = State(), Undescribable = Some(3, _ => Text()), PageSize = Coin() ? 4096 : 65536 };

    public WriteRegister Write(StepPhase phase)
    {
        var id = Id(_random.Next(1 << 16));
        return new(_random.Next(512), id, Value(id), MaybeValue(id), phase, MaybeValue(id), Text());
    }

    public LeaveOut LeaveOut(StepPhase phase)
    {
        var id = Id(_random.Next(1 << 16));
        return new(_random.Next(512), id, Value(id), Text(), phase);
    }

    /// <summary>One step of every kind in the order of the phases, with the two kinds of both phases in each.</summary>
    public IEnumerable<RestoreStep> EveryStep() =>
    [
        new CreateVm(new VmType(40)), new SetAttribute(Attribute(0)), new MapMemory(Slot(0)), new CreateVcpu(_random.Next(512), Features()), new CreateGic(Gic()),
        new ConfigurePmu(Attribute(1)), new FinalizeSve(_random.Next(512)), new InstallFilter(FilterRange()), Write(StepPhase.Prepare), LeaveOut(StepPhase.Prepare),
        Write(StepPhase.Apply), LeaveOut(StepPhase.Apply), new WriteDevice(Device()), new RestoreHandler(Handler(0)),
        new SetCounterOffset((ulong)_random.NextInt64()), new SetEvents(_random.Next(512), Events()), new SetMpState(_random.Next(512), Any<MpState>()),
    ];

    public Finding Finding() => new()
    {
        Code = Any<FindingCode>(),
        Severity = Any<Severity>(),
        Evidence = Any<Evidence>(),
        Subject = Text(),
        Register = Coin() ? Id(1) : null,
        Vcpus = Some(4, i => i * 3),
        Here = Text(),
        There = Text(),
        Answer = Text(),
        Predicted = Coin() ? Text() : "",
        Remedy = Text(),
        Accepted = Coin(),
    };

    public RestorePlan Plan() => new()
    {
        Verdict = Any<Verdict>(),
        Policy = Any<Policy>(),
        Evidence = Any<Evidence>(),
        Steps = EveryStep().ToEquatableArray(),
        Findings = Some(4, _ => Finding()),
    };

    public CheckReport Check() => new()
    {
        Verdict = Any<Verdict>(),
        Policy = Any<Policy>(),
        Evidence = Any<Evidence>(),
        Source = Text(),
        Destination = Text(),
        Kept = _random.Next(1000),
        Changed = _random.Next(1000),
        LeftOut = _random.Next(1000),
        Refused = _random.Next(int.MaxValue),
        Findings = Some(4, _ => Finding()),
        Plan = Coin() ? Plan() : null,
        Trial = Coin() ? Trial() : null,
    };

    private TrialReport Trial() => new()
    {
        Executed = _random.Next(1000),
        Compared = _random.Next(1000),
        Failed = Some(3, i => new FailedStep(i, Errno(), Text())),
        Differences = Some(3, i => Difference(Id(i))),
        Untried = Some(3, i => new UntriedStep(i, Text(), Text())),
    };

    public RunReport Run() => new()
    {
        Failed = Some(3, i => new FailedStep(i, Errno(), Text())),
        Differences = Some(3, i => Difference(Id(i))),
        Executed = _random.Next(1000),
    };

    public StepAnswer StepAnswer() => new(Coin() ? 0 : Errno(), Text());

    public RegisterAddress Address() => new(_random.Next(512), Id(7));

    public ReadAnswer ReadAnswer() => Coin() ? new(0, Value(Id(0))) : new(Errno(), null);

    private ReadBackDifference Difference(RegisterId id) => new(_random.Next(512), id, Value(id), MaybeValue(id));
}
