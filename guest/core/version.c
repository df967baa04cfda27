/* SPDX-License-Identifier: MIT */
#include "hvkit/version.h"

uint32_t hvk_version(void)
{
	return HVKIT_VERSION_NUMBER;
}
