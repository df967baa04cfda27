# SPDX-License-Identifier: MIT
# bench/: every file with a main is a program in build/bench, the others are linked to all of
# them. They use the drivers as embedders build them: hvkit_guest, without switch points.
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.c)
set(bench_helpers "")
set(bench_programs "")
foreach(source ${bench_sources})
	file(STRINGS ${source} mains REGEX "^int main\\(")
	if(mains)
		list(APPEND bench_programs ${source})
	else()
		list(APPEND bench_helpers ${source})
	endif()
endforeach()

function(hvkit_bench name)
	add_executable(bench_${name} ${ARGN})
	set_target_properties(bench_${name} PROPERTIES
		OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
	target_include_directories(bench_${name} PRIVATE ${CMAKE_SOURCE_DIR})
	target_compile_definitions(bench_${name} PRIVATE _GNU_SOURCE)
	target_link_libraries(bench_${name} PRIVATE hvkit_flags)
endfunction()

foreach(source ${bench_programs})
	get_filename_component(name ${source} NAME_WE)
	if(name MATCHES "^tcp")
		continue()
	endif()
	hvkit_bench(${name} ${source} ${bench_helpers})
	target_link_libraries(bench_${name} PRIVATE hvkit_guest hvkit_host)
endforeach()
