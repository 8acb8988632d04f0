using Migrate.Model.Errors;

namespace Migrate.Kvm.Probe;

/// <summary>The scratch VM that a measurement works on, replaced by a new one whenever a measurement could not undo what it did.</summary>
/// <param name="host">Where VMs come from.</param>
/// <param name="request">What each is made of.</param>
/// <param name="prepare">What is written into each before anything is measured; answers an errno.</param>
internal sealed class ScratchPool(IProbeHost host, ScratchVm request, Func<IProbeVm, int>? prepare = null) : IDisposable
{
    private IProbeVm? _vm;

    /// <summary>The VM; a new one after <see cref="Renew"/>.</summary>
    /// <exception cref="MigrateException">The host no longer makes what it made before: it is out of memory, or of something else.</exception>
    public IProbeVm Vm => _vm ??= Make();

    /// <summary>Throws the VM away; the next use makes another.</summary>
    public void Renew()
    {
        _vm?.Dispose();
        _vm = null;
    }

    public void Dispose() => Renew();

    private IProbeVm Make()
    {
        var answer = host.Create(request);
        if (answer.Vm is not { } vm)
            throw new MigrateException(ErrorCode.System, $"a scratch VM with {request.Features} was refused at {answer.RefusedAt} with errno {answer.Errno} after others were made");
        var errno = prepare?.Invoke(vm) ?? 0;
        if (errno == 0) return vm;
        vm.Dispose();
        throw new MigrateException(ErrorCode.System, $"a scratch VM with {request.Features} answered errno {errno} to a value that another one took");
    }
}
