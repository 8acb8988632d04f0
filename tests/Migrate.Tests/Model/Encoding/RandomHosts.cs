using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Valid host profiles, the same for the same seed.</summary>
internal static class RandomHosts
{
    public static HostProfile Profile(this RandomModel random)
    {
        var evidence = random.Coin() ? Evidence.Measured : Evidence.Assumed;
        return new()
        {
            Boot = random.Boot(),
            Evidence = evidence,
            Origin = random.Text(),
            IpaSizes = random.Some(3, i => 40 + i),
            HasSmcccFilter = random.Below(3) switch { 0 => null, 1 => true, _ => false },
            Capabilities = random.Some(4, i => new HostCapability(random.Word(i), unchecked((long)random.UInt64()))),
            Services = random.Some(3, random.Word),
            Handlers = random.Some(3, random.Word),
            KnownAttributes = random.Some(3, random.Word),
            CounterFrequency = random.UInt64(),
            Shapes = random.Some(3, i => random.Shape(i, evidence)),
        };
    }

    private static HostShape Shape(this RandomModel random, int index, Evidence evidence) => new()
    {
        Features = new VcpuFeatures((ulong)index << 1),
        Capabilities = random.Some(2, random.Word),
        Gic = random.Any<GicKind>(),
        Errno = random.Coin() ? 0 : random.Errno(),
        RefusedAt = random.Coin() ? "" : "vcpu_init",
        Evidence = evidence,
        Registers = random.Some(12, i => random.Register(random.Id(i))),
    };

    private static RegisterAcceptance Register(this RandomModel random, RegisterId id) => new()
    {
        Id = id,
        Scope = random.Any<RegisterScope>(),
        FrozenAfterRun = random.Coin(),
        Reset = random.MaybeValue(id),
        Accepts = random.Accepts(id),
        Stored = random.Stored(),
        When = random.Some(2, i => new Conditional(
            RegisterId.System(3, 0, 0, 4, i), 4 * i, 4, (ushort)random.Below(1 << 16), random.Coin() ? random.Accepts(id) : null, random.Stored())),
    };

    private static Acceptance Accepts(this RandomModel random, RegisterId id) => random.Below(4) switch
    {
        0 => Acceptance.Any,
        1 => Acceptance.OneOf(random.Some(4, _ => random.Value(id)).Span) with { Errno = random.Errno() },
        2 when id.Size <= 8 => Acceptance.PerField(random.UInt64() >> (64 - 8 * id.Size), random.Some(2 * id.Size, i => random.Field(4 * i))),
        _ => Acceptance.Unproven,
    };

    private static FieldAcceptance Field(this RandomModel random, int shift)
    {
        var width = 1 + random.Below(4);
        return new(shift, width, (ushort)random.Below(1 << (1 << width)));
    }

    private static StoredAs Stored(this RandomModel random)
    {
        if (random.Coin()) return random.Coin() ? StoredAs.Unchanged : StoredAs.Counting;
        var keep = random.UInt64();
        return new()
        {
            Keep = keep,
            Set = random.UInt64() & ~keep,
            Fields = random.Some(2, i =>
            {
                var width = 1 + random.Below(16);
                return new StoredField(16 * i, width, (ushort)random.Below(1 << width), (ushort)random.Below(1 << width));
            }),
        };
    }
}
