using System.Globalization;
using Migrate.Kvm.Handles;
using Migrate.Model.Machines;
using Migrate.Model.Registers;

namespace Migrate.Kvm.State;

/// <summary>An instrument: writes every captured register in list order, without a plan, each read back at once.</summary>
/// <remarks>What a VMM without a plan does, and what tests/Data/captures/restore-answers.txt was recorded with.</remarks>
public static class RawRestore
{
    private static readonly RegisterId VectorLengths = RegisterId.Of(RegisterClass.Sve, 0xffff, 64);

    /// <summary>Answers as lines: X refused, D reads back as another value, M listed here and not there, T the total.</summary>
    /// <param name="system">The host that is asked.</param>
    /// <param name="state">What is written; its first vCPU alone.</param>
    /// <param name="source">What the lines call the source.</param>
    /// <param name="destination">What they call this host.</param>
    public static IReadOnlyList<string> Run(KvmSystem system, MachineState state, string source, string destination)
    {
        var lines = new List<string>();
        var vcpuState = state.Vcpus[0];
        string Line(char kind, string rest) => $"{kind} {source} {destination} {rest}";
        IReadOnlyList<string> Refused(string what, int errno) => [Line('X', $"{what} -{errno}")];

        var errno = system.TryCreateVm(state.Vm.Type.Raw, out var vm);
        if (vm is null) return Refused("create_vm", errno);
        using (vm)
        {
            using var vcpu = vm.CreateVcpu(0);
            errno = vcpu.TryInitialise(vm.PreferredTarget(), state.Vm.Features);
            if (errno != 0) return Refused("vcpu_init", errno);
            var (written, failed) = (0, 0);
            void Write(RegisterId id, RegisterValue value)
            {
                written++;
                var refused = vcpu.TrySet(id, value);
                if (refused != 0)
                {
                    failed++;
                    lines.Add(Line('X', $"{Hex(id)} -{refused}"));
                }
                else if (vcpu.TryGet(id, out var back) == 0 && back != value)
                {
                    lines.Add(Line('D', $"{Hex(id)} {Digits(value)} {Digits(back)}"));
                }
            }

            if (state.Vm.Features.Has(VcpuFeatures.Sve))
            {
                if (vcpuState.Registers.TryGet(VectorLengths, out var lengths)) Write(VectorLengths, lengths);
                errno = vcpu.TryFinalizeSve();
                if (errno != 0) return [.. lines, .. Refused("finalize", errno)];
            }
            foreach (var (id, value) in vcpuState.Registers)
                if (id != VectorLengths) Write(id, value);
            foreach (var id in vcpu.ListRegisters())
                if (!vcpuState.Registers.Contains(id)) lines.Add(Line('M', Hex(id)));
            lines.Add(Line('T', string.Create(CultureInfo.InvariantCulture, $"{written} {failed}")));
        }
        return lines;
    }

    private static string Hex(RegisterId id) => id.Value.ToString("x16", CultureInfo.InvariantCulture);

    private static string Digits(RegisterValue value) => value.IsZero ? "0" : value.ToShortString()[2..];
}
