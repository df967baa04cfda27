# SPDX-License-Identifier: MIT
# cmake --install: headers, libhvkit.a, libhvkit_host.a, pkg-config files, the program, its
# man page, the Wireshark script and the licence, each as far as it was built. The prefix may be moved.
include(GNUInstallDirs)

file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")

# hvkit_install_library(target name header_folder pc)
function(hvkit_install_library target name headers pc)
	install(FILES $<TARGET_FILE:${target}> DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME lib${name}.a)
	install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
		FILES_MATCHING PATTERN "*.h")
	configure_file(${PROJECT_SOURCE_DIR}/cmake/${pc}.in ${PROJECT_BINARY_DIR}/${pc} @ONLY)
	install(FILES ${PROJECT_BINARY_DIR}/${pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

hvkit_install_library(hvkit_guest hvkit hvkit hvkit.pc)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET hvkit_host)
	hvkit_install_library(hvkit_host hvkit_host hvkit_host hvkit-host.pc)
endif()
if(TARGET hvkit)
	install(TARGETS hvkit RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
	install(FILES ${PROJECT_SOURCE_DIR}/docs/man/hvkit.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL)
	install(FILES ${PROJECT_SOURCE_DIR}/tools/wireshark/hvkit.lua
		DESTINATION ${CMAKE_INSTALL_DATADIR}/hvkit/wireshark OPTIONAL)
endif()
