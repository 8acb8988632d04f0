using Migrate.Lab.Fetching;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab.Images;

/// <summary>Builds what a host boots into: a shell, a few libraries, the arm64 .NET runtime, our published programs.</summary>
internal static class Initramfs
{
    /// <summary>Only a debugger loads these.</summary>
    private static readonly string[] NotNeeded = ["libmscordaccore.so", "libmscordbi.so", "createdump", "libcoreclrtraceptprovider.so"];

    public static void Write(string file, Kernel kernel, UserSpace user, GuestQemu? qemu, bool holdsGuest, string programs)
    {
        using var stream = File.Create(file);
        var archive = new CpioWriter(stream);
        foreach (var directory in new[] { "proc", "sys", "dev", "tmp", "run", "bin" })
            archive.AddDirectories(directory);

        using (var script = typeof(Initramfs).Assembly.GetManifestResourceStream("init.sh")!)
        {
            var content = new byte[script.Length];
            script.ReadExactly(content);
            archive.AddFile("init", content, executable: true);
        }

        foreach (var module in kernel.Modules)
            archive.AddFile($"modules/{Path.GetFileName(module)}", module);
        AddUserSpace(archive, user.Root);
        foreach (var part in qemu?.Files() ?? [])
            archive.AddFile($"{NativeQemu.Folder}/{Path.GetFileName(part)}", part, executable: true);
        if (holdsGuest)
            GuestDisk.Add(archive, kernel.Image, Find(user.Root, "busybox"));
        AddTree(archive, Path.Combine(programs, "dotnet"), "dotnet");
        AddTree(archive, Path.Combine(programs, "app"), "app");
        archive.Finish();
    }

    private static void AddUserSpace(CpioWriter archive, string root)
    {
        archive.AddFile("bin/busybox", Find(root, "busybox"), executable: true);
        // The loader has two names and one place where programs look for it.
        const string Loader = "ld-linux-aarch64.so.1";
        archive.AddFile($"lib/{Loader}", Find(root, Loader), executable: true);
        foreach (var library in Directory.EnumerateFiles(root, "lib*.so.*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(Path.GetDirectoryName(library)) == "aarch64-linux-gnu")
                archive.AddFile($"lib/aarch64-linux-gnu/{Path.GetFileName(library)}", library, executable: true);
        }
    }

    private static void AddTree(CpioWriter archive, string source, string target)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(file);
            if (!NotNeeded.Contains(name) && Path.GetExtension(name) is not (".pdb" or ".xml"))
                archive.AddFile($"{target}/{Path.GetRelativePath(source, file)}", file, executable: true);
        }
    }

    private static string Find(string root, string name)
    {
        var file = Directory.EnumerateFiles(root, name, SearchOption.AllDirectories)
            .FirstOrDefault(path => path.Contains("/bin/", StringComparison.Ordinal) || path.Contains("/lib/", StringComparison.Ordinal))
            ?? throw new LabException($"the unpacked packages in {root} hold no {name}");
        return File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file;
    }
}
