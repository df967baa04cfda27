#!/bin/sh
# SPDX-License-Identifier: MIT
# A new user: cmake --install to a prefix, which is then moved; examples/minimal copied to an
# empty folder and built there by its Makefile, by CMake and by Meson; each run gets the answer.
set -eu
. tests/embedding/lib.inc
needs cmake make meson ninja pkg-config gcc
loud cmake --install "$HVKIT_BUILD" --prefix "$work/prefix"
mv "$work/prefix" "$work/moved"
PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name hvkit-host.pc)")
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion hvkit)" = "$(scripts/version)" ]
for file in bin/hvkit include/hvkit/port.h include/hvkit/wire/vmbus.h include/hvkit_host/host.h share/doc/hvkit/LICENSE; do
	[ -e "$work/moved/$file" ] || { echo "not installed: $file"; exit 1; }
done
[ "$("$work/moved/bin/hvkit" --version)" = "hvkit $(scripts/version)" ]

answered() { # PROGRAM
	loud "$1"
	grep -q '^arp .*10.7.0.1 is at 02:48:56:4b:00:01' "$work/log" || { cat "$work/log"; echo "$1: no answer"; exit 1; }
	if grep '^  host:' "$work/log"; then echo "$1: the host was offended"; exit 1; fi
}

mkdir "$work/empty"
cp examples/minimal/* "$work/empty/"
cd "$work/empty"
loud make
answered ./minimal
if ./minimal win95 2>"$work/log" || ! grep -q 'no such host' "$work/log"; then
	echo "a host that there is not:"
	cat "$work/log"
	exit 1
fi
loud make clean
loud cmake -S . -B by-cmake
loud cmake --build by-cmake
answered by-cmake/minimal
loud meson setup by-meson
loud meson compile -C by-meson
answered by-meson/minimal
mkdir "$work/minimal" "$work/channel_driver"
cp "$root"/examples/minimal/* "$work/minimal/"
cp "$root"/examples/channel_driver/* "$work/channel_driver/"
loud make -C "$work/channel_driver"
loud "$work/channel_driver/channel_driver"
lines=$(cat ./*.c ./*.h | grep -c '[^[:space:]]')
[ "$lines" -le 300 ] || { echo "the minimal port has grown to $lines lines, blank ones not counted"; exit 1; }
echo "did: 4 builds from a moved prefix, $lines lines"
