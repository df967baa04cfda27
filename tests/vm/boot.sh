#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs all cells of tests/vm/inside/cells, in one boot of an outer machine that QEMU emulates
# (its KVM is whole, unlike that of many development machines), or directly where this
# machine's own KVM is fast. What came of it is in $HVKIT_VM_RESULTS; the other tests here
# read it. HVKIT_VM=direct or =tcg chooses; HVKIT_VM_CELLS names the cells to run.
. "$(dirname "$0")/lib.inc"
limit=${HVKIT_VM_SECONDS:-270}
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
command -v busybox >/dev/null || cannot "no busybox"
qemu=$(command -v qemu-system-x86_64) || qemu=
way=${HVKIT_VM:-}
if [ -z "$way" ]; then
	if kvm_is_fast; then way=direct; else way=tcg; fi
fi
[ "$way" = direct ] || [ -n "$qemu" ] || cannot "no qemu-system-x86_64 (Debian: qemu-system-x86), and this KVM is slow or missing"
kernel=$(scripts/fetch-kernel 2>"$HVKIT_VM_RESULTS/fetch.log") || cannot "$(tail -n 1 "$HVKIT_VM_RESULTS/fetch.log")"

cat "$kernel/version" >"$HVKIT_VM_RESULTS/kernel"

work=$(mktemp -d "${TMPDIR:-/tmp}/hvkit-vm.XXXXXX")
emulator=
clean_up() {
	[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- The Linux under test ------------------------------------------------------------------

inner=$work/inner
add_busybox "$inner"
mkdir "$inner/kernel"
for module in hv_vmbus hv_netvsc; do
	cp "$kernel/$module.ko" "$inner/kernel/"
done
install -m 755 tests/vm/inside/linux-init "$inner/init"
install -m 755 tests/vm/inside/lease "$inner/lease"
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

# --- Directly --------------------------------------------------------------------------------

if [ "$way" = direct ]; then
	mkdir "$work/run"
	echo "running directly on this machine's KVM, with $(cat "$kernel/version")"
	KEEP="$HVKIT_VM_RESULTS" HVKIT="$HVKIT" IMAGE="$image" KERNEL="$kernel" LINUX_INITRD="$work/linux.cpio" LINUX_TOOLS="$work/tools.cpio" QEMU="$qemu" WORK="$work/run" \
		timeout "$limit" sh tests/vm/inside/cells $cells >"$HVKIT_VM_RESULTS/log" 2>&1 || true
else
	outer=$work/outer
	add_busybox "$outer"
	mkdir "$outer/kernel"
	cp "$kernel"/*.ko "$kernel/vmlinuz" "$kernel/ipxe.lkrn" "$outer/kernel/"
	install -m 755 tests/vm/inside/init "$outer/init"
	cp tests/vm/inside/cells tests/vm/inside/tap-cells "$outer/"
	echo "$cells" >"$outer/cells.wanted"
	echo "nameserver 127.0.0.1" >"$outer/etc/resolv.conf"
	add_program "$HVKIT" "$outer" bin/hvkit
	cp "$image" "$outer/bin/hvkit-shell.elf"
	ln -s bin/hvkit-shell.elf "$outer/hvkit-shell.elf"
	cp "$work/linux.cpio" "$outer/linux.cpio"
	[ ! -e "$work/tools.cpio" ] || cp "$work/tools.cpio" "$outer/tools.cpio"
	for program in ip iperf3; do
		place=$(command -v $program) || continue
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
	pack "$outer" "$work/outer.cpio"
	echo "running in an emulated machine's KVM ($(wc -c <"$work/outer.cpio") bytes in it), with $(cat "$kernel/version")"
	# One CPU: with two, QEMU 7.2's SVM now and then mixes guest and host up; and it is no faster.
	timeout -k 5 "$limit" nice -n 5 "$qemu" -accel tcg -smp 1 -cpu EPYC,+svm,+npt -m 4096 -display none \
		-nic none -serial stdio -monitor none -no-reboot -kernel "$kernel/vmlinuz" -initrd "$work/outer.cpio" \
		-append "console=ttyS0 quiet panic=-1 nohz=off highres=off" </dev/null >"$HVKIT_VM_RESULTS/log" 2>&1 &
	emulator=$!
	wait "$emulator" || true
	emulator=
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
