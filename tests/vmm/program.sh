#!/bin/sh
# SPDX-License-Identifier: MIT
# hvkit run --accel kvm: hvkit's own guest as a kernel image, and what wrong guests come to.
. tests/cli/lib.inc
guests=$HVKIT_BUILD/vmm_guests

kvm_hvkit() { hvkit run --accel kvm --time-limit 60 "$@" </dev/null; }

# What is wrong before a machine is made.
hvkit run --kernel /nowhere
status_is 2
err_says '^hvkit: --kernel is for --accel kvm$'
hvkit run --accel qemu -- lsvmbus
status_is 2
err_says "did you mean\|there are: hosted, kvm"
hvkit run --accel kvm --mem 3T -- lsvmbus
status_is 2
err_says "--mem must be 16M to 32G, e.g. 512M or 2G, not '3T'"
hvkit run --accel kvm --seed 1 -- lsvmbus
status_is 2
err_says '--seed is for --accel hosted'
err_says '--trace keeps what was said in it'
hvkit run --accel kvm --script x
status_is 2
err_is_one_line
err_says "put the host's after --, then the guest's ('!after MS COMMAND' puts one of the host's off)"
hvkit run --accel kvm --guest x -- lsvmbus
status_is 2
err_says "--append"
hvkit run --accel kvm --bios-stub -- lsvmbus
status_is 2
err_says 'bios-stub is for a --kernel'
hvkit run --accel kvm -- 'lsvmbus; !devices'
status_is 2
err_says "before the guest"

"$HVKIT" run --accel kvm --nic none --time-limit 5 --guest "$guests/hello.elf" </dev/null >/dev/null 2>"$work/probe"
case $(cat "$work/probe") in *KVM*|*kvm*) echo "skipped: $(cat "$work/probe")"; exit 77 ;; esac

# Files that are no kernels.
echo 'no kernel' >"$work/text"
kvm_hvkit --guest "$work/text"
status_is 1
err_is_one_line
err_says "text' is no kernel: neither an ELF file nor a bzImage"
kvm_hvkit --kernel "$work/absent"
status_is 1
err_says 'cannot be read: No such file'
head -c 3000 "$guests/hello.elf" >"$work/cut"
kvm_hvkit --guest "$work/cut"
status_is 1
err_says 'ends before'

# How guests end.
kvm_hvkit --guest "$guests/hello.elf" --append 'there' --summary "$work/s.json"
status_is 7
out_says '^hello, there$'
err_is_empty
summary_is_json "$work/s.json"
summary_says "$work/s.json" '"end": "exit"'
summary_says "$work/s.json" '"accel": "kvm"'
kvm_hvkit --guest "$guests/triple_fault.elf"
status_is 5
err_says 'vCPU 0: triple fault'
err_says 'rbx 123456789abcdef0\|KVM has reset it'
err_says 'violation: hypercall'
hvkit run --accel kvm --time-limit 1 --guest "$guests/endless_loop.elf" </dev/null
status_is 4
err_says 'has not ended within 1.000 s'
kvm_hvkit --guest "$guests/rubbish_registers.elf"
status_is 5 # among all the others it wrote the crash registers
err_says 'the guest reported a crash'
err_says 'not shown'
kvm_hvkit --guest "$guests/jump_into_hole.elf"
status_is 5
err_says 'rip'
hvkit run --accel kvm --time-limit 1 --cpus 2 --guest "$guests/hostile_timers.elf" </dev/null
status_is 4
err_says 'vCPU 1: running'
kvm_hvkit --guest "$guests/hostile_hypercalls.elf" --cpus 2 --nic sim
status_is 3
err_says 'not shown'
kvm_hvkit --guest "$guests/rubbish_ring.elf" --nic sim
status_is 3
err_says 'violation: ring-index'
kvm_hvkit --guest "$guests/power_off.elf"
status_is 0
# The host's commands come first.
kvm_hvkit --guest "$guests/power_off.elf" -- '!devices; !quirk'
status_is 0
out_says 'net0'

# hvkit's own guest.
[ -f "$HVKIT_BUILD/hvkit-shell.elf" ] || { [ $failures = 0 ] || exit 1; echo "no kernel image: the rest is skipped"; exit 0; }
kvm_hvkit --nic sim -- 'lsvmbus; ip'
status_is 0
out_says 'channel 1: network card, open'
out_says '^address   10.7.0.15$'
kvm_hvkit --nic sim --cpus 2 --boot-mode --host ws2012r2 --trace "$work/t.pcapng" -- lsvmbus
status_is 0
out_says 'connected with version 0.13'
hvkit trace "$work/t.pcapng"
out_says 'unload-response'
# Without commands it asks at its serial port, up to the end of what is typed.
printf 'lsvmbus\nnonsense' >"$work/typed"
hvkit run --accel kvm --time-limit 60 --nic sim <"$work/typed"
status_is 2
out_says 'channel 1: network card, open'
out_says 'nonsense'
# Its panic reaches the host, with its text only if it may.
kvm_hvkit --nic none --guest "$HVKIT_BUILD/hvkit-shell.elf" --append 'test=late:fatal'
status_is 5
err_says 'the guest reported a crash at .*; its last words:'
err_says 'bare_main+'
kvm_hvkit --nic none --guest "$HVKIT_BUILD/hvkit-shell.elf" --append 'test=late:fatal crash_text=no'
status_is 5
err_says 'the guest reported a crash at .*[0-9a-f]$'
kvm_hvkit --nic none
status_is 0
out_says 'vmbus: disconnected'
kvm_hvkit --nic none --entry elf64 -- 'nonsense'
status_is 2
[ $failures = 0 ]
