/* SPDX-License-Identifier: MIT */
/* What the quirks of channels and rings do, each in its settings. */
#include "host_guest.h"
#include "hvkit_host/quirk.h"

static void begin(struct guest *guest, const char *profile, const char *quirk, const char *value)
{
	guest_create(guest, profile);
	assert_true(hvh_partition_set_quirk(guest->host, quirk, value, NULL, 0));
}

static void short_offer(void **state)
{
	struct guest guest;
	struct device device;
	(void)state;
	for (int on = 0; on < 2; on++) {
		begin(&guest, "ws2022", "short-offer", on ? "on" : "off");
		offered_at(&guest, &device, VMBUS_VERSION_0_13, false);
		assert_int_equal(guest.message_size, on ? 190 : 196);
		guest_destroy(&guest);
	}
}

/* What the offer says is what takes signals; the other number is nobody's. */
static void event_connections(void **state)
{
	static const uint8_t payload[8] = {1};
	struct guest guest;
	struct device device;
	(void)state;
	for (int qemu = 0; qemu < 2; qemu++) {
		uint32_t own = qemu ? 17 : 0x2001, other = qemu ? 0x2001 : 17;
		begin(&guest, "ws2022", "event-connections", qemu ? "16" : "0x2000");
		offered_at(&guest, &device, VMBUS_VERSION_5_3, false);
		assert_int_equal(message_word(&guest, 192), own);
		create_gpadl(&guest, 1, GPADL, PAGE_RING, RING_PAGES);
		struct vmbus_open_channel open = open_message(1);
		assert_int_equal(send_open(&guest, &open), 0);
		settle(&guest);
		send_packet(&guest, payload, 8, 1);
		assert_int_equal(signal_to(&guest, own), 0);
		settle(&guest);
		assert_int_equal(device.count, 1);
		assert_no_violation(&guest);
		assert_int_equal(signal_to(&guest, other), HV_STATUS_INVALID_CONNECTION_ID);
		assert_only_violation(&guest, HVH_V_SIGNAL);
		guest_destroy(&guest);
	}
}

/* Ids of twenty channels, in the order of their offers. */
static void take_ids(struct guest *guest, struct device *devices, uint32_t *ids)
{
	guest_start(guest);
	for (uint8_t n = 0; n < 20; n++)
		offer_device(guest, &devices[n], n, false);
	connect_at(guest, VMBUS_VERSION_5_3);
	post(guest, golden_request_offers, 8);
	for (uint32_t n = 0; n < 20; n++) {
		assert_true(take(guest, 0));
		assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
		ids[n] = message_word(guest, 184);
		assert_in_range(ids[n], 1, VMBUS_MAX_CHANNELS - 1);
		for (uint32_t m = 0; m < n; m++)
			assert_int_not_equal(ids[m], ids[n]);
	}
	assert_message(guest, 0, golden_all_offers_delivered);
}

static void channel_ids(void **state)
{
	static const char *const values[] = {"in-order", "with-gaps", "shuffled"};
	struct device devices[20];
	struct guest guest;
	(void)state;
	for (int n = 0; n < 3; n++) {
		uint32_t ids[20], rising = 0, gaps = 0;
		begin(&guest, "ws2022", "channel-ids", values[n]);
		take_ids(&guest, devices, ids);
		for (uint32_t i = 1; i < 20; i++) {
			rising += ids[i] > ids[i - 1];
			gaps += ids[i] != ids[i - 1] + 1;
		}
		assert_int_equal(rising == 19, n != 2);
		assert_int_equal(gaps > 0, n != 0);
		if (n == 0)
			assert_int_equal(ids[0], 1);
		guest_destroy(&guest);
	}
}

static void channel_id_reuse(void **state)
{
	struct device devices[20];
	struct guest guest;
	uint32_t ids[20];
	(void)state;
	for (int late = 0; late < 2; late++) {
		begin(&guest, "ws2022", "channel-id-reuse", late ? "late" : "at-once");
		take_ids(&guest, devices, ids);
		hvh_channel_rescind(devices[3].channel, guest.now);
		hvh_channel_offer_again(devices[3].channel, guest.now);
		settle(&guest);
		assert_true(take(&guest, 0));
		send_channel(&guest, VMBUS_MSG_RELID_RELEASED, 4);
		assert_true(take(&guest, 0));
		assert_int_equal(message_word(&guest, 184), late ? 21 : 4);
		guest_destroy(&guest);
	}
}

static void monitor(void **state)
{
	static const struct {
		const char *value;
		bool asked, monitored;
	} cases[] = {{"as-asked", true, true},
		     {"as-asked", false, false},
		     {"none", true, false},
		     {"all", false, true}};
	struct guest guest;
	struct device device;
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		begin(&guest, "ws2022", "monitor", cases[n].value);
		offered_at(&guest, &device, VMBUS_VERSION_5_3, cases[n].asked);
		assert_int_equal(guest.message[188], cases[n].monitored ? 0 : 0xff);
		assert_int_equal(guest.message[189], cases[n].monitored);
		guest_destroy(&guest);
	}
}

/* The guest sets the bit and makes no hypercall; the host looks when its time has come. */
static void monitor_latency(void **state)
{
	static const uint8_t payload[8] = {1};
	struct guest guest;
	struct device device;
	(void)state;
	for (uint32_t us = 100; us <= 10000; us *= 100) {
		begin(&guest, "ws2022", "monitor-latency", us == 100 ? "100" : "10000");
		opened_at(&guest, &device, VMBUS_VERSION_5_3, true);
		pass(&guest, 200 * MS);
		send_packet(&guest, payload, 8, 1);
		*word_at(&guest, ADDRESS(PAGE_MONITOR_OUT) + VMBUS_MONITOR_GROUP_OFFSET) = 1;
		uint64_t begun = guest.now;
		while (device.count == 0 && guest.now - begun < 1000 * MS)
			pass(&guest, MS / 10);
		assert_in_range((guest.now - begun) / 10, 1, us + 100);
		if (us == 10000)
			assert_true((guest.now - begun) / 10 >
				    200); /* a tenth of a millisecond would be luck */
		assert_int_equal(*word_at(&guest, ADDRESS(PAGE_MONITOR_OUT) + VMBUS_MONITOR_GROUP_OFFSET), 0);
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

static void rescind(void **state)
{
	struct guest guest;
	struct device device;
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 2);
	(void)state;
	for (int n = 0; n < 3; n++) {
		static const char *const values[] = {"off", "by-seed", "on"};
		unsigned gone = 0;
		begin(&guest, "ws2022", "rescind", values[n]);
		offered_at(&guest, &device, VMBUS_VERSION_5_3, false);
		hvh_fault_set(guest.host, HVH_FAULT_RESCIND, n == 0 ? 65536 : 0);
		for (unsigned turn = 0; turn < 2000; turn++) {
			send_gpadl(&guest, &header, PAGE_RING, 2);
			while (take(&guest, 0))
				gone += message_type(&guest) == VMBUS_MSG_RESCIND_OFFER;
			if (gone != 0)
				break;
			send_teardown(&guest, 1, GPADL);
			while (take(&guest, 0))
				gone += message_type(&guest) == VMBUS_MSG_RESCIND_OFFER;
		}
		assert_int_equal(gone != 0, n == 2);
		guest_destroy(&guest);
	}
}

static void gpadl_errors_answered(void **state)
{
	struct guest guest;
	struct device device;
	(void)state;
	for (int on = 0; on < 2; on++) {
		struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 2);
		begin(&guest, "ws2022", "gpadl-errors-answered", on ? "on" : "off");
		offered_at(&guest, &device, VMBUS_VERSION_5_3, false);
		header.byte_count = 0;
		send_gpadl(&guest, &header, PAGE_RING, 2);
		assert_int_equal(take(&guest, 0), on);
		if (on)
			assert_int_equal(message_word(&guest, 16), VMBUS_STATUS_FAILURE);
		assert_only_violation(&guest, HVH_V_GPADL_RANGE);
		guest_destroy(&guest);
	}
}

static void open_failure(void **state)
{
	struct guest guest;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	(void)state;
	for (uint32_t n = 0; n < 2; n++) {
		begin(&guest, "ws2022", "open-failure", n == 0 ? "0x8000ffff" : "1");
		offered_at(&guest, &device, VMBUS_VERSION_5_3, false);
		create_gpadl(&guest, 1, GPADL, PAGE_RING, RING_PAGES);
		device.refuse = true;
		assert_int_equal(send_open(&guest, &open), n == 0 ? VMBUS_STATUS_FAILURE : 1);
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

static void teardown_reply(void **state)
{
	static const struct {
		const char *value;
		uint32_t chance;
		bool prompt, ever;
	} cases[] = {{"by-seed", 0, true, true},
		     {"by-seed", 65536, false, true},
		     {"prompt", 65536, true, true},
		     {"slow", 0, false, true},
		     {"absent", 0, false, false}};
	struct guest guest;
	struct device device;
	(void)state;
	for (size_t n = 0; n < 5; n++) {
		begin(&guest, "ws2022", "teardown-reply", cases[n].value);
		opened_at(&guest, &device, VMBUS_VERSION_3_0, false);
		hvh_fault_set(guest.host, HVH_FAULT_SLOW_TEARDOWN, cases[n].chance);
		create_gpadl(&guest, 1, GPADL + 1, PAGE_RING + 16, 2);
		send_teardown(&guest, 1, GPADL + 1);
		assert_int_equal(take(&guest, 0), cases[n].prompt);
		pass(&guest, 60 * MS);
		assert_int_equal(take(&guest, 0), !cases[n].prompt && cases[n].ever);
		send_channel(&guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
		assert_int_equal(take(&guest, 0), !cases[n].ever); /* at close at the latest */
		assert_int_equal(message_type(&guest), VMBUS_MSG_GPADL_TORNDOWN);
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

static void first_signal_lost(void **state)
{
	static const struct {
		const char *value;
		uint32_t chance;
		bool lost;
	} cases[] = {{"by-seed", 0, false}, {"by-seed", 65536, true}, {"off", 65536, false}, {"on", 0, true}};
	static const uint8_t payload[8] = {1};
	struct guest guest;
	struct device device;
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		begin(&guest, "ws2022", "first-signal-lost", cases[n].value);
		opened_at(&guest, &device, VMBUS_VERSION_5_3, false);
		hvh_fault_set(guest.host, HVH_FAULT_LOST_FIRST_SIGNAL, cases[n].chance);
		assert_true(send_packet(&guest, payload, 8, 1));
		assert_int_equal(signal_to(&guest, 0x2001), 0);
		pass(&guest, 50 * MS);
		assert_int_equal(device.count, !cases[n].lost);
		pass(&guest, 60 * MS); /* made good */
		assert_int_equal(device.count, 1);
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

static bool write_one(struct guest *guest, struct device *device)
{
	static const uint8_t payload[504];
	return hvh_channel_write(device->channel, guest->now, VMBUS_PACKET_IN_BAND, false, 1, NULL, 0,
				 payload, sizeof(payload), NULL, 0);
}

/* Without the bit no guest that tests it will tell of room: the host looks by itself. */
static void pending_feature(void **state)
{
	struct guest guest;
	struct device device;
	(void)state;
	for (int on = 0; on < 2; on++) {
		begin(&guest, "ws2022", "pending-feature", on ? "on" : "off");
		opened_at(&guest, &device, VMBUS_VERSION_5_3, false);
		assert_int_equal(*word_at(&guest, OUT_CONTROL + VMBUS_RING_FEATURES), on);
		pass(&guest, 200 * MS);
		unsigned runs = device.runs;
		while (write_one(&guest, &device))
			;
		pass(&guest, 10 * MS);
		assert_int_equal(device.runs > runs, !on);
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

/* The guest asks for room without the bit: who requires it does not signal. */
static void pending_feature_required(void **state)
{
	static const uint8_t payload[8] = {1};
	struct guest guest;
	struct device device;
	(void)state;
	for (int on = 0; on < 2; on++) {
		begin(&guest, "ws2022", "pending-feature-required", on ? "on" : "off");
		opened_at(&guest, &device, VMBUS_VERSION_5_3, false);
		pass(&guest, 200 * MS);
		for (unsigned n = 0; n < 100; n++)
			send_packet(&guest, payload, 8, n);
		*word_at(&guest, IN_CONTROL + VMBUS_RING_FEATURES) = 0;
		*word_at(&guest, IN_CONTROL + VMBUS_RING_PENDING_SEND_SIZE) = 2000;
		signal_to(&guest, 0x2001);
		settle(&guest);
		assert_int_equal(device.count, 100);
		assert_int_equal(event_set(&guest, 0, 1), !on);
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

/* A host that does not know the feature tells of no room, and hosts below 2.4 do not (Linux). */
static void pending_feature_unknown(void **state)
{
	static const char *const hosts[] = {"ws2008", "ws2008r2", "ws2012"};
	static const uint32_t versions[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4};
	static const uint8_t payload[8] = {1};
	struct guest guest;
	struct device device;
	(void)state;
	for (int n = 0; n < 3; n++) {
		guest_create(&guest, hosts[n]);
		opened_at(&guest, &device, versions[n], false);
		assert_int_equal(*word_at(&guest, OUT_CONTROL + VMBUS_RING_FEATURES), n == 2);
		pass(&guest, 200 * MS);
		memset(guest.memory + ADDRESS(PAGE_SIEFP), 0, HVK_PAGE_SIZE);
		for (unsigned m = 0; m < 100; m++)
			send_packet(&guest, payload, 8, m);
		*word_at(&guest, IN_CONTROL + VMBUS_RING_FEATURES) = VMBUS_RING_FEATURE_PENDING_SEND_SIZE;
		*word_at(&guest, IN_CONTROL + VMBUS_RING_PENDING_SEND_SIZE) = 2000;
		hvh_channel_kick(device.channel);
		settle(&guest);
		assert_int_equal(device.count, 100);
		assert_int_equal(event_set(&guest, 0, n < 2 ? 0 : 1), n == 2);
		guest_destroy(&guest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_offer),
		cmocka_unit_test(event_connections),
		cmocka_unit_test(channel_ids),
		cmocka_unit_test(channel_id_reuse),
		cmocka_unit_test(monitor),
		cmocka_unit_test(monitor_latency),
		cmocka_unit_test(rescind),
		cmocka_unit_test(gpadl_errors_answered),
		cmocka_unit_test(open_failure),
		cmocka_unit_test(teardown_reply),
		cmocka_unit_test(first_signal_lost),
		cmocka_unit_test(pending_feature),
		cmocka_unit_test(pending_feature_unknown),
		cmocka_unit_test(pending_feature_required),
	};
	return cmocka_run_group_tests_name("host_quirks_bus", tests, NULL, NULL);
}
