/* SPDX-License-Identifier: MIT */
/* The drivers' vstor codec and SCSI commands against bytes that were typed by hand; and answers that
 * cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guest/storvsc/scsi.h"
#include "guest/storvsc/vstor.h"
#include "tests/golden/vstor.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

/* Golden bytes, then zeros. */
static void check(const struct hvk_vstor_packet *packet, const uint8_t *golden, uint32_t length,
		  uint32_t size)
{
	static const uint8_t zeros[64];

	assert_int_equal(packet->size, size);
	assert_memory_equal(packet->bytes, golden, length);
	assert_memory_equal(packet->bytes + length, zeros, 64 - length);
}
#define CHECK(golden) check(&packet, golden, sizeof(golden), 64)

static void requests(void **state)
{
	struct hvk_vstor_packet packet;

	(void)state;
	hvk_vstor_build(&packet, 0, VSTOR_OPERATION_BEGIN_INITIALIZATION);
	CHECK(golden_vstor_begin);
	hvk_vstor_build_query_version(&packet, VSTOR_VERSION_6_2);
	CHECK(golden_vstor_query_version_6_2);
	hvk_vstor_build(&packet, VSTOR_VERSION_6_2, VSTOR_OPERATION_QUERY_PROPERTIES);
	CHECK(golden_vstor_query_properties);
	hvk_vstor_build(&packet, VSTOR_VERSION_5_1, VSTOR_OPERATION_END_INITIALIZATION);
	CHECK(golden_vstor_end);
	hvk_vstor_build(&packet, VSTOR_VERSION_4_2, VSTOR_OPERATION_END_INITIALIZATION);
	check(&packet, golden_vstor_end, sizeof(golden_vstor_end), 48);
	hvk_vstor_build_subchannels(&packet, VSTOR_VERSION_6_0, 3);
	CHECK(golden_vstor_create_3_subchannels);
	hvk_vstor_build(&packet, VSTOR_VERSION_6_0, VSTOR_OPERATION_RESET_ADAPTER);
	CHECK(golden_vstor_reset_adapter);
}

static void srb(void **state)
{
	struct hvk_vstor_srb asked = {.target = 1,
				      .lun = 7,
				      .direction = VSTOR_DATA_IN,
				      .action = VSTOR_TAG_SIMPLE,
				      .length = 4096,
				      .timeout = 60};
	struct hvk_vstor_packet packet;
	struct hvk_scsi_cdb cdb;

	(void)state;
	hvk_scsi_read(&cdb, 0x01020304, 8);
	asked.cdb_length = cdb.length;
	memcpy(asked.cdb, cdb.bytes, sizeof(asked.cdb));
	hvk_vstor_build_srb(&packet, VSTOR_VERSION_6_2, VSTOR_OPERATION_EXECUTE_SRB, &asked);
	CHECK(golden_vstor_read);
	hvk_vstor_build_srb(&packet, VSTOR_VERSION_4_2, VSTOR_OPERATION_EXECUTE_SRB, &asked);
	check(&packet, golden_vstor_read_4_2, sizeof(golden_vstor_read_4_2), 48);
}

static void answers(void **state)
{
	struct hvk_vstor_result result;
	struct hvk_vstor_limits limits;
	uint32_t nt_status, operation;

	(void)state;
	assert_int_equal(hvk_vstor_parse_answer(golden_vstor_granted, 64, &nt_status), HVK_OK);
	assert_int_equal(nt_status, 0);
	assert_int_equal(hvk_vstor_parse_answer(golden_vstor_version_refused, 64, &nt_status), HVK_OK);
	assert_int_equal(nt_status, VSTOR_STATUS_REVISION_MISMATCH);
	assert_int_equal(hvk_vstor_parse_properties(golden_vstor_properties, 64, &limits), HVK_OK);
	assert_true(limits.multi_channel);
	assert_int_equal(limits.subchannels_max, 7);
	assert_int_equal(limits.transfer_bytes_max, 262144);
	assert_int_equal(hvk_vstor_parse_result(golden_vstor_read_done, 64, VSTOR_VERSION_6_2, 4096, &result),
			 HVK_OK);
	assert_int_equal(result.srb_status, VSTOR_SRB_STATUS_SUCCESS);
	assert_int_equal(result.transferred, 4096);
	assert_int_equal(
		hvk_vstor_parse_result(golden_vstor_read_failed, 64, VSTOR_VERSION_6_2, 4096, &result),
		HVK_OK);
	assert_int_equal(result.srb_status, VSTOR_SRB_STATUS_ERROR);
	assert_int_equal(result.scsi_status, SCSI_STATUS_CHECK_CONDITION);
	assert_int_equal(result.sense_length, 18);
	assert_int_equal(result.sense[2], SCSI_SENSE_MEDIUM_ERROR);
	assert_int_equal(hvk_vstor_parse_notice(golden_vstor_enumerate_bus, 4, &operation), HVK_OK);
	assert_int_equal(operation, VSTOR_OPERATION_ENUMERATE_BUS);
}

static void answers_that_cannot_be(void **state)
{
	uint8_t bytes[64];
	struct hvk_vstor_result result;
	struct hvk_vstor_limits limits;
	uint32_t word;

	(void)state;
	assert_int_equal(hvk_vstor_parse_answer(golden_vstor_granted, 11, &word), HVK_EHOST_VSTOR);
	assert_int_equal(hvk_vstor_parse_answer(golden_vstor_begin, 12, &word), HVK_EHOST_VSTOR);
	assert_int_equal(hvk_vstor_parse_properties(golden_vstor_properties, 27, &limits), HVK_EHOST_VSTOR);
	assert_int_equal(hvk_vstor_parse_properties(golden_vstor_properties, 28, &limits), HVK_OK);
	assert_int_equal(hvk_vstor_parse_properties(golden_vstor_version_refused, 64, &limits),
			 HVK_EREFUSED_VSTOR);
	assert_int_equal(hvk_vstor_parse_properties(golden_vstor_granted, 64, &limits), HVK_EHOST_VALUE);
	assert_int_equal(hvk_vstor_parse_result(golden_vstor_read_done, 27, 0x602, 4096, &result),
			 HVK_EHOST_VSTOR);
	assert_int_equal(hvk_vstor_parse_result(golden_vstor_read_done, 28, 0x602, 4096, &result), HVK_OK);
	assert_int_equal(hvk_vstor_parse_result(golden_vstor_read_done, 64, 0x602, 4095, &result),
			 HVK_EHOST_VSTOR);
	assert_int_equal(hvk_vstor_parse_result(golden_vstor_read, 64, 0x602, 4096, &result),
			 HVK_EHOST_VSTOR);
	/* Sense is no longer than there is room for it, nor than what was received. */
	memcpy(bytes, golden_vstor_read_failed, 64);
	bytes[21] = 255;
	assert_int_equal(hvk_vstor_parse_result(bytes, 64, 0x602, 4096, &result), HVK_OK);
	assert_int_equal(result.sense_length, 20);
	assert_int_equal(hvk_vstor_parse_result(bytes, 48, 0x402, 4096, &result), HVK_OK);
	assert_int_equal(result.sense_length, 18);
	assert_int_equal(hvk_vstor_parse_result(bytes, 30, 0x602, 4096, &result), HVK_OK);
	assert_int_equal(result.sense_length, 2);
	assert_int_equal(hvk_vstor_parse_notice(golden_vstor_enumerate_bus, 3, &word), HVK_EHOST_VSTOR);
	assert_int_equal(hvk_vstor_parse_notice(golden_vstor_granted, 64, &word), HVK_EHOST_VSTOR);
}

static void check_cdb(const struct hvk_scsi_cdb *cdb, const uint8_t *golden, uint32_t length)
{
	assert_int_equal(cdb->length, length);
	assert_memory_equal(cdb->bytes, golden, length);
}
#define CHECK_CDB(golden) check_cdb(&cdb, golden, sizeof(golden))

static void commands(void **state)
{
	uint8_t list[HVK_SCSI_UNMAP_LIST];
	struct hvk_scsi_cdb cdb;

	(void)state;
	hvk_scsi_write(&cdb, 5, 65535, true);
	CHECK_CDB(golden_cdb_write_10_fua);
	hvk_scsi_write(&cdb, 5, 65536, false);
	CHECK_CDB(golden_cdb_write_16);
	hvk_scsi_read(&cdb, 0x100000002, 3);
	CHECK_CDB(golden_cdb_read_16);
	hvk_scsi_write_same(&cdb, 0x100000000, 0x10, true);
	CHECK_CDB(golden_cdb_write_same_16_unmap);
	hvk_scsi_synchronize_cache(&cdb);
	CHECK_CDB(golden_cdb_synchronize_cache);
	hvk_scsi_inquiry(&cdb, HVK_SCSI_STANDARD, 36);
	CHECK_CDB(golden_cdb_inquiry);
	hvk_scsi_inquiry(&cdb, 0xb0, 252);
	CHECK_CDB(golden_cdb_inquiry_b0);
	hvk_scsi_report_luns(&cdb, 2056);
	CHECK_CDB(golden_cdb_report_luns);
	hvk_scsi_read_capacity_16(&cdb);
	CHECK_CDB(golden_cdb_read_capacity_16);
	hvk_scsi_mode_sense_6(&cdb, SCSI_MODE_PAGE_CACHING, 192);
	CHECK_CDB(golden_cdb_mode_sense_caching);
	hvk_scsi_unmap(&cdb, list, 0x100000002, 0x1000);
	CHECK_CDB(golden_cdb_unmap);
	assert_memory_equal(list, golden_unmap_list, sizeof(list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests), cmocka_unit_test(srb),
		cmocka_unit_test(answers),  cmocka_unit_test(answers_that_cannot_be),
		cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
