# SPDX-License-Identifier: MIT
# Compiler flags of our own code. lwIP is not ours and does not link hvkit_flags.

set(HVKIT_FRAME_LIMIT 1024 CACHE STRING "Largest stack frame in guest/, in bytes")
set(HVKIT_SANITIZE "" CACHE STRING "Sanitizers: empty, address, thread or fuzzer")
option(HVKIT_COVERAGE "Count the lines of guest/ that tests reach (scripts/coverage)" OFF)
set_property(CACHE HVKIT_SANITIZE PROPERTY STRINGS "" address thread fuzzer)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Sanitizers go everywhere, lwIP too: half of a race is not visible.
if(HVKIT_SANITIZE STREQUAL "address")
	set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(HVKIT_SANITIZE STREQUAL "thread")
	set(sanitizers -fsanitize=thread -fno-omit-frame-pointer)
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU") # it says that it does not follow fences; our words are atomics
		list(APPEND sanitizers -Wno-tsan)
	endif()
elseif(HVKIT_SANITIZE STREQUAL "fuzzer")
	set(sanitizers -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(HVKIT_SANITIZE)
	message(FATAL_ERROR "HVKIT_SANITIZE is '${HVKIT_SANITIZE}'; it can be empty, address, thread or fuzzer")
endif()
if(HVKIT_SANITIZE)
	add_compile_options(${sanitizers})
	add_link_options(${sanitizers})
endif()

add_library(hvkit_flags INTERFACE)
target_compile_options(hvkit_flags INTERFACE
	-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
	$<$<BOOL:${HVKIT_WERROR}>:-Werror>) # an embedder's compiler may know warnings that ours does not

add_library(hvkit_guest_flags INTERFACE)
target_link_libraries(hvkit_guest_flags INTERFACE hvkit_flags)
target_compile_options(hvkit_guest_flags INTERFACE -ffreestanding)
if(HVKIT_COVERAGE) # of the drivers alone; unoptimised, so that each line is one
	target_compile_options(hvkit_guest_flags INTERFACE --coverage -fprofile-update=atomic -O0)
	add_link_options(--coverage)
elseif(NOT HVKIT_SANITIZE) # instrumented frames are larger
	target_compile_options(hvkit_guest_flags INTERFACE -Wframe-larger-than=${HVKIT_FRAME_LIMIT})
endif()
