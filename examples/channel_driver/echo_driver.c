/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "echo_driver.h"

#define PACKETS_PER_POLL 64

bool echo_is_mine(const struct hvk_offer *offer)
{
	return memcmp(&offer->type, &(struct vmbus_guid){ECHO_CLASS}, sizeof(offer->type)) == 0;
}

/* The host has sent, has room again, or has taken the channel back. */
static bool ready(void *context, struct hvk_channel *channel)
{
	struct echo_driver *driver = context;
	struct hvk_packet packet;

	for (int i = 0; i < PACKETS_PER_POLL; i++) {
		hvk_status status = hvk_channel_receive(channel, driver->buffer, sizeof(driver->buffer),
							&packet);

		if (status == HVK_EEMPTY && !hvk_channel_rescinded(channel))
			return false;
		if (status == HVK_ETOOBIG || status == HVK_EHOST_TRANSACTION)
			continue;       /* skipped and counted */
		if (status != HVK_OK) { /* taken back, or the ring contradicts itself */
			echo_close(driver);
			return false;
		}
		if (packet.type == VMBUS_PACKET_COMPLETION)
			driver->answered(driver->context, packet.cookie, packet.payload,
					 packet.payload_length);
		else if (packet.answer_wanted)
			(void)hvk_channel_complete(channel, packet.transaction_id, NULL, 0);
	}
	return true; /* there may be more: again in the next poll */
}

hvk_status echo_open(struct echo_driver *driver, struct hvk_channel *channel, struct hvk_request *request)
{
	struct hvk_channel_config config = {
		.tx_pages = 4, .rx_pages = 4, .requests_max = 32, .ready = ready, .context = driver};
	hvk_status status = hvk_channel_claim(channel); /* the pointer stays good until we let go */

	driver->channel = channel;
	if (status == HVK_OK)
		hvk_channel_open(channel, &config, request);
	return status;
}

hvk_status echo_send(struct echo_driver *driver, const void *message, uint32_t length, void *cookie)
{
	return hvk_channel_send(driver->channel, message, length, true, cookie);
}

static void closed(struct hvk_request *request, void *context)
{
	struct echo_driver *driver = context;

	(void)request;
	for (void *cookie; (cookie = hvk_channel_take_request(driver->channel, NULL)) != NULL;)
		driver->answered(driver->context, cookie, NULL, 0);
	hvk_channel_unclaim(driver->channel);
	driver->closed(driver->context);
}

void echo_close(struct echo_driver *driver)
{
	if (driver->closing.status == HVK_EINPROGRESS)
		return;
	driver->closing = (struct hvk_request){.done = closed, .context = driver};
	hvk_channel_close(driver->channel, &driver->closing);
}
