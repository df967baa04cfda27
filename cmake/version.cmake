# SPDX-License-Identifier: MIT
# HVKIT_VERSION from include/hvkit/version.h, the one place where it is written.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../include/hvkit/version.h numbers
	REGEX "^#define HVKIT_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
list(TRANSFORM numbers REPLACE "^.* " "")
list(JOIN numbers "." HVKIT_VERSION)
