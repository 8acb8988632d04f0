using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Sources;
using Migrate.Linux.Files;
using Migrate.Model.Encoding;
using Migrate.Model.Errors;
using Migrate.Model.Foreign;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate convert FILE... -o OUT</c>: foreign captures and our own documents into documents of ours.</summary>
internal static class ConvertCommand
{
    private enum Kind
    {
        State = 1,
        Profile = 2,
    }

    public static Command Build(Terminal terminal)
    {
        var files = new Argument<string[]>("FILE") { Description = "A raw capture, a Firecracker fingerprint, or a document of ours; several captures of one host make one profile.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--output", "-o") { Description = "Where to write; '-' is stdout. A name that ends in .json gets JSON, any other MessagePack.", Required = true, HelpName = "OUT" };
        var kind = new Option<Kind?>("--to") { Description = "state or profile, where a capture can be both. Several files, or an OUT with 'profile' in its name, are a profile." };
        var command = new Command("convert", "Turn a file of another tool into a state or an assumed host profile, or change a document's encoding.") { files, output, kind };
        command.SetAction(parsed =>
        {
            var paths = parsed.GetValue(files)!;
            var to = parsed.GetValue(output)!;
            var wanted = parsed.GetValue(kind) ?? (paths.Length > 1 || Path.GetFileName(to).Contains("profile", StringComparison.Ordinal) ? Kind.Profile : Kind.State);
            var captures = paths.Select(FileInput.Foreign).ToList();
            var (json, binary, what) = captures.All(c => c is not null)
                ? Converted(captures!, wanted, paths)
                : Recoded(paths);
            var text = to == "-" || to.EndsWith(".json", StringComparison.Ordinal);
            if (to == "-") terminal.Out.WriteLine(json());
            else
            {
                DurableFile.WriteAtomically(to, text ? System.Text.Encoding.UTF8.GetBytes(json() + "\n") : binary(), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
                terminal.Error.WriteLine($"{to}: {what}");
            }
            return ExitCode.Yes;
        });
        return command;
    }

    private static (Func<string> Json, Func<byte[]> Binary, string What) Converted(List<ForeignCapture> captures, Kind wanted, string[] paths)
    {
        if (wanted == Kind.Profile)
        {
            var profile = ForeignProfile.Assume(captures.ToArray());
            return (() => JsonEncoding.Encode(Documents.HostProfile, profile), () => MessagePackEncoding.Encode(Documents.HostProfile, profile),
                $"host profile, {profile.Shapes.Count} shapes, assumed: what rests on it is unproven until the host is probed");
        }
        if (captures.Count > 1) throw new MigrateException(ErrorCode.Usage, $"{paths.Length} captures are {paths.Length} states; convert them one by one, or --to profile");
        var state = captures[0].ToState();
        return (() => JsonEncoding.Encode(Documents.MachineState, state), () => MessagePackEncoding.Encode(Documents.MachineState, state),
            $"state of 1 vCPU, {state.Vcpus[0].Registers.Count} registers; memory layout assumed");
    }

    private static (Func<string> Json, Func<byte[]> Binary, string What) Recoded(string[] paths)
    {
        if (paths.Length > 1) throw new MigrateException(ErrorCode.Usage, "several files convert together only when each is a capture of the same host");
        return FileInput.Read(paths[0]) switch
        {
            FileInput.OfState { State: var state } => (() => JsonEncoding.Encode(Documents.MachineState, state), () => MessagePackEncoding.Encode(Documents.MachineState, state), "state"),
            FileInput.OfProfile { Profile: var profile } => (() => JsonEncoding.Encode(Documents.HostProfile, profile), () => MessagePackEncoding.Encode(Documents.HostProfile, profile), "host profile"),
            FileInput.OfPlan { Plan: var plan } => (() => JsonEncoding.Encode(Documents.RestorePlan, plan), () => MessagePackEncoding.Encode(Documents.RestorePlan, plan), "plan"),
            FileInput.OfReport { Report: var report } => (() => JsonEncoding.Encode(Documents.CheckReport, report), () => MessagePackEncoding.Encode(Documents.CheckReport, report), "report"),
            FileInput.OfConfig { Config: var config } => (() => JsonEncoding.Encode(Documents.VmConfig, config), () => MessagePackEncoding.Encode(Documents.VmConfig, config), "VM configuration"),
            var other => throw new MigrateException(ErrorCode.Unsupported, $"{paths[0]} is {other.Kind}: nothing to convert it to"),
        };
    }
}
