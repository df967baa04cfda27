#!/bin/sh
# SPDX-License-Identifier: MIT
# A transfer-page range is exactly one RNDIS message; the length in the RNDIS header is read
# by nothing in guest/, for no message type. Asked of the compiler: in its syntax tree every
# use of rndis_header.length must be the left side of an assignment (structures that we send
# are filled in, or initialised).
set -eu
cd "${WALL_ROOT:-$(dirname "$0")/../..}"
command -v clang-14 >/dev/null || { echo "skipped: no clang-14 (scripts/deps test)"; exit 77; }
tree=$(mktemp)
trap 'rm -f "$tree"' EXIT
failed=0
count=0
for file in $(grep -l -r -E 'rndis' guest --include='*.c' | LC_ALL=C sort); do
	count=$((count + 1))
	clang-14 -std=c11 -ffreestanding -fsyntax-only -fno-color-diagnostics -Xclang -ast-dump \
		-Iinclude -I. "$file" >"$tree" 2>/dev/null || { echo "$file: does not compile"; failed=1; continue; }
	# The field has an address in the dump; each use of it is a MemberExpr that names the address. A
	# write is a MemberExpr that is the first child of an assignment, one level below it.
	awk -v file="$file" '
		function depth(line) { match(line, /[A-Za-z<]/); return RSTART }
		/RecordDecl .*struct rndis_header definition/ { inside = 1 }
		inside && /FieldDecl .* length / { match($0, /0x[0-9a-f]+/); field = substr($0, RSTART, RLENGTH); inside = 0 }
		field != "" && /MemberExpr/ && index($0, field) {
			if (!(previous ~ /BinaryOperator .*'"'='"'$/ && depth($0) == depth(previous) + 2)) {
				print file ": reads rndis_header.length; in the syntax tree: " $0
				bad = 1
			}
		}
		{ previous = $0 }
		END { exit bad }' "$tree" || failed=1
done
[ "$count" -gt 0 ] || { echo "no file in guest/ speaks RNDIS"; exit 1; }
[ $failed = 0 ] && echo "did: $count files"
exit $failed
