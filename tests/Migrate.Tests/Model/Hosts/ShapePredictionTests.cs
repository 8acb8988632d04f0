using Migrate.Model;
using Migrate.Model.Hosts;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Tests.Model.Hosts;

public class ShapePredictionTests
{
    private static readonly RegisterId Controller = RegisterId.System(3, 0, 0, 7, 3);
    private static readonly RegisterId Dependent = RegisterId.System(3, 0, 2, 0, 3);
    private static readonly RegisterValue One = new(1);

    [Fact]
    public void A_refused_shape_refuses_every_register_with_its_errno() =>
        Assert.Equal(new PredictedAnswer(AnswerKind.Refused, 22, null),
            new ShapeIndex(Shape() with { Errno = 22, RefusedAt = "vcpu_init" }).Predict(Dependent, One));

    [Fact]
    public void A_register_that_is_not_listed_is_unknown() =>
        Assert.Equal(new PredictedAnswer(AnswerKind.Unknown, 2, null), new ShapeIndex(Shape()).Predict(Dependent, One));

    [Fact]
    public void A_register_of_which_nothing_was_asked_is_unproven() =>
        Assert.Equal(new PredictedAnswer(AnswerKind.Unproven, 0, null),
            new ShapeIndex(Shape(new RegisterAcceptance { Id = Dependent, Accepts = Acceptance.Unproven })).Predict(Dependent, One));

    [Fact]
    public void A_refusal_has_the_errno_that_the_host_gave()
    {
        var shape = Shape(new RegisterAcceptance { Id = Dependent, Accepts = Acceptance.Exactly(new RegisterValue(2)) with { Errno = 16 } });
        Assert.Equal(new PredictedAnswer(AnswerKind.Refused, 16, null), new ShapeIndex(shape).Predict(Dependent, One));
    }

    [Fact]
    public void An_accepted_value_is_kept_changed_or_moves()
    {
        var any = new RegisterAcceptance { Id = Dependent, Accepts = Acceptance.Any };
        Assert.Equal(new PredictedAnswer(AnswerKind.Kept, 0, One), new ShapeIndex(Shape(any)).Predict(Dependent, One));
        Assert.Equal(new PredictedAnswer(AnswerKind.Changed, 0, new RegisterValue(5)),
            new ShapeIndex(Shape(any with { Stored = StoredAs.Always(5) })).Predict(Dependent, One));
        Assert.Equal(new PredictedAnswer(AnswerKind.Volatile, 0, null), new ShapeIndex(Shape(any with { Stored = StoredAs.Counting })).Predict(Dependent, One));
    }

    [Theory]
    [InlineData(0UL, AnswerKind.Unknown)]
    [InlineData(1UL, AnswerKind.Changed)]
    [InlineData(2UL, AnswerKind.Kept)]
    public void The_current_value_of_the_controller_decides(ulong controller, AnswerKind kind) =>
        Assert.Equal(kind, new ShapeIndex(Coupled(0)).Predict(Dependent, One, id => id == Controller ? new RegisterValue(controller) : null).Kind);

    [Fact]
    public void A_controller_of_unknown_value_has_that_of_a_new_vm()
    {
        Assert.Equal(AnswerKind.Changed, new ShapeIndex(Coupled(1)).Predict(Dependent, One).Kind);
        Assert.Equal(AnswerKind.Unknown, new ShapeIndex(Coupled(0)).Predict(Dependent, One, _ => null).Kind);
    }

    [Fact]
    public void A_controller_of_which_nothing_is_known_leaves_its_dependent_unproven()
    {
        Assert.Equal(AnswerKind.Unproven, new ShapeIndex(Coupled(null)).Predict(Dependent, One).Kind);
        var without = Coupled(0);
        Assert.Equal(AnswerKind.Unproven, new ShapeIndex(without with { Registers = [without.Registers[1]] }).Predict(Dependent, One).Kind);
    }

    [Fact]
    public void Predicting_allocates_nothing()
    {
        var index = new ShapeIndex(Coupled(1));
        index.Predict(Dependent, One, default(NewVmValues));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) index.Predict(Dependent, One, default(NewVmValues));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static HostShape Shape(params ReadOnlySpan<RegisterAcceptance> registers) =>
        new() { Features = VcpuFeatures.Psci02, Registers = EquatableArray.Create(registers) };

    /// <summary>Field 3:0 of the controller: 0 the dependent does not exist, 1 it reads zero, else it takes everything.</summary>
    private static HostShape Coupled(ulong? reset) => Shape(
        new RegisterAcceptance { Id = Controller, Accepts = Acceptance.Any, Reset = reset is { } value ? new RegisterValue(value) : null },
        new RegisterAcceptance
        {
            Id = Dependent,
            Accepts = Acceptance.Any,
            When =
            [
                new Conditional(Controller, 0, 4, 0b001, null, StoredAs.Unchanged),
                new Conditional(Controller, 0, 4, 0b011, Acceptance.Any, StoredAs.Always(0)),
            ],
        });
}
