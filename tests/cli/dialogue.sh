#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/vm/dialogue, with which iPXE's trace is compared: alike where only time and chance differ,
# and it fails on each kind of difference that has no reason, or a reason that is none.
. tests/cli/lib.inc
export HVKIT

# dialogue OURS THEIRS REASONS: the last a text
dialogue() {
	ran="tests/vm/dialogue $1 $2, with '$3'"
	printf '%s\n' "$3" >"$work/reasons"
	status=0
	sh tests/vm/dialogue "$work/$1" "$work/$2" "$work/reasons" >"$work/out" 2>"$work/err" || status=$?
}
recorded() { # NAME OPTIONS...
	file=$work/$1
	shift
	hvkit run --nic sim --quiet --trace "$file" "$@" -- 'ping 10.7.0.1 1'
}

recorded boot --seed 1 --boot-mode
recorded other --seed 2 --boot-mode
recorded threads --boot-mode
dialogue boot other ''
status_is 0
out_says '^--> initiate-contact version=0.13 .*  =  --> initiate-contact version=0.13 '
out_says '^[0-9][0-9] lines alike, 0 differ, 0 not as explained$'
dialogue boot threads ''
status_is 0

# A message more, on the right side, as often as said, with its number.
recorded system --seed 1 --vmbus-max 3.0
dialogue boot system ''
status_is 1
out_says '^unexplained: < 1 --> unload$'
out_says '^unexplained: < 1 --> initiate-contact version=0.13 '
enough=$(sed -n 's/^unexplained: /1 /p' "$work/out")
dialogue boot system "# all of them
$enough"
status_is 0
out_says ' 1< $'
dialogue boot system "$(echo "$enough" | grep -v '> unload$')"
status_is 1
out_says '^unexplained: < 1 --> unload$'
dialogue boot system "$(echo "$enough" | sed 's/< 1 --> unload$/< 2 --> unload/')"
status_is 1
out_says '^explained 2 times, there 1 times: 1 < --> unload$'
dialogue boot system "$(echo "$enough" | sed 's/< 1 --> unload$/> 1 --> unload/')"
status_is 1
dialogue boot system "$enough
2 > 1 --> never-said"
status_is 1
out_says '^explained 1 times, there 0 times: 2 > --> never-said$'

# Nothing to compare is no likeness.
dialogue boot none ''
[ "$status" != 0 ] || wrong "a trace that is missing should not pass"
recorded empty --host ws2012 --boot-mode
: >"$work/empty"
dialogue boot empty ''
[ "$status" != 0 ] || wrong "a trace that is empty should not pass"
finish
