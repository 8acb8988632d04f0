using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Whatever the bytes are: a value, or a MigrateException of one line, within a bounded allocation.</summary>
public class DocumentFuzzTests
{
    private const int Mutations = 20_000;

    /// <summary>Bytes allocated a byte of input at most; a member of one byte becomes a key, a boxed value and a slot.</summary>
    private const int PerByte = 64;

    /// <summary>Bytes for an exception with its stack trace, its message and the lists of known words in it.</summary>
    private const int Constant = 96 * 1024;

    public static TheoryData<string, DocumentEncoding> Readers
    {
        get
        {
            var readers = new TheoryData<string, DocumentEncoding>();
            foreach (var name in new[] { "MachineState", "HostProfile", "RestorePlan", "CheckReport", "RunReport" })
            {
                readers.Add(name, DocumentEncoding.Json);
                readers.Add(name, DocumentEncoding.MessagePack);
            }
            return readers;
        }
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public void A_mutated_document_is_read_or_refused_in_one_line_within_bounded_memory(string name, DocumentEncoding encoding)
    {
        var subject = DocumentCase.Of(name);
        var random = new Random(name.Length);
        var originals = Enumerable.Range(0, 20).Select(seed => subject.Encode(seed, encoding)).OrderBy(b => b.Length).Take(10).ToArray();
        foreach (var original in originals) subject.Decode(original, encoding);
        var refused = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = Mutate(originals, random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Record.Exception(() => subject.Decode(bytes, encoding));
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > Constant + PerByte * (long)bytes.Length) Assert.Fail($"{allocated} bytes allocated for {bytes.Length}: {Convert.ToHexString(bytes)}");
            if (error is null) continue;
            refused++;
            if (error is not MigrateException || error.Message.Any(char.IsControl) || error.Message.Length > 2000)
                Assert.Fail($"{error} for {Convert.ToHexString(bytes)}");
        }
        Assert.InRange(refused, Mutations / 4, Mutations);
    }

    [Fact]
    public void Any_bytes_as_a_file_are_read_or_refused()
    {
        var random = new Random(7);
        var subjects = new[] { "MachineState", "HostProfile" }.Select(DocumentCase.Of);
        byte[][] originals = [.. subjects.SelectMany(s => Enum.GetValues<DocumentEncoding>().Select(e => s.Encode(0, e)))];
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = Mutate(originals, random);
            var error = Record.Exception(() => DocumentFile.Read(bytes, "any"));
            if (error is not null && (error is not MigrateException || !error.Message.StartsWith("any: ", StringComparison.Ordinal)))
                Assert.Fail($"{error} for {Convert.ToHexString(bytes)}");
        }
    }

    private static byte[] Mutate(byte[][] originals, Random random)
    {
        var bytes = originals[random.Next(originals.Length)].ToList();
        for (var changes = 1 + random.Next(3); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;
                case 3: bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at)); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at))); break;
                case 5: bytes.InsertRange(at, Hostile[random.Next(Hostile.Length)]); break;
                default:
                    var other = originals[random.Next(originals.Length)];
                    bytes.InsertRange(at, other.AsSpan(random.Next(other.Length)).ToArray().Take(30));
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Headers that claim much, numbers at their ends, nesting, halves of characters.</summary>
    private static readonly byte[][] Hostile =
    [
        [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0x7f, 0xff, 0xff, 0xff], [0xdc, 0xff, 0xff], [0xdb, 0x00, 0x10, 0x00, 0x00], [0xc6, 0xff, 0xff, 0xff, 0xff],
        [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], [0xc1], [0xc0], [0x91, 0x91, 0x91, 0x91],
        [.. "[[[["u8], [.. "{\"a\":"u8], [.. "1e999"u8], [.. "null"u8], [.. "\\ud800"u8], [0xff, 0xfe], [.. ",,"u8], [.. "\"kind\":"u8], [.. "-1"u8],
    ];
}
