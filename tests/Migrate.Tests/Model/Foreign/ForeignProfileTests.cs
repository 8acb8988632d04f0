using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Foreign;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

public class ForeignProfileTests
{
    public static TheoryData<string> HostNames => [.. Captures.Hosts.Keys];

    [Theory]
    [MemberData(nameof(HostNames))]
    public void A_profile_has_a_shape_for_every_combination_of_features_and_says_that_it_is_assumed(string name)
    {
        var profile = Captures.Hosts[name];
        Assert.Equal(8, profile.Shapes.Count);
        Assert.Equal(8, profile.Shapes.Select(shape => shape.Features).Distinct().Count());
        Assert.Equal(Evidence.Assumed, profile.Evidence);
        Assert.All(profile.Shapes, shape => Assert.Equal(Evidence.Assumed, shape.Evidence));
        Assert.Contains($"{name}.all", profile.Origin, StringComparison.Ordinal);
        Assert.Contains($"{name}.min", profile.Origin, StringComparison.Ordinal);
        Assert.Equal(32, profile.IpaSizes[0]);
        Assert.Equal(Captures.All[$"{name}.all"].IpaLimit, profile.IpaSizes[^1]);
    }

    [Theory]
    [MemberData(nameof(HostNames))]
    public void The_shape_derived_from_the_largest_capture_is_the_one_captured_without_those_features(string name)
    {
        var derived = ForeignProfile.Assume(Captures.All[$"{name}.all"]).Shape(VcpuFeatures.Psci02, GicKind.None)!;
        var captured = ForeignProfile.Assume(Captures.All[$"{name}.min"]).Shape(VcpuFeatures.Psci02, GicKind.None)!;
        Assert.Equal(captured.Registers.Select(register => register.Id), derived.Registers.Select(register => register.Id));
        foreach (var (expected, actual) in captured.Registers.Zip(derived.Registers))
            if (!expected.Stored.Volatile) Assert.Equal(expected, actual);
    }

    [Fact]
    public void A_feature_that_a_capture_of_every_feature_lacks_is_refused()
    {
        var profile = Captures.Hosts["6.12.neoverse-n1"];
        foreach (var shape in profile.Shapes)
        {
            var refused = shape.Features.Has(VcpuFeatures.Sve) || shape.Features.Has(VcpuFeatures.PointerAuthentication);
            Assert.Equal(refused ? (22, "vcpu_init", 0) : (0, "", shape.Registers.Count), (shape.Errno, shape.RefusedAt, shape.Registers.Count));
        }
        Assert.Equal(2, profile.Shapes.Count(shape => shape.Errno == 0));
    }

    [Fact]
    public void A_feature_that_no_capture_speaks_of_stays_unproven()
    {
        var profile = ForeignProfile.Assume(Captures.All["6.12.max.min"]);
        Assert.Equal(VcpuFeatures.Psci02, Assert.Single(profile.Shapes.ToArray()).Features);
        Assert.Null(profile.Shape(VcpuFeatures.Psci02 | VcpuFeatures.Sve, GicKind.None));
        Assert.Null(Captures.Hosts["7.2.max"].Shape(VcpuFeatures.Psci02 | VcpuFeatures.El2, GicKind.None));
    }

    [Fact]
    public void A_register_that_could_not_be_read_is_unproven()
    {
        var capture = Captures.All["6.12.max.min"];
        var broken = capture with { Listed = [.. capture.Listed.Span[..^1], new ListedRegister(capture.Listed[^1].Id, null, 5)] };
        var shape = new ShapeIndex(ForeignProfile.Assume(broken).Shapes[0]);
        Assert.Equal(AnswerKind.Unproven, shape.Predict(capture.Listed[^1].Id, capture.Listed[^1].Value!.Value).Kind);
    }

    [Fact]
    public void Blanking_the_kernel_release_of_a_profile_changes_no_prediction()
    {
        foreach (var profile in Captures.Hosts.Values)
        {
            var blank = profile with { Boot = new BootIdentity() };
            foreach (var capture in Captures.All.Values)
            {
                var before = profile.Shape(capture.Features, GicKind.None)!;
                var after = blank.Shape(capture.Features, GicKind.None)!;
                Assert.Equal(before.Errno, after.Errno);
                var (named, unnamed) = (new ShapeIndex(before), new ShapeIndex(after));
                foreach (var (id, value) in capture.ToState().Vcpus[0].Registers) Assert.Equal(named.Predict(id, value), unnamed.Predict(id, value));
            }
        }
    }

    [Fact]
    public void Converted_states_and_profiles_survive_as_documents()
    {
        foreach (var state in Captures.All.Values.Select(capture => capture.ToState()))
        {
            Assert.Equal(state, JsonEncoding.Decode(Documents.MachineState, System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Documents.MachineState, state))));
            Assert.Equal(state, MessagePackEncoding.Decode(Documents.MachineState, MessagePackEncoding.Encode(Documents.MachineState, state)));
        }
        foreach (var profile in Captures.Hosts.Values)
        {
            Assert.Equal(profile, JsonEncoding.Decode(Documents.HostProfile, System.Text.Encoding.UTF8.GetBytes(JsonEncoding.Encode(Documents.HostProfile, profile))));
            Assert.Equal(profile, MessagePackEncoding.Decode(Documents.HostProfile, MessagePackEncoding.Encode(Documents.HostProfile, profile)));
        }
    }

    [Fact]
    public void Refuses_no_captures_at_all() =>
        Assert.Equal(ErrorCode.Usage, Assert.Throws<MigrateException>(() => ForeignProfile.Assume()).Code);

    [Theory]
    [InlineData("6.12.max.all", "6.12.neoverse-n1.min")]
    [InlineData("6.12.max.all", "7.2.max.min")]
    public void Refuses_captures_of_different_hosts(string first, string second)
    {
        var error = Assert.Throws<MigrateException>(() => ForeignProfile.Assume(Captures.All[first], Captures.All[second]));
        Assert.Equal(ErrorCode.Malformed, error.Code);
        Assert.Contains(second, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_two_captures_of_the_same_features() =>
        Assert.Contains("second capture", Assert.Throws<MigrateException>(() => ForeignProfile.Assume(Captures.All["6.12.max.min"], Captures.All["6.12.max.min"])).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("linux")]
    public void Refuses_to_assume_anything_of_an_unknown_kernel(string release)
    {
        var error = Assert.Throws<MigrateException>(() => ForeignProfile.Assume(Captures.All["6.12.max.min"] with { KernelRelease = release }));
        Assert.Equal(ErrorCode.Unsupported, error.Code);
        Assert.Contains("probe", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("6.12.95-1-arm64", 6, 12)]
    [InlineData("7.2", 7, 2)]
    [InlineData("5.10.255-253.1008.amzn2.aarch64", 5, 10)]
    public void A_release_begins_with_its_generation(string release, int major, int minor)
    {
        Assert.True(KernelVersion.TryParse(release, out var version));
        Assert.Equal(new KernelVersion(major, minor), version);
    }

    [Theory]
    [InlineData("")]
    [InlineData("6")]
    [InlineData("6.")]
    [InlineData(".12")]
    [InlineData("six.12")]
    [InlineData("-6.12")]
    [InlineData("6.99999999999")]
    public void Refuses_a_release_without_a_generation(string release) => Assert.False(KernelVersion.TryParse(release, out _));

    [Fact]
    public void A_register_without_a_value_keeps_a_rule_that_does_not_ask_for_it()
    {
        var capture = Captures.All["6.12.max.min"];
        var pc = RegisterKinds.Id("PC");
        var midr = RegisterKinds.Id("MIDR_EL1");
        var partial = capture with { Listed = [.. capture.Listed.ToArray().Select(r => r.Id == pc || r.Id == midr ? r with { Value = null } : r)] };
        var shape = new ShapeIndex(ForeignProfile.Assume(partial).Shapes[0]);
        Assert.True(shape.Find(pc)!.Reset!.Value.IsZero);
        Assert.Equal(AnswerKind.Kept, shape.Predict(pc, new RegisterValue(0x4000_0000)).Kind);
        Assert.Equal(AnswerKind.Unproven, shape.Predict(midr, new RegisterValue(0)).Kind);
    }
}
