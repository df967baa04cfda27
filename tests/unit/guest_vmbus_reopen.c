/* SPDX-License-Identifier: MIT */
/* Senders and takers of requests on one CPU, while another closes the channel and opens it anew. The
 * other CPU comes in where the calls take their lock, or where memory is given back. */
#include "tests/unit/guest_vmbus_host.h"

#define BIG_PAGES 4u
#define SMALL_PAGES 1u

/* One test at a time. */
static struct host *other_host;
static void (*inner_free)(void *context, const struct hvk_pages *pages);
static uint32_t freed_in_use;

static void reopen_smaller(void *context, struct hvk_lock *lock)
{
	struct host *host = other_host;

	(void)context;
	if (!host || lock != &host->channel->tx_lock)
		return;
	other_host = NULL;
	assert_int_equal(host_close(host), HVK_OK);
	host->channel_config.tx_pages = SMALL_PAGES;
	assert_int_equal(host_open(host), HVK_OK);
}

static void connected(struct host *host)
{
	host_start(host, 0);
	assert_int_equal(host_connect(host), HVK_OK);
	assert_int_equal(hvk_channel_claim(host->channel), HVK_OK);
}

static void end(struct host *host)
{
	hvk_channel_unclaim(host->channel);
	assert_int_equal(host_end(host), 0);
}

/* A packet that fits the ring that was, not the one that is. */
static void the_ring_got_smaller(void **state)
{
	static const uint8_t payload[2 * HVK_PAGE_SIZE];
	struct host host;

	(void)state;
	connected(&host);
	host.channel_config.tx_pages = BIG_PAGES;
	assert_int_equal(host_open(&host), HVK_OK);
	assert_int_equal(hvk_channel_send(host.channel, payload, sizeof(payload), false, NULL), HVK_OK);
	host.hvk->port.lock = reopen_smaller;
	other_host = &host;
	assert_int_equal(hvk_channel_send(host.channel, payload, sizeof(payload), false, NULL), HVK_ETOOBIG);
	assert_null(other_host);
	assert_int_equal(hvk_channel_send(host.channel, payload, 64, false, NULL), HVK_OK);
	assert_int_equal(host_close(&host), HVK_OK);
	end(&host);
}

/* Whether it was ever open or is not any more makes no difference. */
static void sent_on_a_closed_channel(void **state)
{
	uint64_t ids[2] = {1, 2};
	struct host host;
	uint32_t taken;

	(void)state;
	connected(&host);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hvk_channel_send(host.channel, ids, 8, false, NULL), HVK_ESTATE);
		assert_int_equal(hvk_channel_complete_many(host.channel, ids, 2, ids, 8, &taken), HVK_ESTATE);
		assert_int_equal(taken, 0);
		assert_int_equal(host_open(&host), HVK_OK);
		assert_int_equal(host_close(&host), HVK_OK);
	}
	end(&host);
}

static void note_free(void *context, const struct hvk_pages *pages)
{
	if (other_host && other_host->channel->request_pages.address == pages->address)
		freed_in_use++;
	inner_free(context, pages);
}

/* hvk_channel_take_request looks into that memory at any time. */
static void requests_of_the_last_opening(void **state)
{
	uint64_t cookie = 0;
	struct host host;

	(void)state;
	connected(&host);
	host.channel_config.requests_max = 4;
	inner_free = host.hvk->port.pages_free;
	host.hvk->port.pages_free = note_free;
	other_host = &host;
	freed_in_use = 0;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(host_open(&host), HVK_OK);
		assert_int_equal(freed_in_use, 0);
		assert_null(hvk_channel_take_request(host.channel, NULL));
		assert_int_equal(hvk_channel_send(host.channel, &cookie, 8, true, &cookie), HVK_OK);
		assert_int_equal(host_close(&host), HVK_OK);
	}
	host.port.fail_allocation = 1; /* what could not be opened has lost nothing either */
	assert_int_equal(host_open(&host), HVK_ENOMEM);
	assert_ptr_equal(hvk_channel_take_request(host.channel, NULL), &cookie);
	assert_null(hvk_channel_take_request(host.channel, NULL));
	other_host = NULL;
	end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ring_got_smaller),
		cmocka_unit_test(sent_on_a_closed_channel),
		cmocka_unit_test(requests_of_the_last_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
