/* SPDX-License-Identifier: MIT */
/*
 * The card's offloads as functions of bytes: headers, checksums, large sends, joined segments, packet
 * information, NDIS objects. Header: {what, options, three u32}, then the bytes, in a heap block of
 * their own length. Whatever is accepted must come out right.
 */
#include "host/netvsp/checksum.h"
#include "host/netvsp/coalesce.h"
#include "host/netvsp/packet_info.h"
#include "host/netvsp/rss.h"
#include "host/netvsp/segment.h"
#include "hvkit/wire/nvs.h"
#include "tests/fuzz/input.h"

#define OPTION_PSEUDO 1u    /* the pseudo-header's sum is put where it belongs */
#define OPTION_CHECKSUMS 2u /* right checksums are */
#define FRAME_MAX 9216u
#define RX_FAILED (RNDIS_CHECKSUM_RX_IP_FAILED | RNDIS_CHECKSUM_RX_TCP_FAILED | RNDIS_CHECKSUM_RX_UDP_FAILED)

struct given {
	uint8_t options;
	uint32_t a, b, c;
	uint8_t *bytes;
	uint32_t length;
};

static void check_headers(const struct netvsp_headers *headers, uint32_t length)
{
	FUZZ_CHECK(headers->end <= length);
	if (headers->version == 0) {
		FUZZ_CHECK(headers->ip == 0 && headers->transport == 0 && headers->end == 0);
		return;
	}
	FUZZ_CHECK(headers->ip == (headers->tagged ? 18u : 14u));
	FUZZ_CHECK(headers->source < headers->end && headers->destination < headers->end);
	if (headers->transport != 0)
		FUZZ_CHECK(headers->ip < headers->transport && headers->transport < headers->payload &&
			   headers->payload <= headers->end);
}

static void put_sum(struct given *given, const struct netvsp_headers *headers, uint32_t length)
{
	uint32_t at = headers->protocol == IP_PROTOCOL_TCP ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT;

	if (headers->transport != 0)
		netvsp_put16(given->bytes + headers->transport + at,
			     netvsp_sum_fold(netvsp_pseudo_sum(given->bytes, headers, length)));
}

/* --- What a frame goes through ---------------------------------------------------------------- */

static void checksums(struct given *given)
{
	struct netvsp_headers headers;
	uint32_t value, verified;

	netvsp_headers_find(given->bytes, given->length, false, &headers);
	check_headers(&headers, given->length);
	if (headers.version == 0)
		return;
	if ((given->options & OPTION_PSEUDO) != 0)
		put_sum(given, &headers, headers.end - headers.transport);
	if (netvsp_checksum_check(given->bytes, &headers, given->a, given->b, &value) == NULL) {
		FUZZ_CHECK(netvsp_checksum_fill(given->bytes, &headers, given->a) > 0);
		verified = netvsp_checksum_verify(given->bytes, &headers);
		if ((given->a & RNDIS_CHECKSUM_TX_IP_HEADER) != 0)
			FUZZ_CHECK((verified & RNDIS_CHECKSUM_RX_IP_GOOD) != 0);
		if ((given->a & RNDIS_CHECKSUM_TX_TCP) != 0)
			FUZZ_CHECK((verified & RNDIS_CHECKSUM_RX_TCP_GOOD) != 0);
		if ((given->a & RNDIS_CHECKSUM_TX_UDP) != 0)
			FUZZ_CHECK((verified & RNDIS_CHECKSUM_RX_UDP_GOOD) != 0);
	}
	netvsp_checksum_make(given->bytes, &headers);
	FUZZ_CHECK((netvsp_checksum_verify(given->bytes, &headers) & RX_FAILED) == 0);
}

static void large_send(struct given *given)
{
	struct netvsp_offload offload = {0xffffffffu, given->b, NETVSP_LSO_SIZE_MAX, 1, false};
	uint32_t frame_max = given->c % (FRAME_MAX + 1), value, taken = 0;
	uint8_t *made = malloc(FRAME_MAX + ETHERNET_TAG);
	struct netvsp_segments segments;
	struct netvsp_headers headers;

	FUZZ_CHECK(made != NULL);
	netvsp_headers_find(given->bytes, given->length, true, &headers);
	check_headers(&headers, given->length);
	if (headers.transport != 0 && (given->options & OPTION_PSEUDO) != 0)
		put_sum(given, &headers, 0);
	if (netvsp_segments_begin(&segments, given->bytes, given->length, given->a, &offload, frame_max,
				  &value) == NULL) {
		uint32_t payload = segments.headers.payload;

		for (uint32_t i = 0; i < segments.count; i++) {
			uint32_t length = netvsp_segment_make(&segments, i, made);

			FUZZ_CHECK(length <= frame_max + ETHERNET_TAG && length >= payload);
			FUZZ_CHECK(memcmp(made + payload, given->bytes + payload + taken, length - payload) ==
				   0);
			taken += length - payload;
			FUZZ_CHECK(netvsp_headers_find(made, length, false, &headers) &&
				   headers.end == length);
			FUZZ_CHECK((netvsp_checksum_verify(made, &headers) & RX_FAILED) == 0);
		}
		FUZZ_CHECK(taken == given->length - payload);
	}
	free(made);
}

/* Both halves of the bytes are frames. */
static void join(struct given *given)
{
	uint32_t first = given->a % (given->length + 1), second = given->length - first;
	struct netvsp_coalesce *coalesce = malloc(sizeof *coalesce);
	struct netvsp_headers headers;

	FUZZ_CHECK(coalesce != NULL);
	if ((given->options & OPTION_CHECKSUMS) != 0) {
		if (netvsp_headers_find(given->bytes, first, false, &headers))
			netvsp_checksum_make(given->bytes, &headers);
		if (netvsp_headers_find(given->bytes + first, second, false, &headers))
			netvsp_checksum_make(given->bytes + first, &headers);
	}
	if (netvsp_coalesce_begin(coalesce, given->bytes, first, given->b)) {
		uint32_t alone = coalesce->length, payload = coalesce->headers.payload;
		bool joined = netvsp_coalesce_add(coalesce, given->bytes + first, second, given->c);

		FUZZ_CHECK(coalesce->count == (joined ? 2u : 1u));
		netvsp_coalesce_finish(coalesce, true);
		FUZZ_CHECK(netvsp_headers_find(coalesce->bytes, coalesce->length, false, &headers));
		FUZZ_CHECK(headers.end == coalesce->length && headers.payload == payload);
		FUZZ_CHECK((netvsp_checksum_verify(coalesce->bytes, &headers) & RX_FAILED) == 0);
		FUZZ_CHECK(joined ? coalesce->length > alone && coalesce->length <= given->c
				  : coalesce->length == alone);
	}
	free(coalesce);
}

static void tags(struct given *given)
{
	uint8_t *bare = malloc(given->length), *again = malloc(given->length);
	uint32_t vlan = 0;

	FUZZ_CHECK((bare != NULL && again != NULL) || given->length == 0);
	if (netvsp_tag_remove(bare, given->bytes, given->length, &vlan)) {
		netvsp_tag_insert(again, bare, given->length - ETHERNET_TAG, vlan);
		FUZZ_CHECK(memcmp(again, given->bytes, given->length) == 0);
	}
	free(bare);
	free(again);
}

/* --- What the guest says in words ----------------------------------------------------------------- */

static void packet_info(struct given *given)
{
	struct netvsp_packet_info info, again;
	uint8_t built[NETVSP_PACKET_INFO_MAX];
	uint32_t value;

	if (netvsp_packet_info_parse(given->bytes, given->length, &info, &value) != NULL)
		return;
	FUZZ_CHECK(netvsp_packet_info_build(built, &info) == netvsp_packet_info_size(&info));
	FUZZ_CHECK(netvsp_packet_info_parse(built, netvsp_packet_info_size(&info), &again, &value) == NULL);
	FUZZ_CHECK(memcmp(&info, &again, sizeof info) == 0);
}

static void offload(struct given *given)
{
	static const uint32_t versions[] = {NVS_VERSION_1, NVS_VERSION_4, NVS_VERSION_5, NVS_VERSION_6_1};
	uint8_t *room = malloc(given->c % 200);
	struct netvsp_offload offload;
	uint32_t value, before, length;
	const char *fault;

	netvsp_offload_begin(&offload, versions[given->options % 4], (given->options & 4) != 0, given->a);
	before = offload.granted;
	fault = netvsp_offload_set(&offload, given->bytes, given->length, &value);
	FUZZ_CHECK((offload.granted & ~offload.offered) == 0);
	FUZZ_CHECK(fault == NULL || offload.granted == before);
	length = netvsp_offload_write(&offload, offload.granted, given->b % 4, room, given->c % 200);
	FUZZ_CHECK(length <= given->c % 200);
	free(room);
}

static void rss(struct given *given)
{
	struct netvsp_rss rss = {.entries = given->options % 2, .hash = NDIS_HASH_TOEPLITZ | NDIS_HASH_IPV4};
	uint32_t queues = given->a % 64 + 1, value, hash, type;
	struct netvsp_headers headers;

	if (netvsp_rss_set(&rss, given->bytes, given->length, queues, given->b, (given->options & 2) != 0,
			   &value) != NULL)
		FUZZ_CHECK(!rss.enabled);
	if (!rss.enabled)
		return;
	FUZZ_CHECK(rss.entries >= 1 && rss.entries <= NDIS_RSS_TABLE_ENTRIES_MAX);
	for (uint32_t i = 0; i < rss.entries; i++)
		FUZZ_CHECK(rss.table[i] < queues);
	/* Whatever follows the parameters is a frame too. */
	netvsp_headers_find(given->bytes, given->length, false, &headers);
	if (netvsp_rss_hash(&rss, given->bytes, &headers, &hash, &type))
		FUZZ_CHECK((type & (type - 1)) == 0 && (type & rss.hash) != 0);
	FUZZ_CHECK(netvsp_rss_queue(&rss, given->c, queues) < queues);
}

/* A frame's hash, with any types allowed. */
static void hashes(struct given *given)
{
	struct netvsp_rss rss = {.enabled = true, .hash = given->b, .entries = 1};
	struct netvsp_headers headers;
	uint32_t hash, type;

	memset(rss.key, (int)(given->a & 0xff), sizeof rss.key);
	netvsp_headers_find(given->bytes, given->length, false, &headers);
	if (netvsp_rss_hash(&rss, given->bytes, &headers, &hash, &type))
		FUZZ_CHECK((type & (type - 1)) == 0 && (type & rss.hash) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const subjects[])(struct given *) = {checksums,   large_send, join, tags,
							   packet_info, offload,    rss,  hashes};
	struct fuzz_input input = {data, size};
	uint8_t subject = fuzz_u8(&input);
	struct given given = {.options = fuzz_u8(&input)};

	given.a = fuzz_u32(&input);
	given.b = fuzz_u32(&input);
	given.c = fuzz_u32(&input);
	if (input.left > 70000)
		return 0;
	given.length = (uint32_t)input.left;
	given.bytes = malloc(given.length);
	FUZZ_CHECK(given.bytes != NULL || given.length == 0);
	if (given.length > 0)
		memcpy(given.bytes, input.bytes, given.length);
	subjects[subject % (sizeof subjects / sizeof subjects[0])](&given);
	free(given.bytes);
	return 0;
}
