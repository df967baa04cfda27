#!/bin/sh
# SPDX-License-Identifier: MIT
# What every file must be: tagged with the licence, not too long, within the columns, and
# naming no host to download from. And about the drivers: only one header dereferences memory
# that the host can write, and there are no globals.
set -eu
cd "${WALL_ROOT:-$(dirname "$0")/../..}"
lines_max=1000    # of a file
function_max=80   # lines, from brace to brace
columns_max=110
failed=0
complain() { # reads lines; any line is a failure
	while read -r line; do
		echo "$line"
		echo x >>"$marks"
	done
}
marks=$(mktemp)
trap 'rm -f "$marks"' EXIT

if [ -e .git ]; then
	all=$(git ls-files -co --exclude-standard | while read -r file; do [ ! -f "$file" ] || echo "$file"; done)
else
	all=$(find . -type f ! -path './build/*' ! -path './out/*' | sed 's#^\./##')
fi
code=$(echo "$all" | grep -E '\.[ch]$' || true)
[ -n "$code" ] || { echo "no code found"; exit 1; }

# --- Licence tag in the first three lines of whatever can hold a comment ---------------
echo "$all" | grep -v -E '(\.md|\.json|\.txt|\.mutant|\.patch|^LICENSE|\.gitignore|\.png|/corpus/.*|/golden/.*\.bin)$' |
	while read -r file; do
		case $file in */corpus/*) continue ;; esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ' || echo "$file: no SPDX-License-Identifier"
	done | complain

# --- Sizes ----------------------------------------------------------------------------------
wc -l $code | awk -v max=$lines_max '$2 != "total" && $1 > max { print $2 ": " $1 " lines, more than " max }' | complain
# A function body is what stands between a brace in column 1 and the next one.
awk -v max=$function_max '
	FNR == 1 { start = 0 }
	/^\{/ { start = FNR; name = before }
	/^\}/ && start { if (FNR - start - 1 > max) print FILENAME ":" start ": " FNR - start - 1 " lines in one function, more than " max; start = 0 }
	{ before = $0 }' $code | complain
for file in $code; do
	expand -t 8 "$file" | awk -v max=$columns_max -v file="$file" \
		'length($0) > max { print file ":" NR ": " length($0) " columns, more than " max }'
done | complain

# --- No download host -----------------------------------------------------------------------
# An address in a URL may be a number, a variable, a name that cannot exist, or a namespace of XML.
grep -n -I -o -E '(https?|ftp|git)://[^ "'"'"'<>)`;]*' $(echo "$all" | grep -v '^tests/walls/text.sh$') /dev/null |
	grep -v -E '://(\$|[0-9%<*{]|\[|localhost|HOST|example|[a-z.]*\.(test|invalid|example)|server|[^./]*$)' |
	grep -v -E '://[^/.]*(/|$|:)' | grep -v -E 'http://www\.w3\.org/2000/svg\\?$' |
	sed 's/$/: names a host to download from/' | complain

# --- Shared memory has one door --------------------------------------------------------------------
grep -n -E 'shared[a-z_]*(\.|->)base\b|_shared\([^)]*\)(\.|->)base\b' \
	$(echo "$code" | grep '^guest/' | grep -v '^guest/core/host_memory.h$' || echo /dev/null) /dev/null |
	sed 's/$/   <- only guest\/core\/host_memory.h touches memory that the host can write/' | complain
grep -n -E '\bvolatile\b' $(echo "$code" | grep '^guest/' || echo /dev/null) /dev/null |
	sed 's/$/   <- use guest\/core\/host_memory.h/' | complain

# --- Globals ------------------------------------------------------------------------------------------
# In guest/ and host/ a definition in column 1 that ends in ; or = { and is not const.
awk 'FNR == 1 { depth = 0 }
	/^static [^(]*(;|= ?\{?|=.*;)[[:space:]]*$/ && !/(^| )const / && !/^static inline/ { print FILENAME ":" FNR ": a global that is not const: " $0 }' \
	$(echo "$code" | grep -E '^(guest|host)/') | complain

[ ! -s "$marks" ] || failed=1
[ $failed = 0 ] && echo "did: $(echo "$all" | wc -l) files, $(cat $code | wc -l) lines of C"
exit $failed
