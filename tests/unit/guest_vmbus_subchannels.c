/* SPDX-License-Identifier: MIT */
/* Sub-channels: what a host may offer, who is told, what is given back, in every order. */
#include "tests/unit/guest_vmbus_host.h"

#define SUBCHANNEL_INDEX 180u /* offsets in an offer */
#define CHANNEL_ID 184u
#define INSTANCE 24u

struct driver {
	struct host host;
	struct hvk_channel *last;
	uint32_t told, gone, gone_before_primary;
};

static void told(void *context, struct hvk_channel *primary, struct hvk_channel *subchannel)
{
	struct driver *driver = context;

	assert_ptr_equal(hvk_channel_primary(subchannel), primary);
	assert_ptr_equal(hvk_channel_primary(primary), primary);
	driver->told++;
	driver->last = subchannel;
}

static void gone(void *context, struct hvk_channel *primary, struct hvk_channel *subchannel)
{
	struct driver *driver = context;

	assert_ptr_equal(hvk_channel_primary(subchannel), primary);
	driver->gone++;
	driver->gone_before_primary += driver->host.gone == 0;
}

static void offer(struct host *host, uint32_t id, uint16_t index, uint8_t instance)
{
	uint8_t bytes[sizeof(golden_offer_channel)];

	memcpy(bytes, golden_offer_channel, sizeof(bytes));
	memcpy(bytes + SUBCHANNEL_INDEX, &index, sizeof(index));
	put_word(bytes, CHANNEL_ID, id);
	bytes[INSTANCE] ^= instance;
	HOST_SAY(host, bytes);
	host_poll(host);
}

static void rescind(struct host *host, uint32_t id)
{
	HOST_SAY_WITH(host, golden_rescind_offer, 8, id);
	host_poll(host);
}

static bool released(const struct host *host, uint32_t id)
{
	const struct host_post *post;

	for (uint32_t n = 0; (post = host_post(host, VMBUS_MSG_RELID_RELEASED, n)) != NULL; n++) {
		if (get_word(post->bytes, 8) == id)
			return true;
	}
	return false;
}

/* Connected, the primary claimed with hooks, and open if wanted. */
static void begin(struct driver *driver, bool open)
{
	const struct hvk_subchannel_hooks hooks = {told, gone, driver};
	struct host *host = &driver->host;

	*driver = (struct driver){0};
	host_start(host, 0);
	assert_int_equal(host_connect(host), HVK_OK);
	assert_int_equal(hvk_channel_claim(host->channel), HVK_OK);
	assert_int_equal(hvk_channel_set_subchannel_hooks(host->channel, &hooks), HVK_OK);
	if (open)
		assert_int_equal(host_open(host), HVK_OK);
}

static hvk_status open_it(struct host *host, struct hvk_channel *channel)
{
	hvk_channel_open(channel, &host->channel_config, &host->request);
	return host_wait(host);
}

static void end(struct driver *driver)
{
	if (driver->host.channel)
		hvk_channel_unclaim(driver->host.channel);
	assert_int_equal(host_end(&driver->host), 0);
}

/* --- What is refused -------------------------------------------------------------------- */

static void refused_offers_are_given_back(void **state)
{
	static const struct {
		uint16_t index;
		uint8_t instance;
		hvk_status fault;
	} offers[] = {
		{1, 7, HVK_EHOST_ID},        /* of a device that is not there */
		{0, 0, HVK_EHOST_DUPLICATE}, /* the device again */
		{2, 0, HVK_EHOST_DUPLICATE}, /* the sub-channel again */
	};
	struct driver driver;
	struct host *host = &driver.host;

	(void)state;
	for (uint32_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		begin(&driver, false);
		offer(host, 6, 2, 0);
		assert_int_equal(driver.told, 1);
		offer(host, 9, offers[i].index, offers[i].instance);
		assert_int_equal(host_fault_count(host, offers[i].fault), 1);
		assert_int_equal(host_faults(host), 1);
		offer(host, 9, 3, 0); /* the id is the host's still */
		assert_int_equal(host_faults(host), 2);
		assert_int_equal(host_posts(host, VMBUS_MSG_RELID_RELEASED), 0);
		rescind(host, 9);
		assert_true(released(host, 9));
		assert_int_equal(host_faults(host), 2);
		rescind(host, 9); /* it has it */
		assert_int_equal(host_fault_count(host, HVK_EHOST_ID), 1 + (i == 0));
		assert_int_equal(host_posts(host, VMBUS_MSG_RELID_RELEASED), 1);
		offer(host, 9, 3, 0); /* and may use it again */
		assert_int_equal(driver.told, 2);
		assert_int_equal(driver.host.offered, 1);
		rescind(host, 9);
		rescind(host, 6);
		assert_int_equal(driver.gone, 2);
		end(&driver);
	}
}

static void so_many_and_no_more(void **state)
{
	struct driver driver;
	struct host *host = &driver.host;

	(void)state;
	begin(&driver, false);
	for (uint32_t i = 1; i <= HVK_SUBCHANNELS_MAX; i++)
		offer(host, 100 + i, (uint16_t)(i * 3), 0);
	assert_int_equal(driver.told, HVK_SUBCHANNELS_MAX);
	assert_int_equal(host_faults(host), 0);
	offer(host, 1000, 1, 0);
	assert_int_equal(driver.told, HVK_SUBCHANNELS_MAX);
	assert_int_equal(host_faults(host), 1);
	rescind(host, 1000);
	assert_true(released(host, 1000));
	rescind(host, 101);
	assert_true(released(host, 101));
	offer(host, 1000, 1, 0); /* there is room again */
	assert_int_equal(driver.told, HVK_SUBCHANNELS_MAX + 1);
	end(&driver);
}

/* Below 2.4 no device has any, and the bytes may be anything. */
static void old_offers_have_no_index(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4};
	struct driver driver;
	struct host *host = &driver.host;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		driver = (struct driver){0};
		host_start(host, 0);
		host->oldest_try = versions[i];
		host->newest_try = versions[i];
		assert_int_equal(host_connect(host), HVK_OK);
		offer(host, 6, 7, 1); /* of no device that is there */
		assert_int_equal(host->offered, versions[i] == VMBUS_VERSION_2_4 ? 1 : 2);
		assert_int_equal(host_faults(host), versions[i] == VMBUS_VERSION_2_4);
		(void)host_end(host);
	}
}

/* --- Who is told --------------------------------------------------------------------------- */

static void hooks_are_the_holder_s(void **state)
{
	struct driver driver;
	struct hvk_subchannel_hooks hooks = {told, gone, &driver};
	struct host *host = &driver.host;

	(void)state;
	driver = (struct driver){0};
	host_start(host, 0);
	assert_int_equal(host_connect(host), HVK_OK);
	assert_int_equal(hvk_channel_set_subchannel_hooks(host->channel, &hooks), HVK_ESTATE);
	offer(host, 6, 2, 0);
	offer(host, 7, 1, 0);
	assert_int_equal(driver.told, 0);
	assert_int_equal(host->offered, 1); /* they are no devices */
	assert_int_equal(hvk_channel_claim(host->channel), HVK_OK);
	assert_int_equal(hvk_channel_set_subchannel_hooks(host->channel, &hooks), HVK_OK);
	host_poll(host);
	assert_int_equal(driver.told, 2);
	assert_int_equal(hvk_channel_set_subchannel_hooks(driver.last, &hooks), HVK_EINVAL);
	assert_int_equal(hvk_channel_offer(hvk_channel_next_subchannel(host->channel, NULL))->channel_id, 7);
	assert_int_equal(hvk_channel_set_subchannel_hooks(host->channel, NULL), HVK_OK);
	rescind(host, 6);
	assert_int_equal(driver.gone, 0);
	assert_true(released(host, 6));
	assert_int_equal(hvk_channel_set_subchannel_hooks(host->channel, &hooks), HVK_OK);
	host_poll(host);
	assert_int_equal(driver.told, 3); /* to the new ones, once more */
	hvk_channel_unclaim(host->channel);
	rescind(host, 7);
	assert_int_equal(driver.gone, 0);
	assert_int_equal(host_end(host), 0);
}

/* Who was told of one is told of its end, though the hooks were set anew just before; who
 * was not, because another held the primary then, is not. */
static void hooks_set_anew_and_a_rescind(void **state)
{
	struct driver driver;
	const struct hvk_subchannel_hooks hooks = {told, gone, &driver};
	struct host *host = &driver.host;

	(void)state;
	begin(&driver, false);
	offer(host, 6, 1, 0);
	offer(host, 7, 2, 0);
	assert_int_equal(driver.told, 2);
	assert_int_equal(hvk_channel_set_subchannel_hooks(host->channel, &hooks), HVK_OK);
	rescind(host, 6);
	assert_int_equal(driver.gone, 1);
	hvk_channel_unclaim(host->channel);
	driver.told = 0;
	assert_int_equal(hvk_channel_claim(host->channel), HVK_OK);
	assert_int_equal(hvk_channel_set_subchannel_hooks(host->channel, &hooks), HVK_OK);
	rescind(host, 7);
	assert_int_equal(driver.told, 0);
	assert_int_equal(driver.gone, 1);
	end(&driver);
}

/* --- Orders ---------------------------------------------------------------------------------- */

static void open_with_the_primary_only(void **state)
{
	struct driver driver;
	struct host *host = &driver.host;

	(void)state;
	begin(&driver, false);
	offer(host, 6, 1, 0);
	assert_int_equal(open_it(host, driver.last), HVK_ESTATE);
	assert_int_equal(host_open(host), HVK_OK);
	assert_int_equal(open_it(host, driver.last), HVK_OK);
	assert_int_equal(host_close(host), HVK_OK);
	assert_int_equal(hvk_channel_state(driver.last), HVK_CHANNEL_CLOSED);
	assert_int_equal(get_word(host_post(host, VMBUS_MSG_CLOSE_CHANNEL, 0)->bytes, 8), 6);
	assert_int_equal(get_word(host_post(host, VMBUS_MSG_CLOSE_CHANNEL, 1)->bytes, 8), 5);
	assert_int_equal(open_it(host, driver.last), HVK_ESTATE);
	end(&driver);
}

/* A host that takes the device back and forgets its sub-channels still has what they share:
 * they are closed as ever, and gone for the driver. */
static void a_primary_goes_alone(void **state)
{
	struct driver driver;
	struct host *host = &driver.host;
	struct hvk_channel *primary;

	(void)state;
	begin(&driver, true);
	primary = host->channel;
	offer(host, 6, 1, 0);
	assert_int_equal(hvk_channel_claim(driver.last), HVK_OK);
	assert_int_equal(open_it(host, driver.last), HVK_OK);
	rescind(host, 5);
	assert_true(hvk_channel_rescinded(driver.last));
	assert_int_equal(hvk_channel_state(driver.last), HVK_CHANNEL_RESCINDED);
	assert_int_equal(host_close(host), HVK_OK);
	assert_int_equal(host_posts(host, VMBUS_MSG_CLOSE_CHANNEL), 1); /* not the primary's */
	assert_int_equal(get_word(host_post(host, VMBUS_MSG_CLOSE_CHANNEL, 0)->bytes, 8), 6);
	assert_int_equal(host_posts(host, VMBUS_MSG_GPADL_TEARDOWN), 1);
	assert_int_equal(open_it(host, driver.last), HVK_EGONE);
	assert_int_equal(driver.gone, 0);
	hvk_channel_unclaim(driver.last);
	host_poll(host);
	assert_int_equal(driver.gone, 1);
	hvk_channel_unclaim(primary);
	host_poll(host);
	assert_null(host->channel);
	assert_int_equal(driver.gone_before_primary, 1);
	assert_true(released(host, 5));
	assert_false(released(host, 6)); /* it was not asked for */
	rescind(host, 6);
	assert_true(released(host, 6));
	assert_int_equal(host_faults(host), 0);
	assert_int_equal(host_end(host), 0);
}

static void a_claim_keeps_both(void **state)
{
	struct driver driver;
	struct host *host = &driver.host;
	struct hvk_channel *primary;

	(void)state;
	begin(&driver, false);
	primary = host->channel;
	offer(host, 6, 1, 0);
	assert_int_equal(hvk_channel_claim(driver.last), HVK_OK);
	rescind(host, 6);
	rescind(host, 5);
	hvk_channel_unclaim(primary);
	host_poll(host);
	assert_int_equal(host->gone, 0);
	assert_false(released(host, 5));
	hvk_channel_unclaim(driver.last);
	host_poll(host);
	assert_int_equal(host->gone, 1);
	assert_true(released(host, 5));
	assert_true(released(host, 6));
	offer(host, 5, 0, 0); /* the device comes back, with both ids */
	offer(host, 6, 1, 0);
	assert_int_equal(host->offered, 2);
	assert_int_equal(host_faults(host), 0);
	assert_int_equal(host_end(host), 0);
}

static void none_survives_a_suspend(void **state)
{
	struct driver driver;
	struct host *host = &driver.host;
	struct hvk_channel *primary;

	(void)state;
	begin(&driver, false);
	primary = host->channel;
	offer(host, 6, 1, 0);
	hvk_vmbus_suspend(host->hvk, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	assert_int_equal(driver.gone, 1);
	assert_int_equal(host->gone, 0);
	hvk_vmbus_resume(host->hvk, &host->request);
	assert_int_equal(host_wait(host), HVK_OK);
	assert_ptr_equal(host->channel, primary);
	assert_null(hvk_channel_next_subchannel(primary, NULL));
	offer(host, 8, 1, 0); /* asked for anew */
	assert_int_equal(driver.told, 2);
	end(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_offers_are_given_back), cmocka_unit_test(so_many_and_no_more),
		cmocka_unit_test(old_offers_have_no_index),      cmocka_unit_test(hooks_are_the_holder_s),
		cmocka_unit_test(hooks_set_anew_and_a_rescind),  cmocka_unit_test(open_with_the_primary_only),
		cmocka_unit_test(a_primary_goes_alone),          cmocka_unit_test(a_claim_keeps_both),
		cmocka_unit_test(none_survives_a_suspend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
