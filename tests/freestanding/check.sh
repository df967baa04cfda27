#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh PRESET: builds the drivers as that freestanding preset says, and looks at what
# the objects ask of the outside: memcpy, memmove, memset, memcmp and nothing else.
# i386 is a compile check: its 64-bit divisions call the compiler's own library.
set -eu
preset=$1
build=${HVKIT_BUILD:-build}/freestanding/$preset
case $preset in
*aarch64*) nm=aarch64-linux-gnu-nm ;;
*) nm=nm ;;
esac
case $preset in
*clang*) compiler=clang-14 ;;
*aarch64*) compiler=aarch64-linux-gnu-gcc ;;
*) compiler=gcc ;;
esac
if ! command -v $compiler >/dev/null || ! command -v $nm >/dev/null; then
	echo "skipped: $compiler or $nm is not installed (scripts/deps test)"
	exit 77
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --fresh --preset "$preset" -B "$build" && cmake --build "$build"; } >"$log" 2>&1; then
	cat "$log"
	exit 1
fi
if [ "$preset" = i386 ]; then
	echo "i386: compiled"
	exit 0
fi
$nm --undefined-only --format=posix "$build/libhvkit_guest.a" | awk '$2 == "U" { print $1 }' | sort -u >"$log"
$nm --defined-only --extern-only --format=posix "$build/libhvkit_guest.a" | awk 'NF >= 3 { print $1 }' | sort -u |
	comm -23 "$log" - >"$log.rest"
foreign=$(grep -v -x -e memcpy -e memmove -e memset -e memcmp "$log.rest" || true)
wanted=$(tr '\n' ' ' <"$log.rest")
rm -f "$log.rest"
if [ -n "$foreign" ]; then
	echo "the drivers ask for more than the four mem functions:"
	echo "$foreign"
	exit 1
fi
echo "$preset: undefined: ${wanted:-nothing}"
