/* SPDX-License-Identifier: MIT */
/* The summary: what a run brought about, as JSON. docs/shell.md describes it. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/card_counters.h"
#include "apps/hvkit/json.h"
#include "apps/hvkit/run.h"
#include "apps/shell/private.h"

static void put_version(struct json *json, const char *key, uint32_t version)
{
	char text[SHELL_VERSION_TEXT];

	shell_version_text(version, text);
	json_string(json, key, version ? text : NULL);
}

static void put_address(struct json *json, const char *key, const uint8_t address[4])
{
	char text[SHELL_ADDRESS_TEXT];

	shell_address_text(address, text);
	json_string(json, key, text);
}

static void put_mac(struct json *json, const char *key, const uint8_t mac[6])
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	json_string(json, key, text);
}

/* --- How it was run, and how it ended ----------------------------------------------- */

static void put_run(struct json *json, const struct run *run)
{
	const struct cli_options *options = run->options;
	const struct shell_results *results = &run->shell.results;

	json_string(json, "hvkit", HVKIT_VERSION);
	json_number(json, "exit_status", (uint64_t)run->exit_status);
	json_string(json, "host", options->host.name);
	put_version(json, "host_accepts_newest", options->host.accept_newest);
	json_string(json, "accel", cli_accel_name(options->accel));
	json_string(json, "mode", options->seeded ? "deterministic" : "threads");
	if (options->seeded)
		json_number(json, "seed", options->seed);
	else
		json_null(json, "seed");
	json_bool(json, "boot_mode", options->boot_mode);
	json_number(json, "cpus", options->cpus);
	json_string(json, "nic", cli_nic_name(options->nic));
	json_string(json, "tap", run->tap_name[0] ? run->tap_name : NULL);
	json_string(json, "pcap", options->pcap);
	json_string(json, "silent",
		    options->silence == HVH_SILENCE_NONE ? NULL : hvh_silence_name(options->silence));
	json_string(json, "trace", options->trace);
	json_seconds(json, "seconds", run->time);
	json_bool(json, "hung", run->hung);
	json_bool(json, "shut_down", results->shut_down);
	json_bool(json, "reboot", results->reboot);
	if (!results->failed_step) {
		json_null(json, "failed");
		return;
	}
	json_object(json, "failed");
	json_string(json, "step", results->failed_step);
	json_string(json, "status", hvk_status_name(results->failed_status));
	json_string(json, "text", hvk_status_text(results->failed_status));
	json_close(json);
}

/* --- What was found ----------------------------------------------------------------- */

static void put_hypervisor(struct json *json, const struct hvk_hypervisor_info *info)
{
	char interface[5] = {0};

	if (!info->interface_id) {
		json_null(json, "hypervisor");
		return;
	}
	memcpy(interface, &info->interface_id, 4);
	json_object(json, "hypervisor");
	json_string(json, "interface", interface);
	json_number(json, "major", info->major);
	json_number(json, "minor", info->minor);
	json_number(json, "build", info->build);
	json_number(json, "access", info->access);
	json_number(json, "privileges", info->privileges);
	json_number(json, "features", info->features);
	json_number(json, "hints", info->hints);
	json_bool(json, "reference_counter", info->reference_counter);
	json_bool(json, "reference_tsc", info->reference_tsc);
	json_close(json);
}

static void put_vmbus(struct json *json, const struct shell_results *results)
{
	json_object(json, "vmbus");
	json_array(json, "tried");
	for (uint32_t i = 0; i < results->attempt_count; i++) {
		json_object(json, NULL);
		put_version(json, "version", results->attempts[i].version);
		json_bool(json, "accepted", results->attempts[i].accepted);
		json_close(json);
	}
	json_close(json);
	put_version(json, "version", results->version);
	json_close(json);
}

static void put_channel(struct json *json, const struct shell_channel_result *channel)
{
	char type[SHELL_GUID_TEXT], instance[SHELL_GUID_TEXT];

	shell_guid_text(&channel->offer.type, type);
	shell_guid_text(&channel->offer.instance, instance);
	json_object(json, NULL);
	json_number(json, "id", channel->offer.channel_id);
	json_string(json, "class", shell_class_name(&channel->offer.type));
	json_string(json, "type", type);
	json_string(json, "instance", instance);
	json_number(json, "subchannel", channel->offer.subchannel_index);
	json_number(json, "connection", channel->offer.connection_id);
	json_bool(json, "dedicated", channel->offer.dedicated);
	json_string(json, "state", shell_channel_state_name(channel->state));
	json_bool(json, "used", channel->used);
	json_number(json, "packets_sent", channel->counters.sent);
	json_number(json, "packets_received", channel->counters.received);
	json_number(json, "signals", channel->counters.signals);
	json_close(json);
}

static void put_network(struct json *json, const struct shell_results *results)
{
	const struct shell_lease *lease = &results->lease;

	if (!results->network) {
		json_null(json, "network");
	} else {
		json_object(json, "network");
		put_mac(json, "mac", results->netdev.mac);
		json_number(json, "mtu", results->netdev.mtu);
		json_bool(json, "link_up", results->netdev.link_up);
		json_number(json, "link_speed", results->netdev.link_speed);
		json_string(json, "nvs", shell_nvs_name(results->nvs_version));
		json_number(json, "queues", results->netdev.queues);
		json_number(json, "capabilities", results->netdev.capabilities);
		json_number(json, "enabled", results->netdev.enabled);
		json_close(json);
	}
	if (!lease->valid) {
		json_null(json, "lease");
		return;
	}
	json_object(json, "lease");
	put_address(json, "address", lease->address);
	put_address(json, "mask", lease->mask);
	put_address(json, "router", lease->router);
	put_address(json, "dns", lease->dns);
	put_address(json, "server", lease->server);
	json_number(json, "seconds", lease->seconds);
	json_close(json);
}

/* --- What was done ------------------------------------------------------------------ */

static void put_fetch(struct json *json, const struct shell_fetch_result *fetch)
{
	json_object(json, NULL);
	json_string(json, "url", fetch->url);
	json_bool(json, "done", fetch->done);
	json_number(json, "bytes", fetch->bytes);
	json_string(json, "sha256", fetch->done ? fetch->sha256 : NULL);
	json_seconds(json, "seconds", fetch->time);
	json_number(json, "bytes_per_second", shell_rate(fetch->bytes, fetch->time));
	json_string(json, "error", fetch->done ? NULL : fetch->error);
	json_close(json);
}

static void put_work(struct json *json, const struct shell_results *results)
{
	json_array(json, "fetched");
	for (uint32_t i = 0; i < results->fetch_count; i++)
		put_fetch(json, &results->fetches[i]);
	json_close(json);
	json_array(json, "commands");
	for (uint32_t i = 0; i < results->command_count; i++) {
		json_object(json, NULL);
		json_string(json, "line", results->commands[i].line);
		json_signed(json, "status", results->commands[i].status);
		json_close(json);
	}
	json_close(json);
}

static void put_violation(struct json *json, const struct hvh_violation *violation)
{
	json_object(json, NULL);
	json_string(json, "kind", hvh_violation_name(violation->kind));
	json_seconds(json, "time", violation->time);
	if (violation->vp == UINT32_MAX)
		json_null(json, "vp");
	else
		json_number(json, "vp", violation->vp);
	json_number(json, "channel", violation->channel_id);
	json_string(json, "text", violation->text);
	json_number(json, "message_bytes", violation->byte_count);
	json_bytes(json, "bytes", violation->bytes,
		   violation->byte_count < HVH_VIOLATION_BYTES ? violation->byte_count : HVH_VIOLATION_BYTES);
	json_close(json);
}

static void put_violations(struct json *json, const struct run *run)
{
	const struct hvh_violation *violation;

	json_object(json, "violations");
	json_number(json, "count", run->host_counters.violations);
	json_array(json, "list");
	for (uint32_t n = 0;
	     run->ran && (violation = hvh_violation_get(machine_partition(&run->machine), n)) != NULL; n++)
		put_violation(json, violation);
	json_close(json);
	json_close(json);
}

/* --- Counters ----------------------------------------------------------------------- */

static void put_guest_counters(struct json *json, const struct hvk_counters *counters)
{
	json_object(json, "guest");
	json_number(json, "interrupts", counters->interrupts);
	json_number(json, "polls", counters->polls);
	json_number(json, "messages", counters->messages);
	json_number(json, "events", counters->events);
	json_number(json, "posts", counters->posts);
	json_number(json, "post_retries", counters->post_retries);
	json_number(json, "signals", counters->signals);
	json_number(json, "eoms", counters->eoms);
	json_number(json, "host_faults", counters->host_faults);
	json_number(json, "late_messages", counters->late_messages);
	json_number(json, "quarantined_pages", counters->quarantined_pages);
	json_close(json);
}

struct netdev_counter {
	const char *key;
	size_t offset;
};
#define NETDEV(field)                                               \
	{                                                           \
#field, offsetof(struct hvk_netdev_counters, field) \
	}
static const struct netdev_counter netdev_counters[] = {
	NETDEV(rx_frames),      NETDEV(rx_bytes),         NETDEV(rx_dropped),      NETDEV(rx_faults),
	NETDEV(tx_frames),      NETDEV(tx_bytes),         NETDEV(tx_busy),         NETDEV(tx_errors),
	NETDEV(tx_copied),      NETDEV(tx_by_page),       NETDEV(status_ignored),  NETDEV(rx_copied),
	NETDEV(rx_lent),        NETDEV(rx_not_up),        NETDEV(rx_too_long),     NETDEV(rx_other_group),
	NETDEV(rx_incomplete),  NETDEV(rx_checksum_good), NETDEV(rx_checksum_bad), NETDEV(rx_joined),
	NETDEV(rx_segments),    NETDEV(rx_tagged),        NETDEV(rx_hashed),       NETDEV(rx_packets),
	NETDEV(rx_completions), NETDEV(tx_no_slot),       NETDEV(tx_ring_full),    NETDEV(tx_packets),
	NETDEV(tx_checksummed), NETDEV(tx_in_software),   NETDEV(tx_segmented),    NETDEV(tx_tagged),
	NETDEV(tx_refused),
};

static void put_netdev_counters(struct json *json, const struct hvk_netdev_counters *counters)
{
	json_object(json, "netdev");
	for (size_t n = 0; n < sizeof(netdev_counters) / sizeof(netdev_counters[0]); n++)
		json_number(json, netdev_counters[n].key,
			    *(const uint64_t *)(const void *)((const char *)counters +
							      netdev_counters[n].offset));
	json_close(json);
}

static void put_host_counters(struct json *json, const struct hvh_counters *counters)
{
	json_object(json, "host");
	json_number(json, "hypercalls", counters->hypercalls);
	json_number(json, "posts", counters->posts);
	json_number(json, "signals", counters->signals);
	json_number(json, "unneeded_signals", counters->unneeded_signals);
	json_number(json, "msr_reads", counters->msr_reads);
	json_number(json, "msr_writes", counters->msr_writes);
	json_number(json, "eoms", counters->eoms);
	json_number(json, "interrupts", counters->interrupts);
	json_number(json, "messages_delivered", counters->messages_delivered);
	json_number(json, "events_set", counters->events_set);
	json_number(json, "contacts", counters->contacts);
	json_number(json, "unloads", counters->unloads);
	json_close(json);
}

static void put_queues(struct json *json, const struct hvh_nic *nic)
{
	struct hvh_nic_queue_counters counters;
	const char *key, *name;
	uint64_t value;

	json_array(json, "queues");
	for (uint32_t n = 0; nic && hvh_nic_get_queue_counters(nic, n, &counters); n++) {
		json_object(json, NULL);
		for (uint32_t i = 0; card_queue_counter(&counters, i, &key, &name, &value); i++)
			json_number(json, key, value);
		json_close(json);
	}
	json_close(json);
}

static void put_nic_counters(struct json *json, const struct run *run)
{
	const char *key, *name;
	uint64_t value;

	json_object(json, "nic");
	for (uint32_t n = 0; card_counter(&run->nic_counters, n, &key, &name, &value); n++)
		json_number(json, key, value);
	json_number(json, "backend_dropped", run->backend_dropped);
	put_queues(json, run->nic);
	json_close(json);
}

/* What went by the card's VF; null without one. */
static void put_vf_counters(struct json *json, const struct run *run)
{
	const struct hvh_vf_counters *counters = &run->vf_counters;

	if (!run->vf) {
		json_null(json, "vf");
		return;
	}
	json_object(json, "vf");
	json_number(json, "attaches", counters->attaches);
	json_number(json, "detaches", counters->detaches);
	json_number(json, "migrations", counters->migrations);
	json_number(json, "switches_to_vf", counters->switches_to_vf);
	json_number(json, "switches_to_card", counters->switches_to_card);
	json_number(json, "to_guest_frames", counters->to_guest_frames);
	json_number(json, "to_guest_bytes", counters->to_guest_bytes);
	json_number(json, "from_guest_frames", counters->from_guest_frames);
	json_number(json, "from_guest_bytes", counters->from_guest_bytes);
	json_number(json, "steered_to_card", counters->steered_to_card);
	json_number(json, "dropped", counters->dropped);
	json_close(json);
}

bool run_summary(struct run *run)
{
	const struct shell_results *results = &run->shell.results;
	struct json json;

	json_begin(&json, run->summary);
	put_run(&json, run);
	put_hypervisor(&json, &results->hypervisor);
	put_vmbus(&json, results);
	json_array(&json, "channels");
	for (uint32_t i = 0; i < results->channel_count; i++)
		put_channel(&json, &results->channels[i]);
	json_close(&json);
	put_network(&json, results);
	put_work(&json, results);
	run_storage_summary(&json, run);
	put_violations(&json, run);
	json_object(&json, "counters");
	put_guest_counters(&json, &results->counters);
	put_netdev_counters(&json, &results->netdev_counters);
	put_host_counters(&json, &run->host_counters);
	put_nic_counters(&json, run);
	put_vf_counters(&json, run);
	run_services_summary(&json, run);
	run_kvm_summary(&json, run);
	json_close(&json);
	json_object(&json, "memory");
	json_number(&json, "leaked_pages", run->leaked_pages);
	json_number(&json, "quarantined_pages", results->counters.quarantined_pages);
	json_number(&json, "host_writes_to_free_memory", run->writes_to_free_memory);
	json_close(&json);
	return json_end(&json);
}
