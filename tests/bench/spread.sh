#!/bin/sh
# SPDX-License-Identifier: MIT
# What is said of an aim, by how far the repetitions lie apart: scripts/bench-table on rows of our
# own, and that what is timed tells its spread.
set -eu
build=${HVKIT_BUILD:?}
work=$(mktemp -d "${TMPDIR:-/tmp}/hvkit-spread.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

printf '%s\t%s\tof bare\t%s\t0.8\taim%s\n' \
	counted 0.9 min '' quiet 0.9 min '	0.02' slow 0.7 min '	0.02' \
	busy 0.9 min '	0.3' busy_slow 0.7 min '	0.3' busy_max 0.9 max '	0.3' \
	edge 0.9 min '	0.15' once 0.9 min '	once' beside 0.9 ref '	0.3' >"$work/rows"
scripts/bench-table "$work/rows" "$work/json" 0.15 >"$work/table"

says() { # NAME SPREAD MET WHAT-THE-TABLE-ENDS-IN
	grep -q "\"name\": \"$1\", .*\"spread\": $2, \"met\": $3}" "$work/json" && grep -q "^$1 .* aim$4\$" "$work/table" || {
		echo "$1: not \"spread\": $2, \"met\": $3 and '$4', but"
		grep "\"$1\"" "$work/json"
		grep "^$1 " "$work/table"
		failed=1
	}
}
says counted null true ''
says quiet 0.02 true ''
says slow 0.02 false '   MISSED'
says busy 0.3 null '   noisy: the repetitions lie 30 % apart'
says busy_slow 0.3 null '   noisy: the repetitions lie 30 % apart'
says busy_max 0.3 null '   noisy: the repetitions lie 30 % apart'
says edge 0.15 true ''
says once null null '   not repeated'
says beside 0.3 null ''
grep -q '^9 figures; 3 of 8 limits and aims met$' "$work/table" || { tail -n 2 "$work/table"; failed=1; }
grep -q '^3 could not be judged' "$work/table" || { tail -n 2 "$work/table"; failed=1; }

if [ -x "$build/bench/ring" ]; then
	"$build/bench/ring" 20 >"$work/ring"
	awk -F '\t' '$8 !~ /^[0-9]+\.[0-9]+$/ { print "no spread: " $0; bad = 1 } END { exit bad || NR != 6 }' "$work/ring" || failed=1
fi
[ $failed = 0 ] && echo "did: 9 rows judged"
exit $failed
