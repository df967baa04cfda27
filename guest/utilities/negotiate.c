/* SPDX-License-Identifier: MIT */
/* Versions: the host lists what it knows of framework and messages, the answer has one of each, or none of
 * either. Sources: Linux hv_util.c, OpenVMM hyperv_ic. */
#include "guest/utilities/utilities_internal.h"

static const uint32_t frameworks[] = {IC_FRAMEWORK_3_0, IC_FRAMEWORK_1_0};

/* The major number is in the low half. */
static uint32_t rank(uint32_t version)
{
	return version << 16 | version >> 16;
}

bool hvk_utility_newer(uint32_t a, uint32_t b)
{
	return rank(a) > rank(b);
}

/* The first of ours that is among count of the host's; 0: none. */
static uint32_t find(const uint32_t *ours, uint32_t our_count, uint32_t newest, const uint8_t *theirs,
		     uint32_t count)
{
	for (uint32_t i = 0; i < our_count && ours[i] != 0; i++) {
		if (newest != 0 && hvk_utility_newer(ours[i], newest))
			continue;
		for (uint32_t n = 0; n < count; n++) {
			uint32_t version;

			memcpy(&version, theirs + 4 * n, sizeof(version));
			if (version == ours[i])
				return version;
		}
	}
	return 0;
}

uint32_t hvk_utility_negotiate(struct hvk_utility *utility, struct ic_header *header, uint8_t *body,
			       uint32_t length)
{
	uint32_t chosen[2] = {0, 0};
	struct ic_negotiate lists;
	uint8_t *versions = body + sizeof(lists);

	if (length < sizeof(lists))
		return UTILITY_MALFORMED;
	memcpy(&lists, body, sizeof(lists));
	if (lists.framework_count > IC_NEGOTIATE_VERSIONS_MAX ||
	    lists.message_count > IC_NEGOTIATE_VERSIONS_MAX ||
	    (lists.framework_count + lists.message_count) * 4u > length - sizeof(lists))
		return UTILITY_MALFORMED;
	chosen[0] = find(frameworks, 2, 0, versions, lists.framework_count);
	chosen[1] = find(utility->service->versions, UTILITY_VERSIONS_MAX, utility->config.newest,
			 versions + 4u * lists.framework_count, lists.message_count);
	if (chosen[0] == 0 || chosen[1] == 0)
		chosen[0] = chosen[1] = 0;
	lists.framework_count = lists.message_count = chosen[0] != 0;
	memcpy(body, &lists, sizeof(lists));
	if (length >= sizeof(lists) + sizeof(chosen)) {
		memcpy(versions, chosen, sizeof(chosen));
		header->size = (uint16_t)(sizeof(lists) + sizeof(chosen));
	}
	__atomic_store_n(&utility->framework, chosen[0], __ATOMIC_RELAXED);
	__atomic_store_n(&utility->version, chosen[1], __ATOMIC_RELAXED);
	utility->counters.negotiations++;
	if (chosen[0] == 0)
		hvk_log(utility_hvk(utility), HVK_LOG_WARN, "%s: no version in common with the host",
			utility->service->name);
	else
		hvk_log(utility_hvk(utility), HVK_LOG_INFO, "%s: version %u.%u", utility->service->name,
			chosen[1] & 0xffffu, chosen[1] >> 16);
	if (utility->service->negotiated)
		utility->service->negotiated(utility);
	return IC_STATUS_OK;
}
