using Migrate.Model;
using Migrate.Model.Machines;
using Migrate.Model.Plans;
using Migrate.Model.Registers;
using Spectre.Console;

namespace Migrate.Cli.Output;

/// <summary>A baseline for people: the answer in the first line, what to do in the last.</summary>
internal static class BaselineText
{
    public static void Write(Terminal terminal, BaselineReport report, bool qemu)
    {
        var hosts = $"{Count(report.Hosts, "host")} ({Count(report.Profiles, "profile")})";
        switch (report.Verdict)
        {
            case Verdict.Yes:
                terminal.Line($"YES: one baseline for {hosts}, in every direction", Color.Green);
                break;
            case Verdict.Unproven:
                terminal.Line($"UNPROVEN: one baseline for {hosts}, in every direction, but it rests on assumptions", Color.Yellow);
                break;
            default:
                terminal.Line($"NO: no baseline serves all of {hosts}; {report.Pools.Count} pools are {(report.IsExact ? "the fewest" : "needed (found one by one, perhaps not the fewest)")}", Color.Red);
                terminal.Write(["Cannot share a pool because of", "With", "What each can hold", "The pair that fails"], Proofs(report));
                break;
        }
        for (var i = 0; i < report.Pools.Count; i++)
        {
            if (report.Pools.Count > 1) terminal.Out.WriteLine($"Pool {i + 1}: {string.Join(", ", report.Pools[i].Hosts)}");
            Write(terminal, report.Pools[i], qemu);
        }
        terminal.Out.WriteLine(report.Verdict switch
        {
            Verdict.Yes => "Create VMs with it: vmmigrate baseline ... -o vm.json, then vmmigrate run --config vm.json.",
            Verdict.Unproven => "Remedy: probe the hosts for a measured answer, or --accept assumed.",
            _ => "Remedy: move VMs within a pool only, and create them with the baseline of their pool.",
        });
    }

    /// <summary>What a configuration says, a row a part.</summary>
    public static void Write(Terminal terminal, VmConfig config)
    {
        List<IReadOnlyList<string>> rows =
        [
            ["vCPU features", config.Features.ToString()],
            ["IPA size", $"{config.Type.IpaBits} bits"],
            ["interrupt controller", config.Gic == GicKind.None ? "none" : config.GicRevision is { } revision ? $"{config.Gic}, revision {revision}" : config.Gic.ToString()],
            .. config.Settings.SelectMany(Rows),
            .. config.Expected.Select(e => (IReadOnlyList<string>)[$"{RegisterCatalog.Name(e.Id)} (of the host)", RegisterText.Describe(e.Id, e.Value)]),
        ];
        if (config.CounterFrequency != 0) rows.Add(["CNTFRQ_EL0 (of the host)", $"{config.CounterFrequency} Hz"]);
        terminal.Write(["Baseline", "Value"], rows);
    }

    private static void Write(Terminal terminal, BaselinePool pool, bool qemu)
    {
        Write(terminal, pool.Config);
        terminal.Out.WriteLine($"{Count(pool.Pairs, "ordered pair")} planned: {KebabCase.Of(pool.Verdict.ToString())}; evidence {KebabCase.Of(pool.Config.Evidence.ToString())}");
        if (pool.GivenUp.Count > 0)
        {
            terminal.Write(["Given up by", "What", "Own", "Baseline", "Where it alone is kept, this fails", "Because"],
                pool.GivenUp.Select(g => (IReadOnlyList<string>)[string.Join(", ", g.Hosts), g.Subject, g.Own, g.Baseline, Pair(g.Witness), g.Witness.Reason]));
        }
        else
        {
            terminal.Out.WriteLine("No host gives anything up.");
        }
        if (!qemu) return;
        terminal.Out.WriteLine($"QEMU: {pool.Qemu.Text}");
        foreach (var missing in pool.Qemu.NotExpressed) terminal.Out.WriteLine($"  not expressed: {missing}");
    }

    /// <summary>A row an obstacle: hosts by what they can hold there, and one of the pairs that fail.</summary>
    private static IEnumerable<IReadOnlyList<string>> Proofs(BaselineReport report)
    {
        var tried = report.Proofs.CountBy(p => p.Hosts).ToDictionary();
        var rows = report.Proofs.GroupBy(p => (p.Hosts, p.Subject))
            .Select(same => (With: same.Count() == tried[same.Key.Hosts] ? "whatever features" : string.Join(" | ", same.Select(p => p.Features)), Proof: same.First()));
        foreach (var obstacle in rows.GroupBy(r => (r.Proof.Subject, r.With)))
        {
            var holdings = obstacle.SelectMany(r => r.Proof.Holdings).Distinct().GroupBy(h => h.Values).Select(h => $"{h.Key}: {string.Join(", ", h.Select(x => x.Host))}");
            var first = obstacle.First().Proof;
            yield return
            [
                obstacle.Key.Subject, obstacle.Key.With, string.Join("; ", holdings),
                $"{Pair(first.Witness)}: {first.Witness.Reason} ({KebabCase.Of(first.Evidence.ToString())}){(obstacle.Count() > 1 ? $" and {obstacle.Count() - 1} more" : "")}",
            ];
        }
    }

    /// <summary>Every field that is set: where the value and its opposite differ.</summary>
    private static IEnumerable<IReadOnlyList<string>> Rows(RegisterSetting setting)
    {
        if (setting.Mask == ulong.MaxValue) return [[RegisterCatalog.Name(setting.Id), RegisterText.Describe(setting.Id, setting.Value)]];
        var opposite = new RegisterValue(setting.Value.Low ^ setting.Mask, setting.Value.Size);
        return RegisterText.Differences(setting.Id, setting.Value, opposite).Select(d => (IReadOnlyList<string>)[d.Where, d.Here]);
    }

    private static string Pair(Witness witness) => $"{witness.Source} -> {witness.Destination}";

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
