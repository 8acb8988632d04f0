using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Migrate.Lab.Hosts;
using Migrate.Lab.Images;
using Migrate.Lab.Results;
using Migrate.LabGuest;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab;

/// <summary>Boots the hosts, at most two at a time, runs the jobs on each, then those for two, and counts.</summary>
internal sealed class LabRun(Options options, Recordings recordings, Recordings pairRecordings, Tally tally, string data, string work)
{
    /// <summary>An emulated host that works keeps one core busy.</summary>
    private const int AtATime = 2;

    /// <summary>What an emulated host was seen to occupy at most, in KiB: its 2 GiB and the emulator's translations.</summary>
    private const long HostSize = 2560L << 10;

    /// <summary>Hosts that wait for their pair jobs.</summary>
    private readonly ConcurrentDictionary<HostId, LabHost> _waiting = [];

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>Runs everything on emulated hosts.</summary>
    public async Task RunEmulatedAsync(Ingredients ingredients, CancellationToken cancel)
    {
        var hosts = (from kernel in ingredients.Kernels from cpu in options.Cpus select (Id: new HostId(kernel.Series, cpu), Kernel: kernel)).ToList();
        if (options.Pairs)
            CheckMemory(hosts.Count);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancel };
        try
        {
            await Parallel.ForEachAsync(hosts, parallel, async (host, token) =>
            {
                var initramfs = Path.Combine(work, $"{host.Id}.cpio");
                Initramfs.Write(initramfs, host.Kernel, ingredients.UserSpace, ingredients.GuestQemu, options.NeedsLinux, options.Programs);
                var machine = new EmulatedMachine(host.Id.Cpu, options.HostCpus, ingredients.Emulator, host.Kernel, initramfs, options.Pairs);
                await RunHostAsync(host.Id, machine, token);
                if (!options.Keep)
                    File.Delete(initramfs);
            });
            foreach (var source in hosts)
            {
                foreach (var destination in hosts.Where(host => options.Pairs && host.Id != source.Id))
                    await RunPairAsync(source.Id, destination.Id, ingredients.GuestQemu?.Identity ?? "", cancel);
            }
        }
        finally
        {
            foreach (var host in _waiting.Values)
                await host.DisposeAsync();
        }
    }

    /// <summary>Runs everything on this machine.</summary>
    public Task RunNativeAsync(CancellationToken cancel) => RunHostAsync(NativeMachine.Id(), new NativeMachine(options.Programs), cancel);

    private async Task RunHostAsync(HostId id, IMachine machine, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        LabHost? host = null;
        try
        {
            tally.Expect(id.ToString());
            host = await LabHost.BootAsync(id, machine, Path.Combine(work, $"{id}.console"), cancel);
            tally.Host();
            Say(id, $"{host.Release} answered after {clock.Elapsed.TotalSeconds:F1} s");
            foreach (var job in options.Jobs)
                await RunJobAsync(host, job, Inputs(id, job), new Recorder(recordings, id.ToString(), host.Machine.Identity), _ => { }, cancel);
            if (options.Pairs)
            {
                _waiting[id] = host;
                host = null;
            }
        }
        catch (HostDiedException died)
        {
            tally.Failure(died.Message);
            Say(id, "died");
        }
        finally
        {
            if (host is not null)
                await host.DisposeAsync();
        }
    }

    private async Task RunPairAsync(HostId source, HostId destination, string qemu, CancellationToken cancel)
    {
        var name = $"{source} -> {destination}";
        if (!_waiting.TryGetValue(source, out var from) || !_waiting.TryGetValue(destination, out var to))
        {
            tally.Failure($"{name}: not tried, a host died before");
            return;
        }

        if (from.Machine.ForwardedPort is null || to.Machine.ForwardedPort is null)
        {
            tally.Failure($"{name}: not tried, one of the two kernels comes without network modules: leave it out of --pairs");
            return;
        }

        var identity = $"source {from.Machine.Identity}destination {to.Machine.Identity}{qemu}";
        var recorded = new Recorder(pairRecordings, $"{source}-to-{destination}", identity);
        foreach (var job in options.PairJobs)
        {
            // If one half fails, the other would wait for it in vain.
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var listening = new TaskCompletionSource();
            var destinationEnds = RunJobAsync(to, job.DestinationHalf, [Name(to.Id)], recorded, _ => listening.TrySetResult(), both.Token);
            try
            {
                await Task.WhenAny(listening.Task, destinationEnds);
                if (listening.Task.IsCompleted)
                {
                    // 10.0.2.2 is the emulator's machine, where a loopback port leads on to the destination.
                    var peer = new Message(MessageKind.Input, JobContext.PeerInput, "", Encoding.UTF8.GetBytes($"10.0.2.2:{to.Machine.ForwardedPort}"));
                    await RunJobAsync(from, job.SourceHalf, [Name(from.Id), peer], recorded, _ => { }, both.Token);
                }

                await destinationEnds;
                tally.Pair();
            }
            catch (HostDiedException died)
            {
                await both.CancelAsync();
                await Task.WhenAny(destinationEnds);
                tally.Failure($"{name} {job.Name}: {died.Message}");
                _waiting.Remove(source, out _);
                _waiting.Remove(destination, out _);
                await from.DisposeAsync();
                await to.DisposeAsync();
                return;
            }
        }
    }

    private List<Message> Inputs(HostId id, LabJob job)
    {
        return
        [
            Name(id),
            .. (job.Inputs ?? []).SelectMany(pattern => DataFiles.Matching(data, pattern))
                .Select(file => new Message(MessageKind.Input, file.Name, "", File.ReadAllBytes(file.Path))),
        ];
    }

    private static Message Name(HostId id) => new(MessageKind.Input, JobContext.HostInput, "", Encoding.UTF8.GetBytes(id.ToString()));

    private async Task RunJobAsync(
        LabHost host, LabJob job, IReadOnlyList<Message> inputs, Recorder recorder, Action<Message> listening, CancellationToken cancel)
    {
        var error = await host.RunAsync(job, inputs, message => Take(host, job, message, recorder, listening), cancel);
        if (error.Length > 0)
            tally.Failure($"{host.Id} {job.Name} ended early: {error}");
    }

    private void Take(LabHost host, LabJob job, Message message, Recorder recorder, Action<Message> listening)
    {
        var id = host.Id;
        switch (message.Kind)
        {
            case MessageKind.Case:
                tally.Case(id.ToString(), job.Name, message.Name, message.Text);
                Say(id, $"{(message.Text.Length == 0 ? "ok" : "FAILED")} {job.Name}: {message.Name}");
                break;
            case MessageKind.Answer:
                var answer = recorder.Take(message.Name, message.Payload);
                if (answer.Failed)
                    tally.Failure($"{id} {job.Name}: {answer.Remark}");
                else if (answer.Remark.Length > 0)
                    Say(id, answer.Remark);
                break;
            case MessageKind.Pair:
                tally.Pair();
                break;
            case MessageKind.Listening:
                listening(message);
                break;
            case MessageKind.Note:
                Say(id, message.Text);
                break;
            default:
                throw new InvalidDataException($"the agent sent {message.Kind}, which only the lab sends");
        }
    }

    private static void CheckMemory(int hosts)
    {
        var line = File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal));
        var available = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
        if (hosts * HostSize > available)
            throw new LabException($"{hosts} hosts cannot be up together in {available >> 10} MiB; --pairs takes at most {available / HostSize} here");
    }

    /// <summary>With the time since the run began: where a run was slow is asked afterwards.</summary>
    private void Say(HostId id, string text) => Console.WriteLine($"{_clock.Elapsed:h\\:mm\\:ss} {id}: {text}");
}
