using System.Text.Json;
using Migrate.Model.Errors;
using Migrate.Model.Foreign;

namespace Migrate.Tests.Model.Foreign;

/// <summary>Mutated files: every one is read or refused with a MigrateException, and none makes the reader allocate out of proportion.</summary>
public class ForeignFuzzTests
{
    private const int Mutations = 20_000;

    private const int AllocationPerByte = 64;

    private const int AllocationAtLeast = 64 << 10;

    public static TheoryData<string> Formats => ["capture", "fingerprint"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_mutated_file_is_read_or_refused_within_bounds(string format)
    {
        var original = format is "capture"
            ? File.ReadAllBytes(Repository.Data("captures", "6.12.max.min.txt"))[..1500]
            : JsonSerializer.SerializeToUtf8Bytes(FirecrackerFingerprintTests.Sample());
        Func<byte[], ForeignCapture> read = format is "capture"
            ? file => KvmCaptureText.Read(file, "6.12.max.min.txt")
            : file => FirecrackerFingerprint.Read(file, "host.json");
        var random = new Random(20_12);
        var (accepted, refused) = (0, 0);
        foreach (var warmUp in (ReadOnlySpan<bool>)[true, false])
            for (var i = 0; i < (warmUp ? 100 : Mutations); i++)
            {
                var file = Mutate(original, random);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    Assert.NotEmpty(read(file).Listed);
                    accepted++;
                }
                catch (MigrateException error)
                {
                    Assert.Contains(error.Code, (ErrorCode[])[ErrorCode.Malformed, ErrorCode.Unsupported, ErrorCode.TooLarge]);
                    refused++;
                }
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                if (!warmUp) Assert.True(allocated <= (long)file.Length * AllocationPerByte + AllocationAtLeast, $"{allocated} bytes for a file of {file.Length}");
            }
        Assert.True(accepted > 100 && refused > 1000, $"{accepted} read, {refused} refused: the mutations are too tame or too wild");
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var file = original.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(file.Count);
            switch (random.Next(6))
            {
                case 0:
                    file[at] = (byte)random.Next(256);
                    break;
                case 1:
                    file[at] = (byte)"0123456789abcdef\"\\{}[],:x\n "[random.Next(27)];
                    break;
                case 2:
                    file.RemoveRange(at, Math.Min(random.Next(1, 40), file.Count - at));
                    break;
                case 3:
                    file.InsertRange(random.Next(file.Count), file.GetRange(at, Math.Min(random.Next(1, 200), file.Count - at)));
                    break;
                case 4:
                    file.InsertRange(at, "\\ud800"u8.ToArray());
                    break;
                default:
                    file.RemoveRange(at, file.Count - at);
                    break;
            }
            if (file.Count == 0) file.Add((byte)'F');
        }
        return [.. file];
    }
}
