/* SPDX-License-Identifier: MIT */
#include "apps/image/conformance_run.h"

#include <string.h>

#include "apps/image/conformance.h"
#include "hvkit/version.h"
#include "ports/bare-x86_64/bare.h"

#define ROWS_BEHIND_MAX 6u /* what did not go well: more are on the serial port */

static struct {
	struct conformance_result results[CONFORMANCE_LIVES_MAX];
	uint32_t count;
	struct conformance_life first;
	struct dialogue dialogue;
} run;

static void trace_line(void *context, const char *text, size_t length)
{
	(void)context;
	bare_write(text, length);
}

static void print_table(const struct hvk_hypervisor_info *host)
{
	char row[CONFORMANCE_ROW_MAX];
	uint32_t well = 0, troubles = 0;

	if (!host->interface_id)
		bare_print("hvkit %s, on no Hyper-V\n\n", HVKIT_VERSION);
	else
		bare_print("hvkit %s on Hyper-V %u.%u build %u, %s, %s\n\n", HVKIT_VERSION, host->major,
			   host->minor, host->build,
			   host->reference_tsc ? "reference TSC page" : "no reference TSC page",
			   bare_has_x2apic() ? "x2APIC" : "xAPIC");
	conformance_head(row);
	bare_print("%s\n", row);
	for (uint32_t i = 0; i < run.count; i++) {
		conformance_row(&run.results[i], row);
		bare_print("%s\n", row);
		well += conformance_is_well(&run.results[i]);
	}
	bare_print("\n%u of %u lives went well; milliseconds to the answers of UNLOAD and GPADL_TEARDOWN\n",
		   well, run.count);
	for (uint32_t i = 0; i < run.count && troubles < ROWS_BEHIND_MAX; i++) {
		if (!conformance_trouble(&run.results[i], row))
			continue;
		bare_print("%s\n", row);
		troubles++;
	}
}

static void live(const struct conformance_life *life, const struct conformance_door *door)
{
	uint64_t begin = bare_clock_ns();
	const struct shell_results *shell;

	dialogue_begin(&run.dialogue, trace_line, NULL);
	bare_show(true);
	bare_print("%s ...\n", life->name);
	bare_show(false);
	shell = door->live(door->context, life, &run.dialogue);
	conformance_take(&run.results[run.count++], life, shell, &run.dialogue.facts,
			 bare_clock_ns() - begin);
	bare_print("-- %s: end\n", life->name);
}

int conformance_run(const struct conformance_door *door, uint32_t newest)
{
	uint32_t accepted, well = 0;

	run.first = conformance_lives[0];
	run.first.newest = newest;
	live(&run.first, door);
	accepted = run.results[0].version;
	for (uint32_t i = 1; i < conformance_life_count && i < CONFORMANCE_LIVES_MAX; i++) {
		if (!conformance_is_beyond(&conformance_lives[i], accepted))
			live(&conformance_lives[i], door);
	}
	bare_show(true);
	bare_print("\f\n"); /* an empty screen: the table fits on 25 lines */
	print_table(door->host(door->context));
	for (uint32_t i = 0; i < run.count; i++)
		well += conformance_is_well(&run.results[i]);
	return well == run.count ? 0 : 1;
}
