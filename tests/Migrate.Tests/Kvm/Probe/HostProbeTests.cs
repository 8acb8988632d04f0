using Migrate.Kvm.Probe;
using Migrate.Model;
using Migrate.Model.Encoding;
using Migrate.Model.Firmware;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Migrate.Tests.Model.Foreign;

namespace Migrate.Tests.Kvm.Probe;

public class HostProbeTests
{
    private static readonly RegisterId Pfr0 = RegisterId.System(3, 0, 0, 4, 0);
    private static readonly RegisterId Pfr1 = RegisterId.System(3, 0, 0, 4, 1);
    private static readonly RegisterId Mmfr3 = RegisterId.System(3, 0, 0, 7, 3);
    private static readonly RegisterId Tcr2 = RegisterId.System(3, 0, 2, 0, 3);
    private static readonly RegisterId VirtualCount = RegisterId.System(3, 3, 14, 3, 2);

    public static TheoryData<string> Examples => ["5.10.max", "6.1.neoverse-n1", "6.12.max", "6.12.neoverse-n1", "7.2.max", "7.2.neoverse-n1"];

    [Theory]
    [MemberData(nameof(Examples))]
    public void A_probed_host_is_predicted_as_it_answers(string example)
    {
        var original = Example(example);
        var compared = 0;
        foreach (var measured in Probe(new FakeHost(original)).Shapes)
        {
            if (original.Shape(measured.Features, measured.Gic) is not { } known)
            {
                Assert.NotEqual(0, measured.Errno);
                continue;
            }
            Assert.Equal(known.Errno, measured.Errno);
            Assert.Equal(known.Registers.Select(r => r.Id), measured.Registers.Select(r => r.Id));
            compared += Compare(known, measured);
        }
        Assert.True(compared > 50_000, $"only {compared} values compared");
    }

    [Fact]
    public void A_second_probe_says_the_same()
    {
        var host = new FakeHost(Example("6.12.max")) { Gics = [GicKind.GicV3] };
        Assert.Equal(Probe(host), Probe(host));
    }

    [Fact]
    public void Nothing_is_left_open()
    {
        var host = new FakeHost(Example("7.2.max")) { Gics = [GicKind.GicV3] };
        Probe(host);
        Assert.Equal(0, host.Open);
    }

    [Fact]
    public void Every_shape_is_measured_with_each_interrupt_controller_and_the_second_takes_far_fewer_calls()
    {
        var alone = new FakeHost(Example("6.12.neoverse-n1"));
        var with = new FakeHost(alone.Profile) { Gics = [GicKind.GicV3] };
        var shapes = Probe(with).Shapes.Where(s => s.Errno == 0).ToList();
        Probe(alone);
        foreach (var none in shapes.Where(s => s.Gic == GicKind.None))
        {
            var gic = shapes.Single(s => s.Features == none.Features && s.Gic == GicKind.GicV3);
            Assert.Equal(none.Registers, gic.Registers);
        }
        Assert.True(with.Calls < alone.Calls * 3 / 2, $"{with.Calls} and {alone.Calls}");
    }

    [Fact]
    public void A_profile_survives_both_encodings()
    {
        var profile = Probe(new FakeHost(Example("6.12.max")));
        Assert.Equal(profile, MessagePackEncoding.Decode(Documents.HostProfile, MessagePackEncoding.Encode(Documents.HostProfile, profile)));
        Assert.Equal(profile, DocumentFile.Read(System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Documents.HostProfile, profile)), "probe").Value);
        Assert.Equal(Evidence.Measured, profile.Evidence);
    }

    [Fact]
    public void Services_are_those_that_the_guest_was_given()
    {
        string[] services = ["psci-1.1", "workaround-1-not-required", "workaround-2-not-available", "workaround-3-available", "trng", "pv-time", "kvm", "func-feat"];
        var host = new FakeHost(Example("6.12.max") with { Services = [.. services], CounterFrequency = 25_000_000 });
        var profile = Probe(host);
        Assert.Equal(services, profile.Services);
        Assert.Equal(25_000_000UL, profile.CounterFrequency);
    }

    [Fact]
    public void A_host_that_runs_no_guest_is_measured_without_what_only_a_guest_shows()
    {
        var report = new HostProbe(new FakeHost(Example("6.12.max")) { RunErrno = 22 }, new BootIdentity()).Measure();
        Assert.Empty(report.Profile.Services);
        Assert.Contains(report.Notes, n => n.Subject == "services");
        Assert.Contains(report.Notes, n => n.Reason.Contains("freeze", StringComparison.Ordinal));
    }

    [Fact]
    public void Catches_a_field_whose_accepted_values_are_no_interval()
    {
        // DIT (bits 51:48) takes 1, 4 and 9 beside its own.
        var host = Mutant((vm, id, value, errno) => id == Pfr0 && Only(value, Reset(Pfr0), 48) ? (value.Low >> 48 & 15) is 1 or 4 or 9 ? 0 : 22 : errno);
        var field = Probed(host, Pfr0).Accepts.Fields.Single(f => f.Shift == 48);
        Assert.Equal((ushort)(1 << 1 | 1 << 4 | 1 << 9 | 1 << field.Extract(Reset(Pfr0))), field.Mask);
    }

    [Fact]
    public void Catches_a_field_that_is_silently_changed()
    {
        // A 7 in MPAM (bits 43:40) is taken and reads zero.
        var host = Mutant((vm, id, value, errno) => id == Pfr0 && (value.Low >> 40 & 15) == 7 ? vm.Set(0, id, new RegisterValue(value.Low & ~(15UL << 40))) : errno);
        Assert.Contains(new StoredField(40, 4, 7, 0), Probed(host, Pfr0).Stored.Fields);
    }

    [Fact]
    public void Catches_a_register_that_freezes_at_first_run_and_one_that_does_not()
    {
        var thawed = Mutant((vm, id, value, errno) => id == Pfr1 && errno == 16 ? 0 : errno);
        Assert.True(Probed(new FakeHost(Plain), Pfr1).FrozenAfterRun);
        Assert.False(Probed(thawed, Pfr1).FrozenAfterRun);
        var tpidr = RegisterId.System(3, 3, 13, 0, 2);
        var frozen = Mutant((vm, id, value, errno) => id == tpidr && vm.HasRun ? 16 : errno);
        Assert.False(Probed(new FakeHost(Plain), tpidr).FrozenAfterRun);
        Assert.True(Probed(frozen, tpidr).FrozenAfterRun);
    }

    [Fact]
    public void Catches_a_register_that_belongs_to_the_VM()
    {
        var tpidr = RegisterId.System(3, 3, 13, 0, 2);
        var shared = With(Plain, tpidr, r => r with { Scope = RegisterScope.Vm });
        Assert.Equal(RegisterScope.Vcpu, Probed(new FakeHost(Plain), tpidr).Scope);
        Assert.Equal(RegisterScope.Vm, Probed(new FakeHost(shared), tpidr).Scope);
    }

    [Fact]
    public void A_register_that_moves_has_no_reset_value_of_its_own()
    {
        var counter = Probed(new FakeHost(Plain), VirtualCount);
        Assert.True(counter.Stored.Volatile);
        Assert.True(counter.Reset!.Value.IsZero);
    }

    [Fact]
    public void A_register_that_vanishes_with_a_field_is_found_without_a_table()
    {
        // Nobody couples TPIDR_EL0 to CSV3.
        var tpidr = RegisterId.System(3, 3, 13, 0, 2);
        var coupled = With(Plain, tpidr, r => r with { When = [new Conditional(Pfr0, 60, 4, 1, null, StoredAs.Unchanged)] });
        var csv3 = With(coupled, Pfr0, r => r with { Reset = new RegisterValue(r.Reset!.Value.Low | 1UL << 60), Accepts = Widened(r.Accepts, 60, 3) });
        Assert.Equal(new Conditional(Pfr0, 60, 4, 1, null, StoredAs.Unchanged), Assert.Single(Probed(new FakeHost(csv3), tpidr).When.Span.ToArray()));
    }

    [Fact]
    public void A_level_that_a_field_of_the_VM_decides_is_measured_under_each_of_its_values()
    {
        var second = FirmwareRegisters.Workaround2;
        var low = Acceptance.OneOf(new RegisterValue(0), new RegisterValue(1));
        var high = Acceptance.OneOf(new(0), new(1), new(2), new(3), new(18));
        var coupled = With(Plain, second, r => r with
        {
            Reset = new RegisterValue(0),
            Accepts = low,
            Stored = StoredAs.Always(0),
            When = [new Conditional(Pfr1, 4, 4, 1, high, StoredAs.Unchanged)],
        });
        var ssbs = With(coupled, Pfr1, r => r with { Reset = new RegisterValue(0x20), Accepts = Acceptance.PerField(0, [new FieldAcceptance(4, 4, 7)]) });
        var measured = Probed(new FakeHost(ssbs), second);
        Assert.Equal(low.Values, measured.Accepts.Values);
        var when = Assert.Single(measured.When.Span.ToArray());
        Assert.Equal((Pfr1, 4, 1u), (when.Controller, when.Shift, when.Values));
        Assert.Equal(high.Values.Order(Comparer<RegisterValue>.Create((a, b) => a.Low.CompareTo(b.Low))), when.Accepts!.Values);
    }

    [Fact]
    public void A_mask_whose_bits_only_clear_is_measured_in_new_VMs()
    {
        // As PMCNTENCLR on some kernels: what is written is taken away, and nothing brings it back.
        var clear = RegisterId.System(3, 3, 13, 0, 2);
        var stored = new Dictionary<FakeVm, ulong>();
        var host = new FakeHost(With(Plain, clear, r => r with { Reset = new RegisterValue(0xf0) }))
        {
            OnSet = (vm, id, value, errno) =>
            {
                if (id == clear) stored[vm] = stored.GetValueOrDefault(vm, 0xf0UL) & ~value.Low;
                return errno;
            },
            OnGet = (vm, id, value) => id == clear ? new RegisterValue(stored.GetValueOrDefault(vm, 0xf0UL)) : value,
        };
        var measured = Probed(host, clear);
        Assert.Equal(AcceptanceKind.Any, measured.Accepts.Kind);
        foreach (var written in new ulong[] { 0, 0x30, 0xff, ulong.MaxValue })
            Assert.Equal(0xf0 & ~written, measured.Stored.Of(new RegisterValue(written)).Low);
    }

    [Fact]
    public void A_count_that_is_kept_only_up_to_a_limit_is_measured_value_by_value()
    {
        var control = RegisterId.System(3, 3, 9, 12, 0);
        var full = Example("6.12.neoverse-n1");
        var limited = full.Shapes.First(s => s.Errno == 0 && s.Find(control) is not null);
        var measured = Probe(new FakeHost(full)).Shape(limited.Features, GicKind.None)!.Find(control)!;
        var most = limited.Find(control)!.Reset!.Value.Low >> 11 & 31;
        Assert.Equal(most - 1, measured.Stored.Of(new RegisterValue(most - 1 << 11)).Low >> 11 & 31);
        Assert.Equal(most, measured.Stored.Of(new RegisterValue(most + 1 << 11)).Low >> 11 & 31);
    }

    [Fact]
    public void Fields_that_depend_on_each_other_are_noted()
    {
        // CSV2 and CSV3 may each be given up, but not both.
        var reset = Reset(Pfr0) | 1UL << 60 | 1UL << 56;
        var both = With(Plain, Pfr0, r => r with { Reset = new RegisterValue(reset), Accepts = Widened(Widened(r.Accepts, 60, 3), 56, 3) });
        var host = new FakeHost(both) { OnSet = (vm, id, value, errno) => id == Pfr0 && value.Low >> 56 == 0 ? 22 : errno };
        var report = new HostProbe(host, new BootIdentity()).Measure();
        Assert.Contains(report.Notes, n => n.Subject == "ID_AA64PFR0_EL1" && n.Reason.Contains("depend on each other", StringComparison.Ordinal));
        Assert.DoesNotContain(new HostProbe(new FakeHost(both), new BootIdentity()).Measure().Notes, n => n.Subject == "ID_AA64PFR0_EL1");
    }

    [Fact]
    public void A_register_that_follows_no_rule_is_unproven_and_says_so()
    {
        var tpidr = RegisterId.System(3, 3, 13, 0, 2);
        var host = new FakeHost(Plain) { OnGet = (vm, id, value) => id == tpidr ? new RegisterValue(value.Low * 3) : value };
        var report = new HostProbe(host, new BootIdentity()).Measure();
        Assert.Equal(AcceptanceKind.Unproven, report.Profile.Shape(VcpuFeatures.Psci02, GicKind.None)!.Find(tpidr)!.Accepts.Kind);
        Assert.Contains(report.Notes, n => n.Subject == "TPIDR_EL0");
    }

    [Fact]
    public void A_refused_set_of_features_is_a_shape_with_its_errno()
    {
        var refused = Assert.Single(Probe(new FakeHost(Plain)).Shapes.ToEquatableArray(), s => s.Features == (VcpuFeatures.Psci02 | VcpuFeatures.Sve));
        Assert.Equal((22, "vcpu_init"), (refused.Errno, refused.RefusedAt));
    }

    private static HostProfile Plain { get; } = OnlyPlain(Example("6.12.neoverse-n1"));

    private static HostProfile OnlyPlain(HostProfile profile) => profile with { Shapes = [profile.Shape(VcpuFeatures.Psci02, GicKind.None)!] };

    /// <summary>A host to be probed that answers as the captures of a real one let assume.</summary>
    private static HostProfile Example(string host) => Captures.Hosts[host] with { CounterFrequency = 62_500_000 };

    private static HostProfile Probe(FakeHost host) => new HostProbe(host, new BootIdentity { HostName = "fake" }).Measure().Profile;

    private static RegisterAcceptance Probed(FakeHost host, RegisterId id) => Probe(host).Shape(VcpuFeatures.Psci02, GicKind.None)!.Find(id)!;

    private static FakeHost Mutant(Func<FakeVm, RegisterId, RegisterValue, int, int> set)
    {
        var inside = false;
        return new FakeHost(Plain)
        {
            OnSet = (vm, id, value, errno) =>
            {
                if (inside) return errno;
                inside = true;
                try
                {
                    return set(vm, id, value, errno);
                }
                finally
                {
                    inside = false;
                }
            },
        };
    }

    private static ulong Reset(RegisterId id) => Plain.Shapes[0].Find(id)!.Reset!.Value.Low;

    /// <summary>Whether a value differs from another at most in the nibble at a bit.</summary>
    private static bool Only(RegisterValue value, ulong reset, int shift) => (value.Low & ~(15UL << shift)) == (reset & ~(15UL << shift)) && value.Low != reset;

    private static HostProfile With(HostProfile profile, RegisterId id, Func<RegisterAcceptance, RegisterAcceptance> change) => profile with
    {
        Shapes = profile.Shapes.Select(s => s with { Registers = s.Registers.Select(r => r.Id == id ? change(r) : r).ToEquatableArray() }).ToEquatableArray(),
    };

    private static Acceptance Widened(Acceptance accepts, int shift, ushort mask) => accepts with
    {
        Kind = AcceptanceKind.Fields,
        Fields = accepts.Fields.Where(f => f.Shift != shift).Append(new FieldAcceptance(shift, 4, mask)).ToEquatableArray(),
    };

    /// <summary>Predicts every value of each nibble, and pseudo-random ones, from both; whatever the original leaves unproven is skipped.</summary>
    private static int Compare(HostShape known, HostShape measured)
    {
        var (expected, actual) = (new ShapeIndex(known), new ShapeIndex(measured));
        var random = new Random(1);
        var compared = 0;
        for (var i = 0; i < known.Registers.Count; i++)
        {
            var (was, found) = (known.Registers[i], measured.Registers[i]);
            if (was.Accepts.Kind == AcceptanceKind.Unproven || was.Reset is not { } reset) continue;
            var name = $"{known.Features} {RegisterCatalog.Name(was.Id)}";
            Assert.True(was.FrozenAfterRun == found.FrozenAfterRun, $"{name} frozen: {found.FrozenAfterRun}");
            if (!was.Stored.Volatile) Assert.Equal(reset, found.Reset);
            foreach (var value in Values(was, reset, random))
            {
                Assert.True(expected.Predict(was.Id, value) == actual.Predict(was.Id, value),
                    $"{name} {value}: {expected.Predict(was.Id, value)}, measured {actual.Predict(was.Id, value)}");
                compared++;
            }
            foreach (var condition in was.When) compared += CompareUnder(known, expected, actual, was, condition, reset);
        }
        return compared;
    }

    private static int CompareUnder(HostShape known, ShapeIndex expected, ShapeIndex actual, RegisterAcceptance register, Conditional condition, RegisterValue reset)
    {
        if (condition.Accepts is { Kind: AcceptanceKind.Unproven } || known.Find(condition.Controller) is not { Reset: { } own } controller) return 0;
        var compared = 0;
        for (var field = 0UL; field < 1UL << condition.Width; field++)
        {
            var bits = ((1UL << condition.Width) - 1) << condition.Shift;
            var under = new RegisterValue((own.Low & ~bits) | field << condition.Shift);
            if (expected.Predict(condition.Controller, under).Kind != AnswerKind.Kept) continue;
            Func<RegisterId, RegisterValue?> current = id => id == controller.Id ? under : null;
            Assert.Equal(expected.Predict(register.Id, reset, current).Kind, actual.Predict(register.Id, reset, current).Kind);
            compared++;
        }
        return compared;
    }

    private static IEnumerable<RegisterValue> Values(RegisterAcceptance register, RegisterValue reset, Random random)
    {
        yield return reset;
        if (register.Id.Size > 8)
        {
            foreach (var value in register.Accepts.Values.ToArray()) yield return value;
            yield break;
        }
        for (var shift = 0; shift < register.Id.Size * 8; shift += 4)
            for (var value = 0UL; value < 16; value++) yield return new RegisterValue((reset.Low & ~(15UL << shift)) | value << shift, register.Id.Size);
        for (var i = 0; i < 8; i++)
        {
            var value = register.Accepts.Kind == AcceptanceKind.Fields ? reset.Low : (ulong)random.NextInt64() & (register.Id.Size == 8 ? ulong.MaxValue : uint.MaxValue);
            foreach (var field in register.Accepts.Fields)
            {
                var candidate = random.Next(1 << field.Width);
                if ((field.Mask >> candidate & 1) != 0) value = (value & ~field.Bits) | (ulong)candidate << field.Shift;
            }
            yield return new RegisterValue(value, register.Id.Size);
        }
    }
}
