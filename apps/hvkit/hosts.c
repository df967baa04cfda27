/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "apps/hvkit/options.h"
#include "apps/shell/private.h"

struct habit {
	bool shown;
	const char *text;
};

static void print_habits(const struct hvh_profile *host)
{
	const struct habit habits[] = {
		{host->unload_works, "UNLOAD disconnects and is answered, at every version"},
		{!host->unload_works,
		 "ignores UNLOAD, goes on writing to the guest's pages; a second contact has no bus"},
		{host->connection_4, "takes the first contact on message connection 4 too"},
		{host->short_offer_at_0_13, "offers of 190 bytes at 0.13"},
		{host->torndown_withheld != HVH_TORNDOWN_PROMPT,
		 "answers the teardown of the receive buffer only once the channel is closed"},
		{host->gpadl_errors_answered, "answers a GPADL that it cannot take with a failure"},
		{!host->gpadl_errors_answered, "says nothing to a GPADL that it cannot take"},
		{host->pending_feature_required,
		 "obeys the pending send size only with the ring's feature bit"},
		{host->response_state_garbage,
		 "leaves the connection state undefined below 2.4 and in refusals"},
		{!host->echoes_version, "does not repeat the version in its answer"},
		{host->loaded_system_crashes, "a system loaded over a bus used at 3.0 or newer crashes"},
		{host->status_0x40020006_malformed,
		 "sends RNDIS status 0x40020006 with a length that does not cover the message"},
		{host->revoke_completed, "completes revokes that ask for it"},
		{!host->revoke_completed, "completes no revoke"},
		{host->filter_set_at_start, "delivers frames before a packet filter is set"},
	};

	for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
		if (habits[i].shown)
			printf("    %s\n", habits[i].text);
	}
}

void cli_print_hosts(void)
{
	const struct hvh_profile *host;

	for (uint32_t n = 0; (host = hvh_profile_get(n)) != NULL; n++) {
		printf("%s%s: %s\n", n ? "\n" : "", host->name, host->description);
		printf("    VMBus up to %u.%u\n", host->newest_version >> 16, host->newest_version & 0xffff);
		printf("    NVS up to %s\n", shell_nvs_name(host->nvs_newest));
		printf("    receive buffer in pieces of %u bytes, send buffer in sections of %u\n",
		       host->receive_suballocation, host->send_section);
		printf("    up to %u messages in one transfer-page packet, %u in one RNDIS message\n",
		       host->ranges_per_packet_max, host->rndis_packets_max);
		print_habits(host);
	}
}
