/* SPDX-License-Identifier: MIT */
/* Hosts that refuse, lie, repeat themselves or come late: what status, what counter. */
#include "tests/unit/guest_vmbus_host.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OURS 0x000e1e10u /* the GPADL that lives */

static void say_instead(struct host *host, uint32_t type, struct host_bytes *says, const uint8_t *bytes,
			uint32_t length)
{
	*says = (struct host_bytes){.length = length};
	memcpy(says->bytes, bytes, length);
	host->answer_type = type;
	host->says = says;
}
#define SAY_INSTEAD(host, type, says, golden) say_instead(host, type, says, golden, sizeof(golden))

static void be_silent(struct host *host, uint32_t type)
{
	host->answer_type = type;
	host->says = NULL;
}

/* --- Refusals: no fault of the host's ----------------------------------------------------- */

static void refused_open(void **state)
{
	struct host_bytes says;
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	SAY_INSTEAD(&host, VMBUS_MSG_OPEN_CHANNEL, &says, golden_open_result_failed);
	assert_int_equal(host_open(&host), HVK_EREFUSED_OPEN);
	assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_CLOSED);
	assert_int_equal(host_posts(&host, VMBUS_MSG_CLOSE_CHANNEL), 0); /* it is not open */
	assert_int_equal(host_posts(&host, VMBUS_MSG_GPADL_TEARDOWN), 1);
	assert_int_equal(host_open(&host), HVK_OK); /* it may have changed its mind */
	assert_int_equal(host_faults(&host) + host_late(&host), 0);
	assert_int_equal(host_end(&host), 0);
}

static void refused_gpadl(void **state)
{
	struct hvk_gpadl gpadl;
	struct host_bytes says;
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	host_go_golden(&host);
	SAY_INSTEAD(&host, VMBUS_MSG_GPADL_HEADER, &says, golden_gpadl_created_failed);
	hvk_gpadl_create(host.channel, 2, &gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_EREFUSED_GPADL);
	assert_int_equal(gpadl.id, 0);

	host_go_golden(&host); /* the same, of rings */
	SAY_INSTEAD(&host, VMBUS_MSG_GPADL_HEADER, &says, golden_gpadl_created_failed);
	assert_int_equal(host_open(&host), HVK_EREFUSED_GPADL);
	assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_CLOSED);
	assert_int_equal(host_posts(&host, VMBUS_MSG_OPEN_CHANNEL), 0);
	assert_int_equal(host_posts(&host, VMBUS_MSG_GPADL_TEARDOWN), 0); /* there is none */
	assert_int_equal(host_open(&host), HVK_OK);
	assert_int_equal(host_faults(&host) + host_late(&host), 0);
	assert_int_equal(host_end(&host), 0);
}

/* Any status but 0 is a refusal, as Linux has it. */
static void any_status_refuses(void **state)
{
	static const uint32_t statuses[] = {1, 0x100, 0x80000000, 0xffffffff};
	struct host_bytes says;
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < COUNT(statuses); i++) {
		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		SAY_INSTEAD(&host, VMBUS_MSG_OPEN_CHANNEL, &says, golden_open_result);
		put_word(says.bytes, 16, statuses[i]);
		assert_int_equal(host_open(&host), HVK_EREFUSED_OPEN);
		host_go_golden(&host);
		SAY_INSTEAD(&host, VMBUS_MSG_GPADL_HEADER, &says, golden_gpadl_created);
		put_word(says.bytes, 16, statuses[i]);
		assert_int_equal(host_open(&host), HVK_EREFUSED_GPADL);
		assert_int_equal(host_end(&host), 0);
	}
}

/* --- Contact ------------------------------------------------------------------------------- */

/* The answer to contact at exactly that version. */
static hvk_status contact_at(struct host *host, uint32_t version, const uint8_t *answer)
{
	static struct host_bytes says;

	host_start(host, 0);
	host->oldest_try = version;
	host->newest_try = version;
	say_instead(host, VMBUS_MSG_INITIATE_CONTACT, &says, answer, 16);
	return host_connect(host);
}

static void refused_contact(void **state)
{
	static const uint32_t meaningful[] = {VMBUS_VERSION_2_4, VMBUS_VERSION_3_0, VMBUS_VERSION_4_0,
					      VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_3};
	static const uint32_t garbage[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1};
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < COUNT(meaningful); i++) {
		assert_int_equal(contact_at(&host, meaningful[i], golden_version_response_failed),
				 HVK_EREFUSED_CONTACT);
		assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_COLD);
		assert_int_equal(host.post_count, 1); /* no other version is tried */
		assert_int_equal(host_faults(&host), 0);
		assert_int_equal(host_end(&host), 3); /* it has the pages */
	}
	for (uint32_t i = 0; i < COUNT(garbage); i++) {
		assert_int_equal(contact_at(&host, garbage[i], golden_version_response_failed), HVK_OK);
		assert_int_equal(hvk_vmbus_version(host.hvk), garbage[i]);
		assert_int_equal(host_end(&host), 3); /* below 3.0 they stay withheld */
	}
}

/* Of an answer that says no, nothing else is believed. */
static void state_of_a_refused_version(void **state)
{
	uint8_t answer[16];
	struct host host;

	(void)state;
	memcpy(answer, golden_version_response_failed, 16);
	answer[8] = 0;
	assert_int_equal(contact_at(&host, VMBUS_VERSION_5_3, answer), HVK_EVERSION);
	assert_int_equal(host_end(&host), 0);
}

static void returned_connection(void **state)
{
	static const uint32_t others[] = {0, 2, 3, 5, 0x2001, 0xffffffff};
	static const uint32_t later[] = {VMBUS_MSG_REQUEST_OFFERS, VMBUS_MSG_GPADL_HEADER,
					 VMBUS_MSG_OPEN_CHANNEL,   VMBUS_MSG_CLOSE_CHANNEL,
					 VMBUS_MSG_GPADL_TEARDOWN, VMBUS_MSG_UNLOAD};
	struct host host;

	(void)state;
	for (uint32_t connection = 1; connection <= 4; connection += 3) {
		host_start(&host, 0);
		host.connection = connection;
		assert_int_equal(host_connect(&host), HVK_OK);
		assert_int_equal(host_open(&host), HVK_OK);
		assert_int_equal(host_close(&host), HVK_OK);
		assert_int_equal(host_disconnect(&host), HVK_OK);
		assert_int_equal(host_post(&host, VMBUS_MSG_INITIATE_CONTACT, 0)->connection, 4);
		for (uint32_t i = 0; i < COUNT(later); i++)
			assert_int_equal(host_post(&host, later[i], 0)->connection, connection);
		/* The next contact begins anew. */
		assert_int_equal(host_connect(&host), HVK_OK);
		assert_int_equal(host_post(&host, VMBUS_MSG_INITIATE_CONTACT, 1)->connection, 4);
		assert_int_equal(host_end(&host), 0);
	}
	for (uint32_t i = 0; i < COUNT(others); i++) {
		host_start(&host, 0);
		host.connection = others[i];
		assert_int_equal(host_connect(&host), HVK_EHOST_VALUE);
		assert_int_equal(host_fault_count(&host, HVK_EHOST_VALUE), 1);
		assert_int_equal(host.post_count, 1);
		assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_COLD);
		assert_int_equal(host_end(&host), 3);
	}
}

/* --- What nobody asked for ------------------------------------------------------------------ */

struct unasked {
	const uint8_t *golden;
	uint32_t length;
	uint32_t at, value; /* one word is changed, unless both are 0 */
	hvk_status fault;   /* HVK_OK: it counts as late */
};

#define MESSAGE(golden) golden, sizeof(golden)

/* The machine has channel 5 open on GPADL OURS + 1, and GPADL OURS. */
static const struct unasked unasked[] = {
	{MESSAGE(golden_offer_channel), 184, 5, HVK_EHOST_DUPLICATE}, /* an id in use */
	{MESSAGE(golden_offer_channel), 184, 6, HVK_EHOST_DUPLICATE}, /* a device that is there */
	{MESSAGE(golden_offer_channel), 184, 0, HVK_EHOST_ID},
	{MESSAGE(golden_offer_channel), 184, 2048, HVK_EHOST_ID},
	{MESSAGE(golden_offer_channel), 184, 0xffffffff, HVK_EHOST_ID},
	{golden_offer_channel, 195, 184, 6, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_rescind_offer), 8, 6, HVK_EHOST_ID},
	{MESSAGE(golden_rescind_offer), 8, 0, HVK_EHOST_ID},
	{MESSAGE(golden_rescind_offer), 8, 2048, HVK_EHOST_ID},
	{golden_rescind_offer, 11, 0, 0, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_open_result), 0, 0, HVK_OK},
	{MESSAGE(golden_open_result_failed), 0, 0, HVK_OK},
	{MESSAGE(golden_open_result), 8, 6, HVK_EHOST_ID},
	{MESSAGE(golden_open_result), 8, 2048, HVK_EHOST_ID},
	{MESSAGE(golden_open_result), 12, 6, HVK_EHOST_ID},
	{golden_open_result, 19, 0, 0, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_gpadl_created), 0, 0, HVK_EHOST_DUPLICATE},
	{MESSAGE(golden_gpadl_created_failed), 0, 0, HVK_EHOST_DUPLICATE},
	{MESSAGE(golden_gpadl_created), 12, OURS + 1, HVK_EHOST_DUPLICATE},
	{MESSAGE(golden_gpadl_created), 12, OURS - 1, HVK_OK},
	{MESSAGE(golden_gpadl_created), 12, OURS + 2, HVK_EHOST_ID},
	{MESSAGE(golden_gpadl_created), 12, 0, HVK_EHOST_ID},
	{MESSAGE(golden_gpadl_created), 8, 0, HVK_EHOST_ID},
	{MESSAGE(golden_gpadl_created), 8, 6, HVK_OK},
	{golden_gpadl_created, 19, 0, 0, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_gpadl_torndown), 0, 0, HVK_EHOST_DUPLICATE},
	{MESSAGE(golden_gpadl_torndown), 8, OURS + 1, HVK_EHOST_DUPLICATE},
	{MESSAGE(golden_gpadl_torndown), 8, OURS - 1, HVK_OK},
	{MESSAGE(golden_gpadl_torndown), 8, OURS + 2, HVK_EHOST_ID},
	{MESSAGE(golden_gpadl_torndown), 8, 0, HVK_EHOST_ID},
	{golden_gpadl_torndown, 11, 0, 0, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_version_response_5_3), 0, 0, HVK_OK},
	{MESSAGE(golden_version_response_failed), 0, 0, HVK_OK},
	{MESSAGE(golden_version_response_refused), 0, 0, HVK_OK},
	{golden_version_response_5_3, 15, 0, 0, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_all_offers_delivered), 0, 0, HVK_OK},
	{MESSAGE(golden_unload_response), 0, 0, HVK_OK},
	{MESSAGE(golden_modify_channel_response), 0, 0, HVK_OK},
	{MESSAGE(golden_modify_channel_response), 8, 0, HVK_EHOST_ID},
	{MESSAGE(golden_close_reserved_response), 0, 0, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_tl_connect_result), 0, 0, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_unload), 0, 0, HVK_EHOST_MESSAGE}, /* a guest's message */
	{MESSAGE(golden_unload_response), 0, 26, HVK_EHOST_MESSAGE},
	{MESSAGE(golden_unload_response), 0, 0xffffffff, HVK_EHOST_MESSAGE},
	{golden_unload_response, 7, 0, 0, HVK_EHOST_MESSAGE},
	{golden_unload_response, 0, 0, 0, HVK_EHOST_MESSAGE},
};

static void say_unasked(struct host *host, const struct unasked *row)
{
	if (row->at != 0 || row->value != 0)
		host_say_with(host, row->golden, row->length, row->at, row->value);
	else
		host_say(host, row->golden, row->length);
	host_poll(host);
}

/* Each counts once, and changes nothing: what is open stays so, and can be left. */
static void unasked_messages(void **state)
{
	struct hvk_gpadl gpadl;
	struct host host;

	(void)state;
	for (uint32_t i = 0; i < COUNT(unasked); i++) {
		bool late = unasked[i].fault == HVK_OK;
		uint32_t posts;

		host_start(&host, 0);
		assert_int_equal(host_connect(&host), HVK_OK);
		host_go_golden(&host);
		hvk_gpadl_create(host.channel, 2, &gpadl, &host.request);
		assert_int_equal(host_wait(&host), HVK_OK);
		assert_int_equal(host_open(&host), HVK_OK);
		posts = host.post_count;
		say_unasked(&host, &unasked[i]);
		if (host_late(&host) != late || host_faults(&host) == late)
			fail_msg("row %u: late %u, faults %u", i, (unsigned)host_late(&host),
				 (unsigned)host_faults(&host));
		if (!late && host_fault_count(&host, unasked[i].fault) != 1)
			fail_msg("row %u: another fault than %s", i, hvk_status_name(unasked[i].fault));
		assert_int_equal(host.post_count, posts); /* no reply */
		assert_int_equal(host.offered, 1);
		assert_int_equal(host.gone, 0);
		assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_CONNECTED);
		assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_OPEN);
		assert_int_equal(gpadl.id, OURS);
		assert_int_equal(gpadl.state, HVK_GPADL_LIVE);
		assert_int_equal(host_end(&host), 0);
	}
}

/* Another device: by an id that is in use it is refused, by one of its own it is welcome. */
static void offer_of_another_device(void **state)
{
	uint8_t other[sizeof(golden_offer_channel)];
	struct hvk_channel *first;
	struct host host;

	(void)state;
	memcpy(other, golden_offer_channel, sizeof(other));
	put_word(other, 24, 0x77777777); /* instance */
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	first = host.channel;
	HOST_SAY_WITH(&host, other, 184, HOST_CHANNEL);
	host_poll(&host);
	assert_int_equal(host_fault_count(&host, HVK_EHOST_DUPLICATE), 1);
	assert_int_equal(host.offered, 1);
	assert_ptr_equal(hvk_vmbus_next_channel(host.hvk, NULL), first);
	assert_null(hvk_vmbus_next_channel(host.hvk, first));
	HOST_SAY_WITH(&host, other, 184, HOST_CHANNEL + 1);
	host_poll(&host);
	assert_int_equal(host_faults(&host), 1);
	assert_int_equal(host.offered, 2);
	assert_ptr_equal(hvk_vmbus_next_channel(host.hvk, first), host.channel);
	assert_int_equal(host_end(&host), 0);
}

static void rescind_twice(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	assert_int_equal(hvk_channel_claim(host.channel), HVK_OK); /* its id is not given back yet */
	HOST_SAY(&host, golden_rescind_offer);
	HOST_SAY(&host, golden_rescind_offer);
	host_poll(&host);
	assert_int_equal(host_fault_count(&host, HVK_EHOST_DUPLICATE), 1);
	assert_int_equal(host_posts(&host, VMBUS_MSG_RELID_RELEASED), 0);
	hvk_channel_unclaim(host.channel);
	host_poll(&host);
	assert_int_equal(host_posts(&host, VMBUS_MSG_RELID_RELEASED), 1);
	assert_int_equal(host.gone, 1);
	HOST_SAY(&host, golden_rescind_offer); /* of nothing now */
	host_poll(&host);
	assert_int_equal(host_fault_count(&host, HVK_EHOST_ID), 1);
	assert_int_equal(host_faults(&host), 2);
	assert_int_equal(host_end(&host), 0);
}

/* --- Late ------------------------------------------------------------------------------------ */

/* It came after we had given up: counted, and no fault. */
static void is_late(struct host *host, const uint8_t *golden, uint32_t length)
{
	uint64_t late = host_late(host), faults = host_faults(host);
	enum hvk_vmbus_state bus_state = hvk_vmbus_state(host->hvk);

	host_say(host, golden, length);
	host_poll(host);
	assert_int_equal(host_late(host), late + 1);
	assert_int_equal(host_faults(host), faults);
	assert_int_equal(hvk_vmbus_state(host->hvk), bus_state);
}
#define IS_LATE(host, golden) is_late(host, golden, sizeof(golden))

static void late_answers_of_the_bus(void **state)
{
	struct host host;

	(void)state;
	host_start(&host, 0);
	be_silent(&host, VMBUS_MSG_INITIATE_CONTACT);
	assert_int_equal(host_connect(&host), HVK_ETIMEDOUT_CONTACT);
	IS_LATE(&host, golden_version_response_5_3);
	IS_LATE(&host, golden_offer_channel);
	assert_int_equal(host_posts(&host, VMBUS_MSG_REQUEST_OFFERS), 0);
	assert_int_equal(host_end(&host), 3);

	host_start(&host, 0);
	be_silent(&host, VMBUS_MSG_REQUEST_OFFERS);
	assert_int_equal(host_connect(&host), HVK_ETIMEDOUT_OFFERS);
	assert_int_equal(host_posts(&host, VMBUS_MSG_UNLOAD), 1);
	IS_LATE(&host, golden_offer_channel);
	IS_LATE(&host, golden_all_offers_delivered);
	assert_int_equal(host.offered, 0);
	assert_int_equal(host_end(&host), 0);

	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	be_silent(&host, VMBUS_MSG_UNLOAD);
	assert_int_equal(host_disconnect(&host), HVK_ETIMEDOUT_UNLOAD);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_ABANDONED);
	/* An abandoned bus takes in nothing more, and its pages stay withheld. */
	HOST_SAY(&host, golden_unload_response);
	host_poll(&host);
	assert_int_equal(host_late(&host) + host_faults(&host), 0);
	assert_int_equal(hvk_vmbus_state(host.hvk), HVK_VMBUS_ABANDONED);
	assert_int_equal(host_end(&host), 3);
}

static void late_answers_of_a_channel(void **state)
{
	struct hvk_gpadl gpadl;
	struct host host;

	(void)state;
	host_start(&host, 0);
	assert_int_equal(host_connect(&host), HVK_OK);
	be_silent(&host, VMBUS_MSG_OPEN_CHANNEL);
	assert_int_equal(host_open(&host), HVK_ETIMEDOUT_OPEN);
	assert_int_equal(host_posts(&host, VMBUS_MSG_CLOSE_CHANNEL), 1); /* it may be open there */
	IS_LATE(&host, golden_open_result);
	assert_int_equal(hvk_channel_state(host.channel), HVK_CHANNEL_CLOSED);

	host_go_golden(&host);
	be_silent(&host, VMBUS_MSG_GPADL_HEADER);
	hvk_gpadl_create(host.channel, 2, &gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_ETIMEDOUT_GPADL);
	IS_LATE(&host, golden_gpadl_created);
	assert_int_equal(gpadl.id, 0);

	host_go_golden(&host);
	hvk_gpadl_create(host.channel, 7, &gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_OK);
	be_silent(&host, VMBUS_MSG_GPADL_TEARDOWN);
	hvk_gpadl_teardown(&gpadl, &host.request);
	assert_int_equal(host_wait(&host), HVK_ETIMEDOUT_TEARDOWN);
	IS_LATE(&host, golden_gpadl_torndown);
	assert_int_equal(host_end(&host), 2 + 7); /* they are not had back, whatever it says */
}

/* --- The port -------------------------------------------------------------------------------- */

static void random_is_optional(void **state)
{
	struct host host;
	uint32_t value;

	(void)state;
	host_start(&host, 0); /* has none */
	assert_int_equal(hvk_random(host.hvk, &value, sizeof(value)), HVK_ELEVEL);
	assert_int_equal(host_end(&host), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_open),
		cmocka_unit_test(refused_gpadl),
		cmocka_unit_test(any_status_refuses),
		cmocka_unit_test(refused_contact),
		cmocka_unit_test(state_of_a_refused_version),
		cmocka_unit_test(returned_connection),
		cmocka_unit_test(unasked_messages),
		cmocka_unit_test(offer_of_another_device),
		cmocka_unit_test(rescind_twice),
		cmocka_unit_test(late_answers_of_the_bus),
		cmocka_unit_test(late_answers_of_a_channel),
		cmocka_unit_test(random_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
