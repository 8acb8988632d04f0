using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Foreign;

/// <summary>Holds predictions of profiles against what real kernels answered when captures were written into them.</summary>
internal static class AnswerJudge
{
    /// <summary>A prediction that the kernel did not keep; false-safe unless it merely refuses what the kernel took.</summary>
    public readonly record struct Wrong(bool IsFalseSafe, string Source, string Host, RegisterId Register, RegisterValue Written, string Predicted, string Answered)
    {
        public override string ToString() =>
            $"{Source} {Host} {RegisterCatalog.Name(Register)} {Written.ToShortString()}: predicted {Predicted}, answered {Answered}";
    }

    /// <summary>Writes every capture into every host as the recording did: in list order, each register read back at once.</summary>
    public static (int Judged, List<Wrong> Wrong) Judge(IEnumerable<RecordedAnswers> pairs, Func<string, HostProfile> profile, Func<HostShape, HostShape>? change = null)
    {
        var wrong = new List<Wrong>();
        var judged = 0;
        foreach (var pair in pairs)
        {
            var capture = Captures.All[pair.Source];
            var shape = profile(pair.Host).Shape(capture.Features, GicKind.None);
            Assert.NotNull(shape);
            if (pair.RefusedAt is not null || shape.Errno != 0)
            {
                Assert.Equal((pair.RefusedAt ?? "", pair.Errno), (shape.RefusedAt, shape.Errno));
                continue;
            }
            var index = new ShapeIndex(change is null ? shape : change(shape));
            var current = new Written([]);
            foreach (var (id, value) in capture.ToState().Vcpus[0].Registers)
            {
                var predicted = index.Predict(id, value, current);
                if (predicted.ReadsBack is { } stored) current.Values[id] = stored;
                var refused = pair.Refused.TryGetValue(id, out var errno);
                var changed = pair.Changed.TryGetValue(id, out var got);
                var right = predicted.Kind switch
                {
                    AnswerKind.Volatile => !refused,
                    AnswerKind.Kept => !refused && !changed,
                    AnswerKind.Changed => changed && predicted.ReadsBack == got,
                    AnswerKind.Refused or AnswerKind.Unknown => refused && predicted.Errno == errno,
                    _ => false,
                };
                judged++;
                if (right) continue;
                var answered = refused ? $"errno {errno}" : changed ? $"reads {got}" : "kept";
                wrong.Add(new(predicted.IsAccepted || refused, pair.Source, pair.Host, id, value, predicted.ToString(), answered));
            }
        }
        return (judged, wrong);
    }

    private readonly record struct Written(Dictionary<RegisterId, RegisterValue> Values) : IRegisterValues
    {
        public bool TryGet(RegisterId id, out RegisterValue value) => Values.TryGetValue(id, out value);
    }
}
