using Migrate.Model.Errors;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Model.Foreign;

/// <summary>Makes an assumed profile of a host out of captures that were taken on it.</summary>
public static class ForeignProfile
{
    private const int MinimumIpaBits = 32;

    private const int EInval = 22;

    /// <summary>
    /// One shape for each capture, one for each combination of features that the largest of them contains, and a refused one for each combination with a feature that
    /// a capture of every feature lacks. Everything else stays unproven. The evidence is <see cref="Evidence.Assumed"/> throughout.
    /// </summary>
    /// <exception cref="MigrateException">No capture, captures of different hosts, the same features twice, or a kernel that nothing can be assumed of.</exception>
    public static HostProfile Assume(params ReadOnlySpan<ForeignCapture> captures)
    {
        if (captures.IsEmpty) throw new MigrateException(ErrorCode.Usage, "a profile needs at least one capture") { Stage = Stage.Input };
        var first = captures[0];
        var version = first.Version;
        var largest = first;
        var every = default(ForeignCapture);
        var shapes = new List<HostShape>();
        foreach (var capture in captures)
        {
            if (capture.HostName != first.HostName || capture.KernelRelease != first.KernelRelease || capture.IpaLimit != first.IpaLimit)
                throw new MigrateException(ErrorCode.Malformed, $"{first.Name} and {capture.Name} are not of the same boot of the same host: their host, kernel or IPA limit differs")
                {
                    Stage = Stage.Input,
                };
            if (shapes.Exists(shape => shape.Features == capture.Features.Shape))
                throw new MigrateException(ErrorCode.Malformed, $"{capture.Name} is the second capture of a VM with features {capture.Features.Shape}") { Stage = Stage.Input };
            shapes.Add(Shape(version, capture.Features.Shape, capture.Listed.Span));
            if (capture.Features.Shape.Has(largest.Features.Shape)) largest = capture;
            if (capture.HasEveryFeature) every = capture;
        }
        var fixedFeatures = largest.Features.Shape.Except(HiddenFeatures.Known);
        foreach (var combination in HiddenFeatures.Combinations())
        {
            var features = fixedFeatures | combination;
            if (shapes.Exists(shape => shape.Features == features)) continue;
            if (largest.Features.Has(features) && largest.IsComplete)
                shapes.Add(Shape(version, features, HiddenFeatures.Without(largest, features, version).ToArray()));
            else if (every is not null && !every.Features.Has(combination))
                shapes.Add(new HostShape { Features = features, Evidence = Evidence.Assumed, Errno = EInval, RefusedAt = "vcpu_init" });
        }
        return new HostProfile
        {
            Boot = first.Boot,
            Evidence = Evidence.Assumed,
            Origin = "assumed from " + string.Join(", ", Names(captures)),
            IpaSizes = first.IpaLimit < MinimumIpaBits ? [] : Enumerable.Range(MinimumIpaBits, first.IpaLimit - MinimumIpaBits + 1).ToEquatableArray(),
            Services = ServiceRules.Of(version),
            Shapes = shapes.ToEquatableArray(),
        };
    }

    private static HostShape Shape(KernelVersion version, VcpuFeatures features, ReadOnlySpan<ListedRegister> listed)
    {
        var values = new Dictionary<RegisterId, RegisterValue>(listed.Length);
        foreach (var register in listed)
            if (register.Value is { } value) values.Add(register.Id, value);
        var host = new AssumedHost(version, features, values);
        var registers = new RegisterAcceptance[listed.Length];
        for (var i = 0; i < registers.Length; i++)
            registers[i] = listed[i] switch
            {
                { Value: { } reset } => Assumptions.Of(host, listed[i].Id, reset),
                { Errno: 0 } => Assumptions.OfUnrecorded(host, listed[i].Id),
                _ => new RegisterAcceptance { Id = listed[i].Id, Accepts = Acceptance.Unproven },
            };
        return new HostShape { Features = features, Evidence = Evidence.Assumed, Registers = EquatableArray.Create<RegisterAcceptance>(registers) };
    }

    private static string[] Names(ReadOnlySpan<ForeignCapture> captures)
    {
        var names = new string[captures.Length];
        for (var i = 0; i < names.Length; i++) names[i] = captures[i].Name;
        return names;
    }
}
