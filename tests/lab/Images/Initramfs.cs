using Migrate.Lab.Fetching;
using Migrate.LabGuest.Jobs;

namespace Migrate.Lab.Images;

/// <summary>Builds what a host boots into: a shell, box64, this machine's .NET runtime, our published programs.</summary>
internal static class Initramfs
{
    /// <summary>Libraries of this x86-64 machine that the runtime needs and box64 does not bring.</summary>
    private static readonly string[] ForeignLibraries = ["libgcc_s.so.1", "libstdc++.so.6", "libssl.so.3", "libcrypto.so.3"];
    private static readonly string[] LibraryDirectories = ["/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64"];

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
        AddRuntime(archive);
        AddTree(archive, programs, "app");
        archive.Finish();
    }

    private static void AddUserSpace(CpioWriter archive, string root)
    {
        archive.AddFile("bin/busybox", Find(root, "busybox"), executable: true);
        archive.AddFile("bin/box64", Find(root, "box64"), executable: true);
        // The loader has two names and one place where programs look for it.
        const string Loader = "ld-linux-aarch64.so.1";
        archive.AddFile($"lib/{Loader}", Find(root, Loader), executable: true);
        foreach (var library in Directory.EnumerateFiles(root, "lib*.so.*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(Path.GetDirectoryName(library)) == "aarch64-linux-gnu")
                archive.AddFile($"lib/aarch64-linux-gnu/{Path.GetFileName(library)}", library, executable: true);
        }
    }

    private static void AddRuntime(CpioWriter archive)
    {
        foreach (var name in ForeignLibraries)
        {
            var file = LibraryDirectories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists)
                ?? throw new LabException($"{name} is not on this machine; .NET needs it inside a lab host");
            archive.AddFile($"x86-64/{name}", file, executable: true);
        }

        // ROOT/shared/Microsoft.NETCore.App/VERSION/System.Private.CoreLib.dll
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var root = Path.GetFullPath(Path.Combine(framework, "../../.."));
        var version = Path.GetFileName(framework);
        archive.AddFile("dotnet/dotnet", Path.Combine(root, "dotnet"), executable: true);
        AddTree(archive, Path.Combine(root, "host/fxr", version), $"dotnet/host/fxr/{version}");
        AddTree(archive, framework, $"dotnet/shared/Microsoft.NETCore.App/{version}");
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
