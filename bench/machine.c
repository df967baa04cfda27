/* SPDX-License-Identifier: MIT */
#include "bench/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/msr.h"
#include "hvkit/wire/hypervisor.h"

#define BASE 0x100000ull /* guest-physical address of the first page: never 0 */
#define PAUSE_NS 1000u
#define TSC_HZ 10000000ull /* one tick is one unit of the reference time */
#define VECTOR 0x50u
#define DEVICE_VECTOR_FIRST 0x60u
#define DEVICE_VECTOR_COUNT 32u
#define SERIAL 0x1234u
#define TURNS_MAX 1000000u

/* The guest's CPU that this thread is just now. */
static _Thread_local uint32_t this_cpu;

void bench_fail(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

void bench_check(hvk_status status, const char *what)
{
	if (status != HVK_OK)
		bench_fail(what, hvk_status_text(status));
}

/* --- The port -------------------------------------------------------------------------- */

static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	(void)context;
	if (level == HVK_LOG_ERROR)
		(void)fprintf(stderr, "bench: guest: %s\n", text);
}

static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	struct bench_machine *machine = context;
	uint32_t run = 0;

	for (uint32_t i = 0; i < BENCH_PAGES; i++) {
		run = machine->used[i] ? 0 : run + 1;
		if (run < count)
			continue;
		i -= count - 1;
		memset(&machine->used[i], 1, count);
		*out = (struct hvk_pages){machine->memory + (size_t)i * HVK_PAGE_SIZE, count, use, NULL};
		memset(out->address, 0, (size_t)count * HVK_PAGE_SIZE);
		machine->pages_in_use += count;
		machine->allocations++;
		if (machine->pages_in_use > machine->pages_most)
			machine->pages_most = machine->pages_in_use;
		return HVK_OK;
	}
	return HVK_ENOMEM;
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	struct bench_machine *machine = context;
	size_t page = (size_t)((uint8_t *)pages->address - machine->memory) / HVK_PAGE_SIZE;

	memset(&machine->used[page], 0, pages->count);
	machine->pages_in_use -= pages->count;
}

static uint64_t port_page_gpa(void *context, const void *address)
{
	struct bench_machine *machine = context;

	return BASE + (uint64_t)((const uint8_t *)address - machine->memory);
}

static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	struct bench_machine *machine = context;

	hvh_cpuid(machine->partition, leaf, out);
}

static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	struct bench_machine *machine = context;

	return hvh_msr_read(machine->partition, machine->now, this_cpu, hvk_register_msr(reg), value)
		       ? HVK_OK
		       : HVK_EPRIVILEGE;
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct bench_machine *machine = context;

	return hvh_msr_write(machine->partition, machine->now, this_cpu, hvk_register_msr(reg), value)
		       ? HVK_OK
		       : HVK_EPRIVILEGE;
}

static void enter_host(struct bench_machine *machine)
{
	while (__atomic_exchange_n(&machine->host_busy, true, __ATOMIC_ACQUIRE))
		;
}

static void leave_host(struct bench_machine *machine)
{
	__atomic_store_n(&machine->host_busy, false, __ATOMIC_RELEASE);
}

static uint64_t port_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	struct bench_machine *machine = context;
	bool valid;
	uint64_t result;

	(void)page;
	enter_host(machine);
	result = hvh_hypercall(machine->partition, machine->now, this_cpu, control, input, output, &valid);
	leave_host(machine);
	return valid ? result : HV_STATUS_INVALID_HYPERCALL_CODE;
}

static uint64_t port_mmio_read(void *context, uint64_t address, unsigned width)
{
	struct bench_machine *machine = context;
	uint64_t value;

	enter_host(machine);
	machine->accesses++;
	(void)hvh_mmio_read(machine->partition, machine->now, this_cpu, address, width, &value);
	leave_host(machine);
	return value;
}

static void port_mmio_write(void *context, uint64_t address, unsigned width, uint64_t value)
{
	struct bench_machine *machine = context;

	enter_host(machine);
	machine->accesses++;
	(void)hvh_mmio_write(machine->partition, machine->now, this_cpu, address, width, value);
	leave_host(machine);
}

static void take_device_interrupts(struct bench_machine *machine)
{
	uint32_t *pending = &machine->devices_pending[this_cpu], vectors;

	if (__atomic_load_n(pending, __ATOMIC_RELAXED) == 0 || !machine->hvk)
		return;
	vectors = __atomic_exchange_n(pending, 0, __ATOMIC_ACQUIRE);
	for (uint8_t n = 0; n < DEVICE_VECTOR_COUNT; n++) {
		if (vectors & 1u << n)
			hvk_interrupt_device(machine->hvk, this_cpu, (uint8_t)(DEVICE_VECTOR_FIRST + n));
	}
}

static void take_interrupt(struct bench_machine *machine)
{
	bool *pending = &machine->interrupt_pending[this_cpu];

	take_device_interrupts(machine);
	if (!__atomic_load_n(pending, __ATOMIC_ACQUIRE))
		return;
	__atomic_store_n(pending, false, __ATOMIC_RELAXED);
	if (machine->events && machine->hvk) /* polled: nobody listens, the next poll finds it */
		hvk_interrupt(machine->hvk, this_cpu);
}

static void port_pause(void *context)
{
	struct bench_machine *machine = context;
	uint64_t next = hvh_next_event(machine->partition);

	machine->now += PAUSE_NS / 100u;
	if (next != HVH_NEVER && next > machine->now)
		machine->now = next; /* nothing can happen before */
	bench_host(machine);
	take_interrupt(machine);
}

static uint64_t port_tsc(void *context)
{
	return ((struct bench_machine *)context)->now;
}

static uint32_t port_cpu_index(void *context)
{
	(void)context;
	return this_cpu;
}

/* Interrupts come between calls only: with one thread there is nothing to keep out. */
static hvk_status port_lock_init(void *context, struct hvk_lock *lock)
{
	(void)context;
	(void)lock;
	return HVK_OK;
}

static void port_lock(void *context, struct hvk_lock *lock)
{
	(void)context;
	(void)lock;
}

static void port_spin_lock(void *context, struct hvk_lock *lock)
{
	(void)context;
	while (__atomic_exchange_n(&lock->words[0], 1, __ATOMIC_ACQUIRE))
		;
}

static void port_spin_unlock(void *context, struct hvk_lock *lock)
{
	(void)context;
	__atomic_store_n(&lock->words[0], 0, __ATOMIC_RELEASE);
}

static void make_port(struct bench_machine *machine, bool threads)
{
	machine->port = (struct hvk_port){
		.size = sizeof(struct hvk_port),
		.version = HVK_PORT_VERSION,
		.context = machine,
		.log = port_log,
		.pages_alloc = port_pages_alloc,
		.pages_free = port_pages_free,
		.page_gpa = port_page_gpa,
		.features = port_features,
		.reg_read = port_reg_read,
		.reg_write = port_reg_write,
		.hypercall = port_hypercall,
		.mmio_read = port_mmio_read,
		.mmio_write = port_mmio_write,
		.pause = port_pause,
		.pause_ns = PAUSE_NS,
		.tsc = port_tsc,
	};
	if (!machine->events)
		return;
	machine->port.cpu_index = port_cpu_index;
	machine->port.lock_init = port_lock_init;
	machine->port.lock = threads ? port_spin_lock : port_lock;
	machine->port.unlock = threads ? port_spin_unlock : port_lock;
}

/* --- The host -------------------------------------------------------------------------------- */

static void *translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	struct bench_machine *machine = context;

	(void)write;
	if (gpa < BASE || gpa - BASE + length > (uint64_t)BENCH_PAGES * HVK_PAGE_SIZE)
		return NULL;
	return machine->memory + (gpa - BASE);
}

static void raise_interrupt(void *context, uint32_t vp, uint8_t vector)
{
	struct bench_machine *machine = context;

	(void)__atomic_fetch_add(&machine->interrupts, 1, __ATOMIC_RELAXED);
	if (vector == VECTOR)
		__atomic_store_n(&machine->interrupt_pending[vp], true, __ATOMIC_RELEASE);
	else
		__atomic_fetch_or(&machine->devices_pending[vp], 1u << (vector - DEVICE_VECTOR_FIRST),
				  __ATOMIC_RELEASE);
}

static void violation(void *context, const struct hvh_violation *what)
{
	(void)context;
	bench_fail("violation", what->text);
}

static void frame_out(void *context, const void *frame, uint32_t length)
{
	struct bench_machine *machine = context;

	(void)frame;
	if (machine->frames_out++ == 0)
		machine->first_frame_hypercalls = bench_hypercalls(machine);
	machine->bytes_out += length;
}

static void create_host(struct bench_machine *machine, const struct bench_config *config)
{
	const struct hvh_profile *profile = hvh_profile_find(config->profile ? config->profile : "ws2022");
	struct hvh_profile own = *profile;
	const struct hvh_config host = {.profile = &own, .vps = machine->cpus, .seed = 1, .tsc_hz = TSC_HZ};
	const struct hvh_ops ops = {
		.context = machine,
		.translate = translate,
		.interrupt = raise_interrupt,
		.violation = violation,
	};
	const struct hvh_nic_config card = {.mac = {0, 0x15, 0x5d, 1, 2, 3}, .link_up = true};
	const struct hvh_backend backend = {.context = machine, .transmit = frame_out};
	const struct hvh_vf_config function = {.serial = SERIAL, .offer_delay = 1};

	if (config->ranges_max)
		own.ranges_per_packet_max = config->ranges_max;
	machine->memory = aligned_alloc(HVK_PAGE_SIZE, (size_t)BENCH_PAGES * HVK_PAGE_SIZE);
	machine->used = calloc(BENCH_PAGES, 1);
	machine->partition = machine->memory && machine->used ? hvh_create(&host, &ops) : NULL;
	if (!machine->partition)
		bench_fail("machine", "out of memory");
	if (config->nic)
		machine->host_nic = hvh_nic_create(machine->partition, &card, &backend);
	if (config->vf)
		machine->host_vf = hvh_vf_create(machine->partition, machine->host_nic, &function);
	if (config->populate)
		config->populate(machine);
}

void bench_host(struct bench_machine *machine)
{
	for (uint32_t i = 0; i < TURNS_MAX && hvh_run(machine->partition, machine->now); i++)
		;
}

uint64_t bench_hypercalls(const struct bench_machine *machine)
{
	struct hvh_counters counters;

	hvh_get_counters(machine->partition, &counters);
	return counters.hypercalls;
}

uint64_t bench_exits(const struct bench_machine *machine)
{
	return bench_hypercalls(machine) + machine->accesses;
}

/* --- The guest ------------------------------------------------------------------------------- */

void bench_guest_cpu(struct bench_machine *machine, uint32_t cpu)
{
	this_cpu = cpu;
	for (uint32_t i = 0; i < TURNS_MAX; i++) {
		take_interrupt(machine);
		if (!hvk_poll(machine->hvk, cpu))
			return;
	}
}

void bench_guest(struct bench_machine *machine)
{
	for (uint32_t cpu = machine->cpus; cpu-- > 0;) /* the calling thread is CPU 0 again */
		bench_guest_cpu(machine, cpu);
}

struct cpu_work {
	void (*work)(void *context, uint32_t cpu);
	void *context;
	uint32_t cpu;
};

static void do_cpu_work(void *context)
{
	const struct cpu_work *work = context;

	this_cpu = work->cpu;
	work->work(work->context, work->cpu);
}

void bench_each_cpu(struct bench_far *far, uint32_t cpus, void (*work)(void *context, uint32_t cpu),
		    void *context)
{
	struct cpu_work last = {work, context, cpus - 1};

	bench_far_begin(far, do_cpu_work, &last);
	for (uint32_t cpu = 0; cpu + 1 < cpus; cpu++)
		do_cpu_work(&(struct cpu_work){work, context, cpu});
	bench_far_wait(far);
	this_cpu = 0;
}

static bool interrupts_pending(const struct bench_machine *machine)
{
	bool pending = false;

	for (uint32_t cpu = 0; cpu < machine->cpus; cpu++)
		pending |= machine->interrupt_pending[cpu] || machine->devices_pending[cpu] != 0;
	return pending;
}

void bench_settle(struct bench_machine *machine)
{
	for (uint32_t i = 0; i < TURNS_MAX; i++) {
		uint64_t next = hvh_next_event(machine->partition);

		bench_guest(machine);
		if (next == HVH_NEVER && !interrupts_pending(machine))
			return;
		if (next != HVH_NEVER && next > machine->now)
			machine->now = next;
		bench_host(machine);
	}
	bench_fail("machine", "never settles");
}

void bench_wait(struct bench_machine *machine, const char *what)
{
	uint64_t end = machine->now + BENCH_WAIT_MS * 10000ull;

	/* hvk_wait runs one CPU; the others' work would wait. What goes from CPU to CPU takes no time. */
	while (machine->cpus > 1 && machine->request.status == HVK_EINPROGRESS && machine->now < end) {
		for (uint32_t i = 0; i < machine->cpus; i++)
			bench_guest(machine);
		if (machine->request.status == HVK_EINPROGRESS)
			port_pause(machine);
	}
	bench_check(hvk_wait(machine->hvk, &machine->request, BENCH_WAIT_MS), what);
}

/* CPU 0 last, which is where connect and disconnect are. */
static void on_each_cpu(struct bench_machine *machine, hvk_status (*call)(struct hvk *hvk), const char *what)
{
	for (uint32_t cpu = machine->cpus; cpu-- > 0;) {
		this_cpu = cpu;
		bench_check(call(machine->hvk), what);
	}
}

struct hvk_request *bench_request(struct bench_machine *machine)
{
	machine->request = (struct hvk_request){0};
	return &machine->request;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid network = VMBUS_GUID_NETVSC, pci = VMBUS_GUID_VPCI;
	struct bench_machine *machine = context;

	(void)again;
	if (memcmp(&hvk_channel_offer(channel)->type, &network, sizeof(network)) == 0)
		machine->nic_channel = channel;
	else if (memcmp(&hvk_channel_offer(channel)->type, &pci, sizeof(pci)) == 0)
		machine->bus_channel = channel;
	else if (machine->offered)
		machine->offered(machine, channel);
}

void bench_connect(struct bench_machine *machine, const struct bench_config *config)
{
	const struct hvk_config instance = {
		.cpus = config->cpus ? config->cpus : 1,
		.vector = VECTOR,
		.interrupts = config->events,
		.device_vector_first = config->vf ? DEVICE_VECTOR_FIRST : 0,
		.device_vector_count = config->vf ? DEVICE_VECTOR_COUNT : 0,
		.mmio_windows = {{HVH_MMIO_HIGH_BASE, HVH_MMIO_HIGH_LENGTH},
				 {HVH_MMIO_LOW_BASE, HVH_MMIO_LOW_LENGTH}},
	};
	const struct hvk_vmbus_config bus = {
		.mode = config->boot_mode ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.offered = offered,
		.context = machine,
	};

	memset(machine, 0, sizeof(*machine));
	machine->events = config->events;
	machine->cpus = instance.cpus;
	machine->offered = config->offered;
	machine->context = config->context;
	create_host(machine, config);
	make_port(machine, config->threads);
	bench_check(hvk_create(&machine->port, &instance, &machine->hvk), "hvk_create");
	bench_check(hvk_start(machine->hvk), "hvk_start");
	on_each_cpu(machine, hvk_cpu_start, "hvk_cpu_start");
	hvk_vmbus_connect(machine->hvk, &bus, bench_request(machine));
	bench_wait(machine, "connect");
}

void bench_attach(struct bench_machine *machine, const struct bench_config *config)
{
	const struct hvk_vf_config pairing = {.transparent = true, .grace_ms = HVK_VF_GRACE_EVENT};
	struct hvk_netvsc_config card = config->card;

	if (!machine->nic_channel)
		bench_fail("network card", "not offered");
	card.vf = config->vf;
	bench_check(hvk_netvsc_create(machine->nic_channel, &card, &machine->nic), "hvk_netvsc_create");
	machine->netdev = hvk_netvsc_netdev(machine->nic);
	hvk_netvsc_attach(machine->nic, bench_request(machine));
	bench_wait(machine, "attach");
	if (config->vf) {
		bench_check(hvk_vf_create(machine->nic, &pairing, &machine->vf), "hvk_vf_create");
		machine->netdev = hvk_vf_netdev(machine->vf);
	}
	hvk_netdev_set_flags(machine->netdev, HVK_NETDEV_UP, bench_request(machine));
	bench_wait(machine, "up");
}

void bench_start(struct bench_machine *machine, const struct bench_config *config)
{
	bench_connect(machine, config);
	if (config->nic)
		bench_attach(machine, config);
}

void bench_stop(struct bench_machine *machine)
{
	struct hvk_counters counters;

	if (machine->nic) {
		hvk_netvsc_detach(machine->nic, bench_request(machine));
		bench_wait(machine, "detach");
		if (machine->vf)
			bench_check(hvk_vf_destroy(machine->vf), "hvk_vf_destroy");
		bench_check(hvk_netvsc_destroy(machine->nic), "hvk_netvsc_destroy");
	}
	hvk_vmbus_disconnect(machine->hvk, bench_request(machine));
	bench_wait(machine, "disconnect");
	on_each_cpu(machine, hvk_cpu_stop, "hvk_cpu_stop");
	bench_check(hvk_stop(machine->hvk), "hvk_stop");
	hvk_get_counters(machine->hvk, &counters);
	bench_check(hvk_destroy(machine->hvk), "hvk_destroy");
	if (machine->pages_in_use != counters.quarantined_pages)
		bench_fail("machine", "pages were not given back");
	hvh_destroy(machine->partition);
	free(machine->memory);
	free(machine->used);
}
