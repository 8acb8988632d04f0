using System.Text;

namespace Migrate.Lab.Fetching;

/// <summary>Kernel modules in the order in which they can be loaded, by the `depends=` that each carries in its .modinfo section.</summary>
/// <remarks>What is a module differs: virtio itself is one in Debian's 6.1 and built in later. Packages carry no modules.dep.</remarks>
internal sealed class ModuleOrder(string unpacked)
{
    private static readonly byte[] Depends = Encoding.ASCII.GetBytes("\0depends=");
    private readonly List<string> _files = [];
    private readonly HashSet<string> _seen = [];

    /// <summary>Unpacked module files, each after those it needs.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>Adds a module and what it needs; one that is not required may be built in.</summary>
    public void Add(string name, bool required)
    {
        if (!_seen.Add(name))
            return;
        var file = Directory.EnumerateFiles(unpacked, "*.ko*", SearchOption.AllDirectories)
            .FirstOrDefault(path => Path.GetFileName(path).Split('.')[0].Replace('-', '_') == name);
        if (file is null)
        {
            if (required)
                throw new LabException($"the kernel's packages hold no module {name}");
            return;
        }

        if (Path.GetExtension(file) == ".xz")
        {
            Tool.Output("xz", ["--decompress", file]);
            file = Path.ChangeExtension(file, null);
        }

        foreach (var needed in Needs(File.ReadAllBytes(file)))
            Add(needed.Replace('-', '_'), required: true);
        _files.Add(file);
    }

    private static string[] Needs(ReadOnlySpan<byte> module)
    {
        var start = module.IndexOf(Depends);
        if (start < 0)
            return [];
        var value = module[(start + Depends.Length)..];
        var end = value.IndexOf((byte)0);
        return end < 0 ? [] : Encoding.ASCII.GetString(value[..end]).Split(',', StringSplitOptions.RemoveEmptyEntries);
    }
}
