using System.CommandLine;
using Migrate.Cli.Output;
using Migrate.Cli.Output.Matrix;
using Migrate.Cli.Sources;
using Migrate.Model.Encoding;
using Migrate.Snapshots;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate show ANY</c>: what a file or machine is, registers and fields by name.</summary>
internal static class ShowCommand
{
    public static Command Build(Terminal terminal)
    {
        var any = new Argument<string>("ANY") { Description = "A state, capture, profile, plan, report, matrix, explanation, snapshot, HOST:PORT of an agent, or a machine's name." };
        var fields = new Option<bool>("--fields") { Description = "Show every field of every register that has named fields." };
        var json = Options.Json();
        var command = new Command("show", "Show what a file or machine is, told by its content.") { any, fields, json };
        command.SetAction(parsed =>
        {
            var name = parsed.GetValue(any)!;
            var input = Read(name);
            if (parsed.GetValue(json))
            {
                terminal.Out.WriteLine(input switch
                {
                    FileInput.OfSnapshot s => JsonEncoding.Encode(SnapshotInfo.Shape, s.Info),
                    FileInput.OfState s => JsonEncoding.Encode(Documents.MachineState, s.State),
                    FileInput.OfProfile p => JsonEncoding.Encode(Documents.HostProfile, p.Profile),
                    FileInput.OfPlan p => JsonEncoding.Encode(Documents.RestorePlan, p.Plan),
                    FileInput.OfReport r => JsonEncoding.Encode(Documents.CheckReport, r.Report),
                    FileInput.OfMatrix m => JsonEncoding.Encode(Documents.Matrix, m.Matrix),
                    FileInput.OfExplanation e => JsonEncoding.Encode(Documents.Explanation, e.Explanation),
                    FileInput.OfConfig c => JsonEncoding.Encode(Documents.VmConfig, c.Config),
                    FileInput.OfBaseline b => JsonEncoding.Encode(Documents.Baseline, b.Report),
                    _ => throw new InvalidOperationException($"no document for {input.Kind}"),
                });
                return ExitCode.Yes;
            }
            terminal.Out.WriteLine($"{name} is {input.Kind}");
            switch (input)
            {
                case FileInput.OfSnapshot s:
                    SnapshotText.Write(terminal, s.Info);
                    StateText.Write(terminal, s.State, parsed.GetValue(fields));
                    break;
                case FileInput.OfState s:
                    StateText.Write(terminal, s.State, parsed.GetValue(fields));
                    break;
                case FileInput.OfProfile p:
                    ProfileText.Write(terminal, p.Profile);
                    break;
                case FileInput.OfPlan p:
                    PlanText.Write(terminal, p.Plan);
                    break;
                case FileInput.OfReport r:
                    ReportText.Write(terminal, r.Report);
                    break;
                case FileInput.OfMatrix m:
                    MatrixText.Write(terminal, m.Matrix);
                    break;
                case FileInput.OfExplanation e:
                    ExplanationText.Write(terminal, e.Explanation);
                    break;
                case FileInput.OfConfig c:
                    BaselineText.Write(terminal, c.Config);
                    break;
                case FileInput.OfBaseline b:
                    BaselineText.Write(terminal, b.Report, qemu: false);
                    break;
            }
            return ExitCode.Yes;
        });
        return command;
    }

    private static FileInput Read(string name)
    {
        if (File.Exists(name) && !Input.IsSocket(name)) return FileInput.Read(name);
        if (Input.IsMachine(name)) return new FileInput.OfState("a machine that runs here", Input.Describe(name).State, null);
        return new FileInput.OfProfile("an agent's host", Input.Profile(name, "ANY"));
    }
}
