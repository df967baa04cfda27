#!/bin/sh
# SPDX-License-Identifier: MIT
# BOOTX64.EFI on UEFI firmware, without Hyper-V: it says so and gives the machine back; told to start the image
# all the same, it does, from a disc of scripts/make-iso. Wrong words in hvkit.cfg: tests/unit/uefi_config.c.
. tests/image/lib.inc
program=${HVKIT_BUILD:-build}/hvkit-shell.efi
code=/usr/share/OVMF/OVMF_CODE_4M.fd
vars=/usr/share/OVMF/OVMF_VARS_4M.fd
[ -f "$program" ] || { echo "skipped: no $program (it needs clang-14 and lld-14)"; exit 77; }
[ -f $code ] || { echo "skipped: no $code (scripts/deps test)"; exit 77; }

# firmware UNTIL QEMU-OPTIONS...: up to a line like UNTIL, or its own end.
firmware() {
	until=$1
	ran="UEFI: $*"
	shift
	runs=$((runs + 1))
	: >"$work/raw"
	cp $vars "$work/vars" # nothing remembered: what can be started is tried
	timeout 60 "$qemu" -accel tcg -machine q35 -cpu max -display none -nodefaults -serial "file:$work/raw" -no-reboot \
		-device isa-debug-exit,iobase=0xf4,iosize=1 -drive if=pflash,format=raw,readonly=on,file=$code \
		-drive "if=pflash,format=raw,file=$work/vars" "$@" </dev/null >"$work/err" 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		! grep -q -e "$until" "$work/raw" || { kill $pid; break; }
		sleep 0.1
	done
	wait $pid && status=0 || status=$?
	tr -d '\r' <"$work/raw" >"$work/out"
	[ $((status % 2)) = 1 ] && [ $status -lt 124 ] && status=$((status / 2)) || status=none
}

# A volume, without a word of configuration.
mkdir -p "$work/volume/EFI/BOOT"
cp "$program" "$work/volume/EFI/BOOT/BOOTX64.EFI"
firmware '^The firmware goes on in ' -m 128 -drive "format=raw,file=fat:rw:$work/volume,if=none,id=volume" \
	-device virtio-blk-pci,drive=volume,bootindex=0
says '^There is no Hyper-V on this machine'
says_not '^hvkit-shell '

# A disc that wants it started all the same, with memory above 4 GiB and a screen.
seed=seed=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
scripts/make-iso "$work/disc.iso" "$image" "$program" "cpus=2 $seed -- lsvmbus" "$(printf '# a test\r\nhypervisor any')" || exit $?
firmware never -m 5G -smp 3 -vga std -drive "media=cdrom,format=raw,readonly=on,file=$work/disc.iso,if=none,id=disc" \
	-device ide-cd,drive=disc,bootindex=0
status_is 1
says '^Leaving the firmware'
says '^hvkit-shell .*: 2 of 3 CPUs, .*, 5[01][0-9][0-9] MiB$'
says '^start on the hypervisor: enohypervisor: '
finish
