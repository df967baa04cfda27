#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs all cells of tests/vm/inside/cells, in one boot of an outer machine that QEMU emulates
# (its KVM is whole, unlike that of many development machines), or directly where this
# machine's own KVM is fast. What came of it is in $HVKIT_VM_RESULTS; the other tests here
# read it. HVKIT_VM=direct or =tcg chooses; HVKIT_VM_CELLS names the cells to run.
. "$(dirname "$0")/lib.inc"
limit=${HVKIT_VM_SECONDS:-450}
cells=${HVKIT_VM_CELLS:-}

mkdir -p "$HVKIT_VM_RESULTS"
rm -f "$HVKIT_VM_RESULTS/skipped" "$HVKIT_VM_RESULTS/way" "$HVKIT_VM_RESULTS"/*.pcapng
: >"$results"
cannot() {
	echo "$*" >"$HVKIT_VM_RESULTS/skipped"
	skip "the tests in virtual machines: $*"
}
# tried GUEST HOST WHAT COMMAND...: a cell of this machine's own
tried() {
	cell="$1 $2" what=$3
	shift 3
	if timeout 60 "$@" >"$HVKIT_VM_RESULTS/here.log" 2>&1; then
		echo "cell $cell pass $what"
	else
		echo "cell $cell fail $what: status $?: $(tail -n 1 "$HVKIT_VM_RESULTS/here.log")"
	fi | tee -a "$results"
}

image=$HVKIT_BUILD/hvkit-shell.elf
[ -x "$HVKIT" ] || cannot "no program at $HVKIT"
tried hosted process "lsvmbus and ip" "$HVKIT" run --nic user -- lsvmbus ';' ip
[ -e "$image" ] || cannot "no image at $image"
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
	tried image kvm "lsvmbus on this machine's own KVM, fast or slow" "$HVKIT" run --accel kvm -- lsvmbus
else
	echo "cell image kvm skip this machine's own KVM: no /dev/kvm, or not ours" | tee -a "$results"
fi
find_machine "$HVKIT_VM_RESULTS/fetch.log"
cat "$kernel/version" >"$HVKIT_VM_RESULTS/kernel"

make_work vm

# --- The Linux under test ------------------------------------------------------------------

inner=$work/inner
make_linux "$inner" tests/vm/inside/linux-init
${CC:-cc} -O1 -static -o "$inner/kexec" tests/vm/inside/kexec.c
pack "$inner" "$work/second.cpio" # what kexec boots: the same without a kernel to go on to
cp "$kernel/vmlinuz" "$inner/vmlinuz"
cp "$work/second.cpio" "$inner/initrd"
pack "$inner" "$work/linux.cpio"

# --- What the test by TAP adds to it -----------------------------------------------------------

tools=$work/tools
if command -v iperf3 >/dev/null && command -v ethtool >/dev/null; then
	mkdir -p "$tools/steps"
	cp tests/vm/inside/linux-tap "$tools/steps/"
	for program in iperf3 ethtool; do
		add_program "$(command -v $program)" "$tools" bin/$program
	done
	pack "$tools" "$work/tools.cpio"
fi

# --- What the test of a virtual function adds to it ----------------------------------------------

pack_vf_steps "$work/vf.cpio"

# --- What netboot loads beside it ----------------------------------------------------------------

steps=$work/netboot-steps
mkdir -p "$steps/steps"
cp tests/vm/inside/linux-netboot "$steps/steps/"
add_modules "$steps" $disc_modules
echo $disc_modules >"$steps/kernel/disc"
pack "$steps" "$work/netboot.cpio"

# --- What the test of the integration components adds to it ----------------------------------------

pack_utilities_steps "$work/utilities.cpio"
if command -v mkfs.ext4 >/dev/null; then
	truncate -s 16M "$work/backup.img"
	mkfs.ext4 -q "$work/backup.img"
fi

# --- Disks and discs --------------------------------------------------------------------------------

. tests/vm/media.inc
media=$work/media
missing=$(media_missing)
if [ -z "$missing" ]; then
	make_media "$media"
	pack_disk_steps "$work/disk.cpio"
fi

# --- Directly --------------------------------------------------------------------------------

if [ "$way" = direct ]; then
	mkdir "$work/run"
	echo "running directly on this machine's KVM, with $(cat "$kernel/version")"
	KEEP="$HVKIT_VM_RESULTS" HVKIT="$HVKIT" IMAGE="$image" KERNEL="$kernel" LINUX_INITRD="$work/linux.cpio" LINUX_TOOLS="$work/tools.cpio" LINUX_VF="$work/vf.cpio" \
		LINUX_UTILITIES="$work/utilities.cpio" BACKUP="$work/backup.img" \
		NETBOOT="$HVKIT_BUILD/hvkit-netboot.elf" LINUX_NETBOOT="$work/netboot.cpio" LINUX_SMALL="$work/second.cpio" \
		MEDIA="$media" LINUX_DISK="$work/disk.cpio" QEMU="$qemu" WORK="$work/run" \
		timeout "$limit" sh tests/vm/inside/cells $cells >"$HVKIT_VM_RESULTS/log" 2>&1 || true
else
	outer=$work/outer
	make_outer "$outer" tests/vm/inside/cells "$cells"
	cp "$kernel/ipxe.lkrn" "$outer/kernel/"
	cp tests/vm/inside/tap-cells tests/vm/inside/vf-cells tests/vm/inside/vf-plan tests/vm/inside/utilities-cells tests/vm/inside/disk-cells \
		tests/vm/inside/image-disk \
		tests/vm/inside/netboot-cells "$outer/"
	cp "$work/vf.cpio" "$work/netboot.cpio" "$outer/"
	cp "$work/second.cpio" "$outer/small.cpio"
	cp "$HVKIT_BUILD/hvkit-netboot.elf" "$outer/"
	ln -s bin/hvkit-shell.elf "$outer/hvkit-shell.elf"
	cp "$work/utilities.cpio" "$outer/"
	[ ! -e "$work/backup.img" ] || cp "$work/backup.img" "$outer/"
	[ ! -e "$work/tools.cpio" ] || cp "$work/tools.cpio" "$outer/tools.cpio"
	if [ -e "$media/root.img" ]; then
		mv "$media" "$outer/media"
		mv "$work/disk.cpio" "$outer/disk.cpio"
	fi
	for program in ip iperf3 e2fsck debugfs; do
		place=$(PATH=$PATH:/usr/sbin:/sbin command -v $program) || continue
		rm -f "$outer/bin/$program" # busybox has an ip of its own, without namespaces
		add_program "$place" "$outer" bin/$program
	done
	add_program "$qemu" "$outer" bin/qemu
	mkdir -p "$outer/usr/share/qemu"
	for rom in bios-256k.bin kvmvapic.bin linuxboot.bin linuxboot_dma.bin pvh.bin; do
		for folder in /usr/share/qemu /usr/share/seabios; do
			[ ! -e "$folder/$rom" ] || cp -L "$folder/$rom" "$outer/usr/share/qemu/"
		done
	done
	echo "running in an emulated machine's KVM, with $(cat "$kernel/version")"
	emulate "$outer" "$HVKIT_VM_RESULTS/log" "$limit"
fi

# Files that the cells kept came as lines "file NAME BASE64".
for kept in $(tr -d '\r' <"$HVKIT_VM_RESULTS/log" | sed -n 's/^file \([a-z0-9.-]*\) .*/\1/p' | sort -u); do
	tr -d '\r' <"$HVKIT_VM_RESULTS/log" | sed -n "s/^file $kept //p" | base64 -d | gzip -dc >"$HVKIT_VM_RESULTS/$kept" ||
		echo "note $kept came damaged" >>"$results"
done
sed -i '/^file [a-z0-9.-]* /d' "$HVKIT_VM_RESULTS/log"
tr -d '\r' <"$HVKIT_VM_RESULTS/log" | grep -a -E '^(cell|note|outer:) ' >>"$results" || true
echo "$way" >"$HVKIT_VM_RESULTS/way"
grep -a -c '^cell ' "$results" | sed 's/$/ things tried/'
grep -a '^\(note\|outer:\) ' "$results" || true
grep -a -q '^cell' "$HVKIT_VM_RESULTS/log" || {
	tail -n 20 "$HVKIT_VM_RESULTS/log"
	echo "nothing was tried in the virtual machines; see $HVKIT_VM_RESULTS/log"
	exit 1
}
