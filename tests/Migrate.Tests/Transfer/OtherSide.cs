using System.Runtime.ExceptionServices;

namespace Migrate.Tests.Transfer;

/// <summary>The other end of a conversation, on a thread of its own; what it throws is thrown again by <see cref="Join"/>.</summary>
internal sealed class OtherSide
{
    private readonly Thread _thread;
    private ExceptionDispatchInfo? _error;

    private OtherSide(Action act)
    {
        _thread = new Thread(() =>
        {
            try
            {
                act();
            }
            catch (Exception e)
            {
                _error = ExceptionDispatchInfo.Capture(e);
            }
        })
        { IsBackground = true };
        _thread.Start();
    }

    public static OtherSide Run(Action act) => new(act);

    public void Join()
    {
        Assert.True(_thread.Join(TimeSpan.FromSeconds(30)), "the other side hangs");
        _error?.Throw();
    }
}
