/* SPDX-License-Identifier: MIT */
/* What was offered before a suspend is offered again by resume, whatever its id, or gone. */
#include "tests/unit/guest_vmbus_host.h"

#define OTHER_ID 9u

static bool offered_again;

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	on_offered(context, channel, again);
	offered_again = again;
}

/* Connected, one channel offered, suspended. */
static void begin(struct host *host)
{
	const struct hvk_vmbus_config config = {.offered = offered, .gone = on_gone, .context = host};

	host_start(host, 0);
	hvk_vmbus_connect(host->hvk, &config, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	assert_int_equal(host->offered, 1);
	assert_false(offered_again);
}

static void suspend(struct host *host)
{
	hvk_vmbus_suspend(host->hvk, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	assert_int_equal(host->gone, 0);
}

/* REQUEST_OFFERS of the resume is answered by that one message. */
static void resume(struct host *host, const uint8_t *bytes, uint32_t length)
{
	struct host_bytes says = {.length = length};

	memcpy(says.bytes, bytes, length);
	host->answer_type = VMBUS_MSG_REQUEST_OFFERS;
	host->says = &says;
	hvk_vmbus_resume(host->hvk, &host->request);
	for (unsigned i = 0; host->answer_type != 0; i++) {
		assert_true(i < 100);
		host->port.port.pause(&host->port);
		(void)hvk_poll(host->hvk, 0);
	}
	if (says.bytes[0] == VMBUS_MSG_OFFER_CHANNEL)
		HOST_SAY(host, golden_all_offers_delivered);
	assert_int_equal(host_wait(host), HVK_OK);
	assert_int_equal(hvk_vmbus_state(host->hvk), HVK_VMBUS_CONNECTED);
}

static void on_another_id(void **state)
{
	uint8_t offer[sizeof(golden_offer_channel)];
	struct hvk_channel *before;
	struct host host;

	(void)state;
	begin(&host);
	before = host.channel;
	suspend(&host);
	memcpy(offer, golden_offer_channel, sizeof(offer));
	put_word(offer, 184, OTHER_ID);
	resume(&host, offer, sizeof(offer));
	assert_int_equal(host.offered, 2);
	assert_true(offered_again);
	assert_ptr_equal(host.channel, before);
	assert_int_equal(hvk_channel_offer(before)->channel_id, OTHER_ID);
	assert_int_equal(host.gone, 0);
	assert_int_equal(host_open(&host), HVK_OK);
	assert_int_equal(get_word(host_post(&host, VMBUS_MSG_OPEN_CHANNEL, 0)->bytes, 8), OTHER_ID);
	assert_int_equal(host_close(&host), HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

/* The device was taken away meanwhile: gone, once, and its old id is nothing to give back. */
static void not_any_more(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	suspend(&host);
	resume(&host, golden_all_offers_delivered, sizeof(golden_all_offers_delivered));
	host_poll(&host);
	assert_int_equal(host.offered, 1);
	assert_int_equal(host.gone, 1);
	assert_null(hvk_vmbus_next_channel(host.hvk, NULL));
	assert_int_equal(host_posts(&host, VMBUS_MSG_RELID_RELEASED), 0);
	assert_int_equal(host_end(&host), 0);
}

/* ... but not while a driver has a claim on it, who sees it as taken back. */
static void not_any_more_but_claimed(void **state)
{
	struct hvk_channel *channel;
	struct host host;

	(void)state;
	begin(&host);
	channel = host.channel;
	assert_int_equal(hvk_channel_claim(channel), HVK_OK);
	suspend(&host);
	assert_false(hvk_channel_rescinded(channel));
	resume(&host, golden_all_offers_delivered, sizeof(golden_all_offers_delivered));
	host_poll(&host);
	assert_int_equal(host.gone, 0);
	assert_true(hvk_channel_rescinded(channel));
	assert_int_not_equal(host_open(&host), HVK_OK);
	hvk_channel_unclaim(channel);
	host_poll(&host);
	assert_int_equal(host.gone, 1);
	assert_int_equal(host_end(&host), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_another_id),
		cmocka_unit_test(not_any_more),
		cmocka_unit_test(not_any_more_but_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
