/* SPDX-License-Identifier: MIT */
/*
 * Somebody else's kernel: no libc, calls the whole of hvkit's face so that a linker that
 * throws away what nobody calls has to keep it. On x86-64 its port is examples/bare/port.c.
 * Built and linked by the tests of tests/embedding, never run.
 */
#include "hvkit/hvkit.h"
#include "hvkit/netvsc.h"
#include "hvkit/version.h"
#include "hvkit/vmbus.h"

void bare_port(struct hvk_port *port);
void console_line(const char *text);
void _start(void);

static volatile const char *console;
static struct hvk_channel *found;

void console_line(const char *text)
{
	console = text;
}

#ifndef __x86_64__
void bare_port(struct hvk_port *port)
{
	*port = (struct hvk_port){.size = sizeof(*port), .version = HVK_PORT_VERSION};
}
#endif

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	(void)context;
	if (!again)
		found = channel;
}

static void wait_for(struct hvk *hvk, struct hvk_request *request)
{
	console_line(hvk_status_text(hvk_wait(hvk, request, 60000)));
}

static void use_card(struct hvk *hvk, struct hvk_request *request)
{
	struct hvk_netvsc_config config = {0};
	struct hvk_tx_frame frame = {0};
	struct hvk_netvsc *nic;

	if (hvk_netvsc_create(found, &config, &nic) != HVK_OK)
		return;
	hvk_netvsc_attach(nic, request);
	wait_for(hvk, request);
	(void)hvk_netdev_transmit(hvk_netvsc_netdev(nic), &frame);
	hvk_netvsc_detach(nic, request);
	wait_for(hvk, request);
	(void)hvk_netvsc_destroy(nic);
}

static void use_channel(struct hvk *hvk, struct hvk_request *request)
{
	struct hvk_channel_config config = {.tx_pages = 4, .rx_pages = 4};
	static uint64_t buffer[64];
	struct hvk_packet packet;
	static struct hvk_gpadl gpadl;

	hvk_channel_open(found, &config, request);
	wait_for(hvk, request);
	hvk_gpadl_create(found, 1, &gpadl, request);
	wait_for(hvk, request);
	(void)hvk_channel_send(found, buffer, 8, false, NULL);
	(void)hvk_channel_receive(found, buffer, sizeof(buffer), &packet);
	hvk_gpadl_teardown(&gpadl, request);
	wait_for(hvk, request);
	hvk_channel_close(found, request);
	wait_for(hvk, request);
}

void _start(void)
{
	struct hvk_vmbus_config bus = {.offered = offered};
	struct hvk_request request = {0};
	struct hvk_config config = {0};
	struct hvk_port port;
	struct hvk *hvk;

	bare_port(&port);
	if (hvk_version() != HVKIT_VERSION_NUMBER || hvk_create(&port, &config, &hvk) != HVK_OK)
		return;
	(void)hvk_start(hvk);
	(void)hvk_cpu_start(hvk);
	hvk_vmbus_connect(hvk, &bus, &request);
	wait_for(hvk, &request);
	if (found) {
		use_card(hvk, &request);
		use_channel(hvk, &request);
	}
	hvk_interrupt(hvk, 0);
	(void)hvk_vmbus_abandon(hvk, 1000);
	(void)hvk_cpu_stop(hvk);
	(void)hvk_stop(hvk);
	(void)hvk_destroy(hvk);
}
