using System.Globalization;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab;

/// <summary>What the command line asks for.</summary>
internal sealed record Options(
    IReadOnlyList<string> Kernels, IReadOnlySet<string> Optional, IReadOnlyList<string> Cpus, IReadOnlyList<LabJob> Jobs, IReadOnlyList<PairJob> PairJobs,
    int HostCpus, string Cache, string Programs, bool Native, bool Pairs, bool Record, bool Keep, bool Offline)
{
    /// <summary>Whether a job boots Linux on the hosts.</summary>
    public bool NeedsLinux => Jobs.Any(job => job.NeedsLinux) || PairJobs.Any(job => job.NeedsLinux);

    public static string Usage { get; } = $"""
        usage: tests/lab/run --kernels 6.1,6.12 --cpus neoverse-n1 [options]
               tests/lab/run --native [options]
          --native          this machine's own /dev/kvm instead of emulated hosts
          --kernels LIST    series to boot, each the newest that Debian's suites offer
          --optional LIST   series that may be missing
          --cpus LIST       CPU models of the emulator: max, neoverse-n1, neoverse-v1, a64fx, cortex-a57, ...
          --host-cpus N     CPUs of each host (default: 1, with which answers are recorded); kicks, for one, meet vCPUs that really run on another CPU
          --jobs LIST       jobs to run on each host (default: all but those that only run when named:
                            {string.Join(", ", JobTable.All.Where(job => job.OnRequest).Select(job => job.Name))})
          --pairs           also run the jobs for two between every two hosts, both ways; all hosts stay up together.
                            Those that --jobs names, else all but those that only run when named:
                            {string.Join(", ", JobTable.Pairs.Where(job => job.OnRequest).Select(job => job.Name))}
          --record          write the kernels' answers to tests/Data/lab instead of comparing them
          --cache DIR       where fetched things stay (default: $XDG_CACHE_HOME/vmmigrate-lab or ~/.cache/vmmigrate-lab)
          --offline         use the package indexes as they were fetched last
          --keep            keep the consoles' logs and the initramfs, and say where
        """;

    /// <exception cref="LabException">A word that is not understood.</exception>
    public static Options Parse(string[] arguments, string programs)
    {
        List<string> kernels = [], optional = [], cpus = [], jobs = [];
        var cache = DefaultCache();
        var hostCpus = 1;
        bool native = false, pairs = false, record = false, keep = false, offline = false;
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--kernels": kernels = Words(arguments, ++i); break;
                case "--optional": optional = Words(arguments, ++i); break;
                case "--cpus": cpus = Words(arguments, ++i); break;
                case "--jobs": jobs = Words(arguments, ++i); break;
                case "--host-cpus":
                    if (!int.TryParse(Words(arguments, ++i)[0], NumberStyles.None, CultureInfo.InvariantCulture, out hostCpus) || hostCpus is < 1 or > 64)
                        throw new LabException($"--host-cpus {arguments[i]}: not a number from 1 to 64.\n{Usage}");
                    break;
                case "--cache": cache = Words(arguments, ++i)[0]; break;
                case "--native": native = true; break;
                case "--pairs": pairs = true; break;
                case "--record": record = true; break;
                case "--keep": keep = true; break;
                case "--offline": offline = true; break;
                default: throw new LabException($"'{arguments[i]}' is not understood.\n{Usage}");
            }
        }

        var emulated = kernels.Count + optional.Count > 0 && cpus.Count > 0;
        if (emulated == native || (native && pairs))
            throw new LabException(Usage);
        var forTwo = JobTable.Pairs.Where(job => jobs.Contains(job.Name)).ToList();
        if (forTwo.Count > 0 && !pairs)
            throw new LabException($"{forTwo[0].Name} is a job for two hosts: it needs --pairs.\n{Usage}");
        var table = jobs.Count == 0 ? [.. JobTable.All.Where(job => !job.OnRequest)] : (IReadOnlyList<LabJob>)[.. jobs.Where(name => forTwo.All(job => job.Name != name)).Select(Job)];
        if (forTwo.Count == 0)
            forTwo.AddRange(JobTable.Pairs.Where(job => !job.OnRequest));
        return new Options([.. kernels.Union(optional)], optional.ToHashSet(), cpus, table, pairs ? forTwo : [], hostCpus, cache, programs, native, pairs, record, keep, offline);
    }

    private static LabJob Job(string name) =>
        JobTable.Find(name) ?? throw new LabException($"there is no job '{name}'; there are: {string.Join(", ", JobTable.All.Select(job => job.Name).Concat(JobTable.Pairs.Select(job => job.Name)))}");

    private static List<string> Words(string[] arguments, int index)
    {
        var words = index < arguments.Length ? arguments[index].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
        return words.Length > 0 ? [.. words.Distinct()] : throw new LabException($"{arguments[index - 1]} needs a value.\n{Usage}");
    }

    private static string DefaultCache()
    {
        var root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(root))
            root = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(root, "vmmigrate-lab");
    }
}
