/* SPDX-License-Identifier: MIT */
/* The NVS codec against bytes typed from the facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guest/netvsc/nvs.h"
#include "tests/golden/ndis.h"
#include "tests/golden/nvs_rndis.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

static void check(const struct hvk_nvs_message *message, const void *bytes, uint32_t size)
{
	assert_int_equal(message->size, size);
	assert_memory_equal(message->bytes, bytes, size);
}

static void init_is_32_bytes_and_40_from_6_1(void **state)
{
	static const uint8_t old[32] = {1, 0, 0, 0, 2, 0, 3, 0, 2, 0, 3, 0};
	static const uint8_t new[40] = {1, 0, 0, 0, 1, 0, 6, 0, 1, 0, 6, 0};
	struct hvk_nvs_message message;

	(void)state;
	hvk_nvs_build_init(&message, NVS_VERSION_2);
	check(&message, old, 32);
	hvk_nvs_build_init(&message, NVS_VERSION_6_1);
	check(&message, new, 40);
}

static void ndis_config_has_the_ethernet_header_in_its_mtu(void **state)
{
	static const uint8_t bytes[32] = {125, 0, 0, 0, 0xea, 0x05, 0, 0, 0, 0, 0, 0, 8};
	struct hvk_nvs_message message;

	(void)state;
	hvk_nvs_build_ndis_config(&message, NVS_VERSION_5, 1514, false);
	check(&message, bytes, 32);
}

static void ndis_config_announces_joined_frames_at_6_1(void **state)
{
	uint8_t bytes[40] = {0};
	struct hvk_nvs_message message;

	(void)state;
	memcpy(bytes, golden_nvs_ndis_config_6_1, sizeof(golden_nvs_ndis_config_6_1));
	hvk_nvs_build_ndis_config(&message, NVS_VERSION_6_1, 1514, false);
	check(&message, bytes, 40);
	hvk_nvs_build_ndis_config(&message, NVS_VERSION_6, 1514, false);
	assert_int_equal(message.size, 32);
	assert_memory_equal(message.bytes, golden_nvs_ndis_config, sizeof(golden_nvs_ndis_config));
}

static void subchannels(void **state)
{
	uint8_t answer[16] = {0};
	struct hvk_nvs_message message;
	uint32_t count = 99;

	(void)state;
	hvk_nvs_build_subchannels(&message, NVS_VERSION_5, 3);
	assert_int_equal(message.size, 32);
	assert_memory_equal(message.bytes, golden_nvs_subchannel_request,
			    sizeof(golden_nvs_subchannel_request));
	memcpy(answer, golden_nvs_subchannel_complete, sizeof(golden_nvs_subchannel_complete));
	assert_int_equal(hvk_nvs_parse_subchannels(answer, 16, 3, &count), HVK_OK);
	assert_int_equal(count, 2);
	assert_int_equal(hvk_nvs_parse_subchannels(answer, 16, 1, &count),
			 HVK_OK); /* never more than asked */
	assert_int_equal(count, 1);
	assert_int_equal(hvk_nvs_parse_subchannels(answer, 11, 3, &count), HVK_EHOST_NVS);
	assert_int_equal(hvk_nvs_parse_subchannels(golden_nvs_subchannel_refused, 12, 3, &count),
			 HVK_EREFUSED_NVS);
	answer[0] = 0x86;
	assert_int_equal(hvk_nvs_parse_subchannels(answer, 16, 3, &count), HVK_EHOST_NVS);
}

static hvk_status indirection(uint8_t *bytes, uint32_t length, uint32_t version, uint32_t *first)
{
	uint32_t table[NVS_SEND_INDIRECTION_COUNT] = {99};
	hvk_status status = hvk_nvs_parse_send_indirection(bytes, length, version, table);

	*first = table[0];
	return status;
}

static void send_indirection(void **state)
{
	uint8_t bytes[104] = {0};
	uint32_t table[NVS_SEND_INDIRECTION_COUNT], first;

	(void)state;
	memcpy(bytes, golden_nvs_send_indirection_12, sizeof(golden_nvs_send_indirection_12));
	assert_int_equal(hvk_nvs_parse_send_indirection(bytes, 76, NVS_VERSION_5, table), HVK_OK);
	for (uint32_t i = 0; i < NVS_SEND_INDIRECTION_COUNT; i++)
		assert_int_equal(table[i], i % 4);
	assert_int_equal(indirection(bytes, 75, NVS_VERSION_5, &first), HVK_EHOST_NVS);
	bytes[40] = 5; /* 104 bytes: the offset is not believed up to 6.0 */
	assert_int_equal(indirection(bytes, 104, NVS_VERSION_6, &first), HVK_OK);
	assert_int_equal(first, 5);
	assert_int_equal(indirection(bytes, 104, NVS_VERSION_6_1, &first), HVK_OK);
	assert_int_equal(first, 0);
	assert_int_equal(indirection(bytes, 103, NVS_VERSION_6, &first), HVK_OK);
	assert_int_equal(first, 0);
	bytes[8] = 8; /* in the header */
	assert_int_equal(indirection(bytes, 76, NVS_VERSION_6_1, &first), HVK_EHOST_NVS);
	bytes[8] = 41; /* past the end */
	assert_int_equal(indirection(bytes, 104, NVS_VERSION_6_1, &first), HVK_EHOST_NVS);
	bytes[8] = 12;
	bytes[11] = 0xff;
	assert_int_equal(indirection(bytes, 104, NVS_VERSION_6_1, &first), HVK_EHOST_NVS);
	bytes[11] = 0;
	bytes[4] = 15;
	assert_int_equal(indirection(bytes, 104, NVS_VERSION_6_1, &first), HVK_EHOST_NVS);
	assert_int_equal(first, 99); /* nothing is written */
}

static void ndis_version_is_6_1_up_to_nvs_4(void **state)
{
	static const uint8_t old[32] = {100, 0, 0, 0, 6, 0, 0, 0, 1};
	static const uint8_t new[32] = {100, 0, 0, 0, 6, 0, 0, 0, 30};
	struct hvk_nvs_message message;

	(void)state;
	hvk_nvs_build_ndis_version(&message, NVS_VERSION_1);
	check(&message, old, 32);
	hvk_nvs_build_ndis_version(&message, NVS_VERSION_4);
	check(&message, old, 32);
	hvk_nvs_build_ndis_version(&message, NVS_VERSION_5);
	check(&message, new, 32);
}

static void buffers_and_revokes(void **state)
{
	static const uint8_t receive[32] = {101, 0, 0, 0, 0xe1, 0xe1, 0, 0, 0xfe, 0xca};
	static const uint8_t send[32] = {104, 0, 0, 0, 0xe2, 0xe1, 0, 0};
	static const uint8_t revoke_receive[32] = {103, 0, 0, 0, 0xfe, 0xca};
	static const uint8_t revoke_send[40] = {106};
	struct hvk_nvs_message message;

	(void)state;
	hvk_nvs_build_buffer(&message, NVS_VERSION_6, NVS_TYPE_RECEIVE_BUFFER, 0xe1e1,
			     NVS_RECEIVE_PAGE_SET_ID);
	check(&message, receive, 32);
	hvk_nvs_build_buffer(&message, NVS_VERSION_6, NVS_TYPE_SEND_BUFFER, 0xe1e2, NVS_SEND_PAGE_SET_ID);
	check(&message, send, 32);
	hvk_nvs_build_revoke(&message, NVS_VERSION_6, NVS_TYPE_REVOKE_RECEIVE_BUFFER,
			     NVS_RECEIVE_PAGE_SET_ID);
	check(&message, revoke_receive, 32);
	hvk_nvs_build_revoke(&message, NVS_VERSION_6_1, NVS_TYPE_REVOKE_SEND_BUFFER, NVS_SEND_PAGE_SET_ID);
	check(&message, revoke_send, 40);
}

static void rndis_names_channel_type_and_section(void **state)
{
	static const uint8_t control[32] = {107, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t data[32] = {107, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0x68, 0, 0, 0};
	struct hvk_nvs_message message;

	(void)state;
	hvk_nvs_build_rndis(&message, NVS_VERSION_5, NVS_CHANNEL_CONTROL, NVS_SECTION_NONE, 0);
	check(&message, control, 32);
	hvk_nvs_build_rndis(&message, NVS_VERSION_5, NVS_CHANNEL_DATA, 9, 0x68);
	check(&message, data, 32);
}

static void init_complete_goes_by_its_status_alone(void **state)
{
	uint8_t bytes[16] = {2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 34, 0, 0, 0, 1};

	(void)state;
	assert_int_equal(hvk_nvs_parse_init_complete(bytes, 16), HVK_OK);
	bytes[12] = 0; /* OpenVMM's refusal */
	assert_int_equal(hvk_nvs_parse_init_complete(bytes, 16), HVK_EREFUSED_NVS_VERSION);
	bytes[12] = 3;
	assert_int_equal(hvk_nvs_parse_init_complete(bytes, 16), HVK_EREFUSED_NVS_VERSION);
	bytes[12] = 1;
	assert_int_equal(hvk_nvs_parse_init_complete(bytes, 15), HVK_EHOST_NVS);
	assert_int_equal(hvk_nvs_parse_init_complete(bytes, 0), HVK_EHOST_NVS);
	bytes[0] = 102;
	assert_int_equal(hvk_nvs_parse_init_complete(bytes, 16), HVK_EHOST_NVS);
}

/* type, status, sections, offset, size, count, end */
static hvk_status receive_buffer(const uint32_t words[7], uint32_t length, struct hvk_nvs_geometry *geometry)
{
	return hvk_nvs_parse_receive_buffer(words, length, 0x200000, geometry);
}

static void receive_buffer_geometry(void **state)
{
	struct hvk_nvs_geometry geometry;
	static const struct {
		uint32_t words[7];
		uint32_t length;
		hvk_status status;
	} cases[] = {
		{{102, 1, 1, 0, 1806, 1161, 2096766}, 28, HVK_OK},
		{{102, 1, 1, 0, 68, 1, 68}, 32, HVK_OK},
		{{102, 1, 1, 0, 0x200000, 1, 0}, 28, HVK_OK},
		{{102, 1, 1, 0, 1806, 1161, 2096766}, 27, HVK_EHOST_NVS},
		{{102, 1, 1, 0, 1806, 1161, 2096766}, 7, HVK_EHOST_NVS},
		{{105, 1, 1, 0, 1806, 1161, 2096766}, 28, HVK_EHOST_NVS},
		{{102, 2, 1, 0, 1806, 1161, 2096766}, 28, HVK_EREFUSED_NVS},
		{{102, 2, 0, 0, 0, 0, 0}, 8, HVK_EREFUSED_NVS},
		{{102, 1, 0, 0, 1806, 1161, 2096766}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 2, 0, 1806, 1161, 2096766}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 1, 8, 1806, 1161, 2096766}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 67, 1161, 2096766}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 0, 1161, 0}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 1806, 0, 0}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 1806, 1162, 0}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 0x200001, 1, 0}, 28, HVK_EHOST_BUFFER},
		{{102, 1, 1, 0, 0x10000, 0x10000, 0}, 28, HVK_EHOST_BUFFER}, /* 0 in 32 bits */
		{{102, 1, 1, 0, 0xffffffff, 0xffffffff, 0}, 28, HVK_EHOST_BUFFER},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(receive_buffer(cases[i].words, cases[i].length, &geometry), cases[i].status);
	assert_int_equal(receive_buffer(cases[0].words, 28, &geometry), HVK_OK);
	assert_int_equal(geometry.suballocation_size, 1806);
	assert_int_equal(geometry.suballocation_count, 1161);
	assert_int_equal(geometry.extent, 2096766);
}

static void send_buffer_section_size(void **state)
{
	uint32_t size = 0;
	uint32_t words[3] = {105, 1, 6144};

	(void)state;
	assert_int_equal(hvk_nvs_parse_send_buffer(words, 12, 0x100000, &size), HVK_OK);
	assert_int_equal(size, 6144);
	assert_int_equal(hvk_nvs_parse_send_buffer(words, 11, 0x100000, &size), HVK_EHOST_NVS);
	words[2] = 68;
	assert_int_equal(hvk_nvs_parse_send_buffer(words, 12, 0x100000, &size), HVK_OK);
	assert_int_equal(size, 68);
	for (uint32_t i = 0; i < 3; i++) { /* too small, none, not aligned: of no use */
		static const uint32_t useless[3] = {64, 0, 6142};

		words[2] = useless[i];
		assert_int_equal(hvk_nvs_parse_send_buffer(words, 12, 0x100000, &size), HVK_OK);
		assert_int_equal(size, 0);
	}
	words[2] = 0x100001;
	assert_int_equal(hvk_nvs_parse_send_buffer(words, 12, 0x100000, &size), HVK_EHOST_BUFFER);
	words[2] = 6144;
	words[1] = 2;
	assert_int_equal(hvk_nvs_parse_send_buffer(words, 12, 0x100000, &size), HVK_EREFUSED_NVS);
}

static void rndis_complete(void **state)
{
	uint8_t bytes[8] = {108, 0, 0, 0, 1};

	(void)state;
	assert_int_equal(hvk_nvs_parse_rndis_complete(bytes, 8), HVK_OK);
	assert_int_equal(hvk_nvs_parse_rndis_complete(bytes, 7), HVK_EHOST_NVS);
	bytes[4] = 2;
	assert_int_equal(hvk_nvs_parse_rndis_complete(bytes, 8), HVK_EREFUSED_RNDIS);
	bytes[0] = 107;
	assert_int_equal(hvk_nvs_parse_rndis_complete(bytes, 8), HVK_EHOST_NVS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_is_32_bytes_and_40_from_6_1),
		cmocka_unit_test(ndis_config_has_the_ethernet_header_in_its_mtu),
		cmocka_unit_test(ndis_config_announces_joined_frames_at_6_1),
		cmocka_unit_test(subchannels),
		cmocka_unit_test(send_indirection),
		cmocka_unit_test(ndis_version_is_6_1_up_to_nvs_4),
		cmocka_unit_test(buffers_and_revokes),
		cmocka_unit_test(rndis_names_channel_type_and_section),
		cmocka_unit_test(init_complete_goes_by_its_status_alone),
		cmocka_unit_test(receive_buffer_geometry),
		cmocka_unit_test(send_buffer_section_size),
		cmocka_unit_test(rndis_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
