/* SPDX-License-Identifier: MIT */
/* The trace: what the model reports, and the file byte for byte. */
#include "host_guest.h"

#include "hvkit_host/trace.h"

static uint8_t file_bytes[4096];

static size_t read_back(FILE *file)
{
	rewind(file);
	return fread(file_bytes, 1, sizeof(file_bytes), file);
}

/* By hand from the pcapng specification. */
static void a_file_begins_with_section_and_interface(void **state)
{
	(void)state;
	static const uint8_t expected[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 0x2c, 0x00, 0x00, 0x00, /* section header, 44 bytes */
		0x4d, 0x3c, 0x2b, 0x1a,                         /* byte order */
		0x01, 0x00, 0x00, 0x00,                         /* version 1.0 */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* length not known */
		0x04, 0x00, 0x05, 0x00, 'h',  'v',  'k',  'i',  't',  0x00, 0x00, 0x00, /* application */
		0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
		0x28, 0x00, 0x00, 0x00,                         /* interface, 40 bytes */
		0x93, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* LINKTYPE_USER0, any length */
		0x02, 0x00, 0x03, 0x00, 'v',  'm',  '0',  0x00, /* name */
		0x09, 0x00, 0x01, 0x00, 0x07, 0x00, 0x00, 0x00, /* 100 ns */
		0x00, 0x00, 0x00, 0x00, 0x28, 0x00, 0x00, 0x00,
	};
	FILE *file = tmpfile();
	assert_true(hvh_pcapng_begin(file, "vm0"));
	assert_int_equal(read_back(file), sizeof(expected));
	assert_memory_equal(file_bytes, expected, sizeof(expected));
	fclose(file);
}

static void a_record_is_one_packet_block(void **state)
{
	(void)state;
	static const uint8_t expected[] = {
		0x06, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00, /* enhanced packet, 72 bytes */
		0x00, 0x00, 0x00, 0x00,                         /* interface 0 */
		0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, /* time, high word first */
		0x19, 0x00, 0x00, 0x00, 0x19, 0x00, 0x00, 0x00, /* 25 bytes */
		0x01, 0x08, 0x01, 0x00,                         /* version 1, packet, to the guest */
		0xff, 0xff, 0xff, 0xff,                         /* no VP */
		0x05, 0x00, 0x00, 0x00,                         /* channel 5 */
		0x03, 0x00, 0x00, 0x00,                         /* 3 bytes */
		0x02, 0x00, 0x00, 0x00,                         /* 2 bytes that it points to */
		0xa1, 0xa2, 0xa3, 0xb1, 0xb2, 0x00, 0x00, 0x00,
		0x02, 0x00, 0x04, 0x00, 0x02, 0x00, 0x00, 0x00, /* flags: outbound */
		0x00, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00,
	};
	static const uint8_t bytes[] = {0xa1, 0xa2, 0xa3}, external[] = {0xb1, 0xb2};
	struct hvh_trace_record record = {
		.time = 0x100000002ull,
		.kind = HVH_TRACE_PACKET,
		.to_guest = true,
		.vp = UINT32_MAX,
		.channel_id = 5,
		.bytes = bytes,
		.byte_count = sizeof(bytes),
		.external = external,
		.external_count = sizeof(external),
	};
	FILE *file = tmpfile();
	assert_true(hvh_pcapng_write(file, &record));
	assert_int_equal(read_back(file), sizeof(expected));
	assert_memory_equal(file_bytes, expected, sizeof(expected));
	fclose(file);
}

static void a_file_that_cannot_be_written_says_so(void **state)
{
	(void)state;
	struct hvh_trace_record record = {.kind = HVH_TRACE_NOTE};
	FILE *file = fopen("/dev/full", "w");
	assert_non_null(file);
	setvbuf(file, NULL, _IONBF, 0);
	assert_false(hvh_pcapng_begin(file, "vm0"));
	assert_false(hvh_pcapng_write(file, &record));
	fclose(file);
}

/* --- What is reported -------------------------------------------------------------------- */

struct seen {
	unsigned count[16];
	bool to_guest[16];
	uint8_t last[16][64];
	uint32_t external;
	uint8_t external_byte;
};

static struct guest guest;

static void see(void *context, const struct hvh_trace_record *record)
{
	struct seen *seen = context;
	assert_true((unsigned)record->kind < 16);
	seen->count[record->kind]++;
	seen->to_guest[record->kind] = record->to_guest;
	memcpy(seen->last[record->kind], record->bytes, record->byte_count < 64 ? record->byte_count : 64);
	if (record->external != NULL) {
		seen->external = record->external_count;
		seen->external_byte = *(const uint8_t *)record->external;
	}
}

static void *translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	(void)context;
	return guest_translate(&guest, gpa, length, write);
}

static void interrupt(void *context, uint32_t vp, uint8_t vector)
{
	(void)context;
	guest_interrupt(&guest, vp, vector);
}

static bool run_external(void *context, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_packet packet;
	uint8_t bytes[8];
	(void)context;
	while (hvh_channel_read(channel, now, &packet) == HVH_READ_PACKET)
		assert_true(hvh_packet_external_read(channel, &packet, 0, bytes, sizeof(bytes)));
	return false;
}

static void everything_is_reported(void **state)
{
	(void)state;
	static struct seen seen;
	static struct device device;
	guest_create(&guest, "ws2022");
	hvh_destroy(guest.host);
	struct hvh_config config = {.profile = &guest.profile, .vps = VPS, .seed = 1, .deterministic = true};
	struct hvh_ops ops = {.context = &seen, .translate = translate, .interrupt = interrupt, .trace = see};
	guest.host = hvh_create(&config, &ops);
	struct hvh_device_ops with_run = device_ops;
	opened_at(&guest, &device, VMBUS_VERSION_5_3, false);
	assert_int_equal(seen.count[HVH_TRACE_MESSAGE], 4 + 5);
	assert_true(seen.count[HVH_TRACE_MSR_WRITE] >= 10);
	assert_true(seen.count[HVH_TRACE_MSR_READ] >= 5);
	assert_int_equal(seen.count[HVH_TRACE_HYPERCALL], 4);
	assert_int_equal(seen.count[HVH_TRACE_INTERRUPT], 5);
	assert_memory_equal(seen.last[HVH_TRACE_INTERRUPT], "\x75\0\0\0\0\0\0\0", 8);

	/* A packet with a page list: what it points to is in the trace as the device saw it. */
	static const struct vmbus_packet_descriptor descriptor = {9, 5, 5, 1, 1};
	static const uint32_t list[6] = {0, 1, 8, 0, 0x30, 0};
	guest.memory[ADDRESS(0x30)] = 0x42;
	with_run.run = run_external;
	send_channel(&guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	hvh_channel_rescind(device.channel, 0);
	struct hvh_offer_parameters parameters = device_parameters(2);
	struct hvh_channel *channel = hvh_channel_offer(guest.host, &parameters, &with_run, &device);
	settle(&guest);
	while (take(&guest, 0))
		;
	create_gpadl(&guest, 2, GPADL + 1, PAGE_RING, RING_PAGES);
	struct vmbus_open_channel open = open_message(2);
	open.ring_gpadl = GPADL + 1;
	assert_int_equal(send_open(&guest, &open), 0);
	*word_at(&guest, IN_CONTROL) = put_packet(&guest, 0, &descriptor, list, sizeof(list));
	signal_to(&guest, 0x2002);
	settle(&guest);
	assert_int_equal(seen.count[HVH_TRACE_SIGNAL], 1);
	assert_memory_equal(seen.last[HVH_TRACE_SIGNAL], "\x02\x20\0\0\0\0\0\0", 8);
	assert_int_equal(seen.count[HVH_TRACE_PACKET], 1);
	assert_false(seen.to_guest[HVH_TRACE_PACKET]);
	assert_int_equal(seen.external, 8);
	assert_int_equal(seen.external_byte, 0x42);

	assert_true(hvh_channel_write(channel, 0, VMBUS_PACKET_COMPLETION, false, 1, NULL, 0, "1234567", 8,
				      NULL, 0));
	assert_int_equal(seen.count[HVH_TRACE_PACKET], 2);
	assert_true(seen.to_guest[HVH_TRACE_PACKET]);
	assert_int_equal(seen.count[HVH_TRACE_EVENT], 1);
	assert_memory_equal(seen.last[HVH_TRACE_EVENT], "\x02\0\0\0\x02\0\0\0", 8);
	signal_to(&guest, 0x2002);
	assert_int_equal(seen.count[HVH_TRACE_VIOLATION], 1);
	guest_destroy(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_begins_with_section_and_interface),
		cmocka_unit_test(a_record_is_one_packet_block),
		cmocka_unit_test(a_file_that_cannot_be_written_says_so),
		cmocka_unit_test(everything_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
