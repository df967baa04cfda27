/* SPDX-License-Identifier: MIT */
/* Frames that ask for something: checksums, segmentation, tags; by the device or in software. */
#include "tests/unit/guest_netvsc_frames.h"

static const struct hvk_netvsc_config defaults;
static uint8_t original[70000];

#define ALL_TX (HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6 | HVK_NETDEV_TX_VLAN)

static void up(uint32_t enabled)
{
	fill_data();
	fake_up(&defaults);
	bench.netdev->info.enabled = enabled;
	bench.netdev->info.tso_bytes_max = 65535;
}

static void put_be(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get_be(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

/* Ethernet, IPv4 or IPv6, TCP or UDP: payload bytes of data behind it. Returns the length. */
static uint32_t make_packet(bool ipv6, uint8_t protocol, uint32_t payload)
{
	uint32_t transport = ipv6 ? 54 : 34, header = protocol == 6 ? 20 : 8;
	uint8_t *ip = data + 14;

	fill_data();
	memset(data, 2, 12);
	put_be(data + 12, ipv6 ? 0x86dd : 0x0800);
	memset(ip, 0, transport - 14);
	if (ipv6) {
		ip[0] = 0x60;
		put_be(ip + 4, header + payload);
		ip[6] = protocol;
		for (uint32_t i = 8; i < 40; i++)
			ip[i] = (uint8_t)(0x30 + i);
	} else {
		ip[0] = 0x45;
		put_be(ip + 2, 20 + header + payload);
		ip[8] = 64;
		ip[9] = protocol;
		put_be(ip + 10, 0xdead);
		for (uint32_t i = 12; i < 20; i++)
			ip[i] = (uint8_t)(0xa0 + i);
	}
	memset(data + transport, 0x11, header);
	if (protocol == 6)
		data[transport + 12] = 0x50;
	else
		put_be(data + transport + 4, header + payload);
	memcpy(original, data, sizeof(original));
	return transport + header + payload;
}

/* The sum as RFC 1071 has it, word by word. */
static uint32_t sum_of(const uint8_t *at, uint32_t length, uint32_t sum)
{
	for (uint32_t i = 0; i < length; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of TCP's or UDP's pseudo-header with that length. */
static uint32_t pseudo_of(const uint8_t *frame, uint32_t network, uint32_t length)
{
	bool ipv6 = frame[network] >> 4 == 6;
	uint32_t protocol = ipv6 ? frame[network + 6] : frame[network + 9];

	return sum_of(frame + network + (ipv6 ? 8 : 12), ipv6 ? 32 : 8, length + protocol);
}

static const uint8_t *message_of_last(void)
{
	return section_of(sent_of(&bench.channel, bench.channel.sent_count - 1));
}

static void finish(void)
{
	fake_run();
	assert_memory_equal(data, original, sizeof(original)); /* the caller's memory is the caller's */
	fake_down();
}

static void checksums_by_the_device(void **state)
{
	static const struct {
		bool ipv6;
		uint8_t protocol;
		uint32_t flags, enabled, word;
	} cases[] = {
		{false, 6, HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_IPV4, ALL_TX, 1 | 4 | 0x10 | 34 << 16},
		{false, 6, HVK_TX_CHECKSUM_TCP, ALL_TX, 1 | 4 | 34 << 16},
		{false, 17, HVK_TX_CHECKSUM_UDP, HVK_NETDEV_TX_UDP4, 1 | 8 | 34 << 16},
		{true, 6, HVK_TX_CHECKSUM_TCP, HVK_NETDEV_TX_TCP6, 2 | 4 | 54 << 16},
		{true, 17, HVK_TX_CHECKSUM_UDP, HVK_NETDEV_TX_UDP6, 2 | 8 | 54 << 16},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t transport = cases[i].ipv6 ? 54 : 34, field = cases[i].protocol == 6 ? 16 : 6, length;
		const uint8_t *frame;

		up(cases[i].enabled);
		length = make_packet(cases[i].ipv6, cases[i].protocol, 100);
		assert_int_equal(transmit(make_frame(0, data, length, cases[i].flags)), HVK_TX_TAKEN);
		assert_int_equal(info_of(message_of_last(), 0), cases[i].word);
		assert_int_equal(fake_word(message_of_last() + 4), 44 + 16 + length);
		frame = frame_of(message_of_last());
		assert_int_equal(get_be(frame + transport + field), pseudo_of(frame, 14, length - transport));
		if (cases[i].flags & HVK_TX_CHECKSUM_IPV4)
			assert_int_equal(get_be(frame + 24), 0);
		assert_memory_equal(frame + transport + field + 2, data + transport + field + 2,
				    length - transport - field - 2);
		assert_int_equal(counters().tx_checksummed, 1);
		assert_int_equal(counters().tx_in_software, 0);
		finish();
	}
}

static void checksums_in_software(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		bool ipv6 = i & 1;
		uint8_t protocol = i & 2 ? 6 : 17;
		uint32_t transport = ipv6 ? 54 : 34, length, first = 0;
		const uint8_t *frame;

		up(0);
		length = make_packet(ipv6, protocol, 100 + i);
		(void)make_frame(0, data, length,
				 (protocol == 6 ? HVK_TX_CHECKSUM_TCP : HVK_TX_CHECKSUM_UDP) |
					 (ipv6 ? 0 : HVK_TX_CHECKSUM_IPV4));
		for (uint32_t n = 0; n < 3; n++) { /* pieces of odd lengths, in odd places */
			uint32_t part = n == 2 ? length - first : 21 + i;

			frames[0].pieces[n] = (struct hvk_buffer){data + first, 0, part};
			first += part;
		}
		frames[0].tx.piece_count = 3;
		assert_int_equal(transmit(&frames[0]), HVK_TX_TAKEN);
		assert_int_equal(fake_word(message_of_last() + 4), 44 + length);
		frame = frame_of(message_of_last());
		assert_int_equal(sum_of(frame + transport, length - transport,
					pseudo_of(frame, 14, length - transport)),
				 0xffff);
		if (!ipv6)
			assert_int_equal(sum_of(frame + 14, 20, 0), 0xffff);
		assert_int_equal(counters().tx_in_software, 1);
		finish();
	}
}

/* What is behind the IP packet (Ethernet's padding) is not summed. */
static void padding_is_not_summed(void **state)
{
	const uint8_t *frame;
	uint32_t length;

	(void)state;
	up(0);
	length = make_packet(false, 17, 3);
	assert_int_equal(transmit(make_frame(0, data, 60, HVK_TX_CHECKSUM_UDP)), HVK_TX_TAKEN);
	frame = frame_of(message_of_last());
	assert_int_equal(sum_of(frame + 34, length - 34, pseudo_of(frame, 14, length - 34)), 0xffff);
	finish();
}

/* A sum of 0 says "none" in UDP. */
static void a_udp_checksum_is_never_zero(void **state)
{
	uint32_t length, sum;
	const uint8_t *frame;

	(void)state;
	up(0);
	length = make_packet(false, 17, 2);
	put_be(data + 40, 0);
	put_be(data + 42, 0);
	sum = sum_of(data + 34, length - 34, pseudo_of(data, 14, length - 34));
	put_be(data + 42, 0xffff - sum);
	memcpy(original, data, sizeof(original));
	assert_int_equal(transmit(make_frame(0, data, length, HVK_TX_CHECKSUM_UDP)), HVK_TX_TAKEN);
	frame = frame_of(message_of_last());
	assert_int_equal(get_be(frame + 40), 0xffff);
	finish();
}

static void segmentation(void **state)
{
	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		uint32_t transport = ipv6 ? 54 : 34, headers = transport + 20, length;
		uint16_t size = ipv6 ? 1440 : 1460;
		const struct fake_sent *sent;
		const uint8_t *frame;

		up(ALL_TX);
		length = make_packet(ipv6, 6, 60000);
		(void)make_frame(0, data, length, HVK_TX_TSO);
		frames[0].tx.segment_size = size;
		assert_int_equal(transmit(&frames[0]), HVK_TX_TAKEN);
		sent = sent_of(&bench.channel, 0);
		assert_int_equal(sent->kind, FAKE_GPA_DIRECT);
		/* Headers in memory of our own, in one piece; the payload where it is. */
		assert_int_equal(sent->buffers[0].length, 44 + 16 + headers);
		assert_int_equal(sent->buffers[1].gpa, gpa_of(data) + headers);
		assert_int_equal(info_of(sent->external, 2),
				 size | transport << 20 | 1u << 30 | (ipv6 ? 1u << 31 : 0));
		assert_int_equal(fake_word(sent->external + 4), 60 + length);
		assert_int_equal(fake_word(sent->external + 12), length);
		frame = frame_of(sent->external);
		assert_int_equal(get_be(frame + (ipv6 ? 18 : 16)), 0); /* length */
		if (!ipv6)
			assert_int_equal(get_be(frame + 24), 0);
		assert_int_equal(get_be(frame + transport + 16), pseudo_of(frame, 14, 0));
		assert_memory_equal(frame + headers, data + headers, 1000);
		assert_int_equal(counters().tx_segmented, 1);
		finish();
	}
}

static void one_segment_is_only_checksummed(void **state)
{
	const uint8_t *frame;
	uint32_t length;

	(void)state;
	up(ALL_TX);
	length = make_packet(false, 6, 1000);
	(void)make_frame(0, data, length, HVK_TX_TSO);
	put_be(data + 16, 0x1234); /* lengths are anything */
	memcpy(original, data, sizeof(original));
	frames[0].tx.segment_size = 1000;
	assert_int_equal(transmit(&frames[0]), HVK_TX_TAKEN);
	frame = frame_of(message_of_last());
	assert_int_equal(info_of(message_of_last(), 0), 1 | 4 | 0x10 | 34 << 16);
	assert_int_equal(get_be(frame + 16), length - 14);
	assert_int_equal(get_be(frame + 50), pseudo_of(frame, 14, length - 34));
	finish();
}

/* Beyond what the host takes, or what fits on the wire; each beside one that is just within. */
static void what_cannot_be_segmented(void **state)
{
	static const struct {
		uint32_t payload, size, bytes_max, segments_min;
		enum hvk_tx_result result;
	} cases[] = {
		{1460, 1460, 9000, 2, HVK_TX_TAKEN},
		{1461, 1461, 9000, 2, HVK_TX_GONE}, /* one segment, and longer than the MTU */
		{5000, 1460, 9000, 2, HVK_TX_TAKEN},
		{5000, 1461, 9000, 2, HVK_TX_GONE},
		{5000, 65535, 9000, 2, HVK_TX_GONE},
		{5000, 1460, 5000, 2, HVK_TX_TAKEN},
		{5001, 1460, 5000, 2, HVK_TX_GONE},
		{1000, 1000, 500, 2, HVK_TX_TAKEN}, /* nothing to be cut */
		{3000, 1000, 9000, 3, HVK_TX_TAKEN},
		{2999, 1000, 9000, 4, HVK_TX_GONE},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		up(ALL_TX);
		bench.netdev->info.tso_bytes_max = cases[i].bytes_max;
		bench.netdev->info.tso_segments_min = cases[i].segments_min;
		(void)make_frame(0, data, make_packet(false, 6, cases[i].payload), HVK_TX_TSO);
		frames[0].tx.segment_size = (uint16_t)cases[i].size;
		assert_int_equal(transmit(&frames[0]), cases[i].result);
		finish();
	}
}

/* Of a packet whose TCP nobody looks for there is no offset, with a tag or without. */
static void the_header_s_checksum_behind_a_tag(void **state)
{
	uint32_t length;

	(void)state;
	up(HVK_NETDEV_TX_IPV4);
	length = make_packet(false, 6, 100);
	(void)make_frame(0, data, length, HVK_TX_CHECKSUM_IPV4 | HVK_TX_VLAN);
	assert_int_equal(transmit(&frames[0]), HVK_TX_TAKEN);
	assert_int_equal(get_be(frame_of(message_of_last()) + 12), 0x8100);
	assert_int_equal(info_of(message_of_last(), 0), 1 | 0x10);
	finish();
}

/* Some hosts sum long datagrams wrong unless they may not be cut. */
static void long_datagrams(void **state)
{
	static const struct {
		bool ipv6;
		uint32_t max, payload, fragment;
		bool device;
	} cases[] = {
		{false, 0, 1420 - 28, 0, true},     {false, 0, 1421 - 28, 0, false},
		{false, 0, 1421 - 28, 0x40, true},  {true, 0, 1400, 0, true},
		{false, 1000, 1000 - 28, 0, true},  {false, 1000, 1001 - 28, 0, false},
		{false, UINT32_MAX, 1472, 0, true},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hvk_netvsc_config config = {.udp4_checksum_max = cases[i].max};
		uint32_t transport = cases[i].ipv6 ? 54 : 34, length, sum;
		const uint8_t *frame;

		fill_data();
		fake_up(&config);
		bench.netdev->info.enabled = ALL_TX;
		length = make_packet(cases[i].ipv6, 17, cases[i].payload);
		data[20] = cases[i].ipv6 ? data[20] : (uint8_t)cases[i].fragment;
		memcpy(original, data, sizeof(original));
		assert_int_equal(transmit(make_frame(0, data, length, HVK_TX_CHECKSUM_UDP)), HVK_TX_TAKEN);
		frame = frame_of(message_of_last());
		sum = pseudo_of(frame, 14, length - transport);
		if (cases[i].device)
			assert_int_equal(get_be(frame + transport + 6), sum);
		else
			assert_int_equal(sum_of(frame + transport, length - transport, sum), 0xffff);
		assert_int_equal(counters().tx_checksummed, cases[i].device);
		assert_int_equal(counters().tx_in_software, !cases[i].device);
		finish();
	}
}

static void tags(void **state)
{
	const uint8_t *frame;
	uint32_t length;

	(void)state;
	up(ALL_TX);
	length = make_packet(false, 6, 100);
	(void)make_frame(0, data, length, HVK_TX_VLAN);
	frames[0].tx.vlan_tag = 5 << 13 | 1 << 12 | 0x123;
	assert_int_equal(transmit(&frames[0]), HVK_TX_TAKEN);
	assert_int_equal(info_of(message_of_last(), 6), 5 | 8 | 0x123 << 4);
	assert_memory_equal(frame_of(message_of_last()), data, length);
	/* In software, with a checksum by the device: what it is told moves with the tag. */
	bench.netdev->info.enabled = HVK_NETDEV_TX_TCP4;
	(void)make_frame(1, data, length, HVK_TX_VLAN | HVK_TX_CHECKSUM_TCP);
	frames[1].tx.vlan_tag = 0x123;
	assert_int_equal(transmit(&frames[1]), HVK_TX_TAKEN);
	assert_int_equal(info_of(message_of_last(), 0), 1 | 4 | 38 << 16);
	assert_int_equal(fake_word(message_of_last() + 12), length + 4);
	frame = frame_of(message_of_last());
	assert_memory_equal(frame, data, 12);
	assert_int_equal(get_be(frame + 12), 0x8100);
	assert_int_equal(get_be(frame + 14), 0x123);
	assert_memory_equal(frame + 16, data + 12, 38);
	assert_int_equal(get_be(frame + 54), pseudo_of(frame, 18, length - 34));
	assert_memory_equal(frame + 58, data + 54, length - 54);
	/* And a tag alone. */
	bench.netdev->info.enabled = 0;
	(void)make_frame(2, data, length, HVK_TX_VLAN);
	frames[2].tx.vlan_tag = 7;
	assert_int_equal(transmit(&frames[2]), HVK_TX_TAKEN);
	frame = frame_of(message_of_last());
	assert_int_equal(get_be(frame + 12), 0x8100);
	assert_int_equal(get_be(frame + 14), 7);
	assert_memory_equal(frame + 16, data + 12, length - 12);
	assert_int_equal(counters().tx_tagged, 3);
	finish();
}

static void headers_behind_a_tag_and_extensions(void **state)
{
	uint32_t length;

	(void)state;
	up(ALL_TX);
	/* IPv6, hop-by-hop options of 16 bytes, TCP. */
	length = make_packet(true, 6, 100) + 16;
	memmove(data + 70, data + 54, 120);
	data[20] = 0;
	data[54] = 6;
	data[55] = 1;
	put_be(data + 18, length - 54);
	memcpy(original, data, sizeof(original));
	assert_int_equal(transmit(make_frame(0, data, length, HVK_TX_CHECKSUM_TCP)), HVK_TX_TAKEN);
	assert_int_equal(info_of(message_of_last(), 0), 2 | 4 | 70 << 16);
	/* A tag in the frame. */
	length = make_packet(false, 6, 100) + 4;
	memmove(data + 16, data + 12, 150);
	put_be(data + 12, 0x8100);
	memcpy(original, data, sizeof(original));
	assert_int_equal(transmit(make_frame(1, data, length, HVK_TX_CHECKSUM_TCP)), HVK_TX_TAKEN);
	assert_int_equal(info_of(message_of_last(), 0), 1 | 4 | 38 << 16);
	/* Said by the caller. */
	(void)make_frame(2, data, length, HVK_TX_CHECKSUM_TCP);
	frames[2].tx.network_offset = 18;
	frames[2].tx.transport_offset = 38;
	assert_int_equal(transmit(&frames[2]), HVK_TX_TAKEN);
	assert_int_equal(info_of(message_of_last(), 0), 1 | 4 | 38 << 16);
	finish();
}

/* Where the caller says that TCP is: there it must be, as far as can be seen, and whole. */
static void places_that_are_said(void **state)
{
	static const struct {
		bool ipv6;
		uint32_t next, offset, first; /* first: of an extension put in before TCP */
		enum hvk_tx_result result;
	} cases[] = {
		{false, 6, 34, 0, HVK_TX_TAKEN},
		{false, 6, 38, 0, HVK_TX_GONE},  /* IPv4 has nothing between */
		{false, 17, 34, 0, HVK_TX_GONE}, /* UDP */
		{false, 47, 34, 0, HVK_TX_GONE}, /* GRE */
		{true, 6, 54, 0, HVK_TX_TAKEN},
		{true, 6, 62, 0, HVK_TX_GONE},  /* it lies before */
		{true, 44, 62, 6, HVK_TX_GONE}, /* a fragment */
		{true, 60, 62, 6, HVK_TX_TAKEN},
		{true, 60, 62, 44, HVK_TX_GONE},  /* ... behind destination options */
		{true, 135, 62, 6, HVK_TX_TAKEN}, /* mobility: not known, but said */
		{true, 135, 0, 6, HVK_TX_GONE},
		{true, 43, 0, 6, HVK_TX_GONE}, /* routing, with another destination to come */
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t length;

		up(i % 2 ? ALL_TX : 0);
		length = make_packet(cases[i].ipv6, 6, 100);
		data[cases[i].ipv6 ? 20 : 23] = (uint8_t)cases[i].next;
		if (cases[i].first != 0) {
			memmove(data + 62, data + 54, 120);
			memset(data + 54, 0, 8);
			data[54] = (uint8_t)cases[i].first;
			data[57] = 1;
			length += 8;
			put_be(data + 18, length - 54);
		}
		memcpy(original, data, sizeof(original));
		(void)make_frame(0, data, length, HVK_TX_CHECKSUM_TCP);
		frames[0].tx.transport_offset = (uint16_t)cases[i].offset;
		assert_int_equal(transmit(&frames[0]), cases[i].result);
		finish();
	}
}

/* Wishes that cannot be fulfilled, each by one byte or one field. */
static void what_cannot_be(void **state)
{
	static const struct {
		uint32_t at, value, flags;
	} cases[] = {
		{14, 0x55, HVK_TX_CHECKSUM_TCP},                    /* no such IP */
		{14, 0x44, HVK_TX_CHECKSUM_TCP},                    /* header too short */
		{14, 0x4f, HVK_TX_CHECKSUM_TCP},                    /* ... that reaches into TCP */
		{20, 0x20, HVK_TX_CHECKSUM_TCP},                    /* a fragment */
		{21, 1, HVK_TX_CHECKSUM_TCP},                       /* ... not the first */
		{23, 17, HVK_TX_CHECKSUM_TCP},                      /* another protocol */
		{46, 0x40, HVK_TX_CHECKSUM_TCP},                    /* TCP header too short */
		{46, 0xf0, HVK_TX_TSO},                             /* ... beyond the frame */
		{16, 0xff, HVK_TX_CHECKSUM_TCP},                    /* longer than the frame */
		{17, 30, HVK_TX_CHECKSUM_TCP},                      /* shorter than its headers */
		{23, 6, HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP}, /* both */
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t length;

		for (int software = 0; software < 2; software++) {
			up(software ? 0 : ALL_TX);
			length = make_packet(false, 6, 20);
			data[cases[i].at] = (uint8_t)cases[i].value;
			memcpy(original, data, sizeof(original));
			(void)make_frame(0, data, length, cases[i].flags);
			frames[0].tx.segment_size = 10;
			assert_int_equal(transmit(&frames[0]), HVK_TX_GONE);
			assert_int_equal(counters().tx_errors, 1);
			assert_int_equal(bench.channel.sent_count, 0);
			finish();
			assert_int_equal(frames[0].done, 0);
		}
	}
}

static void what_is_not_enabled(void **state)
{
	uint32_t length;

	(void)state;
	up(HVK_NETDEV_TX_CHECKSUMS);
	length = make_packet(false, 6, 5000);
	(void)make_frame(0, data, length, HVK_TX_TSO);
	frames[0].tx.segment_size = 1460;
	assert_int_equal(transmit(&frames[0]), HVK_TX_GONE); /* nobody segments here */
	bench.netdev->info.enabled = ALL_TX;
	frames[0].tx.segment_size = 0;
	assert_int_equal(transmit(&frames[0]), HVK_TX_GONE);
	frames[0].tx.segment_size = 1460;
	assert_int_equal(transmit(&frames[0]), HVK_TX_TAKEN);
	/* Headers without an address cannot be changed; payload without one not be summed. */
	length = make_packet(false, 6, 100);
	(void)make_frame(1, data, length, HVK_TX_CHECKSUM_TCP);
	frames[1].pieces[0].address = NULL;
	assert_int_equal(transmit(&frames[1]), HVK_TX_GONE);
	(void)make_frame(2, data, length, HVK_TX_CHECKSUM_TCP);
	frames[2].pieces[0].length = 54;
	frames[2].pieces[1] = (struct hvk_buffer){NULL, gpa_of(data + 54), length - 54};
	frames[2].tx.piece_count = 2;
	assert_int_equal(transmit(&frames[2]), HVK_TX_TAKEN); /* the device can */
	bench.netdev->info.enabled = 0;
	frames[3] = frames[2];
	frames[3].tx.pieces = frames[3].pieces;
	frames[3].tx.context = &frames[3];
	assert_int_equal(transmit(&frames[3]), HVK_TX_GONE);
	finish();
}

static void all_off(void)
{
	bench.netdev->info.enabled = 0;
}

static void smaller(void)
{
	bench.netdev->info.mtu = 100;
	bench.netdev->info.frame_max = 114;
}

/* What was found out about a frame before the card was changed does not hold after. */
static void the_card_is_changed_meanwhile(void **state)
{
	const uint8_t *frame;
	uint32_t length;

	(void)state;
	up(ALL_TX);
	length = make_packet(false, 6, 1000);
	bench.hvk.interloper = all_off;
	bench.hvk.interloper_at = 1;
	assert_int_equal(transmit(make_frame(0, data, length, HVK_TX_CHECKSUM_TCP)), HVK_TX_TAKEN);
	frame = frame_of(message_of_last());
	assert_int_equal(fake_word(message_of_last() + 32), 0); /* nothing is asked for */
	assert_int_equal(sum_of(frame + 34, length - 34, pseudo_of(frame, 14, length - 34)), 0xffff);
	bench.netdev->info.enabled = ALL_TX;
	bench.hvk.interloper_at = 1;
	(void)make_frame(1, data, length, HVK_TX_TSO);
	frames[1].tx.segment_size = 500;
	assert_int_equal(transmit(&frames[1]), HVK_TX_GONE);
	bench.hvk.interloper = smaller;
	for (uint32_t flags = 0; flags <= HVK_TX_CHECKSUM_TCP; flags += HVK_TX_CHECKSUM_TCP) {
		bench.netdev->info.frame_max = 1514;
		bench.hvk.interloper_at = 1;
		assert_int_equal(transmit(make_frame(2, data, length, flags)), HVK_TX_GONE);
		assert_int_equal(bench.hvk.interloper_at, 0);
	}
	assert_int_equal(bench.channel.sent_count, 1);
	finish();
}

/* Messages with information among plain ones, in one section. */
static void together_with_plain_ones(void **state)
{
	const uint8_t *section;
	uint32_t length;

	(void)state;
	up(ALL_TX);
	bench.hold_sends = true;
	length = make_packet(false, 6, 101);
	assert_int_equal(transmit(make_frame(0, data, 60, HVK_TX_MORE)), HVK_TX_TAKEN);
	assert_int_equal(transmit(make_frame(1, data, length, HVK_TX_CHECKSUM_TCP | HVK_TX_MORE)),
			 HVK_TX_TAKEN);
	assert_int_equal(transmit(make_frame(2, data, 60, 0)), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 1);
	section = message_of_last();
	assert_int_equal(fake_word(section + 104), 1);
	assert_int_equal(fake_word(section + 108), (60 + length + 7) / 8 * 8);
	assert_int_equal(info_of(section + 104, 0), 1 | 4 | 34 << 16);
	assert_memory_equal(frame_of(section + 104 + (60 + length + 7) / 8 * 8), data, 60);
	fake_complete(0, fake_nvs_success, 8);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_by_the_device),
		cmocka_unit_test(checksums_in_software),
		cmocka_unit_test(padding_is_not_summed),
		cmocka_unit_test(a_udp_checksum_is_never_zero),
		cmocka_unit_test(segmentation),
		cmocka_unit_test(one_segment_is_only_checksummed),
		cmocka_unit_test(what_cannot_be_segmented),
		cmocka_unit_test(the_header_s_checksum_behind_a_tag),
		cmocka_unit_test(long_datagrams),
		cmocka_unit_test(tags),
		cmocka_unit_test(headers_behind_a_tag_and_extensions),
		cmocka_unit_test(places_that_are_said),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(what_is_not_enabled),
		cmocka_unit_test(the_card_is_changed_meanwhile),
		cmocka_unit_test(together_with_plain_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
