/* SPDX-License-Identifier: MIT */
/* The host's backup and file copy: operations, what they hold, what comes of answers and of their absence. */
#include <unistd.h>

#include "host_utilities_guest.h"

#define V(major, minor) IC_VERSION(major, minor)

/* --- Backup -------------------------------------------------------------------------------------- */

static void request(struct guest *guest, uint8_t operation)
{
	hvh_vss_request(hvh_utilities_find(guest->host), guest->now, operation, on_end, NULL);
	settle(guest);
}

static void expect_operation(struct guest *guest, uint32_t version, uint8_t operation)
{
	bool disks = operation == IC_VSS_FREEZE || operation == IC_VSS_AUTO_RECOVER;

	expect_message(guest, IC_TYPE_VSS, version, disks ? 6260 : 12);
	assert_int_equal(asked.body[0], operation);
	for (unsigned n = 1; n < asked.header.size; n++)
		assert_int_equal(asked.body[n], 0);
}

static void answer_flags(struct guest *guest, uint32_t flags)
{
	memcpy(asked.body + offsetof(struct ic_vss, flags), &flags, sizeof flags);
	reply(guest, IC_STATUS_OK);
}

static void hot_backup(void **state)
{
	struct guest *guest = *state;

	(void)ready(guest, HVH_UTILITY_VSS, V(5, 0));
	request(guest, IC_VSS_HOT_BACKUP);
	expect_operation(guest, V(5, 0), IC_VSS_HOT_BACKUP);
	answer_flags(guest, 5);
	expect_end(HVH_UTILITY_OK, 0, "while it runs; a copy needs no recovery");
	request(guest, IC_VSS_HOT_BACKUP);
	expect_operation(guest, V(5, 0), IC_VSS_HOT_BACKUP);
	answer_flags(guest, 1);
	expect_end(HVH_UTILITY_OK, 0, "needs a recovery");
	request(guest, IC_VSS_HOT_BACKUP);
	expect_operation(guest, V(5, 0), IC_VSS_HOT_BACKUP);
	answer_flags(guest, 0);
	expect_end(HVH_UTILITY_OK, 0, "cannot");
	assert_no_violation(guest);
	request(guest, IC_VSS_HOT_BACKUP);
	expect_operation(guest, V(5, 0), IC_VSS_HOT_BACKUP);
	answer_flags(guest, 3);
	expect_end(HVH_UTILITY_FAILED, 0, "cannot be: the flags");
	assert_only_violation(guest, HVH_V_IC_VALUE);
}

static void frozen_and_thawed(void **state)
{
	struct guest *guest = *state;

	(void)ready(guest, HVH_UTILITY_VSS, V(5, 0));
	request(guest, IC_VSS_FREEZE);
	expect_operation(guest, V(5, 0), IC_VSS_FREEZE);
	dump_says(guest, "frozen: no");
	pass(guest, 14 * 60 * SECOND); /* it may take its time */
	assert_int_equal(ended.count, 0);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0, "done");
	dump_says(guest, "frozen: yes");
	request(guest, IC_VSS_THAW);
	expect_operation(guest, V(5, 0), IC_VSS_THAW);
	reply(guest, IC_STATUS_FAIL); /* it had thawed by itself */
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_FAIL, "failed");
	dump_says(guest, "frozen: no");
	request(guest, IC_VSS_FREEZE);
	assert_true(next(guest));
	reply(guest, IC_STATUS_FAIL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_FAIL, "failed");
	dump_says(guest, "frozen: no");
	request(guest, IC_VSS_FREEZE);
	assert_true(next(guest));
	pass(guest, 15 * 60 * SECOND);
	expect_end(HVH_UTILITY_TIMED_OUT, IC_STATUS_FAIL, "no answer");
	dump_says(guest, "frozen: yes"); /* for all that is known */
	request(guest, IC_VSS_THAW);
	assert_true(next(guest));
	pass(guest, 60 * SECOND);
	expect_end(HVH_UTILITY_TIMED_OUT, IC_STATUS_FAIL, "no answer");
	dump_says(guest, "frozen: yes");
	hvh_utilities_restart(hvh_utilities_find(guest->host), guest->now, HVH_UTILITY_VSS);
	dump_says(guest, "frozen: no");
	assert_no_violation(guest);
}

static void each_operation(void **state)
{
	struct guest *guest = *state;

	(void)ready(guest, HVH_UTILITY_VSS, V(5, 0));
	for (uint8_t operation = 0; operation <= IC_VSS_AUTO_RECOVER; operation++) {
		request(guest, operation);
		expect_operation(guest, V(5, 0), operation);
		reply(guest, IC_STATUS_OK);
		expect_end(HVH_UTILITY_OK, 0, "");
	}
	request(guest, 8);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "operations are");
	expect_none(guest);
	assert_no_violation(guest);
	request(guest, IC_VSS_THAW);
	assert_true(next(guest));
	asked.body[0] = IC_VSS_FREEZE;
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_FAILED, 0, "operation of its request");
	assert_only_violation(guest, HVH_V_IC_VALUE);
}

static void before_5(void **state)
{
	struct guest *guest = *state;

	(void)ready(guest, HVH_UTILITY_VSS, V(4, 0));
	request(guest, IC_VSS_FREEZE);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "FREEZE needs 5.0");
	request(guest, IC_VSS_BACKUP_COMPLETE);
	expect_operation(guest, V(4, 0), IC_VSS_BACKUP_COMPLETE);
}

/* --- File copy ----------------------------------------------------------------------------------- */

static char file_name[64];

/* Bytes that tell where they are. */
static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + offset / 251);
}

static void make_file(uint64_t size)
{
	FILE *file;

	(void)snprintf(file_name, sizeof file_name, "/tmp/hvkit-fcopy-%d", (int)getpid());
	file = fopen(file_name, "wb");
	assert_non_null(file);
	for (uint64_t n = 0; n < size; n++)
		(void)fputc(byte_at(n), file);
	assert_int_equal(fclose(file), 0);
}

static void copy(struct guest *guest, const char *path, const char *name, bool overwrite)
{
	hvh_fcopy_send(hvh_utilities_find(guest->host), guest->now, file_name, path, name, overwrite, on_end,
		       NULL);
	settle(guest);
}

static void begin(struct guest *guest, uint64_t size)
{
	make_file(size);
	(void)ready(guest, HVH_UTILITY_FCOPY, V(1, 1));
}

static void expect_start(struct guest *guest, const char *path, const char *name, uint64_t size,
			 uint32_t flags)
{
	struct ic_fcopy_start start;
	uint8_t units[520];

	expect_message(guest, IC_TYPE_FCOPY, V(1, 1), sizeof start);
	memcpy(&start, asked.body, sizeof start);
	assert_int_equal(start.header.operation, IC_FCOPY_START);
	assert_memory_equal(start.file_name, units, wide(units, name));
	assert_memory_equal(start.path_name, units, wide(units, path));
	assert_int_equal(start.flags, flags);
	assert_int_equal(start.file_size[0] | (uint64_t)start.file_size[1] << 32, size);
}

static void expect_write(struct guest *guest, uint64_t offset, uint32_t size)
{
	static struct ic_fcopy_write write;

	expect_message(guest, IC_TYPE_FCOPY, V(1, 1), sizeof write);
	memcpy(&write, asked.body, sizeof write);
	assert_int_equal(write.header.operation, IC_FCOPY_WRITE);
	assert_int_equal(write.offset[0] | (uint64_t)write.offset[1] << 32, offset);
	assert_int_equal(write.size, size);
	for (uint32_t n = 0; n < sizeof write.data; n++)
		assert_int_equal(write.data[n], n < size ? byte_at(offset + n) : 0);
}

static void expect_short(struct guest *guest, uint32_t operation)
{
	uint32_t said;

	expect_message(guest, IC_TYPE_FCOPY, V(1, 1), sizeof(struct ic_fcopy_header));
	memcpy(&said, asked.body, sizeof said);
	assert_int_equal(said, operation);
}

static void copied(void **state)
{
	struct guest *guest = *state;

	begin(guest, 2 * 6144 + 100);
	copy(guest, "/tmp", "file", true);
	expect_start(guest, "/tmp", "file", 2 * 6144 + 100, 3);
	dump_says(guest, "request: copy");
	reply(guest, IC_STATUS_OK);
	expect_write(guest, 0, 6144);
	reply(guest, IC_STATUS_OK);
	expect_write(guest, 6144, 6144);
	reply(guest, IC_STATUS_OK);
	dump_says(guest, "copy-offset: 12288");
	expect_write(guest, 12288, 100);
	reply(guest, IC_STATUS_OK);
	expect_short(guest, IC_FCOPY_COMPLETE);
	assert_int_equal(ended.count, 0);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0, "12388 bytes copied");
	dump_says(guest, "copied-bytes: 12388");
	expect_none(guest);
	assert_no_violation(guest);
	(void)remove(file_name);
}

static void nothing_to_copy(void **state)
{
	struct guest *guest = *state;

	begin(guest, 0);
	copy(guest, NULL, "empty", false);
	expect_start(guest, "", "empty", 0, 2);
	reply(guest, IC_STATUS_OK);
	expect_short(guest, IC_FCOPY_COMPLETE);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, 0, "0 bytes");
	(void)remove(file_name);
}

static void refused(void **state)
{
	struct guest *guest = *state;

	begin(guest, 10);
	copy(guest, "", "there", false);
	assert_true(next(guest));
	reply(guest, IC_STATUS_ALREADY_EXISTS);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_ALREADY_EXISTS, "exists already");
	expect_none(guest);
	copy(guest, "", "full", false);
	assert_true(next(guest));
	reply(guest, IC_STATUS_OK);
	expect_write(guest, 0, 10);
	reply(guest, IC_STATUS_DISK_FULL);
	expect_short(guest, IC_FCOPY_CANCEL);
	assert_int_equal(ended.count, 0);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_DISK_FULL, "no room");
	copy(guest, "", "torn", false);
	assert_true(next(guest));
	reply(guest, IC_STATUS_OK);
	assert_true(next(guest));
	reply(guest, IC_STATUS_OK);
	expect_short(guest, IC_FCOPY_COMPLETE);
	reply(guest, IC_STATUS_FAIL);
	expect_short(guest, IC_FCOPY_CANCEL);
	reply(guest, IC_STATUS_FAIL); /* of no use to anybody */
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_FAIL, "failed");
	expect_none(guest);
	assert_no_violation(guest);
	(void)remove(file_name);
}

static void silent(void **state)
{
	struct guest *guest = *state;

	begin(guest, 10);
	copy(guest, "", "slow", false);
	assert_true(next(guest));
	pass(guest, 60 * SECOND); /* it may have begun */
	expect_short(guest, IC_FCOPY_CANCEL);
	pass(guest, 60 * SECOND);
	expect_end(HVH_UTILITY_TIMED_OUT, IC_STATUS_FAIL, "no answer");
	(void)remove(file_name);
}

static void restarted(void **state)
{
	struct guest *guest = *state;

	begin(guest, 10);
	copy(guest, "", "a", false);
	assert_true(next(guest));
	hvh_utilities_restart(hvh_utilities_find(guest->host), guest->now, HVH_UTILITY_FCOPY);
	expect_end(HVH_UTILITY_AWAY, IC_STATUS_FAIL, "restarted");
	choose(guest, IC_FRAMEWORK_3_0, V(1, 1));
	expect_none(guest);
	(void)remove(file_name);
}

static void shorter(void **state)
{
	struct guest *guest = *state;

	begin(guest, 20000);
	copy(guest, "", "a", false);
	assert_true(next(guest));
	assert_int_equal(truncate(file_name, 5000), 0);
	reply(guest, IC_STATUS_OK);
	expect_short(guest, IC_FCOPY_CANCEL);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_FAIL, "shorter");
	(void)remove(file_name);
}

static void what_cannot_be_sent(void **state)
{
	struct guest *guest = *state;
	char name[300];

	begin(guest, 10);
	memset(name, 'n', sizeof name);
	name[260] = '\0';
	copy(guest, "", name, false);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "1 to 259");
	copy(guest, name, "n", false);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "at most 259");
	copy(guest, "", "", false);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "1 to 259");
	(void)remove(file_name);
	copy(guest, "", "n", false);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "cannot read");
	(void)snprintf(file_name, sizeof file_name, "/tmp");
	copy(guest, "", "n", false);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "no ordinary file");
	expect_none(guest);
	assert_no_violation(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hot_backup),
		TEST(frozen_and_thawed),
		TEST(each_operation),
		TEST(before_5),
		TEST(copied),
		TEST(nothing_to_copy),
		TEST(refused),
		TEST(silent),
		TEST(restarted),
		TEST(shorter),
		TEST(what_cannot_be_sent),
	};

	return cmocka_run_group_tests_name("host_utilities_backup", tests, NULL, NULL);
}
