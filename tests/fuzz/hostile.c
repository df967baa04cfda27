/* SPDX-License-Identifier: MIT */
/* The port: memory that is watched, registers in an array, hypercalls, virtual time. */
#include "tests/fuzz/hostile.h"

#include "hvkit/wire/vmbus.h"

#define TICK_NS 100u
#define LOCKS_NESTED 2u
#define LOG_MAX 199u

/* Switch points come without a context. */
static struct hostile *current;

/* --- Memory ---------------------------------------------------------------------- */

static uint32_t find_free(const struct hostile *machine)
{
	uint32_t n = 0;

	while (n < HOSTILE_ALLOCATIONS && machine->memory[n].count != 0)
		n++;
	return n;
}

static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	struct hostile *machine = context;
	size_t bytes = (size_t)count * HVK_PAGE_SIZE;
	uint32_t n = find_free(machine);

	FUZZ_CHECK(count >= 1 && count <= 8192 && machine->locks == 0);
	if ((machine->fail_allocation != 0 && --machine->fail_allocation == 0) || n == HOSTILE_ALLOCATIONS)
		return HVK_ENOMEM;
	machine->memory[n].address = aligned_alloc(HVK_PAGE_SIZE, bytes);
	FUZZ_CHECK(machine->memory[n].address != NULL);
	memset(machine->memory[n].address, 0, bytes);
	machine->memory[n].count = count;
	machine->memory[n].use = use;
	*out = (struct hvk_pages){machine->memory[n].address, count, use, NULL};
	return HVK_OK;
}

/* The hypervisor writes to these pages whenever it likes. */
static void check_registers(const struct hostile *machine, uint64_t address, uint32_t pages)
{
	static const enum hvk_register registers[] = {HVK_REG_SIMP, HVK_REG_SIEFP, HVK_REG_REFERENCE_TSC,
						      HVK_REG_HYPERCALL};

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		uint64_t value = machine->registers[registers[i]];

		FUZZ_CHECK(!(value & HV_PAGE_ENABLE) || (value & HV_PAGE_ADDRESS_MASK) < address ||
			   (value & HV_PAGE_ADDRESS_MASK) >= address + (uint64_t)pages * HVK_PAGE_SIZE);
	}
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	struct hostile *machine = context;
	uint32_t n = 0;

	FUZZ_CHECK(machine->locks == 0);
	while (n < HOSTILE_ALLOCATIONS &&
	       (machine->memory[n].count == 0 || machine->memory[n].address != pages->address))
		n++;
	FUZZ_CHECK(n < HOSTILE_ALLOCATIONS && machine->memory[n].count == pages->count);
	check_registers(machine, (uint64_t)(uintptr_t)pages->address, pages->count);
	hostile_check_free(machine, (uint64_t)(uintptr_t)pages->address, pages->count);
	free(machine->memory[n].address);
	machine->memory[n].count = 0;
}

uint8_t *hostile_memory(struct hostile *machine, uint64_t address, uint32_t length)
{
	for (uint32_t n = 0; n < HOSTILE_ALLOCATIONS; n++) {
		uint64_t first = (uint64_t)(uintptr_t)machine->memory[n].address;
		uint64_t size = (uint64_t)machine->memory[n].count * HVK_PAGE_SIZE;

		if (size == 0 || address < first || address - first >= size)
			continue;
		if (machine->memory[n].use == HVK_PAGE_PRIVATE || length > size - (address - first))
			return NULL;
		return machine->memory[n].address + (address - first);
	}
	return NULL;
}

static uint64_t port_page_gpa(void *context, const void *address)
{
	uint64_t gpa = (uint64_t)(uintptr_t)address;

	FUZZ_CHECK(gpa % HVK_PAGE_SIZE == 0 && hostile_memory(context, gpa, HVK_PAGE_SIZE) != NULL);
	return gpa;
}

/* --- The hypervisor ----------------------------------------------------------------- */

static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	(void)context;
	FUZZ_CHECK(level >= HVK_LOG_ERROR && level <= HVK_LOG_DEBUG && strlen(text) <= LOG_MAX);
}

static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	(void)context;
	memset(out, 0, 4 * sizeof(*out));
	if (leaf == HV_CPUID_PROCESSOR_INFO)
		out[2] = HV_CPUID_HYPERVISOR_PRESENT_ECX;
	else if (leaf == HV_CPUID_VENDOR)
		out[0] = HV_CPUID_HIGHEST_LEAF_MIN;
	else if (leaf == HV_CPUID_INTERFACE)
		out[0] = HV_CPUID_INTERFACE_HV1;
	if (leaf != HV_CPUID_FEATURES)
		return;
	out[0] = HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL |
		 HV_ACCESS_REFERENCE_TSC;
	out[1] = HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS;
}

static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	struct hostile *machine = context;

	FUZZ_CHECK(reg <= HVK_REG_SINT15);
	*value = machine->registers[reg];
	if (reg == HVK_REG_REFERENCE_COUNTER)
		*value = machine->clock_set ? machine->clock : machine->now;
	return HVK_OK;
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct hostile *machine = context;

	FUZZ_CHECK(reg <= HVK_REG_SINT15);
	if (reg == HVK_REG_EOM)
		hostile_deliver(machine);
	else
		machine->registers[reg] = value;
	return HVK_OK;
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

static uint64_t port_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	struct hostile *machine = context;

	(void)output;
	FUZZ_CHECK((uint64_t)(uintptr_t)page ==
		   (machine->registers[HVK_REG_HYPERCALL] & HV_PAGE_ADDRESS_MASK));
	if (control == HV_CALL_POST_MESSAGE)
		return post(machine, input);
	FUZZ_CHECK(control == (HV_CALL_SIGNAL_EVENT | HV_CALL_FAST));
	if (machine->signal_failures == 0)
		return HV_STATUS_SUCCESS;
	machine->signal_failures--;
	return machine->signal_status;
}

static hvk_status port_random(void *context, void *out, size_t bytes)
{
	struct hostile *machine = context;
	uint8_t *to = out;

	for (size_t i = 0; i < bytes; i++) {
		machine->random = machine->random * 6364136223846793005ull + 1442695040888963407ull;
		to[i] = (uint8_t)(machine->random >> 56);
	}
	return HVK_OK;
}

static void count_step(struct hostile *machine)
{
	FUZZ_CHECK(++machine->steps < HOSTILE_STEPS);
}

static void port_pause(void *context)
{
	struct hostile *machine = context;

	count_step(machine);
	machine->now += HOSTILE_PAUSE_NS / TICK_NS;
	hostile_net_run(machine);
	hostile_deliver(machine);
}

static uint64_t port_tsc(void *context)
{
	const struct hostile *machine = context;

	return machine->now;
}

/* --- Locks ---------------------------------------------------------------------------- */

static hvk_status port_lock_init(void *context, struct hvk_lock *lock)
{
	(void)context;
	FUZZ_CHECK(lock->words[0] == 0);
	lock->words[0] = 1;
	return HVK_OK;
}

static void port_lock(void *context, struct hvk_lock *lock)
{
	struct hostile *machine = context;

	FUZZ_CHECK(lock->words[0] == 1 && machine->locks < LOCKS_NESTED);
	lock->words[0] = 2;
	machine->locks++;
}

static void port_unlock(void *context, struct hvk_lock *lock)
{
	struct hostile *machine = context;

	FUZZ_CHECK(lock->words[0] == 2 && machine->locks > 0);
	lock->words[0] = 1;
	machine->locks--;
}

/* --- Switch points ------------------------------------------------------------------------ */

void hvk_switch_point(void);
void hvk_switch_point(void)
{
	for (uint32_t i = 0; current != NULL && i < HOSTILE_ARMED; i++) {
		struct hostile_armed *armed = &current->armed[i];

		if (armed->after != 0 && --armed->after == 0)
			hostile_write(current, armed->place, armed->offset, armed->bytes, armed->length);
	}
}

/* --- Life ------------------------------------------------------------------------------------ */

static void fill_port(struct hostile *machine)
{
	machine->port = (struct hvk_port){
		.size = sizeof(machine->port),
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
		.random = port_random,
		.pause = port_pause,
		.pause_ns = HOSTILE_PAUSE_NS,
		.tsc = port_tsc,
		.lock_init = port_lock_init,
		.lock = port_lock,
		.unlock = port_unlock,
	};
}

struct hostile *hostile_create(uint32_t newest)
{
	static const struct vmbus_guid netvsc = VMBUS_GUID_NETVSC;
	struct hostile *machine = calloc(1, sizeof(*machine));
	struct hvk_config config = {.cpus = 1};
	uint32_t *timeouts = (uint32_t *)&config.timeouts;

	FUZZ_CHECK(machine != NULL);
	for (size_t i = 0; i < sizeof(config.timeouts) / sizeof(*timeouts); i++)
		timeouts[i] = HOSTILE_TIMEOUT_MS;
	machine->newest = newest;
	machine->type = netvsc;
	hostile_net_reset(machine);
	fill_port(machine);
	current = machine;
	FUZZ_CHECK(hvk_create(&machine->port, &config, &machine->hvk) == HVK_OK);
	FUZZ_CHECK(hvk_start(machine->hvk) == HVK_OK);
	FUZZ_CHECK(hvk_cpu_start(machine->hvk) == HVK_OK);
	return machine;
}

void hostile_step(struct hostile *machine)
{
	count_step(machine);
	hostile_net_run(machine);
	hostile_deliver(machine);
	(void)hvk_poll(machine->hvk, 0);
	FUZZ_CHECK(machine->locks == 0);
}

void hostile_wait(struct hostile *machine, struct hvk_request *request)
{
	if (request->status != HVK_EINPROGRESS)
		return;
	/* A clock that jumps may end the user's own wait, not the request's. */
	for (uint32_t i = 0; i < HOSTILE_STEPS && request->status == HVK_EINPROGRESS; i++) {
		count_step(machine);
		(void)hvk_wait(machine->hvk, request, HOSTILE_WAIT_MS);
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
	FUZZ_CHECK(hvk_cpu_stop(machine->hvk) == HVK_OK);
	FUZZ_CHECK(hvk_stop(machine->hvk) == HVK_OK);
}

static void line(void *context, const char *text)
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
	uint64_t withheld = 0;
	bool cold;

	hvk_dump(machine->hvk, line, NULL);
	leave(machine);
	cold = hvk_vmbus_state(machine->hvk) == HVK_VMBUS_COLD;
	hvk_get_counters(machine->hvk, &counters);
	check_quarantine(machine);
	FUZZ_CHECK(hvk_destroy(machine->hvk) == HVK_OK);
	for (uint32_t n = 0; n < HOSTILE_ALLOCATIONS; n++) {
		if (machine->memory[n].count == 0)
			continue;
		/* Only what the host may reach can be left. */
		FUZZ_CHECK(machine->memory[n].use == HVK_PAGE_HOST_WRITES ||
			   machine->memory[n].use == HVK_PAGE_HOST_READS);
		withheld += machine->memory[n].count;
		free(machine->memory[n].address);
	}
	/* An abandoned bus withholds what was open as well. */
	FUZZ_CHECK(cold ? withheld == counters.quarantined_pages : withheld >= counters.quarantined_pages);
	current = NULL;
	free(machine);
}
