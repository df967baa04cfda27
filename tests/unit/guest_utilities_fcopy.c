/* SPDX-License-Identifier: MIT */
/* File copy: a whole one, names that would lead elsewhere, sizes, ends before time. */
#include "tests/unit/guest_utilities_host.h"

static struct {
	enum hvk_utility_answer start_answer, write_answer;
	char path[800], name[800];
	uint64_t size;
	bool overwrite, create_path, ok;
	uint32_t starts, writes, ends;
	uint8_t data[32768];
} user;

static enum hvk_utility_answer on_start(void *context, const char *path, const char *name, uint64_t size,
					bool overwrite, bool create_path)
{
	assert_ptr_equal(context, &user);
	strcpy(user.path, path);
	strcpy(user.name, name);
	user.size = size;
	user.overwrite = overwrite;
	user.create_path = create_path;
	user.starts++;
	return user.start_answer;
}

static enum hvk_utility_answer on_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	(void)context;
	assert_true(offset + length <= sizeof(user.data));
	memcpy(user.data + offset, data, length);
	user.writes++;
	return user.write_answer;
}

static enum hvk_utility_answer on_end(void *context, bool ok)
{
	(void)context;
	user.ok = ok;
	user.ends++;
	return HVK_UTILITY_DONE;
}

static void begin(void)
{
	const struct hvk_utility_config config = {
		.callbacks.fcopy = {.start = on_start, .write = on_write, .end = on_end, .quota = 1u << 20},
		.context = &user};

	memset(&user, 0, sizeof(user));
	utility_begin((struct vmbus_guid)VMBUS_GUID_FCOPY, &config);
	assert_int_equal(utility_negotiate(IC_VERSION(1, 1)), IC_VERSION(1, 1));
}

static uint32_t start(const char *path, const char *name, uint64_t size, uint32_t flags)
{
	struct ic_fcopy_start body = {.header = {.operation = IC_FCOPY_START},
				      .flags = flags,
				      .file_size = {(uint32_t)size, (uint32_t)(size >> 32)}};

	utility_wide((uint8_t *)body.path_name, path);
	utility_wide((uint8_t *)body.file_name, name);
	return utility_ask(IC_TYPE_FCOPY, &body, sizeof(body));
}

static uint32_t write_part(uint64_t offset, uint32_t size, uint8_t fill)
{
	struct ic_fcopy_write body = {.header = {.operation = IC_FCOPY_WRITE},
				      .offset = {(uint32_t)offset, (uint32_t)(offset >> 32)},
				      .size = size};

	memset(body.data, fill, sizeof(body.data));
	return utility_ask(IC_TYPE_FCOPY, &body, sizeof(body));
}

static uint32_t finish(uint32_t operation)
{
	struct ic_fcopy_header body = {.operation = operation};

	return utility_ask(IC_TYPE_FCOPY, &body, sizeof(body));
}

static void whole(void **state)
{
	(void)state;
	begin();
	assert_int_equal(start("/var/tmp/", "a file.txt", 10000, IC_FCOPY_FLAG_CREATE_PATH), IC_STATUS_OK);
	assert_string_equal(user.path, "var/tmp");
	assert_string_equal(user.name, "a file.txt");
	assert_true(user.size == 10000 && user.create_path && !user.overwrite);
	assert_int_equal(write_part(0, 6144, 1), IC_STATUS_OK);
	assert_int_equal(write_part(0, 6144, 3), IC_STATUS_OK); /* once more */
	assert_int_equal(write_part(6144, 3856, 2), IC_STATUS_OK);
	assert_int_equal(user.data[6143], 3);
	assert_int_equal(user.data[9999], 2);
	assert_int_equal(user.data[10000], 0);
	assert_int_equal(finish(IC_FCOPY_COMPLETE), IC_STATUS_OK);
	assert_true(user.ends == 1 && user.ok);
	assert_int_equal(finish(IC_FCOPY_COMPLETE), IC_STATUS_FAIL); /* of what? */
	assert_int_equal(write_part(0, 1, 1), IC_STATUS_FAIL);
	assert_int_equal(start("", "empty", 0, IC_FCOPY_FLAG_OVERWRITE), IC_STATUS_OK);
	assert_true(user.overwrite && user.path[0] == '\0');
	assert_int_equal(finish(IC_FCOPY_COMPLETE), IC_STATUS_OK);
	assert_int_equal(user.ends, 2);
	utility_end();
	assert_int_equal(user.ends, 2);
}

static void names(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "a\\b", "/", "c:x", "a\nb", "\x7f"};
	static const char *const bad_paths[] = {"..",       "a/../b", "../a", "a/..",
						"a\\..\\b", "/./a",   "a//b", "c:/x"};
	struct ic_fcopy_start body = {.header = {.operation = IC_FCOPY_START}};

	(void)state;
	begin();
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(start("tmp", bad[i], 1, 0), IC_STATUS_INVALID_ARGUMENT);
	for (uint32_t i = 0; i < sizeof(bad_paths) / sizeof(bad_paths[0]); i++)
		assert_int_equal(start(bad_paths[i], "a", 1, 0), IC_STATUS_INVALID_ARGUMENT);
	for (uint32_t i = 0; i < IC_FCOPY_PATH_UNITS; i++)
		body.file_name[i] = 'a'; /* no end */
	assert_int_equal(utility_ask(IC_TYPE_FCOPY, &body, sizeof(body)), IC_STATUS_INVALID_ARGUMENT);
	body.header.operation = IC_FCOPY_START;
	memset(body.file_name, 0, sizeof(body.file_name));
	body.file_name[0] = 0xd83d; /* half a character */
	assert_int_equal(utility_ask(IC_TYPE_FCOPY, &body, sizeof(body)), IC_STATUS_INVALID_ARGUMENT);
	body.header.operation = IC_FCOPY_START;
	body.file_name[0] = 0x9b; /* begins a terminal's commands, as ESC [ does */
	assert_int_equal(utility_ask(IC_TYPE_FCOPY, &body, sizeof(body)), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(user.starts, 0);
	assert_int_equal(start("\\srv\\...\\.x\\", "..a", 1, 0), IC_STATUS_OK);
	assert_string_equal(user.path, "srv/.../.x");
	utility_end();
}

static void sizes(void **state)
{
	struct ic_fcopy_write body = {.header = {.operation = IC_FCOPY_WRITE}, .size = 6145};

	(void)state;
	begin();
	assert_int_equal(start("", "a", (1u << 20) + 1, 0), IC_STATUS_DISK_FULL);
	assert_int_equal(start("", "a", 1ull << 40, 0), IC_STATUS_DISK_FULL);
	assert_int_equal(user.starts, 0);
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	assert_int_equal(write_part(0, 101, 1), IC_STATUS_INVALID_ARGUMENT); /* more than announced */
	assert_true(user.ends == 1 && !user.ok && user.writes == 0);
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	assert_int_equal(write_part(1, 10, 1), IC_STATUS_INVALID_ARGUMENT); /* a hole */
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	assert_int_equal(write_part(UINT64_MAX, 10, 1), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	assert_int_equal(write_part(0, 50, 1), IC_STATUS_OK);
	assert_int_equal(finish(IC_FCOPY_COMPLETE), IC_STATUS_FAIL); /* half of it */
	assert_true(user.ends == 4 && !user.ok);
	assert_int_equal(start("", "a", 10000, 0), IC_STATUS_OK);
	assert_int_equal(utility_ask(IC_TYPE_FCOPY, &body, sizeof(body)), IC_STATUS_INVALID_ARGUMENT);
	body = (struct ic_fcopy_write){.header = {.operation = IC_FCOPY_WRITE}, .size = 100};
	assert_int_equal(utility_ask(IC_TYPE_FCOPY, &body, 52 + 99), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(utility_ask(IC_TYPE_FCOPY, &body, 52 + 100), IC_STATUS_OK); /* a short packet */
	assert_int_equal(utility_ask(IC_TYPE_FCOPY, &body, 35), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(finish(9), IC_STATUS_NOT_SUPPORTED);
	utility_end();
}

static void ends_early(void **state)
{
	(void)state;
	begin();
	user.start_answer = HVK_UTILITY_REFUSED;
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_ALREADY_EXISTS);
	assert_int_equal(start("", "a", 100, IC_FCOPY_FLAG_OVERWRITE), IC_STATUS_FAIL);
	assert_int_equal(user.ends, 0);
	user.start_answer = HVK_UTILITY_DONE;
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	assert_int_equal(finish(IC_FCOPY_CANCEL), IC_STATUS_OK);
	assert_true(user.ends == 1 && !user.ok);
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	user.write_answer = HVK_UTILITY_NO_ROOM;
	assert_int_equal(write_part(0, 50, 1), IC_STATUS_DISK_FULL);
	assert_true(user.ends == 2 && !user.ok);
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	assert_int_equal(start("", "b", 100, 0), IC_STATUS_OK); /* instead of a */
	assert_int_equal(user.ends, 3);
	utility_negotiate(IC_VERSION(1, 1)); /* the host's service was restarted */
	assert_int_equal(user.ends, 4);
	user.start_answer = HVK_UTILITY_LATER;
	user.ok = true;
	{
		struct ic_fcopy_start body = {.header = {.operation = IC_FCOPY_START}};

		body.file_name[0] = 'x';
		utility_say(IC_TYPE_FCOPY, &body, sizeof(body));
	}
	fake_advance(30000);
	assert_int_equal(user.ends, 5);
	user.start_answer = HVK_UTILITY_DONE;
	assert_int_equal(start("", "a", 100, 0), IC_STATUS_OK);
	fake_rescind();
	assert_true(user.ends == 6 && !user.ok);
	utility_end();
	assert_int_equal(user.ends, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(names),
		cmocka_unit_test(sizes),
		cmocka_unit_test(ends_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
