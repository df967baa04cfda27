/* SPDX-License-Identifier: MIT */
/*
 * What a polled boot loader calls, so that the linker keeps that and nothing else: bring up
 * a network card, move frames, leave the bus to the system that is loaded. Linked by
 * scripts/bench-size, never run; the port is not part of it.
 */
#include "hvkit/hvkit.h"
#include "hvkit/netvsc.h"
#include "hvkit/vmbus.h"

extern const struct hvk_port the_port;
extern const struct hvk_config the_config;
extern const struct hvk_netvsc_config the_card;
extern struct hvk_tx_frame the_frame;
bool loading(void);
void entry(void);

static struct hvk_channel *network;

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	(void)context;
	(void)again;
	network = channel;
}

static hvk_status waited(struct hvk *hvk, struct hvk_request *request)
{
	return hvk_wait(hvk, request, 60000);
}

static void use_card(struct hvk *hvk)
{
	struct hvk_request request = {0};
	struct hvk_netvsc *nic;

	if (!network || hvk_netvsc_create(network, &the_card, &nic) != HVK_OK)
		return;
	hvk_netvsc_attach(nic, &request);
	if (waited(hvk, &request) == HVK_OK) {
		hvk_netdev_set_flags(hvk_netvsc_netdev(nic), HVK_NETDEV_UP, &request);
		(void)waited(hvk, &request);
		while (loading()) {
			(void)hvk_netdev_transmit(hvk_netvsc_netdev(nic), &the_frame);
			(void)hvk_poll(hvk, 0);
		}
	}
	hvk_netvsc_detach(nic, &request);
	(void)waited(hvk, &request);
	(void)hvk_netvsc_destroy(nic);
}

void entry(void)
{
	const struct hvk_vmbus_config bus = {.mode = HVK_VMBUS_MODE_BOOT, .offered = offered};
	struct hvk_request request = {0};
	struct hvk *hvk;

	if (hvk_create(&the_port, &the_config, &hvk) != HVK_OK)
		return;
	if (hvk_start(hvk) == HVK_OK && hvk_cpu_start(hvk) == HVK_OK) {
		hvk_vmbus_connect(hvk, &bus, &request);
		if (waited(hvk, &request) == HVK_OK)
			use_card(hvk);
		hvk_vmbus_disconnect(hvk, &request);
		(void)waited(hvk, &request);
		(void)hvk_cpu_stop(hvk);
		(void)hvk_stop(hvk);
	}
	(void)hvk_destroy(hvk);
}
