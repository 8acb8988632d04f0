using Migrate.Model.Encoding;
using Migrate.Model.Errors;

namespace Migrate.Tests.Model.Encoding;

public sealed class DocumentFileTests
{
    [Theory]
    [InlineData("MachineState", "vmmigrate/machine-state/1")]
    [InlineData("HostProfile", "vmmigrate/host-profile/1")]
    [InlineData("RestorePlan", "vmmigrate/restore-plan/1")]
    [InlineData("CheckReport", "vmmigrate/check-report/1")]
    [InlineData("MatrixReport", "vmmigrate/matrix/1")]
    [InlineData("Explanation", "vmmigrate/explanation/1")]
    [InlineData("VmConfig", "vmmigrate/vm-config/1")]
    [InlineData("BaselineReport", "vmmigrate/baseline/1")]
    public void Finds_which_document_and_which_encoding_by_content_alone(string name, string schema)
    {
        foreach (var encoding in Enum.GetValues<DocumentEncoding>())
        {
            var found = DocumentFile.Read(DocumentCase.Of(name).Encode(4, encoding), "file");
            Assert.Equal((schema, encoding, name), (found.SchemaId, found.Encoding, found.Value.GetType().Name));
        }
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
        "unknown schema 'vmmigrate/teapot/1'; known: vmmigrate/machine-state/1, vmmigrate/host-profile/1, vmmigrate/restore-plan/1, vmmigrate/check-report/1, vmmigrate/matrix/1, vmmigrate/explanation/1")]
    [InlineData("""{"schema":"vmmigrate/machine-state/1"}""", ErrorCode.Malformed, "$: member 'vm' is missing")]
    [InlineData("""{"schema":"vmmigrate/machi""", ErrorCode.Malformed, "not JSON")]
    public void Refuses_other_files_in_one_line_that_names_the_file(string content, ErrorCode code, string message)
    {
        var error = Assert.ThrowsAny<MigrateException>(() => DocumentFile.Read(System.Text.Encoding.UTF8.GetBytes(content), "some/file"));
        Assert.Equal(code, error.Code);
        Assert.StartsWith("some/file: ", error.Message);
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
}
