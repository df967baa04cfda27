/* SPDX-License-Identifier: MIT */
/*
 * An image in a file or on a block device. Holes cost nothing: what is discarded becomes one again
 * where the file system can, and is written with zeros where it cannot. Locks are open file
 * description locks, which the close of some other descriptor of this process does not drop:
 * one writer, or any number of readers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hvkit_host/storage.h"

#define SECTOR 512u
#define ZEROS 65536u

struct file {
	int descriptor;
	bool no_holes; /* this file cannot have any: asked once */
	bool fixed;    /* its size is not ours to change */
	bool lost;     /* a flush failed */
};

/* --- Reading and writing ---------------------------------------------------------------- */

static bool file_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	const struct file *file = context;
	uint8_t *to = data;

	while (length > 0) {
		ssize_t got = pread(file->descriptor, to, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) /* 0: somebody has made it shorter */
			return false;
		to += got;
		offset += (uint64_t)got;
		length -= (uint32_t)got;
	}
	return true;
}

static bool file_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	const struct file *file = context;
	const uint8_t *from = data;

	while (length > 0) {
		ssize_t put = pwrite(file->descriptor, from, length, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		from += put;
		offset += (uint64_t)put;
		length -= (uint32_t)put;
	}
	return true;
}

/* What could not be written the kernel takes for clean afterwards, and the next fdatasync would say that
 * all is well: after one failure there is no good news any more. */
static bool file_flush(void *context)
{
	struct file *file = context;
	int result;

	do
		result = fdatasync(file->descriptor);
	while (result != 0 && errno == EINTR);
	if (result != 0)
		file->lost = true;
	return !file->lost;
}

static bool write_zeros(struct file *file, uint64_t offset, uint64_t length)
{
	static const uint8_t zeros[ZEROS];

	while (length > 0) {
		uint32_t part = length < ZEROS ? (uint32_t)length : ZEROS;

		if (!file_write(file, offset, zeros, part))
			return false;
		offset += part;
		length -= part;
	}
	return true;
}

static bool punch(struct file *file, uint64_t offset, uint64_t length)
{
	int result;

	do
		result = fallocate(file->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   (off_t)offset, (off_t)length);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

static bool file_discard(void *context, uint64_t offset, uint64_t length)
{
	struct file *file = context;

	if (length == 0)
		return true;
	if (!file->no_holes && punch(file, offset, length))
		return true;
	if (!file->no_holes && errno != EOPNOTSUPP && errno != ENOSYS && errno != ENODEV && errno != EINVAL)
		return false;
	file->no_holes = true;
	return write_zeros(file, offset, length);
}

/* A block device, or a file that may only be read, is as large as others make it. */
static bool file_resize(void *context, uint64_t size)
{
	const struct file *file = context;
	int result;

	if (size > INT64_MAX)
		return false;
	if (file->fixed)
		return lseek(file->descriptor, 0, SEEK_END) >= (off_t)size;
	do
		result = ftruncate(file->descriptor, (off_t)size);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

static void file_close(void *context)
{
	struct file *file = context;

	close(file->descriptor);
	free(file);
}

/* --- Opening -------------------------------------------------------------------------------- */

static bool refuse(char *error, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool refuse(char *error, size_t size, const char *format, ...)
{
	va_list arguments;

	if (error == NULL || size == 0)
		return false;
	va_start(arguments, format);
	vsnprintf(error, size, format, arguments);
	va_end(arguments);
	return false;
}

static bool check_kind(int descriptor, const char *path, bool *device, char *error, size_t size)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return refuse(error, size, "%s: %s", path, strerror(errno));
	*device = S_ISBLK(status.st_mode);
	if (S_ISREG(status.st_mode) || *device)
		return true;
	return refuse(error, size, "%s: an image is a file or a block device, and this is %s", path,
		      S_ISDIR(status.st_mode) ? "a directory" : "neither");
}

static bool lock(int descriptor, bool read_only, const char *path, char *error, size_t size)
{
	struct flock region = {.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(descriptor, F_OFD_SETLK, &region) == 0)
		return true;
	if (errno != EAGAIN && errno != EACCES)
		return refuse(error, size, "%s: cannot be locked: %s", path, strerror(errno));
	return refuse(
		error, size,
		"%s: is in use by another program or disk; several may only read it, all of them read-only",
		path);
}

static bool measure(int descriptor, const char *path, uint64_t *bytes, char *error, size_t size)
{
	off_t end = lseek(descriptor, 0, SEEK_END);

	if (end < 0)
		return refuse(error, size, "%s: its size cannot be told: %s", path, strerror(errno));
	if (end == 0)
		return refuse(error, size, "%s: is empty; `truncate -s 1G %s` makes it a disk of 1 GiB", path,
			      path);
	if (end % SECTOR != 0)
		return refuse(error, size, "%s: has %lld bytes; a whole number of 512-byte sectors is needed",
			      path, (long long)end);
	*bytes = (uint64_t)end;
	return true;
}

bool hvh_image_open(const char *path, bool read_only, struct hvh_image *out, char *error, size_t error_size)
{
	int descriptor = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct file *file;
	uint64_t bytes = 0;
	bool device = false;

	if (descriptor < 0 && !read_only && (errno == EACCES || errno == EROFS || errno == EPERM))
		return refuse(error, error_size, "%s: may not be written (%s); read-only it may do", path,
			      strerror(errno));
	if (descriptor < 0)
		return refuse(error, error_size, "%s: %s", path, strerror(errno));
	if (!check_kind(descriptor, path, &device, error, error_size) ||
	    !lock(descriptor, read_only, path, error, error_size) ||
	    !measure(descriptor, path, &bytes, error, error_size)) {
		close(descriptor);
		return false;
	}
	file = calloc(1, sizeof *file);
	if (file == NULL) {
		close(descriptor);
		return refuse(error, error_size, "%s: out of memory", path);
	}
	file->descriptor = descriptor;
	file->fixed = read_only || device;
	*out = (struct hvh_image){
		.context = file,
		.size = bytes,
		.read_only = read_only,
		.read = file_read,
		.write = file_write,
		.flush = file_flush,
		.discard = file_discard,
		.close = file_close,
		.resize = file_resize,
	};
	return true;
}
