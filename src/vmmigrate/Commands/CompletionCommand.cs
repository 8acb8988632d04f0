using System.CommandLine;
using Migrate.Cli.Output;

namespace Migrate.Cli.Commands;

/// <summary><c>vmmigrate completion bash|zsh|fish</c>: a script for the shell's start-up file, which asks this program for suggestions.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            _vmmigrate() {
                local line
                COMPREPLY=()
                while IFS= read -r line; do COMPREPLY+=("$line"); done < <(vmmigrate "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
            }
            complete -o default -F _vmmigrate vmmigrate
            """,
        ["zsh"] = """
            #compdef vmmigrate
            _vmmigrate() { compadd -- ${(f)"$(vmmigrate "[suggest:${#BUFFER}]" "$BUFFER" 2>/dev/null)"} || _files }
            compdef _vmmigrate vmmigrate
            """,
        ["fish"] = """
            complete -c vmmigrate -a '(vmmigrate "[suggest:"(string length (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
            """,
    };

    public static Command Build(Terminal terminal)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new Command("completion", "Print a completion script: source <(vmmigrate completion bash)") { shell };
        command.SetAction(parsed =>
        {
            terminal.Out.WriteLine(Scripts[parsed.GetValue(shell)!]);
            return ExitCode.Yes;
        });
        return command;
    }
}
