#!/bin/sh
# SPDX-License-Identifier: MIT
# guest/sources.txt is the one list: what CMake and Meson compile is what stands in it, no more
# and no less. And the version is the same by every door.
set -eu
. tests/embedding/lib.inc
needs cmake meson ninja pkg-config python3
LC_ALL=C sort guest/sources.txt | sed "s#^#$root/#" >"$work/wanted"

same() { # WHO FILE
	LC_ALL=C sort "$2" | diff "$work/wanted" - >"$work/difference" ||
		{ echo "$1 compiles something else than guest/sources.txt:"; cat "$work/difference"; exit 1; }
}

cat >"$work/list.cmake" <<END
include($root/guest/sources.cmake)
list(JOIN HVKIT_GUEST_SOURCES "\n" lines)
file(WRITE $work/cmake "\${lines}\n")
END
loud cmake -P "$work/list.cmake"
same "guest/sources.cmake" "$work/cmake"

loud cmake -S . -B "$work/build" -G Ninja -DHVKIT_GUEST_ONLY=ON -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
	-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu
sed -n 's/^ *"file": "\(.*\)",*$/\1/p' "$work/build/compile_commands.json" >"$work/target"
same "CMake's hvkit::guest" "$work/target"

loud meson setup "$work/meson" .
meson introspect --targets "$work/meson" | python3 -c '
import json, sys
for target in json.load(sys.stdin):
    for part in target["target_sources"]:
        print("\n".join(part["sources"]))' >"$work/targets"
same "meson.build" "$work/targets"

version=$(scripts/version)
echo "$version" | grep -q -x '[0-9]*[.][0-9]*[.][0-9]*' || { echo "scripts/version says '$version'"; exit 1; }
for said in "CMake $(sed -n 's/^CMAKE_PROJECT_VERSION:.*=//p' "$work/build/CMakeCache.txt")" \
	"Meson $(meson introspect --projectinfo "$work/meson" | sed 's/.*"version": "\([^"]*\)".*/\1/')" \
	"hvkit.pc $(sed -n 's/^Version: //p' "$work/build/hvkit.pc")"; do
	[ "${said#* }" = "$version" ] || { echo "$said, but include/hvkit/version.h says $version"; exit 1; }
done

# A library folder of two levels, as Debian has it: the prefix is found from there, too.
mkdir -p "$work/prefix/lib/x86_64-linux-gnu/pkgconfig"
cp "$work/build/hvkit.pc" "$work/prefix/lib/x86_64-linux-gnu/pkgconfig/"
flags=$(PKG_CONFIG_PATH=$work/prefix/lib/x86_64-linux-gnu/pkgconfig pkg-config --cflags hvkit | sed 's/^-I//; s/ *$//')
[ "$(realpath -m "$flags")" = "$work/prefix/include" ] || { echo "hvkit.pc leads to $flags"; exit 1; }
echo "did: $(wc -l <guest/sources.txt) sources, version $version, by three doors"
