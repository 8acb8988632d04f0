using Migrate.LabGuest.Jobs;

namespace Migrate.Lab.Images;

/// <summary>The RAM disk of a Linux guest on a lab host: busybox and a script, 2 MB.</summary>
internal static class GuestDisk
{
    /// <summary>Adds it and the host's own kernel to the host's image.</summary>
    public static void Add(CpioWriter image, string kernel, string busybox)
    {
        using var content = new MemoryStream();
        var disk = new CpioWriter(content);
        foreach (var directory in new[] { "proc", "sys", "dev", "bin" }) disk.AddDirectories(directory);
        using (var script = typeof(GuestDisk).Assembly.GetManifestResourceStream("guest-init.sh")!)
        {
            var bytes = new byte[script.Length];
            script.ReadExactly(bytes);
            disk.AddFile("init", bytes, executable: true);
        }
        disk.AddFile("bin/busybox", busybox, executable: true);
        disk.Finish();
        image.AddFile(LinuxGuest.Kernel.TrimStart('/'), kernel);
        image.AddFile(LinuxGuest.Disk.TrimStart('/'), content.ToArray());
    }
}
