/* SPDX-License-Identifier: MIT */
#include "apps/net/tftp.h"

#include <stdio.h>
#include <string.h>

enum tftp_opcode { TFTP_RRQ = 1, TFTP_DATA = 3, TFTP_ACK = 4, TFTP_ERROR = 5, TFTP_OACK = 6 };
enum tftp_error_code {
	TFTP_ERROR_UNDEFINED = 0,
	TFTP_ERROR_ILLEGAL = 4,
	TFTP_ERROR_UNKNOWN_ID = 5,
	TFTP_ERROR_OPTION = 8
};

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

/* --- Sending ------------------------------------------------------------------------ */

static void send_packet(struct tftp *tftp, uint64_t now_ms)
{
	tftp->deadline_ms = now_ms + ((uint64_t)TFTP_TIMEOUT_MS << tftp->sends);
	tftp->sends++;
	tftp->config.send(tftp->config.context, tftp->peer_port ? tftp->peer_port : tftp->config.server_port,
			  tftp->packet, tftp->packet_length);
}

static void send_error(struct tftp *tftp, uint16_t port, enum tftp_error_code code, const char *text)
{
	uint8_t packet[TFTP_HEADER + 64] = {0, TFTP_ERROR, 0, (uint8_t)code};
	size_t length = strlen(text);

	if (length > sizeof(packet) - TFTP_HEADER - 1)
		length = sizeof(packet) - TFTP_HEADER - 1;
	memcpy(packet + TFTP_HEADER, text, length);
	tftp->config.send(tftp->config.context, port, packet, (uint32_t)(TFTP_HEADER + length + 1));
}

static void acknowledge(struct tftp *tftp, uint64_t now_ms)
{
	put16(tftp->packet, TFTP_ACK);
	put16(tftp->packet + 2, tftp->last_block);
	tftp->packet_length = TFTP_HEADER;
	tftp->sends = 0;
	send_packet(tftp, now_ms);
}

/* The same acknowledgement again: time goes on as if it had not been sent, so that
 * a server that repeats itself for ever does not keep the transfer alive. */
static void acknowledge_again(struct tftp *tftp)
{
	tftp->duplicates++;
	tftp->config.send(tftp->config.context, tftp->peer_port, tftp->packet, tftp->packet_length);
}

/* --- Failing ------------------------------------------------------------------------ */

static void fail(struct tftp *tftp, const char *text)
{
	tftp->state = TFTP_FAILED;
	snprintf(tftp->error, sizeof(tftp->error), "%s", text);
}

static void fail_and_tell(struct tftp *tftp, enum tftp_error_code code, const char *text)
{
	fail(tftp, text);
	if (tftp->peer_port)
		send_error(tftp, tftp->peer_port, code, text);
}

void tftp_cancel(struct tftp *tftp, const char *reason)
{
	if (!tftp_finished(tftp))
		fail_and_tell(tftp, TFTP_ERROR_UNDEFINED, reason);
}

/* --- The request -------------------------------------------------------------------- */

static void add_text(struct tftp *tftp, const char *text)
{
	size_t length = strlen(text) + 1;

	memcpy(tftp->packet + tftp->packet_length, text, length);
	tftp->packet_length += (uint32_t)length;
}

void tftp_start(struct tftp *tftp, const struct tftp_config *config, uint64_t now_ms)
{
	char number[8];
	size_t length = strlen(config->file);

	memset(tftp, 0, sizeof(*tftp));
	tftp->config = *config;
	tftp->config.file = NULL;
	tftp->block_size = TFTP_BLOCK_PLAIN;
	if (length == 0 || length > TFTP_FILE_MAX) {
		fail(tftp, "the file's name must have 1 to 400 characters");
		return;
	}
	if (config->block_size < TFTP_BLOCK_MIN || config->block_size > TFTP_BLOCK_MAX) {
		fail(tftp, "the block size must be 8 to 65464");
		return;
	}
	put16(tftp->packet, TFTP_RRQ);
	tftp->packet_length = 2;
	add_text(tftp, config->file);
	add_text(tftp, "octet");
	if (config->block_size != TFTP_BLOCK_PLAIN) {
		snprintf(number, sizeof(number), "%u", config->block_size);
		add_text(tftp, "blksize");
		add_text(tftp, number);
	}
	add_text(tftp, "tsize");
	add_text(tftp, "0");
	send_packet(tftp, now_ms);
}

/* --- Answers ------------------------------------------------------------------------ */

static bool same_option(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char c = *a >= 'A' && *a <= 'Z' ? (char)(*a - 'A' + 'a') : *a;

		if (c != *b)
			return false;
	}
	return *a == *b;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > (max - (uint64_t)(*text - '0')) / 10)
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	*value = number;
	return true;
}

/* The text at offset, or NULL if it does not end inside the packet. */
static const char *text_at(const uint8_t *packet, uint32_t length, uint32_t *offset)
{
	const char *text = (const char *)packet + *offset;
	const void *end = *offset < length ? memchr(text, 0, length - *offset) : NULL;

	if (!end)
		return NULL;
	*offset += (uint32_t)((const char *)end - text) + 1;
	return text;
}

/* Only what was asked for may be answered (RFC 2347). */
static bool take_option(struct tftp *tftp, const char *name, const char *value)
{
	uint64_t number;

	if (same_option(name, "blksize")) {
		if (tftp->config.block_size == TFTP_BLOCK_PLAIN ||
		    !parse_number(value, tftp->config.block_size, &number) || number < TFTP_BLOCK_MIN)
			return false;
		tftp->block_size = (uint16_t)number;
		return true;
	}
	if (!same_option(name, "tsize") || !parse_number(value, UINT64_MAX, &tftp->size))
		return false;
	tftp->size_known = true;
	return true;
}

static void take_options(struct tftp *tftp, const uint8_t *packet, uint32_t length, uint64_t now_ms)
{
	uint32_t offset = 2;

	while (offset < length) {
		const char *name = text_at(packet, length, &offset);
		const char *value = name ? text_at(packet, length, &offset) : NULL;

		if (!value || !take_option(tftp, name, value)) {
			fail_and_tell(tftp, TFTP_ERROR_OPTION,
				      "the server answered with options that were not asked for");
			return;
		}
	}
	tftp->state = TFTP_RECEIVING;
	acknowledge(tftp, now_ms);
}

static void take_last(struct tftp *tftp)
{
	if (tftp->size_known && tftp->size != tftp->bytes) {
		tftp->state = TFTP_FAILED;
		snprintf(tftp->error, sizeof(tftp->error), "the server announced %llu bytes and sent %llu",
			 (unsigned long long)tftp->size, (unsigned long long)tftp->bytes);
		return;
	}
	tftp->state = TFTP_DONE;
}

static void take_data(struct tftp *tftp, const uint8_t *packet, uint32_t length, uint64_t now_ms)
{
	uint16_t block = get16(packet + 2);
	uint32_t bytes = length - TFTP_HEADER;

	if (block != (uint16_t)(tftp->last_block + 1)) {
		/* Our acknowledgement was lost, or the block came twice. Older ones mean nothing. */
		if (tftp->any_block && block == tftp->last_block)
			acknowledge_again(tftp);
		return;
	}
	if (bytes > tftp->block_size) {
		fail_and_tell(tftp, TFTP_ERROR_ILLEGAL, "the server sent a block longer than agreed");
		return;
	}
	tftp->state = TFTP_RECEIVING;
	tftp->last_block = block;
	tftp->any_block = true;
	tftp->bytes += bytes;
	if (bytes)
		tftp->config.data(tftp->config.context, packet + TFTP_HEADER, bytes);
	acknowledge(tftp, now_ms);
	if (bytes < tftp->block_size)
		take_last(tftp);
}

static void take_error(struct tftp *tftp, const uint8_t *packet, uint32_t length)
{
	static const char *const codes[] = {
		"error",
		"file not found",
		"access violation",
		"disk full",
		"illegal operation",
		"unknown transfer id",
		"file already exists",
		"no such user",
		"options refused",
	};
	uint16_t code = get16(packet + 2);
	const char *name = code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : "unknown error";
	char text[TFTP_ERROR_TEXT / 2];
	uint32_t used = 0;

	/* The server's own words, as far as they are text. */
	for (uint32_t i = TFTP_HEADER; i < length && packet[i] && used < sizeof(text) - 1; i++)
		text[used++] = packet[i] >= ' ' && packet[i] < 0x7f ? (char)packet[i] : '?';
	text[used] = '\0';
	tftp->state = TFTP_FAILED;
	snprintf(tftp->error, sizeof(tftp->error), "the server refused: error %u, %s%s%s", code, name,
		 used ? ": " : "", text);
}

void tftp_input(struct tftp *tftp, uint16_t port, const void *packet, uint32_t length, uint64_t now_ms)
{
	const uint8_t *bytes = packet;

	if (tftp_finished(tftp) || length < 2)
		return;
	if (tftp->peer_port && port != tftp->peer_port) {
		/* Another transfer's, or a second answer to a repeated request (RFC 1350, 4). */
		if (get16(bytes) != TFTP_ERROR)
			send_error(tftp, port, TFTP_ERROR_UNKNOWN_ID, "unknown transfer id");
		return;
	}
	switch (get16(bytes)) {
	case TFTP_OACK:
		if (tftp->state == TFTP_REQUESTED) {
			tftp->peer_port = port;
			take_options(tftp, bytes, length, now_ms);
		} else if (!tftp->any_block) {
			acknowledge_again(tftp);
		}
		return;
	case TFTP_DATA:
		if (length < TFTP_HEADER)
			return;
		tftp->peer_port = port;
		take_data(tftp, bytes, length, now_ms);
		return;
	case TFTP_ERROR:
		if (length >= TFTP_HEADER)
			take_error(tftp, bytes, length);
		return;
	default:
		return;
	}
}

void tftp_run(struct tftp *tftp, uint64_t now_ms)
{
	if (tftp_finished(tftp) || now_ms < tftp->deadline_ms)
		return;
	if (tftp->sends < TFTP_SENDS_MAX) {
		tftp->repeats++;
		send_packet(tftp, now_ms);
		return;
	}
	tftp->timed_out = true;
	fail_and_tell(tftp, TFTP_ERROR_UNDEFINED,
		      tftp->state == TFTP_REQUESTED ? "the server did not answer in time"
						    : "the transfer stalled: no further block came in time");
}
