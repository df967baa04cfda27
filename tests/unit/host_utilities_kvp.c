/* SPDX-License-Identifier: MIT */
/* The host's key-value pairs: questions, answers, what is kept in a file, addresses. */
#include <unistd.h>

#include "host_utilities_guest.h"

#define V(major, minor) IC_VERSION(major, minor)
#define BODY sizeof(struct ic_kvp_header)
#define ADAPTER "{b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f90}"

static struct hvh_utilities *kvp_ready(struct guest *guest)
{
	return ready(guest, HVH_UTILITY_KVP, V(4, 0));
}

static void request(struct guest *guest, uint8_t operation, uint8_t pool, const char *key, const char *value,
		    uint32_t index)
{
	hvh_kvp_request(hvh_utilities_find(guest->host), guest->now, operation, pool, key, value, index,
			on_end, NULL);
	settle(guest);
}

static struct ic_kvp_value expect_pair(struct guest *guest, uint8_t operation, uint8_t pool)
{
	struct ic_kvp_value pair;

	expect_message(guest, IC_TYPE_KVP, V(4, 0), IC_KVP_MESSAGE_SIZE);
	assert_int_equal(asked.body[0], operation);
	assert_int_equal(asked.body[1], pool);
	memcpy(&pair, asked.body + BODY, sizeof pair);
	return pair;
}

static void answer_pair(struct guest *guest, size_t at, const struct ic_kvp_value *pair)
{
	memcpy(asked.body + at, pair, sizeof *pair);
	reply(guest, IC_STATUS_OK);
}

static struct ic_kvp_value text_pair(const char *key, const char *value)
{
	struct ic_kvp_value pair = {.type = IC_KVP_SZ};

	pair.key_size = wide(pair.key, key);
	pair.value_size = wide(pair.value, value);
	return pair;
}

/* --- Questions ----------------------------------------------------------------------------------- */

static void each_operation(void **state)
{
	struct guest *guest = *state;
	struct ic_kvp_value pair, said = text_pair("name", "value");
	struct ic_kvp_delete gone;
	uint32_t index;

	(void)kvp_ready(guest);
	request(guest, IC_KVP_SET, IC_KVP_POOL_EXTERNAL, "name", "value", 0);
	pair = expect_pair(guest, IC_KVP_SET, IC_KVP_POOL_EXTERNAL);
	assert_memory_equal(&pair, &said, sizeof pair);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0, "done");
	request(guest, IC_KVP_GET, IC_KVP_POOL_GUEST, "name", NULL, 0);
	pair = expect_pair(guest, IC_KVP_GET, IC_KVP_POOL_GUEST);
	assert_int_equal(pair.key_size, 10);
	assert_int_equal(pair.value_size, 0);
	answer_pair(guest, BODY, &said);
	expect_end(HVH_UTILITY_OK, 0, "name = value");
	request(guest, IC_KVP_DELETE, IC_KVP_POOL_AUTO_EXTERNAL, "name", NULL, 0);
	(void)expect_pair(guest, IC_KVP_DELETE, IC_KVP_POOL_AUTO_EXTERNAL);
	memcpy(&gone, asked.body + BODY, sizeof gone);
	assert_int_equal(gone.key_size, 10);
	assert_memory_equal(gone.key, said.key, 10);
	reply(guest, IC_STATUS_NOT_FOUND);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_NOT_FOUND, "not found");
	request(guest, IC_KVP_ENUMERATE, IC_KVP_POOL_AUTO, NULL, NULL, 7);
	(void)expect_pair(guest, IC_KVP_ENUMERATE, IC_KVP_POOL_AUTO);
	memcpy(&index, asked.body + BODY, sizeof index);
	assert_int_equal(index, 7);
	answer_pair(guest, BODY + 4, &said);
	expect_end(HVH_UTILITY_OK, 0, "name = value");
	request(guest, IC_KVP_ENUMERATE, IC_KVP_POOL_AUTO, NULL, NULL, 8);
	(void)expect_pair(guest, IC_KVP_ENUMERATE, IC_KVP_POOL_AUTO);
	reply(guest, IC_STATUS_NO_MORE_ITEMS);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_NO_MORE_ITEMS, "no more items");
	assert_no_violation(guest);
}

/* Letters beyond ASCII and beyond 16 bits, and halves of the latter. */
static void any_text(void **state)
{
	struct guest *guest = *state;
	static const uint8_t key[] = {0xe4, 0, 0x3d, 0xd8, 0x00, 0xde, 0, 0},
			     value[] = {0x3d, 0xd8, 'x', 0, 0, 0};
	struct ic_kvp_value pair;

	(void)kvp_ready(guest);
	request(guest, IC_KVP_SET, 0, "\xc3\xa4\xf0\x9f\x98\x80", "\xed\xa0\xbdx", 0);
	pair = expect_pair(guest, IC_KVP_SET, 0);
	assert_int_equal(pair.key_size, sizeof key);
	assert_memory_equal(pair.key, key, sizeof key);
	assert_int_equal(pair.value_size, sizeof value);
	assert_memory_equal(pair.value, value, sizeof value);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0, "");
	request(guest, IC_KVP_GET, 0, "\xc3\xa4\xf0\x9f\x98\x80", NULL, 0);
	(void)expect_pair(guest, IC_KVP_GET, 0);
	answer_pair(guest, BODY, &pair);
	expect_end(HVH_UTILITY_OK, 0, "\xc3\xa4\xf0\x9f\x98\x80 = \xed\xa0\xbdx");
	request(guest, IC_KVP_ENUMERATE, 0, NULL, NULL, 0);
	(void)expect_pair(guest, IC_KVP_ENUMERATE, 0);
	pair = text_pair("two\nlines", "\x1b[2J");
	answer_pair(guest, BODY + 4, &pair);
	expect_end(HVH_UTILITY_OK, 0, "two?lines = ?[2J");
	assert_no_violation(guest);
}

static void longest_texts(void **state)
{
	struct guest *guest = *state;
	char key[300], value[1100], line[1410];
	struct ic_kvp_value pair;

	(void)kvp_ready(guest);
	memset(key, 'k', sizeof key);
	memset(value, 'v', sizeof value);
	key[255] = value[1023] = '\0';
	request(guest, IC_KVP_SET, 0, key, value, 0);
	pair = expect_pair(guest, IC_KVP_SET, 0);
	assert_int_equal(pair.key_size, 512);
	assert_int_equal(pair.value_size, 2048);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0, "");
	request(guest, IC_KVP_ENUMERATE, 0, NULL, NULL, 0);
	(void)expect_pair(guest, IC_KVP_ENUMERATE, 0);
	answer_pair(guest, BODY + 4, &pair);
	(void)snprintf(line, sizeof line, "%s = %s", key, value);
	expect_end(HVH_UTILITY_OK, 0, line);
	key[255] = 'k';
	key[256] = '\0';
	request(guest, IC_KVP_SET, 0, key, "", 0);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "1 to 255");
	value[1023] = 'v';
	value[1024] = '\0';
	request(guest, IC_KVP_SET, 0, "k", value, 0);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "1023");
	expect_none(guest);
}

static void what_cannot_be_asked(void **state)
{
	struct guest *guest = *state;

	(void)kvp_ready(guest);
	request(guest, IC_KVP_SET, IC_KVP_POOL_AUTO_INTERNAL, "k", "v", 0);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "pools are 0");
	request(guest, IC_KVP_GET, 0, "", NULL, 0);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "a key is");
	request(guest, IC_KVP_GET, 0, "\xc3", NULL, 0);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "a key is");
	request(guest, IC_KVP_SET, 0, "k", "\xff", 0);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "a value is");
	request(guest, 9, 0, "k", "v", 0);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "operations are");
	expect_none(guest);
}

/* --- Answers ------------------------------------------------------------------------------------- */

static void numbers(void **state)
{
	struct guest *guest = *state;
	struct ic_kvp_value pair = text_pair("n", "");
	uint64_t number = 0x123456789abcdef0ull;

	(void)kvp_ready(guest);
	memcpy(pair.value, &number, sizeof number);
	for (unsigned n = 0; n < 3; n++) {
		static const uint32_t types[] = {IC_KVP_U32, IC_KVP_U64, IC_KVP_U64_LINUX};

		pair.type = types[n];
		pair.value_size = n == 0 ? 4 : 8;
		request(guest, IC_KVP_ENUMERATE, 0, NULL, NULL, 0);
		(void)expect_pair(guest, IC_KVP_ENUMERATE, 0);
		answer_pair(guest, BODY + 4, &pair);
		expect_end(HVH_UTILITY_OK, 0, n == 0 ? "n = 2596069104" : "n = 1311768467463790320");
	}
	assert_no_violation(guest);
}

static void wrong_answer(struct guest *guest, uint8_t operation, const struct ic_kvp_value *pair)
{
	(void)kvp_ready(guest);
	request(guest, operation, 0, "key", NULL, 0);
	(void)expect_pair(guest, operation, 0);
	answer_pair(guest, operation == IC_KVP_GET ? BODY : BODY + 4, pair);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_OK, "cannot be");
	assert_only_violation(guest, HVH_V_IC_VALUE);
}

#define WRONG(name, operation, change)                                \
	static void name(void **state)                                \
	{                                                             \
		struct ic_kvp_value pair = text_pair("key", "value"); \
		change;                                               \
		wrong_answer(*state, operation, &pair);               \
	}

WRONG(key_too_long, IC_KVP_ENUMERATE, pair.key_size = 514)
WRONG(odd_key, IC_KVP_GET, pair.key_size = 7)
WRONG(value_too_long, IC_KVP_GET, pair.value_size = 2050)
WRONG(huge_value, IC_KVP_ENUMERATE, pair.value_size = 0xfffffffe)
WRONG(short_number, IC_KVP_ENUMERATE, pair.type = IC_KVP_U64)
WRONG(no_such_type, IC_KVP_ENUMERATE, pair.type = 3)
WRONG(another_key, IC_KVP_GET, pair.key[2] = 'E')
WRONG(longer_key, IC_KVP_GET, pair.key_size = wide(pair.key, "keys"))

/* A field that is full has no room for an end. */
static void no_end(void **state)
{
	struct guest *guest = *state;
	struct ic_kvp_value pair = {.type = IC_KVP_SZ, .key_size = 512, .value_size = 2};

	(void)kvp_ready(guest);
	for (unsigned n = 0; n < 512; n += 2)
		pair.key[n] = 'k';
	pair.value[0] = 'v';
	request(guest, IC_KVP_ENUMERATE, 0, NULL, NULL, 0);
	(void)expect_pair(guest, IC_KVP_ENUMERATE, 0);
	answer_pair(guest, BODY + 4, &pair);
	expect_end(HVH_UTILITY_OK, 0, "kk = v");
	assert_no_violation(guest);
}

/* --- The file ------------------------------------------------------------------------------------ */

static char file_name[64];

static void write_file(const char *text)
{
	FILE *file;

	(void)snprintf(file_name, sizeof file_name, "/tmp/hvkit-kvp-%d", (int)getpid());
	file = fopen(file_name, "w");
	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

static void expect_file(const char *text)
{
	char bytes[500] = "";
	FILE *file = fopen(file_name, "r");

	assert_non_null(file);
	bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
	(void)fclose(file);
	assert_string_equal(bytes, text);
}

static struct hvh_utilities *with_file(struct guest *guest)
{
	const struct hvh_utilities_config config = {.which = HVH_UTILITY_KVP, .kvp_file = file_name};
	struct hvh_utilities *utilities = offer_with(guest, &config);

	choose(guest, IC_FRAMEWORK_3_0, V(4, 0));
	return utilities;
}

static void expect_set(struct guest *guest, uint8_t pool, const char *key, const char *value)
{
	struct ic_kvp_value pair = expect_pair(guest, IC_KVP_SET, pool), wanted = text_pair(key, value);

	assert_memory_equal(&pair, &wanted, sizeof pair);
	reply(guest, IC_STATUS_OK);
}

static void kept(void **state)
{
	struct guest *guest = *state;

	write_file("");
	(void)remove(file_name); /* the first time there is none */
	(void)with_file(guest);
	request(guest, IC_KVP_SET, 0, "a", "1", 0);
	expect_set(guest, 0, "a", "1");
	request(guest, IC_KVP_SET, 3, "tab\there", "back\\slash\n", 0);
	expect_set(guest, 3, "tab\there", "back\\slash\n");
	request(guest, IC_KVP_SET, 0, "b", "refused", 0);
	assert_true(next(guest));
	reply(guest, IC_STATUS_FAIL);
	expect_file("0\ta\t1\n3\ttab\\there\tback\\\\slash\\n\n");
	request(guest, IC_KVP_SET, 0, "a", "\xc3\xa4", 0);
	assert_true(next(guest));
	reply(guest, IC_STATUS_OK);
	request(guest, IC_KVP_DELETE, 3, "tab\there", NULL, 0);
	assert_true(next(guest));
	reply(guest, IC_STATUS_NO_MORE_ITEMS); /* Linux, where it has no such key: it is to go all the same */
	expect_file("0\ta\t\xc3\xa4\n");
	dump_says(guest, "pairs-kept: 1");
	expect_none(guest);
	assert_no_violation(guest);
	(void)remove(file_name);
}

static void told_again(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities;

	write_file("# by hand\n\n0\ta\t1\n1\tb\t2\n");
	utilities = with_file(guest);
	request(guest, IC_KVP_SET, 2, "c", "3", 0); /* behind them */
	expect_set(guest, 0, "a", "1");
	expect_set(guest, 1, "b", "2");
	expect_set(guest, 2, "c", "3");
	dump_says(guest, "pairs-told: 3");
	expect_none(guest);
	hvh_utilities_restart(utilities, guest->now, HVH_UTILITY_KVP);
	choose(guest, IC_FRAMEWORK_3_0, V(4, 0));
	expect_set(guest, 0, "a", "1");
	assert_true(next(guest));
	pass(guest, 60 * SECOND); /* one without an answer ends the telling */
	expect_none(guest);
	(void)remove(file_name);
}

static void bad_file(const char *text, const char *complaint)
{
	const struct hvh_utilities_config config = {.which = HVH_UTILITY_KVP, .kvp_file = file_name};
	struct guest guest;
	char error[300] = "";

	write_file(text);
	guest_create(&guest, "ws2022");
	assert_null(hvh_utilities_create(guest.host, &config, error, sizeof error));
	if (strstr(error, complaint) == NULL || strstr(error, file_name) == NULL)
		fail_msg("%s", error);
	assert_null(hvh_utilities_find(guest.host));
	guest_destroy(&guest);
	(void)remove(file_name);
}

static void bad_files(void **state)
{
	(void)state;
	bad_file("0\ta\t1\n4\tb\t2\n", "line 2: pool (0 to 3)");
	bad_file("0 a 1\n", "line 1: pool");
	bad_file("0\ta\n", "line 1: pool");
	bad_file("0\ta\t\\x\n", "with a backslash");
	bad_file("0\ta\t1", "without an end");
	bad_file("0\t\t1\n", "1 to 255");
	bad_file("0\ta\t\xff\n", "UTF-8");
	(void)snprintf(file_name, sizeof file_name, "/proc/self/mem/kvp");
	{
		const struct hvh_utilities_config config = {.kvp_file = file_name};
		struct guest guest;
		char error[300] = "";

		guest_create(&guest, "ws2022");
		assert_null(hvh_utilities_create(guest.host, &config, error, sizeof error));
		assert_non_null(strstr(error, "cannot open"));
		guest_destroy(&guest);
	}
}

/* Two partitions do not share one. */
static void in_use(void **state)
{
	struct guest *guest = *state;
	const struct hvh_utilities_config config = {.which = HVH_UTILITY_KVP, .kvp_file = file_name};
	struct guest other;
	char error[300] = "";

	write_file("0\ta\t1\n");
	(void)with_file(guest);
	guest_create(&other, "ws2022");
	assert_null(hvh_utilities_create(other.host, &config, error, sizeof error));
	assert_non_null(strstr(error, "another program"));
	guest_destroy(&other);
	expect_file("0\ta\t1\n");
	(void)remove(file_name);
}

/* --- Addresses ----------------------------------------------------------------------------------- */

#define IP(name) (IC_KVP_IP_OFFSET + offsetof(struct ic_kvp_ip, name))

static void expect_ip(struct guest *guest, uint8_t operation, const char *adapter)
{
	uint8_t units[256];

	expect_message(guest, IC_TYPE_KVP, V(4, 0), IC_KVP_IP_OFFSET + sizeof(struct ic_kvp_ip));
	assert_int_equal(asked.body[0], operation);
	assert_int_equal(asked.body[1], IC_KVP_POOL_GUEST);
	assert_memory_equal(asked.body + 2, units, wide(units, adapter));
}

static void get_ip(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = kvp_ready(guest);

	hvh_kvp_get_ip(utilities, guest->now, "B1A2C3D4-E5F6-0718-293A-4B5C6D7E8F90", on_end, NULL);
	expect_ip(guest, IC_KVP_GET_IP, ADAPTER);
	assert_int_equal(asked.body[IP(family)], 3);
	asked.body[IP(family)] = IC_KVP_FAMILY_IPV4;
	asked.body[IP(dhcp)] = 1;
	wide(asked.body + IP(addresses), "10.0.0.2;10.0.0.3");
	wide(asked.body + IP(masks), "/24;/24");
	wide(asked.body + IP(gateways), "10.0.0.1");
	wide(asked.body + IP(name_servers), "10.0.0.9");
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0,
		   "adapter=" ADAPTER " ipv4=yes ipv6=no dhcp=yes addresses=10.0.0.2;10.0.0.3 masks=/24;/24 "
		   "gateways=10.0.0.1 name-servers=10.0.0.9");
	hvh_kvp_get_ip(utilities, guest->now, "00:15:5d:0a:0b:0c", on_end, NULL);
	expect_ip(guest, IC_KVP_GET_IP, "00:15:5D:0A:0B:0C");
	reply(guest, IC_STATUS_NOT_FOUND);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_NOT_FOUND, "not found");
	hvh_kvp_get_ip(utilities, guest->now, "eth0", on_end, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "GUID");
	assert_no_violation(guest);
}

static void no_such_family(void **state)
{
	struct guest *guest = *state;

	hvh_kvp_get_ip(kvp_ready(guest), guest->now, ADAPTER, on_end, NULL);
	assert_true(next(guest));
	asked.body[IP(family)] = 4;
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_FAILED, 0, "family");
	assert_only_violation(guest, HVH_V_IC_VALUE);
}

static void set_ip(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = kvp_ready(guest);
	struct hvh_kvp_ip ip = {.adapter = ADAPTER,
				.addresses = "192.168.1.2;fd00::2",
				.gateways = "192.168.1.1",
				.ipv4 = true,
				.ipv6 = true};
	uint8_t units[64];
	char list[1100];

	hvh_kvp_set_ip(utilities, guest->now, &ip, on_end, NULL);
	expect_ip(guest, IC_KVP_SET_IP, ADAPTER);
	assert_true(asked.body[IP(family)] == 3 && asked.body[IP(dhcp)] == 0);
	assert_memory_equal(asked.body + IP(addresses), units, wide(units, ip.addresses));
	assert_memory_equal(asked.body + IP(gateways), units, wide(units, ip.gateways));
	assert_true(asked.body[IP(masks)] == 0 && asked.body[IP(name_servers)] == 0);
	reply(guest, IC_STATUS_FAIL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_FAIL, "refused");
	memset(list, '1', sizeof list);
	list[512] = '\0';
	ip.gateways = list;
	hvh_kvp_set_ip(utilities, guest->now, &ip, on_end, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "511");
	list[511] = '\n';
	hvh_kvp_set_ip(utilities, guest->now, &ip, on_end, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "printable");
	list[511] = '\0';
	hvh_kvp_set_ip(utilities, guest->now, &ip, on_end, NULL);
	assert_true(next(guest));
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0, "done");
	ip.adapter = "00:15:5d:0a:0b:0c";
	hvh_kvp_set_ip(utilities, guest->now, &ip, on_end, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "GUID");
	assert_no_violation(guest);
}

static void not_at_5(void **state)
{
	struct guest *guest = *state;

	hvh_kvp_get_ip(ready(guest, HVH_UTILITY_KVP, V(5, 0)), guest->now, ADAPTER, on_end, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "up to 4.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_operation), TEST(any_text),     TEST(longest_texts), TEST(what_cannot_be_asked),
		TEST(numbers),        TEST(key_too_long), TEST(odd_key),       TEST(value_too_long),
		TEST(huge_value),     TEST(short_number), TEST(no_such_type),  TEST(another_key),
		TEST(longer_key),     TEST(no_end),       TEST(kept),          TEST(told_again),
		TEST(bad_files),      TEST(in_use),       TEST(get_ip),        TEST(no_such_family),
		TEST(set_ip),         TEST(not_at_5),
	};

	return cmocka_run_group_tests_name("host_utilities_kvp", tests, NULL, NULL);
}
