/* SPDX-License-Identifier: MIT */
#include "apps/netboot/plan.h"

#include <stdio.h>
#include <string.h>

#include "apps/netboot/linux_bzimage.h"

#define SPANS_MAX (PLAN_MODULES_MAX + 2u)

/* What must still be there when the program is copied: all files, and the area. */
static uint32_t list_taken(const struct plan_input *input, struct memory_span taken[SPANS_MAX])
{
	uint32_t count = 0;

	taken[count++] = input->area;
	taken[count++] = input->kernel;
	for (uint32_t i = 0; i < input->module_count; i++)
		taken[count++] = input->modules[i];
	return count;
}

static void copy(struct plan *plan, uint64_t to, uint64_t from, uint64_t length)
{
	if (length)
		plan->copies[plan->count++] = (struct plan_copy){to, from, length};
}

static const char *copy_command_line(struct plan_told *told, const char *text)
{
	size_t length = strlen(text);

	if (length > PLAN_COMMAND_LINE_MAX)
		return "gets a command line longer than 8191 characters";
	memcpy(told->command_line, text, length + 1);
	return NULL;
}

/* --- Linux --------------------------------------------------------------------------------------- */

/* One initrd out of all: what lies between them is zeros, which Linux passes over. */
static struct memory_span join_modules(const struct plan_input *input)
{
	const struct memory_span *first = &input->modules[0];
	const struct memory_span *last = &input->modules[input->module_count ? input->module_count - 1 : 0];

	if (!input->module_count)
		return (struct memory_span){0, 0};
	return (struct memory_span){first->address, last->address + last->length - first->address};
}

static const char *plan_linux(const struct plan_input *input, struct plan *plan, struct plan_told *told)
{
	struct linux_parameters parameters = {.map = input->map,
					      .command_line = input->told_at +
							      offsetof(struct plan_told, command_line),
					      .rsdp = input->rsdp};
	struct memory_span taken[SPANS_MAX], initrd = join_modules(input);
	struct linux_image image;
	const char *wrong = linux_read(input->kernel_bytes, input->kernel.length, &image);

	if (wrong)
		return wrong;
	if (strlen(input->command_line) > image.command_line_most)
		return "takes no command line as long as this one";
	if (initrd.length && initrd.address + initrd.length > image.initrd_end)
		return "takes no initrd at so high an address";
	if (!linux_place(&image, input->map, taken, list_taken(input, taken), &plan->begin))
		return "finds no room: the machine needs more memory";
	plan->size = image.needed;
	plan->entry = plan->begin + LINUX_ENTRY_64;
	copy(plan, plan->begin, input->kernel.address + image.code_offset, image.code_length);
	parameters.initrd = initrd.address;
	parameters.initrd_length = initrd.length;
	linux_write_zero_page(told->page, &image, &parameters);
	return NULL;
}

/* --- PVH ----------------------------------------------------------------------------------------- */

static const char *plan_pvh(const struct plan_input *input, struct plan *plan, struct plan_told *told)
{
	struct pvh_parameters parameters = {.map = input->map,
					    .command_line = input->told_at +
							    offsetof(struct plan_told, command_line),
					    .rsdp = input->rsdp,
					    .module_count = input->module_count};
	struct memory_span taken[SPANS_MAX];
	struct pvh_image image;
	uint64_t end = 0;
	const char *wrong = pvh_read(input->kernel_bytes, input->kernel.length, &image);

	if (!wrong)
		wrong = pvh_check_place(&image, input->map, taken, list_taken(input, taken));
	if (wrong)
		return wrong;
	plan->protected_mode = true;
	plan->entry = image.entry;
	plan->begin = UINT64_MAX;
	for (uint32_t n = 0; n < image.count; n++) {
		const struct pvh_segment *segment = &image.segments[n];

		copy(plan, segment->address, input->kernel.address + segment->offset, segment->length);
		copy(plan, segment->address + segment->length, PLAN_ZEROS, segment->size - segment->length);
		plan->begin = segment->address < plan->begin ? segment->address : plan->begin;
		end = segment->address + segment->size > end ? segment->address + segment->size : end;
	}
	plan->size = end - plan->begin;
	for (uint32_t n = 0; n < input->module_count; n++)
		parameters.modules[n] = input->modules[n];
	pvh_write_start(told->page, input->told_at, &parameters);
	return NULL;
}

const char *plan_make(const struct plan_input *input, struct plan *plan, struct plan_told *told)
{
	const char *wrong;

	memset(plan, 0, sizeof(*plan));
	wrong = copy_command_line(told, input->command_line);
	if (wrong)
		return wrong;
	plan->argument = input->told_at + offsetof(struct plan_told, page);
	if (linux_is_bzimage(input->kernel_bytes, input->kernel.length))
		return plan_linux(input, plan, told);
	if (pvh_is_elf(input->kernel_bytes, input->kernel.length))
		return plan_pvh(input, plan, told);
	return "is neither a bzImage nor an ELF file with a PVH entry";
}
