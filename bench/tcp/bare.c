/* SPDX-License-Identifier: MIT */
/*
 * The limit: lwIP and libslirp, a thread each, joined by a queue in memory, and woken once for as
 * many frames as there are. host/backends/slirp.c believes
 * that it speaks to a card of the model; hvh_nic_receive and hvh_nic_room are this queue.
 *
 *   bare PORT
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/net/lwip_port.h"
#include "bench/report.h"
#include "bench/tcp/download.h"
#include "hvkit_host/network.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "lwip_hooks.h"
#include "netif/ethernet.h"

#define FRAME_MAX 1514u
#define TICK_MS 50u
#define LIMIT_SECONDS 60

struct frame {
	uint32_t length;
	uint8_t bytes[FRAME_MAX];
};

struct hvh_nic {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	bool waiting, wake; /* under lock: lwIP's thread; wake it when the lock is let go */
	struct frame frames[HVH_NIC_QUEUE];
	uint32_t first, count; /* under lock */
	struct hvh_backend backend;
	struct netif netif;
};

/* --- What slirp.c calls, with the lock held --------------------------------------------- */

bool hvh_nic_receive(struct hvh_nic *nic, uint64_t now, const void *frame, uint32_t length)
{
	struct frame *to = &nic->frames[(nic->first + nic->count) % HVH_NIC_QUEUE];

	(void)now;
	if (nic->count == HVH_NIC_QUEUE || length > FRAME_MAX)
		return false;
	memcpy(to->bytes, frame, length);
	to->length = length;
	nic->count++;
	nic->wake = nic->waiting;
	return true;
}

uint32_t hvh_nic_room(const struct hvh_nic *nic, uint64_t now)
{
	(void)now;
	return HVH_NIC_QUEUE - nic->count;
}

static void lock(void *context)
{
	(void)pthread_mutex_lock(&((struct hvh_nic *)context)->lock);
}

static void unlock(void *context)
{
	struct hvh_nic *nic = context;
	bool wake = nic->wake;

	nic->wake = false;
	if (wake)
		nic->waiting = false;
	(void)pthread_mutex_unlock(&nic->lock);
	if (wake)
		(void)pthread_cond_signal(&nic->filled);
}

static uint64_t now(void *context)
{
	(void)context;
	return (uint64_t)(bench_seconds() * 1e7);
}

/* --- What lwIP calls ----------------------------------------------------------------------- */

uint32_t sys_now(void)
{
	return (uint32_t)(uint64_t)(bench_seconds() * 1e3);
}

uint32_t net_lwip_random(void)
{
	return (uint32_t)random();
}

/* DHCP is not used here. */
void net_lwip_dhcp_ask(uint8_t *options, uint16_t *length)
{
	(void)options;
	(void)length;
}

void net_lwip_dhcp_option(uint8_t type, uint8_t code, uint8_t length, struct pbuf *p, uint16_t offset)
{
	(void)type;
	(void)code;
	(void)length;
	(void)p;
	(void)offset;
}

void net_lwip_assert(const char *text)
{
	(void)fprintf(stderr, "bench: lwIP: %s\n", text);
	abort();
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
	struct hvh_nic *nic = netif->state;
	uint8_t frame[FRAME_MAX];

	if (p->tot_len > FRAME_MAX)
		return ERR_BUF;
	pbuf_copy_partial(p, frame, p->tot_len, 0);
	lock(nic);
	nic->backend.transmit(nic->backend.context, frame, p->tot_len);
	unlock(nic);
	nic->backend.flush(nic->backend.context);
	return ERR_OK;
}

static err_t begin(struct netif *netif)
{
	static const uint8_t mac[6] = {0, 0x15, 0x5d, 1, 2, 3};

	netif->name[0] = 'b';
	netif->name[1] = 'q';
	netif->output = etharp_output;
	netif->linkoutput = link_output;
	netif->mtu = 1500;
	netif->hwaddr_len = sizeof(mac);
	memcpy(netif->hwaddr, mac, sizeof(mac));
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
	return ERR_OK;
}

/* Under lock; copied once more, as a driver hands frames to lwIP. */
static struct pbuf *take(struct hvh_nic *nic)
{
	struct frame *frame = &nic->frames[nic->first];
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)frame->length, PBUF_POOL);

	if (p)
		pbuf_take(p, frame->bytes, (u16_t)frame->length);
	nic->first = (nic->first + 1) % HVH_NIC_QUEUE;
	nic->count--;
	return p;
}

static void turn(struct hvh_nic *nic)
{
	struct timespec until;
	uint32_t count;

	sys_check_timeouts();
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += TICK_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	lock(nic);
	if (nic->count == 0) {
		nic->waiting = true;
		(void)pthread_cond_timedwait(&nic->filled, &nic->lock, &until);
		nic->waiting = false;
	}
	for (count = nic->count; count > 0; count--) {
		struct pbuf *p = take(nic);

		unlock(nic);
		if (p && nic->netif.input(p, &nic->netif) != ERR_OK)
			pbuf_free(p);
		lock(nic);
	}
	unlock(nic);
}

int main(int count, char **arguments)
{
	static struct hvh_nic nic;
	const struct hvh_slirp_lock guard = {&nic, lock, unlock, now};
	struct hvh_slirp_config config = {0};
	struct download download = {0};
	struct hvh_slirp *slirp;
	char error[256];
	double limit = bench_seconds() + LIMIT_SECONDS;

	if (count != 2)
		return 2;
	config.loopback_tcp[0] = (uint16_t)atoi(arguments[1]);
	(void)pthread_mutex_init(&nic.lock, NULL);
	(void)pthread_cond_init(&nic.filled, NULL);
	slirp = hvh_slirp_create(&config, &guard, error, sizeof(error));
	if (!slirp) {
		(void)fprintf(stderr, "bench: %s\n", error);
		return 1;
	}
	hvh_slirp_backend(slirp, &nic.backend);
	lwip_init();
	if (!netif_add_noaddr(&nic.netif, &nic, begin, ethernet_input))
		return 1;
	netif_set_default(&nic.netif);
	hvh_slirp_attach(slirp, &nic);
	if (!download_start(&download, &nic.netif, config.loopback_tcp[0]))
		return 1;
	while (!download.over && bench_seconds() < limit)
		turn(&nic);
	hvh_slirp_destroy(slirp);
	return download_report(&download);
}
