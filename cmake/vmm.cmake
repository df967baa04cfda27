# SPDX-License-Identifier: MIT
# hvkit_vmm: the host model behind KVM's virtual CPUs. Linux on x86-64 only; elsewhere it is left
# out, and `hvkit run --accel kvm` says so.
set(HVKIT_VMM OFF)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
	set(HVKIT_VMM ON)
endif()
if(NOT HVKIT_VMM)
	message(STATUS "no monitor (vmm): it is for Linux on x86-64")
	return()
endif()

find_program(IASL iasl)
if(NOT IASL)
	message(STATUS "no iasl (Debian: acpica-tools): the monitor's guests get no ACPI devices")
	set(IASL "")
endif()
set(vmm_dsdt ${CMAKE_BINARY_DIR}/vmm_dsdt.c)
set(vmm_acpi ${CMAKE_SOURCE_DIR}/vmm/acpi)
add_custom_command(OUTPUT ${vmm_dsdt}
	COMMAND ${CMAKE_COMMAND} -DIASL=${IASL} -DOUT=${vmm_dsdt} -DFOLDER=${vmm_acpi} -P ${vmm_acpi}/compile.cmake
	DEPENDS ${vmm_acpi}/dsdt_gen1.asl ${vmm_acpi}/dsdt_gen2.asl ${vmm_acpi}/compile.cmake VERBATIM)

file(GLOB_RECURSE vmm_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/vmm/*.c)
add_library(hvkit_vmm STATIC ${vmm_sources} ${vmm_dsdt})
target_compile_definitions(hvkit_vmm PRIVATE _GNU_SOURCE)
target_include_directories(hvkit_vmm PUBLIC include ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(hvkit_vmm PUBLIC hvkit_host Threads::Threads PRIVATE hvkit_flags)
# The kernel's ioctls want their entries right behind a header that ends in an array of them.
target_compile_options(hvkit_vmm PRIVATE $<$<C_COMPILER_ID:Clang>:-Wno-gnu-variable-sized-type-not-at-end>)
