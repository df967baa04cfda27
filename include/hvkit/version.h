/* SPDX-License-Identifier: MIT */
/*
 * The version of hvkit: semantic, see UPGRADING.md. The one place where it is written:
 * CMake, Meson and the pkg-config files read it from here.
 */
#ifndef HVKIT_VERSION_H
#define HVKIT_VERSION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HVKIT_VERSION_MAJOR 0
#define HVKIT_VERSION_MINOR 2
#define HVKIT_VERSION_PATCH 0

/* "0.2.0" */
#define HVKIT_VERSION                           \
	HVKIT_VERSION_TEXT(HVKIT_VERSION_MAJOR) \
	"." HVKIT_VERSION_TEXT(HVKIT_VERSION_MINOR) "." HVKIT_VERSION_TEXT(HVKIT_VERSION_PATCH)
#define HVKIT_VERSION_TEXT(number) HVKIT_VERSION_TEXT_OF(number)
#define HVKIT_VERSION_TEXT_OF(number) #number

/* For comparisons, also by the preprocessor: 0x000200 is 0.2.0. */
#define HVKIT_VERSION_NUMBER \
	(HVKIT_VERSION_MAJOR * 0x10000 + HVKIT_VERSION_MINOR * 0x100 + HVKIT_VERSION_PATCH)

/* HVKIT_VERSION_NUMBER of the drivers that were linked. Structures grow between minor
 * versions: if this is not what you were compiled with, do not go on. Any context. */
uint32_t hvk_version(void);

#ifdef __cplusplus
}
#endif
#endif
