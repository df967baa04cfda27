/* SPDX-License-Identifier: MIT */
/* Taking the bus down: its functions leave, what the host was given is taken back. Every step is optional. */
#include "guest/vpci/vpci_internal.h"

static bool can_talk(const void *device)
{
	const struct hvk_vpci *vpci = device;

	return vpci->opened && vpci->lost == HVK_OK && vpci->version != 0;
}

static bool is_in_d0(const void *device)
{
	return can_talk(device) && ((const struct hvk_vpci *)device)->in_d0;
}

static bool is_open(const void *device)
{
	return ((const struct hvk_vpci *)device)->opened;
}

/* The drivers are asked first, while their devices still work, unless there is nothing left of them. A driver
 * has eject_ms; then it is told that the device is gone, and still has to let go: it holds our memory. */
static hvk_status begin_leave(void *device)
{
	struct hvk_vpci *vpci = device;

	hvk_vpci_functions_leave(vpci, can_talk(vpci));
	hvk_vpci_functions_reap(vpci);
	if (!hvk_vpci_has_functions(vpci))
		return HVK_OK;
	vpci->steps.event = VPCI_EVENT_RELEASED;
	return HVK_EINPROGRESS;
}

/* Slots that were given resources; those whose functions stay are given them again at the resume. */
static struct vpci_child *next_assigned(struct hvk_vpci *vpci)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		if (vpci->functions[i].assigned)
			return &vpci->functions[i];
	}
	return NULL;
}

static hvk_status begin_released(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_vpci_message message;
	struct vpci_child *child = next_assigned(vpci);

	if (!child)
		return HVK_OK;
	child->assigned = false;
	hvk_vpci_build_slot(&message, VPCI_RESOURCES_RELEASED, child->pci.slot);
	return hvk_vpci_ask(vpci, message.bytes, message.length);
}

static hvk_status released(void *device, const struct hvk_answer *answer)
{
	(void)device;
	(void)answer;
	return HVK_EAGAIN; /* the next one */
}

static hvk_status begin_d0_exit(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_vpci_message message;

	hvk_vpci_build(&message, VPCI_BUS_D0_EXIT);
	return hvk_vpci_ask(vpci, message.bytes, message.length);
}

static hvk_status begin_close(void *device)
{
	struct hvk_vpci *vpci = device;

	hvk_channel_close(vpci->channel, hvk_steps_request(&vpci->steps));
	return HVK_EINPROGRESS;
}

static hvk_status closed(void *device, const struct hvk_answer *answer)
{
	struct hvk_vpci *vpci = device;

	vpci->opened = vpci->in_d0 = false;
	if (vpci->result == HVK_OK)
		vpci->result = answer->status;
	return HVK_OK;
}

static hvk_status begin_give_back(void *device)
{
	struct hvk_vpci *vpci = device;

	if (vpci->window != 0)
		hvk_mmio_give_back(vpci_hvk(vpci), vpci->window);
	vpci->window = 0;
	if (vpci->has_domain)
		hvk_domain_give_back(vpci_hvk(vpci), vpci->domain);
	vpci->has_domain = false;
	return HVK_OK;
}

/* The functions stay: their drivers know of the sleep. A turn in which one of them rests begins it again. */
static hvk_status begin_sleep(void *device)
{
	return hvk_vpci_functions_sleep(device) ? HVK_OK : HVK_EAGAIN;
}

static hvk_status begin_sized_again(void *device)
{
	struct hvk_vpci *vpci = device;

	for (uint32_t i = 0; i < vpci->function_max; i++) {
		if (vpci->functions[i].state == VPCI_FUNCTION_READY)
			vpci->functions[i].state = VPCI_FUNCTION_SIZED;
	}
	return HVK_OK;
}

/* clang-format off */
#define D0_EXIT \
	{"D0_EXIT", is_in_d0, begin_d0_exit, NULL, VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, true}, \
	{"CLOSE_CHANNEL", is_open, begin_close, closed, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true}

static const struct hvk_step detach_steps[] = {
	{"functions leave", NULL, begin_leave, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	D0_EXIT,
	{"given back", NULL, begin_give_back, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};

static const struct hvk_step suspend_steps[] = {
	{"functions fall asleep", NULL, begin_sleep, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"RESOURCES_RELEASED", is_in_d0, begin_released, released,
	 VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, true},
	D0_EXIT,
	{"functions wait", NULL, begin_sized_again, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

const struct hvk_sequence hvk_vpci_detach_sequence = {
	detach_steps, sizeof(detach_steps) / sizeof(detach_steps[0]), NULL, hvk_vpci_is_down};
const struct hvk_sequence hvk_vpci_suspend_sequence = {
	suspend_steps, sizeof(suspend_steps) / sizeof(suspend_steps[0]), NULL, hvk_vpci_is_suspended};
