/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/guest_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES 256u
#define TEMPORARY ".hvkit-new-%u"
#define TEMPORARY_BYTES 32u

struct guest_files {
	struct shell_files operations;
	int directory;
	unsigned next;
};

/* One that comes into being. */
struct new_file {
	int directory, file;
	bool overwrite;
	char name[NAME_BYTES], temporary[TEMPORARY_BYTES];
};

/* --- Paths ---------------------------------------------------------------------------------------- */

static bool is_plain(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int enter(int directory, const char *name, bool create)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int inner = openat(directory, name, flags);

	if (inner >= 0 || errno != ENOENT || !create)
		return inner;
	if (mkdirat(directory, name, 0777) != 0 && errno != EEXIST)
		return -1;
	return openat(directory, name, flags);
}

/* The directory of the path's last component, which is copied to name; -1 with errno. To be closed. */
static int descend(const struct guest_files *files, const char *path, bool create, char name[NAME_BYTES])
{
	int at = openat(files->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (at >= 0) {
		size_t length = strcspn(path, "/");
		int inner;

		snprintf(name, NAME_BYTES, "%.*s", (int)length, path);
		if (length >= NAME_BYTES || !is_plain(name)) {
			(void)close(at);
			errno = EINVAL;
			return -1;
		}
		if (!path[length])
			return at;
		inner = enter(at, name, create);
		(void)close(at);
		at = inner;
		path += length + 1;
	}
	return -1;
}

/* --- Reading -------------------------------------------------------------------------------------- */

static size_t read_at(int file, uint64_t offset, void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = pread(file, (char *)data + done, size - done, (off_t)(offset + done));

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		done += (size_t)count;
	}
	return done;
}

static size_t read_file(void *context, const char *path, uint64_t offset, void *data, size_t size)
{
	char name[NAME_BYTES];
	int directory = descend(context, path, false, name), file;
	size_t done = 0;

	if (directory < 0)
		return 0;
	file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	(void)close(directory);
	if (file < 0)
		return 0;
	if (offset <= INT64_MAX - size)
		done = read_at(file, offset, data, size);
	(void)close(file);
	return done;
}

/* --- Writing -------------------------------------------------------------------------------------- */

static enum shell_file_error error_of(int number)
{
	switch (number) {
	case EEXIST:
		return SHELL_FILE_EXISTS;
	case ENOENT:
		return SHELL_FILE_NO_DIRECTORY;
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
		return SHELL_FILE_NO_ROOM;
	default:
		return SHELL_FILE_FAILED;
	}
}

static bool is_there(int directory, const char *name)
{
	struct stat status;

	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* -1 with errno. */
static int create_temporary(struct guest_files *files, struct new_file *file)
{
	for (unsigned n = 0; n < 1000; n++) {
		snprintf(file->temporary, sizeof(file->temporary), TEMPORARY, files->next++);
		file->file = openat(file->directory, file->temporary,
				    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (file->file >= 0 || errno != EEXIST)
			return file->file;
	}
	return -1;
}

static void *refuse(struct new_file *file, int number, enum shell_file_error *error)
{
	*error = error_of(number);
	if (file && file->directory >= 0)
		(void)close(file->directory);
	free(file);
	return NULL;
}

static void *create_file(void *context, const char *path, bool overwrite, bool create_path,
			 enum shell_file_error *error)
{
	struct guest_files *files = context;
	struct new_file *file = calloc(1, sizeof(*file));

	if (!file)
		return refuse(file, ENOMEM, error);
	file->overwrite = overwrite;
	file->directory = descend(files, path, create_path, file->name);
	if (file->directory < 0)
		return refuse(file, errno, error);
	if (!overwrite && is_there(file->directory, file->name))
		return refuse(file, EEXIST, error);
	if (create_temporary(files, file) < 0)
		return refuse(file, errno, error);
	return file;
}

static bool write_file(void *context, void *handle, uint64_t offset, const void *data, size_t length)
{
	struct new_file *file = handle;
	size_t done = 0;

	(void)context;
	if (offset > INT64_MAX - length)
		return false;
	while (done < length) {
		ssize_t count = pwrite(file->file, (const char *)data + done, length - done,
				       (off_t)(offset + done));

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		done += (size_t)count;
	}
	return true;
}

/* In one step: whoever looks finds what was there before, or all of it. */
static bool put_in_place(const struct new_file *file)
{
	if (fsync(file->file) != 0)
		return false;
	if (file->overwrite)
		return renameat(file->directory, file->temporary, file->directory, file->name) == 0;
	return linkat(file->directory, file->temporary, file->directory, file->name, 0) == 0;
}

static bool close_file(void *context, void *handle, bool keep)
{
	struct new_file *file = handle;
	bool right = !keep || put_in_place(file);

	(void)context;
	if (!keep || !right || !file->overwrite)
		(void)unlinkat(file->directory, file->temporary, 0);
	right = close(file->file) == 0 && right;
	(void)close(file->directory);
	free(file);
	return right;
}

/* --- The directory ----------------------------------------------------------------------------------- */

struct guest_files *guest_files_open(const char *directory, char *error, size_t size)
{
	struct guest_files *files = calloc(1, sizeof(*files));

	if (!files) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	files->operations = (struct shell_files){.context = files,
						 .read = read_file,
						 .create = create_file,
						 .write = write_file,
						 .close = close_file};
	files->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->directory >= 0)
		return files;
	snprintf(error, size, "--guest-dir: '%.200s': %s", directory, strerror(errno));
	free(files);
	return NULL;
}

void guest_files_close(struct guest_files *files)
{
	if (!files)
		return;
	(void)close(files->directory);
	free(files);
}

const struct shell_files *guest_files_operations(const struct guest_files *files)
{
	return &files->operations;
}
