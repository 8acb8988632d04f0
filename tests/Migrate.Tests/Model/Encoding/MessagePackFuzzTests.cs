using Migrate.Model.Encoding.MessagePack;

namespace Migrate.Tests.Model.Encoding;

/// <summary>Bytes that nobody vouches for: random, and valid documents damaged. Seeded, so that a failure comes again.</summary>
public class MessagePackFuzzTests
{
    private const int Inputs = 50_000;
    private const int AllowedBytes = 64 * 1024;

    private static readonly MessagePackLimits Limits =
        new(MaxDepth: 8, MaxStringBytes: 300, MaxBinaryBytes: 300, MaxElements: 64, MaxInputBytes: 8192);

    [Fact]
    public void Random_bytes_are_read_or_refused_and_nothing_else() => ReadAll(random =>
    {
        var bytes = new byte[random.Next(1, 64)];
        random.NextBytes(bytes);
        return bytes;
    });

    [Fact]
    public void Damaged_documents_are_read_or_refused_and_nothing_else()
    {
        var documentRandom = new Random(3);
        var documents = Enumerable.Range(0, 500).Select(_ => MessagePackDocument.Encode(MessagePackDocument.Random(documentRandom, 3)))
            .Where(d => d.Length is > 4 and < 1000).ToArray();
        Assert.True(documents.Length > 100);
        var faults = ReadAll(random => Damage(documents[random.Next(documents.Length)], random));

        MessagePackFault[] unreachable = [MessagePackFault.None, MessagePackFault.InputTooLarge];
        Assert.Equal(Enum.GetValues<MessagePackFault>().Except(unreachable).Except(faults.Keys), []);
    }

    [Theory]
    [InlineData("ddffffffff")]
    [InlineData("dfffffffff")]
    [InlineData("dbffffffff")]
    [InlineData("c6ffffffff")]
    [InlineData("c9ffffffff01")]
    [InlineData("dd7fffffff")]
    [InlineData("df80000000")]
    [InlineData("9fddffffffff0000000000000000000000000000")]
    public void A_tiny_input_that_claims_gigabytes_costs_next_to_nothing(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        var unlimited = new MessagePackLimits(MessagePackLimits.DeepestSupported, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue);
        foreach (var limits in (MessagePackLimits[])[MessagePackLimits.Default, unlimited])
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var fault = FaultOf(bytes, limits);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.NotEqual(MessagePackFault.None, fault);
            Assert.InRange(allocated, 0, AllowedBytes);
        }
    }

    private static Dictionary<MessagePackFault, int> ReadAll(Func<Random, byte[]> next)
    {
        var random = new Random(4);
        var faults = new Dictionary<MessagePackFault, int>();
        for (var i = 0; i < Inputs; i++)
        {
            var bytes = next(random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var skipped = SkipFaultOf(bytes);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > AllowedBytes) Assert.Fail($"{allocated} bytes allocated to skip {Convert.ToHexString(bytes)}");

            var fault = FaultOf(bytes, Limits);
            faults[fault] = faults.GetValueOrDefault(fault) + 1;
            if (fault == MessagePackFault.None && skipped != MessagePackFault.None)
                Assert.Fail($"read but not skipped ({skipped}): {Convert.ToHexString(bytes)}");
        }
        Assert.True(faults[MessagePackFault.None] > Inputs / 100, "too few of the inputs are valid to prove anything");
        Assert.True(faults[MessagePackFault.None] < Inputs * 9 / 10, "too few of the inputs are invalid to prove anything");
        return faults;
    }

    /// <summary>Reads the input whole; anything but the one exception ends the test.</summary>
    private static MessagePackFault FaultOf(byte[] bytes, MessagePackLimits limits)
    {
        try
        {
            MessagePackDocument.Decode(bytes, limits);
            return MessagePackFault.None;
        }
        catch (MessagePackFormatException refused)
        {
            Assert.InRange(refused.Offset, 0, bytes.Length);
            return refused.Fault;
        }
    }

    private static MessagePackFault SkipFaultOf(byte[] bytes)
    {
        try
        {
            var reader = new MessagePackReader(bytes, Limits);
            reader.Skip();
            reader.EnsureEnd();
            return MessagePackFault.None;
        }
        catch (MessagePackFormatException refused)
        {
            return refused.Fault;
        }
    }

    private static byte[] Damage(byte[] document, Random random)
    {
        var bytes = new List<byte>(document);
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 1; times--)
        {
            var at = random.Next(bytes.Count);
            var length = random.Next(1, Math.Min(16, bytes.Count - at) + 1);
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                default: bytes.InsertRange(0, Enumerable.Repeat((byte)0x91, random.Next(1, 8))); break;
            }
        }
        return [.. bytes];
    }
}
