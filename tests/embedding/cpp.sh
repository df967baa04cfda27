#!/bin/sh
# SPDX-License-Identifier: MIT
# A C++ program that includes every public header, fills in the structures and links against
# the drivers, built as C with other flags.
set -eu
. tests/embedding/lib.inc
needs g++ clang++-14
for header in include/hvkit/*.h include/hvkit/wire/*.h include/hvkit_host/*.h; do
	echo "#include \"${header#include/}\""
done >"$work/main.cc"
cat >>"$work/main.cc" <<'END'
#include <cstdio>
#include <cstring>

static void log_line(void *, hvk_log_level, const char *text) { std::puts(text); }

int main()
{
	hvk_port port = {};
	hvk_config config = {};
	hvk *instance = nullptr;

	port.size = sizeof(port);
	port.version = HVK_PORT_VERSION;
	port.log = log_line;
	hvk_status status = hvk_create(&port, &config, &instance);
	std::printf("%s %s\n", HVKIT_VERSION, hvk_status_name(status));
	return hvk_version() == HVKIT_VERSION_NUMBER && status == HVK_ELEVEL ? 0 : 1;
}
END
for source in $(cat guest/sources.txt); do
	loud gcc -std=c11 -O0 -ffreestanding -Iinclude -I. -c "$source" -o "$work/$(echo "$source" | tr / _).o"
done
for compiler in "g++ -std=c++11" "g++ -std=c++20" "clang++-14 -std=c++17"; do
	loud $compiler -Wall -Wextra -Wpedantic -Werror -Iinclude "$work/main.cc" "$work"/*.o -o "$work/main"
	loud "$work/main"
done
echo "did: 3 C++ programs"
