using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Preflight;
using Migrate.Tests.Model.Foreign;

namespace Migrate.Tests.Preflight;

public class JudgeTests
{
    [Theory]
    [InlineData(Policy.Vmmigrate)]
    [InlineData(Policy.Strict)]
    [InlineData(Policy.Qemu)]
    public void A_verdict_without_steps_is_the_plans_own(Policy policy)
    {
        var options = new PlanOptions { Policy = policy };
        var prepared = Captures.Hosts.Values.Select(host => new PreparedHost(host)).ToList();
        foreach (var source in Captures.Hosts.Values)
        {
            foreach (var vcpus in new[] { 1, 3 })
            {
                var state = DefaultMachine.Of(source, VcpuFeatures.Psci02 | VcpuFeatures.PmuV3, vcpus);
                foreach (var destination in prepared)
                {
                    var (plan, judged) = (Planner.Plan(state, destination.Profile, options, source), Planner.Judge(state, destination, options, source));
                    Assert.Equal(plan with { Steps = [] }, judged);
                    Assert.NotEmpty(plan.Steps.ToArray());
                }
            }
        }
    }

    [Fact]
    public void A_register_that_is_kept_costs_a_verdict_no_allocation()
    {
        var host = Captures.Hosts["6.12.neoverse-n1"] with { CounterFrequency = 62_500_000 };
        var prepared = new PreparedHost(host);
        var options = new PlanOptions();
        var few = DefaultMachine.Of(host, VcpuFeatures.Psci02 | VcpuFeatures.PmuV3);
        var fewer = few with { Vcpus = [few.Vcpus[0] with { Registers = new RegisterSet(few.Vcpus[0].Registers.Take(10)) }] };
        Assert.True(few.Vcpus[0].Registers.Count > 300);
        // What remains are the registers on which others depend, and those left out for a reason that is put into words.
        Assert.InRange(Allocated(few) - Allocated(fewer), 0, 1024);

        long Allocated(MachineState state)
        {
            for (var i = 0; i < 3; i++) Planner.Judge(state, prepared, options, host);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Planner.Judge(state, prepared, options, host);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
