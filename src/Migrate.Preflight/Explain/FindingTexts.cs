using Migrate.Model.Plans;
using static Migrate.Model.Plans.Severity;

namespace Migrate.Preflight.Explain;

/// <summary>What is to be said about one kind of finding.</summary>
/// <param name="Code">Which.</param>
/// <param name="Severities">How bad findings of this kind are under our own policy, mildest first.</param>
/// <param name="Meaning">What it says.</param>
/// <param name="Guest">Why it matters to the guest.</param>
/// <param name="Remedy">What to do, whatever the VMM.</param>
/// <param name="Accepting">What accepting it by name means; where that is impossible, why.</param>
internal sealed record FindingText(FindingCode Code, Severity[] Severities, string Meaning, string Guest, string Remedy, string Accepting)
{
    /// <summary>What to do in QEMU; empty where it has no words for it.</summary>
    public string Qemu { get; init; } = "";

    /// <summary>What to do in Firecracker; empty where it has no words for it.</summary>
    public string Firecracker { get; init; } = "";
}

/// <summary>Every kind of finding, explained; in the order in which a list of them is read.</summary>
/// <remarks>
/// Words of QEMU: docs/system/arm/cpu-features.rst and virt.rst, target/arm/kvm.c as of 10.1; kvm-psci-version was added to target/arm/kvm.c later.
/// Words of Firecracker: docs/cpu_templates/cpu-templates.md (custom templates: reg_modifiers address a register by its KVM id, vcpu_features the words of KVM_ARM_VCPU_INIT).
/// </remarks>
internal static class FindingTexts
{
    public static IReadOnlyList<FindingText> All { get; } =
    [
        new(FindingCode.VcpuFeatures, [Refused],
            "The destination does not create a vCPU with the guest's features (KVM_ARM_VCPU_INIT or KVM_ARM_VCPU_FINALIZE refuses).",
            "No VM comes into being there. A feature cannot be taken from a running guest: it has seen the ID registers and may use it.",
            "Create the VM with features that every host of the fleet offers, or choose a destination that offers these.",
            "It cannot be accepted: there is no VM to move into.")
        {
            Qemu = "Switch the feature off where the VM is created: -cpu host,sve=off, pmu=off, pauth=off; -machine virt,mte=off, virtualization=off.",
            Firecracker = "In a custom CPU template clear the feature's bit: \"vcpu_features\": [{\"index\": 0, \"bitmap\": \"0bxx00xxx\"}] (bit 3 PMU, 4 SVE, 5 and 6 pointer authentication).",
        },
        new(FindingCode.IpaSize, [Refused],
            "KVM_CREATE_VM refuses the guest's physical address size, or memory lies beyond it. The limit depends on the destination's CPU, page size and kernel.",
            "No VM comes into being there, or part of its memory cannot be mapped. A protected VM keeps its memory even from its host and cannot be moved at all.",
            "Create the VM with an address size that every host accepts; 40 bits (type 0) is the commonest.",
            "It cannot be accepted: there is no VM to move into.")
        {
            Qemu = "The size follows from the highest address of the memory map: lower -m maxmem, or switch high regions off (-machine virt,highmem-mmio=off, highmem-ecam=off, or highmem=off for 32 bits).",
        },
        new(FindingCode.MemoryLayout, [Refused],
            "A memory slot or a frame of the interrupt controller is misaligned, empty, overlaps another one, or lies outside the address space.",
            "The VM cannot be built as described: KVM answers EINVAL, EEXIST or E2BIG.",
            "Correct the description: it did not come from a VM that runs.",
            "It cannot be accepted: there is no VM to move into."),
        new(FindingCode.PageSize, [Refused],
            "A memory slot is not made of whole pages of the destination, whose kernel has larger pages than the source's.",
            "Its memory cannot be mapped there (KVM_SET_USER_MEMORY_REGION answers EINVAL).",
            "Create VMs with slots of whole 64 KiB: they fit hosts of 4, 16 and 64 KiB pages alike.",
            "It cannot be accepted: there is no VM to move into.")
        {
            Qemu = "Give -m and every memory device a size that is a multiple of 64 KiB.",
        },
        new(FindingCode.SveLengths, [Unsafe, Refused],
            "The vector lengths differ: up to the guest's longest, the destination offers another set than the guest was given; or they were not captured.",
            "A guest sizes its vector registers by them; code that runs with another length computes wrong results or faults.",
            "Create the VM with the lengths that all hosts offer, or without SVE.",
            "It cannot be accepted: KVM_REG_ARM64_SVE_VLS takes exactly the host's own set up to the longest.")
        {
            Qemu = "Name the lengths: -cpu host,sve512=off, or only those wanted, sve128=on,sve256=on; sve=off for none.",
            Firecracker = "Leave SVE (bit 4) out of vcpu_features; a template does not choose lengths.",
        },
        new(FindingCode.PsciVersion, [Unsafe, Refused],
            "The destination's KVM does not offer the PSCI version that the guest was given. New VMs get the newest of their kernel: 1.0 from 5.10, 1.1 from 6.1, 1.3 from 6.13 on.",
            "The guest asked for the version once, at boot, and calls what that version has (SYSTEM_SUSPEND, SYSTEM_OFF2); an older firmware interface answers NOT_SUPPORTED.",
            "Pin the version of the oldest kernel of the fleet when the VM is created (PSCI_VERSION takes it at any time before the guest asks).",
            "Leaves the destination's own version in force: for a guest that uses nothing newer than it.")
        {
            Qemu = "-cpu host,kvm-psci-version=1.1 (a property newer than QEMU 10.1; older ones keep the kernel's default).",
            Firecracker = "In a custom CPU template: \"reg_modifiers\": [{\"addr\": \"0x6030000000140000\", \"bitmap\": \"0b00010000000000000001\"}] pins 1.1.",
        },
        new(FindingCode.HypercallBitmap, [Unsafe, Refused],
            "A hypercall service that the guest was given (TRNG, stolen time, PTP, KVM's features) is not offered by the destination.",
            "The guest asked once, at boot, and goes on calling: random numbers, the time its vCPUs did not run, or the host's clock are answered NOT_SUPPORTED from then on.",
            "Clear the service's bit in its bitmap when the VM is created, before its first run.",
            "Writes the bitmap without the service, or leaves it out: the guest's calls fail as if the service had never been there. Linux guests survive that for PTP and TRNG.")
        {
            Qemu = "QEMU 10.1 has no property for the bitmaps; -cpu host,kvm-steal-time=off takes stolen time alone away from the guest.",
            Firecracker = "In a custom CPU template clear the bit under \"reg_modifiers\": STD_BMAP is addr 0x6030000000160000, STD_HYP_BMAP ...160001, VENDOR_HYP_BMAP ...160002.",
        },
        new(FindingCode.SmcccFilter, [Refused],
            "The destination's kernel has no SMCCC filter (before 6.4), or KVM would refuse a range of it.",
            "Calls that the VMM answered for the guest would be answered by the kernel, or denied ones allowed.",
            "Choose a destination whose kernel has KVM_ARM_VM_SMCCC_FILTER; correct a range that overlaps another one or Arm's own.",
            "It cannot be accepted: nobody would answer the guest's calls as it was promised."),
        new(FindingCode.HandlerMissing, [Note, Unsafe, Refused],
            "The guest relies on calls that its VMM answers (SDEI, PSCI in user space), and the destination's VMM does not implement them.",
            "A VMM that ignores such an exit carries on with whatever is in the registers: the guest gets a wrong result, and nobody says so.",
            "Choose a destination whose VMM implements the handler, or create the VM without forwarding.",
            "Moves the VM without the handler's state: only for a guest that has ceased to call it."),
        new(FindingCode.AttributeUnknown, [Refused],
            "The VM has a required attribute (a capability or device configuration) that the destination's VMM does not know, or whose value is none of its kind.",
            "The VM there would be another one than the guest was started in.",
            "Choose a destination whose VMM knows the attribute, or create the VM without it.",
            "Builds the VM without the attribute: only where the guest never used it."),
        new(FindingCode.CapabilityMissing, [Note, Refused],
            "The VM was created with a capability of KVM that the destination does not have (writable implementation ids, SYSTEM_SUSPEND, a dirty ring), or in a size that it does not take; or a vCPU waits in SYSTEM_SUSPEND, which the destination does not know.",
            "What the capability gives the guest is gone: a CPU identity that can be chosen, a way to sleep, an answer to a fault. As a note: the guest cannot tell.",
            "Choose a destination whose kernel has the capability, or create the VM without it; wake a suspended guest before the move.",
            "Builds the VM without the capability: only where the guest never used it.")
        {
            Firecracker = "In a custom CPU template \"kvm_capabilities\": [\"NUMBER\"] makes Firecracker check for a capability at creation; it enables none.",
        },
        new(FindingCode.VcpuAttribute, [Refused],
            "The destination's kernel lacks an attribute of vCPUs that the VM uses: the interrupt of a timer or of the performance monitors, or stolen time.",
            "The interrupt would not arrive where the guest expects it, or the time that its vCPUs did not run would stand still. Where the destination has stolen time, its first update adds what the new thread has waited since it began, which is little.",
            "Choose a destination whose kernel has the attribute, or create the VM without the feature behind it.",
            "Leaves the attribute out: the destination's default holds.")
        {
            Qemu = "-cpu host,pmu=off or kvm-steal-time=off takes the feature away when the VM is created.",
        },
        new(FindingCode.Pmu, [Note, Lossy, Refused],
            "The performance monitors cannot be configured as the guest's were: the destination has another PMU, no event filter, no choice of the number of counters, or fewer counters than PMCR_EL0.N told the guest, which kernels ignore or keep without a word.",
            "The guest counts other events under the same numbers, or events that it was not to see; no register shows it.",
            "Choose a destination with the same PMU and a kernel that can configure it, or create the VM without performance monitors.",
            "Takes the destination's own PMU as it is by default: for a guest that does not profile.")
        {
            Qemu = "-cpu host,pmu=off.",
            Firecracker = "Clear bit 3 in \"vcpu_features\" of a custom CPU template: \"bitmap\": \"0bxxx0xxx\".",
        },
        new(FindingCode.CounterOffset, [Note, Lossy],
            "The VM has one offset for both of its counters (KVM_ARM_SET_COUNTER_OFFSET), and the destination has no such interface, or the guest's count was not captured. As a note: one of the kernels cannot read or restore the physical timer and counter, and nothing had promised the guest a physical count of its own.",
            "The physical counter (CNTPCT_EL0) becomes the destination host's own and jumps, forwards or backwards; the virtual one goes on, unless it was not captured. Without an offset for it (that interface, or FEAT_ECV) the physical count always was the host's own.",
            "Choose a destination with KVM_CAP_COUNTER_OFFSET (from 6.4 on); as a note, none is needed for a guest that tells time by the virtual counter, as Linux does at EL1.",
            "Takes the jump: for a guest that reads the virtual counter alone, as Linux does at EL1."),
        new(FindingCode.PointerAuthentication, [Note, Unsafe, Refused],
            "The destination's CPU authenticates pointers by another algorithm (QARMA5, QARMA3, or its maker's own), or both have their maker's own and the makers differ.",
            "Return addresses and pointers that the guest signed lie in its memory and fail their check: it crashes at the first return. KVM compares the ID fields alone, which say nothing of two makers' own algorithms.",
            "Choose a destination whose CPU has the same algorithm (the same maker, where it is the maker's own), or create the VM without pointer authentication.",
            "Carries on with pointers that fail: only for a guest whose kernel and programs sign none.")
        {
            Qemu = "-cpu host,pauth=off when the VM is created.",
            Firecracker = "In a custom CPU template clear bits 5 and 6: \"vcpu_features\": [{\"index\": 0, \"bitmap\": \"0b00xxxxx\"}].",
        },
        new(FindingCode.CacheClaim, [Note, Unsafe, Refused],
            "CTR_EL0 told the guest of caches that need less maintenance than the destination's: DIC or IDC set, longer lines, smaller granules.",
            "The guest leaves out cleaning and invalidation that the hardware needs: it executes stale instructions after loading code, or devices read stale memory. Nothing reports it.",
            "Choose a destination with the same caches, or create the VM with the weakest claim of the fleet (DIC and IDC 0, the shortest lines), where the source's kernel lets CTR_EL0 be set.",
            "Shows the destination's own CTR_EL0 from then on, which a guest that read it at boot does not see: restart it there at once.")
        {
            Qemu = "No property changes CTR_EL0 as of QEMU 10.1; -cpu host passes it on.",
            Firecracker = "In a custom CPU template clear DIC and IDC (bits 29 and 28) of addr 0x603000000013d801.",
        },
        new(FindingCode.ImplementationId, [Note, Unsafe, Refused],
            "MIDR_EL1, REVIDR_EL1 or AIDR_EL1 differs: the destination is another CPU, or another revision of it. Where the VM may be told of another CPU than the host's (writable implementation ids) the kernel keeps the guest's value, and only this check sees the difference.",
            "The guest chose its workarounds for errata and its loops against branch history injection by these registers at boot, and patches itself once: on another CPU needed ones are missing. Showing the old value hides that, it mends nothing. A guest that was offered DISCOVER_IMPL_VER knows of every CPU that its VMM named at boot, and of no other.",
            "Choose a destination with the same CPU, revision included.",
            "Carries on with the workarounds chosen for the old CPU: only where the two CPUs' errata are known to need the same ones; restart the guest there soon.")
        {
            Qemu = "Use hosts of one CPU model: QEMU 10.1 passes the host's MIDR_EL1 on.",
            Firecracker = "A template cannot change MIDR_EL1; its fingerprints (cpu-template-helper fingerprint compare) find the difference between hosts.",
        },
        new(FindingCode.SmcConduit, [Unsafe],
            "The guest makes its firmware calls by SMC (its device tree says so, or it has EL2), and the destination's kernel answers every SMC with -1.",
            "PSCI fails: the guest cannot start or stop CPUs, suspend, restart or switch itself off.",
            "Choose a destination whose kernel serves SMC (from 6.4 on), or create the VM with HVC as its conduit.",
            "Moves a guest whose firmware calls fail from then on: only for one that makes none until it is restarted.")
        {
            Qemu = "-machine virt,virtualization=off makes HVC the conduit; under KVM it is SMC only for a guest with EL2.",
        },
        new(FindingCode.StepRefused, [Refused],
            "The destination's kernel refuses this step: a dry run executed it on a scratch VM and it was refused although the plan expected it to be taken, or the guest has an interrupt controller that the destination cannot make or that differs from its own, or a pending SError that its CPU cannot have.",
            "The move would fail at this step. What was tried says more than what was measured before.",
            "Probe the destination again; if that changes nothing, report it: the profile cannot express what this kernel answers.",
            "It cannot be accepted: the move would fail there."),
        new(FindingCode.MemoryTags, [Refused],
            "The guest has memory tagging (MTE), whose tags lie beside its memory and are not carried.",
            "Every tagged pointer of the guest would fault at its next use.",
            "Create the VM without memory tagging.",
            "It cannot be accepted: the guest would not survive it.")
        {
            Qemu = "-machine virt,mte=off (the default).",
        },
        new(FindingCode.Undescribable, [Refused],
            "Part of the machine cannot be described: an assigned device (VFIO), vhost, or device state of a kind that this build does not know.",
            "Its state lives in hardware or in another process and would be lost: I/O in flight, rings, interrupts.",
            "Unplug it before the move, plug it in again afterwards.",
            "It cannot be accepted: what cannot be described cannot be made again.")
        {
            Qemu = "device_del the assigned device; for virtio-net with a standby device, failover_pair_id does it by itself.",
        },
        new(FindingCode.WorkaroundLevel, [Note, Unsafe, Refused],
            "A protection against speculative execution that the guest was promised (SMCCC workaround 1, 2 or 3, ID_AA64PFR0.CSV2 and CSV3) is weaker at the destination, or gone.",
            "The guest decided at boot how to protect itself and does not ask again. KVM accepts a lower level and stores nothing: the guest then runs unprotected and nobody is told.",
            "Choose a destination that has the mitigation (its firmware, its CPU, mitigations= on its command line).",
            "Carries on with the destination's own level; restart the guest there soon, so that it decides anew.")
        {
            Qemu = "No property changes it; -cpu host tells guests what the host has.",
            Firecracker = "To let VMs move to weaker hosts, promise less: clear CSV2 and CSV3 (bits 59:56 and 63:60 of addr 0x603000000013c020) in a custom CPU template.",
        },
        new(FindingCode.CounterFrequency, [Note, Unsafe],
            "The destination's system counter runs at another frequency, or one of the two is not known. CNTFRQ_EL0 is no register of KVM: no host ever refuses.",
            "The guest read the frequency once: all its clocks and timeouts would run too fast or too slow from the move on.",
            "Choose a destination with the same counter frequency (from Armv8.6 on it is 1 GHz everywhere); probe both hosts where it is not known.",
            "Lets the clocks go wrong; only for a guest that is about to be restarted.")
        {
            Qemu = "-cpu host,kvm-no-adjvtime=on does not help: it concerns the counter's value, not its frequency.",
        },
        new(FindingCode.RegisterUnknown, [Lossy, Refused],
            "The destination's KVM does not list the register for such a VM: writing it answers ENOENT and its value would be lost.",
            "Whatever the guest keeps in it is gone: a translation control, a permission table, a timer. Registers whose feature the guest's own ID registers deny are left out without this finding.",
            "Create the VM without the feature that the register belongs to, or choose a destination whose kernel has it. \"vmmigrate explain REGISTER\" names the feature.",
            "Leaves the register out and takes the loss: right for the physical timer of a guest that uses the virtual one, as Linux does at EL1.")
        {
            Qemu = "QEMU 11.1 fails to load (\"in the incoming stream but unknown on the destination\") but for the few registers it tolerates; 10.1 tolerates none (\"cpreg_vmstate_array_len\"). It has switches for whole features: -cpu host,pmu=off, sve=off, pauth=off.",
            Firecracker = "Clear the ID field that makes the register exist in a custom CPU template (reg_modifiers): ID_AA64MMFR3_EL1 for TCR2, PIR, PIRE0, POR and SCTLR2.",
        },
        new(FindingCode.ValueRefused, [Note, Refused],
            "The destination knows the register and refuses the value (EINVAL): a field has a value that its kernel or CPU does not allow. As a note: another value is written that the guest cannot tell apart.",
            "It is an ID register as a rule: the guest was told of a feature, a cache or a CPU that the destination does not let it be told of.",
            "Create the VM with a value that every host accepts, where the source's kernel lets it be set (ID registers: from 6.7 on). \"vmmigrate explain REGISTER --host PROFILE\" shows what a host accepts; \"vmmigrate matrix\" shows who agrees with whom.",
            "Writes the value with the refused fields as the destination takes them, or leaves the register out where it has no fields: the guest sees the change from then on, whatever it decided at boot.")
        {
            Qemu = "-cpu host passes every field on; as of QEMU 10.1 only whole features have properties: pmu=off, pauth=off, sve=off, sve<bits>=off.",
            Firecracker = "In a custom CPU template: \"reg_modifiers\": [{\"addr\": KVM's id of the register, \"bitmap\": \"0bxxxx0000xxxx...\"}], x for bits that stay as they are.",
        },
        new(FindingCode.SilentlyChanged, [Note, Lossy, Unsafe],
            "The destination accepts the value and keeps another one. Only reading back shows it.",
            "The guest finds another value in a register than it left there; in an ID register or one of the whole VM that is a promise broken.",
            "Choose a destination that keeps the value, or create the VM with one that all hosts keep.",
            "Lives with the destination's value.")
        {
            Qemu = "QEMU does not read back: it moves the VM and says nothing.",
            Firecracker = "Firecracker does not read back after restoring a snapshot either; pin the field in a custom CPU template (reg_modifiers).",
        },
        new(FindingCode.Unreadable, [Lossy],
            "The source lists the register and could not read it: its value cannot be carried.",
            "The register has its reset value at the destination.",
            "Capture again; where the source's kernel never reads it, choose features without it.",
            "Takes the loss: for a register that the guest does not use."),
        new(FindingCode.Unproven, [Note],
            "Nobody measured what the destination answers: the whole shape of the VM, one register, or all of the profile where it was converted from a capture.",
            "Nothing is known to be wrong. What is not measured is never interpolated from a kernel version or from similar hosts.",
            "Measure the destination: vmmigrate probe there, with the guest's features. A dry run on the destination is stronger still.",
            "Turns a verdict that only rests on assumptions into yes (exit code 0 in place of 6)."),
        new(FindingCode.LeftOut, [Note],
            "A register is left out on purpose: its value is what the destination does without it, or the feature behind it is absent for this guest. The finding says which.",
            "The guest cannot tell.",
            "None is needed.",
            "There is nothing to accept: it stops nothing under policy vmmigrate. Policies strict and qemu leave nothing out."),
    ];

    /// <summary>The text of one kind.</summary>
    public static FindingText Of(FindingCode code) => All.First(t => t.Code == code);
}
