# SPDX-License-Identifier: MIT
# hvkit-shell.elf: the guest program as a kernel image. Everything in it is compiled for it alone:
# no libc but apps/libc, and no SSE, so that an interrupt has no FPU state to keep.
# hvkit-netboot.elf: the boot program (apps/netboot), likewise.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include OUTPUT_VARIABLE image_compiler_headers
	OUTPUT_STRIP_TRAILING_WHITESPACE)
set(image_headers -ffreestanding -nostdinc "SHELL:-isystem ${CMAKE_SOURCE_DIR}/apps/libc/include"
	"SHELL:-isystem ${image_compiler_headers}")

# What of it reads other people's tables and words, for tests on the build machine. Its libc goes by
# other names there.
set(image_port ${CMAKE_SOURCE_DIR}/ports/bare-x86_64)
add_library(hvkit_image_parts STATIC EXCLUDE_FROM_ALL ${image_port}/page_set.c ${image_port}/boot_info.c
	${image_port}/boot_multiboot.c ${image_port}/screen.c ${image_port}/font.c
	${image_port}/acpi.c ${image_port}/chacha20.c ${CMAKE_SOURCE_DIR}/apps/image/options.c
	${CMAKE_SOURCE_DIR}/apps/image/measuring.c ${CMAKE_SOURCE_DIR}/apps/image/dialogue.c
	${CMAKE_SOURCE_DIR}/apps/shell/driver_options.c)
target_include_directories(hvkit_image_parts PUBLIC include ${CMAKE_SOURCE_DIR})
target_link_libraries(hvkit_image_parts PRIVATE hvkit_flags)
add_library(hvkit_image_libc STATIC EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/apps/libc/format.c
	${CMAKE_SOURCE_DIR}/apps/libc/string.c ${CMAKE_SOURCE_DIR}/apps/libc/memory.c)
target_compile_options(hvkit_image_libc PRIVATE ${image_headers} -fno-builtin)
foreach(function snprintf vsnprintf memcpy memmove memset memcmp memchr strlen strcmp strncmp strchr strspn strcspn
		strstr isdigit isxdigit islower isspace tolower toupper atoi)
	target_compile_definitions(hvkit_image_libc PRIVATE ${function}=image_${function})
endforeach()
target_link_libraries(hvkit_image_libc PRIVATE hvkit_flags)
target_link_libraries(hvkit_image_parts PUBLIC hvkit_image_libc)

# The boot program's, likewise; they get by with any libc.
set(netboot_parts script script_run location options plan memory_map linux_bzimage pvh)
list(TRANSFORM netboot_parts PREPEND ${CMAKE_SOURCE_DIR}/apps/netboot/)
list(TRANSFORM netboot_parts APPEND .c)
add_library(hvkit_netboot_parts STATIC EXCLUDE_FROM_ALL ${netboot_parts} ${CMAKE_SOURCE_DIR}/apps/net/url.c
	${CMAKE_SOURCE_DIR}/apps/net/dhcp_boot.c)
target_include_directories(hvkit_netboot_parts PUBLIC include ${CMAKE_SOURCE_DIR})
target_link_libraries(hvkit_netboot_parts PRIVATE hvkit_flags)

if(HVKIT_SANITIZE OR HVKIT_COVERAGE OR NOT TARGET hvkit_shell OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
	return()
endif()
enable_language(ASM)

set(image_flags ${image_headers} -mno-red-zone -mgeneral-regs-only -mcmodel=small -fno-pic -fno-stack-protector
	-fno-omit-frame-pointer -fno-optimize-sibling-calls -fcf-protection=none -fno-asynchronous-unwind-tables
	-ffunction-sections -fdata-sections) # what nobody calls is left out

function(hvkit_image_library name)
	add_library(${name} OBJECT ${ARGN})
	target_compile_options(${name} PRIVATE ${image_flags})
	target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}
		${CMAKE_SOURCE_DIR}/apps/net/include)
	target_include_directories(${name} SYSTEM PRIVATE ${LWIP_DIR}/src/include)
endfunction()

get_target_property(image_lwip_sources lwip SOURCES)
hvkit_image_library(image_lwip ${image_lwip_sources})
target_compile_options(image_lwip PRIVATE -w)

file(GLOB image_port_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/ports/bare-x86_64/*.c
	${CMAKE_SOURCE_DIR}/ports/bare-x86_64/*.S)
file(GLOB image_libc_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/libc/*.c)
file(GLOB image_app_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/image/*.c)
file(GLOB image_netboot_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/netboot/*.c)
set(image_shell_sources ${shell_sources})
list(FILTER image_shell_sources INCLUDE REGEX /apps/shell/)
set(image_net_sources ${shell_sources})
list(FILTER image_net_sources EXCLUDE REGEX /apps/shell/)
set(image_base_sources ${HVKIT_GUEST_SOURCES} ${image_net_sources} ${storage_sources} ${image_port_sources}
	${image_libc_sources})
hvkit_image_library(image_code ${image_base_sources} ${image_shell_sources} ${image_app_sources})
target_compile_definitions(image_code PRIVATE HVK_DEBUG)
hvkit_image_library(image_netboot ${image_base_sources} ${image_netboot_sources})
hvkit_image_library(image_netboot_lwip ${image_lwip_sources})
target_compile_options(image_netboot_lwip PRIVATE -w)
set(image_small -Oz) # it is loaded over networks, and by firmware
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 12)
	set(image_small -Os)
endif()
foreach(library image_netboot image_netboot_lwip)
	target_compile_options(${library} PRIVATE ${image_small})
endforeach()
foreach(library image_code image_netboot)
	target_link_libraries(${library} PRIVATE hvkit_flags)
endforeach()

set(image_script ${CMAKE_SOURCE_DIR}/ports/bare-x86_64/image.ld)
function(hvkit_image_link name output)
	add_executable(${name} ${ARGN})
	set_target_properties(${name} PROPERTIES OUTPUT_NAME ${output} LINK_DEPENDS ${image_script} LINKER_LANGUAGE C)
	target_link_options(${name} PRIVATE -nostdlib -static -Wl,-T,${image_script} -Wl,--build-id=none
		-Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments)
endfunction()
# The second time with the names of the first.
function(hvkit_image_with_names name)
	hvkit_image_link(${name}_first ${name}.first.elf ${ARGN})
	set(names ${CMAKE_BINARY_DIR}/${name}_names.S)
	add_custom_command(OUTPUT ${names}
		COMMAND sh ${CMAKE_SOURCE_DIR}/scripts/image-names ${CMAKE_NM} $<TARGET_FILE:${name}_first> ${names}
		DEPENDS ${name}_first ${CMAKE_SOURCE_DIR}/scripts/image-names VERBATIM)
	hvkit_image_link(${name}.elf ${name}.elf ${ARGN} ${names})
endfunction()

hvkit_image_with_names(hvkit-shell $<TARGET_OBJECTS:image_code> $<TARGET_OBJECTS:image_lwip>)
hvkit_image_link(hvkit-netboot.elf hvkit-netboot.elf $<TARGET_OBJECTS:image_netboot> $<TARGET_OBJECTS:image_netboot_lwip>)
