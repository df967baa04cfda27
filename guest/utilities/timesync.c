/* SPDX-License-Identifier: MIT */
/*
 * Time: what the host says, brought to the present, against the guest's clock. From 4.0 on the host adds when
 * it read its clock, by the reference counter that both have. Sources: Linux hv_util.c, OpenVMM, FreeBSD.
 */
#include "guest/utilities/utilities_internal.h"

#define SLEW_MIN HVK_TIME_PER_MS
#define STEP_MIN (5 * HVK_TIME_PER_SECOND)
#define AHEAD_MAX HVK_TIME_PER_SECOND  /* by which the host's reading of the counter may be before ours */
#define HOST_TIME_MAX (UINT64_MAX / 4) /* the year 16,200: sums do not wrap */

/* False: it cannot be. */
static bool add_transit(struct hvk_utility *utility, uint64_t reference, struct hvk_time_offer *offer)
{
	const struct hvk_hypervisor_info *info = hvk_hypervisor_info(utility_hvk(utility));
	uint64_t now = hvk_time(utility_hvk(utility));

	if (!info->reference_counter && !info->reference_tsc)
		return true; /* our time is not the host's */
	if (reference > now)
		return reference - now <= AHEAD_MAX;
	offer->transit = now - reference;
	offer->host_time += offer->transit;
	return offer->host_time <= HOST_TIME_MAX;
}

static bool read_4(struct hvk_utility *utility, const uint8_t *body, uint32_t length,
		   struct hvk_time_offer *offer, uint8_t *flags)
{
	struct ic_timesync_4 message = {0};

	if (length < IC_TIMESYNC_4_SIZE_MIN)
		return false;
	memcpy(&message, body, hvk_min32(length, sizeof(message)));
	*offer = (struct hvk_time_offer){
		.host_time = message.host_time, .leap = message.leap, .stratum = message.stratum};
	*flags = message.flags;
	return message.host_time <= HOST_TIME_MAX && add_transit(utility, message.reference_time, offer);
}

static bool read_1(const uint8_t *body, uint32_t length, struct hvk_time_offer *offer, uint8_t *flags)
{
	struct ic_timesync_1 message = {0};

	if (length < IC_TIMESYNC_1_SIZE_MIN)
		return false;
	memcpy(&message, body, hvk_min32(length, IC_TIMESYNC_1_SIZE));
	*offer = (struct hvk_time_offer){.host_time = message.host_time};
	*flags = message.flags;
	return message.host_time <= HOST_TIME_MAX;
}

static void compare(struct hvk_utility *utility, struct hvk_time_offer *offer, uint8_t flags)
{
	const struct hvk_time_callbacks *callbacks = &utility->config.callbacks.time;
	uint64_t slew_min = callbacks->slew_min != 0 ? callbacks->slew_min : SLEW_MIN;
	uint64_t step_min = callbacks->step_min != 0 ? callbacks->step_min : STEP_MIN;
	uint64_t now = callbacks->now ? callbacks->now(utility->config.context) : 0;
	uint64_t apart;
	int64_t difference;

	if (!callbacks->adjust || now > HOST_TIME_MAX)
		return;
	difference = (int64_t)offer->host_time - (int64_t)now;
	apart = difference < 0 ? (uint64_t)-difference : (uint64_t)difference;
	offer->step = (flags & IC_TIMESYNC_SYNC) != 0 || now == 0 || apart >= step_min;
	if ((flags & IC_TIMESYNC_SYNC) == 0 && apart < slew_min)
		return;
	callbacks->adjust(utility->config.context, offer, difference);
}

static uint32_t ask(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	bool newer = !hvk_utility_newer(IC_VERSION(4, 0), utility->version);
	struct hvk_time_offer offer;
	uint8_t flags = 0;

	if (!(newer ? read_4(utility, body, length, &offer, &flags) : read_1(body, length, &offer, &flags)))
		return UTILITY_MALFORMED;
	if (flags & (IC_TIMESYNC_SYNC | IC_TIMESYNC_SAMPLE))
		compare(utility, &offer, flags);
	return IC_STATUS_OK;
}

const struct utility_service hvk_utility_timesync = {
	.name = "timesync",
	.type = VMBUS_GUID_TIMESYNC,
	.kind = HVK_UTILITY_TIMESYNC,
	.message_type = IC_TYPE_TIMESYNC,
	.versions = {IC_VERSION(4, 0), IC_VERSION(3, 0), IC_VERSION(1, 0)},
	.message_max = 1024,
	.ask = ask,
};
