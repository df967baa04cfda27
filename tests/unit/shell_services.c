/* SPDX-License-Identifier: MIT */
/* What the shell does for a host that asks at bad moments, or for too much: freezes and files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/shell/service_files.h"
#include "hvkit/port.h"

static struct {
	struct hvk_block_request *submitted;
	uint32_t submits, answers;
	enum hvk_utility_answer answer;
	uint64_t pages, creates;
} seen;
static struct shell shell;

/* --- What the shell's other files would do ----------------------------------------------- */

void shell_print(struct shell *which, enum shell_stream stream, const char *format, ...)
{
	(void)which;
	(void)stream;
	(void)format;
}

void shell_dump_value(const struct shell_dump_to *to, const char *name, const char *format, ...)
{
	(void)to;
	(void)name;
	(void)format;
}

hvk_status hvk_utility_answer(struct hvk_utility *utility, enum hvk_utility_answer answer,
			      const struct hvk_kvp_pair *pair, const struct hvk_kvp_ip *ip)
{
	(void)utility;
	(void)pair;
	(void)ip;
	seen.answers++;
	seen.answer = answer;
	return HVK_OK;
}

static hvk_status submit(struct hvk_block *block, struct hvk_block_request *request)
{
	(void)block;
	assert_int_equal(request->operation, HVK_BLOCK_FLUSH);
	assert_null(seen.submitted); /* one request is not given twice */
	seen.submitted = request;
	seen.submits++;
	return HVK_OK;
}

static void flushed(void)
{
	struct hvk_block_request *request = seen.submitted;

	assert_non_null(request);
	seen.submitted = NULL;
	request->done(request, HVK_OK, request->context);
}

static void set_up(void)
{
	memset(&shell, 0, sizeof(shell));
	memset(&seen, 0, sizeof(seen));
}

/* --- Backup ------------------------------------------------------------------------------- */

static const struct hvk_block_ops block_ops = {.submit = submit};
static struct hvk_block block = {.ops = &block_ops, .info = {.flags = HVK_BLOCK_WRITE_CACHE}};

static void begin_freeze(struct hvk_vss_callbacks *callbacks)
{
	set_up();
	shell.disks[0].block = &block;
	shell.services.service[SHELL_VSS].utility = (struct hvk_utility *)&shell; /* not looked into */
	shell_backup_callbacks(&shell, callbacks);
	assert_int_equal(callbacks->freeze(&shell), HVK_UTILITY_LATER);
	assert_true(shell_backup_turn(&shell));
	assert_int_equal(seen.submits, 1);
}

static void a_freeze_flushes_first(void **state)
{
	struct hvk_vss_callbacks callbacks;

	(void)state;
	begin_freeze(&callbacks);
	assert_false(shell_backup_turn(&shell));
	assert_int_equal(seen.answers, 0);
	flushed();
	assert_true(shell_backup_turn(&shell));
	assert_true(seen.answers == 1 && seen.answer == HVK_UTILITY_DONE);
	assert_int_equal(shell_backup_may_write(&shell), HVK_EAGAIN);
	callbacks.thaw(&shell, false);
	assert_int_equal(shell_backup_may_write(&shell), HVK_OK);
}

/* Thawed by itself while a disk is slow, commands write; that flush is not the next freeze's. */
static void a_flush_of_an_older_freeze_is_none(void **state)
{
	struct hvk_vss_callbacks callbacks;

	(void)state;
	begin_freeze(&callbacks);
	callbacks.thaw(&shell, true);
	assert_int_equal(callbacks.freeze(&shell), HVK_UTILITY_LATER);
	flushed();
	while (!seen.submitted && shell_backup_turn(&shell))
		;
	assert_int_equal(seen.answers, 0);
	assert_int_equal(seen.submits, 2);
	flushed();
	assert_true(shell_backup_turn(&shell));
	assert_true(seen.answers == 1 && seen.answer == HVK_UTILITY_DONE);
}

/* --- Files -------------------------------------------------------------------------------- */

static void *create(void *context, const char *name, bool overwrite, bool create_path,
		    enum shell_file_error *error)
{
	(void)name;
	(void)overwrite;
	(void)create_path;
	(void)error;
	seen.creates++;
	return context;
}

static bool write_part(void *context, void *file, uint64_t offset, const void *data, size_t length)
{
	(void)context;
	(void)file;
	(void)offset;
	(void)data;
	(void)length;
	return true;
}

static bool close_file(void *context, void *file, bool keep)
{
	(void)context;
	(void)file;
	(void)keep;
	return true;
}

static void begin_copies(struct hvk_fcopy_callbacks *callbacks)
{
	set_up();
	shell.services.files = (struct shell_files){
		.context = &seen, .create = create, .write = write_part, .close = close_file};
	shell_copies_callbacks(callbacks);
}

static void copies_have_a_quota_in_all(void **state)
{
	const uint64_t all = SHELL_COPIES_BYTES;
	struct hvk_fcopy_callbacks callbacks;

	(void)state;
	begin_copies(&callbacks);
	assert_int_equal(callbacks.start(&shell, "", "a", 10, false, false), HVK_UTILITY_DONE);
	assert_int_equal(callbacks.write(&shell, 0, "0123456789", 10), HVK_UTILITY_DONE);
	assert_int_equal(callbacks.end(&shell, true), HVK_UTILITY_DONE);
	assert_int_equal(callbacks.start(&shell, "", "b", all - 9, false, false), HVK_UTILITY_NO_ROOM);
	assert_int_equal(callbacks.start(&shell, "", "b", all - 10, false, false), HVK_UTILITY_DONE);
	assert_int_equal(callbacks.end(&shell, false), HVK_UTILITY_DONE);
	assert_int_equal(callbacks.start(&shell, "", "b", all - 10, false, false), HVK_UTILITY_DONE);
}

static void copies_that_come_to_nothing_end(void **state)
{
	struct hvk_fcopy_callbacks callbacks;

	(void)state;
	begin_copies(&callbacks);
	for (uint32_t n = 0; n < SHELL_COPIES_BEGUN; n++) {
		assert_int_equal(callbacks.start(&shell, "d", "a", 1, false, true), HVK_UTILITY_DONE);
		(void)callbacks.end(&shell, false);
	}
	assert_int_equal(callbacks.start(&shell, "d", "a", 1, false, true), HVK_UTILITY_NO_ROOM);
	assert_int_equal(seen.creates, SHELL_COPIES_BEGUN);
}

static hvk_status pages_alloc(void *context, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	void *address = aligned_alloc(HVK_PAGE_SIZE, (size_t)count * HVK_PAGE_SIZE);

	(void)context;
	assert_non_null(address);
	memset(address, 0x5a, (size_t)count * HVK_PAGE_SIZE);
	*out = (struct hvk_pages){address, count, use, NULL};
	seen.pages += count;
	return HVK_OK;
}

static void pages_free(void *context, const struct hvk_pages *pages)
{
	(void)context;
	seen.pages -= pages->count;
	free(pages->address);
}

#define FILE_BYTES (2u << 20)
#define ALL_BYTES (8u << 20)
static void files_in_memory_leave_some(void **state)
{
	const struct hvk_port port = {.pages_alloc = pages_alloc, .pages_free = pages_free};
	struct shell_memory_files *memory;
	struct shell_files files;
	enum shell_file_error error;
	uint32_t kept = 0;
	char name[] = "a", byte = 'x';

	(void)state;
	set_up();
	assert_int_equal(shell_memory_files_create(&port, &memory, &files), HVK_OK);
	for (uint32_t n = 0; n < 16; n++, name[0]++) {
		void *file = files.create(files.context, name, false, false, &error);
		bool written;

		if (!file)
			break;
		written = files.write(files.context, file, FILE_BYTES - 1, &byte, 1);
		assert_true(files.close(files.context, file, written));
		kept += written;
	}
	assert_int_equal(kept, ALL_BYTES / FILE_BYTES);
	assert_true(seen.pages < 2 * ALL_BYTES / HVK_PAGE_SIZE);
	assert_int_equal(files.read(files.context, "a", FILE_BYTES - 2, name, 2), 2);
	assert_true(name[0] == 0 && name[1] == 'x');
	shell_memory_files_destroy(memory);
	assert_int_equal(seen.pages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_freeze_flushes_first),
		cmocka_unit_test(a_flush_of_an_older_freeze_is_none),
		cmocka_unit_test(copies_have_a_quota_in_all),
		cmocka_unit_test(copies_that_come_to_nothing_end),
		cmocka_unit_test(files_in_memory_leave_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
