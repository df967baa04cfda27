#!/bin/sh
# SPDX-License-Identifier: MIT
# Link-time optimisation over a kernel and hvkit together, gcc and clang: an ELF file that asks
# for nothing, and in which everything the kernel calls has survived.
set -eu
. tests/embedding/lib.inc
needs gcc clang-14 ld.lld-14
cp tests/embedding/kernel/*.c examples/bare/port.c "$work/"
builds=0

lto() { # NAME COMPILER FLAGS...
	name=$1
	shift
	mkdir "$work/$name"
	for source in $(cat guest/sources.txt) "$work/kernel.c" "$work/port.c"; do
		loud "$@" -flto -Iinclude -I. -c "$source" -o "$work/$name/$(echo "$source" | tr / _).o"
	done
	loud "$1" -O0 -fno-lto -ffreestanding -fno-builtin -mno-red-zone \
		-mcmodel=kernel -fno-pic -c "$work/mem.c" -o "$work/$name/mem.o"
	loud "$@" -flto -nostdlib -static -no-pie -Wl,--no-undefined -Wl,-e,_start \
		-Wl,-Ttext=0xffffffff80100000 -Wl,--build-id=none $lto_linker "$work/$name"/*.o -o "$work/$name.elf"
	nothing_undefined nm "$work/$name.elf"
	# The whole of it is there: the network driver's code too, not only an empty _start.
	size=$(size "$work/$name.elf" | awk 'END { print $1 }')
	[ "$size" -gt 20000 ] || { echo "$name: only $size bytes are left"; exit 1; }
	builds=$((builds + 1)) sizes="${sizes:-} $name $size"
}

lto_linker=
lto gcc gcc $kernel_x86
lto_linker=-fuse-ld=/usr/bin/ld.lld-14
lto clang clang-14 $kernel_x86
echo "did: $builds LTO builds, bytes of text:$sizes"
