/* SPDX-License-Identifier: MIT */
/* What the guest posts, against bytes typed from the facts. */
#include "tests/unit/guest_vmbus_host.h"

/* The n-th message of its type, whole. */
static void check(const struct host *host, uint32_t n, const uint8_t *golden, uint32_t length)
{
	const struct host_post *post = host_post(host, get_word(golden, 0), n);

	assert_non_null(post);
	assert_int_equal(post->length, length);
	assert_memory_equal(post->bytes, golden, length);
}
#define CHECK(host, n, golden) check(host, n, golden, sizeof(golden))

static void contact_is_golden(uint32_t newest, uint32_t vp, uint8_t golden[40])
{
	struct host host;
	const struct host_post *post = NULL;

	host_start(&host, vp);
	host.newest = newest;
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(hvk_vmbus_version(host.hvk), newest);
	for (uint32_t n = 0; host_post(&host, VMBUS_MSG_INITIATE_CONTACT, n); n++)
		post = host_post(&host, VMBUS_MSG_INITIATE_CONTACT, n);
	assert_non_null(post);
	assert_int_equal(post->length, 40);
	assert_memory_equal(post->bytes, golden, 40);
	assert_int_equal(host_end(&host), newest >= VMBUS_VERSION_3_0 ? 0 : 3);
}

static void contact_in_its_three_forms(void **state)
{
	uint8_t golden[40];

	(void)state;
	memcpy(golden, golden_initiate_contact_0_13, 40);
	contact_is_golden(VMBUS_VERSION_0_13, 0, golden);
	/* The golden 3.0 and 5.3 have no pages: ours has those of the 0.13. */
	memcpy(golden, golden_initiate_contact_3_0, 16);
	contact_is_golden(VMBUS_VERSION_3_0, 1, golden);
	memcpy(golden, golden_initiate_contact_5_3, 24); /* SINT and VTL instead of one page */
	contact_is_golden(VMBUS_VERSION_5_3, 1, golden);
}

static void plain_messages(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 1);
	assert_int_equal(host_connect(&host), HVK_OK);
	CHECK(&host, 0, golden_request_offers);
	assert_int_equal(host_disconnect(&host), HVK_OK);
	CHECK(&host, 0, golden_unload);
	assert_int_equal(host_end(&host), 0);
}

static void open_and_close(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 1);
	assert_int_equal(host_connect(&host), HVK_OK);
	host_go_golden(&host);
	assert_int_equal(host_open(&host), HVK_OK);
	CHECK(&host, 0, golden_open_channel);
	assert_int_equal(host_close(&host), HVK_OK);
	CHECK(&host, 0, golden_close_channel);
	CHECK(&host, 0, golden_gpadl_teardown);
	assert_int_equal(host_end(&host), 0);
}

static void gpadls(void **state)
{
	struct hvk_gpadl gpadl;
	struct host host;
	uint8_t header[28 + 26 * 8];

	(void)state;
	host_start(&host, 1);
	assert_int_equal(host_connect(&host), HVK_OK);
	host_go_golden(&host);
	hvk_gpadl_create(host.channel, 2, &gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	CHECK(&host, 0, golden_gpadl_header);
	hvk_gpadl_teardown(&gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	CHECK(&host, 0, golden_gpadl_teardown);

	/* 28 pages from 0x20 on: the last two are the golden body. */
	host_go_golden(&host);
	hvk_gpadl_create(host.channel, 28, &gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	memcpy(header, golden_gpadl_header, 28);
	put_word(header, 16, 8 + 28 * 8 + (1u << 16));
	put_word(header, 20, 28 * HVK_PAGE_SIZE);
	for (uint32_t i = 0; i < 26; i++) {
		put_word(header, 28 + i * 8, 0x20 + i);
		put_word(header, 32 + i * 8, 0);
	}
	CHECK(&host, 1, header);
	assert_int_equal(host_posts(&host, VMBUS_MSG_GPADL_BODY), 1);
	CHECK(&host, 0, golden_gpadl_body);
	hvk_gpadl_teardown(&gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	assert_int_equal(host_end(&host), 0);
}

static void id_given_back(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 1);
	assert_int_equal(host_connect(&host), HVK_OK);
	HOST_SAY(&host, golden_rescind_offer);
	host_poll(&host);
	CHECK(&host, 0, golden_relid_released);
	assert_int_equal(host.gone, 1);
	assert_int_equal(host_end(&host), 0);
}

/* The other way: golden messages of the host's, read by us. */
static void offer_is_read(void **state)
{
	static const uint8_t instance[16] = {0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
					     0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};
	struct hvk_message message;

	(void)state;
	assert_int_equal(
		hvk_message_check(golden_offer_channel, 196, hvk_version_find(VMBUS_VERSION_5_3), &message),
		HVK_OK);
	assert_int_equal(message.type, VMBUS_MSG_OFFER_CHANNEL);
	assert_memory_equal(&message.offer.type, golden_offer_channel + 8, 16);
	assert_memory_equal(&message.offer.instance, instance, 16);
	assert_int_equal(message.offer.flags, 0x2040);
	assert_int_equal(message.offer.mmio_megabytes, 16);
	assert_int_equal(message.offer.user_data[1], 0xa1);
	assert_int_equal(message.offer.subchannel_index, 0);
	assert_int_equal(message.offer.channel_id, 1);
	assert_false(message.offer.monitored);
	assert_true(message.offer.dedicated);
	assert_int_equal(message.offer.connection_id, 0x2001);
	/* At 0.13 the last 6 bytes may be missing, and are not looked at. */
	assert_int_equal(
		hvk_message_check(golden_offer_channel, 190, hvk_version_find(VMBUS_VERSION_0_13), &message),
		HVK_OK);
	assert_false(message.offer.dedicated);
	assert_int_equal(message.offer.connection_id, VMBUS_CONNECTION_EVENT);
	assert_int_equal(
		hvk_message_check(golden_offer_channel, 190, hvk_version_find(VMBUS_VERSION_1_1), &message),
		HVK_EHOST_MESSAGE);
}

#define READ(golden) assert_int_equal(hvk_message_check(golden, sizeof(golden), NULL, &message), HVK_OK)

static void answers_are_read(void **state)
{
	struct hvk_message message;

	(void)state;
	READ(golden_version_response_5_3);
	assert_true(message.supported && message.state == 0 && message.connection == 4);
	READ(golden_version_response_3_0);
	assert_true(message.supported && message.state == 0);
	READ(golden_version_response_refused);
	assert_false(message.supported);
	READ(golden_version_response_failed);
	assert_true(message.supported && message.state == 2);
	READ(golden_gpadl_created);
	assert_true(message.channel_id == 5 && message.gpadl == 0xe1e10 && message.status == 0);
	READ(golden_gpadl_created_failed);
	assert_int_equal(message.status, 0x8000ffff);
	READ(golden_gpadl_torndown);
	assert_int_equal(message.gpadl, 0xe1e10);
	READ(golden_open_result);
	assert_true(message.channel_id == 5 && message.open_id == 5 && message.status == 0);
	READ(golden_open_result_failed);
	assert_int_equal(message.status, 0x8000ffff);
	READ(golden_rescind_offer);
	assert_int_equal(message.channel_id, 5);
	READ(golden_modify_channel_response);
	assert_true(message.channel_id == 5 && message.status == 0);
	READ(golden_all_offers_delivered);
	READ(golden_unload_response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contact_in_its_three_forms),
		cmocka_unit_test(plain_messages),
		cmocka_unit_test(open_and_close),
		cmocka_unit_test(gpadls),
		cmocka_unit_test(id_given_back),
		cmocka_unit_test(offer_is_read),
		cmocka_unit_test(answers_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
