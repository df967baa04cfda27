# SPDX-License-Identifier: MIT
# Fuzz targets: tests/fuzz/NAME.c with LLVMFuzzerTestOneInput, seeds in
# tests/fuzz/corpus/NAME/. Each is a CTest test fuzz.NAME that runs for
# HVKIT_FUZZ_SECONDS (environment; 10).
if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
	message(FATAL_ERROR "libFuzzer needs clang: cmake --preset fuzz")
endif()
# A queue that is soon full, and not ten megabytes to clear in each run.
target_compile_definitions(hvkit_host PUBLIC HVH_NIC_QUEUE=16u)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*.c)
set(targets "")
set(helpers ${CMAKE_SOURCE_DIR}/tests/support/polled_port.c)
foreach(source ${sources})
	file(STRINGS ${source} entry REGEX "LLVMFuzzerTestOneInput\\(")
	if(entry)
		list(APPEND targets ${source})
	else()
		list(APPEND helpers ${source})
	endif()
endforeach()
foreach(source ${targets})
	get_filename_component(name ${source} NAME_WE)
	if(name MATCHES "^vmm_" AND NOT HVKIT_VMM)
		continue()
	endif()
	add_executable(fuzz_${name} ${source} ${helpers})
	set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
	target_compile_definitions(fuzz_${name} PRIVATE _GNU_SOURCE HVKIT_FUZZ)
	target_link_libraries(fuzz_${name} PRIVATE hvkit_flags hvkit_storage hvkit_image_parts hvkit_trace hvkit_hosted hvkit_guest_sim hvkit_host
		$<$<BOOL:${HVKIT_VMM}>:hvkit_vmm>)
	target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	add_test(NAME fuzz.${name} COMMAND sh ${CMAKE_SOURCE_DIR}/scripts/fuzz-one $<TARGET_FILE:fuzz_${name}>
		${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
	set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 7200)
endforeach()
