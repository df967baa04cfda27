#!/bin/sh
# SPDX-License-Identifier: MIT
# Disks and drives of the host's side: --disk and --cdrom, what is refused, what comes, goes and changes while
# the guest runs, trouble, and the power.
. tests/cli/lib.inc

image=$work/a.img
other=$work/b.img
disc=$work/one.iso
disc2=$work/two.iso
truncate -s 16M "$image"
truncate -s 4M "$other"
head -c 300000 /dev/urandom >"$disc"
truncate -s %2048 "$disc"
head -c 100000 /dev/urandom >"$disc2"
truncate -s %2048 "$disc2"

disks() { # OPTIONS... -- COMMANDS...
	hvkit run --quiet --nic none "$@"
}

# --- What is there, and in the files afterwards -------------------------------------------------

disks --disk "$image,serial=ABC" --cdrom "$disc" --disk "$other,4kn,ro,controller=2,target=1,lun=7" --disk "$work/a,,b,ide" -- true
status_is 2
err_is_one_line
err_says 'a,b: No such file'
: >"$work/a,b"
truncate -s 1M "$work/a,b"
disks --summary "$work/s.json" --disk "$image,serial=ABC" --cdrom "$disc" --disk "$other,4kn,ro,controller=2,target=1,lun=7" \
	--disk "$work/a,,b,ide" -- '!disk list' ';' '!devices' ';' '!inspect'
status_is 0
err_is_empty
out_says "^disk0    scsi0   target 0 LUN 0   disk  *16777216  $image\$"
out_says "^cd0      scsi0   target 0 LUN 1   cd-rom  *301056  $disc\$"
out_says "^disk1    scsi2   target 1 LUN 7   read-only  *4194304  $other\$"
out_says "^disk2    ide0    target 0 LUN 0   disk  *1048576  $work/a,b\$"
for device in scsi0 scsi1 scsi2 ide0; do
	out_says "^$device .*channel [1-9].* open"
done
out_says '^ *serial: ABC$'
out_says '^ *block-size: 4096$'
summary_is_json "$work/s.json"
summary_says "$work/s.json" '"name": "disk2"'
summary_says "$work/s.json" "\"file\": \"$other\""
summary_says "$work/s.json" '"cut": null'
disks --summary "$work/s.json" --disk "$image" -- 'disk write disk0 100 50 --seed 5'
status_is 0
summary_says "$work/s.json" '"write_bytes": 25600'
disks --disk "$image,ro" -- 'disk verify disk0 100 50 --seed 5'
status_is 0
disks --disk "$image,ro" -- 'disk write disk0 100 1'
status_is 1
disks --disk "$image,cache=none" --cdrom - -- '!disk list'
status_is 0
out_says '^cd0 .* no medium$'

# --- Refused, before anything is begun ------------------------------------------------------------

truncate -s 3000 "$work/odd"
: >"$work/empty"
refused() { # TEXT OPTIONS...
	text=$1
	shift
	disks "$@" -- true
	status_is 2
	err_is_one_line
	out_is_empty
	err_says "$text"
}
refused 'No such file' --disk "$work/none"
refused 'a whole number of 512-byte sectors' --disk "$work/odd"
refused 'no whole number of blocks of 4096; `truncate -s %4096' --disk "$disc2,4kn"
refused 'is empty; `truncate' --disk "$work/empty"
refused 'is in use by another program or disk' --disk "$image" --disk "$image"
refused 'is in use' --disk "$image,ro" --disk "$image"
refused 'is this a directory\|a directory\|Is a directory' --disk "$work"
refused "'rp' is not known; did you mean 'ro'? There are: ro, 4kn" --disk "$image,rp"
refused "'4kn' is not known; there are: serial=TEXT" --cdrom "$disc,4kn"
refused 'controller must be 0 to 7' --disk "$image,controller=8"
refused 'target must be 0 to 1' --disk "$image,target=2"
refused 'lun must be 0 to 63' --disk "$image,lun=64"
refused 'two are to be at controller 0, target 0, LUN 3' --disk "$image,lun=3" --disk "$other,lun=3"
refused 'ide is a controller of its own' --disk "$image,ide,lun=0"
refused '4kn and 512n' --disk "$image,4kn,512n"
refused 'cache must be volatile or none' --disk "$image,cache=on"
refused 'a serial number is' --disk "$image,serial="
refused 'needs the name of a file' --disk ",ro"
refused 'of a spare only the file is named' --disk "$image,spare,lun=1"
refused 'is to be a disk, and to be written' --disk "$image" --trace "$image"
refused 'is to be a disk, and to be written' --disk "$image" --summary "$image"
refused "did you mean 'delay'" --disk "$image" --disk-trouble busy=5%,dely=1ms
refused 'busy must be 5%, 1/20' --disk "$image" --disk-trouble busy=5
[ "$(stat -c %s "$image")" = 16777216 ] || wrong "the image should be untouched"
# By another program, which only reads: others may read, none may write.
"$HVKIT" run --quiet --nic none --disk "$image,ro" -- '!disk list' ';' '!wait 60000' >"$work/reader" 2>&1 &
reader=$!
for again in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	grep -q disk0 "$work/reader" && break
	sleep 0.2
done
disks --disk "$image" -- '!disk list'
status_is 2
err_says 'is in use by another program'
disks --disk "$image,ro" -- '!disk list'
status_is 0
kill "$reader"
wait "$reader" 2>/dev/null

# --- While the guest runs --------------------------------------------------------------------------

cat >"$work/script" <<-SCRIPT
	!disk add $other,4kn
	!disk list
	disk list
	disk write disk1 0 10 --seed 9
	!disk resize disk0 32M
	-!disk resize disk0 16M
	disk list
	!disk resize disk0 16M --shrink
	!disk eject cd0
	-!disk eject cd0
	-disk read cd0 0
	!disk insert cd0 $disc2
	-!disk insert cd0 $disc
	disk hash cd0
	!disk remove disk1
	-disk read disk1 0
	-!disk remove disk1
	-!disk eject disk0
	-!disk resize cd0 1M
	-!disk resize disk0 1000
	!disk add-cdrom -,controller=1
	!disk list
	!rescind scsi0
	!offer scsi0
	disk write disk0 0 10 --seed 3
	disk verify disk0 0 10 --seed 3
	!expect partition/violations/count 0
SCRIPT
disks --cpus 2 --disk "$image" --cdrom "$disc" --script "$work/script"
status_is 0
out_says '^disk1: scsi0, target 0, LUN 2$'
out_says "^disk1    scsi0   target 0 LUN 2   disk  *4194304  $other\$"
err_says 'disk0 has 33554432 bytes: what is beyond would be lost; --shrink'
err_says 'cd0 has no medium'
err_says "cd0 has a medium; 'disk eject cd0' takes it out"
err_says "disk 'disk1' is not known"
err_says "disk0 is a disk; 'disk remove disk0' takes it out"
err_says 'cd0 is read-only: it keeps its size'
err_says 'a whole number of blocks of 512 bytes'
out_says '^cd1 .*scsi1 .*no medium$'
out_says "$(sha256sum <"$disc2" | cut -d' ' -f1)"
[ "$(stat -c %s "$image")" = 16777216 ] || wrong "the image should be 16 MiB again"
# A disk that was removed is another's to use, with all that was written to it.
disks --disk "$other,4kn" -- 'disk verify disk0 0 10 --seed 9'
status_is 0

for wrong_one in 'disk lst' 'disk add' 'disk remove' 'disk remove disk7' 'disk resize disk0' 'disk resize disk0 1x' 'disk eject cd0 --now' \
	'disk trouble bsy 5%' 'disk trouble busy' 'disk trouble busy 5' 'disk trouble busy 5% scsi9' "disk add $other,rp" \
	"disk add $other,spare" 'cut --after' 'cut --after 0' 'cut now' 'disk list now'; do
	disks --disk "$image" --cdrom - -- "!$wrong_one"
	status_is 2
	err_is_one_line
done
for wrong_one in "disk add $work/none" "disk add $image" "disk add $work/odd" "disk add $other,lun=0" "disk insert cd0 $work/none"; do
	disks --disk "$image" --cdrom - -- "!$wrong_one"
	status_is 1
	err_is_one_line
done
# What was refused is not kept open.
disks --disk "$image" -- "-!disk add $other,lun=0" ';' "!disk add $other" ';' '!disk list'
out_says_not '^spare'

# --- Trouble ---------------------------------------------------------------------------------------

disks --summary "$work/t.json" --disk "$image" --disk-trouble busy=1/5,unit-attentions=1/10,delay=1ms -- \
	'disk write disk0 0 2000 --seed 2' ';' 'disk verify disk0 0 2000 --seed 2' ';' '!disk trouble'
status_is 0
out_says '^scsi0   medium-errors off, busy 20.0%, unit-attentions 10.0%, never off, delay 1000us$'
for counter in busy unit_attentions delayed; do
	grep -q "\"$counter\": [1-9]" "$work/t.json" || wrong "there should be trouble: $counter"
done
disks --disk "$image" -- '!disk trouble medium-errors 100% scsi0' ';' 'disk read disk0 0'
status_is 1
err_says 'medium'

# --- The power ----------------------------------------------------------------------------------------

# In virtual time the same seed brings the same cut.
for again in 1 2; do
	truncate -s 0 "$image" && truncate -s 16M "$image"
	hvkit run --seed 3 --nic none --disk "$image" --summary "$work/cut.json" -- '!cut --after 41' ';' \
		'disk write disk0 0 20000 --seed 1 --flush-every 500' ';' lsvmbus
	status_is 6
	err_says '^hvkit: the power was cut after [0-9]* requests of the disks; [0-9]* sectors* lost'
	out_says '^flushed [1-9]'
	out_says_not 'lsvmbus'
	summary_is_json "$work/cut.json"
	summary_says "$work/cut.json" '"exit_status": 6'
	grep -q '"sectors_lost": [1-9]' "$work/cut.json" || wrong "something should be lost"
	cp "$image" "$work/after-$again"
	cp "$work/out" "$work/out-$again"
done
cmp "$work/after-1" "$work/after-2" || wrong "the same seed should leave the same image"
cmp "$work/out-1" "$work/out-2" || wrong "the same seed should say the same"
# What was flushed is there, whatever else was lost; by threads.
for after in 7 30 51; do
	truncate -s 0 "$image" && truncate -s 16M "$image"
	disks --disk "$image,seed=$after" -- "!cut --after $after" ';' 'disk write disk0 0 20000 --seed 4 --flush-every 300'
	status_is 6
	flushed=$(sed -n 's/^flushed //p' "$work/out" | tail -n 1)
	[ -z "$flushed" ] || {
		disks --disk "$image" -- "disk verify disk0 0 $flushed --seed 4"
		status_is 0
	}
done
# Without a write cache nothing can be lost; with one, before a flush, it can.
disks --disk "$image,cache=none" -- 'disk write disk0 0 1000 --seed 8' ';' '!cut'
status_is 6
err_says ' 0 sectors lost something'
disks --disk "$image" -- 'disk verify disk0 0 1000 --seed 8'
status_is 0
disks --disk "$image,seed=1" -- '!cut --after 6' ';' 'disk write disk0 0 1000 --seed 6' ';' lsvmbus
status_is 6
err_says ' [1-9][0-9]* sectors* lost something'
out_says_not 'VMBus'
disks --disk "$image" -- 'disk verify disk0 0 1000 --seed 6'
status_is 1
# A cut that was asked for and did not come is said.
disks --disk "$image" -- '!cut --after 100000'
status_is 1
err_says 'the power was not cut'
finish
