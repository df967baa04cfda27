# SPDX-License-Identifier: MIT
# tests/vmm/guests/NAME.c: small guests, each an ELF64 program in ${CMAKE_BINARY_DIR}/vmm_guests.
# Made by hand, so that none of the build's own flags (sanitizers) reach them.
set(guest_folder ${CMAKE_SOURCE_DIR}/tests/vmm/guests)
set(guest_flags -std=c11 -O1 -ffreestanding -nostdlib -static -fno-pic -no-pie -mno-red-zone
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables
	-Wall -Wextra -Werror -Wno-array-bounds -Wno-unused-command-line-argument -I${CMAKE_SOURCE_DIR}/include
	-Wl,-Ttext-segment=0x200000 -Wl,--build-id=none -Wl,-z,norelro)
file(GLOB guest_sources CONFIGURE_DEPENDS ${guest_folder}/*.c)
file(GLOB guest_parts CONFIGURE_DEPENDS ${guest_folder}/*.h ${guest_folder}/*.inc)
set(guests "")
foreach(source ${guest_sources})
	get_filename_component(name ${source} NAME_WE)
	if(name STREQUAL "start")
		continue()
	endif()
	set(start ${guest_folder}/start.c)
	if(name MATCHES "^bare_") # begins by itself
		set(start "")
	endif()
	set(guest ${CMAKE_BINARY_DIR}/vmm_guests/${name}.elf)
	add_custom_command(OUTPUT ${guest}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/vmm_guests
		COMMAND ${CMAKE_C_COMPILER} ${guest_flags} -o ${guest} ${start} ${source}
		DEPENDS ${source} ${guest_folder}/start.c ${guest_parts} VERBATIM)
	list(APPEND guests ${guest})
endforeach()
add_custom_target(vmm_guests ALL DEPENDS ${guests})
