#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C file is as clang-format writes it (make format does so).
set -eu
cd "${WALL_ROOT:-$(dirname "$0")/../..}"
format=${FORMAT:-clang-format-14}
command -v "$format" >/dev/null || { echo "skipped: no $format (scripts/deps test)"; exit 77; }
[ -f .clang-format ] || { echo "no .clang-format"; exit 1; }
output=$(mktemp)
trap 'rm -f "$output"' EXIT

if [ -e .git ]; then
	files=$(git ls-files '*.c' '*.h' | while read -r file; do [ ! -f "$file" ] || echo "$file"; done)
else
	files=$(find . -name '*.[ch]' ! -path './build/*' ! -path './out/*' | sed 's#^\./##')
fi
[ -n "$files" ] || { echo "no code found"; exit 1; }
if ! echo "$files" | xargs -n 40 -P 2 "$format" --dry-run --Werror 2>"$output"; then
	grep ': error: ' "$output" | sed 's/: error: .*/: not as clang-format writes it; make format/' | sort -u -t : -k 1,1
	grep -q ': error: ' "$output" || cat "$output"
	exit 1
fi
echo "did: $(echo "$files" | wc -l) files"
