#!/bin/sh
# SPDX-License-Identifier: MIT
# The same seed is the same run, to the byte; another seed is another run.
. tests/cli/lib.inc

run() { # SEED NAME
	hvkit run --seed "$1" --nic sim --cpus 2 --trace "$work/$2.pcapng" --summary "$work/$2.json" -- 'ip; ping 10.7.0.1 3; stats'
	status_is 0
	cp "$work/out" "$work/$2.out"
	grep -v '"trace"' "$work/$2.json" >"$work/$2.same"
}

for seed in 1 2 77; do
	run $seed a
	run $seed b
	cmp "$work/a.out" "$work/b.out" || wrong "output differs for seed $seed"
	cmp "$work/a.same" "$work/b.same" || wrong "summary differs for seed $seed"
	cmp "$work/a.pcapng" "$work/b.pcapng" || wrong "trace differs for seed $seed"
	[ "$(wc -c <"$work/a.pcapng")" -gt 2000 ] || wrong "the trace is all but empty"
	mv "$work/a.pcapng" "$work/$seed.pcapng"
done
! cmp -s "$work/1.pcapng" "$work/2.pcapng" || wrong "seeds 1 and 2 are the same run"
finish
