# SPDX-License-Identifier: MIT
# Tests are files: drop one into tests/SUITE/ and it is a CTest test SUITE.NAME with
# label SUITE. A .c file with a main is a program; one without is linked to every
# program of its folder. A .sh file is run with HVKIT set to the program.
#
#   tests/unit/host_*    sees the host model alone
#   tests/unit/guest_*   sees the drivers alone
#   tests/unit/bare_*    sees the kernel image's parts that need no machine
#   tests/unit/netboot_*  sees the boot program's parts that need no machine
#   tests/unit/uefi_*    sees the UEFI program's parts that need no firmware
#   tests/unit/shell_*, cli_*   see the guest program and the command line
#   tests/unit/storage_*  see apps/storage alone
#   all others           see drivers, model and hosted port

find_library(CMOCKA_LIBRARY cmocka REQUIRED)

set(HVKIT_TEST_LIBRARIES hvkit_hosted hvkit_guest_sim hvkit_host)

function(hvkit_has_main source result)
	file(STRINGS ${source} mains REGEX "^int main\\(")
	set(${result} ${mains} PARENT_SCOPE)
endfunction()

# hvkit_test_libraries(suite name result): what tests/suite/name.c may link; NOTFOUND
# if a part that it needs is not built.
function(hvkit_test_libraries suite name result)
	set(libraries ${HVKIT_TEST_LIBRARIES})
	if(name MATCHES "^(shell|cli|net|lwip|tftp|app)_")
		set(libraries hvkit_cli hvkit_shell ${HVKIT_TEST_LIBRARIES})
		if(NOT TARGET hvkit_shell OR NOT TARGET hvkit_cli)
			set(libraries NOTFOUND)
		endif()
	elseif(suite STREQUAL "vmm")
		set(libraries hvkit_vmm hvkit_host)
	elseif(suite STREQUAL "dissector")
		set(libraries hvkit_trace hvkit_host)
	elseif(suite STREQUAL "unit" AND name MATCHES "^host_")
		set(libraries hvkit_host)
	elseif(suite STREQUAL "unit" AND name MATCHES "^storage_")
		set(libraries hvkit_storage)
	elseif(suite STREQUAL "unit" AND name MATCHES "^bare_")
		set(libraries hvkit_image_parts)
	elseif(suite STREQUAL "unit" AND name MATCHES "^netboot_")
		set(libraries hvkit_netboot_parts)
	elseif(suite STREQUAL "unit" AND name MATCHES "^uefi_")
		set(libraries hvkit_uefi_parts hvkit_image_parts)
	elseif(suite STREQUAL "unit" AND name MATCHES "^guest_")
		set(libraries hvkit_guest_sim)
	endif()
	set(${result} ${libraries} PARENT_SCOPE)
endfunction()

function(hvkit_test_helpers name)
	add_library(${name} STATIC ${ARGN})
	target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
	target_compile_definitions(${name} PRIVATE _GNU_SOURCE HVK_SWITCH_POINTS HVK_DEBUG)
	target_link_libraries(${name} PRIVATE hvkit_flags ${CMOCKA_LIBRARY})
endfunction()

file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
hvkit_test_helpers(test_support ${support})

# hvkit_suite(name seconds): all of tests/name/, each with that time limit.
function(hvkit_suite suite seconds)
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${suite}/*.c)
	file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${suite}/*.sh)
	set(helpers "")
	set(programs "")
	foreach(source ${sources})
		hvkit_has_main(${source} main)
		if(main AND (NOT HVKIT_SANITIZE STREQUAL "thread" OR source MATCHES "threads"))
			list(APPEND programs ${source})
		elseif(main) # the thread sanitizer does not follow coroutines
		else()
			list(APPEND helpers ${source})
		endif()
	endforeach()
	if(helpers AND programs)
		hvkit_test_helpers(test_${suite}_helpers ${helpers})
	endif()
	foreach(source ${programs})
		get_filename_component(name ${source} NAME_WE)
		hvkit_test_libraries(${suite} ${name} libraries)
		if(NOT libraries)
			message(STATUS "${suite}.${name}: not built (no shell)")
			continue()
		endif()
		add_executable(${suite}_${name} ${source})
		set_target_properties(${suite}_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
		target_include_directories(${suite}_${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
		target_compile_definitions(${suite}_${name} PRIVATE _GNU_SOURCE HVKIT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
		target_link_libraries(${suite}_${name} PRIVATE hvkit_flags)
		if(TARGET test_${suite}_helpers)
			target_link_libraries(${suite}_${name} PRIVATE test_${suite}_helpers)
		endif()
		target_link_libraries(${suite}_${name} PRIVATE test_support)
		target_link_libraries(${suite}_${name} PRIVATE ${libraries} ${CMOCKA_LIBRARY})
		set(labels ${suite})
		if(name MATCHES "threads") # what the thread sanitizer can see: coroutines confuse it
			list(APPEND labels threads)
		endif()
		add_test(NAME ${suite}.${name} COMMAND ${suite}_${name})
		set_tests_properties(${suite}.${name} PROPERTIES LABELS "${labels}" TIMEOUT ${seconds} SKIP_RETURN_CODE 77)
	endforeach()
	if(TARGET hvkit)
		foreach(script ${scripts})
			get_filename_component(name ${script} NAME_WE)
			hvkit_script_test(${suite} ${name} ${seconds} sh ${script})
		endforeach()
	endif()
endfunction()

# hvkit_script_test(suite name seconds command...)
function(hvkit_script_test suite name seconds)
	add_test(NAME ${suite}.${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
	set_tests_properties(${suite}.${name} PROPERTIES LABELS ${suite} TIMEOUT ${seconds} SKIP_RETURN_CODE 77
		ENVIRONMENT "HVKIT=${CMAKE_BINARY_DIR}/hvkit;HVKIT_BUILD=${CMAKE_BINARY_DIR}")
endfunction()

hvkit_suite(unit 60)
hvkit_suite(conformance 180)
hvkit_suite(sim 240)
hvkit_suite(cli 240)
hvkit_suite(dissector 90)
hvkit_suite(image 120)
if(HVKIT_VMM AND NOT HVKIT_SANITIZE STREQUAL "thread") # small guests on /dev/kvm, where there is one
	include(cmake/vmm_guests.cmake)
	hvkit_suite(vmm 120)
	foreach(target test_vmm_helpers vmm_counters)
		target_compile_definitions(${target} PRIVATE VMM_GUESTS="${CMAKE_BINARY_DIR}/vmm_guests")
	endforeach()
	add_dependencies(test_vmm_helpers vmm_guests)
endif()
if(HVKIT_VMM AND NOT HVKIT_SANITIZE AND NOT HVKIT_COVERAGE)
	include(cmake/vm.cmake)
endif()
if(NOT HVKIT_SANITIZE) # sanitizers change every figure
	hvkit_suite(bench 90)
endif()
if(NOT HVKIT_SANITIZE) # other people's builds, with their flags
	hvkit_suite(embedding 120)
endif()

if(HVKIT_COVERAGE) # runs the suites above once more, and counts
	hvkit_script_test(coverage guest 600 ${CMAKE_SOURCE_DIR}/scripts/coverage ${CMAKE_BINARY_DIR})
endif()

# What looks at the sources rather than runs them: once, in the plain build.
if(NOT HVKIT_SANITIZE AND NOT HVKIT_COVERAGE)
	file(GLOB walls CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/walls/*.sh)
	foreach(script ${walls})
		get_filename_component(name ${script} NAME_WE)
		hvkit_script_test(walls ${name} 120 sh ${script})
	endforeach()
	foreach(compiler gcc clang-14)
		hvkit_script_test(headers ${compiler} 120 sh tests/headers/check.sh ${compiler})
	endforeach()
	foreach(preset freestanding-x86_64-gcc freestanding-x86_64-clang freestanding-aarch64-gcc
			freestanding-aarch64-clang i386)
		hvkit_script_test(freestanding ${preset} 180 sh tests/freestanding/check.sh ${preset})
	endforeach()
	file(GLOB proofs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/tests/proofs
		${CMAKE_SOURCE_DIR}/tests/proofs/*/harness.c)
	foreach(proof ${proofs})
		get_filename_component(name ${proof} DIRECTORY)
		hvkit_script_test(proofs ${name} 300 sh tests/proofs/run ${name})
	endforeach()
endif()
