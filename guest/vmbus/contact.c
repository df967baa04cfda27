/* SPDX-License-Identifier: MIT */
/*
 * Making contact and leaving again.
 *
 *   system mode   CONTACT (newest first) -> OFFERS -> connected
 *   boot mode     PROBE at 3.0 -> PROBE_UNLOAD -> CONTACT (oldest first) -> OFFERS
 *   disconnect    CLOSING -> UNLOAD -> cold;  suspend  UNLOAD -> suspended
 *   resume        CONTACT (same version) -> OFFERS, channels matched by instance
 *   reconnect     as at first, from connected: the host's first answer ends what was
 */
#include "guest/vmbus/bus.h"

static const uint32_t boot_plan[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4,
				     VMBUS_VERSION_3_0};

static uint64_t step_time(const struct hvk *hvk, enum hvk_outgoing_kind kind)
{
	const struct hvk_timeouts *timeouts = &hvk->config.timeouts;
	uint32_t ms = kind == HVK_OUT_CONTACT          ? timeouts->contact_ms
		      : kind == HVK_OUT_REQUEST_OFFERS ? timeouts->offers_ms
						       : timeouts->unload_ms;

	return ms * HVK_TIME_PER_MS;
}

static void set_state(struct hvk *hvk, enum hvk_vmbus_state state)
{
	/* hvk_vmbus_state reads it anywhere. */
	__atomic_store_n(&hvk->bus->state, state, __ATOMIC_SEQ_CST);
	__atomic_store_n(&hvk->cpus[hvk->bus->config.cpu].in_use, !hvk_bus_at_rest(state), __ATOMIC_RELAXED);
}

static void go(struct hvk *hvk, enum hvk_contact_step step, enum hvk_outgoing_kind kind)
{
	hvk->bus->step = step;
	hvk->bus->deadline = HVK_NEVER; /* runs once it is posted */
	hvk_out_put(hvk, &hvk->bus->contact, kind);
}

static void finish(struct hvk *hvk, hvk_status status)
{
	struct hvk_request *request = hvk->bus->request;

	hvk->bus->request = NULL;
	hvk->bus->step = HVK_STEP_NONE;
	hvk->bus->deadline = HVK_NEVER;
	hvk_request_finish(hvk, request, status, hvk->bus->config.cpu);
}

/* --- Pages ------------------------------------------------------------------------ */

static hvk_status allocate_pages(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;
	hvk_status status = hvk_pages_get(hvk, 1, HVK_PAGE_HOST_WRITES, &bus->interrupt_page);
	struct hvk_shared both;

	if (status == HVK_OK)
		status = hvk_pages_get(hvk, 2, HVK_PAGE_HOST_WRITES, &bus->monitor_pages);
	if (status != HVK_OK) {
		hvk_pages_put(hvk, &bus->interrupt_page);
		return status;
	}
	bus->interrupt_bits = hvk_pages_shared(&bus->interrupt_page);
	both = hvk_pages_shared(&bus->monitor_pages);
	bus->monitor = hvk_shared_part(&both, HVK_PAGE_SIZE, HVK_PAGE_SIZE);
	return HVK_OK;
}

void hvk_contact_release_pages(struct hvk *hvk, bool quarantine)
{
	struct hvk_bus *bus = hvk->bus;

	if (quarantine) {
		(void)hvk_pages_quarantine(hvk, &bus->interrupt_page);
		(void)hvk_pages_quarantine(hvk, &bus->monitor_pages);
	} else {
		hvk_pages_put(hvk, &bus->interrupt_page);
		hvk_pages_put(hvk, &bus->monitor_pages);
	}
}

/* The connection is over: what of the pages is decided here, done in hvk_bus_poll
 * without the lock, and only then is the request finished. */
static void end(struct hvk *hvk, enum hvk_vmbus_state state, hvk_status status, bool host_may_write)
{
	struct hvk_bus *bus = hvk->bus;

	hvk_out_drop(hvk, &bus->contact);
	hvk_bus_set_scan(hvk, false);
	set_state(hvk, state);
	bus->ending = host_may_write ? HVK_END_QUARANTINE : HVK_END_FREE;
	bus->result = status;
	bus->step = HVK_STEP_NONE;
	bus->deadline = HVK_NEVER;
	bus->reconnecting = false;
	bus->knows_3_0 = state == HVK_VMBUS_SUSPENDED && bus->knows_3_0;
	if (state == HVK_VMBUS_SUSPENDED) {
		hvk_offer_suspend_all(hvk);
	} else {
		__atomic_store_n(&bus->version, NULL,
				 __ATOMIC_RELAXED); /* hvk_vmbus_version reads it anywhere */
		hvk_offer_release_all(hvk);
	}
}

void hvk_contact_settle(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;
	enum hvk_contact_end ending;

	hvk_lock(hvk, &bus->lock);
	ending = bus->ending;
	bus->ending = HVK_END_NONE;
	hvk_unlock(hvk, &bus->lock);
	if (ending == HVK_END_NONE)
		return;
	hvk_contact_release_pages(hvk, ending == HVK_END_QUARANTINE);
	hvk_lock(hvk, &bus->lock);
	finish(hvk, bus->result);
	hvk_unlock(hvk, &bus->lock);
}

/* --- INITIATE_CONTACT ------------------------------------------------------------- */

uint32_t hvk_contact_fill(struct hvk *hvk, void *to)
{
	const struct hvk_bus *bus = hvk->bus;
	struct vmbus_initiate_contact message = {
		.header = {VMBUS_MSG_INITIATE_CONTACT, 0},
		.version = bus->version->version,
		.target_vp = hvk->cpus[bus->config.cpu].vp_index,
		.interrupt_page_or_target = bus->version->contact_sint
						    ? VMBUS_SINT
						    : hvk_page_gpa(hvk, &bus->interrupt_page, 0),
		.monitor_page_host_to_guest = hvk_page_gpa(hvk, &bus->monitor_pages, 0),
		.monitor_page_guest_to_host = hvk_page_gpa(hvk, &bus->monitor_pages, 1),
	};

	memcpy(to, &message, sizeof(message));
	return sizeof(message);
}

uint32_t hvk_contact_connection(const struct hvk *hvk)
{
	return hvk->bus->version->contact_sint ? VMBUS_CONNECTION_MESSAGE_V5 : VMBUS_CONNECTION_MESSAGE;
}

static void try_version(struct hvk *hvk, enum hvk_contact_step step, uint32_t version)
{
	struct hvk_bus *bus = hvk->bus;

	__atomic_store_n(&bus->version, hvk_version_find(version), __ATOMIC_RELAXED);
	bus->message_connection = VMBUS_CONNECTION_MESSAGE;
	if (bus->attempt_count < HVK_ATTEMPTS_MAX)
		bus->attempts[bus->attempt_count++] = (struct hvk_attempt){version, false};
	go(hvk, step, HVK_OUT_CONTACT);
}

/* The last attempt was refused, so nothing of ours is known to the host. */
static void try_next(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;

	if (bus->plan_next < bus->plan_count)
		try_version(hvk, HVK_STEP_CONTACT, bus->plan[bus->plan_next++]);
	else
		end(hvk, HVK_VMBUS_COLD, HVK_EVERSION, false);
}

static void accepted(struct hvk *hvk, const struct hvk_message *message)
{
	struct hvk_bus *bus = hvk->bus;

	if (bus->version->contact_sint) {
		if (message->connection != VMBUS_CONNECTION_MESSAGE &&
		    message->connection != VMBUS_CONNECTION_MESSAGE_V5) {
			(void)hvk_fault(hvk, HVK_EHOST_VALUE, "message connection %u", message->connection);
			end(hvk, HVK_VMBUS_COLD, HVK_EHOST_VALUE, true);
			return;
		}
		bus->message_connection = message->connection;
	}
	if (bus->version->version >= VMBUS_VERSION_3_0)
		bus->knows_3_0 = true;
	if (bus->step == HVK_STEP_PROBE) {
		go(hvk, HVK_STEP_PROBE_UNLOAD, HVK_OUT_UNLOAD);
		return;
	}
	hvk_bus_set_scan(hvk, bus->version->shared_events);
	hvk_log(hvk, HVK_LOG_INFO, "vmbus: version %u.%u", bus->version->version >> 16,
		bus->version->version & 0xffffu);
	go(hvk, HVK_STEP_OFFERS, HVK_OUT_REQUEST_OFFERS);
}

static void refused(struct hvk *hvk)
{
	/* On purpose: we could drive this host, and would break the system we load. */
	if (hvk->bus->step == HVK_STEP_PROBE)
		end(hvk, HVK_VMBUS_COLD, HVK_EHOSTTOOOLD, false);
	else
		try_next(hvk);
}

void hvk_contact_version_response(struct hvk *hvk, const struct hvk_message *message)
{
	struct hvk_bus *bus = hvk->bus;

	if ((bus->step != HVK_STEP_PROBE && bus->step != HVK_STEP_CONTACT) || bus->contact.queued) {
		HVK_COUNT(hvk->counters.late_messages);
		return;
	}
	if (bus->reconnecting) { /* any contact makes the host let go of everything, taken or not */
		bus->reconnecting = false;
		hvk_offer_lost_all(hvk);
	}
	if (!message->supported) {
		refused(hvk); /* its state means nothing */
		return;
	}
	/* Below 2.4 the state may be uninitialised. */
	if (bus->version->checks_state && message->state != 0) {
		hvk_log(hvk, HVK_LOG_ERROR, "vmbus: version accepted, connection refused: state %u",
			message->state);
		end(hvk, HVK_VMBUS_COLD, HVK_EREFUSED_CONTACT, true);
		return;
	}
	bus->attempts[bus->attempt_count - 1].accepted = true;
	accepted(hvk, message);
}

void hvk_contact_all_offers(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;

	if (bus->step != HVK_STEP_OFFERS || bus->contact.queued) {
		HVK_COUNT(hvk->counters.late_messages);
		return;
	}
	set_state(hvk, HVK_VMBUS_CONNECTED);
	if (bus->resuming)
		hvk_offer_drop_absent(hvk);
	bus->resuming = false;
	hvk_bus_stir(hvk);
	bus->connect_finished = true; /* told after the offers are: hvk_bus_poll */
	bus->step = HVK_STEP_NONE;
	bus->deadline = HVK_NEVER;
}

/* --- Leaving ------------------------------------------------------------------------ */

void hvk_contact_unload_response(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;

	if (bus->contact.queued) {
		HVK_COUNT(hvk->counters.late_messages);
	} else if (bus->step == HVK_STEP_PROBE_UNLOAD) {
		try_next(hvk);
	} else if (bus->step == HVK_STEP_UNLOAD) {
		end(hvk, bus->suspending ? HVK_VMBUS_SUSPENDED : HVK_VMBUS_COLD, bus->result, false);
	} else {
		HVK_COUNT(hvk->counters.late_messages);
	}
}

void hvk_contact_posted(struct hvk *hvk, enum hvk_outgoing_kind kind, uint64_t now)
{
	struct hvk_bus *bus = hvk->bus;

	bus->deadline = now + step_time(hvk, kind);
	/* A host that does not know 3.0 may ignore UNLOAD and go on writing. */
	if (kind == HVK_OUT_UNLOAD && !bus->knows_3_0)
		end(hvk, HVK_VMBUS_COLD, bus->result, true);
}

void hvk_contact_post_failed(struct hvk *hvk, hvk_status status, bool no_connection)
{
	struct hvk_bus *bus = hvk->bus;

	if (no_connection && (bus->step == HVK_STEP_PROBE || bus->step == HVK_STEP_CONTACT)) {
		refused(hvk); /* an old host has no connection 4 */
		return;
	}
	if (bus->step == HVK_STEP_UNLOAD || bus->step == HVK_STEP_PROBE_UNLOAD ||
	    bus->step == HVK_STEP_OFFERS || bus->reconnecting)
		end(hvk, HVK_VMBUS_ABANDONED, status, true);
	else
		end(hvk, HVK_VMBUS_COLD, status, false); /* contact never reached the host */
}

/* A connection that did not get as far as offers is left as it would be at the end. */
static void give_up(struct hvk *hvk, hvk_status status)
{
	hvk->bus->result = status;
	set_state(hvk, HVK_VMBUS_UNLOADING);
	hvk->bus->resuming = false;
	go(hvk, HVK_STEP_UNLOAD, HVK_OUT_UNLOAD);
}

static void timed_out(struct hvk *hvk)
{
	switch (hvk->bus->step) {
	case HVK_STEP_PROBE:
	case HVK_STEP_CONTACT:
		end(hvk, hvk->bus->reconnecting ? HVK_VMBUS_ABANDONED : HVK_VMBUS_COLD, HVK_ETIMEDOUT_CONTACT,
		    true);
		break;
	case HVK_STEP_OFFERS:
		give_up(hvk, HVK_ETIMEDOUT_OFFERS);
		break;
	case HVK_STEP_UNLOAD:
	case HVK_STEP_PROBE_UNLOAD:
		end(hvk, HVK_VMBUS_ABANDONED,
		    hvk->bus->result == HVK_OK ? HVK_ETIMEDOUT_UNLOAD : hvk->bus->result, true);
		break;
	case HVK_STEP_CLOSING: /* each close and teardown has its own time-out */
	case HVK_STEP_NONE:
		break;
	}
}

static void close_all(struct hvk *hvk)
{
	for (struct hvk_link *link = hvk->bus->active; link; link = link->next) {
		struct hvk_channel *channel = HVK_OWNER(hvk_channel, active, link);

		if (channel->state == HVK_CHANNEL_OPEN)
			hvk_channel_begin_close(hvk, channel);
	}
}

void hvk_contact_advance(struct hvk *hvk, uint64_t now)
{
	struct hvk_bus *bus = hvk->bus;

	if (now >= bus->deadline)
		timed_out(hvk);
	if (bus->step != HVK_STEP_CLOSING)
		return;
	close_all(hvk); /* one that was opening may be open by now */
	if (bus->active)
		return;
	hvk_gpadl_teardown_all(hvk);
	if (!bus->gpadls && !bus->gpadls_live && !bus->gpadls_done)
		go(hvk, HVK_STEP_UNLOAD, HVK_OUT_UNLOAD);
}

uint64_t hvk_contact_deadline(const struct hvk *hvk)
{
	return hvk->bus->ending != HVK_END_NONE || hvk->bus->connect_finished ? 0 : hvk->bus->deadline;
}

/* --- The requests ---------------------------------------------------------------------- */

static hvk_status plan_system(struct hvk_bus *bus, const struct hvk_vmbus_config *config)
{
	const struct hvk_version *version;

	for (uint32_t i = 0; (version = hvk_version_get(i)) != NULL; i++) {
		if (version->version < config->oldest ||
		    (config->newest && version->version > config->newest))
			continue;
		if (config->cpu == 0 ||
		    version->contact_cpu) /* else messages come to CPU 0 whatever we say */
			bus->plan[bus->plan_count++] = version->version;
	}
	return bus->plan_count ? HVK_OK : HVK_EINVAL;
}

static hvk_status plan(struct hvk_bus *bus, const struct hvk_vmbus_config *config)
{
	bus->plan_count = 0;
	bus->plan_next = 0;
	bus->attempt_count = 0;
	if (config->mode == HVK_VMBUS_MODE_SYSTEM)
		return plan_system(bus, config);
	if (config->cpu != 0)
		return HVK_EINVAL; /* the oldest version knows CPU 0 only */
	memcpy(bus->plan, boot_plan, sizeof(boot_plan));
	bus->plan_count = sizeof(boot_plan) / sizeof(boot_plan[0]);
	return HVK_OK;
}

static hvk_status check_connect(struct hvk *hvk, enum hvk_vmbus_state from, uint32_t cpu)
{
	if (cpu >= hvk->config.cpus)
		return HVK_EINVAL;
	if (hvk->bus->state != from || !hvk->hypervisor.started || !hvk->cpus[cpu].started ||
	    hvk->bus->request)
		return HVK_ESTATE;
	if (hvk_cpu_index(hvk) != cpu)
		return HVK_ECONTEXT;
	return hvk_quarantine_check(hvk);
}

static void begin_contact(struct hvk *hvk, struct hvk_request *request)
{
	struct hvk_bus *bus = hvk->bus;

	hvk_lock(hvk, &bus->lock);
	bus->request = request;
	bus->result = HVK_OK;
	bus->suspending = false;
	set_state(hvk, HVK_VMBUS_CONNECTING);
	if (!bus->resuming) /* a host does not forget it; 0.13 may be in use */
		bus->knows_3_0 = false;
	if (bus->config.mode == HVK_VMBUS_MODE_BOOT && !bus->resuming)
		try_version(hvk, HVK_STEP_PROBE, VMBUS_VERSION_3_0);
	else
		try_next(hvk);
	hvk_unlock(hvk, &bus->lock);
}

void hvk_vmbus_connect(struct hvk *hvk, const struct hvk_vmbus_config *config, struct hvk_request *request)
{
	struct hvk_bus *bus = hvk->bus;
	hvk_status status = check_connect(hvk, HVK_VMBUS_COLD, config->cpu);

	hvk_request_begin(request);
	if (status == HVK_OK)
		status = plan(bus, config);
	if (status == HVK_OK)
		status = allocate_pages(hvk);
	if (status != HVK_OK) {
		hvk_request_finish(hvk, request, status, hvk_cpu_index(hvk));
		return;
	}
	bus->config = *config;
	bus->resuming = false;
	__atomic_store_n(&bus->contact_cpu, config->cpu, __ATOMIC_RELAXED);
	begin_contact(hvk, request);
}

void hvk_vmbus_resume(struct hvk *hvk, struct hvk_request *request)
{
	struct hvk_bus *bus = hvk->bus;
	hvk_status status = check_connect(hvk, HVK_VMBUS_SUSPENDED, bus->config.cpu);

	hvk_request_begin(request);
	if (status == HVK_OK)
		status = allocate_pages(hvk);
	if (status != HVK_OK) {
		hvk_request_finish(hvk, request, status, hvk_cpu_index(hvk));
		return;
	}
	bus->plan[0] = bus->version->version; /* the same version, or not at all */
	bus->plan_count = 1;
	bus->plan_next = 0;
	bus->attempt_count = 0;
	bus->resuming = true;
	begin_contact(hvk, request);
}

void hvk_vmbus_reconnect(struct hvk *hvk, struct hvk_request *request)
{
	struct hvk_bus *bus = hvk->bus;

	hvk_request_begin(request);
	(void)plan(bus, &bus->config); /* as it was good for the first time */
	hvk_shared_zero(&bus->interrupt_bits, 0, bus->interrupt_bits.size);
	hvk_shared_zero(&bus->monitor, 0, bus->monitor.size);
	hvk_bus_set_scan(hvk, false);
	hvk_lock(hvk, &bus->lock);
	bus->reconnecting = true;
	bus->resuming = false;
	hvk_offer_lose_all(hvk);
	hvk_unlock(hvk, &bus->lock);
	begin_contact(hvk, request);
}

static void leave(struct hvk *hvk, struct hvk_request *request, bool suspend)
{
	struct hvk_bus *bus = hvk->bus;
	hvk_status status = HVK_OK;

	hvk_request_begin(request);
	hvk_lock(hvk, &bus->lock);
	if (bus->state != HVK_VMBUS_CONNECTED || bus->request)
		status = HVK_ESTATE;
	else if (hvk_cpu_index(hvk) != bus->config.cpu)
		status = HVK_ECONTEXT;
	else if (suspend && (bus->active || bus->gpadls || bus->gpadls_live))
		status = HVK_EBUSY;
	else if (suspend && !bus->knows_3_0)
		status = HVK_ENOTSUP; /* there is no way back on such a host */
	if (status == HVK_OK) {
		bus->request = request;
		bus->result = HVK_OK;
		bus->suspending = suspend;
		set_state(hvk, HVK_VMBUS_UNLOADING);
		bus->step = HVK_STEP_CLOSING;
		bus->deadline = HVK_NEVER;
		hvk_contact_advance(hvk, 0);
	}
	hvk_unlock(hvk, &bus->lock);
	if (status != HVK_OK)
		hvk_request_finish(hvk, request, status, hvk_cpu_index(hvk));
}

void hvk_vmbus_disconnect(struct hvk *hvk, struct hvk_request *request)
{
	leave(hvk, request, false);
}

void hvk_vmbus_suspend(struct hvk *hvk, struct hvk_request *request)
{
	leave(hvk, request, true);
}
