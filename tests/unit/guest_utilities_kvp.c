/* SPDX-License-Identifier: MIT */
/* Key-value pairs: every operation against the store, types, sizes, texts, addresses. */
#include "tests/unit/guest_utilities_host.h"

#include "guest/utilities/kvp.h"

/* {b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f90} as it travels. */
static const struct vmbus_guid adapter = {
	{0xd4, 0xc3, 0xa2, 0xb1, 0xf6, 0xe5, 0x18, 0x07, 0x29, 0x3a, 0x4b, 0x5c, 0x6d, 0x7e, 0x8f, 0x90}};
#define ADAPTER "{b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f90}"

static struct hvk_kvp_store *store;
static struct hvk_kvp_ip asked_ip;
static uint32_t ip_count;
static enum hvk_utility_answer ip_answer;

static enum hvk_utility_answer get_ip(void *context, struct hvk_kvp_ip *ip)
{
	(void)context;
	ip_count++;
	if (memcmp(&ip->adapter, &adapter, sizeof(adapter)) != 0)
		return HVK_UTILITY_NOT_FOUND;
	ip->ipv4 = ip->dhcp = true;
	strcpy(ip->addresses, "10.0.0.2;10.0.0.3");
	strcpy(ip->masks, "255.255.255.0;255.255.255.0");
	return ip_answer;
}

static enum hvk_utility_answer set_ip(void *context, const struct hvk_kvp_ip *ip)
{
	(void)context;
	ip_count++;
	asked_ip = *ip;
	return ip_answer;
}

static void begin(uint32_t pairs)
{
	struct hvk_utility_config config = {.callbacks.kvp = {.get = hvk_kvp_store_get,
							      .set = hvk_kvp_store_set,
							      .remove = hvk_kvp_store_remove,
							      .enumerate = hvk_kvp_store_enumerate,
							      .get_ip = get_ip,
							      .set_ip = set_ip}};

	memset(&bench, 0, sizeof(bench));
	ip_count = 0;
	ip_answer = HVK_UTILITY_DONE;
	assert_int_equal(hvk_kvp_store_create(&bench.hvk, pairs, &store), HVK_OK);
	config.context = store;
	{
		uint32_t pages = bench.hvk.pages;

		utility_begin((struct vmbus_guid)VMBUS_GUID_KVP, &config);
		bench.hvk.pages += pages;
	}
	assert_int_equal(utility_negotiate(IC_VERSION(4, 0)), IC_VERSION(4, 0));
}

static void end(void)
{
	hvk_kvp_store_destroy(store);
	utility_end();
}

struct request {
	struct ic_kvp_header header;
	union {
		struct ic_kvp_value value;
		struct ic_kvp_enumerate enumerate;
		struct ic_kvp_delete remove;
	} body;
};

static uint32_t set_value(uint8_t pool, const char *key, uint32_t type, const void *value, uint32_t size)
{
	struct request request = {.header = {IC_KVP_SET, pool, 0}, .body.value = {.type = type}};

	request.body.value.key_size = utility_wide(request.body.value.key, key);
	request.body.value.value_size = size;
	memcpy(request.body.value.value, value, size < IC_KVP_VALUE_SIZE ? size : IC_KVP_VALUE_SIZE);
	return utility_ask(IC_TYPE_KVP, &request, 4 + sizeof(request.body.value));
}

static uint32_t set(uint8_t pool, const char *key, const char *value)
{
	uint8_t units[IC_KVP_VALUE_SIZE];
	uint32_t size = utility_wide(units, value);

	return set_value(pool, key, IC_KVP_SZ, units, size);
}

static uint32_t get(uint8_t pool, const char *key, struct ic_kvp_value *out)
{
	struct request request = {.header = {IC_KVP_GET, pool, 0}};
	uint32_t status;

	request.body.value.key_size = utility_wide(request.body.value.key, key);
	status = utility_ask(IC_TYPE_KVP, &request, 4 + sizeof(request.body.value));
	*out = request.body.value;
	return status;
}

static uint32_t enumerate(uint8_t pool, uint32_t index, struct ic_kvp_value *out)
{
	struct request request = {.header = {IC_KVP_ENUMERATE, pool, 0}, .body.enumerate = {.index = index}};
	uint32_t status = utility_ask(IC_TYPE_KVP, &request, 4 + sizeof(request.body.enumerate));

	*out = request.body.enumerate.pair;
	return status;
}

static uint32_t delete (uint8_t pool, const char *key)
{
	struct request request = {.header = {IC_KVP_DELETE, pool, 0}};

	request.body.remove.key_size = utility_wide(request.body.remove.key, key);
	return utility_ask(IC_TYPE_KVP, &request, 4 + sizeof(request.body.remove));
}

static void round_trip(void **state)
{
	struct ic_kvp_value value;
	uint8_t units[64];
	uint32_t size;

	(void)state;
	begin(8);
	assert_int_equal(get(0, "name", &value), IC_STATUS_NOT_FOUND);
	assert_int_equal(set(0, "name", "one"), IC_STATUS_OK);
	assert_int_equal(set(0, "other", "two"), IC_STATUS_OK);
	assert_int_equal(set(1, "name", "elsewhere"), IC_STATUS_OK);
	assert_int_equal(set(0, "name", "three"), IC_STATUS_OK); /* instead of one */
	assert_int_equal(get(0, "name", &value), IC_STATUS_OK);
	size = utility_wide(units, "three");
	assert_int_equal(value.type, IC_KVP_SZ);
	assert_int_equal(value.value_size, size);
	assert_memory_equal(value.value, units, size);
	assert_int_equal(value.key_size, 10);
	assert_int_equal(enumerate(0, 1, &value), IC_STATUS_OK);
	size = utility_wide(units, "other");
	assert_memory_equal(value.key, units, size);
	assert_int_equal(enumerate(0, 2, &value), IC_STATUS_NO_MORE_ITEMS);
	assert_int_equal(delete (0, "name"), IC_STATUS_OK);
	assert_int_equal(delete (0, "name"), IC_STATUS_NOT_FOUND);
	assert_int_equal(enumerate(0, 0, &value), IC_STATUS_OK);
	assert_memory_equal(value.key, units, size);
	assert_int_equal(get(1, "name", &value), IC_STATUS_OK);
	end();
}

static void pools(void **state)
{
	struct ic_kvp_value value;

	(void)state;
	begin(2);
	for (uint8_t pool = 4; pool < 8; pool++) {
		assert_int_equal(set(pool, "a", "b"), IC_STATUS_INVALID_ARGUMENT);
		assert_int_equal(get(pool, "a", &value), IC_STATUS_INVALID_ARGUMENT);
		assert_int_equal(enumerate(pool, 0, &value), IC_STATUS_INVALID_ARGUMENT);
		assert_int_equal(delete (pool, "a"), IC_STATUS_INVALID_ARGUMENT);
	}
	assert_int_equal(set(3, "a", "b"), IC_STATUS_OK);
	assert_int_equal(set(2, "a", "b"), IC_STATUS_OK);
	assert_int_equal(set(0, "a", "b"), IC_STATUS_DISK_FULL);
	assert_int_equal(set(2, "a", "c"), IC_STATUS_OK); /* takes no more room */
	end();
}

static void types(void **state)
{
	static const uint8_t number[8] = {0x78, 0x56, 0x34, 0x12, 0xef, 0xcd, 0xab, 0x90};
	struct ic_kvp_value value;
	struct hvk_kvp_pair pair = {.key = "n"};

	(void)state;
	begin(8);
	assert_int_equal(set_value(0, "n", IC_KVP_U32, number, 4), IC_STATUS_OK);
	assert_int_equal(get(0, "n", &value), IC_STATUS_OK);
	assert_true(value.type == IC_KVP_U32 && value.value_size == 4);
	assert_memory_equal(value.value, number, 4);
	assert_int_equal(set_value(0, "n", IC_KVP_U64_LINUX, number, 8), IC_STATUS_OK);
	assert_int_equal(hvk_kvp_store_get(store, 0, &pair), HVK_UTILITY_DONE);
	assert_true(pair.number == 0x90abcdef12345678ull);
	assert_int_equal(get(0, "n", &value), IC_STATUS_OK);
	assert_true(value.type == IC_KVP_U64 && value.value_size == 8); /* never 8 */
	assert_memory_equal(value.value, number, 8);
	assert_int_equal(set_value(0, "n", IC_KVP_U64, number, 4), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(set_value(0, "n", IC_KVP_U32, number, 8), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(set_value(0, "n", 3, number, 4), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(bench.hvk.faults, 3);
	end();
}

static void sizes(void **state)
{
	struct request request = {.header = {IC_KVP_GET, 0, 0}};
	static const uint32_t bad[] = {0, 2, 3, 513, 514, 0x80000002u, UINT32_MAX};
	uint8_t units[IC_KVP_VALUE_SIZE];

	(void)state;
	begin(8);
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(request.body.value.key, i < 2 ? 0 : 'k', IC_KVP_KEY_SIZE);
		request.body.value.key_size = bad[i];
		assert_int_equal(utility_ask(IC_TYPE_KVP, &request, 4 + sizeof(request.body.value)),
				 IC_STATUS_INVALID_ARGUMENT);
	}
	for (uint32_t i = 0; i < IC_KVP_KEY_SIZE; i++)
		request.body.value.key[i] = i % 2 ? 0 : 'k';
	request.body.value.key_size = 512; /* no place for the end */
	assert_int_equal(utility_ask(IC_TYPE_KVP, &request, 4 + sizeof(request.body.value)),
			 IC_STATUS_INVALID_ARGUMENT);
	request.body.value.key_size = 510; /* just so */
	assert_int_equal(utility_ask(IC_TYPE_KVP, &request, 4 + sizeof(request.body.value)),
			 IC_STATUS_NOT_FOUND);
	memset(units, 'v', sizeof(units));
	assert_int_equal(set_value(0, "k", IC_KVP_SZ, units, 2048), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(set_value(0, "k", IC_KVP_SZ, units, 2046), IC_STATUS_OK);
	assert_int_equal(set_value(0, "k", IC_KVP_SZ, units, 4096), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(set_value(0, "k", IC_KVP_SZ, units, 0), IC_STATUS_OK); /* empty */
	units[4] = units[5] = 0;
	assert_int_equal(set_value(0, "k", IC_KVP_SZ, units, 20), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(utility_ask(IC_TYPE_KVP, &request, 3 + sizeof(request.body.value)),
			 IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(utility_ask(IC_TYPE_KVP, &request, 3), IC_STATUS_INVALID_ARGUMENT);
	request.header.operation = 6;
	assert_int_equal(utility_ask(IC_TYPE_KVP, &request, sizeof(request)), IC_STATUS_NOT_SUPPORTED);
	end();
}

/* Whatever UTF-16 there is goes to the store and back unchanged. */
static void texts(void **state)
{
	/* a, u umlaut, euro, a pair, a lone half of each kind. */
	static const uint16_t units[] = {'a', 0xfc, 0x20ac, 0xd83d, 0xde00, 0xde00, 'x', 0xd83d, 0};
	struct hvk_kvp_pair pair = {.key = "k"};
	struct ic_kvp_value value;

	(void)state;
	begin(8);
	assert_int_equal(set_value(0, "k", IC_KVP_EXPAND_SZ, units, sizeof(units)), IC_STATUS_OK);
	assert_int_equal(hvk_kvp_store_get(store, 0, &pair), HVK_UTILITY_DONE);
	assert_string_equal(pair.value, "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xed\xb8\x80x\xed\xa0\xbd");
	assert_int_equal(get(0, "k", &value), IC_STATUS_OK);
	assert_int_equal(value.type, IC_KVP_EXPAND_SZ);
	assert_int_equal(value.value_size, sizeof(units));
	assert_memory_equal(value.value, units, sizeof(units));
	end();
}

/* What the guest's own side puts in is checked too. */
static void not_utf8(void **state)
{
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xe2\x82", "\xf5\x80\x80\x80", "\xff"};
	struct hvk_kvp_pair pair = {.key = "k", .type = IC_KVP_SZ};
	struct ic_kvp_value value;

	(void)state;
	begin(8);
	for (uint32_t i = 0; i < 5; i++) {
		strcpy(pair.value, bad[i]);
		assert_int_equal(hvk_kvp_store_set(store, 0, &pair), HVK_UTILITY_DONE);
		assert_int_equal(get(0, "k", &value), IC_STATUS_FAIL);
	}
	memset(pair.value, 'x', 1024);
	pair.value[1024] = '\0';
	hvk_kvp_store_set(store, 0, &pair);
	assert_int_equal(get(0, "k", &value), IC_STATUS_FAIL); /* a unit too many */
	pair.value[1023] = '\0';
	hvk_kvp_store_set(store, 0, &pair);
	assert_int_equal(get(0, "k", &value), IC_STATUS_OK);
	assert_int_equal(value.value_size, 2048);
	memset(pair.value, 'x', sizeof(pair.value)); /* no end at all */
	hvk_kvp_store_set(store, 0, &pair);
	assert_int_equal(get(0, "k", &value), IC_STATUS_FAIL);
	end();
}

static void pool_files(void **state)
{
	uint8_t record[HVK_KVP_RECORD_SIZE] = "key", again[HVK_KVP_RECORD_SIZE];
	struct hvk_kvp_pair pair = {.key = "n", .type = IC_KVP_U64, .number = 12345678901ull};

	(void)state;
	begin(2);
	strcpy((char *)record + 512, "value");
	assert_int_equal(hvk_kvp_store_load(store, 1, record), HVK_OK);
	assert_int_equal(hvk_kvp_store_save(store, 1, 0, again), HVK_OK);
	assert_memory_equal(record, again, sizeof(record));
	assert_int_equal(hvk_kvp_store_save(store, 1, 1, again), HVK_EEMPTY);
	assert_int_equal(hvk_kvp_store_save(store, 0, 0, again), HVK_EEMPTY);
	hvk_kvp_store_set(store, 0, &pair);
	assert_int_equal(hvk_kvp_store_save(store, 0, 0, again), HVK_OK);
	assert_string_equal((char *)again + 512, "12345678901");
	strcpy((char *)record, "third");
	assert_int_equal(hvk_kvp_store_load(store, 1, record), HVK_ELIMIT);
	memset(record, 'k', 512);
	assert_int_equal(hvk_kvp_store_load(store, 1, record), HVK_EINVAL);
	record[0] = 0;
	assert_int_equal(hvk_kvp_store_load(store, 1, record), HVK_EINVAL);
	assert_int_equal(hvk_kvp_store_load(store, 5, again), HVK_EINVAL);
	memset(pair.key, 'k', 600);
	pair.key[600] = '\0';
	assert_int_equal(hvk_kvp_store_remove(store, 0, "n"), HVK_UTILITY_DONE);
	assert_int_equal(hvk_kvp_store_set(store, 0, &pair), HVK_UTILITY_DONE);
	assert_int_equal(hvk_kvp_store_save(store, 0, 0, again), HVK_ETOOBIG);
	end();
}

static uint8_t ip_request[2 + sizeof(struct ic_kvp_ip)];

static uint32_t ask_ip(uint8_t operation, const char *id, const char *addresses)
{
	memset(ip_request, 0, sizeof(ip_request));
	ip_request[0] = operation;
	utility_wide(ip_request + 2, id);
	ip_request[2 + offsetof(struct ic_kvp_ip, family)] = IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6;
	utility_wide(ip_request + 2 + offsetof(struct ic_kvp_ip, addresses), addresses);
	return utility_ask(IC_TYPE_KVP, ip_request, sizeof(ip_request));
}

static void addresses(void **state)
{
	uint8_t units[128];
	uint32_t size;

	(void)state;
	begin(2);
	assert_int_equal(ask_ip(IC_KVP_GET_IP, ADAPTER, ""), IC_STATUS_OK);
	size = utility_wide(units, "10.0.0.2;10.0.0.3");
	assert_memory_equal(ip_request + 2 + offsetof(struct ic_kvp_ip, addresses), units, size);
	size = utility_wide(units, "{B1A2C3D4-E5F6-0718-293A-4B5C6D7E8F90}");
	assert_memory_equal(ip_request + 2, units, size);
	assert_int_equal(ip_request[2 + 256], IC_KVP_FAMILY_IPV4);
	assert_int_equal(ip_request[2 + 257], 1);
	assert_int_equal(ask_ip(IC_KVP_GET_IP, "b1a2c3d4-e5f6-0718-293a-4b5c6d7e8f91", ""),
			 IC_STATUS_NOT_FOUND); /* another one */
	assert_int_equal(ip_count, 2);
	assert_int_equal(ask_ip(IC_KVP_GET_IP, "00:15:5d:00:00:01", ""), IC_STATUS_NOT_FOUND);
	assert_int_equal(ask_ip(IC_KVP_GET_IP, "{b1a2c3d4-e5f6-0718-293a_4b5c6d7e8f90}", ""),
			 IC_STATUS_NOT_FOUND);
	assert_int_equal(ip_count, 2);
	assert_int_equal(ask_ip(IC_KVP_SET_IP, ADAPTER, "192.168.1.2;fd00::2"), IC_STATUS_OK);
	assert_string_equal(asked_ip.addresses, "192.168.1.2;fd00::2");
	assert_true(asked_ip.ipv4 && asked_ip.ipv6 && !asked_ip.dhcp);
	assert_memory_equal(&asked_ip.adapter, &adapter, sizeof(adapter));
	ip_answer = HVK_UTILITY_REFUSED;
	assert_int_equal(ask_ip(IC_KVP_SET_IP, ADAPTER, "192.168.1.2"), IC_STATUS_FAIL);
	assert_int_equal(ask_ip(IC_KVP_SET_IP, ADAPTER, "1.2.3.4\nPATH=x"), IC_STATUS_INVALID_ARGUMENT);
	memset(ip_request + 2, 'a', 256); /* an id without an end */
	assert_int_equal(utility_ask(IC_TYPE_KVP, ip_request, sizeof(ip_request)),
			 IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(utility_ask(IC_TYPE_KVP, ip_request, sizeof(ip_request) - 1),
			 IC_STATUS_INVALID_ARGUMENT);
	end();
}

/* An answer that comes later carries what it is about. */
static void later(void **state)
{
	struct hvk_kvp_ip ip = {.adapter = adapter, .ipv6 = true, .name_servers = "fd00::1"};
	uint8_t units[32];
	uint32_t size;

	(void)state;
	begin(2);
	ip_answer = HVK_UTILITY_LATER;
	memset(ip_request, 0, sizeof(ip_request));
	ip_request[0] = IC_KVP_GET_IP;
	utility_wide(ip_request + 2, ADAPTER);
	utility_say(IC_TYPE_KVP, ip_request, sizeof(ip_request));
	assert_int_equal(bench.sent_count, 1);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, &ip), HVK_OK);
	fake_run();
	assert_int_equal(utility_answered(2, ip_request, sizeof(ip_request)), IC_STATUS_OK);
	size = utility_wide(units, "fd00::1");
	assert_memory_equal(ip_request + 2 + offsetof(struct ic_kvp_ip, name_servers), units, size);
	memset(ip.name_servers, '1', 1024);
	utility_say(IC_TYPE_KVP, ip_request, sizeof(ip_request));
	hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, &ip);
	fake_run();
	assert_int_equal(utility_answered(3, ip_request, 0), IC_STATUS_FAIL); /* a list too long */
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(pools),     cmocka_unit_test(types),
		cmocka_unit_test(sizes),      cmocka_unit_test(texts),     cmocka_unit_test(not_utf8),
		cmocka_unit_test(pool_files), cmocka_unit_test(addresses), cmocka_unit_test(later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
