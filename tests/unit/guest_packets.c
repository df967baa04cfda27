/* SPDX-License-Identifier: MIT */
/*
 * Packets of an open channel against a host that writes its rings by hand: indices and
 * descriptors that cannot be, completions of nothing, rings that are full, and what the
 * calls themselves refuse. The ring layout is spelt out here, not taken from the drivers.
 */
#include "tests/unit/guest_vmbus_host.h"

#define WRITE_INDEX 0u
#define READ_INDEX 4u
#define PENDING_SEND 12u
#define FEATURES 64u
#define DATA 4096u /* one page of it in each ring */
#define EVENT_FLAG_BYTES 256u

#define IN_BAND 6u
#define PAGE_LIST 9u
#define COMPLETION 11u

struct bench {
	struct host host;
	uint8_t *out, *in; /* control page, then data: to the host, to the guest */
	uint32_t in_write;
	/* What the driver does in ready, and what it has seen. */
	uint32_t buffer_size, calls, count;
	hvk_status status[64];
	struct hvk_packet packets[64];
	uint64_t buffer[DATA / 8];
};

static bool take_all(void *context, struct hvk_channel *channel)
{
	struct bench *bench = context;

	bench->calls++;
	for (uint32_t i = 0; i < 64 && bench->count < 64; i++) {
		uint32_t n = bench->count++;

		bench->status[n] = hvk_channel_receive(channel, bench->buffer, bench->buffer_size,
						       &bench->packets[n]);
		if (bench->status[n] == HVK_EEMPTY || bench->status[n] >= HVK_EHOST_RING_INDEX) {
			if (bench->status[n] != HVK_EHOST_TRANSACTION)
				break;
		}
	}
	return false;
}

static void begin(struct bench *bench, uint16_t requests)
{
	const struct host_post *gpadl, *open;
	uint64_t page;

	*bench = (struct bench){.buffer_size = sizeof(bench->buffer)};
	host_start(&bench->host, 0);
	assert_int_equal(host_connect(&bench->host), HVK_OK);
	bench->host.channel_config.ready = take_all;
	bench->host.channel_config.context = bench;
	bench->host.channel_config.requests_max = requests;
	assert_int_equal(host_open(&bench->host), HVK_OK);
	gpadl = host_post(&bench->host, VMBUS_MSG_GPADL_HEADER, 0);
	open = host_post(&bench->host, VMBUS_MSG_OPEN_CHANNEL, 0);
	assert_non_null(gpadl);
	assert_int_equal(get_word(open->bytes, 24), 2); /* downstream page: behind control and data */
	memcpy(&page, gpadl->bytes + 28, sizeof(page));
	bench->out = host_at(&bench->host, page * 4096);
	bench->in = bench->out + 8192;
	host_poll(&bench->host); /* it may look once, of itself */
	bench->count = bench->calls = 0;
}

static void end(struct bench *bench)
{
	if (bench->host.channel != NULL && hvk_channel_state(bench->host.channel) != HVK_CHANNEL_CLOSED)
		assert_int_equal(host_close(&bench->host), HVK_OK);
	assert_int_equal(host_end(&bench->host), 0);
}

/* The host's signal: the channel's flag, and time for the guest to look. */
static void signal_guest(struct bench *bench)
{
	uint64_t page = bench->host.port.registers[HVK_REG_SIEFP] & ~4095ull;
	uint8_t *flags = host_at(&bench->host, page) + VMBUS_SINT * EVENT_FLAG_BYTES;

	flags[HOST_CHANNEL / 8] |= (uint8_t)(1u << HOST_CHANNEL % 8);
	host_poll(&bench->host);
}

static void put_raw(struct bench *bench, const void *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		bench->in[4096 + (bench->in_write + i) % DATA] = ((const uint8_t *)bytes)[i];
	bench->in_write = (bench->in_write + length) % DATA;
}

static void show(struct bench *bench)
{
	put_word(bench->in, WRITE_INDEX, bench->in_write);
	signal_guest(bench);
}

static void put_descriptor(struct bench *bench, uint16_t type, uint16_t offset8, uint16_t length8,
			   uint64_t id)
{
	uint8_t bytes[16];

	memcpy(bytes, &type, 2);
	memcpy(bytes + 2, &offset8, 2);
	memcpy(bytes + 4, &length8, 2);
	memset(bytes + 6, 0, 2);
	memcpy(bytes + 8, &id, 8);
	put_raw(bench, bytes, sizeof(bytes));
}

/* A whole packet of that many bytes of payload, a multiple of 8. */
static void put_packet(struct bench *bench, uint16_t type, uint64_t id, uint32_t payload)
{
	uint32_t start = bench->in_write;
	uint8_t trailer[8] = {0}, bytes[DATA];

	memset(bytes, 0x77, payload);
	put_descriptor(bench, type, 2, (uint16_t)(2 + payload / 8), id);
	put_raw(bench, bytes, payload);
	memcpy(trailer + 4, &start, 4);
	put_raw(bench, trailer, sizeof(trailer));
}

static struct hvk_channel_counters counters(const struct bench *bench)
{
	struct hvk_channel_counters found;

	hvk_channel_get_counters(bench->host.channel, &found);
	return found;
}

/* --- A host that lies about its ring ------------------------------------------------------ */

static void write_index_that_cannot_be(void **state)
{
	static const uint32_t lies[] = {4, 12, DATA, DATA + 8, 0x80000000u, UINT32_MAX, UINT32_MAX - 7};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct bench bench;

		begin(&bench, 4);
		put_word(bench.in, WRITE_INDEX, lies[i]);
		signal_guest(&bench);
		assert_int_equal(bench.status[0], HVK_EHOST_RING_INDEX);
		/* It stays dead, though the index is right again. */
		put_word(bench.in, WRITE_INDEX, 0);
		put_packet(&bench, IN_BAND, 1, 8);
		bench.count = 0;
		show(&bench);
		assert_true(bench.count == 0 || bench.status[0] == HVK_EHOST_RING_INDEX);
		assert_int_equal(counters(&bench).received, 0);
		assert_int_equal(host_fault_count(&bench.host, HVK_EHOST_RING_INDEX), 1);
		end(&bench);
	}
}

/* The host's read index of our ring: nothing is written any more. */
static void read_index_that_cannot_be(void **state)
{
	static const uint32_t lies[] = {1, DATA, UINT32_MAX - 7};
	const uint8_t payload[8] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct bench bench;

		begin(&bench, 4);
		put_word(bench.out, READ_INDEX, lies[i]);
		assert_int_equal(hvk_channel_send(bench.host.channel, payload, sizeof(payload), true, &bench),
				 HVK_EHOST_RING_INDEX);
		assert_int_equal(get_word(bench.out, WRITE_INDEX), 0);
		assert_int_equal(hvk_channel_room(bench.host.channel), 0);
		assert_int_equal(counters(&bench).sent, 0);
		/* The request that was not sent is not outstanding either. */
		assert_int_equal(host_close(&bench.host), HVK_OK);
		assert_null(hvk_channel_take_request(bench.host.channel, NULL));
		end(&bench);
	}
}

struct descriptor {
	uint16_t type, offset8, length8;
	uint32_t behind; /* bytes after the descriptor */
	hvk_status status;
};

static void descriptors_that_cannot_be(void **state)
{
	static const struct descriptor table[] = {
		{IN_BAND, 0, 4, 24, HVK_EHOST_PACKET}, /* payload before the descriptor's end */
		{IN_BAND, 1, 4, 24, HVK_EHOST_PACKET},
		{IN_BAND, 3, 2, 24, HVK_EHOST_PACKET}, /* payload behind the packet's end */
		{IN_BAND, 2, 0, 24, HVK_EHOST_PACKET},
		{IN_BAND, 2, 5, 24, HVK_EHOST_PACKET},      /* the trailer is not there */
		{IN_BAND, 2, 0xffff, 24, HVK_EHOST_PACKET}, /* longer than the ring */
		{IN_BAND, 2, 2, 0, HVK_EHOST_PACKET},       /* nothing behind the descriptor */
		{0, 2, 4, 24, HVK_EHOST_PACKET_TYPE},
		{8, 2, 4, 24, HVK_EHOST_PACKET_TYPE},
		{0xffff, 2, 4, 24, HVK_EHOST_PACKET_TYPE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		static const uint8_t zeros[32];
		struct bench bench;

		begin(&bench, 4);
		put_descriptor(&bench, table[i].type, table[i].offset8, table[i].length8, 7);
		put_raw(&bench, zeros, table[i].behind);
		show(&bench);
		assert_int_equal(bench.status[0], table[i].status);
		assert_int_equal(host_fault_count(&bench.host, table[i].status), 1);
		assert_int_equal(counters(&bench).received, 0);
		assert_true(counters(&bench).faults >= 1);
		end(&bench);
	}
}

/* Eight bytes in the ring are no packet. */
static void half_a_descriptor(void **state)
{
	static const uint8_t eight[8] = {IN_BAND, 0, 2};
	struct bench bench;

	(void)state;
	begin(&bench, 4);
	put_raw(&bench, eight, sizeof(eight));
	show(&bench);
	assert_int_equal(bench.status[0], HVK_EHOST_PACKET);
	end(&bench);
}

/* --- Receiving ----------------------------------------------------------------------------- */

static void longer_than_the_buffer(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 4);
	bench.buffer_size = 64;
	put_packet(&bench, IN_BAND, 1, 8);
	put_packet(&bench, IN_BAND, 2, 512);
	put_packet(&bench, IN_BAND, 3, 48); /* as long as the buffer, to the byte */
	put_packet(&bench, IN_BAND, 4, 56); /* by the least too long */
	put_packet(&bench, IN_BAND, 5, 0);
	show(&bench);
	assert_int_equal(bench.status[0], HVK_OK);
	assert_int_equal(bench.status[1], HVK_ETOOBIG);
	assert_int_equal(bench.status[2], HVK_OK);
	assert_int_equal(bench.packets[2].transaction_id, 3);
	assert_int_equal(bench.packets[2].payload_length, 48);
	assert_int_equal(bench.status[3], HVK_ETOOBIG);
	assert_int_equal(bench.status[4], HVK_OK);
	assert_int_equal(bench.packets[4].transaction_id, 5);
	assert_int_equal(bench.packets[4].payload_length, 0);
	assert_int_equal(bench.status[5], HVK_EEMPTY);
	assert_int_equal(get_word(bench.in, READ_INDEX), bench.in_write); /* room given back */
	end(&bench);
}

static void many_times_around(void **state)
{
	struct bench bench;
	uint64_t received = 0;

	(void)state;
	begin(&bench, 4);
	for (uint64_t n = 1; n <= 600; n++) {
		uint32_t payload = (uint32_t)(n * 40 % 1024) & ~7u;

		bench.count = 0;
		put_packet(&bench, IN_BAND, n, payload);
		show(&bench);
		assert_int_equal(bench.status[0], HVK_OK);
		assert_int_equal(bench.packets[0].transaction_id, n);
		assert_int_equal(bench.packets[0].payload_length, payload);
		for (uint32_t i = 0; i < payload; i++)
			assert_int_equal(bench.packets[0].payload[i], 0x77);
		received++;
	}
	assert_int_equal(counters(&bench).received, received);
	assert_int_equal(host_faults(&bench.host), 0);
	end(&bench);
}

/* --- Requests and completions ------------------------------------------------------------------ */

static void completions_of_nothing(void **state)
{
	static const uint64_t never[] = {0, 5, 2, UINT64_MAX, 1ull << 32 | 1, 1ull << 16 | 1};
	const uint8_t payload[8] = {0};
	struct bench bench;
	int cookie;

	(void)state;
	begin(&bench, 4);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, sizeof(payload), true, &cookie),
			 HVK_OK);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		put_packet(&bench, COMPLETION, never[i], 0);
	put_packet(&bench, COMPLETION, 1, 0);
	put_packet(&bench, COMPLETION, 1, 0); /* twice */
	put_packet(&bench, IN_BAND, 9, 8);
	show(&bench);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(bench.status[i], HVK_EHOST_TRANSACTION);
	assert_int_equal(bench.status[6], HVK_OK);
	assert_ptr_equal(bench.packets[6].cookie, &cookie);
	assert_int_equal(bench.status[7], HVK_EHOST_TRANSACTION);
	assert_int_equal(bench.status[8], HVK_OK); /* and the channel lives */
	assert_int_equal(bench.packets[8].transaction_id, 9);
	assert_int_equal(counters(&bench).completions, 1);
	assert_int_equal(host_fault_count(&bench.host, HVK_EHOST_TRANSACTION), 7);
	end(&bench);
}

static void forgotten_request(void **state)
{
	const uint8_t payload[8] = {0};
	int one, two;
	struct bench bench;

	(void)state;
	begin(&bench, 2);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, 8, true, &one), HVK_OK);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, 8, true, &two), HVK_OK);
	assert_null(hvk_channel_take_request(bench.host.channel, &bench)); /* not one of them */
	assert_null(hvk_channel_take_request(bench.host.channel, NULL));   /* not while it is open */
	assert_ptr_equal(hvk_channel_take_request(bench.host.channel, &one), &one);
	assert_null(hvk_channel_take_request(bench.host.channel, &one)); /* once */
	/* Its id is the host's until the completion comes. */
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, 8, true, &one), HVK_EAGAIN);
	put_packet(&bench, COMPLETION, 1, 0);
	put_packet(&bench, COMPLETION, 2, 0);
	show(&bench);
	assert_int_equal(bench.status[0], HVK_OK); /* the late one was passed over */
	assert_ptr_equal(bench.packets[0].cookie, &two);
	assert_int_equal(counters(&bench).late_completions, 1);
	assert_int_equal(host_faults(&bench.host), 0);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, 8, true, &one), HVK_OK);
	end(&bench);
}

/* What was never answered is told after the close, once each. */
static void cookies_after_a_close(void **state)
{
	const uint8_t payload[8] = {0};
	int cookies[3];
	bool told[3] = {false};
	struct bench bench;
	void *cookie;

	(void)state;
	begin(&bench, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(hvk_channel_send(bench.host.channel, payload, 8, true, &cookies[i]), HVK_OK);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, 8, true, &bench), HVK_EAGAIN);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, 8, false, NULL), HVK_OK);
	assert_int_equal(host_close(&bench.host), HVK_OK);
	while ((cookie = hvk_channel_take_request(bench.host.channel, NULL)) != NULL) {
		size_t n = (size_t)((int *)cookie - cookies);

		assert_true(n < 3 && !told[n]);
		told[n] = true;
	}
	assert_true(told[0] && told[1] && told[2]);
	end(&bench);
}

/* --- A full ring ------------------------------------------------------------------------------ */

static uint32_t fill(struct bench *bench)
{
	const uint8_t payload[200] = {0};
	uint32_t sent = 0;

	while (hvk_channel_send(bench->host.channel, payload, sizeof(payload), false, NULL) == HVK_OK)
		sent++;
	assert_int_equal(sent, (DATA - 1) / (16 + 200 + 8)); /* never to the brim */
	assert_true(hvk_channel_room(bench->host.channel) < sizeof(payload));
	return sent;
}

static void full_ring(void **state)
{
	const uint8_t payload[200] = {0};
	struct bench bench;

	(void)state;
	begin(&bench, 4);
	assert_int_equal(hvk_channel_room(bench.host.channel), DATA - 16 - 8 - 8);
	assert_int_equal(get_word(bench.out, FEATURES) & 1u, 1); /* it minds PENDING_SEND */
	(void)fill(&bench);
	assert_int_equal(get_word(bench.out, PENDING_SEND), 16 + 200 + 8);
	assert_int_equal(counters(&bench).full, 1);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, sizeof(payload), true, &bench),
			 HVK_EAGAIN);
	assert_int_equal(counters(&bench).full, 2);
	/* The host has read all of it and says so. */
	put_word(bench.out, READ_INDEX, get_word(bench.out, WRITE_INDEX));
	bench.calls = 0;
	signal_guest(&bench);
	assert_true(bench.calls >= 1);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, sizeof(payload), true, &bench),
			 HVK_OK);
	assert_int_equal(get_word(bench.out, PENDING_SEND), 0);
	end(&bench);
}

/* A host that makes room and keeps silent about it is asked again. */
static void room_that_nobody_tells_of(void **state)
{
	const uint8_t payload[200] = {0};
	struct bench bench;

	(void)state;
	begin(&bench, 4);
	(void)fill(&bench);
	host_poll(&bench.host);
	assert_in_range(bench.calls, 1, 3); /* asked, not spun on */
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, sizeof(payload), false, NULL),
			 HVK_EAGAIN);
	put_word(bench.out, READ_INDEX, get_word(bench.out, WRITE_INDEX));
	bench.calls = 0;
	host_poll(&bench.host);
	assert_true(bench.calls >= 1);
	assert_int_equal(hvk_channel_send(bench.host.channel, payload, sizeof(payload), false, NULL), HVK_OK);
	end(&bench);
}

/* Our reader tells a host that waits for room, and only when enough of it has come. */
static void host_waits_for_room(void **state)
{
	struct bench bench;
	uint64_t before;

	(void)state;
	begin(&bench, 4);
	put_word(bench.in, FEATURES, 1);
	for (uint32_t i = 0; i < 3; i++)
		put_packet(&bench, IN_BAND, i + 1, 1200);
	put_word(bench.in, PENDING_SEND, 1224);
	before = counters(&bench).signals;
	show(&bench);
	assert_int_equal(bench.count, 4);
	assert_int_equal(counters(&bench).signals, before + 1);
	/* Nobody waits: nobody is told. */
	put_word(bench.in, PENDING_SEND, 0);
	bench.count = 0;
	put_packet(&bench, IN_BAND, 4, 1200);
	show(&bench);
	assert_int_equal(counters(&bench).signals, before + 1);
	end(&bench);
}

/* --- Arguments -------------------------------------------------------------------------------- */

static void arguments_of_send(void **state)
{
	static const uint8_t payload[DATA + 8];
	const struct hvk_buffer good = {NULL, 0x100000, 100};
	struct hvk_buffer buffers[HVK_PACKET_RANGES_MAX + 1];
	struct hvk_channel *channel;
	struct bench bench;

	(void)state;
	begin(&bench, 4);
	channel = bench.host.channel;
	for (uint32_t i = 0; i <= HVK_PACKET_RANGES_MAX; i++)
		buffers[i] = good;
	assert_int_equal(hvk_channel_send(channel, payload, 8, true, NULL), HVK_EINVAL);
	assert_int_equal(hvk_channel_send(channel, payload, DATA + 8, false, NULL), HVK_ETOOBIG);
	assert_int_equal(hvk_channel_send(channel, payload, DATA - 16 - 8, false, NULL), HVK_ETOOBIG);
	assert_int_equal(hvk_channel_send(channel, payload, UINT32_MAX - 4, false, NULL), HVK_ETOOBIG);
	assert_int_equal(hvk_channel_send_buffers(channel, buffers, 0, payload, 8, &bench), HVK_EINVAL);
	assert_int_equal(
		hvk_channel_send_buffers(channel, buffers, HVK_PACKET_RANGES_MAX + 1, payload, 8, &bench),
		HVK_EINVAL);
	assert_int_equal(hvk_channel_send_buffers(channel, buffers, 1, payload, 8, NULL), HVK_EINVAL);
	buffers[0].gpa = 0;
	assert_int_equal(hvk_channel_send_buffers(channel, buffers, 2, payload, 8, &bench), HVK_EINVAL);
	buffers[0] = (struct hvk_buffer){NULL, 0x100000, 0};
	assert_int_equal(hvk_channel_send_buffers(channel, buffers, 2, payload, 8, &bench), HVK_EINVAL);
	buffers[0] = (struct hvk_buffer){NULL, 0x100000, UINT32_MAX};
	assert_int_equal(hvk_channel_send_buffers(channel, buffers, 1, payload, 8, &bench), HVK_EINVAL);
	buffers[0] = (struct hvk_buffer){NULL, 0x100001, 64 * 4096};
	assert_int_equal(hvk_channel_send_buffers(channel, buffers, 1, payload, 8, &bench), HVK_ETOOBIG);
	assert_int_equal(get_word(bench.out, WRITE_INDEX), 0); /* nothing of it was sent */
	/* And by the least not too long. */
	assert_int_equal(hvk_channel_send(channel, payload, DATA - 16 - 8 - 8, false, NULL), HVK_OK);
	end(&bench);
}

static void page_list_in_the_ring(void **state)
{
	const struct hvk_buffer buffers[] = {{NULL, 0x100ff0, 0x20}, {NULL, 0x200000, 0x1000}};
	const uint8_t payload[5] = {1, 2, 3, 4, 5};
	struct bench bench;
	const uint8_t *at;

	(void)state;
	begin(&bench, 4);
	assert_int_equal(hvk_channel_send_buffers(bench.host.channel, buffers, 2, payload, 5, &bench),
			 HVK_OK);
	at = bench.out + 4096;
	assert_int_equal(at[0], PAGE_LIST);
	assert_int_equal(at[2], 2 + 1 + 3 + 2);     /* descriptor, header, two ranges */
	assert_int_equal(at[4], 2 + 1 + 3 + 2 + 1); /* and eight bytes of payload */
	assert_int_equal(at[6], 1);                 /* a completion is asked for */
	assert_int_equal(get_word(at, 8), 1);       /* by a small number, never a pointer */
	assert_int_equal(get_word(at, 12), 0);
	assert_int_equal(get_word(at, 20), 2);
	assert_int_equal(get_word(at, 24), 0x20);
	assert_int_equal(get_word(at, 28), 0xff0);
	assert_int_equal(get_word(at, 32), 0x100);
	assert_int_equal(get_word(at, 40), 0x101);
	assert_int_equal(get_word(at, 48), 0x1000);
	assert_int_equal(get_word(at, 56), 0x200);
	assert_memory_equal(at + 64, "\1\2\3\4\5\0\0\0", 8); /* padded with zeros */
	assert_int_equal(get_word(bench.out, WRITE_INDEX), 64 + 8 + 8);
	end(&bench);
}

/* One run of memory: header, range, page numbers, payload, padding. */
static void run_of_pages_in_the_ring(void **state)
{
	const uint64_t numbers[] = {0x100, 0x1234567890, 0x77};
	const uint8_t payload[5] = {1, 2, 3, 4, 5};
	struct bench bench;
	const uint8_t *at;

	(void)state;
	begin(&bench, 4);
	assert_int_equal(
		hvk_channel_send_pages(bench.host.channel, numbers, 3, 0xff0, 0x1011, payload, 5, &bench),
		HVK_OK);
	at = bench.out + 4096;
	assert_int_equal(at[0], PAGE_LIST);
	assert_int_equal(at[2], 2 + 1 + 1 + 3); /* descriptor, header, range, three pages */
	assert_int_equal(at[4], 2 + 1 + 1 + 3 + 1);
	assert_int_equal(at[6], 1);
	assert_int_equal(get_word(at, 8), 1);
	assert_int_equal(get_word(at, 16), 0);
	assert_int_equal(get_word(at, 20), 1); /* one range */
	assert_int_equal(get_word(at, 24), 0x1011);
	assert_int_equal(get_word(at, 28), 0xff0);
	assert_memory_equal(at + 32, numbers, sizeof(numbers));
	assert_memory_equal(at + 56, "\1\2\3\4\5\0\0\0", 8);
	assert_int_equal(get_word(bench.out, WRITE_INDEX), 56 + 8 + 8);
	put_packet(&bench, COMPLETION, 1, 0);
	show(&bench);
	assert_ptr_equal(bench.packets[0].cookie, &bench);
	end(&bench);
}

struct run {
	uint32_t count, offset, length;
	hvk_status status;
};

static void runs_of_pages_that_cannot_be(void **state)
{
	static const struct run table[] = {
		{0, 0, 4096, HVK_EINVAL},
		{514, 0, 514 * 4096, HVK_EINVAL},
		{UINT32_MAX, 0, 4096, HVK_EINVAL},
		{1, 4096, 1, HVK_EINVAL},
		{1, 0, 0, HVK_EINVAL},
		{1, 0, 4097, HVK_EINVAL},
		{1, 1, 4096, HVK_EINVAL},
		{2, 0, 4096, HVK_EINVAL}, /* one page too many */
		{1, 0, UINT32_MAX, HVK_EINVAL},
		{513, 1, 513 * 4096, HVK_EINVAL},
		{513, 0, 513 * 4096, HVK_ETOOBIG}, /* for this ring */
		{1, 4095, 1, HVK_OK},
		{2, 4095, 4097, HVK_OK},
	};
	static const uint64_t numbers[514];
	const uint8_t payload[8] = {0};
	struct bench bench;

	(void)state;
	begin(&bench, 4);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t before = get_word(bench.out, WRITE_INDEX);
		hvk_status status = hvk_channel_send_pages(bench.host.channel, numbers, table[i].count,
							   table[i].offset, table[i].length, payload, 8,
							   &bench);

		assert_int_equal(status, table[i].status);
		assert_true((get_word(bench.out, WRITE_INDEX) != before) == (status == HVK_OK));
	}
	assert_int_equal(hvk_channel_send_pages(bench.host.channel, numbers, 1, 0, 1, payload, 8, NULL),
			 HVK_EINVAL);
	end(&bench);
}

static void closed_and_gone(void **state)
{
	const uint8_t payload[8] = {0};
	struct hvk_channel *channel;
	struct bench bench;

	(void)state;
	begin(&bench, 4);
	channel = bench.host.channel;
	assert_int_equal(host_close(&bench.host), HVK_OK);
	assert_int_equal(hvk_channel_send(channel, payload, 8, false, NULL), HVK_ESTATE);
	assert_int_equal(hvk_channel_complete(channel, 1, NULL, 0), HVK_ESTATE);
	assert_int_equal(hvk_channel_room(channel), 0);
	assert_int_equal(host_open(&bench.host), HVK_OK);
	HOST_SAY(&bench.host, golden_rescind_offer);
	host_poll(&bench.host);
	assert_int_equal(hvk_channel_state(channel), HVK_CHANNEL_RESCINDED);
	assert_int_equal(hvk_channel_send(channel, payload, 8, false, NULL), HVK_EGONE);
	assert_int_equal(hvk_channel_complete(channel, 1, NULL, 0), HVK_EGONE);
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_index_that_cannot_be),
		cmocka_unit_test(read_index_that_cannot_be),
		cmocka_unit_test(descriptors_that_cannot_be),
		cmocka_unit_test(half_a_descriptor),
		cmocka_unit_test(longer_than_the_buffer),
		cmocka_unit_test(many_times_around),
		cmocka_unit_test(completions_of_nothing),
		cmocka_unit_test(forgotten_request),
		cmocka_unit_test(cookies_after_a_close),
		cmocka_unit_test(full_ring),
		cmocka_unit_test(room_that_nobody_tells_of),
		cmocka_unit_test(host_waits_for_room),
		cmocka_unit_test(arguments_of_send),
		cmocka_unit_test(page_list_in_the_ring),
		cmocka_unit_test(run_of_pages_in_the_ring),
		cmocka_unit_test(runs_of_pages_that_cannot_be),
		cmocka_unit_test(closed_and_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
