using Migrate.Linux.Files;
using Migrate.Model.Errors;

namespace Migrate.Tests.Linux;

public sealed class BoundedFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vmmigrate-files").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Reads_a_file_up_to_its_limit_and_refuses_one_byte_more()
    {
        var path = Path.Combine(_folder, "file");
        File.WriteAllBytes(path, [1, 2, 3, 4]);
        Assert.Equal([1, 2, 3, 4], BoundedFile.Read(path, 4));
        var error = Assert.Throws<MigrateException>(() => BoundedFile.Read(path, 3));
        Assert.Equal((ErrorCode.TooLarge, $"{path}: larger than 3 bytes"), (error.Code, error.Message));
    }

    [Fact]
    public void Refuses_a_huge_file_after_reading_little_more_than_the_limit()
    {
        var path = Path.Combine(_folder, "large");
        using (var file = File.Create(path)) file.SetLength(1L << 40);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(ErrorCode.TooLarge, Assert.Throws<MigrateException>(() => BoundedFile.Read(path, 1 << 20)).Code);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Fact]
    public void Refuses_a_file_that_is_not_there_and_a_folder()
    {
        Assert.Equal(ErrorCode.NotFound, Assert.Throws<MigrateException>(() => BoundedFile.Read(Path.Combine(_folder, "none"), 10)).Code);
        Assert.Equal(ErrorCode.NotFound, Assert.Throws<MigrateException>(() => BoundedFile.Read(_folder, 10)).Code);
    }
}
