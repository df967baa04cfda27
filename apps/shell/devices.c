/* SPDX-License-Identifier: MIT */
/* The device tree: what a host can offer, and what it does. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

struct class {
	const char *name;
	struct vmbus_guid type;
};

/* As in the GUID's text; the first three fields travel little-endian. */
#define GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7)                                                              \
	{ { (a) & 0xff, (a) >> 8 & 0xff, (a) >> 16 & 0xff, (a) >> 24 & 0xff, (b) & 0xff, (b) >> 8, (c) & 0xff,     \
	    (c) >> 8, d0, d1, d2, d3, d4, d5, d6, d7 } }

/* Sources: Linux, FreeBSD, OpenVMM, QEMU (the balloon is Linux's "dynamic memory"). */
static const struct class classes[] = {
	{"network card", VMBUS_GUID_NETVSC},
	{"SCSI controller", GUID(0xba6163d9u, 0x04a1u, 0x4d29u, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f)},
	{"IDE accelerator", GUID(0x32412632u, 0x86cbu, 0x44a2u, 0x9b, 0x5c, 0x50, 0xd1, 0x41, 0x73, 0x54, 0xf5)},
	{"Fibre Channel", GUID(0x2f9bcc4au, 0x0069u, 0x4af3u, 0xb7, 0x6b, 0x6f, 0xd0, 0xbe, 0x52, 0x8c, 0xda)},
	{"NetworkDirect", GUID(0x8c2eaf3du, 0x32a7u, 0x4b09u, 0xab, 0x99, 0xbd, 0x1f, 0x1c, 0x86, 0xb5, 0x01)},
	{"virtual PCI bus", GUID(0x44c4f61du, 0x4444u, 0x4400u, 0x9d, 0x52, 0x80, 0x2e, 0x27, 0xed, 0xe1, 0x9f)},
	{"video", GUID(0xda0a7802u, 0xe377u, 0x4aacu, 0x8e, 0x77, 0x05, 0x58, 0xeb, 0x10, 0x73, 0xf8)},
	{"keyboard", GUID(0xf912ad6du, 0x2b17u, 0x48eau, 0xbd, 0x65, 0xf9, 0x27, 0xa6, 0x1c, 0x76, 0x84)},
	{"mouse", GUID(0xcfa8b69eu, 0x5b4au, 0x4cc0u, 0xb9, 0x8b, 0x8b, 0xa1, 0xa1, 0xf3, 0xf9, 0x5a)},
	{"key-value pairs", GUID(0xa9a0f4e7u, 0x5a45u, 0x4d96u, 0xb8, 0x27, 0x8a, 0x84, 0x1e, 0x8c, 0x03, 0xe6)},
	{"time sync", GUID(0x9527e630u, 0xd0aeu, 0x497bu, 0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf)},
	{"heartbeat", GUID(0x57164f39u, 0x9115u, 0x4e78u, 0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d)},
	{"shutdown", GUID(0x0e0b6031u, 0x5213u, 0x4934u, 0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb)},
	{"file copy", GUID(0x34d14be3u, 0xdee4u, 0x41c8u, 0x9a, 0xe7, 0x6b, 0x17, 0x49, 0x77, 0xc1, 0x92)},
	{"backup", GUID(0x35fa2e29u, 0xea23u, 0x4236u, 0x96, 0xae, 0x3a, 0x6e, 0xba, 0xcb, 0xa4, 0x40)},
	{"dynamic memory", GUID(0x525074dcu, 0x8985u, 0x46e2u, 0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02)},
	{"remote desktop", GUID(0x276aacf4u, 0xac15u, 0x426cu, 0x98, 0xdd, 0x75, 0x21, 0xad, 0x3f, 0x01, 0xfe)},
	{"activation", GUID(0x3375baf4u, 0x9e15u, 0x4b30u, 0xb7, 0x65, 0x67, 0xac, 0xb1, 0x0d, 0x60, 0x7b)},
	{"boot files", GUID(0xc376c1c3u, 0xd276u, 0x48d2u, 0x90, 0xa9, 0xc0, 0x47, 0x48, 0x07, 0x2c, 0x60)},
};

const char *shell_class_name(const struct vmbus_guid *type)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (memcmp(&classes[i].type, type, sizeof(*type)) == 0)
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
	while (results->channel_count < SHELL_CHANNELS_MAX && (channel = hvk_vmbus_next_channel(hvk, channel)) != NULL) {
		struct shell_channel_result *result = &results->channels[results->channel_count++];

		result->offer = *hvk_channel_offer(channel);
		result->state = hvk_channel_state(channel);
		result->used = shell->nic && channel == shell->nic_channel;
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
	struct hvk_channel_counters counters;
	char type[SHELL_GUID_TEXT], instance[SHELL_GUID_TEXT];

	shell_guid_text(&offer->type, type);
	shell_guid_text(&offer->instance, instance);
	shell_print(shell, SHELL_OUTPUT, "channel %u: %s, %s\n", offer->channel_id, shell_class_name(&offer->type),
		    shell_channel_state_name(hvk_channel_state(channel)));
	shell_print(shell, SHELL_OUTPUT, "    type        %s\n    instance    %s\n", type, instance);
	shell_print(shell, SHELL_OUTPUT, "    connection  0x%x, %s interrupt, sub-channel %u", offer->connection_id,
		    offer->dedicated ? "dedicated" : "shared", offer->subchannel_index);
	if (offer->monitored)
		shell_print(shell, SHELL_OUTPUT, ", monitor %u", offer->monitor_id);
	if (offer->mmio_megabytes)
		shell_print(shell, SHELL_OUTPUT, ", wants %u MB of device memory", offer->mmio_megabytes);
	shell_print(shell, SHELL_OUTPUT, "\n");
	if (hvk_channel_state(channel) != HVK_CHANNEL_OPEN)
		return;
	shell_print(shell, SHELL_OUTPUT, "    cpu         %u\n", hvk_channel_cpu(channel));
	if (shell->nic && channel == shell->nic_channel) {
		char nvs[SHELL_VERSION_TEXT];

		shell_version_text(hvk_netvsc_nvs_version(shell->nic), nvs);
		shell_print(shell, SHELL_OUTPUT, "    driver      netvsc, NVS %s\n", nvs);
	}
	hvk_channel_get_counters(channel, &counters);
	shell_print(shell, SHELL_OUTPUT, "    packets     %llu sent, %llu received, %llu signals\n",
		    (unsigned long long)counters.sent, (unsigned long long)counters.received,
		    (unsigned long long)counters.signals);
	hvk_channel_dump(channel, print_ring_line, shell);
}

int shell_command_lsvmbus(struct shell *shell, uint32_t count, char *const words[])
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;
	char version[SHELL_VERSION_TEXT];
	uint32_t devices = 0;

	(void)words;
	if (count > 1)
		return shell_usage(shell, "lsvmbus takes no argument\n");
	shell_version_text(hvk_vmbus_version(hvk), version);
	while (devices < VMBUS_MAX_CHANNELS && (channel = hvk_vmbus_next_channel(hvk, channel)) != NULL)
		devices++;
	shell_print(shell, SHELL_OUTPUT, "VMBus %s, %u %s\n", version, devices, devices == 1 ? "channel" : "channels");
	for (channel = NULL; devices && (channel = hvk_vmbus_next_channel(hvk, channel)) != NULL; devices--)
		print_channel(shell, channel);
	return SHELL_OK;
}
