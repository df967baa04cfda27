#!/bin/sh
# SPDX-License-Identifier: MIT
# Every relative link of every page leads somewhere.
set -eu
cd "${WALL_ROOT:-$(dirname "$0")/../..}"
count=0
bad=0
for page in $(find . -name '*.md' ! -path './build/*' ! -path './out/*' | LC_ALL=C sort); do
	for link in $(grep -o ']([^)#[:space:]]*' "$page" | sed 's/^](//' | grep -v -E '^[a-z]+:' || true); do
		count=$((count + 1))
		if [ ! -e "$(dirname "$page")/$link" ]; then
			echo "$page: no $link"
			bad=1
		fi
	done
done
[ "$count" -gt 0 ] || { echo "no links found"; exit 1; }
[ $bad = 0 ] && echo "did: $count links"
exit $bad
