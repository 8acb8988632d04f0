using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Tests.Model.Encoding;

public sealed class DocumentFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vmmigrate-documents").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("MachineState", "vmmigrate/machine-state/1")]
    [InlineData("HostProfile", "vmmigrate/host-profile/1")]
    [InlineData("RestorePlan", "vmmigrate/restore-plan/1")]
    [InlineData("CheckReport", "vmmigrate/check-report/1")]
    public void Finds_which_document_and_which_encoding_by_content_alone(string name, string schema)
    {
        foreach (var encoding in Enum.GetValues<DocumentEncoding>())
        {
            var path = Write(DocumentCase.Of(name).Encode(4, encoding));
            var found = DocumentFile.Read(path);
            Assert.Equal((schema, encoding, name), (found.SchemaId, found.Encoding, found.Value.GetType().Name));
        }
    }

    [Fact]
    public void Reads_the_document_that_is_wanted_and_refuses_another_by_name()
    {
        var path = Write(DocumentCase.Of("MachineState").Encode(4, DocumentEncoding.Json));
        Assert.Equal(new RandomModel(4).State(), DocumentFile.Read(path, Documents.MachineState));
        var error = Assert.ThrowsAny<MigrateException>(() => DocumentFile.Read(path, Documents.HostProfile));
        Assert.Equal((ErrorCode.Unsupported, $"{path}: a 'vmmigrate/machine-state/1', wanted is a 'vmmigrate/host-profile/1'"), (error.Code, error.Message));
    }

    [Theory]
    [InlineData("", ErrorCode.Malformed, "the file is empty")]
    [InlineData(" \n", ErrorCode.Malformed, "the file is empty")]
    [InlineData("F 0x7c target 5 type 0", ErrorCode.Unsupported, "no vmmigrate document: byte 0 begins neither JSON nor MessagePack")]
    [InlineData("[1]", ErrorCode.Unsupported, "no vmmigrate document")]
    [InlineData("{}", ErrorCode.Unsupported, "the first member must be 'schema'")]
    [InlineData("""{"qmp":1,"schema":"vmmigrate/machine-state/1"}""", ErrorCode.Unsupported, "the first member must be 'schema'")]
    [InlineData("""{"schema":1}""", ErrorCode.Malformed, "$.schema: text expected, a number found")]
    [InlineData("""{"schema":"vmmigrate/machine-state/2","new":1}""", ErrorCode.Unsupported, "vmmigrate/machine-state/2 was written by a newer vmmigrate")]
    [InlineData("""{"schema":"vmmigrate/machine-state/0"}""", ErrorCode.Unsupported, "unknown schema 'vmmigrate/machine-state/0'")]
    [InlineData("""{"schema":"vmmigrate/teapot/1"}""", ErrorCode.Unsupported,
        "unknown schema 'vmmigrate/teapot/1'; known: vmmigrate/machine-state/1, vmmigrate/host-profile/1, vmmigrate/restore-plan/1, vmmigrate/check-report/1")]
    [InlineData("""{"schema":"vmmigrate/machine-state/1"}""", ErrorCode.Malformed, "$: member 'vm' is missing")]
    [InlineData("""{"schema":"vmmigrate/machi""", ErrorCode.Malformed, "not JSON")]
    public void Refuses_other_files_in_one_line_that_names_the_file(string content, ErrorCode code, string message)
    {
        var path = Write(System.Text.Encoding.UTF8.GetBytes(content));
        var error = Assert.ThrowsAny<MigrateException>(() => DocumentFile.Read(path));
        Assert.Equal(code, error.Code);
        Assert.StartsWith(path + ": ", error.Message);
        Assert.Contains(message, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(DocumentEncoding.Json)]
    [InlineData(DocumentEncoding.MessagePack)]
    public void Refuses_every_truncation(DocumentEncoding encoding)
    {
        var whole = DocumentCase.Of("HostProfile").Encode(5, encoding);
        for (var length = 0; length < whole.Length; length++)
            Assert.Equal(ErrorCode.Malformed, Assert.ThrowsAny<MigrateException>(() => DocumentFile.Read(whole.AsSpan(0, length), "cut")).Code);
    }

    [Fact]
    public void Refuses_a_file_beyond_the_limit_after_reading_no_more_than_it()
    {
        var path = Path.Combine(_folder, "large");
        using (var file = File.Create(path)) file.SetLength(1L << 40);
        var error = Assert.ThrowsAny<MigrateException>(() => DocumentFile.Read(path));
        Assert.Equal((ErrorCode.TooLarge, $"{path}: larger than 64 MiB"), (error.Code, error.Message));
    }

    [Fact]
    public void Refuses_a_file_that_is_not_there_and_a_folder()
    {
        Assert.Equal(ErrorCode.NotFound, Assert.ThrowsAny<MigrateException>(() => DocumentFile.Read(Path.Combine(_folder, "none"))).Code);
        Assert.Equal(ErrorCode.NotFound, Assert.ThrowsAny<MigrateException>(() => DocumentFile.Read(_folder)).Code);
    }

    private string Write(byte[] content)
    {
        var path = Path.Combine(_folder, "document");
        File.WriteAllBytes(path, content);
        return path;
    }
}
