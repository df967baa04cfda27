#!/bin/sh
# SPDX-License-Identifier: MIT
# Every relative link of every page leads somewhere, and its #anchor to a heading there (as
# GitHub and GitLab name them) or to an <a id="">.
set -eu
cd "${WALL_ROOT:-$(dirname "$0")/../..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find . -name '*.md' ! -path './build/*' ! -path './out/*' | LC_ALL=C sort >"$work/pages"
[ -s "$work/pages" ] || { echo "no pages found"; exit 1; }

# "link PAGE TARGET" and "anchor PAGE NAME"; blocks of code have neither. A heading's name: lower
# case, letters, digits, - and _, blanks as -; the second of a name ends in -1.
xargs awk '
	FNR == 1 { fenced = 0 }
	/^[ \t]*```/ { fenced = !fenced; next }
	fenced { next }
	/^#+ / {
		name = tolower($0)
		sub(/^#+ +/, "", name)
		sub(/[ #]+$/, "", name)
		while (match(name, /\]\([^)]*\)/))
			name = substr(name, 1, RSTART - 1) substr(name, RSTART + RLENGTH)
		gsub(/[!-,.\/:-@[-^`{-~]/, "", name)
		gsub(/ /, "-", name)
		again = seen[FILENAME, name]++
		print "anchor", FILENAME, name (again ? "-" again : "")
	}
	{
		for (rest = $0; match(rest, /<a (id|name)="[^"]*"/); rest = substr(rest, RSTART + RLENGTH)) {
			name = substr(rest, RSTART, RLENGTH - 1)
			sub(/.*"/, "", name)
			print "anchor", FILENAME, name
		}
		for (rest = $0; match(rest, /\]\([^) \t]+/); rest = substr(rest, RSTART + RLENGTH)) {
			where = substr(rest, RSTART + 2, RLENGTH - 2)
			if (where !~ /^[a-z]+:/) print "link", FILENAME, where
			match(rest, /\]\([^) \t]+/)
		}
	}' <"$work/pages" >"$work/found"
grep '^anchor ' "$work/found" >"$work/anchors" || true
grep '^link ' "$work/found" >"$work/links" || true
[ -s "$work/links" ] || { echo "no links found"; exit 1; }

while read -r _ page target; do
	path=${target%%#*}
	where=$page
	if [ -n "$path" ]; then
		where=$(dirname "$page")/$path
		[ -e "$where" ] || { echo "$page: no $target"; continue; }
	fi
	case $target in
	*.md#* | '#'*) ;;
	*) continue ;;
	esac
	where=./$(realpath --relative-to=. "$where")
	grep -q -x -F "anchor $where ${target#*#}" "$work/anchors" || echo "$page: no heading for $target"
done <"$work/links" >"$work/bad"
cat "$work/bad"
[ ! -s "$work/bad" ] || exit 1
echo "did: $(wc -l <"$work/links") links, $(grep -c '#' "$work/links" || true) to a heading"
