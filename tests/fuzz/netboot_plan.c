/* SPDX-License-Identifier: MIT */
/*
 * A file that is to be started, bzImage or ELF with a PVH entry:
 *
 *   u8 ram       MiB of the machine, and what of it is reserved
 *   u8 modules   how many, and how far apart
 *   u8[]         the file
 *
 * Whatever it says: nothing is read outside of it, and what is planned lies in free memory, and in order.
 */
#include "apps/netboot/plan.h"
#include "tests/fuzz/input.h"

#define MIB (1ull << 20)
#define KERNEL_AT (64 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_map(struct memory_map *map, uint8_t how)
{
	const struct memory_range ranges[] = {{0, 0x9fc00, MEMORY_RAM},
					      {0x9fc00, 0x60400, MEMORY_RESERVED},
					      {MIB, (128ull + how) * MIB, MEMORY_RAM},
					      {(how & 15ull) * MIB, 0x3000, MEMORY_RESERVED}};

	FUZZ_CHECK(memory_map_build(map, ranges, 4));
}

static void check_copy(const struct plan_input *input, const struct plan_copy *copy)
{
	FUZZ_CHECK(copy->length && memory_map_is_ram(input->map, copy->to, copy->length));
	FUZZ_CHECK(copy->to >= MIB && !memory_overlaps(&input->area, 1, copy->to, copy->length));
	FUZZ_CHECK(!memory_overlaps(&input->kernel, 1, copy->to, copy->length));
	FUZZ_CHECK(!memory_overlaps(input->modules, input->module_count, copy->to, copy->length));
	FUZZ_CHECK(copy->from == PLAN_ZEROS ||
		   (copy->from >= input->kernel.address &&
		    copy->from - input->kernel.address <= input->kernel.length &&
		    copy->length <= input->kernel.length - (copy->from - input->kernel.address)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_map map;
	static struct plan plan;
	static struct plan_told told;
	struct fuzz_input bytes = {data, size};
	struct plan_input input = {.map = &map,
				   .area = {0x10000, 0x10000},
				   .told_at = 0x18000,
				   .command_line = "a=b",
				   .rsdp = 0xe0000};
	uint8_t ram = fuzz_u8(&bytes), modules = fuzz_u8(&bytes);

	make_map(&map, ram);
	input.kernel = (struct memory_span){KERNEL_AT, bytes.left};
	input.kernel_bytes = bytes.bytes;
	for (; input.module_count < modules % (PLAN_MODULES_MAX + 1); input.module_count++)
		input.modules[input.module_count] = (struct memory_span){
			KERNEL_AT + (input.module_count + 1) * (modules / 8u) * MIB, 0x1001};
	if (plan_make(&input, &plan, &told))
		return 0;
	FUZZ_CHECK(plan.count > 0 && plan.count <= PLAN_COPIES_MAX);
	for (uint32_t n = 0; n < plan.count; n++)
		check_copy(&input, &plan.copies[n]);
	FUZZ_CHECK(plan.entry >= plan.begin && plan.entry - plan.begin < plan.size);
	FUZZ_CHECK(plan.argument == input.told_at && strcmp(told.command_line, "a=b") == 0);
	return 0;
}
