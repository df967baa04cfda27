#!/bin/sh
# SPDX-License-Identifier: MIT
# The shell's disks with media that other people's tools made: partition tables by sfdisk, an ISO
# 9660 by xorriso, a file system by mkfs; the same bytes come out as went in.
. tests/cli/lib.inc

PATH=$PATH:/sbin:/usr/sbin
export LC_ALL=C.UTF-8
for tool in xorriso sfdisk mkfs.ext4 mkfs.vfat; do
	command -v $tool >/dev/null || { echo "no $tool: scripts/deps test"; exit 77; }
done

digest() { # FILE [FIRST COUNT]: of all, or of blocks of 512 bytes
	if [ $# = 1 ]; then sha256sum <"$1"; else dd if="$1" bs=512 skip="$2" count="$3" status=none | sha256sum; fi | cut -d' ' -f1
}
on_disks() { # OPTIONS... -- COMMANDS...
	hvkit run --quiet --seed 5 --nic none "$@"
}

# --- Media ---------------------------------------------------------------------------------------

tree=$work/tree
long='A name with spaces, and longer than the plain standard has them'
mkdir -p "$tree/docs" "$tree/$long" "$tree/d1/d2/d3/d4/d5/d6/d7/d8/d9/d10"
head -c 3333333 /dev/urandom >"$tree/docs/big.bin"
echo 'first line' >"$tree/readme.txt"
echo 'inside' >"$tree/$long/file.with.dots.txt"
echo 'grün' >"$tree/docs/Übergrößenträger – 大.txt"
echo 'deep' >"$tree/d1/d2/d3/d4/d5/d6/d7/d8/d9/d10/deepest"
: >"$tree/empty"
ln -s readme.txt "$tree/link"
n=0
while [ $n -lt 400 ]; do # a directory of several sectors
	n=$((n + 1))
	echo $n >"$tree/docs/one-of-many-files-with-a-longer-name-$n"
done
iso=$work/cd.iso
xorriso -as mkisofs -quiet -V 'Test volume' -R -J -joliet-long -o "$iso" "$tree" 2>/dev/null || { echo "xorriso fails"; exit 1; }

mbr=$work/mbr.img
truncate -s 64M "$mbr"
sfdisk -q "$mbr" <<-END || exit 1
	label: dos
	label-id: 0xcafe1234
	start=2048,size=20480,type=c,bootable
	size=80000,type=5
	start=104448,size=20000,type=83
	start=24576,size=8000,type=83
	start=34816,size=9000,type=82
END
mkfs.vfat -F 16 -C "$work/fat.img" 10240 >/dev/null || exit 1
dd if="$work/fat.img" of="$mbr" bs=512 seek=2048 conv=notrunc status=none
mkfs.ext4 -q -d "$tree" "$work/ext4.img" 9M >"$work/mkfs" 2>&1 || { cat "$work/mkfs"; exit 1; }
dd if="$work/ext4.img" of="$mbr" bs=512 seek=104448 conv=notrunc status=none

gpt=$work/gpt.img
truncate -s 64M "$gpt"
sfdisk -q "$gpt" <<-END || exit 1
	label: gpt
	label-id: 11111111-2222-3333-4444-555555555555
	start=2048,size=16384,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B,name="EFI system"
	start=20480,size=40960,type=0FC63DAF-8483-4772-8E79-3D69D8477DE4,name="Daten – Größe"
	start=63488,size=4096,type=12345678-1234-1234-1234-123456789abc
END
dd if="$iso" of="$gpt" bs=512 seek=20480 conv=notrunc status=none

# --- Partition tables ------------------------------------------------------------------------------

on_disks --disk "$mbr" --disk "$gpt" --disk "$work/fat.img" --cdrom "$iso" -- 'disk partitions disk0' ';' \
	'disk partitions disk1' ';' 'disk partitions disk2' ';' 'disk partitions cd0' ';' 'disk hash disk0p1' ';' \
	'disk hash disk0p3' ';' 'disk hash disk0p5 100 200' ';' 'disk hash disk1'
status_is 0
err_is_empty
out_says '^disk0: MBR, disk cafe1234, '
out_says '^disk0p1  *block 2048  *20480 blocks .* FAT32, active$'
out_says '^disk0p2  *block 22528  *80000 blocks .* extended$'
out_says '^disk0p3  *block 104448  *20000 blocks .* Linux$'
out_says '^disk0p5  *block 24576  *8000 blocks .* Linux$'
out_says '^disk0p6  *block 34816  *9000 blocks .* Linux swap$'
out_says '^disk1: GPT, disk 11111111-2222-3333-4444-555555555555, '
out_says '^disk1p1  *block 2048  *16384 blocks .* EFI system, "EFI system"$'
out_says '^disk1p2  *block 20480  *40960 blocks .* Linux, "Daten – Größe"$'
out_says '^disk1p3  *block 63488  *4096 blocks .* 12345678-1234-1234-1234-123456789abc$'
out_says '^disk2: no partition table$'
out_says '^cd0: no partition table$'
out_says "sha256 $(digest "$mbr" 2048 20480)\$"
out_says "sha256 $(digest "$mbr" 104448 20000)\$"
out_says "sha256 $(digest "$mbr" 24676 200)\$"
out_says "sha256 $(digest "$gpt")\$"

# The first copy gone: the backup is used, and said to be. Both gone: said, too.
dd if=/dev/zero of="$gpt" bs=512 seek=1 count=1 conv=notrunc status=none
on_disks --disk "$gpt" -- 'disk partitions disk0' ';' 'disk hash disk0p1'
status_is 1
err_says 'the first copy of the table is not valid: the backup is used'
out_says '^disk0p2  *block 20480 '
out_says "sha256 $(digest "$gpt" 2048 16384)\$"
dd if=/dev/zero of="$gpt" bs=512 seek=131071 count=1 conv=notrunc status=none
on_disks --disk "$gpt" -- 'disk partitions disk0' ';' 'disk hash disk0p1'
status_is 1
err_says 'neither copy of it is valid'
err_says 'disk0 has no partition 1'

# --- Files -------------------------------------------------------------------------------------------

big=$(digest "$tree/docs/big.bin")
on_disks --cdrom "$iso" -- 'disk ls cd0' ';' 'disk ls cd0:/docs' ';' 'disk hash cd0:/docs/big.bin' ';' \
	"disk ls cd0 /$long" ';' 'disk ls cd0:d1/d2/d3/d4/d5/d6/d7/d8/d9/d10'
status_is 0
err_is_empty
out_says '^cd0: "Test volume", ISO 9660 with Rock Ridge names$'
out_says ' readme.txt$'
out_says ' link@$'
out_says ' docs/$'
out_says "  $long/\$"
out_says ' 3333333  .* big.bin$'
out_says ' Übergrößenträger – 大.txt$'
out_says ' file.with.dots.txt$'
out_says ' deepest$'
[ "$(grep -c ' one-of-many-files-with-a-longer-name-[0-9]*$' "$work/out")" = 400 ] || wrong "there should be 400 files"
out_says "sha256 $big\$"

on_disks --cdrom "$iso" -- 'disk ls --names joliet cd0' ';' 'disk cat --names joliet cd0:/docs/Übergrößenträger – 大.txt' ';' \
	'disk ls --names plain cd0' ';' 'disk cat --names plain cd0:/Readme.txt'
status_is 0
out_says 'ISO 9660 with Joliet names$'
out_says "  $long/\$"
out_says '^grün$'
out_says 'ISO 9660 with plain names$'
out_says ' README.TXT$'
out_says '^first line$'

# Whole files as they are, and from a partition of a disk with blocks of 4096 bytes.
on_disks --cdrom "$iso" -- 'disk cat cd0:/docs/big.bin'
status_is 0
cmp -s "$work/out" "$tree/docs/big.bin" || wrong "the file should come out as it is"
cp "$iso" "$work/iso.img"
truncate -s 8M "$work/iso.img"
on_disks --disk "$work/iso.img,ro,4kn" -- 'disk hash disk0:/docs/big.bin' ';' 'disk ls disk0:/empty' ';' 'disk hash disk0:/empty'
status_is 0
out_says "sha256 $big\$"
out_says "sha256 $(digest /dev/null)\$"

on_disks --cdrom "$iso" --disk "$mbr" -- 'disk ls cd0:/none' ';' 'disk cat cd0:/docs' ';' 'disk ls cd0:/readme.txt/x' ';' \
	'disk ls disk0' ';' 'disk ls cd1' ';' 'disk ls --names long cd0' ';' 'disk ls disk0p9'
status_is 1
err_says 'cd0:/none: there is no such file or directory'
err_says 'cd0:/docs: that is no file'
err_says 'cd0:/readme.txt/x: that is no directory'
err_says 'disk0: there is no ISO 9660 file system'
err_says "there is no disk 'cd1'; there are: cd0, disk0"
err_says "rock-ridge, joliet or plain, not 'long'"
err_says 'disk0 has no partition 9'

# --- Writing -----------------------------------------------------------------------------------------

scratch=$work/scratch.img
truncate -s 32M "$scratch"
on_disks --cpus 2 --disk "$scratch" -- 'disk write disk0 1000 20000 --seed 9 --flush-every 7000' ';' \
	'disk verify disk0 1000 20000 --seed 9' ';' 'disk hash disk0' ';' 'disk zero disk0 2000 10' ';' 'disk verify disk0 1000 20000 --seed 9'
status_is 1
for flushed in 8000 15000 21000; do
	out_says "^flushed $flushed\$"
done
out_says '^verified 10240000 bytes '
err_says '10 of 20000 blocks are not what was written, from block 2000 to 2009$'
after=$(digest "$scratch" 1000 1000)
on_disks --disk "$scratch" -- 'disk verify disk0 1000 1000 --seed 9' ';' 'disk hash disk0 1000 1000' ';' 'disk discard disk0 1000 1000' ';' \
	'disk flush disk0' ';' 'disk write disk0 65535 2'
status_is 2
out_says '^verified 512000 bytes '
out_says "sha256 $after\$"
err_says 'disk0 has 65536 blocks, from 0 on: not 2 from block 65535 on'
[ "$(digest "$scratch" 1008 984)" = "$(head -c 503808 /dev/zero | sha256sum | cut -d' ' -f1)" ] || wrong "discarded blocks should be zeros"
on_disks --disk "$scratch,ro" -- 'disk write disk0 0 1'
status_is 1
err_says 'ereadonly'

# --- Media that go and come -----------------------------------------------------------------------------

on_disks --cdrom "$iso" --disk "$scratch" -- 'disk eject cd0' ';' 'disk list' ';' 'disk load cd0' ';' 'disk hash cd0' ';' 'disk eject disk0' ';' 'disk rescan'
status_is 1
out_says '^cd0     no medium '
out_says "sha256 $(digest "$iso")\$"
err_says 'the medium of disk0 cannot be removed'

# --- What it costs ---------------------------------------------------------------------------------------

for with in '' --random '--write --size 64k --depth 4' '--queues 2 --depth 64'; do
	hvkit run --quiet --cpus 2 --nic none --disk "$scratch" -- "disk bench disk0 --count 2000 $with"
	status_is 0
	out_says ' at once: 2000 in '
	out_says '^  [1-9][0-9]* requests/s, '
	out_says '^  per 1,000 requests: 1000 commands, '
done
for with in '--size 100' '--size 1M' '--depth 65' '--depth 0' '--fast' '--count'; do
	hvkit run --quiet --nic none --disk "$scratch" -- "disk bench disk0 $with"
	status_is 2
	err_is_one_line
done
finish
