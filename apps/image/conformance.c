/* SPDX-License-Identifier: MIT */
#include "apps/image/conformance.h"

#include <stdio.h>
#include <string.h>

#include "hvkit/wire/vmbus.h"

#define PAGES_BELOW_3_0 3u

const struct conformance_life conformance_lives[] = {
	{"newest", false, 0, "lsvmbus ; ip ; nic ; disk ; time ; kvp ; input ; stats ; inspect"},
	{"5.2", false, VMBUS_VERSION_5_2, "ip ; stats"},
	{"5.1", false, VMBUS_VERSION_5_1, "ip ; stats"},
	{"5.0", false, VMBUS_VERSION_5_0, "ip ; stats"},
	{"4.1", false, VMBUS_VERSION_4_1, "ip ; stats"},
	{"4.0", false, VMBUS_VERSION_4_0, "ip ; stats"},
	{"3.0", false, VMBUS_VERSION_3_0, "ip ; stats"},
	{"2.4", false, VMBUS_VERSION_2_4, "ip ; stats"},
	{"1.1", false, VMBUS_VERSION_1_1, "ip ; stats"},
	{"0.13", false, VMBUS_VERSION_0_13, "ip ; stats"},
	{"boot", true, 0, "lsvmbus ; ip ; disk ; stats"},
};
const uint32_t conformance_life_count = sizeof(conformance_lives) / sizeof(conformance_lives[0]);

bool conformance_is_beyond(const struct conformance_life *life, uint32_t accepted)
{
	return life->newest && (accepted == 0 || life->newest >= accepted);
}

void conformance_take(struct conformance_result *result, const struct conformance_life *life,
		      const struct shell_results *shell, const struct dialogue_facts *facts, uint64_t ns)
{
	*result = (struct conformance_result){.life = life,
					      .version = shell->version,
					      .channels = shell->channel_count,
					      .nvs_version = shell->nvs_version,
					      .network = shell->network,
					      .leased = shell->lease.valid,
					      .host_faults = shell->counters.host_faults,
					      .quarantined = shell->counters.quarantined_pages,
					      .seconds = (uint32_t)(ns / 1000000000u),
					      .failed_step = shell->failed_step,
					      .failed_status = shell->failed_status,
					      .exit_status = shell->exit_status,
					      .facts = *facts};
	memcpy(result->address, shell->lease.address, sizeof(result->address));
	for (uint32_t i = 0; i < shell->channel_count && i < SHELL_CHANNELS_MAX; i++)
		result->driven += shell->channels[i].used;
}

/* A life that was asked for one version and took another has not shown what it was for. */
static bool is_version_right(const struct conformance_result *result)
{
	return result->version != 0 && (result->life->newest == 0 || result->version == result->life->newest);
}

/* Below 3.0 nobody can be sure that a host has let go of interrupt and monitor pages: there they are kept. */
static bool has_let_go(const struct conformance_result *result)
{
	return result->quarantined == 0 || (!result->life->boot_mode && result->version < VMBUS_VERSION_3_0 &&
					    result->quarantined <= PAGES_BELOW_3_0);
}

bool conformance_is_well(const struct conformance_result *result)
{
	return is_version_right(result) && !result->failed_step && result->exit_status == 0 &&
	       result->host_faults == 0 && has_let_go(result) && result->facts.unload_answered &&
	       result->facts.torndown == result->facts.torn;
}

/* --- Rows -------------------------------------------------------------------------------------------- */

static void milliseconds_text(bool known, uint64_t ns, char text[12])
{
	if (known)
		snprintf(text, 12, "%u.%u", (unsigned)(ns / 1000000u % 1000000u),
			 (unsigned)(ns / 100000u % 10));
	else
		snprintf(text, 12, "never");
}

void conformance_head(char row[CONFORMANCE_ROW_MAX])
{
	snprintf(row, CONFORMANCE_ROW_MAX, "%-7s%-6s%-8s%-9s%-16s%-8s%8s%9s%4s", "life", "VMBus", "devices",
		 "card", "address", "offers", "unload", "torndown", "s");
}

void conformance_row(const struct conformance_result *result, char row[CONFORMANCE_ROW_MAX])
{
	const struct dialogue_facts *facts = &result->facts;
	char version[SHELL_VERSION_TEXT], unload[12], torndown[12], card[12], address[20], offers[12],
		devices[12];

	if (result->version)
		shell_version_text(result->version, version);
	else
		snprintf(version, sizeof(version), "none");
	milliseconds_text(facts->unload_answered, facts->unload_ns, unload);
	milliseconds_text(facts->torndown == facts->torn, facts->torndown_ns, torndown);
	snprintf(devices, sizeof(devices), "%u/%u", result->driven % 1000, result->channels % 1000);
	if (result->network)
		snprintf(card, sizeof(card), "NVS %s", shell_nvs_name(result->nvs_version));
	else
		snprintf(card, sizeof(card), "none");
	if (result->leased)
		snprintf(address, sizeof(address), "%u.%u.%u.%u", result->address[0], result->address[1],
			 result->address[2], result->address[3]);
	else
		snprintf(address, sizeof(address), "none");
	if (facts->offer_min == facts->offer_max)
		snprintf(offers, sizeof(offers), "%u", facts->offer_min % 1000);
	else
		snprintf(offers, sizeof(offers), "%u-%u", facts->offer_min % 1000, facts->offer_max % 1000);
	snprintf(row, CONFORMANCE_ROW_MAX, "%-7s%-6s%-8s%-9s%-16s%-8s%8s%9s%4u  %s", result->life->name,
		 version, devices, card, address, offers, unload, torndown, result->seconds % 10000,
		 conformance_is_well(result) ? "ok" : "NO");
}

bool conformance_trouble(const struct conformance_result *result, char row[CONFORMANCE_ROW_MAX])
{
	if (conformance_is_well(result))
		return false;
	if (!is_version_right(result) && result->life->newest)
		snprintf(row, CONFORMANCE_ROW_MAX, "  %s: the host does not take this version",
			 result->life->name);
	else if (result->failed_step)
		snprintf(row, CONFORMANCE_ROW_MAX, "  %s: %s: %s", result->life->name, result->failed_step,
			 hvk_status_name(result->failed_status));
	else
		snprintf(row, CONFORMANCE_ROW_MAX,
			 "  %s: status %d, %u faults of the host's, %u pages kept, %u of %u torn down",
			 result->life->name, result->exit_status, (unsigned)result->host_faults,
			 (unsigned)result->quarantined, result->facts.torndown, result->facts.torn);
	return true;
}
