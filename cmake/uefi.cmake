# SPDX-License-Identifier: MIT
# BOOTX64.EFI: a program for UEFI firmware that has a kernel image of ours in it and starts it. Firmware wants
# PE files and Microsoft's calling convention: clang and lld make both.
set(uefi_sources ${CMAKE_SOURCE_DIR}/apps/uefi)
set(uefi_shared ${CMAKE_SOURCE_DIR}/apps/netboot/memory_map.c ${CMAKE_SOURCE_DIR}/apps/netboot/pvh.c
	${CMAKE_SOURCE_DIR}/apps/netboot/linux_bzimage.c)
set(uefi_screen ${CMAKE_SOURCE_DIR}/ports/bare-x86_64/screen.c ${CMAKE_SOURCE_DIR}/ports/bare-x86_64/font.c)

# What of it needs no firmware, for tests on the build machine.
add_library(hvkit_uefi_parts STATIC EXCLUDE_FROM_ALL ${uefi_sources}/config.c ${uefi_sources}/firmware_memory.c
	${uefi_sources}/hypervisor.c ${uefi_sources}/tables.c ${uefi_sources}/zero_page.c)
target_include_directories(hvkit_uefi_parts PUBLIC include ${CMAKE_SOURCE_DIR})
target_link_libraries(hvkit_uefi_parts PRIVATE hvkit_flags PUBLIC hvkit_netboot_parts)

find_program(UEFI_CLANG NAMES clang-14 clang)
find_program(UEFI_LINK NAMES lld-link-14 lld-link)
if(NOT TARGET hvkit-shell.elf OR NOT UEFI_CLANG OR NOT UEFI_LINK)
	message(STATUS "no images for UEFI: they need the kernel image, clang-14 and lld-14")
	return()
endif()

set(uefi_flags --target=x86_64-unknown-windows -std=c11 -O2 -ffreestanding -nostdlibinc
	-isystem ${CMAKE_SOURCE_DIR}/apps/libc/include -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR} -mno-red-zone
	-mgeneral-regs-only -mno-stack-arg-probe -fno-stack-protector -Wall -Wextra -Wconversion -Wshadow
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
set(uefi_directory ${CMAKE_BINARY_DIR}/uefi)
file(MAKE_DIRECTORY ${uefi_directory})

# hvkit_uefi_object(result source name [FLAG...]): one compiled file.
function(hvkit_uefi_object result source name)
	set(object ${uefi_directory}/${name}.obj)
	add_custom_command(OUTPUT ${object} COMMAND ${UEFI_CLANG} ${uefi_flags} ${ARGN} -MD -MF ${object}.d -c ${source} -o ${object}
		DEPENDS ${source} DEPFILE ${object}.d COMMENT "Building UEFI object ${name}" VERBATIM)
	set(${result} ${object} PARENT_SCOPE)
endfunction()

file(GLOB uefi_code CONFIGURE_DEPENDS ${uefi_sources}/*.c)
set(uefi_objects "")
foreach(source ${uefi_code} ${uefi_shared} ${uefi_screen} ${uefi_sources}/enter.S ${CMAKE_SOURCE_DIR}/apps/libc/memory.c
		${CMAKE_SOURCE_DIR}/apps/libc/string.c ${CMAKE_SOURCE_DIR}/apps/libc/format.c)
	get_filename_component(name ${source} NAME)
	hvkit_uefi_object(object ${source} ${name})
	list(APPEND uefi_objects ${object})
endforeach()

# hvkit_uefi(name image line): build/NAME.efi with that image (a target) and command line built in.
function(hvkit_uefi name image line)
	set(stripped ${uefi_directory}/${name}.elf)
	add_custom_command(OUTPUT ${stripped} COMMAND ${CMAKE_OBJCOPY} --strip-all $<TARGET_FILE:${image}> ${stripped}
		DEPENDS ${image} VERBATIM)
	set(object ${uefi_directory}/${name}.image.obj)
	add_custom_command(OUTPUT ${object} COMMAND ${UEFI_CLANG} ${uefi_flags} -DBUILT_IN_IMAGE="${stripped}" -DBUILT_IN_LINE="${line}"
		-c ${uefi_sources}/image.S -o ${object} DEPENDS ${uefi_sources}/image.S ${stripped} VERBATIM)
	add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/${name}.efi
		COMMAND ${UEFI_LINK} -subsystem:efi_application -entry:efi_main -nodefaultlib -Brepro -out:${CMAKE_BINARY_DIR}/${name}.efi
			${uefi_objects} ${object}
		DEPENDS ${uefi_objects} ${object} VERBATIM)
	add_custom_target(uefi_${name} ALL DEPENDS ${CMAKE_BINARY_DIR}/${name}.efi)
endfunction()

hvkit_uefi(hvkit-shell hvkit-shell.elf "console=yes")
hvkit_uefi(hvkit-netboot hvkit-netboot.elf "")

# --- Discs: `make images` -----------------------------------------------------------------------------

# hvkit_iso(name image program line): build/images/NAME.iso for either generation.
function(hvkit_iso name image program line)
	set(iso ${CMAKE_BINARY_DIR}/images/${name}.iso)
	add_custom_command(OUTPUT ${iso}
		COMMAND sh ${CMAKE_SOURCE_DIR}/scripts/make-iso ${iso} $<TARGET_FILE:${image}> ${CMAKE_BINARY_DIR}/${program}.efi "${line}"
		DEPENDS ${image} uefi_${program} ${CMAKE_BINARY_DIR}/${program}.efi ${CMAKE_SOURCE_DIR}/scripts/make-iso VERBATIM)
	set_property(GLOBAL APPEND PROPERTY hvkit_isos ${iso})
endfunction()

hvkit_iso(hvkit-shell hvkit-shell.elf hvkit-shell "console=yes")
hvkit_iso(hvkit-netboot hvkit-netboot.elf hvkit-netboot "wait=300")
hvkit_iso(hvkit-conformance hvkit-shell.elf hvkit-shell "conformance=stay log=debug")

get_property(isos GLOBAL PROPERTY hvkit_isos)
add_custom_target(images COMMAND sha256sum ${isos} DEPENDS ${isos} VERBATIM)
