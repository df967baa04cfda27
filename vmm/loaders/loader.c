/* SPDX-License-Identifier: MIT */
/* Opening files, and finding out what they are. */
#include "vmm/loaders/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool vmm_loading_failed(const struct vmm_loading *loading, const char *format, ...)
{
	char text[VMM_ERROR_MAX - 100];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(loading->error, VMM_ERROR_MAX, "'%.90s' %s", loading->kernel.name, text);
	return false;
}

static bool cannot_be_opened(struct vmm_image *image, const char *why, char *error)
{
	snprintf(error, VMM_ERROR_MAX, "'%.200s' %s", image->name, why);
	vmm_image_close(image);
	return false;
}

bool vmm_image_open(struct vmm_image *image, const char *path, char *error)
{
	struct stat status;

	*image = (struct vmm_image){.name = path};
	image->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe's other end may never come */
	if (image->file < 0) {
		snprintf(error, VMM_ERROR_MAX, "'%.200s' cannot be read: %s", path, strerror(errno));
		return false;
	}
	if (fstat(image->file, &status) != 0 || !S_ISREG(status.st_mode))
		return cannot_be_opened(image, "is no file that could be loaded", error);
	if (flock(image->file, LOCK_SH | LOCK_NB) != 0)
		return cannot_be_opened(image, "is being written: somebody holds its lock", error);
	image->size = (uint64_t)status.st_size;
	return true;
}

void vmm_image_close(struct vmm_image *image)
{
	if (!image->bytes && image->file >= 0)
		(void)close(image->file);
	image->file = -1;
}

bool vmm_image_read(const struct vmm_image *image, uint64_t offset, void *to, uint64_t length)
{
	uint8_t *at = to;

	if (offset > image->size || length > image->size - offset)
		return false;
	if (image->bytes) {
		memcpy(to, image->bytes + offset, length);
		return true;
	}
	while (length) {
		ssize_t count = pread(image->file, at, length, (off_t)offset);

		if (count <= 0) /* shorter than it was */
			return false;
		at += count;
		offset += (uint64_t)count;
		length -= (uint64_t)count;
	}
	return true;
}

bool vmm_loader_load_images(struct vmm_loading *loading)
{
	if (strlen(loading->command_line) > VMM_COMMAND_LINE_MAX)
		return vmm_loading_failed(loading, "gets a command line of more than %u characters",
					  VMM_COMMAND_LINE_MAX);
	(void)vmm_memory_write(loading->memory, VMM_COMMAND_LINE_GPA, loading->command_line,
			       strlen(loading->command_line) + 1);
	loading->initrd_gpa_max = UINT32_MAX;
	if (loading->bios_stub)
		return vmm_bzimage_is(&loading->kernel)
			       ? vmm_bzimage_load_setup(loading)
			       : vmm_loading_failed(loading, "is no bzImage, which --bios-stub is for");
	if (vmm_elf_is(&loading->kernel))
		return vmm_elf_load(loading);
	if (vmm_bzimage_is(&loading->kernel))
		return vmm_bzimage_load(loading);
	return vmm_loading_failed(loading, "is no kernel: neither an ELF file nor a bzImage");
}

bool vmm_loader_load(struct vmm_memory *memory, const struct vmm_program *program, struct vmm_start *start,
		     char *error)
{
	struct vmm_loading loading = {.memory = memory,
				      .command_line = program->command_line ? program->command_line : "",
				      .entry = program->entry,
				      .bios_stub = program->bios_stub,
				      .start = start,
				      .error = error,
				      .has_initrd = program->initrd != NULL};
	bool right;

	if (!vmm_image_open(&loading.kernel, program->kernel, error))
		return false;
	right = (!loading.has_initrd || vmm_image_open(&loading.initrd, program->initrd, error)) &&
		vmm_loader_load_images(&loading);
	if (loading.has_initrd)
		vmm_image_close(&loading.initrd);
	vmm_image_close(&loading.kernel);
	return right;
}
