/* SPDX-License-Identifier: MIT */
/* The machine: building it, the CPUs' programs, what must hold afterwards. */
#include "tests/support/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/wire/hypervisor.h"
#include "tests/support/rig_traffic.h"

#define LIMIT_MS_DEFAULT 400000u
#define REQUEST_MS 100000u
#define ABANDON_MS 20000u
#define CPU_REST_NS 200000000u /* long: a wake-up that gets lost is to be seen */
#define VECTOR 0xf3
#define VECTOR_BEFORE 0x21
#define DEVICE_VECTOR_FIRST 0x60u
#define DEVICE_VECTOR_COUNT 32u

static void note(struct rig *rig, const char *step, hvk_status status)
{
	if (status != HVK_OK && rig->result.status == HVK_OK) {
		rig->result.step = step;
		rig->result.status = status;
	}
}

static void dump_line(void *context, const char *line)
{
	(void)context;
	(void)fprintf(stderr, "  %s\n", line);
}

/* A request that does not end is the worst of faults: show everything. */
static hvk_status wait(struct rig *rig)
{
	hvk_status status = hvk_wait(rig->hvk, &rig->request, REQUEST_MS);

	if (rig->request.status == HVK_EINPROGRESS) {
		(void)fprintf(stderr, "a request did not end:\n");
		hvk_dump(rig->hvk, dump_line, rig);
		if (rig->nic)
			hvk_netvsc_dump(rig->nic, dump_line, rig);
		hvh_dump(hosted_partition(rig->machine), dump_line, rig);
	}
	return status;
}

static struct hvk_request *request(struct rig *rig)
{
	memset(&rig->request, 0, sizeof(rig->request));
	return &rig->request;
}

/* --- Bus ------------------------------------------------------------------------------ */

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC, echo = HVH_ECHO_GUID;
	struct rig *rig = context;

	if (rig->config.offered)
		rig->config.offered(rig->config.session_context, channel, again);
	if (memcmp(&hvk_channel_offer(channel)->type, &network, sizeof(network)) == 0)
		rig->channel = channel;
	if (memcmp(&hvk_channel_offer(channel)->type, &echo, sizeof(echo)) == 0)
		rig->echo_channel = channel;
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct rig *rig = context;

	if (rig->config.gone)
		rig->config.gone(rig->config.session_context, channel);
	if (channel == rig->channel)
		rig->channel = NULL;
	if (channel == rig->echo_channel)
		rig->echo_channel = NULL;
}

static hvk_status connect_bus(struct rig *rig)
{
	const struct hvk_vmbus_config config = {
		.mode = rig->config.vmbus_mode,
		.newest = rig->config.newest,
		.oldest = rig->config.oldest,
		.cpu = rig->config.bus_cpu,
		.offered = offered,
		.gone = gone,
		.context = rig,
	};
	uint32_t version;
	bool accepted;
	hvk_status status;

	hvk_vmbus_connect(rig->hvk, &config, request(rig));
	status = wait(rig);
	note(rig, "connect", status);
	while (hvk_vmbus_attempt(rig->hvk, rig->result.attempts, &version, &accepted))
		rig->result.attempts++;
	rig->result.version = hvk_vmbus_version(rig->hvk);
	return status;
}

static hvk_status suspend_and_resume(struct rig *rig)
{
	hvk_status status;

	hvk_vmbus_suspend(rig->hvk, request(rig));
	status = wait(rig);
	note(rig, "suspend", status);
	if (status != HVK_OK)
		return status;
	hvk_vmbus_resume(rig->hvk, request(rig));
	status = wait(rig);
	note(rig, "resume", status);
	if (status == HVK_OK && hvk_vmbus_version(rig->hvk) != rig->result.version)
		note(rig, "resume at the same version", HVK_EVERSION);
	return status;
}

/* --- Card ------------------------------------------------------------------------------- */

static void card_gone(void *context, struct hvk_netdev *netdev)
{
	struct rig *rig = context;

	(void)netdev;
	rig->nic_gone = true;
}

/* A host fails what is under way on a channel before it says that the channel is gone. */
static bool rescinded_soon(struct rig *rig)
{
	uint64_t end = hvk_time(rig->hvk) + HVK_TIME_PER_SECOND;

	while (!hvk_channel_rescinded(rig->channel) && hvk_time(rig->hvk) < end)
		rig_turn(rig);
	return hvk_channel_rescinded(rig->channel);
}

static bool card_up(struct rig *rig)
{
	struct hvk_netvsc_config config = {
		.cpu = rig->config.nic_cpu,
		.ring_pages = 4,
		.receive_buffer_pages = rig->config.receive_pages ? rig->config.receive_pages : 64,
		.send_buffer_pages = rig->config.by_page ? HVK_NETVSC_NO_SEND_BUFFER : 32,
		.nvs_newest = rig->config.nvs_newest,
		.rx_borrow = rig->config.rx_borrow,
		.queues = rig->config.queues,
		.offloads = rig->config.offloads,
	};
	struct hvk_netdev_hooks hooks = {.input = rig_traffic_input, .gone = card_gone, .context = rig};
	hvk_status status = hvk_netvsc_create(rig->channel, &config, &rig->nic);

	if (status == HVK_EGONE) {
		rig->channel = NULL; /* rescinded; its gone callback is on its way */
		return true;
	}
	note(rig, "create card", status);
	if (status != HVK_OK)
		return false;
	rig->nic_gone = false;
	hvk_netvsc_netdev(rig->nic)->hooks = hooks;
	hvk_netvsc_attach(rig->nic, request(rig));
	status = wait(rig);
	if (status == HVK_OK) {
		rig->result.nvs_version = hvk_netvsc_nvs_version(rig->nic);
		hvk_netdev_set_flags(hvk_netvsc_netdev(rig->nic), HVK_NETDEV_UP, request(rig));
		status = wait(rig);
		rig->nic_up = status == HVK_OK;
		if (getenv("RIG_LOG"))
			(void)fprintf(stderr, "card up: %s, %u sent so far\n", hvk_status_name(status),
				      rig->next_frame);
		if (status != HVK_OK && status != HVK_EGONE)
			note(rig, "card up", status);
		return true;
	}
	if (status != HVK_EGONE && !rescinded_soon(rig))
		note(rig, "attach card", status);
	(void)hvk_netvsc_destroy(rig->nic);
	rig->nic = NULL;
	return status == HVK_EGONE || rig->result.status == HVK_OK;
}

static void note_queues(struct rig *rig)
{
	struct rig_result *result = &rig->result;
	struct hvh_nic_queue_counters counters;

	result->queues = hvk_netvsc_netdev(rig->nic)->info.queues;
	result->queues_open = hvh_nic_queues(rig->host_nic);
	result->queues_sent = result->queues_taken = 0;
	for (uint32_t n = 0; hvh_nic_get_queue_counters(rig->host_nic, n, &counters); n++) {
		result->queues_sent += counters.from_guest_frames > 0;
		result->queues_taken += counters.to_guest_frames > 0;
	}
}

static void card_down(struct rig *rig)
{
	hvk_status status;

	if (!rig->nic)
		return;
	rig->nic_up = false;
	if (rig->nic_gone)
		rig->result.rescinds++;
	hvk_netdev_get_counters(hvk_netvsc_netdev(rig->nic), &rig->result.nic);
	if (rig->config.mode == HOSTED_DETERMINISTIC) /* nobody else is in the host */
		note_queues(rig);
	hvk_netvsc_detach(rig->nic, request(rig));
	rig_traffic_return(rig, false); /* detach waits for them */
	status = wait(rig);
	rig_traffic_return(rig, true);
	if (status != HVK_EGONE)
		note(rig, "detach card", status);
	note(rig, "destroy card", hvk_netvsc_destroy(rig->nic));
	rig->nic = NULL;
	rig_traffic_reset(rig);
}

/* --- CPUs ---------------------------------------------------------------------------------- */

static void rest(struct rig *rig, uint32_t cpu, uint64_t most_ns)
{
	uint64_t now = hvk_time(rig->hvk), next = hvk_next_deadline(rig->hvk, cpu);
	uint64_t ns = next <= now ? 0 : (next - now) > most_ns / 100 ? most_ns : (next - now) * 100;

	if (ns)
		hosted_wait(rig->machine, ns);
}

static void turn_on(struct rig *rig, uint32_t cpu)
{
	if (!hvk_poll(rig->hvk, cpu))
		rest(rig, cpu, CPU_REST_NS);
}

void rig_turn(struct rig *rig)
{
	turn_on(rig, rig->config.bus_cpu);
}

/* Traffic until everything is echoed, or nothing has moved for too long. */
static void traffic(struct rig *rig)
{
	uint32_t reattach = rig->config.reattach;

	rig->last_progress = hvk_time(rig->hvk);
	while (!rig_traffic_done(rig)) {
		if (rig->nic_gone)
			card_down(rig);
		if (!rig->nic && rig->channel && !card_up(rig))
			return;
		if (rig->nic_up)
			rig_traffic_send(rig);
		rig_turn(rig);
		if (reattach && rig->nic_up && rig->echoed > rig->config.frames / 2) {
			reattach--;
			card_down(rig);
		}
		if (rig_traffic_stalled(rig))
			return;
	}
}

/* Work for another CPU than the one that has it: NONE, then DUE, then DONE. */
enum { TURN_NONE, TURN_DUE, TURN_DONE };

static void abandon(struct rig *rig)
{
	/* The abrupt exit takes no lock: others are out of hvkit, but for their interrupts. */
	atomic_store(&rig->park, true);
	while (atomic_load(&rig->parked) + (rig->config.bus_cpu ? 2 : 1) < rig->config.cpus)
		hosted_wait(rig->machine, CPU_REST_NS);
	if (rig->config.abrupt_elsewhere == 0) {
		note(rig, "abandon", hvk_vmbus_abandon(rig->hvk, ABANDON_MS));
		return;
	}
	atomic_store(&rig->deaf, rig->config.abrupt_elsewhere == 2);
	atomic_store(&rig->abandon_turn, TURN_DUE);
	while (atomic_load(&rig->abandon_turn) != TURN_DONE)
		hosted_wait(rig->machine, CPU_REST_NS);
	note(rig, "abandon on CPU 1", rig->abandon_status);
}

static void with_bus(struct rig *rig)
{
	hvk_status status = connect_bus(rig);

	if (status == HVK_OK && rig->config.suspend)
		status = suspend_and_resume(rig);
	if (status == HVK_OK && rig->config.session)
		rig->config.session(rig->config.session_context, rig);
	if (status == HVK_OK && !rig->config.no_nic && rig->channel && card_up(rig)) {
		if (rig->config.ready)
			rig->config.ready(rig->config.context, rig);
		traffic(rig);
	}
	if (rig->config.abrupt) {
		abandon(rig);
		return;
	}
	card_down(rig);
	if (hvk_vmbus_state(rig->hvk) == HVK_VMBUS_CONNECTED ||
	    hvk_vmbus_state(rig->hvk) == HVK_VMBUS_SUSPENDED) {
		hvk_vmbus_disconnect(rig->hvk, request(rig));
		note(rig, "disconnect", wait(rig));
	}
}

static void with_cpus(struct rig *rig)
{
	hvk_status status = hvk_cpu_start(rig->hvk);

	note(rig, "cpu start", status);
	if (status != HVK_OK)
		return;
	atomic_fetch_add(&rig->cpus_up, 1);
	while (atomic_load(&rig->cpus_up) < rig->config.cpus)
		hosted_wait(rig->machine, CPU_REST_NS);
	atomic_store(&rig->bus_turn, TURN_DUE);
	if (rig->config.bus_cpu == 0)
		with_bus(rig);
	else
		while (atomic_load(&rig->bus_turn) != TURN_DONE)
			turn_on(rig, 0);
	atomic_store(&rig->cpus_stop, true);
	while (atomic_load(&rig->cpus_down) + 1 < rig->config.cpus)
		hosted_wait(rig->machine, CPU_REST_NS);
	note(rig, "cpu stop", hvk_cpu_stop(rig->hvk));
}

static void boot_cpu(void *context)
{
	struct rig *rig = context;
	hvk_status status = hvk_start(rig->hvk);

	note(rig, "start", status);
	if (status == HVK_OK) {
		with_cpus(rig);
		note(rig, "stop", hvk_stop(rig->hvk));
	}
	hvk_get_counters(rig->hvk, &rig->result.counters);
	note(rig, "destroy", hvk_destroy(rig->hvk));
}

/* What CPU 0 has handed to this one. */
static void do_turns(struct rig *rig, uint32_t cpu)
{
	if (cpu == rig->config.bus_cpu && atomic_load(&rig->bus_turn) == TURN_DUE) {
		with_bus(rig);
		atomic_store(&rig->bus_turn, TURN_DONE);
	}
	if (cpu == 1 && atomic_load(&rig->abandon_turn) == TURN_DUE) {
		rig->abandon_status = hvk_vmbus_abandon(rig->hvk, ABANDON_MS);
		atomic_store(&rig->abandon_turn, TURN_DONE);
	}
}

static void other_cpu(void *context)
{
	struct rig *rig = context;
	uint32_t cpu = hosted_port(rig->machine)->cpu_index(hosted_port(rig->machine)->context);

	while (atomic_load(&rig->cpus_up) == 0 && !hosted_stopping(rig->machine))
		hosted_wait(rig->machine, CPU_REST_NS);
	if (hosted_stopping(rig->machine) || hvk_cpu_start(rig->hvk) != HVK_OK)
		return;
	atomic_fetch_add(&rig->cpus_up, 1);
	while (!atomic_load(&rig->cpus_stop) && !atomic_load(&rig->park)) {
		do_turns(rig, cpu);
		turn_on(rig, cpu);
	}
	atomic_fetch_add(&rig->parked, 1);
	while (!atomic_load(&rig->cpus_stop)) {
		do_turns(rig, cpu);
		hosted_wait(rig->machine, CPU_REST_NS);
	}
	(void)hvk_cpu_stop(rig->hvk);
	atomic_fetch_add(&rig->cpus_down, 1);
}

static void interrupt(void *context, uint32_t cpu)
{
	struct rig *rig = context;

	if (cpu != 0 || !atomic_load(&rig->deaf))
		hvk_interrupt(rig->hvk, cpu);
}

static void device_interrupt(void *context, uint32_t cpu, uint8_t vector)
{
	struct rig *rig = context;

	if (cpu != 0 || !atomic_load(&rig->deaf))
		hvk_interrupt_device(rig->hvk, cpu, vector);
}

/* --- Building ----------------------------------------------------------------------------------- */

static void violation(void *context, const struct hvh_violation *violation)
{
	struct rig *rig = context;

	if (rig->result.first_violation[0] == '\0')
		(void)snprintf(rig->result.first_violation, sizeof(rig->result.first_violation), "%s: %s",
			       hvh_violation_name(violation->kind), violation->text);
}

/* What hvk_start and hvk_cpu_start write: nothing of it may be left behind. */
static const struct {
	const char *name;
	uint32_t msr;
	bool per_cpu;
} taken_registers[] = {
	{"GUEST_OS_ID", HV_MSR_GUEST_OS_ID, false},
	{"HYPERCALL", HV_MSR_HYPERCALL, false},
	{"REFERENCE_TSC", HV_MSR_REFERENCE_TSC, false},
	{"SCONTROL", HV_MSR_SCONTROL, true},
	{"SIMP", HV_MSR_SIMP, true},
	{"SIEFP", HV_MSR_SIEFP, true},
	{"SINT2", HV_MSR_SINT0 + VMBUS_SINT, true},
	{"STIMER0_CONFIG", HV_MSR_STIMER0_CONFIG, true},
	{"STIMER0_COUNT", HV_MSR_STIMER0_COUNT, true},
};

/* Reads them all; returns the name of the first that is not as before. */
static const char *read_registers(struct rig *rig, uint64_t *registers, const uint64_t *before)
{
	struct hvh_partition *partition = hosted_partition(rig->machine);
	const char *changed = NULL;
	size_t n = 0;

	hosted_lock(rig->machine);
	for (size_t i = 0; i < sizeof(taken_registers) / sizeof(taken_registers[0]); i++) {
		uint32_t msr = taken_registers[i].msr;

		if (msr == HV_MSR_REFERENCE_TSC && rig->config.no_reference_tsc)
			continue; /* reading it would fault */
		if (msr >= HV_MSR_STIMER0_CONFIG && rig->profile.timers == HVH_TIMERS_ABSENT)
			continue;
		for (uint32_t vp = 0; vp < (taken_registers[i].per_cpu ? rig->config.cpus : 1); vp++, n++) {
			(void)hvh_msr_read(partition, hosted_now(rig->machine), vp, msr, &registers[n]);
			if (before && !changed && registers[n] != before[n])
				changed = taken_registers[i].name;
		}
	}
	hosted_unlock(rig->machine);
	return changed;
}

/* Somebody had the machine before us: the SINT is masked, its vector not that of reset. */
static void leave_traces(struct rig *rig)
{
	struct hvh_partition *partition = hosted_partition(rig->machine);
	uint64_t now = hosted_now(rig->machine), value;

	hosted_lock(rig->machine);
	for (uint32_t vp = 0; vp < rig->config.cpus; vp++) {
		(void)hvh_msr_read(partition, now, vp, HV_MSR_SINT0 + VMBUS_SINT, &value);
		(void)hvh_msr_write(partition, now, vp, HV_MSR_SINT0 + VMBUS_SINT, value | VECTOR_BEFORE);
	}
	hosted_unlock(rig->machine);
}

static void log_line(void *context, enum hvk_log_level level, const char *text)
{
	struct rig *rig = context;

	if (getenv("RIG_LOG"))
		(void)fprintf(stderr, "%10llu %d %s\n", (unsigned long long)hosted_now(rig->machine),
			      (int)level, text);
}

static void send_early(struct rig *rig, const struct hvh_trace_record *record)
{
	struct vmbus_packet_descriptor packet;

	if (rig->early_sent || record->kind != HVH_TRACE_PACKET || !record->to_guest)
		return;
	memcpy(&packet, record->bytes, sizeof(packet));
	if (packet.type != VMBUS_PACKET_TRANSFER_PAGES)
		return;
	rig->early_sent = true;
	hvh_simwire_send_numbered(rig->wire, 1, rig->config.early_frames, 100);
}

static void tap(void *context, const struct hvh_trace_record *record)
{
	struct rig *rig = context;

	if (rig->config.tap)
		rig->config.tap(rig->config.context, record);
	if (rig->config.early_frames)
		send_early(rig, record);
}

static bool run_wire(void *context, uint64_t now)
{
	return hvh_simwire_run(context, now);
}

static uint64_t wire_next_event(void *context)
{
	return hvh_simwire_next_event(context);
}

/* What a card does about its queues once in its life needs more of a chance. */
static uint32_t chance_of(const struct rig_config *config, int fault)
{
	if (fault == HVH_FAULT_RESCIND)
		return config->rescind_chance;
	if (fault >= HVH_FAULT_FEWER_SUBCHANNELS && fault <= HVH_FAULT_MISSING_SEND_TABLE)
		return config->fault_chance < 65535 / 8 ? 8 * config->fault_chance : 65535;
	return config->fault_chance;
}

static void build_host(struct rig *rig)
{
	struct hvh_partition *partition = hosted_partition(rig->machine);
	struct hvh_nic_config nic = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true};
	struct hvh_backend backend;

	hvh_silence_set(partition, rig->config.silence);
	for (int i = 0; i < HVH_FAULT_COUNT; i++) {
		if ((rig->config.faults_off & (1u << i)) == 0)
			hvh_fault_set(partition, (enum hvh_fault)i, chance_of(&rig->config, i));
	}
	if (rig->config.echo)
		rig->host_echo = hvh_echo_create(partition, rig->config.echo);
	if (rig->config.no_nic)
		return;
	rig->wire = hvh_simwire_create(rig->config.seed);
	hvh_simwire_set_delay(rig->wire, rig->config.delay_max);
	hvh_simwire_backend(rig->wire, &backend);
	rig->host_nic = hvh_nic_create(partition, &nic, &backend);
	hvh_simwire_attach(rig->wire, rig->host_nic);
	hosted_add_world(rig->machine, run_wire, wire_next_event, rig->wire);
}

static bool build(struct rig *rig)
{
	const struct rig_config *c = &rig->config;
	struct hosted_config hosted = {
		.mode = c->mode,
		.cpus = c->cpus,
		.memory_pages = 4096,
		.seed = c->seed,
		.level0 = c->level0,
		.switch_chance = c->switch_chance,
		.host_by_caller = c->host_by_caller,
		.trace = c->trace,
		.tap = c->tap || c->early_frames ? tap : NULL,
		.no_reference_tsc = c->no_reference_tsc,
		.no_reference_counter = c->no_reference_counter,
		.log = log_line,
		.violation = violation,
		.context = rig,
	};
	struct hvk_config config = {.cpus = c->cpus,
				    .vector = VECTOR,
				    .interrupts = !c->level0,
				    .device_vector_first = c->level0 ? 0 : DEVICE_VECTOR_FIRST,
				    .device_vector_count = c->level0 ? 0 : DEVICE_VECTOR_COUNT,
				    .mmio_windows = {{HVH_MMIO_HIGH_BASE, HVH_MMIO_HIGH_LENGTH},
						     {HVH_MMIO_LOW_BASE, HVH_MMIO_LOW_LENGTH}}};
	uint32_t *timeouts = (uint32_t *)&config.timeouts;

	for (size_t i = 0; i < sizeof(config.timeouts) / sizeof(*timeouts); i++)
		timeouts[i] = c->timeout_ms;

	rig->profile = c->custom ? *c->custom : *hvh_profile_find(c->profile ? c->profile : "ws2022");
	if (c->accept_newest)
		rig->profile.accept_newest = c->accept_newest;
	hosted.profile = &rig->profile;
	rig->machine = hosted_create(&hosted);
	if (!rig->machine)
		return false;
	leave_traces(rig);
	(void)read_registers(rig, rig->registers, NULL);
	build_host(rig);
	hosted_fail_allocation(rig->machine, c->fail_allocation - 1);
	note(rig, "create", hvk_create(hosted_port(rig->machine), &config, &rig->hvk));
	hosted_set_interrupt(rig->machine, interrupt, rig);
	hosted_set_device_interrupts(rig->machine, DEVICE_VECTOR_FIRST, DEVICE_VECTOR_COUNT,
				     device_interrupt);
	hosted_set_program(rig->machine, 0, boot_cpu, rig);
	for (uint32_t i = 1; i < c->cpus; i++)
		hosted_set_program(rig->machine, i, other_cpu, rig);
	return rig->hvk != NULL;
}

static void collect(struct rig *rig)
{
	struct hvh_partition *partition = hosted_partition(rig->machine);
	struct rig_result *result = &rig->result;
	uint64_t registers[RIG_REGISTERS_MAX];

	if (result->finished)
		result->changed_register = read_registers(rig, registers, rig->registers);
	hvh_get_counters(partition, &result->host);
	result->violations = result->host.violations;
	result->quiet = hvh_quiet(partition);
	result->quarantined_pages = result->counters.quarantined_pages;
	result->leaked_pages = hosted_pages_in_use(rig->machine) - (uint32_t)result->quarantined_pages;
	result->bad_writes = hosted_writes_to_free_memory(rig->machine);
	for (int i = 0; i < HVH_FAULT_COUNT; i++)
		result->faults[i] = hvh_fault_count(partition, (enum hvh_fault)i);
	rig_traffic_collect(rig);
}

void rig_run(const struct rig_config *config, struct rig_result *result)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->config = *config;
	rig->random = config->seed;
	if (rig->config.cpus == 0)
		rig->config.cpus = 1;
	if (rig->config.limit_ms == 0)
		rig->config.limit_ms = LIMIT_MS_DEFAULT;
	rig_traffic_create(rig);
	if (build(rig))
		rig->result.finished = hosted_run(rig->machine, rig->config.limit_ms);
	if (rig->machine)
		collect(rig);
	*result = rig->result;
	/* A machine that hangs in threads mode still runs: leave it. */
	if (rig->machine && (rig->result.finished || config->mode == HOSTED_DETERMINISTIC)) {
		hosted_destroy(rig->machine);
		if (rig->wire)
			hvh_simwire_destroy(rig->wire);
		rig_traffic_destroy(rig);
		free(rig);
	}
}

const char *rig_check(const struct rig_result *r, bool lossless)
{
	static _Thread_local char text[256];

	text[0] = '\0';
	if (!r->finished)
		(void)snprintf(text, sizeof(text), "hang");
	else if (r->status != HVK_OK)
		(void)snprintf(text, sizeof(text), "%s: %s", r->step, hvk_status_name(r->status));
	else if (r->violations)
		(void)snprintf(text, sizeof(text), "%llu violations, first %s",
			       (unsigned long long)r->violations, r->first_violation);
	else if (r->duplicated || r->corrupt || r->strays || r->stream_duplicated || r->stream_corrupt)
		(void)snprintf(text, sizeof(text),
			       "frames: %u duplicated, %u corrupt, %u strays, %u/%u of the stream",
			       r->duplicated, r->corrupt, r->strays, r->stream_duplicated, r->stream_corrupt);
	else if (lossless && r->lost)
		(void)snprintf(text, sizeof(text), "%u frames lost of %u", r->lost, r->lost + r->echoed);
	else if (r->leaked_pages)
		(void)snprintf(text, sizeof(text), "%u pages leaked", r->leaked_pages);
	else if (r->bad_writes)
		(void)snprintf(text, sizeof(text), "%llu host writes into memory not its own",
			       (unsigned long long)r->bad_writes);
	else if (r->changed_register)
		(void)snprintf(text, sizeof(text), "%s is not as it was found", r->changed_register);
	return text[0] ? text : NULL;
}
