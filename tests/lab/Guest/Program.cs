using System.Globalization;
using Migrate.LabGuest;

switch (args)
{
    case ["agent", var host, var port, var token]:
        return Agent.Run(host, int.Parse(port, CultureInfo.InvariantCulture), token);
    case ["agent", var device, var token]:
        return Agent.Run(device, token);
    default:
        Console.Error.WriteLine("usage: Migrate.LabGuest agent (HOST PORT | DEVICE) TOKEN   (started by tests/lab/run)");
        return 2;
}
