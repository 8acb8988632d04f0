#!/bin/busybox sh
# First process of a lab host: mounts what .NET and KVM need, brings the network up, runs the agent, powers off.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
for argument in $(cat /proc/cmdline); do
    case "$argument" in
        lab.port=*) port=${argument#*=} ;;
        lab.token=*) token=${argument#*=} ;;
    esac
done
ifconfig lo 127.0.0.1 up
line="/dev/vport0p1"
if [ -d /modules ]; then
    # The names sort in the order in which they need each other.
    for module in /modules/*.ko; do
        insmod "$module" || echo "lab: $module cannot be loaded"
    done
    # The emulator's user network: it is the gateway, and its loopback answers there.
    ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
    route add default gw 10.0.2.2
    line="10.0.2.2 $port"
fi
# The test runner asks who it is.
mkdir -p /etc && echo 'root:x:0:0:root:/tmp:/bin/sh' > /etc/passwd
export HOME=/tmp TMPDIR=/tmp
export BOX64_LD_LIBRARY_PATH=/x86-64 BOX64_NOBANNER=1 BOX64_LOG=0
# .NET asks OpenSSL for more than box64's bridge to a native one has.
export BOX64_EMULATED_LIBS=libssl.so.3:libcrypto.so.3
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_EnableDiagnostics=0 DOTNET_gcConcurrent=0 DOTNET_TieredPGO=0
# To collect garbage .NET stops threads by a signal and reads their registers; what box64 shows it there need not be where an x86-64 instruction
# ends, and a collection then corrupts the heap (seen: an AccessViolationException at once with many small collections, none in 566 without the
# signal). Threads stop at their next call into the runtime instead.
export DOTNET_INTERNAL_ThreadSuspendInjection=0
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
echo "lab: starting the agent after $(cut -d' ' -f1 /proc/uptime) s"
cd /app
/bin/box64 /dotnet/dotnet /app/Migrate.LabGuest.dll agent $line "$token"
echo "lab: the agent ended with $?"
poweroff -f
