#!/bin/sh
# SPDX-License-Identifier: MIT
# The image comes up on machines of all sizes, starts their CPUs, and says that there is no Hyper-V.
. tests/image/lib.inc

seed=seed=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

machine() { # CPUS-OF-CPUS MIB QEMU-OPTIONS...
	cpus=$1 memory=$2
	shift 2
	boot "$seed" "$@"
	status_is 1
	says "^hvkit-shell .*: $cpus CPUs, .*, $memory MiB\$"
	says '^start on the hypervisor: enohypervisor: '
	says_not '\*\*\*'
}
machine '1 of 1' 15 -m 16
machine '1 of 1' 63 -m 64
machine '2 of 2' 3071 -m 3G -smp 2
machine '4 of 4' 6143 -m 6G -smp 4 -machine q35
machine '2 of 2' 511 -m 512 -smp 2 -cpu max
machine '2 of 2' 511 -m 512 -smp 2 -cpu max,-tsc-deadline -machine q35
machine '64 of 64' 255 -m 256 -smp 64

boot "cpus=2 memory=high $seed" -m 6G -smp 4
status_is 1
says ': 2 of 4 CPUs'
says enohypervisor

# More than there are, and a machine that has no randomness to give.
boot "cpus=3 $seed" -m 64 -smp 2
status_is 2
says 'there are 2 CPUs, not 3'
boot "cpus=9 $seed" -m 64 -smp 2 -machine pc,acpi=off
status_is 2
says ': 9 of at most 8 CPUs'
says 'ACPI names no CPUs: without it 8 can be started at most, not 9'
boot '' -m 64 -cpu qemu64,-rdrand
status_is 2
says 'no randomness: this CPU has no RDRAND; put seed= '
boot '' -m 64 -cpu max
status_is 1
says enohypervisor

# The conformance run, which finds that it has no host.
boot "conformance=end $seed" -m 64
status_is 1
says '^0 of 2 lives went well'
says '^  boot: start on the hypervisor: enohypervisor$'

# Words that mean nothing end it before anything is begun.
boot "cpus=0 $seed" -m 64
status_is 2
says 'cpus=0: cpus= takes a number from 1 to 64'
boot "$(printf '%02100d' 0)" -m 64
status_is 1
says 'cannot start: the command line is longer than 2047 characters'

# Without the debug exit the power is switched off by ACPI.
runs=$((runs + 1))
ran='power off'
timeout 60 "$qemu" -accel tcg -display none -nodefaults -serial stdio -m 64 -kernel "$image" -append "$seed" \
	</dev/null >"$work/out" 2>"$work/err"
status=$?
status_is 0
says enohypervisor
finish
