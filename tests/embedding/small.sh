#!/bin/sh
# SPDX-License-Identifier: MIT
# HVK_CONFIG_SMALL runs: examples/minimal on drivers compiled so, at -Os, as a boot loader does. It
# says no text of hvkit's: an ARP answer through a card, and an orderly end. What is left out of it is
# refused with a status that says so (small/card.c).
set -eu
. tests/embedding/lib.inc
needs gcc
host=${HVKIT_BUILD:?}/libhvkit_host.a
[ -f "$host" ] || { echo "skipped: no host model in $HVKIT_BUILD"; exit 77; }
mkdir "$work/guest"
while read -r source; do
	loud gcc -std=c11 -Os -ffreestanding -DHVK_CONFIG_SMALL -Iinclude -I. -c "$source" \
		-o "$work/guest/$(echo "$source" | tr / _).o"
done <<EOF_SOURCES
$(grep '\.c$' guest/sources.txt)
EOF_SOURCES
loud gcc -std=c11 -O1 -D_POSIX_C_SOURCE=200809L -Iinclude examples/minimal/*.c "$work"/guest/*.o "$host" -lpthread \
	-o "$work/minimal"

runs=0
for profile in ws2008r2 ws2012r2 ws2016 ws2022 azure; do
	loud timeout 30 "$work/minimal" "$profile"
	if grep -q 'hvkit: \|host: ' "$work/log" || ! grep -q '^arp  *10\.7\.0\.1 is at ' "$work/log" ||
		! grep -q '^disconnect ' "$work/log"; then
		cat "$work/log"
		echo "minimal $profile: no answer, a violation, or text in spite of HVK_CONFIG_SMALL"
		exit 1
	fi
	runs=$((runs + 1))
done
loud gcc -std=c11 -O1 -D_GNU_SOURCE -Iinclude -I. tests/embedding/small/card.c bench/machine.c bench/far.c "$work"/guest/*.o "$host" \
	-lpthread -o "$work/card"
loud "$work/card"
echo "did: $runs lives with HVK_CONFIG_SMALL, and what it leaves out refused"
