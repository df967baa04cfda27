#!/bin/sh
# SPDX-License-Identifier: MIT
# The plain folder: include/hvkit and guest/ copied into a foreign tree, every file of
# sources.txt compiled with two -I and the flags of somebody else's kernel.
set -eu
. tests/embedding/lib.inc
needs gcc clang-14 aarch64-linux-gnu-ld
mkdir -p "$work/kernel/hvkit/include"
cp -r include/hvkit "$work/kernel/hvkit/include/"
cp -r guest "$work/kernel/hvkit/"
cp tests/embedding/kernel/*.c examples/bare/port.c "$work/kernel/"
cd "$work/kernel"
sources=$(sed 's#^#hvkit/#' hvkit/guest/sources.txt)
builds=0

# door NAME NM COMPILER FLAGS...: all objects, asking for the four memory functions at most.
door() {
	name=$1 nm=$2
	shift 2
	mkdir "$name"
	for source in $sources kernel.c $([ "${name#x86}" = "$name" ] || echo port.c); do
		loud "$@" -Ihvkit/include -Ihvkit -c "$source" -o "$name/$(echo "$source" | tr / _).o"
	done
	loud "${linker:-ld}" -r "$name"/*.o -o "$name.o"
	nothing_undefined "$nm" "$name.o" yes
	builds=$((builds + 1))
}

# Each compiler, each machine, each way to optimise once; all pairs of compiler and machine are the
# suite freestanding's.
door x86-gcc-small nm gcc $kernel_x86 -Os -fno-strict-aliasing -fshort-enums $strict
door x86-clang-small nm clang-14 $kernel_x86 -Oz -fno-strict-aliasing $strict
linker=aarch64-linux-gnu-ld
door aarch64-clang aarch64-linux-gnu-nm clang-14 --target=aarch64-none-elf $kernel_aarch64 $strict
echo "did: $builds foreign builds of the plain folder"
