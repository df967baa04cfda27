/* SPDX-License-Identifier: MIT */
/*
 * pcapng with one interface and a time resolution of 100 ns, and the trace as such a file: each
 * enhanced packet block holds one record; docs/tracing.md.
 */
#include <string.h>

#include "hvkit_host/trace.h"
#include "host/core/pcapng.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_ENHANCED_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define OPTION_END 0u
#define OPTION_USER_APPLICATION 4u /* section header */
#define OPTION_IF_NAME 2u
#define OPTION_IF_TSRESOL 9u
#define OPTION_EPB_FLAGS 2u
#define TSRESOL_100NS 7u
#define NAME_MAX_LENGTH 255u
#define BLOCK_MAX 512u

/* A block is put together here; the body of a packet is written straight out. */
struct block {
	uint8_t bytes[BLOCK_MAX];
	uint32_t length;
};

static void put(struct block *block, const void *bytes, uint32_t length)
{
	memcpy(block->bytes + block->length, bytes, length);
	block->length += length;
}

static void put16(struct block *block, uint32_t value)
{
	uint16_t narrow = (uint16_t)value;
	put(block, &narrow, sizeof(narrow));
}

static void put32(struct block *block, uint32_t value)
{
	put(block, &value, sizeof(value));
}

static uint32_t padding(uint32_t length)
{
	return (4u - length % 4u) % 4u;
}

static void put_option(struct block *block, uint32_t code, const void *value, uint32_t length)
{
	static const uint8_t zeros[4];
	put16(block, code);
	put16(block, length);
	put(block, value, length);
	put(block, zeros, padding(length));
}

static void open_block(struct block *block, uint32_t type)
{
	block->length = 0;
	put32(block, type);
	put32(block, 0); /* length: patched at the end */
}

static bool close_block(struct block *block, FILE *file)
{
	put32(block, OPTION_END);
	uint32_t length = block->length + 4u;
	memcpy(block->bytes + 4, &length, sizeof(length));
	put32(block, length);
	return fwrite(block->bytes, 1, length, file) == length;
}

bool hvh_pcapng_open(FILE *file, uint32_t link_type, const char *interface_name)
{
	static const char application[] = "hvkit";
	static const uint8_t resolution = TSRESOL_100NS;
	uint64_t section_length = UINT64_MAX; /* not known */
	struct block block;

	open_block(&block, BLOCK_SECTION);
	put32(&block, BYTE_ORDER_MAGIC);
	put16(&block, 1);
	put16(&block, 0);
	put(&block, &section_length, sizeof(section_length));
	put_option(&block, OPTION_USER_APPLICATION, application, sizeof(application) - 1u);
	if (!close_block(&block, file))
		return false;

	size_t name_length = strnlen(interface_name, NAME_MAX_LENGTH);
	open_block(&block, BLOCK_INTERFACE);
	put16(&block, link_type);
	put16(&block, 0);
	put32(&block, 0); /* no snap length */
	put_option(&block, OPTION_IF_NAME, interface_name, (uint32_t)name_length);
	put_option(&block, OPTION_IF_TSRESOL, &resolution, sizeof(resolution));
	return close_block(&block, file);
}

static bool write_tail(FILE *file, uint32_t body, uint32_t total, uint32_t direction)
{
	static const uint8_t zeros[4];
	struct block tail = {.length = 0};

	put(&tail, zeros, padding(body));
	put_option(&tail, OPTION_EPB_FLAGS, &direction, sizeof(direction));
	put32(&tail, OPTION_END);
	put32(&tail, total);
	return fwrite(tail.bytes, 1, tail.length, file) == tail.length;
}

static bool write_bytes(FILE *file, const void *bytes, uint32_t length)
{
	return length == 0 || fwrite(bytes, 1, length, file) == length;
}

bool hvh_pcapng_packet(FILE *file, uint64_t time, uint32_t direction,
		       const struct hvh_pcapng_part parts[HVH_PCAPNG_PARTS])
{
	uint32_t body = 0;
	struct block block;
	bool written;

	for (uint32_t n = 0; n < HVH_PCAPNG_PARTS; n++)
		body += parts[n].length;
	/* block header 8, fixed part 20, body, flags option 8, end 4, length 4 */
	uint32_t total = 28u + body + padding(body) + 16u;

	open_block(&block, BLOCK_ENHANCED_PACKET);
	memcpy(block.bytes + 4, &total, sizeof(total));
	put32(&block, 0); /* interface */
	put32(&block, (uint32_t)(time >> 32));
	put32(&block, (uint32_t)time);
	put32(&block, body);
	put32(&block, body);
	written = write_bytes(file, block.bytes, block.length);
	for (uint32_t n = 0; written && n < HVH_PCAPNG_PARTS; n++)
		written = write_bytes(file, parts[n].bytes, parts[n].length);
	return written && write_tail(file, body, total, direction);
}

/* --- The trace ------------------------------------------------------------------------ */

bool hvh_pcapng_begin(FILE *file, const char *guest_name)
{
	return hvh_pcapng_open(file, HVH_PCAPNG_USER0, guest_name);
}

bool hvh_pcapng_write(FILE *file, const struct hvh_trace_record *record)
{
	uint32_t bytes = record->bytes != NULL ? record->byte_count : 0;
	uint32_t external = record->external != NULL ? record->external_count : 0;
	struct hvh_trace_header header = {
		.version = HVH_TRACE_VERSION,
		.kind = (uint8_t)record->kind,
		.to_guest = record->to_guest ? 1 : 0,
		.vp = record->vp,
		.channel_id = record->channel_id,
		.byte_count = bytes,
		.external_count = external,
	};
	const struct hvh_pcapng_part parts[HVH_PCAPNG_PARTS] = {
		{&header, sizeof(header)}, {record->bytes, bytes}, {record->external, external}};

	if (bytes > HVH_TRACE_BYTES_MAX || external > HVH_TRACE_BYTES_MAX)
		return false;
	return hvh_pcapng_packet(file, record->time,
				 record->to_guest ? HVH_PCAPNG_OUTBOUND
						  : HVH_PCAPNG_INBOUND, /* as the host sees it */
				 parts);
}
