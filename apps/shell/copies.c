/* SPDX-License-Identifier: MIT */
/* Files that the host copies into the guest: kept where the platform keeps files. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/service_files.h"

static struct shell_copies *copies_of(struct shell *shell)
{
	return &shell->services.copies;
}

static enum hvk_utility_answer answer_of(enum shell_file_error error)
{
	return error == SHELL_FILE_NO_ROOM ? HVK_UTILITY_NO_ROOM : HVK_UTILITY_REFUSED;
}

/* --- Callbacks, in hvk_poll --------------------------------------------------------------- */

static enum hvk_utility_answer start(void *context, const char *path, const char *name, uint64_t size,
				     bool overwrite, bool create_path)
{
	struct shell *shell = context;
	struct shell_copies *copies = copies_of(shell);
	const struct shell_files *files = &shell->services.files;
	enum shell_file_error error = SHELL_FILE_FAILED;

	/* The guest's own files are not the host's to replace. */
	if (shell->services.refuses & SHELL_REFUSES_FILES ||
	    strncmp(name, SHELL_POOL_FILE, strlen(SHELL_POOL_FILE)) == 0 ||
	    strlen(path) + 1 + strlen(name) >= SHELL_COPY_NAME)
		return HVK_UTILITY_REFUSED;
	if (copies->begun == SHELL_COPIES_BEGUN || size > SHELL_COPIES_BYTES - copies->kept_bytes)
		return HVK_UTILITY_NO_ROOM;
	copies->begun++;
	copies->now = (struct shell_copy){.size = size, .hashed = true};
	snprintf(copies->now.name, SHELL_COPY_NAME, "%s%s%s", path, path[0] ? "/" : "", name);
	sha256_begin(&copies->sha);
	copies->file = files->create(files->context, copies->now.name, overwrite, create_path, &error);
	return copies->file ? HVK_UTILITY_DONE : answer_of(error);
}

static enum hvk_utility_answer take_part(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct shell *shell = context;
	struct shell_copies *copies = copies_of(shell);
	const struct shell_files *files = &shell->services.files;

	if (!files->write(files->context, copies->file, offset, data, length))
		return HVK_UTILITY_NO_ROOM;
	if (offset != copies->now.came) { /* it was there before, and may be another one now */
		copies->now.hashed = false;
		if (offset + length > copies->now.came)
			copies->now.came = offset + length;
		return HVK_UTILITY_DONE;
	}
	sha256_add(&copies->sha, data, length);
	copies->now.came += length;
	return HVK_UTILITY_DONE;
}

static void note(struct shell *shell)
{
	struct shell_copies *copies = copies_of(shell);
	uint8_t digest[SHA256_BYTES];

	sha256_end(&copies->sha, digest);
	sha256_text(digest, copies->now.digest);
	copies->kept_bytes += copies->now.came;
	if (copies->count == SHELL_COPIES_MAX)
		memmove(copies->list, copies->list + 1, (SHELL_COPIES_MAX - 1) * sizeof(copies->list[0]));
	else
		copies->count++;
	copies->list[copies->count - 1] = copies->now;
	shell_print(shell, SHELL_STORY, "fcopy: %s, %llu bytes\n", copies->now.name,
		    (unsigned long long)copies->now.came);
}

static enum hvk_utility_answer end(void *context, bool ok)
{
	struct shell *shell = context;
	struct shell_copies *copies = copies_of(shell);
	const struct shell_files *files = &shell->services.files;
	bool closed;

	if (!copies->file)
		return HVK_UTILITY_REFUSED;
	closed = files->close(files->context, copies->file, ok);
	copies->file = NULL;
	if (ok && closed)
		note(shell);
	else
		shell_print(shell, SHELL_STORY, "fcopy: %s: not kept\n", copies->now.name);
	return closed ? HVK_UTILITY_DONE : HVK_UTILITY_NO_ROOM;
}

void shell_copies_callbacks(struct hvk_fcopy_callbacks *callbacks)
{
	*callbacks = (struct hvk_fcopy_callbacks){.start = start, .write = take_part, .end = end};
}

/* --- The command -------------------------------------------------------------------------- */

int shell_command_files(struct shell *shell, uint32_t count, char *const words[])
{
	const struct shell_copies *copies = copies_of(shell);

	(void)count;
	(void)words;
	for (uint32_t n = 0; n < copies->count; n++) {
		const struct shell_copy *copy = &copies->list[n];

		shell_print(shell, SHELL_OUTPUT, "%s, %llu bytes, SHA-256 %s\n", copy->name,
			    (unsigned long long)copy->came,
			    copy->hashed ? copy->digest : "not known: parts of it came twice");
	}
	if (!copies->count)
		shell_print(shell, SHELL_OUTPUT, "the host has copied no file here\n");
	return SHELL_OK;
}

void shell_copies_dump(struct shell *shell, const struct shell_dump_to *to)
{
	const struct shell_copies *copies = copies_of(shell);

	to->line(to->context, "copies:");
	shell_dump_value(to, "under-way", "%s", copies->file ? copies->now.name : "none");
	shell_dump_value(to, "kept", "%u", copies->count);
}
