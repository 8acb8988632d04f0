using System.Globalization;
using System.Text;

namespace Migrate.Lab.Images;

/// <summary>Writes a cpio archive in the new ASCII format, as the kernel unpacks it (Documentation/driver-api/early-userspace/buffer-format.rst).</summary>
internal sealed class CpioWriter(Stream output)
{
    private const int Directory = 0x4000;
    private const int Regular = 0x8000;
    private readonly HashSet<string> _directories = [];
    private long _written;
    private int _inode;

    public void AddFile(string path, ReadOnlySpan<byte> content, bool executable = false)
    {
        AddDirectories(Path.GetDirectoryName(path)!);
        Entry(path, Regular | (executable ? 0x1ED : 0x1A4), content);
    }

    public void AddFile(string path, string source, bool executable = false) => AddFile(path, File.ReadAllBytes(source), executable);

    /// <summary>Adds a directory and those it lies in.</summary>
    public void AddDirectories(string path)
    {
        if (path.Length == 0 || !_directories.Add(path))
            return;
        AddDirectories(Path.GetDirectoryName(path)!);
        Entry(path, Directory | 0x1ED, default);
    }

    /// <summary>Ends the archive.</summary>
    public void Finish() => Entry("TRAILER!!!", 0, default);

    private void Entry(string path, int mode, ReadOnlySpan<byte> content)
    {
        var name = Encoding.UTF8.GetBytes(path + "\0");
        var links = mode == 0 ? 1 : (mode & Directory) != 0 ? 2 : 1;
        int[] fields = [++_inode, mode, 0, 0, links, 0, content.Length, 0, 0, 0, 0, name.Length, 0];
        var header = new StringBuilder("070701");
        foreach (var field in fields)
            header.Append(field.ToString("x8", CultureInfo.InvariantCulture));
        Write(Encoding.ASCII.GetBytes(header.ToString()));
        Write(name);
        Align();
        Write(content);
        Align();
    }

    private void Align() => Write(stackalloc byte[(int)(-_written & 3)]);

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _written += bytes.Length;
    }
}
