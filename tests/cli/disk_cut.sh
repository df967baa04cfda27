#!/bin/sh
# SPDX-License-Identifier: MIT
# The power goes while a guest writes, in the process and, where there is a KVM, on the image: of what it was
# told is flushed nothing is missing afterwards, seed by seed; and without the flushes something is.
. tests/cli/lib.inc

image=$work/cut.img
seeds=${CUT_SEEDS:-5}
image_seeds=${CUT_SEEDS:-2} # a machine each
blocks=16384 # 8 MiB

# cut_run SEED AFTER OPTION...: writes until the power goes; $flushed is the block up to which all is safe.
cut_run() {
	seed=$1 after=$2
	shift 2
	rm -f "$image"
	truncate -s 9M "$image"
	hvkit run --quiet --nic none "$@" --disk "$image,seed=$seed" -- "!cut --after $after" ';' \
		disk write disk0 0 $blocks --seed "$seed" --flush-every "$((200 + seed * 137))"
	status_is 6
	flushed=$(sed -n 's/^flushed \([0-9]*\)\r*$/\1/p' "$work/out" | tail -n 1)
	flushed=${flushed:-0}
}

holds() { # SEED COUNT
	hvkit run --quiet --nic none --disk "$image,ro" -- disk verify disk0 0 "$2" --seed "$1"
}

safe=0 lost=0
try_seeds() { # KIND OPTION...
	kind=$1
	shift
	seed=1
	while [ $seed -le "$seeds" ]; do
		# Requests of 128 KiB, and a flush now and then: 8 MiB are some 100.
		cut_run $seed $((20 + seed * 13)) "$@"
		if [ "$flushed" -gt 0 ]; then
			holds $seed "$flushed"
			status_is 0
			safe=$((safe + flushed))
		fi
		holds $seed $blocks
		[ "$status" = 0 ] || lost=$((lost + 1))
		seed=$((seed + 1))
	done
	[ $safe -gt 0 ] || wrong "$kind: no block was ever safe"
	[ $lost -gt 0 ] || wrong "$kind: no cut took anything"
	echo "did: $kind: $seeds cuts, $safe blocks were flushed and are there, $lost times others are not"
}

try_seeds "in the process"
if [ -r /dev/kvm ] && [ -w /dev/kvm ] && [ -e "$HVKIT_BUILD/hvkit-shell.elf" ]; then
	safe=0 lost=0 seeds=$image_seeds
	try_seeds "the image on KVM" --accel kvm
else
	echo "the image: no KVM here, or no image"
fi
finish
