/* SPDX-License-Identifier: MIT */
/* The device tree: what a host can offer, and what it does. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

struct device_class {
	const char *type, *name;
};

/* Sources: Linux, FreeBSD, OpenVMM; dynamic memory is QEMU's balloon too. */
static const struct device_class classes[] = {
	{"f8615163-df3e-46c5-913f-f2d2f965ed0e", "network card"},
	{"ba6163d9-04a1-4d29-b605-72e2ffb1dc7f", "SCSI controller"},
	{"32412632-86cb-44a2-9b5c-50d1417354f5", "IDE accelerator"},
	{"2f9bcc4a-0069-4af3-b76b-6fd0be528cda", "Fibre Channel"},
	{"8c2eaf3d-32a7-4b09-ab99-bd1f1c86b501", "NetworkDirect"},
	{"44c4f61d-4444-4400-9d52-802e27ede19f", "virtual PCI bus"},
	{"da0a7802-e377-4aac-8e77-0558eb1073f8", "video"},
	{"f912ad6d-2b17-48ea-bd65-f927a61c7684", "keyboard"},
	{"cfa8b69e-5b4a-4cc0-b98b-8ba1a1f3f95a", "mouse"},
	{"a9a0f4e7-5a45-4d96-b827-8a841e8c03e6", "key-value pairs"},
	{"9527e630-d0ae-497b-adce-e80ab0175caf", "time sync"},
	{"57164f39-9115-4e78-ab55-382f3bd5422d", "heartbeat"},
	{"0e0b6031-5213-4934-818b-38d90ced39db", "shutdown"},
	{"34d14be3-dee4-41c8-9ae7-6b174977c192", "file copy"},
	{"35fa2e29-ea23-4236-96ae-3a6ebacba440", "backup"},
	{"525074dc-8985-46e2-8057-a307dc18a502", "dynamic memory"},
	{"276aacf4-ac15-426c-98dd-7521ad3f01fe", "remote desktop"},
	{"3375baf4-9e15-4b30-b765-67acb10d607b", "activation"},
	{"c376c1c3-d276-48d2-90a9-c04748072c60", "boot files"},
};

const char *shell_class_name(const struct vmbus_guid *type)
{
	char text[SHELL_GUID_TEXT];

	shell_guid_text(type, text);
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strcmp(classes[i].type, text) == 0)
			return classes[i].name;
	}
	return "unknown class";
}

const char *shell_channel_state_name(enum hvk_channel_state state)
{
	switch (state) {
	case HVK_CHANNEL_CLOSED:
		return "closed";
	case HVK_CHANNEL_OPENING:
		return "opening";
	case HVK_CHANNEL_OPEN:
		return "open";
	case HVK_CHANNEL_CLOSING:
		return "closing";
	case HVK_CHANNEL_RESCINDED:
		return "rescinded";
	}
	return "unknown";
}

void shell_record_channels(struct shell *shell)
{
	struct shell_results *results = &shell->results;
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;

	results->channel_count = 0;
	while (results->channel_count < SHELL_CHANNELS_MAX &&
	       (channel = hvk_vmbus_next_channel(hvk, channel)) != NULL) {
		struct shell_channel_result *result = &results->channels[results->channel_count++];

		result->offer = *hvk_channel_offer(channel);
		result->state = hvk_channel_state(channel);
		result->used = (shell->nic && channel == shell->nic_channel) ||
			       shell_disks_controller(shell, channel) != NULL ||
			       shell_services_driver(shell, channel) != NULL;
		hvk_channel_get_counters(channel, &result->counters);
	}
}

void shell_list_channels(struct shell *shell, enum shell_stream stream)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;
	uint32_t count = 0;

	while (count < VMBUS_MAX_CHANNELS && (channel = hvk_vmbus_next_channel(hvk, channel)) != NULL) {
		const struct hvk_offer *offer = hvk_channel_offer(channel);
		char instance[SHELL_GUID_TEXT];

		shell_guid_text(&offer->instance, instance);
		shell_print(shell, stream, "  channel %-4u %-16s instance %s  %s\n", offer->channel_id,
			    shell_class_name(&offer->type), instance,
			    shell_channel_state_name(hvk_channel_state(channel)));
		count++;
	}
	if (count == 0)
		shell_print(shell, stream, "  no devices\n");
}

static void print_ring_line(void *context, const char *line)
{
	shell_print(context, SHELL_OUTPUT, "    %s\n", line);
}

static void print_channel(struct shell *shell, struct hvk_channel *channel)
{
	const struct hvk_offer *offer = hvk_channel_offer(channel);
	const struct shell_controller *controller = shell_disks_controller(shell, channel);
	char type[SHELL_GUID_TEXT], instance[SHELL_GUID_TEXT];

	shell_guid_text(&offer->type, type);
	shell_guid_text(&offer->instance, instance);
	shell_print(shell, SHELL_OUTPUT, "channel %u: %s, %s\n", offer->channel_id,
		    shell_class_name(&offer->type), shell_channel_state_name(hvk_channel_state(channel)));
	shell_print(shell, SHELL_OUTPUT, "    type        %s\n    instance    %s\n", type, instance);
	shell_print(shell, SHELL_OUTPUT, "    connection  0x%x, %s interrupt, sub-channel %u",
		    offer->connection_id, offer->dedicated ? "dedicated" : "shared", offer->subchannel_index);
	if (offer->monitored)
		shell_print(shell, SHELL_OUTPUT, ", monitor %u", offer->monitor_id);
	if (offer->mmio_megabytes)
		shell_print(shell, SHELL_OUTPUT, ", wants %u MB of device memory", offer->mmio_megabytes);
	shell_print(shell, SHELL_OUTPUT, "\n");
	if (hvk_channel_state(channel) != HVK_CHANNEL_OPEN)
		return;
	if (shell->nic && channel == shell->nic_channel)
		shell_print(shell, SHELL_OUTPUT, "    driver      netvsc, NVS %s\n",
			    shell_nvs_name(hvk_netvsc_nvs_version(shell->nic)));
	if (controller)
		shell_print(shell, SHELL_OUTPUT, "    driver      storvsc, protocol %u.%u\n",
			    hvk_storvsc_protocol(controller->driver) >> 8,
			    hvk_storvsc_protocol(controller->driver) & 0xffu);
	if (shell_services_driver(shell, channel))
		shell_print(shell, SHELL_OUTPUT, "    driver      %s\n",
			    shell_services_driver(shell, channel));
	hvk_channel_dump(channel, print_ring_line, shell);
}

int shell_command_lsvmbus(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;
	char version[SHELL_VERSION_TEXT];
	uint32_t devices = 0;

	(void)count;
	(void)words;
	shell_version_text(hvk_vmbus_version(hvk), version);
	while (devices < VMBUS_MAX_CHANNELS && (channel = hvk_vmbus_next_channel(hvk, channel)) != NULL)
		devices++;
	shell_print(shell, SHELL_OUTPUT, "VMBus %s, %u %s\n", version, devices,
		    devices == 1 ? "channel" : "channels");
	for (channel = NULL; devices && (channel = hvk_vmbus_next_channel(hvk, channel)) != NULL; devices--)
		print_channel(shell, channel);
	return SHELL_OK;
}
