using Migrate.Model.Plans;
using Migrate.Model.Ports;
using Migrate.Model.Registers;

namespace Migrate.LabGuest.Confusion;

/// <summary>Executes a plan on a new VM and notes what did not go as written.</summary>
public static class Execution
{
    /// <summary>Every step in order; registers are read back when all of them are written and before pending events change some.</summary>
    /// <param name="plan">Which.</param>
    /// <param name="target">A VM that does not exist yet.</param>
    /// <param name="expected">What a write should read back as; null where that proves nothing.</param>
    public static Answers Run(RestorePlan plan, IRestoreTarget target, Func<WriteRegister, RegisterValue?> expected)
    {
        var steps = plan.Steps.Where(s => s is not LeaveOut).ToList();
        var events = steps.FindIndex(s => s is SetEvents or SetMpState);
        var first = events < 0 ? steps : steps[..events];
        var exceptions = new Dictionary<string, string>();
        var last = new Dictionary<RegisterAddress, WriteRegister>();
        Note(first, target.Execute(first));

        var addresses = last.Where(w => expected(w.Value) is not null).Select(w => w.Key).ToList();
        var reads = target.Read(addresses);
        for (var i = 0; i < addresses.Count; i++)
        {
            var write = last[addresses[i]];
            if (reads[i].Errno != 0) exceptions[Subjects.Of(write)] = $"=unreadable-{Answers.Errno(reads[i].Errno)}";
            else if (reads[i].Value is { } value && value != expected(write)) exceptions[Subjects.Of(write)] = "=" + value.ToShortString();
        }
        if (events >= 0) Note(steps[events..], target.Execute(steps[events..]));

        // Without its foundation nothing else was tried; nor a device's state without the device.
        if (exceptions.ContainsKey("gic.0")) foreach (var device in exceptions.Keys.Where(k => Subjects.KindOf(k) == "device").ToList()) exceptions.Remove(device);
        var foundation = exceptions.Where(e => Answers.IsRefusal(e.Value) && Subjects.IsFoundation(e.Key)).ToDictionary();
        return new Answers(foundation.Count > 0 ? foundation : exceptions);

        void Note(List<RestoreStep> done, IReadOnlyList<StepAnswer> answers)
        {
            for (var i = 0; i < done.Count; i++)
            {
                var write = done[i] as WriteRegister;
                if (!answers[i].Succeeded) exceptions[Subjects.Of(done[i])] = Answers.Errno(answers[i].Errno);
                else if (write is not null) last[new(write.Vcpu, write.Id)] = write;
            }
        }
    }
}
