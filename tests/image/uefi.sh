#!/bin/sh
# SPDX-License-Identifier: MIT
# BOOTX64.EFI on UEFI firmware, without Hyper-V: it says so and gives the machine back; told to start the image
# all the same, it does, with memory above 4 GiB and a screen. Wrong words in hvkit.cfg: tests/unit/uefi_config.c.
. tests/image/lib.inc
program=${HVKIT_BUILD:-build}/hvkit-shell.efi
code=/usr/share/OVMF/OVMF_CODE_4M.fd
vars=/usr/share/OVMF/OVMF_VARS_4M.fd
[ -f "$program" ] || { echo "skipped: no $program (it needs clang-14 and lld-14)"; exit 77; }
[ -f $code ] || { echo "skipped: no $code (scripts/deps test)"; exit 77; }
mkdir -p "$work/volume/EFI/BOOT"
cp "$program" "$work/volume/EFI/BOOT/BOOTX64.EFI"
cp $vars "$work/vars"

# firmware CONFIG UNTIL QEMU-OPTIONS...: starts it with that hvkit.cfg, up to a line like UNTIL or its own end.
firmware() {
	printf '%s' "$1" >"$work/volume/hvkit.cfg"
	until=$2
	ran="UEFI: '$1' $*"
	shift 2
	runs=$((runs + 1))
	: >"$work/raw"
	timeout 60 "$qemu" -accel tcg -machine q35 -cpu max -display none -nodefaults -serial "file:$work/raw" -no-reboot \
		-device isa-debug-exit,iobase=0xf4,iosize=1 -drive if=pflash,format=raw,readonly=on,file=$code \
		-drive "if=pflash,format=raw,file=$work/vars" -drive "format=raw,file=fat:rw:$work/volume,if=none,id=volume" \
		-device virtio-blk-pci,drive=volume,bootindex=0 "$@" </dev/null >"$work/err" 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		! grep -q -e "$until" "$work/raw" || { kill $pid; break; }
		sleep 0.1
	done
	wait $pid && status=0 || status=$?
	tr -d '\r' <"$work/raw" >"$work/out"
	[ $((status % 2)) = 1 ] && [ $status -lt 124 ] && status=$((status / 2)) || status=none
}
back='^The firmware goes on in '
seed=seed=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

firmware '' "$back" -m 128
says '^There is no Hyper-V on this machine'
says_not '^hvkit-shell '

firmware "$(printf 'hypervisor any\r\nline cpus=2 %s -- lsvmbus\r\n' $seed)" never -m 5G -smp 3 -vga std
status_is 1
says '^Leaving the firmware'
says '^hvkit-shell .*: 2 of 3 CPUs, .*, 5[01][0-9][0-9] MiB$'
says '^start on the hypervisor: enohypervisor: '

finish
