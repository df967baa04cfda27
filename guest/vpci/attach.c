/* SPDX-License-Identifier: MIT */
/* Bringing the bus up, and functions that come: tables of steps. */
#include "guest/vpci/vpci_internal.h"

static const uint32_t versions[] = {VPCI_VERSION_1_4, VPCI_VERSION_1_3, VPCI_VERSION_1_2, VPCI_VERSION_1_1};
#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

static hvk_status ask(struct hvk_vpci *vpci, const struct hvk_vpci_message *message)
{
	return hvk_vpci_ask(vpci, message->bytes, message->length);
}

/* --- Channel ---------------------------------------------------------------------------------- */

static hvk_status begin_window(void *device)
{
	struct hvk_vpci *vpci = device;

	if (hvk_channel_rescinded(vpci->channel))
		return HVK_EGONE;
	return vpci->window ? HVK_OK : hvk_mmio_take(vpci_hvk(vpci), VPCI_WINDOW_SIZE, true, &vpci->window);
}

static hvk_status begin_open(void *device)
{
	struct hvk_vpci *vpci = device;
	const struct hvk_channel_config config = {
		.cpu = vpci->bus.cpu,
		.reading = HVK_CHANNEL_UNBATCHED,
		.low_latency = true,
		.tx_pages = VPCI_RING_PAGES,
		.rx_pages = VPCI_RING_PAGES,
		.requests_max = VPCI_REQUESTS_MAX,
		.ready = hvk_vpci_ready,
		.context = vpci,
	};

	hvk_channel_open(vpci->channel, &config, hvk_steps_request(&vpci->steps));
	return HVK_EINPROGRESS;
}

static hvk_status opened(void *device, const struct hvk_answer *answer)
{
	struct hvk_vpci *vpci = device;

	vpci->opened = answer->status == HVK_OK;
	return answer->status;
}

/* --- Protocol ----------------------------------------------------------------------------------- */

/* A bus that was suspended speaks what it spoke before. */
static hvk_status begin_version(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_vpci_message message;

	while (vpci->attempt < VERSION_COUNT && (versions[vpci->attempt] > vpci->config.protocol_newest ||
						 (vpci->resumes && versions[vpci->attempt] != vpci->version)))
		vpci->attempt++;
	if (vpci->attempt == VERSION_COUNT)
		return HVK_EREFUSED_VPCI;
	hvk_vpci_build_version(&message, versions[vpci->attempt]);
	return ask(vpci, &message);
}

static hvk_status version_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_vpci *vpci = device;
	uint32_t nt_status = 0;
	hvk_status status = hvk_vpci_parse_status(answer->payload, answer->length, &nt_status);

	if (status != HVK_OK)
		return status;
	if (nt_status == VPCI_STATUS_REVISION_MISMATCH) {
		vpci->attempt++;
		return HVK_EAGAIN;
	}
	status = hvk_vpci_parse_success(answer->payload, answer->length);
	if (status == HVK_OK)
		vpci->version = versions[vpci->attempt];
	return status;
}

/* The answer is a list, not a completion. */
static hvk_status begin_relations(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_vpci_message message;
	hvk_status status;

	hvk_vpci_build(&message, VPCI_QUERY_BUS_RELATIONS);
	vpci->relations = 0;
	status = hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL);
	if (status != HVK_OK)
		return status;
	vpci->steps.event = VPCI_EVENT_RELATIONS;
	return HVK_EINPROGRESS;
}

static hvk_status begin_compare(void *device)
{
	(void)hvk_vpci_functions_compare(device);
	return HVK_OK;
}

static hvk_status begin_d0(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_vpci_message message;

	hvk_vpci_build_d0_entry(&message, vpci->window);
	return ask(vpci, &message);
}

static hvk_status granted(void *device, const struct hvk_answer *answer)
{
	(void)device;
	return hvk_vpci_parse_success(answer->payload, answer->length);
}

static hvk_status in_d0(void *device, const struct hvk_answer *answer)
{
	struct hvk_vpci *vpci = device;
	hvk_status status = granted(device, answer);

	vpci->in_d0 = status == HVK_OK;
	return status;
}

/* A host that still has the bus in D0, of a guest before us, refuses. */
static hvk_status maybe_in_d0(void *device, const struct hvk_answer *answer)
{
	struct hvk_vpci *vpci = device;
	hvk_status status = in_d0(device, answer);

	vpci->d0_again = status == HVK_EREFUSED_VPCI;
	return vpci->d0_again ? HVK_OK : status;
}

static bool d0_again(const void *device)
{
	return ((const struct hvk_vpci *)device)->d0_again;
}

static hvk_status begin_d0_exit(void *device)
{
	struct hvk_vpci_message message;

	hvk_vpci_build(&message, VPCI_BUS_D0_EXIT);
	return ask(device, &message);
}

static hvk_status left_d0(void *device, const struct hvk_answer *answer)
{
	(void)device;
	(void)answer;
	return HVK_OK; /* whether it did is seen next */
}

/* --- Functions -------------------------------------------------------------------------------------- */

/* One that cannot be used does not keep the others: it is left alone until the list changes. */
static void leave_alone(struct hvk_vpci *vpci, struct vpci_child *child, hvk_status status)
{
	hvk_log(vpci_hvk(vpci), HVK_LOG_ERROR, "vpci: slot %u cannot be used: %s", child->pci.slot,
		hvk_status_text(status));
	if (hvk_status_is_host_fault(status))
		hvk_vpci_fault(vpci, status, "resources of a function");
	if (vpci->result == HVK_OK)
		vpci->result = status;
	hvk_vpci_function_drop(vpci, child);
}

static hvk_status begin_sizes(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_vpci_message message;

	vpci->asked = hvk_vpci_function_in(vpci, VPCI_FUNCTION_NEW);
	if (!vpci->asked)
		return HVK_OK;
	hvk_vpci_build_slot(&message, VPCI_QUERY_RESOURCE_REQUIREMENTS, vpci->asked->pci.slot);
	return ask(vpci, &message);
}

static hvk_status sizes_answered(void *device, const struct hvk_answer *answer)
{
	struct hvk_vpci *vpci = device;
	struct vpci_child *child = vpci->asked;
	uint32_t probed[PCI_BARS];
	hvk_status status = hvk_vpci_parse_requirements(answer->payload, answer->length, probed);

	if (child->state != VPCI_FUNCTION_NEW) /* it left meanwhile */
		return HVK_EAGAIN;
	if (status == HVK_OK)
		status = hvk_pci_bars_size(&child->pci, probed);
	if (status != HVK_OK)
		leave_alone(vpci, child, status);
	else
		child->state = VPCI_FUNCTION_SIZED;
	return HVK_EAGAIN; /* the next one */
}

static hvk_status begin_assigned(void *device)
{
	struct hvk_vpci *vpci = device;
	struct hvk_vpci_message message;
	hvk_status status;

	vpci->asked = hvk_vpci_function_in(vpci, VPCI_FUNCTION_SIZED);
	if (!vpci->asked)
		return HVK_OK;
	if (!vpci->asked->placed) {
		status = hvk_pci_function_init(&vpci->asked->pci);
		if (status == HVK_OK)
			status = hvk_pci_bars_place(&vpci->asked->pci);
		if (status != HVK_OK) {
			leave_alone(vpci, vpci->asked, status);
			vpci->asked = NULL;
			hvk_vpci_kick(vpci); /* and the next one */
			return HVK_EAGAIN;
		}
		vpci->asked->placed = true;
	}
	hvk_vpci_build_assigned(&message, vpci->version, vpci->asked->pci.slot);
	return ask(vpci, &message);
}

static void tell(struct hvk_vpci *vpci, struct vpci_child *child)
{
	const struct hvk_pci_info *info = &child->pci.info;

	child->state = VPCI_FUNCTION_READY;
	child->assigned = true;
	hvk_pci_function_wake(&child->pci);
	if (child->told)
		return;
	child->told = true;
	hvk_log(vpci_hvk(vpci), HVK_LOG_INFO, "vpci: %04x:00:%02x.%u is %04x:%04x, serial 0x%x",
		(unsigned)info->domain, (unsigned)info->device, (unsigned)info->function,
		(unsigned)info->vendor_id, (unsigned)info->device_id, info->serial);
	if (vpci->config.added)
		vpci->config.added(vpci->config.context, vpci, &child->pci);
}

static hvk_status assigned(void *device, const struct hvk_answer *answer)
{
	struct hvk_vpci *vpci = device;
	hvk_status status = granted(device, answer);

	if (vpci->asked->state != VPCI_FUNCTION_SIZED)
		return HVK_EAGAIN;
	if (status != HVK_OK)
		leave_alone(vpci, vpci->asked, status);
	else
		tell(vpci, vpci->asked);
	return HVK_EAGAIN;
}

static bool resumes(const void *device)
{
	return ((const struct hvk_vpci *)device)->resumes;
}

static hvk_status begin_interrupts(void *device)
{
	struct hvk_vpci *vpci = device;
	hvk_status status = hvk_vpci_interrupts_again(vpci);

	if (status == HVK_EINPROGRESS)
		vpci->steps.event = VPCI_EVENT_INTERRUPT;
	return status;
}

static hvk_status interrupt_had(void *device, const struct hvk_answer *answer)
{
	(void)device;
	return answer->status == HVK_OK ? HVK_EAGAIN : answer->status;
}

/* Functions that cannot be used are no failure beside one that can. */
static hvk_status begin_any(void *device)
{
	struct hvk_vpci *vpci = device;
	hvk_status status = vpci->result;

	vpci->result = HVK_OK;
	return hvk_vpci_function_in(vpci, VPCI_FUNCTION_READY) ? HVK_OK : status;
}

/* clang-format off */
#define FUNCTIONS \
	{"QUERY_RESOURCE_REQUIREMENTS", NULL, begin_sizes, sizes_answered, \
	 VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, false}
#define RESOURCES \
	{"RESOURCES_ASSIGNED", NULL, begin_assigned, assigned, \
	 VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, false}

static const struct hvk_step attach_steps[] = {
	{"window", NULL, begin_window, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"OPEN_CHANNEL", NULL, begin_open, opened, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_OPEN, false},
	{"QUERY_PROTOCOL_VERSION", NULL, begin_version, version_answered,
	 VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, false},
	{"QUERY_BUS_RELATIONS", NULL, begin_relations, NULL, VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, false},
	{"functions", NULL, begin_compare, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	FUNCTIONS,
	{"D0_ENTRY", NULL, begin_d0, maybe_in_d0, VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, false},
	{"D0_EXIT", d0_again, begin_d0_exit, left_d0, VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, false},
	{"D0_ENTRY", d0_again, begin_d0, in_d0, VPCI_WAIT_DEVICE, HVK_ETIMEDOUT_VPCI, false},
	RESOURCES,
	{"interrupts again", resumes, begin_interrupts, interrupt_had,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_VPCI, false},
	{"functions", NULL, begin_any, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
};

static const struct hvk_step function_steps[] = {
	FUNCTIONS,
	RESOURCES,
};
/* clang-format on */

static const struct hvk_sequence *attach_failed(void *device, hvk_status status)
{
	struct hvk_vpci *vpci = device;

	hvk_log(vpci_hvk(vpci), HVK_LOG_ERROR, "vpci: %s failed: %s", hvk_steps_name(&vpci->steps),
		hvk_status_text(status));
	vpci->result = status;
	return &hvk_vpci_detach_sequence;
}

/* Of functions that came later: those that are not ready are left alone. */
static const struct hvk_sequence none = {NULL, 0, NULL, hvk_vpci_functions_done};

static const struct hvk_sequence *functions_failed(void *device, hvk_status status)
{
	struct hvk_vpci *vpci = device;

	for (uint32_t i = 0; i < vpci->function_max; i++) {
		struct vpci_child *child = &vpci->functions[i];

		if (child->state == VPCI_FUNCTION_NEW || child->state == VPCI_FUNCTION_SIZED)
			leave_alone(vpci, child, status);
	}
	return &none;
}

const struct hvk_sequence hvk_vpci_attach_sequence = {
	attach_steps, sizeof(attach_steps) / sizeof(attach_steps[0]), attach_failed, hvk_vpci_is_up};
const struct hvk_sequence hvk_vpci_functions_sequence = {function_steps,
							 sizeof(function_steps) / sizeof(function_steps[0]),
							 functions_failed, hvk_vpci_functions_done};
