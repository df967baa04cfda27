/* SPDX-License-Identifier: MIT */
/* Files in the port's pages, for a guest that has nothing else to keep them in. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/services.h"
#include "hvkit/port.h"

#define FILES_MAX 16u
#define LIST_PAGES 4u
#define PAGES_MAX (LIST_PAGES * HVK_PAGE_SIZE / sizeof(struct hvk_pages)) /* of a file: 2.6 MiB */
#define TOTAL_PAGES_MAX 2048u /* of all files: 8 MiB, so that drivers find memory */
#define NAME_MAX_BYTES 256u

struct file {
	char name[NAME_MAX_BYTES];
	bool used, whole; /* used and not whole: under way */
	uint64_t size;
	struct hvk_pages list; /* pages of struct hvk_pages, one page each */
	uint32_t pages;
};

struct shell_memory_files {
	const struct hvk_port *port;
	struct hvk_pages own;
	uint32_t total_pages;
	struct file file[FILES_MAX];
};

static struct hvk_pages *pages_of(const struct file *file)
{
	return file->list.address;
}

static void drop(struct shell_memory_files *files, struct file *file)
{
	const struct hvk_port *port = files->port;

	for (uint32_t n = 0; n < file->pages; n++)
		port->pages_free(port->context, &pages_of(file)[n]);
	files->total_pages -= file->pages;
	if (file->list.count)
		port->pages_free(port->context, &file->list);
	memset(file, 0, sizeof(*file));
}

static struct file *find(struct shell_memory_files *files, const char *name)
{
	for (uint32_t n = 0; n < FILES_MAX; n++) {
		if (files->file[n].whole && strcmp(files->file[n].name, name) == 0)
			return &files->file[n];
	}
	return NULL;
}

static size_t read_file(void *context, const char *name, uint64_t offset, void *data, size_t size)
{
	const struct file *file = find(context, name);
	uint8_t *to = data;
	size_t done = 0;

	if (!file || offset >= file->size)
		return 0;
	if (size > file->size - offset)
		size = (size_t)(file->size - offset);
	while (done < size) {
		size_t within = (size_t)((offset + done) % HVK_PAGE_SIZE), part = HVK_PAGE_SIZE - within;
		const uint8_t *page = pages_of(file)[(offset + done) / HVK_PAGE_SIZE].address;

		if (part > size - done)
			part = size - done;
		memcpy(to + done, page + within, part);
		done += part;
	}
	return size;
}

static void *create_file(void *context, const char *name, bool overwrite, bool create_path,
			 enum shell_file_error *error)
{
	struct shell_memory_files *files = context;
	const struct hvk_port *port = files->port;
	struct file *file = NULL;

	(void)create_path; /* a name with separators is a name */
	*error = SHELL_FILE_EXISTS;
	if (!overwrite && find(files, name))
		return NULL;
	*error = SHELL_FILE_NO_ROOM;
	for (uint32_t n = 0; n < FILES_MAX && !file; n++) {
		if (!files->file[n].used)
			file = &files->file[n];
	}
	if (!file || strlen(name) >= NAME_MAX_BYTES ||
	    port->pages_alloc(port->context, LIST_PAGES, HVK_PAGE_PRIVATE, &file->list) != HVK_OK)
		return NULL;
	snprintf(file->name, sizeof(file->name), "%s", name);
	file->used = true;
	return file;
}

static bool extend(struct shell_memory_files *files, struct file *file, uint64_t size)
{
	const struct hvk_port *port = files->port;

	if (size > PAGES_MAX * HVK_PAGE_SIZE)
		return false;
	while ((uint64_t)file->pages * HVK_PAGE_SIZE < size) {
		struct hvk_pages *page = &pages_of(file)[file->pages];

		if (files->total_pages == TOTAL_PAGES_MAX ||
		    port->pages_alloc(port->context, 1, HVK_PAGE_PRIVATE, page) != HVK_OK)
			return false;
		memset(page->address, 0, HVK_PAGE_SIZE);
		file->pages++;
		files->total_pages++;
	}
	if (file->size < size)
		file->size = size;
	return true;
}

static bool write_file(void *context, void *handle, uint64_t offset, const void *data, size_t length)
{
	struct file *file = handle;
	const uint8_t *from = data;
	size_t done = 0;

	if (offset > UINT64_MAX - length || !extend(context, file, offset + length))
		return false;
	while (done < length) {
		size_t within = (size_t)((offset + done) % HVK_PAGE_SIZE), part = HVK_PAGE_SIZE - within;
		uint8_t *page = pages_of(file)[(offset + done) / HVK_PAGE_SIZE].address;

		if (part > length - done)
			part = length - done;
		memcpy(page + within, from + done, part);
		done += part;
	}
	return true;
}

static bool close_file(void *context, void *handle, bool keep)
{
	struct shell_memory_files *files = context;
	struct file *file = handle, *before = keep ? find(files, file->name) : NULL;

	if (before)
		drop(files, before);
	if (keep)
		file->whole = true;
	else
		drop(files, file);
	return true;
}

hvk_status shell_memory_files_create(const struct hvk_port *port, struct shell_memory_files **out,
				     struct shell_files *operations)
{
	uint32_t count = (sizeof(struct shell_memory_files) + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
	struct hvk_pages own;
	hvk_status status = port->pages_alloc(port->context, count, HVK_PAGE_PRIVATE, &own);

	if (status != HVK_OK)
		return status;
	*out = own.address;
	memset(*out, 0, sizeof(**out));
	(*out)->port = port;
	(*out)->own = own;
	*operations = (struct shell_files){.context = *out,
					   .read = read_file,
					   .create = create_file,
					   .write = write_file,
					   .close = close_file};
	return HVK_OK;
}

void shell_memory_files_destroy(struct shell_memory_files *files)
{
	const struct hvk_port *port = files->port;
	struct hvk_pages own = files->own;

	for (uint32_t n = 0; n < FILES_MAX; n++)
		drop(files, &files->file[n]);
	port->pages_free(port->context, &own);
}
