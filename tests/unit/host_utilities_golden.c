/* SPDX-License-Identifier: MIT */
/* What the host's components say, against bytes typed by hand. NEGOTIATE is in host_utilities.c. */
#include <unistd.h>

#include "host_utilities_guest.h"
#include "tests/golden/ic.h"

#define V(major, minor) IC_VERSION(major, minor)
#define TRANSACTION_AT 24u
#define NEW_YEAR 134116992000000000ull /* 1 January 2026 */

static struct answer said;

/* The next message begins so; the transaction is any. Padding aside it is as long as it says. */
static void begins_with(struct guest *guest, const uint8_t *golden, uint32_t length)
{
	uint32_t size;

	settle(guest);
	assert_true(receive(guest, &said));
	assert_true(said.length >= length);
	said.payload[TRANSACTION_AT] = golden[TRANSACTION_AT];
	for (uint32_t n = 0; n < length; n++) {
		if (said.payload[n] != golden[n])
			fail_msg("byte %u is 0x%02x, not 0x%02x", n, said.payload[n], golden[n]);
	}
	memcpy(&size, golden + 4, sizeof size);
	assert_int_equal(said.length, (8 + size + 7u) & ~7u);
	for (uint32_t n = 8 + size; n < said.length; n++)
		assert_int_equal(said.payload[n], 0);
}

#define BEGINS(guest, golden) begins_with(guest, golden, sizeof(golden))
#define HAS(at, golden) assert_memory_equal(said.payload + (at), golden, sizeof(golden))

static void zeros(uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++)
		assert_int_equal(said.payload[n], 0);
}

static void shutdown_3_2(void **state)
{
	struct guest *guest = *state;

	hvh_shutdown_request(ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2)), guest->now, IC_SHUTDOWN_FORCE,
			     "A\xc3\xa4", NULL, NULL);
	BEGINS(guest, golden_ic_shutdown);
	zeros(sizeof golden_ic_shutdown, said.length);
}

static uint64_t new_year(void *context, uint64_t now)
{
	(void)context;
	return NEW_YEAR + now;
}

static void time_at(struct guest *guest, uint32_t version)
{
	const struct hvh_utilities_config config = {.which = HVH_UTILITY_TIMESYNC, .wall_clock = new_year};

	(void)offer_with(guest, &config);
	pass(guest, SECOND - guest->now);
	choose(guest, IC_FRAMEWORK_3_0, version);
}

static void time_4_0(void **state)
{
	time_at(*state, V(4, 0));
	BEGINS(*state, golden_ic_timesync);
}

static void time_3_0(void **state)
{
	time_at(*state, V(3, 0));
	BEGINS(*state, golden_ic_timesync_3);
}

static void heartbeat_3_0(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[sizeof golden_ic_heartbeat];

	(void)ready(guest, HVH_UTILITY_HEARTBEAT, V(3, 0));
	memcpy(bytes, golden_ic_heartbeat, sizeof bytes);
	bytes[28] = 0; /* it begins with 0 */
	begins_with(guest, bytes, sizeof bytes);
}

static void pairs_4_0(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_KVP, V(4, 0));

	hvh_kvp_request(utilities, guest->now, IC_KVP_SET, IC_KVP_POOL_EXTERNAL, "k", "vw", 0, NULL, NULL);
	BEGINS(guest, golden_ic_kvp_set);
	zeros(sizeof golden_ic_kvp_set, GOLDEN_IC_KVP_VALUE_AT);
	HAS(GOLDEN_IC_KVP_VALUE_AT, golden_ic_kvp_value);
	zeros(GOLDEN_IC_KVP_VALUE_AT + sizeof golden_ic_kvp_value, said.length);
}

static void addresses_4_0(void **state)
{
	struct guest *guest = *state;

	hvh_kvp_get_ip(ready(guest, HVH_UTILITY_KVP, V(4, 0)), guest->now,
		       "b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f90", NULL, NULL);
	BEGINS(guest, golden_ic_kvp_get_ip);
	HAS(GOLDEN_IC_KVP_FAMILY_AT, golden_ic_kvp_family);
}

static void backup_5_0(void **state)
{
	struct guest *guest = *state;

	hvh_vss_request(ready(guest, HVH_UTILITY_VSS, V(5, 0)), guest->now, IC_VSS_FREEZE, NULL, NULL);
	BEGINS(guest, golden_ic_vss_freeze);
	zeros(sizeof golden_ic_vss_freeze, said.length);
}

static void copy_1_1(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_FCOPY, V(1, 1));
	char name[64];
	FILE *file;

	(void)snprintf(name, sizeof name, "/tmp/hvkit-golden-%d", (int)getpid());
	file = fopen(name, "wb");
	assert_non_null(file);
	for (unsigned n = 0; n < 0x1234; n++)
		(void)fputc((int)('0' + n % 10), file);
	assert_int_equal(fclose(file), 0);
	hvh_fcopy_send(utilities, guest->now, name, "/p", "f", true, NULL, NULL);
	assert_true(next(guest));
	struct asked start = asked;
	memcpy(said.payload, &start, HEADERS + start.header.size);
	said.payload[TRANSACTION_AT] = golden_ic_fcopy_start[TRANSACTION_AT];
	HAS(0, golden_ic_fcopy_start);
	HAS(GOLDEN_IC_FCOPY_PATH_AT, golden_ic_fcopy_path);
	HAS(GOLDEN_IC_FCOPY_FLAGS_AT, golden_ic_fcopy_flags);
	reply(guest, IC_STATUS_OK);
	BEGINS(guest, golden_ic_fcopy_write);
	(void)remove(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shutdown_3_2), TEST(time_4_0),      TEST(time_3_0),   TEST(heartbeat_3_0),
		TEST(pairs_4_0),    TEST(addresses_4_0), TEST(backup_5_0), TEST(copy_1_1),
	};

	return cmocka_run_group_tests_name("host_utilities_golden", tests, NULL, NULL);
}
