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
	target_link_libraries(bench_${name} PRIVATE hvkit_guest hvkit_host Threads::Threads)
endforeach()

# The download: the hosted port beside plain drivers, and libslirp's backend without the model.
if(TARGET lwip)
	set(net ${CMAKE_SOURCE_DIR}/apps/net)
	add_library(hvkit_hosted_plain STATIC ${hosted_sources})
	target_compile_definitions(hvkit_hosted_plain PRIVATE _GNU_SOURCE)
	target_include_directories(hvkit_hosted_plain PUBLIC include ${CMAKE_SOURCE_DIR})
	target_link_libraries(hvkit_hosted_plain PUBLIC hvkit_guest hvkit_host Threads::Threads PRIVATE hvkit_flags)

	hvkit_bench(tcp_guest bench/tcp/guest.c bench/tcp/download.c ${CMAKE_SOURCE_DIR}/examples/lwip/netif_hvk.c ${net}/lwip_port.c ${net}/dhcp_boot.c)
	target_link_libraries(bench_tcp_guest PRIVATE lwip hvkit_hosted_plain)

	set(backends ${CMAKE_SOURCE_DIR}/host/backends)
	hvkit_bench(tcp_bare bench/tcp/bare.c bench/tcp/download.c
		${backends}/slirp.c ${backends}/slirp_filter.c ${backends}/frame_queue.c ${backends}/frames.c)
	target_include_directories(bench_tcp_bare SYSTEM PRIVATE ${SLIRP_INCLUDE_DIR})
	target_include_directories(bench_tcp_bare PRIVATE include)
	target_link_libraries(bench_tcp_bare PRIVATE lwip ${SLIRP_LIBRARY} Threads::Threads)

	hvkit_bench(tcp bench/tcp.c)
	add_dependencies(bench_tcp bench_tcp_guest bench_tcp_bare)
	foreach(part guest bare)
		set_target_properties(bench_tcp_${part} PROPERTIES
			OUTPUT_NAME ${part} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench/tcp-parts)
	endforeach()
endif()
