/* SPDX-License-Identifier: MIT */
/*
 * Signals by version. Guest to host: at 0.13 a bit in the second half of the interrupt
 * page and the shared event connection 2; from 1.1 the offer's own connection, with the
 * bit first if the offer is not dedicated; a monitored channel by a bit in the monitor
 * page. Host to guest: below 2.4 a bit in the first half and flag 0 of the SINT, from
 * 2.4 the channel's own flag.
 */
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

#define BITS_PER_WORD 32u
#define WORD_BYTES 4u

/* --- Guest to host ------------------------------------------------------------------- */

static void complain(struct hvh_partition *partition, enum hvh_violation_kind kind, uint32_t vp,
		     uint32_t channel_id, const char *what)
{
	hvh_violate(partition, kind, partition->now, vp, channel_id, NULL, 0, "%s", what);
}

static void wake(struct hvh_channel *channel, uint64_t now, uint32_t vp)
{
	struct hvh_partition *partition = channel->partition;
	bool first = !channel->signalled;

	channel->signalled = true;
	if (channel->dead)
		return;
	if (!hvh_ring_signal_needed(channel, now)) {
		partition->counters.unneeded_signals++;
		if (partition->deterministic)
			complain(partition, HVH_V_SIGNAL_UNNEEDED, vp, channel->id,
				 "signal although no packet made an empty ring non-empty and no room was "
				 "asked for");
	}
	if (first && now < channel->opened_at + HVH_UNSTICK_TIME &&
	    hvh_fault_strikes(partition, HVH_FAULT_LOST_FIRST_SIGNAL)) {
		hvh_note(partition, now, channel->id, "fault: first signal lost");
		return;
	}
	uint64_t due = now;
	if (hvh_fault_strikes(partition, HVH_FAULT_DELAY_SIGNAL))
		due += 1 + hvh_choose(partition, HVH_DELAY_MAX);
	if (due < channel->run_at)
		channel->run_at = due;
	hvh_kick(partition);
}

/* Takes a channel's bit out of the guest's half of the interrupt page. */
static bool take_bit(struct hvh_partition *partition, uint32_t id)
{
	uint32_t bit = 1u << id % BITS_PER_WORD, before = 0;
	uint64_t gpa = partition->vmbus->pages.interrupt + VMBUS_INTERRUPT_PAGE_GUEST_TO_HOST +
		       (uint64_t)(id / BITS_PER_WORD) * WORD_BYTES;

	return hvh_memory_and32(partition, gpa, ~bit, &before) && (before & bit) != 0;
}

/* A channel gets this id: a bit that another one of the same id left behind is not its. */
void hvh_vmbus_forget_bit(struct hvh_partition *partition, uint32_t id)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	if (bus->connected && bus->version < VMBUS_VERSION_2_4)
		(void)take_bit(partition, id);
}

/* Two CPUs may set the same bit before either makes its hypercall: as many signals in a
 * row as there are other CPUs may find it taken. More prove that it was never set. */
static bool bit_excused(const struct hvh_partition *partition, uint32_t *bitless)
{
	return ++*bitless < partition->vps;
}

static void check_bit(struct hvh_channel *channel, uint32_t vp, bool wanted)
{
	struct hvh_partition *partition = channel->partition;

	if (partition->vmbus->version >= VMBUS_VERSION_2_4)
		return; /* nobody looks at the page any more */
	bool set = take_bit(partition, channel->id);
	if (set)
		channel->bitless = 0;
	if (set && !wanted)
		complain(partition, HVH_V_EVENT_BIT, vp, channel->id,
			 "interrupt-page bit set for a dedicated channel, whose connection alone is the "
			 "signal");
	else if (!set && wanted && !bit_excused(partition, &channel->bitless))
		complain(partition, HVH_V_EVENT_BIT, vp, channel->id,
			 "interrupt-page bit not set before the signal of a channel that is not dedicated");
}

/* A bit for a channel that is being taken back is too late, not wrong. */
static void wake_by_bit(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t id)
{
	struct hvh_channel *channel = hvh_channel_by_id(partition, id);

	if (channel == NULL)
		complain(partition, HVH_V_EVENT_BIT, vp, id,
			 "interrupt-page bit of a channel that does not exist");
	else if (channel->phase == HVH_CHANNEL_OPEN)
		wake(channel, now, vp);
	else if (channel->phase != HVH_CHANNEL_RESCINDED)
		complain(partition, HVH_V_SIGNAL, vp, id, "signal to a channel that is not open");
}

static void scan_shared(struct hvh_partition *partition, uint64_t now, uint32_t vp)
{
	struct hvh_vmbus *bus = partition->vmbus;
	uint64_t half = bus->pages.interrupt + VMBUS_INTERRUPT_PAGE_GUEST_TO_HOST;
	bool any = false;

	for (uint32_t n = 0; n < VMBUS_MAX_CHANNELS / BITS_PER_WORD; n++) {
		uint32_t bits = 0;
		if (!hvh_memory_and32(partition, half + (uint64_t)n * WORD_BYTES, 0, &bits) || bits == 0)
			continue;
		any = true;
		for (uint32_t bit = 0; bit < BITS_PER_WORD; bit++) {
			if ((bits >> bit & 1u) != 0)
				wake_by_bit(partition, now, vp, n * BITS_PER_WORD + bit);
		}
	}
	if (any)
		bus->shared_bitless = 0;
	else if (!bit_excused(partition, &bus->shared_bitless))
		complain(partition, HVH_V_EVENT_BIT, vp, 0,
			 "shared event without any bit in the interrupt page");
}

static uint32_t shared_event(struct hvh_partition *partition, uint32_t vp)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	if (!bus->connected || bus->version >= VMBUS_VERSION_2_4) {
		complain(partition, HVH_V_SIGNAL, vp, 0, "the shared event exists below 2.4 only");
		return HV_STATUS_INVALID_CONNECTION_ID;
	}
	if (bus->version != VMBUS_VERSION_0_13)
		complain(partition, HVH_V_SIGNAL, vp, 0, "from 1.1 each channel has a connection of its own");
	scan_shared(partition, partition->now, vp);
	return HV_STATUS_SUCCESS;
}

static uint32_t own_event(struct hvh_partition *partition, uint32_t vp, uint32_t connection)
{
	uint32_t first = partition->profile.event_connections;
	struct hvh_channel *channel = connection > first ? hvh_channel_by_id(partition, connection - first)
							 : NULL;

	if (channel != NULL && channel->phase == HVH_CHANNEL_RESCINDED)
		return HV_STATUS_INVALID_CONNECTION_ID; /* the guest could not know */
	if (channel == NULL || channel->phase != HVH_CHANNEL_OPEN) {
		hvh_violate(partition, HVH_V_SIGNAL, partition->now, vp, channel != NULL ? channel->id : 0,
			    NULL, 0, "signal to connection %#x: no open channel has it", connection);
		return HV_STATUS_INVALID_CONNECTION_ID;
	}
	if (partition->vmbus->version == VMBUS_VERSION_0_13) {
		complain(partition, HVH_V_SIGNAL, vp, channel->id,
			 "at 0.13 there is the shared event 2 only");
		return HV_STATUS_INVALID_CONNECTION_ID;
	}
	check_bit(channel, vp, !channel->dedicated);
	wake(channel, partition->now, vp);
	return HV_STATUS_SUCCESS;
}

uint32_t hvh_vmbus_signal(struct hvh_partition *partition, uint32_t vp, uint32_t connection, uint32_t flag)
{
	if (connection == VMBUS_CONNECTION_MESSAGE ||
	    (connection == VMBUS_CONNECTION_MESSAGE_V5 && partition->profile.connection_4)) {
		complain(partition, HVH_V_SIGNAL, vp, 0, "signal to a connection that takes messages");
		return HV_STATUS_INVALID_PORT_ID;
	}
	if (flag != 0) {
		complain(partition, HVH_V_SIGNAL, vp, 0, "signal: a port of this host has flag 0 only");
		return HV_STATUS_INVALID_PARAMETER;
	}
	if (connection == VMBUS_CONNECTION_EVENT)
		return shared_event(partition, vp);
	return own_event(partition, vp, connection);
}

/* --- Monitor page ------------------------------------------------------------------------ */

static bool any_monitored_is_open(const struct hvh_vmbus *bus)
{
	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->phase == HVH_CHANNEL_OPEN && bus->channels[n]->monitored)
			return true;
	}
	return false;
}

static struct hvh_channel *by_monitor(const struct hvh_vmbus *bus, uint32_t monitor)
{
	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->monitored && bus->channels[n]->monitor_id == monitor)
			return bus->channels[n];
	}
	return NULL;
}

/* A bit for a channel that was closed or is being taken back is too late, not wrong. */
static void wake_by_monitor(struct hvh_partition *partition, uint64_t now, uint32_t monitor)
{
	struct hvh_channel *channel = by_monitor(partition->vmbus, monitor);

	if (channel == NULL) {
		hvh_violate(partition, HVH_V_SIGNAL, now, UINT32_MAX, 0, NULL, 0,
			    "monitor-page bit %u, and no channel was offered with that monitor id", monitor);
		return;
	}
	if (channel->phase == HVH_CHANNEL_OPEN) {
		check_bit(channel, UINT32_MAX, true);
		wake(channel, now, UINT32_MAX);
	} else if (!channel->opened && channel->phase != HVH_CHANNEL_RESCINDED) {
		complain(partition, HVH_V_SIGNAL, UINT32_MAX, channel->id,
			 "monitor-page bit of a channel that was never opened");
	}
}

static uint64_t trigger_group(const struct hvh_vmbus *bus, uint32_t group)
{
	return bus->pages.monitor_guest_to_host + VMBUS_MONITOR_GROUP_OFFSET +
	       (uint64_t)group * VMBUS_MONITOR_GROUP_STRIDE;
}

static void poll_group(struct hvh_partition *partition, uint64_t now, uint32_t group)
{
	uint32_t bits = 0;

	if (!hvh_memory_and32(partition, trigger_group(partition->vmbus, group), 0, &bits))
		return;
	for (uint32_t bit = 0; bit < BITS_PER_WORD; bit++) {
		if ((bits >> bit & 1u) != 0)
			wake_by_monitor(partition, now, group * BITS_PER_WORD + bit);
	}
}

void hvh_monitor_run(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	if (bus->monitor_due > now || !any_monitored_is_open(bus))
		return;
	bus->monitor_due = now + partition->profile.monitor_latency * HVH_TIME_PER_US;
	for (uint32_t group = 0; group < VMBUS_MONITOR_GROUPS; group++)
		poll_group(partition, now, group);
}

void hvh_monitor_clear(struct hvh_channel *channel)
{
	struct hvh_partition *partition = channel->partition;
	uint32_t group = channel->monitor_id / BITS_PER_WORD, before;

	if (!channel->monitored)
		return;
	(void)hvh_memory_and32(partition, trigger_group(partition->vmbus, group),
			       ~(1u << channel->monitor_id % BITS_PER_WORD), &before);
	hvh_vmbus_forget_bit(partition, channel->id); /* it went with it */
}

void hvh_monitor_clear_all(struct hvh_partition *partition)
{
	uint32_t before;

	for (uint32_t group = 0; group < VMBUS_MONITOR_GROUPS; group++)
		(void)hvh_memory_and32(partition, trigger_group(partition->vmbus, group), 0, &before);
}

uint64_t hvh_monitor_next_event(const struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	return any_monitored_is_open(bus) ? bus->monitor_due : HVH_NEVER;
}

/* --- Host to guest ------------------------------------------------------------------------- */

void hvh_signal_guest(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_partition *partition = channel->partition;
	const struct hvh_vmbus *bus = partition->vmbus;
	uint32_t vp = channel->target_vp, flag = channel->id, before;

	if (vp == VMBUS_CHANNEL_VP_NONE)
		return;
	if (bus->version < VMBUS_VERSION_2_4) {
		uint64_t gpa = bus->pages.interrupt + VMBUS_INTERRUPT_PAGE_HOST_TO_GUEST +
			       (uint64_t)(flag / BITS_PER_WORD) * WORD_BYTES;
		hvh_memory_or32(partition, gpa, 1u << flag % BITS_PER_WORD, &before);
		flag = VMBUS_SHARED_EVENT_FLAG;
		vp = bus->vp;
	}
	if (!hvh_synic_signal(partition, now, vp, VMBUS_SINT, flag))
		hvh_note(partition, now, channel->id,
			 "signal lost: SynIC, its event page or the SINT is off");
}

void hvh_spurious(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_partition *partition = channel->partition;
	struct hvh_vmbus *bus = partition->vmbus;

	if (hvh_fault_strikes(partition, HVH_FAULT_SPURIOUS_EVENT))
		hvh_signal_guest(channel, now);
	if (bus->spurious_at == HVH_NEVER && hvh_fault_strikes(partition, HVH_FAULT_SPURIOUS_INTERRUPT)) {
		bus->spurious_vp = hvh_choose(partition, partition->vps);
		bus->spurious_at = now + 1 + hvh_choose(partition, HVH_DELAY_MAX);
	}
}
