using Migrate.Model.Errors;
using Migrate.Transfer.Handover;
using Migrate.Transfer.Machines;

namespace Migrate.Transfer.Agent;

/// <summary>A VMM whose agent died before a machine ran in it: nobody else would end it.</summary>
internal static class LeftoverVmm
{
    /// <summary>Ends it if it waits for a machine and no session holds it; one that runs a machine is left alone.</summary>
    /// <param name="socket">Its machine socket.</param>
    /// <param name="patience">How long it may take to notice that its agent's session ended.</param>
    /// <returns>Whether it was ended.</returns>
    public static bool End(string socket, TimeSpan patience)
    {
        if (MachineInspector.Incoming(socket, patience) != MachineFinding.NotStarted) return false;
        try
        {
            using var client = MachineClient.Connect(socket);
            client.Destroy();
            return true;
        }
        catch (MigrateException)
        {
            // Somebody holds it now, or it ended by itself.
            return false;
        }
    }
}
