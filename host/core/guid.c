/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "host/core/core.h"

void hvh_instance_guid(struct hvh_partition *partition, const uint8_t wanted[16], uint8_t guid[16])
{
	static const uint8_t none[16];
	uint64_t halves[2];

	memcpy(guid, wanted, sizeof(none));
	if (memcmp(wanted, none, sizeof(none)) != 0)
		return;
	halves[0] = hvh_random(partition);
	halves[1] = hvh_random(partition);
	memcpy(guid, halves, sizeof(halves));
	guid[7] = (uint8_t)((guid[7] & 0x0f) | 0x40); /* random, RFC 4122 */
	guid[8] = (uint8_t)((guid[8] & 0x3f) | 0x80);
}
