using System.Diagnostics;

namespace Migrate.Lab;

/// <summary>Runs a program of the system to its end.</summary>
internal static class Tool
{
    public readonly record struct Result(int Code, string Output, string Error);

    public static Result Run(string program, IEnumerable<string> arguments, string? directory = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = directory ?? "/",
        };
        start.Environment["LC_ALL"] = "C";
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return new Result(process.ExitCode, output, error.Result);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new LabException($"{program} cannot be started: {missing.Message}. The lab needs a Debian machine with apt, dpkg and xz.");
        }
    }

    public static string Output(string program, IEnumerable<string> arguments, string? directory = null)
    {
        var list = arguments.ToList();
        var result = Run(program, list, directory);
        return result.Code == 0
            ? result.Output
            : throw new LabException($"{program} {string.Join(' ', list)} failed with {result.Code}:\n{Tail(result.Error + result.Output, 10)}");
    }

    public static string Tail(string text, int lines) =>
        string.Join('\n', text.TrimEnd().Split('\n').TakeLast(lines).Select(line => line.TrimEnd('\r')));
}
