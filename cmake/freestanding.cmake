# SPDX-License-Identifier: MIT
# Toolchain of the freestanding presets: a compiler, an instruction set, no libc in
# sight. The include path is cut down to the compiler's own headers, so that a build
# proves that guest/ needs nothing else.
#   HVKIT_ARCH      x86_64, aarch64 or i386
#   HVKIT_COMPILER  gcc or clang
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HVKIT_ARCH HVKIT_COMPILER)
set(CMAKE_SYSTEM_PROCESSOR ${HVKIT_ARCH})

if(HVKIT_ARCH STREQUAL "aarch64")
	set(prefix aarch64-linux-gnu-)
	set(flags "-mno-outline-atomics -mgeneral-regs-only")
elseif(HVKIT_ARCH STREQUAL "i386")
	set(flags "-m32 -march=i586 -mgeneral-regs-only")
else()
	set(flags "-mno-red-zone -mgeneral-regs-only")
endif()

if(HVKIT_COMPILER STREQUAL "clang")
	set(CMAKE_C_COMPILER clang-14)
	set(CMAKE_C_COMPILER_TARGET ${HVKIT_ARCH}-none-elf)
	string(APPEND flags " -nostdlibinc")
else()
	set(CMAKE_C_COMPILER ${prefix}gcc)
	execute_process(COMMAND ${prefix}gcc -print-file-name=include OUTPUT_VARIABLE own_headers
		OUTPUT_STRIP_TRAILING_WHITESPACE)
	string(APPEND flags " -nostdinc -isystem ${own_headers}")
endif()
set(CMAKE_AR ${prefix}ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${prefix}ranlib CACHE FILEPATH "")
set(CMAKE_C_FLAGS_INIT "-fno-stack-protector -fno-pic ${flags}")
