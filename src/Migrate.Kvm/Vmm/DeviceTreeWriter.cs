using System.Buffers.Binary;
using System.Text;

namespace Migrate.Kvm.Vmm;

/// <summary>Writes a flattened device tree, a node and a property after the other.</summary>
/// <remarks>Source: Devicetree Specification v0.4, chapter 5 (header, memory reservation block, structure block, strings block), section 2.2 (names and values).</remarks>
internal sealed class DeviceTreeWriter
{
    private const uint Magic = 0xd00d_feed;
    private const uint FormatVersion = 17;
    private const uint OldestCompatible = 16;
    private const uint BeginNode = 1;
    private const uint EndNode = 2;
    private const uint PropertyToken = 3;
    private const uint EndOfTree = 9;
    private const int HeaderBytes = 40;

    /// <summary>One entry of zeros: nothing is reserved.</summary>
    private const int ReservationBytes = 16;

    private readonly MemoryStream _structure = new();
    private readonly MemoryStream _strings = new();
    private readonly Dictionary<string, int> _names = [];
    private int _depth;

    /// <summary>A node with everything in it; the root is called "".</summary>
    /// <param name="name">With its unit address: <c>memory@40000000</c>.</param>
    /// <param name="content">Writes its properties, then its children.</param>
    public void Node(string name, Action content)
    {
        Cell(BeginNode);
        Padded([.. Encoding.ASCII.GetBytes(name), 0]);
        _depth++;
        content();
        _depth--;
        Cell(EndNode);
    }

    /// <summary>A property without a value: it is there.</summary>
    public void Flag(string name) => Property(name, []);

    /// <summary>A property of 32-bit cells.</summary>
    public void Cells(string name, params ReadOnlySpan<uint> cells)
    {
        var bytes = new byte[4 * cells.Length];
        for (var i = 0; i < cells.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 * i), cells[i]);
        Property(name, bytes);
    }

    /// <summary>A property of 64-bit numbers, two cells each.</summary>
    public void Numbers(string name, params ReadOnlySpan<ulong> numbers)
    {
        var bytes = new byte[8 * numbers.Length];
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8 * i), numbers[i]);
        Property(name, bytes);
    }

    /// <summary>A property of texts, each ended by a zero.</summary>
    public void Texts(string name, params ReadOnlySpan<string> texts)
    {
        var bytes = new List<byte>();
        foreach (var text in texts) bytes.AddRange([.. Encoding.UTF8.GetBytes(text), 0]);
        Property(name, bytes.ToArray());
    }

    /// <summary>The whole blob.</summary>
    /// <exception cref="InvalidOperationException">A node is not closed.</exception>
    public byte[] Finish()
    {
        if (_depth != 0) throw new InvalidOperationException("a node is still open");
        Cell(EndOfTree);
        var structure = _structure.ToArray();
        var strings = _strings.ToArray();
        var structureAt = HeaderBytes + ReservationBytes;
        var stringsAt = structureAt + structure.Length;
        var blob = new byte[stringsAt + strings.Length];
        uint[] header =
        [
            Magic, (uint)blob.Length, (uint)structureAt, (uint)stringsAt, HeaderBytes, FormatVersion, OldestCompatible,
            BootCpu, (uint)strings.Length, (uint)structure.Length,
        ];
        for (var i = 0; i < header.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(blob.AsSpan(4 * i), header[i]);
        structure.CopyTo(blob, structureAt);
        strings.CopyTo(blob, stringsAt);
        return blob;
    }

    /// <summary>Physical id of the boot CPU: its <c>reg</c>.</summary>
    public uint BootCpu { get; init; }

    private void Property(string name, ReadOnlySpan<byte> value)
    {
        if (!_names.TryGetValue(name, out var offset))
        {
            _names[name] = offset = (int)_strings.Length;
            _strings.Write([.. Encoding.ASCII.GetBytes(name), 0]);
        }
        Cell(PropertyToken);
        Cell((uint)value.Length);
        Cell((uint)offset);
        Padded(value);
    }

    private void Cell(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _structure.Write(bytes);
    }

    /// <summary>Tokens are aligned to four bytes.</summary>
    private void Padded(ReadOnlySpan<byte> bytes)
    {
        _structure.Write(bytes);
        _structure.Write(stackalloc byte[(int)(-_structure.Length & 3)]);
    }
}
