/* SPDX-License-Identifier: MIT */
#include "apps/net/lwip_port.h"

#include "lwip/init.h"
#include "lwip/memp.h"
#include "lwip/pbuf.h"
#include "lwip/prot/dhcp.h"
#include "lwip/stats.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "lwip_hooks.h"

static const struct net_lwip_port *the_port; /* forced by lwIP, see the header */
static bool initialized;                     /* lwip_init may run once in a process */

hvk_status net_lwip_start(const struct net_lwip_port *port)
{
	if (the_port)
		return HVK_EBUSY;
	the_port = port;
	if (!initialized)
		lwip_init();
	else
		sys_restart_timeouts();
	initialized = true;
	return HVK_OK;
}

void net_lwip_stop(void)
{
	the_port = NULL;
}

void net_lwip_get_memory(struct net_lwip_memory *out)
{
	*out = (struct net_lwip_memory){
		.heap_bytes = (uint32_t)lwip_stats.mem.used,
		.heap_most = (uint32_t)lwip_stats.mem.max,
		.receive_buffers = (uint32_t)lwip_stats.memp[MEMP_PBUF_POOL]->used,
		.receive_most = (uint32_t)lwip_stats.memp[MEMP_PBUF_POOL]->max,
		.references = (uint32_t)lwip_stats.memp[MEMP_PBUF]->used,
		.connections = (uint32_t)lwip_stats.memp[MEMP_TCP_PCB]->used,
		.segments = (uint32_t)lwip_stats.memp[MEMP_TCP_SEG]->used,
		.failures = (uint32_t)lwip_stats.mem.err,
	};
	for (uint32_t i = 0; i < MEMP_MAX; i++)
		out->failures += (uint32_t)lwip_stats.memp[i]->err;
}

uint32_t sys_now(void)
{
	return the_port ? (uint32_t)(hvk_time(the_port->hvk) / HVK_TIME_PER_MS) : 0;
}

uint32_t net_lwip_random(void)
{
	uint32_t value = 0;

	/* Without random numbers ports and ids can be foreseen: better than no network. */
	if (!the_port || the_port->port->random(the_port->port->context, &value, sizeof(value)) != HVK_OK)
		value = (uint32_t)(sys_now() * 2654435761u);
	return value;
}

void net_lwip_dhcp_ask(uint8_t *options, uint16_t *length)
{
	/* Its end is still to come. */
	if (the_port && the_port->boot)
		*length = (uint16_t)net_dhcp_boot_ask(options, *length, DHCP_OPTIONS_LEN - 1u);
}

void net_lwip_dhcp_option(uint8_t type, uint8_t code, uint8_t length, struct pbuf *p, uint16_t offset)
{
	uint8_t bytes[UINT8_MAX];

	if (the_port && the_port->boot && type == DHCP_ACK &&
	    pbuf_copy_partial(p, bytes, length, offset) == length)
		net_dhcp_boot_option(the_port->boot, code, bytes, length);
}

void net_lwip_assert(const char *text)
{
	if (the_port && the_port->fatal)
		the_port->fatal(the_port->context, text);
	__builtin_trap();
}
