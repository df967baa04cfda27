#!/bin/sh
# SPDX-License-Identifier: MIT
# GRUB starts the image by Multiboot 2, from a disc of scripts/make-iso, on a machine with a BIOS: command line, memory
# map and ACPI get through. The other half of such a disc: uefi.sh.
. tests/image/lib.inc
program=${HVKIT_BUILD:-build}/hvkit-shell.efi
[ -f "$program" ] || { echo "skipped: no $program (it needs clang-14 and lld-14)"; exit 77; }

disc() { # LINE: $work/disc.iso
	scripts/make-iso "$work/disc.iso" "$image" "$program" "$1" || exit $?
}

from_disc() {
	ran="from a disc: $*"
	runs=$((runs + 1))
	timeout 60 "$qemu" -accel tcg -display none -nodefaults -serial stdio -no-reboot \
		-device isa-debug-exit,iobase=0xf4,iosize=1 -cdrom "$work/disc.iso" "$@" </dev/null >"$work/raw" 2>"$work/err"
	status=$(($? / 2))
	tr -d '\r' <"$work/raw" >"$work/out"
}

seed=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
disc "cpus=2 seed=$seed -- lsvmbus"
cp "$work/disc.iso" "$work/first.iso"
from_disc -m 128 -smp 3
status_is 1
says 'hvkit-shell .*: 2 of 3 CPUs, .*, 127 MiB$'
says '^start on the hypervisor: enohypervisor: '
from_disc -m 5G -smp 2 -machine q35 -vga std
status_is 1
says 'hvkit-shell .*: 2 of 2 CPUs, .*, 5119 MiB$'

sleep 1
disc "cpus=2 seed=$seed -- lsvmbus"
ran='made again'
cmp "$work/first.iso" "$work/disc.iso" >"$work/out" || wrong 'two discs of the same files differ'

disc 'cpus=two'
from_disc -m 64
status_is 2
says 'cpus=two: cpus= takes a number from 1 to 64'

# What GRUB lets pass, others may not: place and sum of the header.
ran=header
od -An -v -tx4 -N32768 -w4 "$image" | tr -d ' ' >"$work/words"
at=$(grep -n '^e85250d6$' "$work/words" | cut -d: -f1)
[ -n "$at" ] || wrong 'no Multiboot 2 header in the first 32 KiB'
[ $(((at - 1) * 4 % 8)) = 0 ] || wrong 'the header is not at a multiple of 8'
sum=0
for word in $(sed -n "$at,$((at + 3))p" "$work/words"); do
	sum=$((sum + 0x$word & 0xffffffff))
done
[ $sum = 0 ] || wrong "the header's sum is $sum, not 0"
finish
