#!/bin/sh
# SPDX-License-Identifier: MIT
# Shrinking: a run in which one kind of fault strikes keeps that one and loses the others, comes
# out the same each time, and a seed that does not fail is not made to.
set -eu
seeds=$HVKIT_BUILD/tests/sim_seeds
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "$1"
	cat "$work/said"
	exit 1
}

# Without one fault the others strike elsewhere: a seed may need them all to have the wanted one.
shrinks_well() { # FAULT SEED
	"$seeds" --smallest $1 $2 >"$work/said" 2>/dev/null || return 1
	grep -q "^left: fault $1\$" "$work/said" || fail "$1 was taken away"
	[ "$(grep -c '^left: fault' "$work/said")" -le 3 ] && grep -q "^left: .* 1 frames" "$work/said"
}

for fault in slow-teardown delay-signal; do
	seed=1
	until shrinks_well $fault $seed; do
		seed=$((seed + 1))
		[ $seed -lt 100 ] || fail "no seed below 100 with the fault $fault becomes small"
	done
	"$seeds" --smallest $fault $seed >"$work/again" 2>/dev/null || true
	cmp -s "$work/said" "$work/again" || fail "$fault: another result the second time"
done
if "$seeds" --shrink 1 >"$work/said"; then fail "seed 1 does not fail, and was shrunk"; fi
grep -q 'does not fail' "$work/said" || fail "it does not say that the seed is good"
if "$HVKIT_BUILD/tests/sim_storage" --shrink 1 >"$work/said"; then fail "seed 1 of storage does not fail, and was shrunk"; fi
grep -q 'does not fail' "$work/said" || fail "it does not say that the seed of storage is good"
status=0
"$seeds" --smallest nonsense 1 >"$work/said" 2>&1 || status=$?
[ $status = 2 ] || fail "an unknown fault: status $status"
echo "did: two seeds shrunk"
