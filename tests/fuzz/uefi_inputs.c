/* SPDX-License-Identifier: MIT */
/*
 * What BOOTX64.EFI reads: its configuration, load options, the firmware's memory map.
 *
 *   u8 what      0 hvkit.cfg, 1 load options, else the memory map: so long is a descriptor
 *   u8[]
 */
#include "apps/uefi/config.h"
#include "apps/uefi/firmware_memory.h"
#include "tests/fuzz/input.h"

static void check_config(const struct config *config, bool taken, const char *error)
{
	FUZZ_CHECK(memchr(config->line, '\0', sizeof(config->line)) != NULL);
	FUZZ_CHECK(memchr(config->image, '\0', sizeof(config->image)) != NULL);
	FUZZ_CHECK(memchr(error, '\0', CONFIG_ERROR_MAX) != NULL);
	FUZZ_CHECK(taken == (error[0] == '\0'));
	FUZZ_CHECK(!strchr(config->image, '/'));
}

/* In order, apart, and RAM only what some descriptor says so of, and none says otherwise. */
static void check_map(const struct memory_map *map)
{
	uint64_t end = 0;

	FUZZ_CHECK(map->count <= MEMORY_RANGES_MAX);
	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_range *range = &map->ranges[i];

		FUZZ_CHECK(range->length != 0 && range->address >= end);
		FUZZ_CHECK(range->length <= UINT64_MAX - range->address);
		end = range->address + range->length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static struct memory_map map;
	struct fuzz_input input = {data, size};
	char error[CONFIG_ERROR_MAX] = "";
	uint8_t what = fuzz_u8(&input);

	memset(&config, 0, sizeof(config));
	if (what == 0)
		check_config(&config, config_read(&config, (const char *)input.bytes, input.left, error),
			     error);
	else if (what == 1)
		check_config(&config, config_read_options(&config, input.bytes, input.left, error), error);
	else if (firmware_memory_read(&map, input.bytes, input.left, what))
		check_map(&map);
	return 0;
}
