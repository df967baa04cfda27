/* SPDX-License-Identifier: MIT */
/* The hypervisor behind the port, the machine's life, and what must hold at its end. */
#include "tests/fuzz/hostile.h"

#include "hvkit/wire/vmbus.h"

#define LOG_MAX 199u

/* --- Memory ---------------------------------------------------------------------- */

/* The hypervisor writes to these pages whenever it likes. */
static void check_registers(const struct hostile *machine, uint64_t address, uint32_t pages)
{
	static const enum hvk_register registers[] = {HVK_REG_SIMP, HVK_REG_SIEFP, HVK_REG_REFERENCE_TSC,
						      HVK_REG_HYPERCALL};

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		uint64_t value = machine->port.registers[registers[i]];

		FUZZ_CHECK(!(value & HV_PAGE_ENABLE) || (value & HV_PAGE_ADDRESS_MASK) < address ||
			   (value & HV_PAGE_ADDRESS_MASK) >= address + (uint64_t)pages * HVK_PAGE_SIZE);
	}
}

static void freed(void *owner, uint64_t gpa, uint32_t pages)
{
	struct hostile *machine = owner;

	check_registers(machine, gpa, pages);
	hostile_check_free(machine, gpa, pages);
}

uint8_t *hostile_memory(struct hostile *machine, uint64_t address, uint32_t length)
{
	return polled_port_at(&machine->port, address, length);
}

/* --- The hypervisor ----------------------------------------------------------------- */

static void logged(void *owner, enum hvk_log_level level, const char *text)
{
	(void)owner, (void)level;
	FUZZ_CHECK(strlen(text) <= LOG_MAX);
}

static bool counter(void *owner, uint64_t *value)
{
	const struct hostile *machine = owner;

	*value = machine->clock;
	return machine->clock_set;
}

static void end_of_message(void *owner)
{
	hostile_deliver(owner);
}

static uint64_t post(struct hostile *machine, uint64_t address)
{
	struct hv_post_message_input input;
	const uint8_t *from = hostile_memory(machine, address, sizeof(input));

	FUZZ_CHECK(from != NULL && address % 8 == 0);
	memcpy(&input, from, sizeof(input));
	if (machine->post_failures != 0) {
		machine->post_failures--;
		return machine->post_status;
	}
	return hostile_post(machine, &input);
}

static uint64_t hypercall(void *owner, const void *page, uint64_t control, uint64_t input)
{
	struct hostile *machine = owner;

	FUZZ_CHECK((uint64_t)(uintptr_t)page ==
		   (machine->port.registers[HVK_REG_HYPERCALL] & HV_PAGE_ADDRESS_MASK));
	if (control == HV_CALL_POST_MESSAGE)
		return post(machine, input);
	if (machine->mmio && (control & 0xffffu) == HV_CALL_RETARGET_DEVICE_INTERRUPT)
		return machine->retarget_status;
	FUZZ_CHECK(control == (HV_CALL_SIGNAL_EVENT | HV_CALL_FAST));
	if (machine->signal_failures == 0)
		return HV_STATUS_SUCCESS;
	machine->signal_failures--;
	return machine->signal_status;
}

static void count_step(struct hostile *machine)
{
	FUZZ_CHECK(++machine->steps < HOSTILE_STEPS);
}

static void paused(void *owner)
{
	struct hostile *machine = owner;

	count_step(machine);
	hostile_net_run(machine);
	hostile_deliver(machine);
}

static uint64_t port_tsc(void *context)
{
	const struct polled_port *port = context;

	return port->now;
}

static uint32_t cpu_index(void *context)
{
	const struct polled_port *port = context;
	const struct hostile *machine = port->owner;

	return machine->cpu;
}

static void switched(void *owner)
{
	struct hostile *machine = owner;

	for (uint32_t i = 0; i < HOSTILE_ARMED; i++) {
		struct hostile_armed *armed = &machine->armed[i];

		if (armed->after != 0 && --armed->after == 0)
			hostile_write(machine, armed->place, armed->offset, armed->bytes, armed->length);
	}
}

/* --- Life ------------------------------------------------------------------------------------ */

static void fill_port(struct hostile *machine)
{
	struct polled_port *port = &machine->port;

	polled_port_init(port, machine, HOSTILE_PAUSE_NS);
	polled_port_locks(port);
	port->access = HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL |
		       HV_ACCESS_REFERENCE_TSC;
	port->port.tsc = port_tsc;
	port->port.cpu_index = cpu_index;
	port->paused = paused;
	port->end_of_message = end_of_message;
	port->freed = freed;
	port->logged = logged;
	port->counter = counter;
	port->hypercall = hypercall;
	port->switched = switched;
}

/* CPU 0 last: the one set of registers is its in the end. */
static void start_cpus(struct hostile *machine)
{
	for (uint32_t n = machine->cpus; n-- > 0;) {
		machine->cpu = n;
		machine->port.registers[HVK_REG_VP_INDEX] = n;
		FUZZ_CHECK(hvk_cpu_start(machine->hvk) == HVK_OK);
	}
}

static void stop_cpus(struct hostile *machine)
{
	for (uint32_t n = machine->cpus; n-- > 0;) {
		machine->cpu = n;
		FUZZ_CHECK(hvk_cpu_stop(machine->hvk) == HVK_OK);
	}
}

static bool in_window(uint64_t address, uint64_t window, unsigned width)
{
	return address >= window && address - window <= HOSTILE_WINDOW - width;
}

static uint64_t access_memory(struct hostile *machine, uint64_t address, unsigned width, const uint64_t *to)
{
	FUZZ_CHECK(width == 1 || width == 2 || width == 4 || width == 8);
	FUZZ_CHECK(address % width == 0);
	FUZZ_CHECK(in_window(address, HOSTILE_LOW, width) || in_window(address, HOSTILE_HIGH, width));
	return machine->mmio(machine, address, width, to);
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned width)
{
	return access_memory(((struct polled_port *)context)->owner, address, width, NULL);
}

static void mmio_write(void *context, uint64_t address, unsigned width, uint64_t value)
{
	(void)access_memory(((struct polled_port *)context)->owner, address, width, &value);
}

static void give_devices(struct hostile *machine, struct hvk_config *config, hostile_mmio mmio)
{
	machine->mmio = mmio;
	machine->port.port.mmio_read = mmio_read;
	machine->port.port.mmio_write = mmio_write;
	config->mmio_windows[0] = (struct hvk_mmio_range){HOSTILE_LOW, HOSTILE_WINDOW};
	config->mmio_windows[1] = (struct hvk_mmio_range){HOSTILE_HIGH, HOSTILE_WINDOW};
	config->interrupts = true;
	config->vector = HOSTILE_VECTOR - 1;
	config->device_vector_first = HOSTILE_VECTOR;
	config->device_vector_count = HOSTILE_VECTORS;
}

struct hostile *hostile_create(uint32_t newest, uint32_t cpus)
{
	return hostile_create_with_devices(newest, cpus, NULL);
}

struct hostile *hostile_create_with_devices(uint32_t newest, uint32_t cpus, hostile_mmio mmio)
{
	static const struct vmbus_guid netvsc = VMBUS_GUID_NETVSC;
	struct hostile *machine = calloc(1, sizeof(*machine));
	struct hvk_config config = {.cpus = cpus, .log_level = HVK_LOG_DEBUG};
	uint32_t *timeouts = (uint32_t *)&config.timeouts;

	FUZZ_CHECK(machine != NULL);
	for (size_t i = 0; i < sizeof(config.timeouts) / sizeof(*timeouts); i++)
		timeouts[i] = HOSTILE_TIMEOUT_MS;
	machine->newest = newest;
	machine->cpus = cpus;
	machine->type = netvsc;
	hostile_net_reset(machine);
	fill_port(machine);
	if (mmio)
		give_devices(machine, &config, mmio);
	FUZZ_CHECK(hvk_create(&machine->port.port, &config, &machine->hvk) == HVK_OK);
	FUZZ_CHECK(hvk_start(machine->hvk) == HVK_OK);
	start_cpus(machine);
	return machine;
}

void hostile_step(struct hostile *machine)
{
	count_step(machine);
	hostile_net_run(machine);
	hostile_deliver(machine);
	for (uint32_t n = machine->cpus; n-- > 0;) {
		machine->cpu = n;
		(void)hvk_poll(machine->hvk, n);
		FUZZ_CHECK(machine->port.locks == 0);
	}
}

void hostile_wait(struct hostile *machine, struct hvk_request *request)
{
	if (request->status != HVK_EINPROGRESS)
		return;
	/* A clock that jumps may end the user's own wait, not the request's. */
	for (uint32_t i = 0; i < HOSTILE_STEPS && request->status == HVK_EINPROGRESS; i++) {
		count_step(machine);
		(void)hvk_wait(machine->hvk, request, machine->cpus == 1 ? HOSTILE_WAIT_MS : 1);
		if (machine->cpus != 1)
			hostile_step(machine); /* the other CPU has a part in it */
	}
	FUZZ_CHECK(request->status != HVK_EINPROGRESS);
}

void hostile_connect(struct hostile *machine, const struct hvk_vmbus_config *config)
{
	hvk_vmbus_connect(machine->hvk, config, &machine->connect);
	hostile_wait(machine, &machine->connect);
}

static void leave(struct hostile *machine)
{
	hostile_wait(machine, &machine->connect);
	hostile_wait(machine, &machine->leave);
	if (hvk_vmbus_state(machine->hvk) == HVK_VMBUS_CONNECTED) {
		hvk_vmbus_disconnect(machine->hvk, &machine->leave);
		hostile_wait(machine, &machine->leave);
	}
	if (hvk_vmbus_state(machine->hvk) != HVK_VMBUS_COLD)
		(void)hvk_vmbus_abandon(machine->hvk, HOSTILE_TIMEOUT_MS);
	stop_cpus(machine);
	FUZZ_CHECK(hvk_stop(machine->hvk) == HVK_OK);
}

void hostile_line(void *context, const char *text)
{
	(void)context;
	FUZZ_CHECK(strlen(text) < LOG_MAX);
}

static void check_quarantine(struct hostile *machine)
{
	struct hvk_pages pages;

	for (uint32_t i = 0; hvk_quarantine_pages(machine->hvk, i, &pages); i++)
		FUZZ_CHECK(hostile_memory(machine, (uint64_t)(uintptr_t)pages.address,
					  pages.count * HVK_PAGE_SIZE) != NULL);
}

void hostile_destroy(struct hostile *machine)
{
	struct hvk_counters counters;
	uint64_t withheld;
	bool cold;

	hvk_dump(machine->hvk, hostile_line, NULL);
	leave(machine);
	cold = hvk_vmbus_state(machine->hvk) == HVK_VMBUS_COLD;
	hvk_get_counters(machine->hvk, &counters);
	check_quarantine(machine);
	FUZZ_CHECK(hvk_destroy(machine->hvk) == HVK_OK);
	for (uint32_t n = 0; n < machine->port.memory_top; n++) {
		const struct polled_memory *memory = &machine->port.memory[n];

		/* Only what the host may reach can be left. */
		FUZZ_CHECK(memory->count == 0 || memory->use == HVK_PAGE_HOST_WRITES ||
			   memory->use == HVK_PAGE_HOST_READS);
	}
	withheld = polled_port_end(&machine->port);
	/* An abandoned bus withholds what was open as well. */
	FUZZ_CHECK(cold ? withheld == counters.quarantined_pages : withheld >= counters.quarantined_pages);
	free(machine);
}
