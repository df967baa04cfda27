#!/bin/sh
# SPDX-License-Identifier: MIT
# hvkit run --accel kvm with disks: hvkit's own guest writes them behind virtual CPUs, the power fails, and in its
# sandbox the monitor has only the files that were named.
. tests/cli/lib.inc
guests=$HVKIT_BUILD/vmm_guests

"$HVKIT" run --accel kvm --nic none --time-limit 5 --guest "$guests/hello.elf" </dev/null >/dev/null 2>"$work/probe"
case $(cat "$work/probe") in *KVM*|*kvm*) echo "skipped: $(cat "$work/probe")"; exit 77 ;; esac

image=$work/a.img
spare=$work/spare.img
disc=$work/disc.iso
truncate -s 16M "$image"
truncate -s 4M "$spare"
head -c 100000 /dev/urandom >"$disc"
truncate -s %2048 "$disc"

kvm_disks() { hvkit run --accel kvm --nic none --quiet --time-limit 90 "$@" </dev/null; }

# Written in the sandbox, and in the file afterwards; a wrong file is refused before anything is begun.
kvm_disks --summary "$work/s.json" --disk "$image" --disk "$spare,4kn,ide" --cdrom "$disc" -- \
	'disk write disk0 0 60 --seed 1' ';' 'disk verify disk0 0 60 --seed 1' ';' 'disk hash cd0'
status_is 0
out_says "$(sha256sum <"$disc" | cut -d' ' -f1)"
summary_is_json "$work/s.json"
grep -q '"write_bytes": [1-9]' "$work/s.json" || wrong "the summary should tell of what was written"
hvkit run --quiet --nic none --disk "$image,ro" --disk "$spare,4kn,ro,ide" -- 'disk list' ';' 'disk verify disk0 0 60 --seed 1' ';' \
	'disk verify disk1 0 60 --seed 1'
grep -q '^verified' "$work/out" || wrong "one of the two disks should have been written"
kvm_disks --disk "$work/none" -- 'disk list'
status_is 2
err_is_one_line
kvm_disks --disk "$image,ro" -- '!disk add '"$image" ';' 'disk list'
status_is 1
err_says 'is in use'

# The power: the status, and what was flushed.
truncate -s 0 "$image" && truncate -s 16M "$image"
kvm_disks --disk "$image,seed=3" --summary "$work/c.json" -- '!cut --after 30' ';' 'disk write disk0 0 20000 --seed 4 --flush-every 100'
status_is 6
err_says '^hvkit: the power was cut after 30 requests of the disks'
summary_says "$work/c.json" '"exit_status": 6'
flushed=$(sed -n 's/^flushed //p' "$work/out" | tr -d '\r' | tail -n 1)
hvkit run --quiet --nic none --disk "$image,ro" -- "disk verify disk0 0 ${flushed:-0} --seed 4"
[ -n "$flushed" ] || wrong "something should have been flushed"
status_is 0
kvm_disks --disk "$image" -- '!cut' ';' 'disk list'
status_is 6
out_is_empty

# A console, with what the host does meanwhile.
mkfifo "$work/typed"
ran="hvkit run --accel kvm, at its console"
"$HVKIT" run --accel kvm --nic none --time-limit 90 --disk "$image" --disk "$spare,spare" --cdrom "$disc,spare" --cdrom - -- \
	"!after 2000 disk add $work/none" ';' "!after 2100 disk add $spare" ';' '!after 2600 disk resize disk0 32M' ';' \
	"!after 3100 disk insert cd0 $disc" ';' '!after 3200 disk remove disk1' ';' "!after 3300 disk insert cd0 $work/none" ';' \
	"!after 3900 disk add $spare,lun=9" ';' '!after 4400 disk list' <"$work/typed" >"$work/out" 2>"$work/err" &
machine=$!
exec 3>"$work/typed"
for again in $(seq 300); do
	grep -q '^disk1 .*LUN 9' "$work/out" && break
	sleep 0.1
done
for again in $(seq 30); do
	echo 'disk list' >&3
	sleep 1
	grep -q 'target 0, LUN 9; 8192 blocks' "$work/out" && break
done
echo poweroff >&3
exec 3>&-
status=0
wait $machine || status=$?
status_is 0
err_says "none' is not open, and in its sandbox the running monitor opens no file to write it: name it at the start, --disk FILE,spare"
err_says "none' is not open, and in its sandbox the running monitor opens no file: name it at the start, --cdrom"
out_says '^disk1: scsi0, target 0, LUN [0-9]'
out_says 'LUN 0; 65536 blocks of 512'
out_says 'target 0, LUN 9; 8192 blocks'
out_says "^cd0 .*$disc"
[ "$(stat -c %s "$image")" = 33554432 ] || wrong "the image should be 32 MiB"
finish
