/* SPDX-License-Identifier: MIT */
/* What comes too late to matter: hot plug while the guest leaves, calls after a failed goodbye. */
#include "tests/unit/guest_vmbus_host.h"

#define CHANNEL_ID 184u
#define INSTANCE 24u

static void offer(struct host *host, uint32_t id)
{
	uint8_t bytes[sizeof(golden_offer_channel)];

	memcpy(bytes, golden_offer_channel, sizeof(bytes));
	put_word(bytes, CHANNEL_ID, id);
	bytes[INSTANCE] ^= (uint8_t)id;
	HOST_SAY(host, bytes);
}

static void rescind(struct host *host, uint32_t id)
{
	HOST_SAY_WITH(host, golden_rescind_offer, 8, id);
}

/* A device plugged in and out while channels are being closed is no fault of the host, and its id
 * is given back; the offer itself is of no use any more. */
static void plugged_while_leaving(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(host_open(&host), HVK_OK);
	host.answer_type = VMBUS_MSG_GPADL_TEARDOWN; /* not answered at first: the bus stays in there */
	hvk_vmbus_disconnect(host.hvk, &host.request);
	(void)hvk_poll(host.hvk, 0);
	offer(&host, 9);
	host_poll(&host);
	rescind(&host, 9);
	host_poll(&host);
	assert_int_equal(host_faults(&host), 0);
	assert_int_equal(host.offered, 1);
	assert_int_equal(host_posts(&host, VMBUS_MSG_RELID_RELEASED), 1);
	assert_int_equal(host_posts(&host, VMBUS_MSG_UNLOAD), 0);
	HOST_SAY_WITH(&host, golden_gpadl_torndown, 8,
		      get_word(host_post(&host, VMBUS_MSG_GPADL_TEARDOWN, 0)->bytes, 12));
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

/* UNLOAD is the last word. */
static void nothing_is_said_after_unload(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	HOST_SAY_WITH(&host, golden_offer_channel, CHANNEL_ID, 9); /* the same device: refused */
	host_poll(&host);
	assert_int_equal(host_fault_count(&host, HVK_EHOST_DUPLICATE), 1);
	host.answer_type = VMBUS_MSG_UNLOAD;
	hvk_vmbus_disconnect(host.hvk, &host.request);
	host_poll(&host);
	assert_int_equal(host_posts(&host, VMBUS_MSG_UNLOAD), 1);
	rescind(&host, 9);
	rescind(&host, HOST_CHANNEL);
	offer(&host, 10);
	rescind(&host, 10);
	host_poll(&host);
	assert_int_equal(host_posts(&host, VMBUS_MSG_RELID_RELEASED), 0);
	HOST_SAY(&host, golden_unload_response);
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(host.gone, 1);
	assert_int_equal(host_fault_count(&host, HVK_EHOST_ID), 0);
	assert_int_equal(host_end(&host), 0);
}

/* The bus is abandoned then; requests of drivers that have not heard of it end all the same. */
static void requests_after_a_silent_goodbye(void **state)
{
	struct hvk_request second = {0};
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(hvk_channel_claim(host.channel), HVK_OK);
	host.answer_type = VMBUS_MSG_UNLOAD;
	assert_int_equal(host_disconnect(&host), HVK_ETIMEDOUT_UNLOAD);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_ABANDONED);
	hvk_channel_close(host.channel, &second);
	assert_int_equal(hvk_wait(host.hvk, &second, 1000), HVK_ESTATE);
	hvk_channel_open(host.channel, &host.channel_config, &second);
	assert_int_equal(hvk_wait(host.hvk, &second, 1000), HVK_EGONE);
	hvk_channel_unclaim(host.channel);
	(void)host_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plugged_while_leaving),
		cmocka_unit_test(nothing_is_said_after_unload),
		cmocka_unit_test(requests_after_a_silent_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
