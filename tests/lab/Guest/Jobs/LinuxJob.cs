using System.Diagnostics;
using System.Security.Cryptography;
using Migrate.Cli.Demo;
using Migrate.Model.Encoding;
using Migrate.Model.Machines;

namespace Migrate.LabGuest.Jobs;

/// <summary>
/// <c>vmmigrate run --kernel</c> as an operator types it: the kernel that this host runs boots as a guest of this host's KVM to a shell on the console. Where the
/// host has the SMCCC filter it boots once more, from a configuration, with PSCI and SDEI of the VMM and a range that is forwarded.
/// </summary>
internal static class LinuxJob
{
    /// <summary>.NET starts, then Linux boots, below an emulator, on a KVM that is emulated.</summary>
    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static void Run(JobContext context)
    {
        Session(context, "a stock kernel boots to a prompt", ["--psci", "1.0"], (guest, process, errors) => Talk(context, guest, process, errors));
        var host = MeasuredHost.Report().Profile;
        if (host.HasSmcccFilter != true) return;
        var config = Path.Combine(Path.GetTempPath(), "linux.config");
        File.WriteAllText(config, JsonEncoding.Encode(Documents.VmConfig, LabBaseline.ConfigOfPair(host, host, VcpuFeatures.Psci02)));
        Session(context, "it boots from a configuration, with PSCI and SDEI of the VMM", ["--config", config, "--handlers", "psci,sdei", "--smccc-filter", "0xc3000200+16=forward-to-user"],
            (guest, process, errors) => TalkWithHandlers(context, guest, process, errors));
    }

    private static void Session(JobContext context, string boots, string[] more, Action<LinuxGuest, Process, List<string>> talk)
    {
        var clock = Stopwatch.StartNew();
        string[] arguments =
        [
            Child.Assembly, "run", "--kernel", LinuxGuest.Kernel, "--initrd", LinuxGuest.Disk, "--memory", "256M", "--cpus", "4",
            "--append", "quiet", "--name", "linux", "--socket", "/tmp/linux.sock", .. more,
        ];
        Process? process = null;
        LinuxGuest? guest = null;
        var errors = new List<string>();
        var booted = context.Case(boots, () =>
        {
            CheckFailedException.That(LinuxGuest.Obstacle is null, LinuxGuest.Obstacle ?? "");
            process = Process.Start(new ProcessStartInfo(Child.Runtime, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data is null) return;
                lock (errors) errors.Add(line.Data);
                context.Note($"stderr: {line.Data}");
            };
            process.BeginErrorReadLine();
            var input = process.StandardInput.BaseStream;
            guest = new LinuxGuest(bytes =>
            {
                input.Write(bytes);
                input.Flush();
            });
            Listen(process.StandardOutput.BaseStream, guest);
            guest.AwaitPrompt(BootLimit);
        });
        if (booted) talk(guest!, process!, errors);
        context.Note($"the guest's session took {clock.Elapsed.TotalSeconds:F0} s");
        if (process is null) return;
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }

    private static void Talk(JobContext context, LinuxGuest guest, Process process, List<string> errors)
    {
        context.Case("it calculates", () => CheckFailedException.Equal("42", guest.Ask("echo $((6*7))", Patience), "6*7"));
        context.Case("all CPUs are there", () =>
        {
            CheckFailedException.Equal(4L, guest.AskNumber("grep -c processor /proc/cpuinfo", Patience), "processors");
            CheckFailedException.Equal("0-3", guest.Ask("cat /sys/devices/system/cpu/online", Patience), "online");
        });
        context.Case("it is the host's own kernel", () =>
            CheckFailedException.Equal(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), guest.Ask("uname -r", Patience), "uname -r"));
        context.Case("its clock runs", () =>
        {
            var before = guest.AskNumber("date +%s", Patience);
            CheckFailedException.That(guest.AskNumber("sleep 2; date +%s", Patience) >= before + 2, "two seconds did not pass");
        });
        context.Case("it reads long input without losing a character", () =>
        {
            // More than the FIFO holds by far, in lines that a terminal takes.
            var line = string.Concat(Enumerable.Range(0, 100).Select(i => $"{i:d2}"));
            guest.Type("cat > /long <<'end'\n" + string.Concat(Enumerable.Repeat(line + "\n", 20)) + "end\n");
            CheckFailedException.Equal(
                Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line + "\n", 20))))),
                guest.Ask("sha256sum < /long", Patience).Split(' ')[0], "digest of 4,020 characters");
        });
        context.Case("it calculates digests", () => CheckFailedException.Equal(
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(LinuxGuest.Busybox))), guest.Ask($"sha256sum < {LinuxGuest.Busybox}", Patience).Split(' ')[0], "digest"));
        Uncomplaining(context, guest);
        context.Note($"guest: {guest.Ask("dmesg | grep -E 'psci: PSCIv|GICv3: [0-9]|arch_timer: cp15|ttyAMA0|Brought up'", Patience)}");
        SwitchesOff(context, guest, process, errors);
    }

    private static void TalkWithHandlers(JobContext context, LinuxGuest guest, Process process, List<string> errors)
    {
        context.Case("its CPUs are switched on, off and on again by the VMM", () =>
        {
            CheckFailedException.Equal("0-3", guest.Ask("cat /sys/devices/system/cpu/online", Patience), "online");
            // CPU_OFF, and AFFINITY_INFO until it is off.
            CheckFailedException.Equal("0-1,3", guest.Ask("echo 0 > /sys/devices/system/cpu/cpu2/online; cat /sys/devices/system/cpu/online", Patience), "online");
            CheckFailedException.Equal("0-3", guest.Ask("echo 1 > /sys/devices/system/cpu/cpu2/online; cat /sys/devices/system/cpu/online", Patience), "online");
            CheckFailedException.Equal("42", guest.Ask("taskset 4 echo 42", Patience), "on CPU 2");
        });
        Uncomplaining(context, guest);
        SwitchesOff(context, guest, process, errors);
    }

    private static void Uncomplaining(JobContext context, LinuxGuest guest) => context.Case("its kernel complains of nothing", () =>
        CheckFailedException.Equal("end", guest.Ask(LinuxMoveJob.Complaints, Patience), $"complaints ({guest.Ask("dmesg | tail -n 30", Patience)})"));

    private static void SwitchesOff(JobContext context, LinuxGuest guest, Process process, List<string> errors) =>
        context.Case("switched off by itself, it ends the process", () =>
        {
            guest.Type("exit\n");
            CheckFailedException.That(process.WaitForExit(Patience), $"it did not end; the console said last:\n{guest.Last()}");
            process.WaitForExit();
            CheckFailedException.Equal(0, process.ExitCode, "exit code");
            lock (errors) CheckFailedException.That(errors.Contains("the guest switched itself off"), string.Join('\n', errors));
        });

    private static void Listen(Stream output, LinuxGuest guest) => new Thread(() =>
    {
        var buffer = new byte[1024];
        for (int read; (read = output.Read(buffer)) > 0;)
            foreach (var character in buffer.AsSpan(0, read)) guest.Printed(character);
    })
    { IsBackground = true, Name = "guest-console" }.Start();
}
