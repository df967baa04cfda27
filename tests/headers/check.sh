#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh COMPILER (gcc or clang-14): each public header compiles by itself, as C11 and as
# C++17, with the warnings that our own code is built with.
set -eu
case $1 in
gcc) cxx=g++ ;;
clang-*) cxx=clang++${1#clang} ;;
*) echo "check.sh gcc|clang-14" >&2; exit 2 ;;
esac
for compiler in "$1" "$cxx"; do
	command -v "$compiler" >/dev/null || { echo "skipped: no $compiler (scripts/deps test)"; exit 77; }
done
failed=0
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for header in $(find include -name '*.h' | LC_ALL=C sort); do
	name=${header#include/}
	printf '#include "%s"\n#include "%s"\n' "$name" "$name" >"$work/alone.c"
	cp "$work/alone.c" "$work/alone.cc"
	"$1" -std=c11 -pedantic -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Werror -Iinclude \
		-fsyntax-only "$work/alone.c" || { echo "$name: not by itself as C11 with $1"; failed=1; }
	"$cxx" -std=c++17 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only "$work/alone.cc" ||
		{ echo "$name: not by itself as C++17 with $cxx"; failed=1; }
	count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no header found"; exit 1; }
echo "$count headers, C11 and C++17, $1"
exit $failed
