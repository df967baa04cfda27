/* SPDX-License-Identifier: MIT */
/* Rings: what the host checks in them, when each side is to signal, and waiting for room. */
#include "host_guest.h"

#define FLAG 1u /* the channel's event flag */

static struct device device;

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static void restart(struct guest *guest)
{
	guest_destroy(guest);
	guest_create(guest, "ws2022");
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
}

static uint32_t in_word(struct guest *guest, uint32_t offset)
{
	return *word_at(guest, IN_CONTROL + offset);
}

static uint32_t out_word(struct guest *guest, uint32_t offset)
{
	return *word_at(guest, OUT_CONTROL + offset);
}

static bool host_sends(struct guest *guest, uint32_t length, uint64_t id)
{
	static const uint8_t payload[4096] = {0x11, 0x22};
	return hvh_channel_write(device.channel, guest->now, VMBUS_PACKET_IN_BAND, false, id, NULL, 0,
				 payload, length, NULL, 0);
}

/* --- Guest to host ------------------------------------------------------------------ */

static void a_packet_arrives_once_and_whole(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[24] = {1, 2, 3, [23] = 9};
	assert_true(send_packet(guest, payload, sizeof(payload), 0x1122334455667788));
	assert_int_equal(signal_to(guest, 0x2001), 0);
	settle(guest);
	assert_int_equal(device.count, 1);
	assert_int_equal(device.packets[0].descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_true(device.packets[0].descriptor.transaction_id == 0x1122334455667788);
	assert_int_equal(device.packets[0].payload_length, 24);
	assert_memory_equal(device.bytes[0], payload, 24);
	assert_int_equal(in_word(guest, VMBUS_RING_READ_INDEX), 48);
	assert_no_violation(guest);
}

static void packets_wrap_around(void **state)
{
	struct guest *guest = *state;
	uint8_t payload[488];
	for (uint32_t n = 0; n < 40; n++) {
		memset(payload, (int)n + 1, sizeof(payload));
		assert_true(send_packet(guest, payload, sizeof(payload), n));
		signal_to(guest, 0x2001);
		settle(guest);
		assert_int_equal(device.count, n + 1);
		assert_int_equal(device.bytes[n][0], n + 1);
		assert_int_equal(device.bytes[n][487], n + 1);
	}
	assert_no_violation(guest);
}

static void the_host_masks_while_it_works(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[8] = {1};
	assert_int_equal(in_word(guest, VMBUS_RING_INTERRUPT_MASK), 0); /* idle: open has run once */
	device.read_limit = 1;
	for (uint64_t n = 0; n < 3; n++)
		send_packet(guest, payload, sizeof(payload), n);
	signal_to(guest, 0x2001);
	assert_true(hvh_run(guest->host, guest->now));
	assert_int_equal(in_word(guest, VMBUS_RING_INTERRUPT_MASK), 1);
	settle(guest);
	assert_int_equal(in_word(guest, VMBUS_RING_INTERRUPT_MASK), 0);
	assert_int_equal(device.count, 3);
	assert_no_violation(guest);
}

struct bad_packet {
	const char *name;
	struct vmbus_packet_descriptor descriptor;
	uint32_t written; /* bytes published; 0: as the descriptor says */
	enum hvh_violation_kind kind;
};

static void corrupt_packets_stop_the_worker(void **state)
{
	struct guest *guest = *state;
	static const struct bad_packet cases[] = {
		{"header below 16", {6, 1, 3, 0, 1}, 0, HVH_V_PACKET},
		{"header beyond the packet", {6, 4, 3, 0, 1}, 0, HVH_V_PACKET},
		{"length 0", {6, 2, 0, 0, 1}, 24, HVH_V_PACKET},
		{"longer than written", {6, 2, 9, 0, 1}, 32, HVH_V_PACKET},
		{"no room for the trailer", {6, 2, 4, 0, 1}, 32, HVH_V_PACKET},
		{"65535", {6, 2, 65535, 0, 1}, 48, HVH_V_PACKET},
		{"16 bytes", {6, 2, 3, 0, 1}, 16, HVH_V_PACKET},
		{"cancellation", {10, 2, 3, 0, 1}, 0, HVH_V_PACKET_TYPE},
		{"type 0", {0, 2, 3, 0, 1}, 0, HVH_V_PACKET_TYPE},
		{"flag 2", {6, 2, 3, 2, 1}, 0, HVH_V_PACKET_FLAGS},
		{"GPA-direct without ranges", {9, 3, 4, 1, 1}, 0, HVH_V_PACKET},
		{"GPA-direct without header", {9, 2, 3, 1, 1}, 0, HVH_V_PACKET},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const struct bad_packet *c = &cases[n];
		static const uint8_t zeros[64];
		print_message("%s\n", c->name);
		restart(guest);
		uint32_t rest = c->descriptor.length8 >= 2 && c->descriptor.length8 < 10
					? c->descriptor.length8 * 8u - 16
					: 0;
		uint32_t write = put_packet(guest, 0, &c->descriptor, zeros, rest);
		*word_at(guest, IN_CONTROL) = c->written != 0 ? c->written : write;
		signal_to(guest, 0x2001);
		settle(guest);
		assert_int_equal(device.count, 0);
		assert_int_equal(device.last, HVH_READ_CORRUPT);
		assert_only_violation(guest, c->kind);
		assert_false(host_sends(guest, 8, 1)); /* nothing works any more */
		unsigned runs = device.runs;
		signal_to(guest, 0x2001);
		settle(guest);
		assert_int_equal(device.runs, runs);
		/* ... until it is closed and opened again. */
		send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
		memset(guest->memory + IN_CONTROL, 0, 4 * HVK_PAGE_SIZE);
		struct vmbus_open_channel open = open_message(1);
		assert_int_equal(send_open(guest, &open), 0);
		assert_true(host_sends(guest, 8, 1));
	}
}

static void indices_beyond_the_ring_are_corrupt(void **state)
{
	struct guest *guest = *state;
	static const uint32_t bad[] = {RING_BYTES, 0xfffffff8, 4, 0x80000000};
	for (size_t n = 0; n < 4; n++) {
		restart(guest);
		*word_at(guest, IN_CONTROL) = bad[n];
		signal_to(guest, 0x2001);
		settle(guest);
		assert_only_violation(guest, HVH_V_RING_INDEX);
		restart(guest);
		*word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX) = bad[n];
		assert_false(host_sends(guest, 8, 1));
		assert_only_violation(guest, HVH_V_RING_INDEX);
	}
}

static void a_wrong_trailer_is_noted_and_the_packet_taken(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[8] = {1};
	send_packet(guest, payload, sizeof(payload), 1);
	*word_at(guest, IN_DATA + 24 + 4) = 8;
	signal_to(guest, 0x2001);
	settle(guest);
	assert_int_equal(device.count, 1);
	assert_only_violation(guest, HVH_V_TRAILER);
}

static void non_zero_padding_of_a_page_list_is_noted(void **state)
{
	struct guest *guest = *state;
	static const struct vmbus_packet_descriptor descriptor = {9, 5, 5, 1, 1};
	static const uint32_t rest[6] = {7, 1, 8, 0, 0x30, 0};
	*word_at(guest, IN_CONTROL) = put_packet(guest, 0, &descriptor, rest, sizeof(rest));
	signal_to(guest, 0x2001);
	settle(guest);
	assert_int_equal(device.count, 1);
	assert_only_violation(guest, HVH_V_PACKET_PADDING);
}

static void overfilling_is_found(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[488];
	device.keep_reading_off = true; /* the read index stays at 0 */
	for (int n = 0; n < 7; n++)
		send_packet(guest, payload, sizeof(payload), 1); /* 3584 of 4096 */
	signal_to(guest, 0x2001);
	settle(guest);
	device.keep_reading_off = false;
	device.read_limit = 1;
	hvh_channel_kick(device.channel);
	hvh_run(guest->host, guest->now); /* has seen 3584, and read 512 of them */
	assert_int_equal(device.count, 1);
	*word_at(guest, IN_CONTROL) = 520; /* 1032 more: the read index is overtaken */
	settle(guest);
	assert_only_violation(guest, HVH_V_RING_FULL);
}

static void filling_up_to_the_read_index_is_found(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[488];
	device.read_limit = 1;
	for (int n = 0; n < 7; n++)
		send_packet(guest, payload, sizeof(payload), 1);
	signal_to(guest, 0x2001);
	hvh_run(guest->host, guest->now);
	assert_int_equal(in_word(guest, VMBUS_RING_READ_INDEX), 512);
	*word_at(guest, IN_CONTROL) = 504; /* 8 bytes are left free: allowed */
	hvh_run(guest->host, guest->now);
	assert_no_violation(guest);
	restart(guest);
	device.read_limit = 1;
	for (int n = 0; n < 7; n++)
		send_packet(guest, payload, sizeof(payload), 1);
	signal_to(guest, 0x2001);
	hvh_run(guest->host, guest->now);
	*word_at(guest, IN_CONTROL) = 512; /* none is */
	hvh_run(guest->host, guest->now);
	assert_only_violation(guest, HVH_V_RING_FULL);
}

static void filling_the_last_byte_is_found(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[8] = {1}, large[RING_BYTES - 24];
	send_packet(guest, payload, sizeof(payload), 1);
	signal_to(guest, 0x2001);
	settle(guest);
	static const struct vmbus_packet_descriptor descriptor = {6, 2, RING_BYTES / 8 - 1, 0, 1};
	uint32_t write = put_packet(guest, 32, &descriptor, large, sizeof(large));
	assert_int_equal(write, 32); /* looks empty */
	hvh_channel_kick(device.channel);
	settle(guest);
	assert_only_violation(guest, HVH_V_RING_FULL);
}

static void the_largest_packet_that_fits_is_fine(void **state)
{
	struct guest *guest = *state;
	static const uint8_t large[RING_BYTES - 32];
	static const struct vmbus_packet_descriptor descriptor = {6, 2, RING_BYTES / 8 - 2, 0, 1};
	device.keep_reading_off = true;
	*word_at(guest, IN_CONTROL) = put_packet(guest, 0, &descriptor, large, sizeof(large));
	signal_to(guest, 0x2001);
	settle(guest);
	struct hvh_packet packet;
	assert_int_equal(hvh_channel_read(device.channel, guest->now, &packet), HVH_READ_PACKET);
	assert_int_equal(packet.payload_length, RING_BYTES - 32 - 8 + 8);
	assert_int_equal(hvh_channel_read(device.channel, guest->now, &packet), HVH_READ_EMPTY);
	assert_no_violation(guest);
}

/* --- Page lists ------------------------------------------------------------------------- */

static void page_lists_are_read_in_order(void **state)
{
	struct guest *guest = *state;
	static const struct vmbus_packet_descriptor descriptor = {9, 8, 9, 1, 1};
	struct {
		uint32_t zero, count;
		struct vmbus_gpa_range first;
		uint64_t first_pfns[2];
		struct vmbus_gpa_range second;
		uint64_t second_pfn;
		uint64_t payload;
	} rest = {0, 2, {100, 4090}, {0x50, 0x60}, {16, 8}, 0x70, 5};
	uint8_t bytes[116];
	uint32_t size = 0;
	struct hvh_packet packet;
	for (uint32_t n = 0; n < 6; n++)
		guest->memory[ADDRESS(0x50) + 4090 + n] = (uint8_t)(1 + n);
	for (uint32_t n = 6; n < 100; n++)
		guest->memory[ADDRESS(0x60) + n - 6] = (uint8_t)(1 + n);
	for (uint32_t n = 0; n < 16; n++)
		guest->memory[ADDRESS(0x70) + 8 + n] = (uint8_t)(101 + n);
	device.keep_reading_off = true;
	*word_at(guest, IN_CONTROL) = put_packet(guest, 0, &descriptor, &rest, sizeof(rest));
	assert_int_equal(hvh_channel_read(device.channel, guest->now, &packet), HVH_READ_PACKET);
	assert_int_equal(packet.extension_length, 48);
	assert_int_equal(packet.payload_length, 8);
	assert_true(hvh_packet_external_size(device.channel, &packet, &size));
	assert_int_equal(size, 116);
	assert_true(hvh_packet_external_read(device.channel, &packet, 0, bytes, 116));
	for (uint32_t n = 0; n < 116; n++)
		assert_int_equal(bytes[n], 1 + n);
	assert_true(hvh_packet_external_read(device.channel, &packet, 99, bytes, 2));
	assert_int_equal(bytes[0], 100);
	assert_int_equal(bytes[1], 101);
	assert_no_violation(guest);
	assert_false(hvh_packet_external_read(device.channel, &packet, 100, bytes, 17));
	assert_only_violation(guest, HVH_V_PACKET);
	guest->gone[0x70] = true;
	assert_false(hvh_packet_external_read(device.channel, &packet, 100, bytes, 16));
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_MEMORY);
}

static void page_lists_that_do_not_parse(void **state)
{
	struct guest *guest = *state;
	static const uint32_t cases[][6] = {
		{0, 2, 8, 0, 0x30, 0},          /* two ranges announced, one there */
		{0, 0x7fffffff, 8, 0, 0x30, 0}, /* very many */
		{0, 1, 4097, 0, 0x30, 0},       /* two pages, one number */
		{0, 1, 0xffffffff, 4095, 0x30, 0},
		{0, 1, 0, 0, 0x30, 0},
		{0, 1, 8, 4096, 0x30, 0},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		static const struct vmbus_packet_descriptor descriptor = {9, 5, 5, 1, 1};
		struct hvh_packet packet;
		uint32_t size;
		restart(guest);
		device.keep_reading_off = true;
		*word_at(guest, IN_CONTROL) = put_packet(guest, 0, &descriptor, cases[n], sizeof(cases[n]));
		assert_int_equal(hvh_channel_read(device.channel, guest->now, &packet), HVH_READ_PACKET);
		assert_false(hvh_packet_external_size(device.channel, &packet, &size));
		assert_only_violation(guest, HVH_V_PACKET);
	}
}

/* --- Signals of the guest ---------------------------------------------------------------- */

static void a_signal_without_reason_is_a_violation(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[8] = {1};
	assert_true(send_packet(guest, payload, sizeof(payload), 1));
	assert_int_equal(signal_to(guest, 0x2001), 0);
	assert_no_violation(guest);
	assert_false(send_packet(guest, payload, sizeof(payload), 2)); /* not empty: no signal wanted */
	assert_int_equal(signal_to(guest, 0x2001), 0);
	assert_only_violation(guest, HVH_V_SIGNAL_UNNEEDED);
	settle(guest);
	assert_int_equal(device.count, 2);
	signal_to(guest, 0x2001); /* nothing written at all */
	assert_int_equal(violations(guest), 2);
}

static void a_guest_that_ignores_the_mask_is_found(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[8] = {1};
	device.read_limit = 1;
	send_packet(guest, payload, sizeof(payload), 1);
	signal_to(guest, 0x2001);
	for (int n = 0; n < 6; n++) {
		hvh_run(guest->host, guest->now); /* empties the ring, stays masked */
		assert_int_equal(in_word(guest, VMBUS_RING_INTERRUPT_MASK), 1);
		assert_false(send_packet(guest, payload, sizeof(payload), 1));
		signal_to(guest, 0x2001);
	}
	assert_true(violations(guest) >= 2);
	assert_int_equal(hvh_violation_get(guest->host, 0)->kind, HVH_V_SIGNAL_UNNEEDED);
}

/* CPU A writes and is late with its signal; the host reads meanwhile; CPU B writes into
 * the empty ring and signals; then A signals. Both were right. */
static void signals_that_cross_are_innocent(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[8] = {1};
	assert_true(send_packet(guest, payload, sizeof(payload), 1)); /* A */
	hvh_channel_kick(device.channel);
	settle(guest);
	assert_int_equal(device.count, 1);
	assert_true(send_packet(guest, payload, sizeof(payload), 2)); /* B */
	signal_to(guest, 0x2001);
	settle(guest);
	signal_to(guest, 0x2001); /* A's */
	assert_no_violation(guest);
	signal_to(guest, 0x2001);
	assert_only_violation(guest, HVH_V_SIGNAL_UNNEEDED);
}

/* A random guest of two CPUs that keeps the rules, with arbitrary delays between each
 * publish and its check and between check and hypercall, and a host that runs at any
 * time: never a violation, and nothing is left lying. */
struct sender {
	int step; /* 0 idle, 1 published, 2 mask read, 3 must signal */
	uint32_t start;
	bool unmasked;
};

static void sender_step(struct guest *guest, struct sender *sender, uint64_t *sent)
{
	static const uint8_t payload[64] = {1};
	uint32_t length = 8 * (1 + hvh_choose(guest->host, 8));
	uint32_t write = in_word(guest, 0), read = in_word(guest, VMBUS_RING_READ_INDEX);
	uint32_t used = (write + RING_BYTES - read) % RING_BYTES;
	switch (sender->step) {
	case 0:
		if (RING_BYTES - used <= length + 24)
			break;
		sender->start = write;
		send_packet(guest, payload, length, ++*sent);
		sender->step = 1;
		break;
	case 1:
		sender->unmasked = in_word(guest, VMBUS_RING_INTERRUPT_MASK) == 0;
		sender->step = 2;
		break;
	case 2:
		sender->step = sender->unmasked && read == sender->start ? 3 : 0;
		break;
	default:
		signal_to(guest, 0x2001);
		sender->step = 0;
		break;
	}
}

static void a_rule_abiding_guest_never_violates(void **state)
{
	struct guest *guest = *state;
	struct sender senders[2] = {{0}, {0}};
	uint64_t sent = 0, received = 0;
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_SIGNAL, 8192);
	for (uint32_t n = 0; n < 200000; n++) {
		uint32_t what = hvh_choose(guest->host, 8);
		if (what < 6) {
			sender_step(guest, &senders[what % 2], &sent);
		} else {
			device.read_limit = hvh_choose(guest->host, 3);
			guest->now += hvh_choose(guest->host, 2000);
			hvh_run(guest->host, guest->now);
			received += device.count;
			device.count = 0;
		}
		assert_no_violation(guest);
	}
	for (uint32_t n = 0; n < 100; n++) {
		if (senders[0].step != 0)
			sender_step(guest, &senders[0], &sent);
		if (senders[1].step != 0)
			sender_step(guest, &senders[1], &sent);
	}
	device.read_limit = 0;
	pass(guest, HVH_TIME_PER_SECOND); /* signals alone must have brought everything in */
	assert_int_equal(received + device.count, sent);
	assert_true(hvh_fault_count(guest->host, HVH_FAULT_DELAY_SIGNAL) > 0);
}

/* The guest publishes while the host is about to unmask: it saw the mask and does not
 * signal, so the host must look again. */
static bool armed;

static void *unmasking_translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	static const uint8_t payload[8] = {1};
	struct guest *guest = context;
	if (armed && write && gpa == IN_CONTROL + VMBUS_RING_INTERRUPT_MASK) {
		armed = false;
		assert_false(send_packet(guest, payload, sizeof(payload), 1)); /* masked: no signal */
	}
	return guest_translate(guest, gpa, length, write);
}

static void the_host_looks_again_after_unmasking(void **state)
{
	struct guest *guest = *state;
	struct hvh_config config = {.profile = &guest->profile, .vps = VPS, .seed = 1, .deterministic = true};
	struct hvh_ops ops = {
		.context = guest, .translate = unmasking_translate, .interrupt = guest_interrupt};
	hvh_destroy(guest->host);
	memset(guest->memory, 0, MEMORY);
	guest->host = hvh_create(&config, &ops);
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	pass(guest, HVH_TIME_PER_SECOND);
	device.read_limit = 1;
	static const uint8_t payload[8] = {1};
	assert_true(send_packet(guest, payload, sizeof(payload), 1));
	signal_to(guest, 0x2001);
	hvh_run(guest->host, guest->now); /* reads one, stays masked */
	armed = true;
	settle(guest);
	assert_false(armed);
	assert_int_equal(device.count, 2);
	assert_no_violation(guest);
}

static void elsewhere_it_is_only_counted(void **state)
{
	struct guest *guest = *state;
	struct hvh_config config = {.profile = &guest->profile, .vps = VPS, .seed = 1};
	struct hvh_ops ops = {.context = guest, .translate = guest_translate, .interrupt = guest_interrupt};
	struct hvh_counters counters;
	hvh_destroy(guest->host);
	memset(guest->memory, 0, MEMORY);
	guest->host = hvh_create(&config, &ops);
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	for (int n = 0; n < 10; n++)
		signal_to(guest, 0x2001);
	hvh_get_counters(guest->host, &counters);
	assert_int_equal(counters.unneeded_signals, 10);
	assert_int_equal(counters.signals, 10);
	assert_no_violation(guest);
}

/* --- Room ------------------------------------------------------------------------------------ */

/* raw_before <= pending < raw_after, feature bit set, whatever the guest's mask. */
static void the_host_signals_room_iff_it_was_asked_for(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[1000];
	static const struct {
		uint32_t pending, features;
		bool signal;
	} cases[] = {
		{0, 1, false},           {4096 - 2048, 1, true}, /* raw free before */
		{4096 - 2049, 1, false},                         /* there was that much already */
		{4095, 1, true},         {4096, 1, false},       /* raw free after: not more than that */
		{3000, 0, false},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		restart(guest);
		device.keep_reading_off = true;
		send_packet(guest, payload, 1000, 1);
		send_packet(guest, payload, 1000, 2);
		*word_at(guest, IN_CONTROL + VMBUS_RING_PENDING_SEND_SIZE) = cases[n].pending;
		*word_at(guest, IN_CONTROL + VMBUS_RING_FEATURES) = cases[n].features;
		*word_at(guest, OUT_CONTROL + VMBUS_RING_INTERRUPT_MASK) = 1; /* has no say */
		struct hvh_packet packet;
		assert_false(event_set(guest, 0, FLAG));
		assert_int_equal(hvh_channel_read(device.channel, guest->now, &packet), HVH_READ_PACKET);
		bool early = event_set(guest, 0, FLAG);
		assert_int_equal(hvh_channel_read(device.channel, guest->now, &packet), HVH_READ_PACKET);
		assert_int_equal(early || event_set(guest, 0, FLAG), cases[n].signal);
	}
}

static void the_feature_bit_is_a_habit(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[1000];
	struct hvh_profile profile = *hvh_profile_find("ws2022");
	struct hvh_packet packet;
	profile.pending_feature_required = false;
	guest_destroy(guest);
	guest_create_with(guest, &profile, 1);
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	device.keep_reading_off = true;
	send_packet(guest, payload, 1000, 1);
	*word_at(guest, IN_CONTROL + VMBUS_RING_PENDING_SEND_SIZE) = 4000;
	assert_int_equal(hvh_channel_read(device.channel, guest->now, &packet), HVH_READ_PACKET);
	assert_true(event_set(guest, 0, FLAG));
}

static void a_full_ring_waits_for_the_guest(void **state)
{
	struct guest *guest = *state;
	uint32_t packets = 0;
	assert_int_equal(out_word(guest, VMBUS_RING_FEATURES), 1);
	while (host_sends(guest, 488, packets))
		packets++;
	assert_int_equal(packets, 7); /* 8 * 512 would fill the last byte */
	assert_int_equal(out_word(guest, VMBUS_RING_PENDING_SEND_SIZE), 1024); /* a quarter */
	unsigned runs = device.runs;
	*word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX) = 1024; /* raw free 1536: crossed */
	assert_int_equal(signal_to(guest, 0x2001), 0);
	settle(guest);
	assert_int_equal(device.runs, runs + 1);
	assert_no_violation(guest); /* room was asked for */
	assert_true(host_sends(guest, 488, 8));
	assert_int_equal(out_word(guest, VMBUS_RING_PENDING_SEND_SIZE), 0);
	signal_to(guest, 0x2001); /* may have seen the size just before */
	assert_no_violation(guest);
	signal_to(guest, 0x2001);
	assert_only_violation(guest, HVH_V_SIGNAL_UNNEEDED);
}

static void a_packet_larger_than_the_ring_never_goes(void **state)
{
	struct guest *guest = *state;
	assert_false(host_sends(guest, 4096 - 32, 1));
	assert_int_equal(out_word(guest, VMBUS_RING_PENDING_SEND_SIZE), 0);
	assert_true(host_sends(guest, 4096 - 24 - 16, 1)); /* strictly below size - 8 */
}

/* --- Host to guest ------------------------------------------------------------------------------ */

static void the_host_writes_what_the_wire_says(void **state)
{
	struct guest *guest = *state;
	static const uint8_t wire[] = {
		0x07, 0x00, 0x03, 0x00, 0x05, 0x00, 0x01, 0x00, 0x88, 0x77, 0x66, 0x55,
		0x44, 0x33, 0x22, 0x11, 1,    2,    3,    4,    5,    6,    7,    8, /* extension */
		9,    10,   11,   0,    0,    0,    0,    0, /* payload, padded with zeros */
		0,    0,    0,    0,    0,    0,    0,    0,
	};
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
	memset(guest->memory + OUT_DATA, 0xee, 64);
	assert_true(hvh_channel_write(device.channel, 0, VMBUS_PACKET_TRANSFER_PAGES, true,
				      0x1122334455667788, bytes, 8, bytes + 8, 3, NULL, 0));
	/* length8 is 4: descriptor 2, extension 1, payload 1 */
	assert_int_equal(guest->memory[OUT_DATA + 4], 4);
	guest->memory[OUT_DATA + 4] = 5;
	assert_memory_equal(guest->memory + OUT_DATA, wire, 32);
	assert_memory_equal(guest->memory + OUT_DATA + 32, "\0\0\0\0\0\0\0\0", 8);
	assert_int_equal(out_word(guest, VMBUS_RING_WRITE_INDEX), 40);
	assert_true(host_sends(guest, 8, 1));
	assert_int_equal(*word_at(guest, OUT_DATA + 40 + 24 + 4), 40); /* trailer: where it began */
}

static void the_guest_is_signalled_iff_its_ring_was_empty_and_unmasked(void **state)
{
	struct guest *guest = *state;
	assert_true(host_sends(guest, 8, 1));
	assert_true(event_set(guest, 0, FLAG));
	assert_int_equal(guest->last_vector, VECTOR);
	clear_event(guest, 0, FLAG);
	assert_true(host_sends(guest, 8, 2)); /* not empty */
	assert_false(event_set(guest, 0, FLAG));
	*word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX) = 64;
	*word_at(guest, OUT_CONTROL + VMBUS_RING_INTERRUPT_MASK) = 1;
	assert_true(host_sends(guest, 8, 3)); /* masked */
	assert_false(event_set(guest, 0, FLAG));
}

static void a_channel_without_target_gets_no_interrupt(void **state)
{
	struct guest *guest = *state;
	struct vmbus_modify_channel modify = {{VMBUS_MSG_MODIFY_CHANNEL, 0}, 1, VMBUS_CHANNEL_VP_NONE};
	post(guest, &modify, sizeof(modify));
	assert_true(take(guest, 0));
	unsigned before = guest->interrupts[0];
	assert_true(host_sends(guest, 8, 1));
	assert_int_equal(guest->interrupts[0], before);
}

static void pages_that_vanish_stop_the_worker(void **state)
{
	struct guest *guest = *state;
	guest->gone[PAGE_RING + 3] = true;
	assert_false(host_sends(guest, 8, 1));
	assert_int_equal(hvh_violation_get(guest->host, 0)->kind, HVH_V_MEMORY);
	restart(guest);
	guest->gone[PAGE_RING] = true;
	signal_to(guest, 0x2001);
	settle(guest);
	assert_int_equal(device.last, HVH_READ_CORRUPT);
	guest->gone[PAGE_RING] = false;
}

/* --- The first 100 ms -------------------------------------------------------------------------------- */

static void a_lost_first_signal_is_made_good(void **state)
{
	struct guest *guest = *state;
	static const uint8_t payload[8] = {1};
	hvh_fault_set(guest->host, HVH_FAULT_LOST_FIRST_SIGNAL, 65536);
	assert_true(send_packet(guest, payload, sizeof(payload), 1));
	signal_to(guest, 0x2001);
	settle(guest);
	assert_int_equal(device.count, 0);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_LOST_FIRST_SIGNAL), 1);
	pass(guest, 99 * MS);
	assert_int_equal(device.count, 0);
	pass(guest, 2 * MS);
	assert_int_equal(device.count, 1);
	assert_no_violation(guest);
}

static void the_guest_is_signalled_again_after_100_ms(void **state)
{
	struct guest *guest = *state;
	assert_true(host_sends(guest, 8, 1));
	clear_event(guest, 0, FLAG); /* lost */
	pass(guest, 101 * MS);
	assert_true(event_set(guest, 0, FLAG));
}

/* --- Hostile ------------------------------------------------------------------------------------------- */

static void rings_of_rubbish_never_crash(void **state)
{
	struct guest *guest = *state;
	for (uint32_t round = 0; round < 3000; round++) {
		for (uint32_t n = 0; n < 200; n++) {
			uint32_t at = hvh_choose(guest->host, 4 * HVK_PAGE_SIZE);
			guest->memory[IN_CONTROL + at] = (uint8_t)hvh_random(guest->host);
		}
		*word_at(guest, IN_CONTROL) = hvh_choose(guest->host, RING_BYTES / 8) * 8;
		uint32_t read = in_word(guest, VMBUS_RING_READ_INDEX) % RING_BYTES;
		struct vmbus_packet_descriptor d = {(uint16_t)(6 + hvh_choose(guest->host, 6)),
						    (uint16_t)hvh_choose(guest->host, 8),
						    (uint16_t)hvh_choose(guest->host, 64), 0, 1};
		ring_bytes(guest, read, &d, sizeof(d));
		struct hvh_packet packet;
		uint8_t bytes[64];
		uint32_t size;
		if (hvh_channel_read(device.channel, guest->now, &packet) == HVH_READ_PACKET) {
			hvh_packet_external_size(device.channel, &packet, &size);
			hvh_packet_external_read(device.channel, &packet, 3, bytes, sizeof(bytes));
		}
		host_sends(guest, hvh_choose(guest->host, 512), 1);
		signal_to(guest, 0x2001);
		guest->now += 100;
		hvh_run(guest->host, guest->now);
		device.count = 0;
		if (round % 8 == 0) { /* open it again */
			send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
			memset(guest->memory + IN_CONTROL, 0, 4 * HVK_PAGE_SIZE);
			struct vmbus_open_channel open = open_message(1);
			assert_int_equal(send_open(guest, &open), 0);
		}
	}
}

/* Another CPU rewrites the rings and the page list between any two accesses: each thing
 * is looked at once, so what is handed out is consistent whatever happens. */
static uint32_t flips, handed_out;

static void *flipping_translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	struct guest *guest = context;
	void *at = guest_translate(guest, gpa, length, write);
	for (int n = 0; n < 4; n++) {
		flips = flips * 1664525u + 1013904223u;
		uint32_t word = (flips >> 8) % (4 * HVK_PAGE_SIZE / 4), some = flips >> 20;
		uint32_t value = some * 8 % RING_BYTES;  /* an index */
		if (word / (HVK_PAGE_SIZE / 4) % 2 == 1) /* data: half a descriptor */
			value = word % 2 == 0 ? (some % 2 ? 6u : 9u) | (2u + some / 2 % 6) << 16
					      : (2u + some % 40) | (some % 64 == 0 ? 1u << 16 : 0);
		*word_at(guest, IN_CONTROL + 4 * word) = value;
	}
	return at;
}

static void what_is_handed_out_is_consistent(struct guest *guest)
{
	struct hvh_packet packet;
	uint8_t bytes[32];
	uint32_t size = 0;
	if (hvh_channel_read(device.channel, guest->now, &packet) != HVH_READ_PACKET)
		return;
	uint32_t header = packet.descriptor.header_length8 * 8u, length = packet.descriptor.length8 * 8u;
	assert_true(header >= 16 && header <= length && length <= RING_BYTES - 8);
	assert_int_equal(packet.extension_length, header - 16);
	assert_int_equal(packet.payload_length, length - header);
	if (hvh_packet_external_size(device.channel, &packet, &size) && size >= sizeof(bytes))
		hvh_packet_external_read(device.channel, &packet, size - (uint32_t)sizeof(bytes), bytes,
					 sizeof(bytes));
	handed_out++;
}

static void memory_that_changes_meanwhile(void **state)
{
	struct guest *guest = *state;
	struct hvh_config config = {.profile = &guest->profile, .vps = VPS, .seed = 1};
	struct hvh_ops ops = {
		.context = guest, .translate = flipping_translate, .interrupt = guest_interrupt};
	struct vmbus_open_channel open = open_message(1);
	hvh_destroy(guest->host);
	memset(guest->memory, 0, MEMORY);
	guest->host = hvh_create(&config, &ops);
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	for (uint32_t round = 0; round < 5000; round++) {
		post(guest, &open, sizeof(open));
		assert_true(take(guest, 0)); /* refused, or open */
		device.keep_reading_off = round % 2 == 0;
		for (int n = 0; n < 4 && hvh_channel_is_open(device.channel); n++) {
			what_is_handed_out_is_consistent(guest);
			host_sends(guest, 64, 1);
			signal_to(guest, 0x2001);
			guest->now += 10;
			hvh_run(guest->host, guest->now);
			device.count = 0;
		}
		send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	}
	assert_true(device.opens > 1000);
	assert_true(handed_out > 20);
	print_message("%u packets\n", handed_out);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_packet_arrives_once_and_whole),
		T(packets_wrap_around),
		T(the_host_masks_while_it_works),
		T(corrupt_packets_stop_the_worker),
		T(indices_beyond_the_ring_are_corrupt),
		T(a_wrong_trailer_is_noted_and_the_packet_taken),
		T(non_zero_padding_of_a_page_list_is_noted),
		T(overfilling_is_found),
		T(filling_up_to_the_read_index_is_found),
		T(filling_the_last_byte_is_found),
		T(the_largest_packet_that_fits_is_fine),
		T(page_lists_are_read_in_order),
		T(page_lists_that_do_not_parse),
		T(a_signal_without_reason_is_a_violation),
		T(a_guest_that_ignores_the_mask_is_found),
		T(signals_that_cross_are_innocent),
		T(a_rule_abiding_guest_never_violates),
		T(the_host_looks_again_after_unmasking),
		T(elsewhere_it_is_only_counted),
		T(the_host_signals_room_iff_it_was_asked_for),
		T(the_feature_bit_is_a_habit),
		T(a_full_ring_waits_for_the_guest),
		T(a_packet_larger_than_the_ring_never_goes),
		T(the_host_writes_what_the_wire_says),
		T(the_guest_is_signalled_iff_its_ring_was_empty_and_unmasked),
		T(a_channel_without_target_gets_no_interrupt),
		T(pages_that_vanish_stop_the_worker),
		T(a_lost_first_signal_is_made_good),
		T(the_guest_is_signalled_again_after_100_ms),
		T(rings_of_rubbish_never_crash),
		T(memory_that_changes_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
