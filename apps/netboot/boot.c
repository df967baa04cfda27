/* SPDX-License-Identifier: MIT */
/* The hand-over: drivers detached, Hyper-V given back, and the last step. */
#include <string.h>

#include "apps/netboot/netboot.h"
#include "hvkit/handover.h"

void netboot_detach(struct netboot *self)
{
	netboot_keyboard_detach(self);
	netboot_disks_down(self);
	netboot_network_down(self);
}

/* --- What is started ----------------------------------------------------------------------------- */

static bool read_memory_map(struct netboot *self)
{
	static struct memory_range ranges[MEMORY_RANGES_MAX];
	uint32_t count = 0;

	while (count < MEMORY_RANGES_MAX &&
	       self->platform.memory_range(self->platform.context, count, &ranges[count]))
		count++;
	return memory_map_build(&self->map, ranges, count);
}

static const char *make_plan(struct netboot *self)
{
	const struct netboot_platform *platform = &self->platform;
	struct plan_input input = {
		.map = &self->map,
		.area = platform->area,
		.told_at = platform->told_at,
		.kernel = {platform->files.address + self->kernel.offset, self->kernel.length},
		.kernel_bytes = platform->files_bytes + self->kernel.offset,
		.module_count = self->module_count,
		.command_line = self->command_line,
		.rsdp = platform->rsdp};
	const char *wrong;

	for (uint32_t n = 0; n < self->module_count; n++)
		input.modules[n] = (struct memory_span){platform->files.address + self->modules[n].offset,
							self->modules[n].length};
	wrong = plan_make(&input, &self->plan, platform->told);
	return wrong ? netboot_wrong(self, "%.120s %s", self->kernel.name, wrong) : NULL;
}

static void warn(struct netboot *self, const struct netboot_file *file)
{
	if (file->by_network && !file->checked)
		netboot_print(self, "warning: %s: nobody has checked what came: give its --sha256\n",
			      file->name);
}

static void tell(struct netboot *self)
{
	uint64_t now = hvk_time(self->hvk), bytes = self->kernel.length;
	uint64_t total = (now - self->started) / HVK_TIME_PER_MS;
	uint64_t first = self->first_byte ? (self->first_byte - self->started) / HVK_TIME_PER_MS : 0;
	struct hvk_counters counters;
	char size[16];

	for (uint32_t n = 0; n < self->module_count; n++)
		bytes += self->modules[n].length;
	hvk_get_counters(self->hvk, &counters);
	netboot_size(bytes, size);
	netboot_print(self, "loaded: %s; first byte after %u.%03u s, all after %u.%03u s, %llu hypercalls\n",
		      size, (unsigned)(first / 1000), (unsigned)(first % 1000), (unsigned)(total / 1000),
		      (unsigned)(total % 1000), (unsigned long long)counters.posts + counters.signals);
}

/* --- Leaving ------------------------------------------------------------------------------------- */

/* Memory that the host may still write is none of the loaded system's. */
static bool reserve(struct netboot *self)
{
	struct hvk_handover_cursor cursor = {0};
	struct hvk_mmio_range range;
	uint64_t bytes = 0;
	char size[16];

	while (hvk_handover_next_reserved(self->hvk, &cursor, &range)) {
		if (!memory_map_reserve(&self->map, range.base, range.length))
			return false;
		bytes += range.length;
	}
	netboot_size(bytes, size);
	if (bytes)
		netboot_print(self, "hand-over: %s that the host may still write stay reserved\n", size);
	return true;
}

static const char *leave(struct netboot *self)
{
	const enum hvk_handover_choice choice = self->options.anyway ? HVK_HANDOVER_ANYWAY
								     : HVK_HANDOVER_OR_STOP;
	hvk_status status;
	bool fits;

	netboot_detach(self);
	if (self->abandoned)
		return "the host does not answer, so nothing is started; reset the machine";
	status = hvk_handover_orderly(self->hvk, choice);
	if (status == HVK_EQUARANTINE || (status != HVK_OK && !self->options.anyway)) {
		self->abandoned = true; /* neither here nor there: nothing more is tried */
		return netboot_failed(
			self, status,
			"the host does not let go, so nothing is started (handover=anyway does, "
			"with the memory in question reserved)");
	}
	if (status != HVK_OK)
		netboot_print(self, "%s; it is started all the same\n",
			      netboot_failed(self, status, "the host does not let go"));
	fits = reserve(self);
	(void)hvk_destroy(self->hvk);
	self->hvk = NULL;
	return fits ? NULL : "more memory is withheld than a memory map can tell";
}

const char *netboot_boot(void *context)
{
	struct netboot *self = context;
	const char *wrong;

	if (!self->kernel.length)
		return "there is no kernel; 'kernel URL' goes before boot";
	if (!read_memory_map(self))
		return "the firmware's memory map has too many ranges";
	wrong = make_plan(self); /* while another one could still be loaded */
	if (wrong)
		return wrong;
	warn(self, &self->kernel);
	for (uint32_t n = 0; n < self->module_count; n++)
		warn(self, &self->modules[n]);
	tell(self);
	wrong = leave(self);
	if (!wrong)
		wrong = make_plan(self); /* now with what is reserved */
	if (wrong)
		return wrong;
	netboot_print(self, "starting %s at 0x%llx\n", self->kernel.name,
		      (unsigned long long)self->plan.begin);
	self->platform.launch(self->platform.context, &self->plan);
	return NULL;
}
