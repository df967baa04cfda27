/* SPDX-License-Identifier: MIT */
/*
 * The host's side of an integration component and a hostile guest: an open channel, answers right, changed or
 * of nothing, while the host asks for whatever there is and the service is restarted.
 * Header: {profile, faults, flags}; flags: 1 versions are agreed on, by the rules; above that the component.
 */
#include "tests/fuzz/raw_guest.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hvkit/wire/ic.h"
#include "hvkit/wire/input.h"
#include "hvkit_host/quirk.h"
#include "hvkit_host/utilities.h"

#define COMPONENTS 6u
#define TEXT_MAX 255u
#define HEADERS (sizeof(struct pipe_header) + sizeof(struct ic_header))
#define FILE_BYTES 10000u

/* Requests that have not ended yet. */
static uint32_t under_way;

static void on_end(void *context, enum hvh_utility_result result, uint32_t status, const char *text)
{
	(void)context;
	(void)status;
	FUZZ_CHECK(result <= HVH_UTILITY_AWAY && under_way > 0);
	for (; *text != '\0'; text++)
		FUZZ_CHECK((uint8_t)*text >= 0x20 && *text != 0x7f); /* one line, and none that plays */
	under_way--;
}

/* A file to be sent; the same each time. */
static const char *file_name(void)
{
	static char name[32];
	static const char bytes[FILE_BYTES] = "hvkit";
	int file;

	if (name[0] != '\0')
		return name;
	file = memfd_create("fuzz", 0);
	FUZZ_CHECK(file >= 0 && write(file, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes));
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	return name;
}

/* Hosts differ in what they have; shutdown is everywhere. */
static struct hvh_utilities *create(struct raw_guest *guest, uint32_t component)
{
	struct hvh_utilities_config config = {.which = 1u << component};
	struct hvh_utilities *utilities;
	char error[200] = "";

	utilities = hvh_utilities_create(guest->host, &config, error, sizeof(error));
	if (utilities == NULL) {
		FUZZ_CHECK(error[0] != '\0');
		config.which = HVH_UTILITY_SHUTDOWN;
		utilities = hvh_utilities_create(guest->host, &config, error, sizeof(error));
	}
	FUZZ_CHECK(utilities != NULL && hvh_utilities_find(guest->host) == utilities);
	return utilities;
}

/* --- Answers --------------------------------------------------------------------------------------- */

static void send_back(struct raw_guest *guest, uint32_t length)
{
	raw_packet(guest, VMBUS_PACKET_IN_BAND, 0, ++guest->transaction, NULL, 0, guest->packet,
		   (length + 7u) & ~7u);
}

/* The newest framework that was offered and the newest or another message version. */
static void choose(struct raw_guest *guest, uint32_t back)
{
	struct ic_negotiate lists;
	struct ic_header header;
	uint32_t versions[2], count;
	uint8_t *body = guest->packet + HEADERS;

	memcpy(&header, guest->packet + sizeof(struct pipe_header), sizeof(header));
	memcpy(&lists, body, sizeof(lists));
	count = (uint32_t)lists.framework_count + lists.message_count;
	if (header.type != IC_TYPE_NEGOTIATE || lists.framework_count == 0 || count > 16 ||
	    back >= lists.message_count)
		return;
	memcpy(&versions[0], body + sizeof(lists) + 4u * (lists.framework_count - 1u), sizeof(uint32_t));
	memcpy(&versions[1], body + sizeof(lists) + 4u * (count - 1u - back), sizeof(uint32_t));
	lists.framework_count = lists.message_count = 1;
	memcpy(body, &lists, sizeof(lists));
	memcpy(body + sizeof(lists), versions, sizeof(versions));
	header.size = 16;
	memcpy(guest->packet + sizeof(struct pipe_header), &header, sizeof(header));
}

static void respond(struct raw_guest *guest, uint32_t status)
{
	guest->packet[sizeof(struct pipe_header) + offsetof(struct ic_header, flags)] = IC_FLAG_TRANSACTION |
											IC_FLAG_RESPONSE;
	memcpy(guest->packet + sizeof(struct pipe_header) + offsetof(struct ic_header, status), &status,
	       sizeof(status));
}

static void agree(struct raw_guest *guest)
{
	raw_pass(guest, 50 * HVH_TIME_PER_MS);
	raw_drain(guest);
	if (guest->packet_length < HEADERS + sizeof(struct ic_negotiate))
		return;
	choose(guest, 0);
	respond(guest, IC_STATUS_OK);
	send_back(guest, guest->packet_length);
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_drain(guest);
}

/* --- What the fuzzer can do ------------------------------------------------------------------------ */

/* {how, status, changes}: what came last goes back. how: bits 0 to 1 the version (of NEGOTIATE), 4 as it is,
 * 8 another length (u16 first), 16 twice; changes: {at u16, count u8, bytes}. */
static void op_answer(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static const uint32_t statuses[] = {IC_STATUS_OK,
					    IC_STATUS_FAIL,
					    IC_STATUS_NO_MORE_ITEMS,
					    IC_STATUS_NOT_SUPPORTED,
					    IC_STATUS_NOT_FOUND,
					    IC_STATUS_INVALID_ARGUMENT,
					    IC_STATUS_ALREADY_EXISTS,
					    0x12345678u};
	uint8_t how = fuzz_u8(arguments), status = fuzz_u8(arguments);
	uint32_t length = guest->packet_length;

	if (length < HEADERS + sizeof(struct ic_negotiate))
		return;
	choose(guest, how & 3u);
	if ((how & 4u) == 0)
		respond(guest, statuses[status % 8u]);
	if (how & 8u)
		length = fuzz_u16(arguments) % (RAW_PACKET_MAX - 7u);
	while (arguments->left >= 4) {
		uint32_t at = fuzz_u16(arguments), count = fuzz_u8(arguments);

		for (uint32_t i = 0; i < count && arguments->left > 0; i++)
			guest->packet[(at + i) % RAW_PACKET_MAX] = fuzz_u8(arguments);
	}
	send_back(guest, length);
	if (how & 16u)
		send_back(guest, length);
	raw_settle(guest);
}

static void ask_pairs(struct hvh_utilities *utilities, uint64_t now, uint8_t how, uint8_t which,
		      const char *one, const char *two)
{
	const struct hvh_kvp_ip ip = {.adapter = how & 1u ? one : "{b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f90}",
				      .addresses = one,
				      .masks = two,
				      .ipv4 = how & 2u,
				      .dhcp = how & 4u};

	if (which % 8u < 6u)
		hvh_kvp_request(utilities, now, how & 7u, how >> 3 & 7u, one, how & 64u ? NULL : two, how,
				on_end, NULL);
	else if (which % 8u == 6u)
		hvh_kvp_get_ip(utilities, now, how & 1u ? one : "00:15:5d:01:02:03", on_end, NULL);
	else
		hvh_kvp_set_ip(utilities, now, &ip, on_end, NULL);
}

/* {which, how, text, 0, text}: something is asked for. */
static void op_ask(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct hvh_utilities *utilities = hvh_utilities_find(guest->host);
	uint8_t which = fuzz_u8(arguments), how = fuzz_u8(arguments);
	char one[TEXT_MAX + 2] = "";
	const char *two;

	memcpy(one, arguments->bytes, arguments->left < TEXT_MAX ? arguments->left : TEXT_MAX);
	two = one + strlen(one) + (strlen(one) < TEXT_MAX);
	under_way++;
	switch (which / 8u % 4u) {
	case 0:
		hvh_shutdown_request(utilities, guest->now, how, one, on_end, NULL);
		break;
	case 1:
		ask_pairs(utilities, guest->now, how, which, one, two);
		break;
	case 2:
		hvh_vss_request(utilities, guest->now, how, on_end, NULL);
		break;
	default:
		hvh_fcopy_send(utilities, guest->now, how & 1u ? "/nowhere" : file_name(), two, one, how & 2u,
			       on_end, NULL);
		break;
	}
	raw_settle(guest);
}

/* {what, difference u64}: a restart, a step of the clock, silence, a device that goes and comes. */
static void op_host(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct hvh_utilities *utilities = hvh_utilities_find(guest->host);
	static const char *const names[] = {"shutdown0", "timesync0", "heartbeat0", "kvp0", "vss0", "fcopy0"};
	uint8_t what = fuzz_u8(arguments);

	switch (what % 4u) {
	case 0:
		hvh_utilities_restart(utilities, guest->now, HVH_UTILITIES_ALL);
		break;
	case 1:
		hvh_time_step(utilities, guest->now, (int64_t)fuzz_u64(arguments));
		break;
	case 2:
		hvh_silence_set(guest->host, what & 4u ? HVH_SILENCE_IC_NEGOTIATE : HVH_SILENCE_NONE);
		break;
	default:
		for (uint32_t n = 0; n < COMPONENTS; n++) {
			if (what & 4u)
				(void)hvh_device_rescind(guest->host, guest->now, names[n]);
			else
				(void)hvh_device_offer(guest->host, guest->now, names[n]);
		}
		break;
	}
	raw_settle(guest);
}

/* {seconds}. A host that looks at monitored channels does so 20,000 times in each. */
static void op_minute(struct raw_guest *guest, struct fuzz_input *arguments)
{
	bool monitored = guest->profile.monitoring == HVH_MONITOR_ALL;

	raw_pass(guest,
		 (1u + fuzz_u8(arguments)) * (monitored ? HVH_TIME_PER_MS / 10u : HVH_TIME_PER_SECOND));
}

static const raw_operation operations[] = {
	op_answer,     op_ask,         op_host,     op_minute,  raw_op_drain,  raw_op_time,      raw_op_gone,
	raw_op_packet, raw_op_message, raw_op_take, raw_op_arm, raw_op_signal, raw_op_ring_word, raw_op_dump,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t profile = fuzz_u8(&input), faults = fuzz_u8(&input), flags = fuzz_u8(&input);
	struct raw_guest *guest = raw_create(profile, faults, flags);
	struct hvh_utilities *utilities = create(guest, flags / 2u % COMPONENTS);
	struct hvh_utilities_counters counters;

	under_way = 0;
	raw_connect(guest);
	raw_open(guest);
	if (flags & 1u)
		agree(guest);
	raw_check_lawful(guest, faults);
	raw_run(guest, &input, operations, sizeof(operations) / sizeof(operations[0]));
	hvh_utilities_get_counters(utilities, &counters);
	FUZZ_CHECK(counters.answers + counters.timeouts <= counters.requests + counters.negotiations);
	FUZZ_CHECK(counters.failures <= counters.answers);
	raw_destroy(guest);
	return 0;
}
