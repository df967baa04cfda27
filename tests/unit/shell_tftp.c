/* SPDX-License-Identifier: MIT */
/* The TFTP client against a scripted server, and against one behind a bad network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/net/tftp.h"

#define SENT_MAX 64u

#define OACK 6
#define PACKET_TEXT_MAX 64u

/* A packet of this kind that goes on with texts; each '|' stands for their end. */
static uint32_t text_packet(uint8_t *packet, uint8_t opcode, const char *text)
{
	uint32_t length = 2;

	packet[0] = 0;
	packet[1] = opcode;
	for (; *text; text++) {
		assert_true(length < PACKET_TEXT_MAX);
		packet[length++] = (uint8_t)(*text == '|' ? 0 : *text);
	}
	return length;
}

struct sent {
	uint16_t port;
	uint32_t length;
	uint8_t bytes[TFTP_REQUEST_MAX];
};

struct client {
	struct tftp tftp;
	struct sent sent[SENT_MAX];
	uint32_t sent_count;
	uint8_t *data;
	size_t data_length, data_room;
};

static void client_send(void *context, uint16_t port, const void *packet, uint32_t length)
{
	struct client *client = context;
	struct sent *sent = &client->sent[client->sent_count++ % SENT_MAX];

	assert_true(length <= sizeof(sent->bytes));
	sent->port = port;
	sent->length = length;
	memcpy(sent->bytes, packet, length);
}

static void client_data(void *context, const void *bytes, uint32_t length)
{
	struct client *client = context;

	if (client->data_length + length > client->data_room) {
		client->data_room = 2 * (client->data_length + length);
		assert_non_null(client->data = realloc(client->data, client->data_room));
	}
	memcpy(client->data + client->data_length, bytes, length);
	client->data_length += length;
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct client));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct client *client = *state;

	free(client->data);
	free(client);
	return 0;
}

static void start(struct client *client, const char *file, uint16_t block_size)
{
	const struct tftp_config config = {.file = file,
					   .server_port = 69,
					   .block_size = block_size,
					   .send = client_send,
					   .data = client_data,
					   .context = client};

	tftp_start(&client->tftp, &config, 0);
}

static const struct sent *last_sent(const struct client *client)
{
	assert_true(client->sent_count > 0);
	return &client->sent[(client->sent_count - 1) % SENT_MAX];
}

static void assert_last(const struct client *client, uint16_t port, const void *bytes, uint32_t length)
{
	assert_int_equal(last_sent(client)->port, port);
	assert_int_equal(last_sent(client)->length, length);
	assert_memory_equal(last_sent(client)->bytes, bytes, length);
}

static void assert_last_text(const struct client *client, uint16_t port, const char *request)
{
	uint8_t packet[PACKET_TEXT_MAX];

	assert_last(client, port, packet, text_packet(packet, 1, request));
}

static void answer(struct client *client, uint16_t port, const void *bytes, uint32_t length, uint64_t now)
{
	tftp_input(&client->tftp, port, bytes, length, now);
}

static void answer_options(struct client *client, const char *options, uint64_t now)
{
	uint8_t packet[PACKET_TEXT_MAX];

	answer(client, 3000, packet, text_packet(packet, OACK, options), now);
}

static void answer_data(struct client *client, uint16_t port, uint16_t block, uint32_t length, uint64_t now)
{
	uint8_t packet[2048] = {0, 3, (uint8_t)(block >> 8), (uint8_t)block};

	for (uint32_t i = 0; i < length; i++)
		packet[4 + i] = (uint8_t)(block + i);
	answer(client, port, packet, 4 + length, now);
}

/* --- The dialogue, byte by byte ----------------------------------------------------- */

static void plain_transfer(void **state)
{
	struct client *client = *state;

	start(client, "a", 512);
	assert_last_text(client, 69, "a|octet|tsize|0|");
	answer_data(client, 3000, 1, 512, 1); /* a server that knows no options */
	assert_last(client, 3000, "\0\4\0\1", 4);
	answer_data(client, 3000, 2, 511, 2);
	assert_last(client, 3000, "\0\4\0\2", 4);
	assert_int_equal(client->tftp.state, TFTP_DONE);
	assert_int_equal(client->tftp.bytes, 1023);
	assert_int_equal(client->data_length, 1023);
	assert_int_equal(client->sent_count, 3);
}

static void options_agreed(void **state)
{
	struct client *client = *state;

	start(client, "f", 1468);
	assert_last_text(client, 69, "f|octet|blksize|1468|tsize|0|");
	answer_options(client, "BLKSIZE|1000|tsize|1500|", 1);
	assert_last(client, 3000, "\0\4\0\0", 4);
	assert_true(client->tftp.size_known);
	assert_int_equal(client->tftp.size, 1500);
	answer_data(client, 3000, 1, 1000, 2);
	answer_data(client, 3000, 2, 500, 3);
	assert_int_equal(client->tftp.state, TFTP_DONE);
}

/* A file that fills its last block ends with an empty one. */
static void whole_blocks(void **state)
{
	struct client *client = *state;

	start(client, "f", 512);
	answer_data(client, 3000, 1, 512, 1);
	assert_int_equal(client->tftp.state, TFTP_RECEIVING);
	answer_data(client, 3000, 2, 0, 2);
	assert_int_equal(client->tftp.state, TFTP_DONE);
	assert_int_equal(client->tftp.bytes, 512);
}

static void options_not_asked_for(void **state)
{
	static const char *const answers[] = {
		"blksize|1469|", /* more than asked for */
		"blksize|7|",    /* below RFC 2348's least */
		"blksize|x|",    "blksize||",
		"blksize|", /* no value */
		"windowsize|4|", "tsize|99999999999999999999|",
		"tsize|12", /* does not end */
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct client *client = *state;

		start(client, "f", 1468);
		answer_options(client, answers[i], 1);
		assert_int_equal(client->tftp.state, TFTP_FAILED);
		assert_int_equal(last_sent(client)->bytes[1], 5);
		assert_int_equal(last_sent(client)->bytes[3], 8);
	}
}

/* --- What goes wrong ---------------------------------------------------------------- */

static void refused(void **state)
{
	struct client *client = *state;

	start(client, "nothing", 512);
	answer(client, 3000, "\0\5\0\1No such\x1b file", sizeof("\0\5\0\1No such\x1b file"), 1);
	assert_int_equal(client->tftp.state, TFTP_FAILED);
	assert_non_null(strstr(client->tftp.error, "file not found: No such? file"));
	assert_false(client->tftp.timed_out);
	assert_int_equal(client->sent_count, 1); /* an error is not answered */
}

static void another_sender(void **state)
{
	struct client *client = *state;

	start(client, "f", 512);
	answer_data(client, 3000, 1, 512, 1);
	answer_data(client, 3001, 2, 512, 2); /* a second answer to a repeated request */
	assert_int_equal(last_sent(client)->port, 3001);
	assert_int_equal(last_sent(client)->bytes[1], 5);
	assert_int_equal(last_sent(client)->bytes[3], 5);
	answer(client, 3001, "\0\5\0\0no", 7, 2); /* neither is its error ours */
	assert_int_equal(client->tftp.state, TFTP_RECEIVING);
	answer_data(client, 3000, 2, 10, 3);
	assert_int_equal(client->tftp.state, TFTP_DONE);
	assert_int_equal(client->data_length, 522);
}

static void lengths_that_lie(void **state)
{
	struct client *client = *state;

	start(client, "f", 512);
	answer_data(client, 3000, 1, 513, 1);
	assert_int_equal(client->tftp.state, TFTP_FAILED);
	assert_int_equal(client->data_length, 0);

	start(client, "f", 512);
	answer_options(client, "tsize|600|", 1);
	answer_data(client, 3000, 1, 100, 2);
	assert_int_equal(client->tftp.state, TFTP_FAILED);
	assert_non_null(strstr(client->tftp.error, "announced 600 bytes and sent 100"));
}

static void stray_packets(void **state)
{
	struct client *client = *state;

	start(client, "f", 512);
	answer(client, 3000, "", 0, 1);
	answer(client, 3000, "\0", 1, 1);
	answer(client, 3000, "\0\3\0", 3, 1);
	answer(client, 3000, "\0\5\0", 3, 1);
	answer(client, 3000, "\0\4\0\0", 4, 1);
	answer(client, 3000, "\xff\xff\0\0", 4, 1);
	answer_data(client, 3000, 2, 512, 1); /* from the future */
	answer_data(client, 3000, 0, 512, 1);
	assert_int_equal(client->tftp.state, TFTP_REQUESTED);
	assert_int_equal(client->data_length, 0);
	answer_data(client, 3000, 1, 4, 2);
	assert_int_equal(client->tftp.state, TFTP_DONE);
}

static void names(void **state)
{
	struct client *client = *state;
	char name[TFTP_FILE_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[TFTP_FILE_MAX + 1] = '\0';
	start(client, name, 1468);
	assert_int_equal(client->tftp.state, TFTP_FAILED);
	assert_int_equal(client->sent_count, 0);
	name[TFTP_FILE_MAX] = '\0';
	start(client, name, 65464);
	assert_int_equal(client->tftp.state, TFTP_REQUESTED);
	start(client, "", 512);
	assert_int_equal(client->tftp.state, TFTP_FAILED);
}

/* --- Time --------------------------------------------------------------------------- */

static void silent_server(void **state)
{
	struct client *client = *state;
	uint64_t now = 0;

	start(client, "f", 512);
	while (!tftp_finished(&client->tftp) && now < 100000) {
		now = client->tftp.deadline_ms;
		tftp_run(&client->tftp, now - 1); /* not yet due */
		tftp_run(&client->tftp, now);
	}
	assert_int_equal(now, 15000); /* 1 + 2 + 4 + 8 s */
	assert_int_equal(client->sent_count, 4);
	assert_true(client->tftp.timed_out);
	assert_non_null(strstr(client->tftp.error, "did not answer"));
}

/* Repeating the same block for ever is not progress, and does not hold off the end. */
static void server_that_repeats_itself(void **state)
{
	struct client *client = *state;
	uint64_t now;

	start(client, "f", 512);
	answer_data(client, 3000, 1, 512, 0);
	for (now = 1; !tftp_finished(&client->tftp) && now < 100000; now += 100) {
		answer_data(client, 3000, 1, 512, now);
		tftp_run(&client->tftp, now);
	}
	assert_true(now < 16000);
	assert_true(client->tftp.timed_out);
	assert_non_null(strstr(client->tftp.error, "stalled"));
	assert_int_equal(client->data_length, 512);
	assert_int_equal(last_sent(client)->bytes[1], 5); /* and the server is told */
}

static void progress_starts_the_clock_anew(void **state)
{
	struct client *client = *state;
	uint64_t now = 0;

	start(client, "f", 512);
	for (uint16_t block = 1; block <= 20; block++) {
		now += 6900; /* lost twice: after 1 s and after 2 more it is asked for again */
		tftp_run(&client->tftp, now - 5900);
		tftp_run(&client->tftp, now - 3900);
		answer_data(client, 3000, block, 512, now);
	}
	assert_int_equal(client->tftp.state, TFTP_RECEIVING);
	assert_int_equal(client->tftp.bytes, 20 * 512);
	assert_int_equal(client->tftp.repeats, 40);
}

/* --- A server behind a network that loses, doubles and delays ----------------------- */

#define FLIGHT_MAX 64u
#define FILE_BYTES 70000u /* in blocks of 8: the block number wraps */

struct datagram {
	uint64_t due;
	bool to_client;
	uint16_t length;
	uint8_t bytes[64];
};

struct network {
	struct client client;
	struct datagram flight[FLIGHT_MAX];
	uint32_t flying, lost, doubled;
	uint32_t random;
	uint64_t now;
	uint32_t size;      /* of the file */
	uint64_t server_at; /* block that the server sent last, from 1; 0: OACK */
	uint64_t server_timer;
	bool server_started, server_ended;
};

static uint32_t pick(struct network *network, uint32_t below)
{
	network->random = network->random * 1664525u + 1013904223u;
	return (network->random >> 8) % below;
}

static void fly(struct network *network, bool to_client, const void *bytes, uint32_t length)
{
	uint32_t copies = 1, fate = pick(network, 100);

	if (fate < 5) {
		network->lost++;
		return;
	}
	if (fate < 10) {
		network->doubled++;
		copies = 2;
	}
	for (; copies && network->flying < FLIGHT_MAX; copies--) {
		struct datagram *datagram = &network->flight[network->flying++];

		assert_true(length <= sizeof(datagram->bytes));
		datagram->due = network->now + 1 + pick(network, 8); /* they overtake each other */
		datagram->to_client = to_client;
		datagram->length = (uint16_t)length;
		memcpy(datagram->bytes, bytes, length);
	}
}

static uint8_t file_byte(uint32_t offset)
{
	return (uint8_t)(offset * 31 + (offset >> 8));
}

static void server_send(struct network *network)
{
	uint8_t packet[12] = {0, 3, (uint8_t)(network->server_at >> 8), (uint8_t)network->server_at};
	uint8_t options[PACKET_TEXT_MAX];
	uint32_t offset, length = 0;

	/* Now it is the server that sends again first, now the client. */
	network->server_timer = network->now + (pick(network, 2) ? 50 : 2500);
	if (network->server_at == 0) {
		fly(network, true, options, text_packet(options, OACK, "blksize|8|"));
		return;
	}
	offset = (uint32_t)(network->server_at - 1) * 8;
	while (length < 8 && offset + length < network->size) {
		packet[4 + length] = file_byte(offset + length);
		length++;
	}
	fly(network, true, packet, 4 + length);
}

static void server_take(struct network *network, const struct datagram *datagram)
{
	uint16_t acknowledged = (uint16_t)(datagram->bytes[2] << 8 | datagram->bytes[3]);

	if (datagram->bytes[1] == 1 && !network->server_started) {
		network->server_started = true;
		server_send(network);
	} else if (datagram->bytes[1] == 4 && acknowledged == (uint16_t)network->server_at) {
		/* RFC 1123: only the acknowledgement of the last block moves on, none is answered twice. */
		if ((network->server_at) * 8 > network->size) {
			network->server_ended = true;
			return;
		}
		network->server_at++;
		server_send(network);
	}
}

static void network_send(void *context, uint16_t port, const void *packet, uint32_t length)
{
	struct network *network = context;

	(void)port;
	fly(network, false, packet, length);
}

static void network_data(void *context, const void *bytes, uint32_t length)
{
	client_data(&((struct network *)context)->client, bytes, length);
}

static void network_step(struct network *network)
{
	network->now++;
	for (uint32_t i = 0; i < network->flying; i++) {
		struct datagram datagram = network->flight[i];

		if (datagram.due > network->now)
			continue;
		network->flight[i--] = network->flight[--network->flying];
		if (datagram.to_client)
			tftp_input(&network->client.tftp, 3000, datagram.bytes, datagram.length,
				   network->now);
		else
			server_take(network, &datagram);
	}
	if (network->server_started && !network->server_ended && network->now >= network->server_timer)
		server_send(network);
	tftp_run(&network->client.tftp, network->now);
}

static void transfer_over(uint32_t seed, uint32_t size, struct network *network)
{
	const struct tftp_config config = {.file = "f",
					   .server_port = 69,
					   .block_size = 8,
					   .send = network_send,
					   .data = network_data,
					   .context = network};

	network->random = seed;
	network->size = size;
	tftp_start(&network->client.tftp, &config, 0);
	while (!tftp_finished(&network->client.tftp) && network->now < 10000000)
		network_step(network);
	if (network->client.tftp.state != TFTP_DONE)
		fail_msg("seed %u: %s", seed, network->client.tftp.error);
	assert_int_equal(network->client.data_length, size);
	for (uint32_t i = 0; i < size; i++) {
		if (network->client.data[i] != file_byte(i))
			fail_msg("seed %u: byte %u", seed, i);
	}
}

static void bad_network(void **state)
{
	uint64_t lost = 0, doubled = 0, duplicates = 0, repeats = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct network *network = calloc(1, sizeof(*network));

		assert_non_null(network);
		transfer_over(seed, 500 + seed, network);
		lost += network->lost;
		doubled += network->doubled;
		duplicates += network->client.tftp.duplicates;
		repeats += network->client.tftp.repeats;
		free(network->client.data);
		free(network);
	}
	/* Nothing is shown by faults that did not happen. */
	assert_true(lost > 100 && doubled > 100 && duplicates > 50 && repeats > 50);
}

static void block_numbers_wrap(void **state)
{
	struct network *network = calloc(1, sizeof(*network));

	(void)state;
	assert_non_null(network);
	transfer_over(7, 8 * FILE_BYTES, network);
	assert_true(network->server_at > 65536);
	free(network->client.data);
	free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_transfer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(options_agreed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whole_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(options_not_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_sender, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lengths_that_lie, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stray_packets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silent_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(server_that_repeats_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(progress_starts_the_clock_anew, set_up, tear_down),
		cmocka_unit_test(bad_network),
		cmocka_unit_test(block_numbers_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
