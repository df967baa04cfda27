#!/bin/sh
# SPDX-License-Identifier: MIT
# What the image is: one ELF64 with a PVH note, no segment both written and executed, from 1 MiB
# on; and what is not in it: the host model, what only tests want, SSE.
. tests/image/lib.inc
ran=contents status=- runs=1
: >"$work/err"

readelf -lW "$image" >"$work/out"
says 'EXEC (Executable file)'
says '^  LOAD .* R E '
says '^  LOAD .* RW '
says '^  NOTE '
says_not 'RWE'
first=$(awk '$1 == "LOAD" { print $4; exit }' "$work/out")
[ "$((first))" -ge 1048576 ] || wrong "begins at $first, below 1 MiB"
readelf -nW "$image" >"$work/out" 2>/dev/null
says 'Xen .*0x00000004'
nm "$image" >"$work/out"
says ' bare_main$'
says ' hvk_vmbus_connect$'
says_not ' hvh_'
says_not ' hvk_switch_point'
says_not ' [Uu] '
objdump -d --no-show-raw-insn "$image" >"$work/disassembly"
grep -m 3 '%[xy]mm' "$work/disassembly" >"$work/out" && wrong 'uses SSE'
: >"$work/out"
[ "$(wc -l <"$work/disassembly")" -gt 10000 ] || wrong 'hardly any code'
finish
