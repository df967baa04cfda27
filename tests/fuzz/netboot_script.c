/* SPDX-License-Identifier: MIT */
/*
 * A boot script, parsed and run with files that are all there: the first byte says whether semicolons count
 * (bit 0), which item of a menu is chosen (bits 1 to 3) and whether a file is missing now and then (bit 4);
 * the rest is the script. Names are put together with the script's own place and looked at.
 */
#include "apps/netboot/location.h"
#include "apps/netboot/options.h"
#include "apps/netboot/script.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct script_variables *variables;
	uint8_t way;
	uint32_t files;
};

static void check_text(const char *text, size_t most)
{
	FUZZ_CHECK(memchr(text, '\0', most + 1) != NULL);
	FUZZ_CHECK(!strchr(text, '\n'));
}

static void echo(void *context, const char *text)
{
	(void)context;
	check_text(text, SCRIPT_LINE_MAX);
}

static const char *dhcp(void *context)
{
	const struct world *world = context;

	(void)script_set(world->variables, "ip", "192.0.2.7");
	return NULL;
}

static const char *take_file(struct world *world, const char *name, const char *sum)
{
	static struct location location;
	char place[LOCATION_MAX + 1];

	FUZZ_CHECK(name[0] && !strpbrk(name, " \t"));
	FUZZ_CHECK(!sum || script_is_sum(sum, strlen(sum)));
	if (!location_join("http://192.0.2.1/boot/s?x", name, place)) {
		check_text(place, LOCATION_MAX);
		if (!location_parse(place, &location) && location.kind == LOCATION_DISK)
			FUZZ_CHECK(location.path[0] == '/' && location.disk <= LOCATION_DISK_MAX);
	}
	return (world->way & 16) && ++world->files % 3 == 0 ? "missing" : NULL;
}

static const char *kernel(void *context, const char *url, const char *arguments, const char *sum)
{
	check_text(arguments, SCRIPT_LINE_MAX);
	return take_file(context, url, sum);
}

static const char *initrd(void *context, const char *url, const char *sum)
{
	return take_file(context, url, sum);
}

static const char *check_sum(void *context, const char *sum)
{
	(void)context;
	FUZZ_CHECK(script_is_sum(sum, strlen(sum)));
	return NULL;
}

static const char *choose(void *context, struct script_menu *menu)
{
	const struct world *world = context;

	FUZZ_CHECK(menu->count > 0 && menu->count <= SCRIPT_ITEMS_MAX && menu->chosen < menu->count);
	FUZZ_CHECK(menu->timeout <= SCRIPT_TIMEOUT_MAX);
	check_text(menu->title, SCRIPT_TITLE_MAX);
	for (uint32_t n = 0; n < menu->count; n++) {
		check_text(menu->items[n].title, SCRIPT_TITLE_MAX);
		FUZZ_CHECK(script_is_name(menu->items[n].label, strlen(menu->items[n].label)));
	}
	if (world->way & 14)
		menu->chosen = (world->way >> 1 & 7u) - 1;
	return NULL;
}

static const char *boot(void *context)
{
	(void)context;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script script;
	static struct script_run run;
	static struct script_variables variables;
	static struct netboot_options options;
	struct fuzz_input input = {data, size};
	struct world world = {.variables = &variables, .way = fuzz_u8(&input)};
	const struct script_ops ops = {.context = &world,
				       .echo = echo,
				       .dhcp = dhcp,
				       .kernel = kernel,
				       .initrd = initrd,
				       .check_sum = check_sum,
				       .choose = choose,
				       .boot = boot};
	char error[SCRIPT_ERROR_MAX], *line;

	memset(&variables, 0, sizeof(variables));
	if (script_parse(&script, (const char *)input.bytes, input.left, world.way & 1, error)) {
		FUZZ_CHECK(script.count <= SCRIPT_LINES_MAX);
		if (script_execute(&script, &variables, &ops, &run) == SCRIPT_FAILED)
			check_text(run.error, SCRIPT_ERROR_MAX - 1);
		FUZZ_CHECK(variables.count <= SCRIPT_VARIABLES_MAX);
	} else {
		check_text(error, SCRIPT_ERROR_MAX - 1);
	}
	line = strndup((const char *)input.bytes, input.left);
	if (line && !netboot_options_parse(&options, line, error))
		FUZZ_CHECK(strlen(error) < OPTIONS_ERROR_MAX);
	free(line);
	return 0;
}
