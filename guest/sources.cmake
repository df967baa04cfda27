# SPDX-License-Identifier: MIT
# The guest's sources for a CMake build of your own:
#
#   include(third_party/hvkit/guest/sources.cmake)
#   target_sources(kernel PRIVATE ${HVKIT_GUEST_SOURCES})
#   target_include_directories(kernel PRIVATE ${HVKIT_GUEST_INCLUDE_DIRS})
#
# Other builds read guest/sources.txt: one path per line, from the root of hvkit.
get_filename_component(HVKIT_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/sources.txt" HVKIT_GUEST_SOURCES REGEX "[.]c$")
list(TRANSFORM HVKIT_GUEST_SOURCES PREPEND "${HVKIT_ROOT}/")
set(HVKIT_GUEST_INCLUDE_DIRS "${HVKIT_ROOT}/include" "${HVKIT_ROOT}")
