using System.Diagnostics;
using Migrate.Lab.Fetching;
using Migrate.Lab.Hosts;
using Migrate.Lab.Images;
using Migrate.Lab.Results;
using Migrate.LabGuest;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab;

/// <summary>Boots the hosts, at most two at a time, runs the jobs on each and counts.</summary>
internal sealed class LabRun(Options options, Ingredients ingredients, Recordings recordings, Tally tally, string work)
{
    /// <summary>An emulated host keeps one core busy.</summary>
    private const int AtATime = 2;

    public Task RunAsync(CancellationToken cancel)
    {
        var hosts = ingredients.Kernels.SelectMany(kernel => options.Hosts(kernel.Series).Select(id => (id, kernel)));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancel };
        return Parallel.ForEachAsync(hosts, parallel, async (host, token) => await RunHostAsync(host.id, host.kernel, token));
    }

    private async Task RunHostAsync(HostId id, Kernel kernel, CancellationToken cancel)
    {
        var initramfs = Path.Combine(work, $"{id}.cpio");
        Initramfs.Write(initramfs, kernel, ingredients.UserSpace, options.Programs);
        var clock = Stopwatch.StartNew();
        try
        {
            await using var host = await EmulatedHost.BootAsync(
                id, ingredients.Emulator, kernel, initramfs, Path.Combine(work, $"{id}.console"), cancel);
            tally.Host();
            Say(id, $"{host.Release} answered after {clock.Elapsed.TotalSeconds:F1} s");
            foreach (var job in options.Jobs)
                await RunJobAsync(host, job, cancel);
        }
        catch (HostDiedException died)
        {
            tally.Failure(died.Message);
            Say(id, "died");
        }
        finally
        {
            if (!options.Keep)
                File.Delete(initramfs);
        }
    }

    private async Task RunJobAsync(EmulatedHost host, LabJob job, CancellationToken cancel)
    {
        var name = host.Id.ToString();
        var error = await host.RunAsync(job, [], message => Take(host.Id, job, message), cancel);
        if (error.Length > 0)
            tally.Failure($"{name} {job.Name} ended early: {error}");
    }

    private void Take(HostId id, LabJob job, Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.Case:
                tally.Case(id.ToString(), job.Name, message.Name, message.Text);
                Say(id, $"{(message.Text.Length == 0 ? "ok" : "FAILED")} {job.Name}: {message.Name}");
                break;
            case MessageKind.Answer:
                if (recordings.Take(id.ToString(), message.Name, message.Payload) is { } remark)
                    Say(id, remark);
                break;
            case MessageKind.Note:
                Say(id, message.Text);
                break;
            default:
                throw new InvalidDataException($"the agent sent {message.Kind}, which only the lab sends");
        }
    }

    private static void Say(HostId id, string text) => Console.WriteLine($"{id}: {text}");
}
