/* SPDX-License-Identifier: MIT */
/* A netdev that takes frames and keeps them, below lwIP's interface. */
#ifndef SHELL_NETIF_FAKE_H
#define SHELL_NETIF_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/net/lwip_port.h"
#include "examples/lwip/netif_hvk.h"
#include "lwip/etharp.h"
#include "lwip/pbuf.h"
#include "ports/hosted/hosted.h"

#define TAKEN_MAX 128u
#define RELEASED_MAX 600u

struct fake {
	struct hvk_netdev netdev; /* first: the driver finds itself by it */
	struct hosted *machine;
	struct hvk *hvk;
	struct net_lwip_port lwip;
	struct netif_hvk netif;
	enum hvk_tx_result answer;
	uint32_t takes; /* TAKEN so often, then BUSY; UINT32_MAX: for ever */
	struct hvk_tx_frame *taken[TAKEN_MAX];
	uint32_t taken_count;
	uint32_t flushes, wakes, released_count;
	void *released[RELEASED_MAX];
	struct hvk_port port; /* the machine's, but for these two */
	uint32_t cpu;         /* that runs */
};

static inline enum hvk_tx_result fake_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	struct fake *fake = (struct fake *)netdev;

	if (fake->answer != HVK_TX_TAKEN)
		return fake->answer;
	if (fake->takes == 0)
		return HVK_TX_BUSY;
	if (fake->takes != UINT32_MAX)
		fake->takes--;
	assert_true(fake->taken_count < TAKEN_MAX);
	fake->taken[fake->taken_count++] = frame;
	return HVK_TX_TAKEN;
}

static inline void fake_flush(struct hvk_netdev *netdev)
{
	((struct fake *)netdev)->flushes++;
}

static inline void fake_release(struct hvk_netdev *netdev, void *owner)
{
	struct fake *fake = (struct fake *)netdev;

	assert_true(fake->released_count < RELEASED_MAX);
	fake->released[fake->released_count++] = owner;
}

static struct fake *fake_now; /* ports have the machine for context */

static inline uint32_t fake_cpu_index(void *context)
{
	(void)context;
	return fake_now->cpu;
}

static inline void fake_wake(void *context, uint32_t cpu)
{
	(void)context;
	assert_int_equal(cpu, 0);
	fake_now->wakes++;
}

#define GUARD 0xa5

/* One page more than asked for, which nobody may write to. */
static inline hvk_status fake_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
					  struct hvk_pages *out)
{
	hvk_status status = hosted_port(fake_now->machine)->pages_alloc(context, count + 1, use, out);

	if (status == HVK_OK)
		memset((uint8_t *)out->address + (size_t)count * HVK_PAGE_SIZE, GUARD, HVK_PAGE_SIZE);
	out->count = count;
	return status;
}

static inline void fake_pages_free(void *context, const struct hvk_pages *pages)
{
	const uint8_t *guard = (const uint8_t *)pages->address + (size_t)pages->count * HVK_PAGE_SIZE;
	struct hvk_pages all = *pages;

	for (uint32_t i = 0; i < HVK_PAGE_SIZE; i++)
		assert_int_equal(guard[i], GUARD);
	all.count++;
	hosted_port(fake_now->machine)->pages_free(context, &all);
}

static const struct hvk_netdev_ops fake_ops = {
	.transmit = fake_transmit, .flush = fake_flush, .release = fake_release};

static inline int set_up(void **state)
{
	const struct hosted_config machine = {.mode = HOSTED_DETERMINISTIC,
					      .cpus = 1,
					      .memory_pages = 4096,
					      .profile = hvh_profile_find("ws2022")};
	const struct hvk_config config = {.cpus = 1};
	struct fake *fake = calloc(1, sizeof(*fake));

	fake->machine = hosted_create(&machine);
	assert_non_null(fake->machine);
	assert_int_equal(hvk_create(hosted_port(fake->machine), &config, &fake->hvk), HVK_OK);
	fake->lwip = (struct net_lwip_port){.hvk = fake->hvk, .port = hosted_port(fake->machine)};
	assert_int_equal(net_lwip_start(&fake->lwip), HVK_OK);
	assert_int_equal(net_lwip_start(&fake->lwip), HVK_EBUSY);
	fake->netdev.ops = &fake_ops;
	fake->netdev.info = (struct hvk_netdev_info){
		.mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500, .frame_max = 1514, .link_up = true};
	fake->answer = HVK_TX_TAKEN;
	fake->takes = UINT32_MAX;
	fake_now = fake;
	fake->port = *hosted_port(fake->machine);
	fake->port.cpu_index = fake_cpu_index;
	fake->port.wake = fake_wake;
	fake->port.share = NULL; /* of pages as they were given */
	fake->port.unshare = NULL;
	fake->port.pages_alloc = fake_pages_alloc;
	fake->port.pages_free = fake_pages_free;
	assert_int_equal(netif_hvk_add(&fake->netif, &fake->port, &fake->netdev), HVK_OK);
	netif_set_up(&fake->netif.netif);
	(void)netif_hvk_poll(&fake->netif);
	fake->flushes = 0;
	fake->taken_count = 0; /* an address of zeros announces nothing, but let it not matter */
	*state = fake;
	return 0;
}

static inline void finish_all(struct fake *fake, hvk_status status)
{
	for (uint32_t i = 0; i < fake->taken_count; i++)
		fake->taken[i]->done(fake->taken[i], status, fake->taken[i]->context);
	fake->taken_count = 0;
}

static inline int tear_down(void **state)
{
	struct fake *fake = *state;

	finish_all(fake, HVK_ECANCELED);
	if (fake->netif.pages.count) {
		netif_hvk_remove(&fake->netif);
		assert_int_equal(netif_hvk_free(&fake->netif), HVK_OK);
	}
	net_lwip_stop();
	assert_int_equal(hvk_destroy(fake->hvk), HVK_OK);
	assert_int_equal(hosted_pages_in_use(fake->machine), 0);
	hosted_destroy(fake->machine);
	free(fake);
	return 0;
}

#endif
