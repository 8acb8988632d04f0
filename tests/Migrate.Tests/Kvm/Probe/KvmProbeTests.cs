using Migrate.Cli.Commands;
using Migrate.Cli.Output;
using Migrate.Kvm.Probe;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;

namespace Migrate.Tests.Kvm.Probe;

public class KvmProbeTests
{
    [Fact]
    public void A_host_without_KVM_is_told_why_it_may_have_none()
    {
        var obstacle = Assert.Single(KvmProbe.Obstacles("/nonexistent/kvm").ToArray());
        Assert.Equal("/nonexistent/kvm", obstacle.Subject);
        Assert.Contains("EL2", obstacle.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(obstacle.Remedy);
    }

    [Fact]
    public void Something_that_is_no_KVM_is_named_as_such()
    {
        var obstacle = Assert.Single(KvmProbe.Obstacles("/dev/null").ToArray());
        Assert.Contains("not an arm64 KVM host", obstacle.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(obstacle.Remedy);
    }

    [Fact]
    public void The_summary_says_what_was_measured_in_its_first_line_and_what_to_do_in_its_last()
    {
        var output = new StringWriter();
        ProbeCommand.Write(Terminal.To(output, TextWriter.Null), Report, explained: false, file: null);
        var lines = output.ToString().TrimEnd().Split('\n');
        Assert.Equal("alpha: measured 1 registers in 1 VM shapes with 12 ioctls in 1.5 s", lines[0]);
        Assert.Contains("refused: sve (errno 22 at vcpu_init)", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("-o FILE", lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("because", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_doctor_shows_every_note()
    {
        var output = new StringWriter();
        ProbeCommand.Write(Terminal.To(output, TextWriter.Null), Report, explained: true, file: "alpha.profile");
        Assert.Contains("because", output.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("written to alpha.profile\n", output.ToString(), StringComparison.Ordinal);
    }

    private static ProbeReport Report { get; } = new(
        new HostProfile
        {
            Boot = new BootIdentity { HostName = "alpha", KernelRelease = "6.12", PageSize = 4096 },
            Evidence = Evidence.Measured,
            IpaSizes = [32, 40],
            Shapes =
            [
                new HostShape { Features = VcpuFeatures.Psci02, Registers = [new RegisterAcceptance { Id = RegisterId.Firmware(0), Accepts = Acceptance.Any }] },
                new HostShape { Features = VcpuFeatures.Sve, Errno = 22, RefusedAt = "vcpu_init" },
            ],
        },
        [new ProbeNote("a register", "because")],
        Calls: 12,
        TimeSpan.FromSeconds(1.5));
}
