#!/bin/sh
# SPDX-License-Identifier: MIT
# The door of Meson: a kernel with subprojects/hvkit, by cross file and with its flags, then
# with LTO; and a program that takes the host model along.
set -eu
. tests/embedding/lib.inc
needs meson ninja gcc
mkdir -p "$work/kernel/subprojects" "$work/hosted/subprojects"
# As a clone would be there; -L would follow the build directory.
mkdir "$work/hvkit"
cp -r include guest host scripts meson.build meson_options.txt "$work/hvkit/"
ln -s "$work/hvkit" "$work/kernel/subprojects/hvkit"
ln -s "$work/hvkit" "$work/hosted/subprojects/hvkit"
cp tests/embedding/kernel/*.c examples/bare/port.c "$work/kernel/"
cp examples/minimal/*.[ch] "$work/hosted/"

quoted() { # FLAGS...: as a list of Meson
	printf "["; printf "'%s'," "$@"; printf "]"
}
cat >"$work/cross" <<END
[binaries]
c = 'gcc'
ar = 'gcc-ar'
[built-in options]
c_args = $(quoted $door_x86)
c_link_args = ['-nostdlib', '-static', '-no-pie', '-Wl,--no-undefined']
b_staticpic = false
[properties]
skip_sanity_check = true
[host_machine]
system = 'none'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
END
cat >"$work/kernel/meson.build" <<'END'
project('kernel', 'c', meson_version: '>=1.0')
hvkit = dependency('hvkit', version: '>=0.2', fallback: 'hvkit')
mem = static_library('mem', 'mem.c', c_args: ['-O0', '-fno-lto'], override_options: ['b_lto=false'])
executable('kernel', 'kernel.c', 'port.c', dependencies: hvkit, link_with: mem, pie: false)
END
for lto in false true; do
	loud meson setup "$work/build-$lto" "$work/kernel" --cross-file "$work/cross" -Db_lto=$lto \
		--wrap-mode=forcefallback
	loud meson compile -C "$work/build-$lto"
	nothing_undefined nm "$work/build-$lto/kernel"
	[ "$(nm "$work/build-$lto/kernel" | grep -c -i ' t ')" -gt 50 ] || { echo "the kernel is empty"; exit 1; }
done
grep -q -- '-fPIC' "$work/build-false/build.ninja" && { echo "-fPIC upon a kernel"; exit 1; }

cat >"$work/hosted/meson.build" <<'END'
project('hosted', 'c', default_options: ['c_std=c11'])
hvkit = subproject('hvkit', default_options: ['host=true'])
executable('hosted', 'main.c', 'port.c', 'hyperv.c', c_args: '-D_POSIX_C_SOURCE=200809L',
  dependencies: [hvkit.get_variable('hvkit_dep'), hvkit.get_variable('hvkit_host_dep')])
END
loud meson setup "$work/build-hosted" "$work/hosted"
loud meson compile -C "$work/build-hosted"
loud "$work/build-hosted/hosted"
grep -q '10.7.0.1 is at' "$work/log" || { cat "$work/log"; echo "no answer"; exit 1; }
echo "did: 3 Meson projects"
