/* SPDX-License-Identifier: MIT */
/*
 * The network card's VF: its bus, its driver, its pairing. It comes and goes while a command is under way,
 * so nothing here waits: each turn of the main loop looks how far the step that was begun has come, and
 * begins the next.
 */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

#define DOWN_MS 60000u

struct hvk_netdev *shell_netdev(struct shell *shell)
{
	return shell->vf ? hvk_vf_netdev(shell->vf) : hvk_netvsc_netdev(shell->nic);
}

/* --- The pairing ---------------------------------------------------------------------------- */

static void tell_left(struct shell *shell)
{
	struct hvk_vf_info info;

	hvk_vf_get_info(shell->vf, &info);
	shell_print(shell, SHELL_STORY,
		    "network: the VF has left; frames received and sent by it %llu and %llu, by the card "
		    "%llu and "
		    "%llu\n",
		    (unsigned long long)info.vf_rx, (unsigned long long)info.vf_tx,
		    (unsigned long long)info.synthetic_rx, (unsigned long long)info.synthetic_tx);
}

/* In hvk_poll. */
static void vf_changed(void *context, struct hvk_vf *vf, enum hvk_vf_state state)
{
	struct shell *shell = context;
	struct hvk_vf_info info;

	hvk_vf_get_info(vf, &info);
	if (state == HVK_VF_ACTIVE)
		shell_print(shell, SHELL_STORY,
			    "network: the VF, serial 0x%x, carries the frames (switched in %llu.%03llu ms)\n",
			    info.serial, (unsigned long long)(info.switch_time_last / HVK_TIME_PER_MS),
			    (unsigned long long)(info.switch_time_last % HVK_TIME_PER_MS / 10));
	if (state == HVK_VF_ABSENT)
		tell_left(shell);
}

hvk_status shell_vf_create(struct shell *shell)
{
	const struct hvk_vf_config config = {.transparent = shell->config.vf == SHELL_VF_TRANSPARENT,
					     .grace_ms = shell->config.vf_grace_ms,
					     .changed = vf_changed,
					     .context = shell};

	if (shell->config.vf == SHELL_VF_NONE)
		return HVK_OK;
	return hvk_vf_create(shell->nic, &config, &shell->vf);
}

/* --- Callbacks of the bus and of the device, in hvk_poll ------------------------------------- */

static void function_added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct shell_vf *vf = context;

	(void)bus;
	if (!vf->function)
		vf->function = function;
}

static void function_removed(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct shell_vf *vf = context;

	(void)bus;
	if (vf->function == function)
		vf->function = NULL;
}

static void bus_gone(void *context, struct hvk_vpci *bus)
{
	struct shell_vf *vf = context;

	(void)bus;
	vf->bus_gone = true;
}

static void device_leaving(void *context, struct hvk_virtio_net *device, bool eject)
{
	struct shell_vf *vf = context;

	(void)device;
	(void)eject;
	vf->leaving = true;
}

/* --- Steps --------------------------------------------------------------------------------------- */

static struct hvk_channel *find_bus(struct shell *shell)
{
	static const struct vmbus_guid type = VMBUS_GUID_VPCI;
	struct hvk *hvk = atomic_load(&shell->hvk);
	struct hvk_channel *channel = NULL;

	for (uint32_t n = 0; n < VMBUS_MAX_CHANNELS; n++) {
		const struct hvk_offer *offer;

		channel = hvk_vmbus_next_channel(hvk, channel);
		if (!channel)
			return NULL;
		offer = hvk_channel_offer(channel);
		if (!hvk_channel_rescinded(channel) && offer->channel_id != shell->vf_device.refused &&
		    memcmp(&offer->type, &type, sizeof(type)) == 0)
			return channel;
	}
	return NULL;
}

static struct hvk_request *request(struct shell_vf *vf)
{
	memset(&vf->request, 0, sizeof(vf->request));
	return &vf->request;
}

static void complain(struct shell *shell, const char *step, hvk_status status)
{
	shell_print(shell, SHELL_ERROR, "network: VF: %s: %s: %s\n", step, hvk_status_name(status),
		    hvk_status_text(status));
}

/* One that cannot be used is left alone until it is offered anew. */
static void refuse(struct shell_vf *vf)
{
	vf->refused = hvk_channel_offer(vf->channel)->channel_id;
	vf->unusable = true;
}

static void begin_bus(struct shell *shell, struct shell_vf *vf)
{
	struct hvk_vpci_config config = {
		.added = function_added, .removed = function_removed, .gone = bus_gone, .context = vf};
	hvk_status status;

	vf->channel = find_bus(shell);
	if (!vf->channel)
		return;
	vf->function = NULL;
	vf->bus_gone = vf->leaving = vf->unusable = false;
	status = hvk_vpci_create(vf->channel, &config, &vf->bus);
	if (status != HVK_OK) {
		complain(shell, "create the bus", status);
		refuse(vf);
		return;
	}
	hvk_vpci_attach(vf->bus, request(vf));
	vf->step = SHELL_VF_BUS_ATTACHING;
}

static void bus_attached(struct shell *shell, struct shell_vf *vf, hvk_status status)
{
	vf->step = SHELL_VF_BUS_UP;
	if (status == HVK_OK)
		return;
	if (status != HVK_EGONE)
		complain(shell, "attach the bus", status);
	refuse(vf);
	hvk_vpci_detach(vf->bus, request(vf)); /* nothing is to be done any more, but that is for it to say */
	vf->step = SHELL_VF_BUS_DETACHING;
}

static void begin_device(struct shell *shell, struct shell_vf *vf)
{
	const struct hvk_virtio_net_config config = {.queues = shell->config.driver.queues,
						     .offloads = shell->config.driver.offloads,
						     .polled = shell->config.hvk.device_vector_count == 0,
						     .leaving = device_leaving,
						     .context = vf};
	hvk_status status = hvk_virtio_net_create(vf->function, &config, &vf->device);

	if (status != HVK_OK) {
		complain(shell, "create the driver", status);
		vf->device = NULL;
		refuse(vf);
		return;
	}
	vf->leaving = false;
	hvk_virtio_net_attach(vf->device, request(vf));
	vf->step = SHELL_VF_DEVICE_ATTACHING;
}

static void detach_device(struct shell_vf *vf)
{
	hvk_virtio_net_detach(vf->device, request(vf));
	vf->step = SHELL_VF_DEVICE_DETACHING;
}

static void device_attached(struct shell *shell, struct shell_vf *vf, hvk_status status)
{
	uint32_t serial = hvk_pci_get_info(vf->function)->serial;
	const char *step = "attach the driver";

	if (status == HVK_OK) {
		step = "pair it with the card";
		status = shell->vf ? hvk_vf_pair(shell->vf, hvk_virtio_net_netdev(vf->device), serial)
				   : HVK_EGONE;
	}
	if (status != HVK_OK) {
		if (status != HVK_EGONE)
			complain(shell, step, status);
		refuse(vf);
		detach_device(vf);
		return;
	}
	if (shell->config.vf_grace_ms == HVK_VF_GRACE_EVENT)
		hvk_vf_attach_complete(shell->vf);
	vf->step = SHELL_VF_PAIRED;
}

/* The memory of the driver may be given back a moment after it says that it is detached. */
static void device_detached(struct shell_vf *vf)
{
	struct hvk_netdev_counters counters;

	hvk_netdev_get_counters(hvk_virtio_net_netdev(vf->device), &counters);
	if (hvk_virtio_net_destroy(vf->device) != HVK_OK)
		return;
	vf->device = NULL;
	vf->rx_bytes += counters.rx_bytes;
	vf->tx_bytes += counters.tx_bytes;
	vf->leaving = false;
	vf->step = SHELL_VF_BUS_UP;
}

static void bus_detached(struct shell_vf *vf)
{
	if (hvk_vpci_destroy(vf->bus) != HVK_OK)
		return;
	vf->bus = NULL;
	vf->step = SHELL_VF_IDLE;
}

static void rest_of_bus(struct shell *shell, struct shell_vf *vf)
{
	if (vf->bus_gone || vf->down || hvk_channel_rescinded(vf->channel)) {
		hvk_vpci_detach(vf->bus, request(vf));
		vf->step = SHELL_VF_BUS_DETACHING;
	} else if (vf->function && !vf->unusable) {
		begin_device(shell, vf);
	}
}

/* True: a step was begun or ended. */
static bool go_on(struct shell *shell, struct shell_vf *vf)
{
	enum shell_vf_step before = vf->step;
	hvk_status status = __atomic_load_n(&vf->request.status, __ATOMIC_SEQ_CST);

	if (status == HVK_EINPROGRESS)
		return false;
	switch (vf->step) {
	case SHELL_VF_IDLE:
		if (!vf->down && shell->vf)
			begin_bus(shell, vf);
		break;
	case SHELL_VF_BUS_ATTACHING:
		bus_attached(shell, vf, status);
		break;
	case SHELL_VF_BUS_UP:
		rest_of_bus(shell, vf);
		break;
	case SHELL_VF_DEVICE_ATTACHING:
		device_attached(shell, vf, status);
		break;
	case SHELL_VF_PAIRED:
		if (!vf->leaving && !vf->down && !vf->bus_gone)
			break;
		hvk_vf_unpair(shell->vf, request(vf)); /* HVK_ESTATE: it has vanished, and is unpaired */
		vf->step = SHELL_VF_UNPAIRING;
		break;
	case SHELL_VF_UNPAIRING:
		detach_device(vf);
		break;
	case SHELL_VF_DEVICE_DETACHING:
		device_detached(vf);
		break;
	case SHELL_VF_BUS_DETACHING:
		bus_detached(vf);
		break;
	}
	return vf->step != before;
}

bool shell_vf_turn(struct shell *shell)
{
	if (shell->config.vf == SHELL_VF_NONE || shell->abandoned)
		return false;
	return go_on(shell, &shell->vf_device);
}

static uint64_t down_limit(struct shell *shell)
{
	return hvk_time(atomic_load(&shell->hvk)) + DOWN_MS * HVK_TIME_PER_MS;
}

static bool takes_too_long(struct shell *shell, uint64_t limit)
{
	if (shell->abandoned || hvk_time(atomic_load(&shell->hvk)) >= limit)
		return true;
	shell_turn(shell, hvk_time(atomic_load(&shell->hvk)) + HVK_TIME_PER_MS);
	return false;
}

/* Nothing of the VF is left then, and none is taken until the pairing is destroyed. */
void shell_vf_down(struct shell *shell)
{
	struct shell_vf *vf = &shell->vf_device;
	uint64_t limit = down_limit(shell);

	if (!shell->vf)
		return;
	vf->down = true;
	while (vf->step != SHELL_VF_IDLE && !takes_too_long(shell, limit))
		continue;
	if (vf->step != SHELL_VF_IDLE)
		shell_fail(shell, "give the VF up", HVK_ETIMEDOUT);
}

/* What the last of the card's news have begun ends in a few turns. */
void shell_vf_destroy(struct shell *shell)
{
	struct hvk_vf *vf = shell->vf;
	uint64_t limit = down_limit(shell);
	hvk_status status = HVK_OK;

	if (!vf)
		return;
	do
		status = hvk_vf_destroy(vf);
	while (status != HVK_OK && !takes_too_long(shell, limit));
	shell->vf = NULL;
	shell->vf_device.down = false;
	if (status != HVK_OK)
		shell_fail(shell, "give the pairing's memory back", status);
}

/* --- The command ------------------------------------------------------------------------------------- */

static void show(struct shell *shell)
{
	struct hvk_netdev_counters card, device = {0};
	struct hvk_vf_info info;

	hvk_vf_get_info(shell->vf, &info);
	hvk_netdev_get_counters(hvk_netvsc_netdev(shell->nic), &card);
	if (shell->vf_device.device)
		hvk_netdev_get_counters(hvk_virtio_net_netdev(shell->vf_device.device), &device);
	shell_print(shell, SHELL_OUTPUT, "VF: %s, %s mode\n", hvk_vf_state_name(info.state),
		    info.transparent ? "transparent" : "separate");
	shell_print(shell, SHELL_OUTPUT, "  host: %s", info.allocated ? "allocated" : "none allocated");
	if (info.allocated)
		shell_print(shell, SHELL_OUTPUT, ", serial 0x%x", info.allocated_serial);
	shell_print(shell, SHELL_OUTPUT,
		    "\n  frames received: card %llu, VF %llu; sent: card %llu, VF %llu\n",
		    (unsigned long long)info.synthetic_rx, (unsigned long long)info.vf_rx,
		    (unsigned long long)info.synthetic_tx, (unsigned long long)info.vf_tx);
	shell_print(shell, SHELL_OUTPUT, "  bytes received: card %llu, VF %llu; sent: card %llu, VF %llu\n",
		    (unsigned long long)card.rx_bytes,
		    (unsigned long long)(shell->vf_device.rx_bytes + device.rx_bytes),
		    (unsigned long long)card.tx_bytes,
		    (unsigned long long)(shell->vf_device.tx_bytes + device.tx_bytes));
	shell_print(
		shell, SHELL_OUTPUT,
		"  pairings %llu, departures %llu, switches %llu, failed %llu, frames lost %llu, last switch "
		"%llu us\n",
		(unsigned long long)info.pairings, (unsigned long long)info.departures,
		(unsigned long long)info.switches, (unsigned long long)info.switch_failures,
		(unsigned long long)info.lost, (unsigned long long)(info.switch_time_last / 10));
	if (info.last_failure != HVK_OK)
		shell_print(shell, SHELL_OUTPUT, "  last failure: %s: %s\n",
			    hvk_status_name(info.last_failure), hvk_status_text(info.last_failure));
}

static int set_separate(struct shell *shell, bool up)
{
	struct hvk_netdev *netdev = hvk_vf_separate_netdev(shell->vf);
	hvk_status status;

	if (!netdev)
		return shell_error(shell, "vf: there is no VF of its own: it is %s\n",
				   shell->config.vf == SHELL_VF_TRANSPARENT ? "the card's (transparent mode)"
									    : "not there");
	hvk_netdev_set_flags(netdev, up ? HVK_NETDEV_UP : 0, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK)
		return shell_error(shell, "vf: %s: %s\n", hvk_status_name(status), hvk_status_text(status));
	return SHELL_OK;
}

int shell_command_vf(struct shell *shell, uint32_t count, char *const words[])
{
	const char *verb = count > 1 ? words[1] : "status";

	if (!shell->vf)
		return shell_error(shell, "vf: the card was set up without one: --nic ...,vf\n");
	if (strcmp(verb, "up") == 0 || strcmp(verb, "down") == 0)
		return set_separate(shell, verb[0] == 'u');
	if (strcmp(verb, "status") != 0)
		return shell_usage(shell, "vf: '%.40s' is not known; there are: status, up, down\n", verb);
	show(shell);
	return SHELL_OK;
}

void shell_vf_dump(struct shell *shell, hvk_dump_line line, void *context)
{
	if (shell->vf)
		hvk_vf_dump(shell->vf, line, context);
	if (shell->vf_device.bus)
		hvk_vpci_dump(shell->vf_device.bus, line, context);
	if (shell->vf_device.device)
		hvk_virtio_net_dump(shell->vf_device.device, line, context);
}
