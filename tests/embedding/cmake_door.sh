#!/bin/sh
# SPDX-License-Identifier: MIT
# The doors of CMake, each in a foreign project with a kernel's flags: add_subdirectory,
# FetchContent, the plain list; and a hosted test program that takes the host model along.
set -eu
. tests/embedding/lib.inc
needs cmake ninja gcc
mkdir "$work/kernel"
cp tests/embedding/kernel/*.c examples/bare/port.c "$work/kernel/"

project() { # DOOR: a foreign project around the lines of standard input
	mkdir "$work/$1"
	{
		echo 'cmake_minimum_required(VERSION 3.25)'
		echo 'project(somebody LANGUAGES C)'
		cat
	} >"$work/$1/CMakeLists.txt"
}

kernel() { # DOOR: built with a kernel's flags, complete but for the four memory functions it brings
	loud cmake -S "$work/$1" -B "$work/$1/build" -G Ninja "-DCMAKE_C_FLAGS=$door_x86" \
		-DCMAKE_EXE_LINKER_FLAGS='-nostdlib -static -no-pie -Wl,--no-undefined' \
		-DCMAKE_C_COMPILER_WORKS=1
	loud cmake --build "$work/$1/build" --parallel 2
	nothing_undefined nm "$work/$1/build/kernel"
	grep -q -- -Werror "$work/$1/build/build.ninja" && { echo "$1: -Werror upon an embedder"; exit 1; }
	grep -q -- -mno-red-zone "$work/$1/build/build.ninja"
}

project subdirectory <<END
add_subdirectory($root hvkit)
add_executable(kernel ../kernel/kernel.c ../kernel/port.c ../kernel/mem.c)
target_link_libraries(kernel PRIVATE hvkit::guest)
END
kernel subdirectory

project fetched <<END
include(FetchContent)
FetchContent_Declare(hvkit SOURCE_DIR $root)
FetchContent_MakeAvailable(hvkit)
add_executable(kernel ../kernel/kernel.c ../kernel/port.c ../kernel/mem.c)
target_link_libraries(kernel PRIVATE hvkit::guest)
END
kernel fetched
[ ! -e "$work/fetched/build/libhvkit_host.a" ]

project list <<END
include($root/guest/sources.cmake)
add_executable(kernel ../kernel/kernel.c ../kernel/port.c ../kernel/mem.c)
target_sources(kernel PRIVATE \${HVKIT_GUEST_SOURCES})
target_include_directories(kernel PRIVATE \${HVKIT_GUEST_INCLUDE_DIRS})
END
kernel list

project hosted <<END
set(HVKIT_GUEST_ONLY OFF)
add_subdirectory($root hvkit)
add_executable(port_test $root/examples/minimal/main.c $root/examples/minimal/port.c
	$root/examples/minimal/hyperv.c)
target_compile_definitions(port_test PRIVATE _POSIX_C_SOURCE=200809L)
target_link_libraries(port_test PRIVATE hvkit::guest hvkit::host)
END
loud cmake -S "$work/hosted" -B "$work/hosted/build" -G Ninja
loud cmake --build "$work/hosted/build" --parallel 2
loud "$work/hosted/build/port_test"
grep -q '10.7.0.1 is at' "$work/log" || { cat "$work/log"; echo "no answer"; exit 1; }
echo "did: 4 CMake projects"
