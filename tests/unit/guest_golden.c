/* SPDX-License-Identifier: MIT */
/* The NVS and RNDIS codecs of the drivers against the bytes that the host model reads and
 * writes too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guest/netvsc/nvs.h"
#include "guest/netvsc/rndis.h"
#include "tests/golden/nvs_rndis.h"

#pragma GCC diagnostic ignored "-Wunused-const-variable"

#define ID 0x00010000u
#define GPADL 0x000e1e10u
#define OID_PERMANENT_ADDRESS 0x01010101u
#define OID_PACKET_FILTER 0x0001010eu

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

/* Golden bytes, then zeros up to the size that hosts insist on. */
static void check_nvs(const struct hvk_nvs_message *message, const uint8_t *golden, uint32_t length)
{
	static const uint8_t zeros[NVS_REQUEST_SIZE_6_1];

	assert_int_equal(message->size, 32);
	assert_memory_equal(message->bytes, golden, length);
	assert_memory_equal((const uint8_t *)message->bytes + length, zeros, message->size - length);
}
#define CHECK_NVS(golden) check_nvs(&message, golden, sizeof(golden))

static void nvs_requests(void **state)
{
	struct hvk_nvs_message message;

	(void)state;
	hvk_nvs_build_init(&message, NVS_VERSION_5);
	CHECK_NVS(golden_nvs_init_5_0);
	hvk_nvs_build_init(&message, NVS_VERSION_1);
	CHECK_NVS(golden_nvs_init_1);
	hvk_nvs_build_ndis_version(&message, NVS_VERSION_5);
	CHECK_NVS(golden_nvs_ndis_version_6_30);
	hvk_nvs_build_buffer(&message, NVS_VERSION_5, NVS_TYPE_RECEIVE_BUFFER, GPADL,
			     NVS_RECEIVE_PAGE_SET_ID);
	CHECK_NVS(golden_nvs_receive_buffer);
	hvk_nvs_build_revoke(&message, NVS_VERSION_5, NVS_TYPE_REVOKE_RECEIVE_BUFFER,
			     NVS_RECEIVE_PAGE_SET_ID);
	CHECK_NVS(golden_nvs_revoke_receive_buffer);
	hvk_nvs_build_buffer(&message, NVS_VERSION_5, NVS_TYPE_SEND_BUFFER, GPADL, NVS_SEND_PAGE_SET_ID);
	CHECK_NVS(golden_nvs_send_buffer);
	hvk_nvs_build_revoke(&message, NVS_VERSION_5, NVS_TYPE_REVOKE_SEND_BUFFER, NVS_SEND_PAGE_SET_ID);
	CHECK_NVS(golden_nvs_revoke_send_buffer);
	hvk_nvs_build_rndis(&message, NVS_VERSION_5, NVS_CHANNEL_CONTROL, NVS_SECTION_NONE, 0);
	CHECK_NVS(golden_nvs_rndis_control);
	hvk_nvs_build_rndis(&message, NVS_VERSION_5, NVS_CHANNEL_DATA, 5, 104);
	CHECK_NVS(golden_nvs_rndis_data_section);
}

static void nvs_ndis_config(void **state)
{
	struct hvk_nvs_message message;

	(void)state;
	hvk_nvs_build_ndis_config(&message, NVS_VERSION_5, 1514, false);
	CHECK_NVS(golden_nvs_ndis_config);
}

#define NVS_PARSE(which, golden, ...) hvk_nvs_parse_##which(golden, sizeof(golden), ##__VA_ARGS__)

static void nvs_answers(void **state)
{
	struct hvk_nvs_geometry geometry;
	uint32_t section;

	(void)state;
	assert_int_equal(NVS_PARSE(init_complete, golden_nvs_init_complete), HVK_OK);
	assert_int_equal(NVS_PARSE(init_complete, golden_nvs_init_complete_1), HVK_OK);
	assert_int_equal(NVS_PARSE(init_complete, golden_nvs_init_complete_refused),
			 HVK_EREFUSED_NVS_VERSION);
	assert_int_equal(NVS_PARSE(receive_buffer, golden_nvs_receive_buffer_complete, 0x10000, &geometry),
			 HVK_OK);
	assert_int_equal(geometry.suballocation_size, 1728);
	assert_int_equal(geometry.suballocation_count, 37);
	assert_int_equal(geometry.extent, 63936);
	assert_int_equal(NVS_PARSE(send_buffer, golden_nvs_send_buffer_complete, 0x10000, &section), HVK_OK);
	assert_int_equal(section, 6144);
	assert_int_equal(NVS_PARSE(rndis_complete, golden_nvs_rndis_complete), HVK_OK);
}

static void check_rndis(const struct hvk_rndis_message *message, const uint8_t *golden, uint32_t length)
{
	assert_int_equal(message->length, length);
	assert_memory_equal(message->words, golden, length);
}
#define CHECK_RNDIS(golden) check_rndis(&message, golden, sizeof(golden))

static void rndis_requests(void **state)
{
	uint8_t initialize[sizeof(golden_rndis_initialize)];
	struct hvk_rndis_message message;
	struct rndis_packet packet;

	(void)state;
	/* The largest message is each guest's own to say: ours is 16 KiB. */
	memcpy(initialize, golden_rndis_initialize, sizeof(initialize));
	initialize[21] = 0x40;
	hvk_rndis_build_initialize(&message, ID);
	CHECK_RNDIS(initialize);
	hvk_rndis_build_query(&message, ID, OID_PERMANENT_ADDRESS);
	CHECK_RNDIS(golden_rndis_query_mac);
	hvk_rndis_build_set(&message, ID, OID_PACKET_FILTER, 0x0d);
	CHECK_RNDIS(golden_rndis_set_filter);
	hvk_rndis_build_halt(&message, ID);
	CHECK_RNDIS(golden_rndis_halt);
	hvk_rndis_build_keepalive_complete(&message, ID);
	CHECK_RNDIS(golden_rndis_keepalive_complete);
	hvk_rndis_build_packet(&packet, 60);
	assert_memory_equal(&packet, golden_rndis_packet, 44);
}

/* A copy, since a range is memory that may be written. */
static struct hvk_shared range_of(const void *golden, uint32_t length)
{
	static uint8_t bytes[256];

	assert_true(length <= sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, golden, length);
	return (struct hvk_shared){bytes, length};
}
#define RANGE(golden) range_of(golden, sizeof(golden))

static void rndis_answers(void **state)
{
	static const uint8_t mac[6] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};
	struct hvk_rndis_answer answer;
	struct hvk_rndis_device device;
	struct hvk_shared range = RANGE(golden_rndis_initialize_complete);
	uint8_t info[HVK_RNDIS_INFO_MAX];
	uint32_t value;

	(void)state;
	assert_int_equal(hvk_rndis_parse_answer(&range, &answer), HVK_OK);
	assert_true(answer.request_id == ID && answer.status == 0);
	assert_int_equal(hvk_rndis_parse_initialize(&range, &device), HVK_OK);
	assert_int_equal(device.max_packets, 8);
	assert_int_equal(device.max_transfer_size, 0xefffffff);
	assert_int_equal(device.alignment_factor, 3);
	range = RANGE(golden_rndis_query_complete_mac);
	assert_int_equal(hvk_rndis_parse_query(&range, info, &value), HVK_OK);
	assert_int_equal(value, 6);
	assert_memory_equal(info, mac, 6);
	range = RANGE(golden_rndis_set_complete);
	assert_int_equal(hvk_rndis_parse_answer(&range, &answer), HVK_OK);
	assert_true(answer.request_id == ID && answer.status == 0);
	range = RANGE(golden_rndis_keepalive);
	assert_int_equal(hvk_rndis_parse_keepalive(&range, &value), HVK_OK);
	assert_int_equal(value, ID);
}

static void rndis_indications(void **state)
{
	struct hvk_shared range = RANGE(golden_rndis_link_up);
	struct hvk_rndis_frame frame;
	uint32_t value;

	(void)state;
	assert_int_equal(hvk_rndis_parse_status(&range, &value), HVK_OK);
	assert_int_equal(value, 0x4001000b);
	range = RANGE(golden_rndis_link_down);
	assert_int_equal(hvk_rndis_parse_status(&range, &value), HVK_OK);
	assert_int_equal(value, 0x4001000c);
	range = RANGE(golden_rndis_status_0x40020006_short);
	range.size = GOLDEN_STATUS_0x40020006_RANGE;
	assert_int_equal(hvk_rndis_parse_status(&range, &value), HVK_OK);
	assert_int_equal(value, 0x40020006);
	range = RANGE(golden_rndis_packet);
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
	assert_int_equal(frame.offset, 44);
	assert_int_equal(frame.length, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nvs_requests),  cmocka_unit_test(nvs_ndis_config),
		cmocka_unit_test(nvs_answers),   cmocka_unit_test(rndis_requests),
		cmocka_unit_test(rndis_answers), cmocka_unit_test(rndis_indications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
