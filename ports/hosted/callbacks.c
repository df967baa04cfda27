/* SPDX-License-Identifier: MIT */
/* The port's callbacks, in the order of port.h. */
#include <string.h>

#include "hvkit/msr.h"
#include "hvkit/wire/hypervisor.h"
#include "ports/hosted/machine.h"

_Thread_local struct hosted_cpu *hosted_current;

static bool is_deterministic(const struct hosted *machine)
{
	return machine->config.mode == HOSTED_DETERMINISTIC;
}

/* Every callback is a point where others may go on. */
static void point(struct hosted *machine)
{
	if (is_deterministic(machine) && hosted_current)
		deterministic_point(hosted_current);
}

/* The guest library's own points: accesses to memory that the host can write. */
void hvk_switch_point(void);
void hvk_switch_point(void)
{
	if (hosted_current && is_deterministic(hosted_current->machine))
		deterministic_point(hosted_current);
}

static uint32_t current_index(void)
{
	return hosted_current ? hosted_current->index : 0;
}

static void deliver_devices(struct hosted_cpu *cpu)
{
	struct hosted *machine = cpu->machine;

	for (uint32_t word = 0; machine->device_interrupt && word < 4; word++) {
		uint64_t vectors = __atomic_exchange_n(&cpu->devices_pending[word], 0, __ATOMIC_SEQ_CST);

		for (uint32_t bit = 0; vectors != 0; bit++, vectors >>= 1) {
			if (vectors & 1)
				machine->device_interrupt(machine->interrupt_context, cpu->index,
							  (uint8_t)(64 * word + bit));
		}
	}
}

void deliver_interrupt(struct hosted_cpu *cpu)
{
	struct hosted *machine = cpu->machine;

	if (cpu->interrupts_off != 0 || !__atomic_load_n(&cpu->interrupt_pending, __ATOMIC_ACQUIRE))
		return;
	__atomic_store_n(&cpu->interrupt_pending, false, __ATOMIC_SEQ_CST);
	if (!machine->interrupt)
		return;
	cpu->interrupts_off++;
	if (__atomic_exchange_n(&cpu->timer_pending, false, __ATOMIC_SEQ_CST))
		machine->timer_interrupt(machine->interrupt_context, cpu->index);
	if (__atomic_exchange_n(&cpu->sint_pending, false, __ATOMIC_SEQ_CST))
		machine->interrupt(machine->interrupt_context, cpu->index);
	deliver_devices(cpu);
	cpu->interrupts_off--;
	/* It may have come just before a wait: that must not sleep over it. */
	__atomic_store_n(&cpu->woken, true, __ATOMIC_SEQ_CST);
}

/* --- L0 ------------------------------------------------------------------------- */

static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	struct hosted *machine = context;

	if (machine->config.log)
		machine->config.log(machine->config.context, level, text);
}

static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	struct hosted *machine = context;

	point(machine);
	return memory_alloc(&machine->memory, count, use, out);
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	struct hosted *machine = context;

	point(machine);
	memory_free(&machine->memory, pages);
}

static uint64_t port_page_gpa(void *context, const void *address)
{
	struct hosted *machine = context;

	return memory_gpa(&machine->memory, address);
}

static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	struct hosted *machine = context;

	hosted_lock(machine);
	hvh_cpuid(machine->partition, leaf, out);
	hosted_unlock(machine);
	if (leaf != HV_CPUID_FEATURES)
		return;
	if (machine->config.no_reference_tsc)
		out[0] &= ~HV_ACCESS_REFERENCE_TSC;
	if (machine->config.no_reference_counter)
		out[0] &= ~HV_ACCESS_REFERENCE_COUNTER;
}

static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	struct hosted *machine = context;
	bool ok;

	point(machine);
	hosted_lock(machine);
	ok = hvh_msr_read(machine->partition, hosted_now(machine), current_index(), hvk_register_msr(reg),
			  value);
	hosted_unlock(machine);
	return ok ? HVK_OK : HVK_EPRIVILEGE;
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct hosted *machine = context;
	bool ok;

	point(machine);
	hosted_lock(machine);
	ok = hvh_msr_write(machine->partition, hosted_now(machine), current_index(), hvk_register_msr(reg),
			   value);
	hosted_unlock(machine);
	return ok ? HVK_OK : HVK_EPRIVILEGE;
}

static uint64_t port_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	struct hosted *machine = context;
	uint64_t result;
	bool valid;

	(void)page; /* its contents are for a CPU */
	point(machine);
	hosted_lock(machine);
	result = hvh_hypercall(machine->partition, hosted_now(machine), current_index(), control, input,
			       output, &valid);
	hosted_unlock(machine);
	return valid ? result : HV_STATUS_INVALID_HYPERCALL_CODE; /* a CPU would have faulted */
}

static uint64_t port_mmio_read(void *context, uint64_t address, unsigned width)
{
	struct hosted *machine = context;
	uint64_t value;

	point(machine);
	hosted_lock(machine);
	(void)hvh_mmio_read(machine->partition, hosted_now(machine), current_index(), address, width, &value);
	hosted_unlock(machine);
	return value;
}

static void port_mmio_write(void *context, uint64_t address, unsigned width, uint64_t value)
{
	struct hosted *machine = context;

	point(machine);
	hosted_lock(machine);
	(void)hvh_mmio_write(machine->partition, hosted_now(machine), current_index(), address, width, value);
	hosted_unlock(machine);
}

static hvk_status port_random(void *context, void *out, size_t bytes)
{
	struct hosted *machine = context;
	uint8_t *to = out;

	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(deterministic_random(machine) >> 32);
	return HVK_OK;
}

static void port_pause(void *context)
{
	hosted_wait(context, PAUSE_NS);
}

static uint64_t port_tsc(void *context)
{
	struct hosted *machine = context;

	point(machine);
	return is_deterministic(machine) ? machine->now * 100u : threads_now_ns(machine);
}

/* --- L1 ------------------------------------------------------------------------------ */

static uint32_t port_cpu_index(void *context)
{
	(void)context;
	return current_index();
}

HVK_STATIC_ASSERT(sizeof(pthread_mutex_t) + sizeof(uintptr_t) <= sizeof(struct hvk_lock),
		  "a mutex and its owner fit a lock");

struct lock {
	uintptr_t owner; /* CPU index + 1; 0 = free */
	pthread_mutex_t mutex;
};

static hvk_status port_lock_init(void *context, struct hvk_lock *lock)
{
	struct lock *own = (struct lock *)lock;

	(void)context;
	own->owner = 0;
	return pthread_mutex_init(&own->mutex, NULL) == 0 ? HVK_OK : HVK_ENOMEM;
}

static void port_lock(void *context, struct hvk_lock *lock)
{
	struct hosted *machine = context;
	struct lock *own = (struct lock *)lock;

	if (hosted_current)
		hosted_current->interrupts_off++;
	if (is_deterministic(machine)) {
		point(machine);
		while (own->owner != 0)
			deterministic_yield(hosted_current);
	} else {
		(void)pthread_mutex_lock(&own->mutex);
	}
	__atomic_store_n(&own->owner, current_index() + 1u, __ATOMIC_RELAXED);
}

static void port_unlock(void *context, struct hvk_lock *lock)
{
	struct hosted *machine = context;
	struct lock *own = (struct lock *)lock;

	__atomic_store_n(&own->owner, 0, __ATOMIC_RELAXED);
	if (!is_deterministic(machine))
		(void)pthread_mutex_unlock(&own->mutex);
	if (hosted_current) {
		hosted_current->interrupts_off--;
		deliver_interrupt(hosted_current);
	}
	point(machine);
}

static bool port_lock_held(void *context, const struct hvk_lock *lock)
{
	const struct lock *own = (const struct lock *)lock;

	(void)context;
	return __atomic_load_n(&own->owner, __ATOMIC_RELAXED) == current_index() + 1u;
}

/* --- L2 --------------------------------------------------------------------------------- */

static void port_wait(void *context, uint64_t timeout_ns)
{
	hosted_wait(context, timeout_ns);
}

static void port_wake(void *context, uint32_t cpu)
{
	struct hosted *machine = context;

	__atomic_store_n(&machine->cpus[cpu].woken, true, __ATOMIC_SEQ_CST);
	if (!is_deterministic(machine))
		threads_wake(&machine->cpus[cpu]);
}

static uint64_t port_clock_ns(void *context)
{
	struct hosted *machine = context;

	return is_deterministic(machine) ? machine->now * 100u : threads_now_ns(machine);
}

void callbacks_fill(struct hosted *machine)
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
		.random = port_random,
		.pause = port_pause,
		.pause_ns = PAUSE_NS,
		.tsc = port_tsc,
	};
	if (machine->config.level0)
		return;
	machine->port.cpu_index = port_cpu_index;
	machine->port.lock_init = port_lock_init;
	machine->port.lock = port_lock;
	machine->port.unlock = port_unlock;
	machine->port.lock_held = port_lock_held;
	machine->port.wait = port_wait;
	machine->port.wake = port_wake;
	machine->port.clock_ns = port_clock_ns;
}
