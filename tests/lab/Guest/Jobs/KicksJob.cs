using System.Diagnostics;
using System.Globalization;
using Migrate.Kvm.Handles;
using Migrate.Kvm.Scratch;
using Migrate.Kvm.Vmm;

namespace Migrate.LabGuest.Jobs;

/// <summary>A vCPU is taken out of the guest a hundred thousand times, wherever it is: in its code, in WFI, in an exit, switched off. No kick may be lost.</summary>
internal static class KicksJob
{
    private const int Each = 25_000;

    /// <summary>A kick that has no effect for so long is lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Reads the report page for ever: nearly all the time it is outside of the guest.</summary>
    private static readonly uint[] Reading = [.. A64.Load(9, ScratchMachine.ReportPage), 0xf9400000 | 9 << 5 | 10, A64.Branch(-1)];

    private static readonly (string Where, uint[]? Program)[] Guests =
    [
        ("in its code", ScratchGuests.Counting(0)), ("in WFI", ScratchGuests.Waiting(1)), ("in an exit", Reading), ("switched off", null),
    ];

    public static void Run(JobContext context)
    {
        using var system = KvmSystem.Open();
        using var scratch = ScratchMachine.Create(system, new ScratchOptions { Vcpus = Guests.Length, HasGic = true, Started = [0, 1, 2] });
        for (var i = 0; i < Guests.Length; i++)
            if (Guests[i].Program is { } program) scratch.Load(i, 0x1000UL * (ulong)(i + 1), program);
        var exits = new Quiet();
        var runners = scratch.Machine.Vcpus.Values.Select(vcpu => new VcpuRunner(vcpu, exits)).ToArray();
        var seen = new int[runners.Length];
        var took = new double[runners.Length];
        var kickers = runners.Select((runner, i) => new Thread(() =>
        {
            var since = Stopwatch.StartNew();
            for (var n = 0; n < Each; n++)
                if (runner.Between(_ => Volatile.Write(ref seen[i], seen[i] + 1)) is false) return;
            took[i] = since.Elapsed.TotalSeconds;
        })
        { IsBackground = true }).ToArray();
        foreach (var kicker in kickers) kicker.Start();
        for (var i = 0; i < runners.Length; i++)
        {
            var vcpu = i;
            context.Case($"{Each} kicks of a vCPU {Guests[i].Where}", () =>
            {
                for (var (last, since) = (-1, Stopwatch.StartNew()); !kickers[vcpu].Join(1000);)
                {
                    var now = Volatile.Read(ref seen[vcpu]);
                    if (now != last) (last, since) = (now, Stopwatch.StartNew());
                    CheckFailedException.That(since.Elapsed < Patience, $"kick {now + 1} is lost: nothing for {since.Elapsed.TotalSeconds:F0} s");
                }
                CheckFailedException.Equal(Each, seen[vcpu], "kicks that the vCPU saw");
                context.Note(string.Create(CultureInfo.InvariantCulture, $"a vCPU {Guests[vcpu].Where}: {Each} kicks in {took[vcpu]:F1} s"));
            });
        }
        context.Case("they stop when they are told to", () =>
        {
            foreach (var runner in runners) runner.Stop();
            CheckFailedException.Equal(0, exits.Failures, "vCPUs that failed");
        });
    }

    private sealed class Quiet : IExitHandler
    {
        private int _failures;

        public int Failures => _failures;

        public void Exit(KvmVcpu vcpu)
        {
            if (vcpu.Run.ExitReason == ExitReason.Mmio && !vcpu.Run.MmioIsWrite) vcpu.Run.MmioData = 0;
        }

        public void Failed(KvmVcpu vcpu, Exception error) => Interlocked.Increment(ref _failures);
    }
}
