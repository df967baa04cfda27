/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/trace/reader.h"
#include "host/core/pcapng.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_ENHANCED_PACKET 6u
#define BLOCK_FIXED 12u /* type, length, length again */
#define BLOCK_MAX (2u * HVH_TRACE_BYTES_MAX + 4096u)
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define BYTE_ORDER_SWAPPED 0x4d3c2b1au
#define PCAP_MAGIC 0xa1b2c3d4u
#define PCAP_MAGIC_NS 0xa1b23c4du
#define LINKTYPE_USER0 147u
#define SECTION_BODY 16u
#define INTERFACE_BODY 8u
#define PACKET_BODY 20u
#define OPTION_END 0u
#define OPTION_IF_NAME 2u
#define OPTION_IF_TSRESOL 9u
#define TSRESOL_DEFAULT 6u /* microseconds, says pcapng */
#define TSRESOL_OURS 7u
#define TSRESOL_MAX 9u

void trace_reader_begin(struct trace_reader *reader, FILE *file)
{
	memset(reader, 0, sizeof(*reader));
	reader->file = file;
}

void trace_reader_end(struct trace_reader *reader)
{
	free(reader->block);
	reader->block = NULL;
	reader->room = 0;
}

static uint32_t get16(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t get32(const uint8_t *bytes)
{
	return get16(bytes) | get16(bytes + 2) << 16;
}

static enum trace_read bad(struct trace_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum trace_read bad(struct trace_reader *reader, const char *format, ...)
{
	int length = snprintf(reader->error, TRACE_ERROR_MAX, "at offset %" PRIu64 ": ", reader->offset);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->error + length, TRACE_ERROR_MAX - (size_t)length, format, arguments);
	va_end(arguments);
	return TRACE_READ_BAD;
}

static bool make_room(struct trace_reader *reader, size_t size)
{
	uint8_t *block;

	if (size <= reader->room)
		return true;
	block = realloc(reader->block, size);
	if (block == NULL)
		return false;
	reader->block = block;
	reader->room = size;
	return true;
}

static enum trace_read bad_start(struct trace_reader *reader, uint32_t type)
{
	if (type == PCAP_MAGIC || type == PCAP_MAGIC_NS)
		return bad(reader, "this is a pcap file, and a trace is pcapng");
	return bad(reader, "no pcapng file: it begins with 0x%08x, a trace with 0x%08x", type, BLOCK_SECTION);
}

/* The block's first 8 bytes are read; its type and length make sense? */
static enum trace_read check_start(struct trace_reader *reader)
{
	uint32_t type = get32(reader->block), length = get32(reader->block + 4);

	if (!reader->in_section && type != BLOCK_SECTION)
		return bad_start(reader, type);
	/* Of a section of the other byte order the length makes no sense yet. */
	if (length < BLOCK_FIXED || length % 4 != 0 || length > BLOCK_MAX) {
		if (type == BLOCK_SECTION && length % (1u << 24) == 0)
			return bad(reader, "a section of big-endian pcapng; hvkit writes little-endian");
		return bad(reader,
			   "a block of type %u says that it is %u bytes long; it must be a multiple of 4, "
			   "from %u to %u",
			   type, length, BLOCK_FIXED, BLOCK_MAX);
	}
	return TRACE_READ_RECORD;
}

/* A whole block. */
static enum trace_read read_block(struct trace_reader *reader)
{
	size_t there;
	uint32_t length;

	if (!make_room(reader, 8))
		return bad(reader, "no memory");
	there = fread(reader->block, 1, 8, reader->file);
	if (there == 0 && ferror(reader->file))
		return bad(reader, "cannot be read");
	if (there == 0)
		return reader->in_section ? TRACE_READ_END : bad(reader, "the file is empty");
	if (there < 8)
		return bad(reader, "cut: a block begins here, and %zu bytes of it are there", there);
	if (check_start(reader) == TRACE_READ_BAD)
		return TRACE_READ_BAD;
	length = get32(reader->block + 4);
	if (!make_room(reader, length))
		return bad(reader, "no memory for a block of %u bytes", length);
	there = 8 + fread(reader->block + 8, 1, length - 8u, reader->file);
	if (there < length)
		return bad(reader, "cut: a block of %u bytes begins here, and %zu of them are there", length,
			   there);
	if (get32(reader->block + length - 4u) != length)
		return bad(reader, "a block of %u bytes ends in length %u: they must be equal", length,
			   get32(reader->block + length - 4u));
	return TRACE_READ_RECORD;
}

static enum trace_read take_section(struct trace_reader *reader, const uint8_t *body, uint32_t size)
{
	if (size < SECTION_BODY)
		return bad(reader, "a section header of %u bytes; it has at least %u", size, SECTION_BODY);
	if (get32(body) == BYTE_ORDER_SWAPPED)
		return bad(reader, "a section of big-endian pcapng; hvkit writes little-endian");
	if (get32(body) != BYTE_ORDER_MAGIC || get16(body + 4) != 1)
		return bad(reader,
			   "a section header of pcapng %u.%u with byte order 0x%08x; it must be 1.0 and "
			   "0x%08x",
			   get16(body + 4), get16(body + 6), get32(body), BYTE_ORDER_MAGIC);
	reader->in_section = true;
	reader->interfaces = 0;
	return TRACE_READ_RECORD;
}

static void take_name(struct trace_reader *reader, const uint8_t *name, uint32_t length)
{
	uint32_t n;

	for (n = 0; n < length && n < TRACE_GUEST_MAX - 1u; n++)
		reader->guest[n] = name[n] >= 0x20 && name[n] < 0x7f ? (char)name[n] : '?';
	reader->guest[n] = '\0';
}

static enum trace_read take_interface(struct trace_reader *reader, const uint8_t *body, uint32_t size)
{
	uint32_t resolution = TSRESOL_DEFAULT, at = INTERFACE_BODY;

	if (size < INTERFACE_BODY)
		return bad(reader, "an interface of %u bytes; it has at least %u", size, INTERFACE_BODY);
	if (get16(body) != LINKTYPE_USER0)
		return bad(reader, "an interface of link type %u: not a trace of hvkit, which has type %u",
			   get16(body), LINKTYPE_USER0);
	if (reader->interfaces == TRACE_INTERFACES_MAX)
		return bad(reader, "more than %u interfaces", TRACE_INTERFACES_MAX);
	while (size - at >= 4 && get16(body + at) != OPTION_END) {
		uint32_t code = get16(body + at), length = get16(body + at + 2);

		if (length > size - at - 4u)
			return bad(reader, "an option of %u bytes goes beyond its interface", length);
		if (code == OPTION_IF_TSRESOL && length == 1)
			resolution = body[at + 4];
		if (code == OPTION_IF_NAME)
			take_name(reader, body + at + 4, length);
		at += 4u + (length + 3u) / 4u * 4u;
		if (at > size)
			at = size;
	}
	if (resolution < TSRESOL_DEFAULT || resolution > TSRESOL_MAX)
		return bad(reader, "time in units of resolution %u; hvkit writes 7, and 6 to 9 can be read",
			   resolution);
	reader->unit[reader->interfaces++] = resolution;
	return TRACE_READ_RECORD;
}

/* To units of 100 ns. */
static uint64_t convert_time(uint64_t time, uint32_t resolution)
{
	for (; resolution < TSRESOL_OURS; resolution++)
		time = time > UINT64_MAX / 10 ? UINT64_MAX : time * 10;
	for (; resolution > TSRESOL_OURS; resolution--)
		time /= 10;
	return time;
}

static enum trace_read take_packet(struct trace_reader *reader, const uint8_t *body, uint32_t size,
				   struct trace_record *record)
{
	struct hvh_trace_header header;
	uint32_t captured;

	if (size < PACKET_BODY)
		return bad(reader, "a packet of %u bytes; it has at least %u", size, PACKET_BODY);
	captured = get32(body + 12);
	if (get32(body) >= reader->interfaces)
		return bad(reader, "a packet of interface %u, and %u are described", get32(body),
			   reader->interfaces);
	if (captured > size - PACKET_BODY)
		return bad(reader, "a packet says that %u bytes were captured, and has room for %u", captured,
			   size - PACKET_BODY);
	if (captured < sizeof(header))
		return bad(reader, "a record of %u bytes; its header alone has %zu", captured,
			   sizeof(header));
	memcpy(&header, body + PACKET_BODY, sizeof(header));
	if (header.version != HVH_TRACE_VERSION)
		return bad(reader, "a record of layout %u; this program reads %u", header.version,
			   HVH_TRACE_VERSION);
	if ((uint64_t)header.byte_count + header.external_count != captured - sizeof(header))
		return bad(reader, "a record of %u and %u bytes, and there are %zu", header.byte_count,
			   header.external_count, captured - sizeof(header));
	*record = (struct trace_record){
		.number = ++reader->records,
		.time = convert_time((uint64_t)get32(body + 4) << 32 | get32(body + 8),
				     reader->unit[get32(body)]),
		.offset = reader->offset,
		.kind = header.kind,
		.to_guest = header.to_guest != 0,
		.vp = header.vp,
		.channel = header.channel_id,
		.byte_count = header.byte_count,
		.external_count = header.external_count,
		.bytes = body + PACKET_BODY + sizeof(header),
	};
	return TRACE_READ_RECORD;
}

/* Blocks of other types (Wireshark adds some) are passed over. */
enum trace_read trace_reader_next(struct trace_reader *reader, struct trace_record *record)
{
	for (;;) {
		enum trace_read result = read_block(reader);
		uint32_t type, length;
		const uint8_t *body;

		if (result != TRACE_READ_RECORD)
			return result;
		type = get32(reader->block);
		length = get32(reader->block + 4);
		body = reader->block + 8;
		if (type == BLOCK_SECTION)
			result = take_section(reader, body, length - BLOCK_FIXED);
		else if (type == BLOCK_INTERFACE)
			result = take_interface(reader, body, length - BLOCK_FIXED);
		else if (type == BLOCK_ENHANCED_PACKET)
			result = take_packet(reader, body, length - BLOCK_FIXED, record);
		if (result == TRACE_READ_BAD)
			return result;
		reader->offset += length;
		if (type == BLOCK_ENHANCED_PACKET)
			return TRACE_READ_RECORD;
	}
}
