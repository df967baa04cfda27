/* SPDX-License-Identifier: MIT */
/* struct hvk_port on bare metal, in the order of port.h. */
#include "hvkit/msr.h"
#include "ports/bare-x86_64/private.h"

#define PAUSE_NS 10000u

static enum hvk_log_level last_level;
static struct hvk_port port;

/* --- L0 ------------------------------------------------------------------------------ */

static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	static const char *const names[] = {"", "error", "warning", "info", "debug"};

	(void)context;
	if (level <= last_level)
		bare_print("guest: %s: %s\n", names[level], text);
}

/* Pages to be executed are there from the start, and never written by us: a page that was
 * first the one and then the other would be both for a while, on some CPU. */
static uint32_t hypercall_pages_used; /* a bit each */

static void *take_hypercall_page(void)
{
	uint32_t count = (uint32_t)(bare_hypercall_pages_end - bare_hypercall_pages) / PAGE_SIZE;

	for (uint32_t i = 0; i < count; i++) {
		if (!(__atomic_fetch_or(&hypercall_pages_used, 1u << i, __ATOMIC_SEQ_CST) & 1u << i))
			return bare_hypercall_pages + i * PAGE_SIZE;
	}
	return NULL;
}

static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	void *address;

	(void)context;
	if (use != HVK_PAGE_EXECUTE)
		address = (void *)(uintptr_t)pages_take(count, UINT64_MAX);
	else
		address = count == 1 ? take_hypercall_page() : NULL;
	if (!address)
		return HVK_ENOMEM;
	*out = (struct hvk_pages){address, count, use, NULL};
	return HVK_OK;
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	uint64_t offset;

	(void)context;
	if (pages->use != HVK_PAGE_EXECUTE) {
		pages_give((uintptr_t)pages->address, pages->count);
		return;
	}
	offset = (uint64_t)((uint8_t *)pages->address - bare_hypercall_pages);
	(void)__atomic_fetch_and(&hypercall_pages_used, ~(1u << offset / PAGE_SIZE), __ATOMIC_SEQ_CST);
}

static uint64_t port_page_gpa(void *context, const void *address)
{
	(void)context;
	return (uintptr_t)address & ~(uint64_t)(PAGE_SIZE - 1); /* mapped one to one */
}

static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	(void)context;
	cpu_cpuid(leaf, out);
}

static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	(void)context;
	return cpu_msr_read(hvk_register_msr(reg), value) ? HVK_OK : HVK_EPRIVILEGE;
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	(void)context;
	return cpu_msr_write(hvk_register_msr(reg), value) ? HVK_OK : HVK_EPRIVILEGE;
}

/* Registers that a call may change (TLFS): the volatile ones of Windows' convention, XMM among
 * them, which nobody here uses. The call pushes behind the compiler's back: no red zone. */
static uint64_t port_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	register uint64_t r8 __asm__("r8") = output;
	uint64_t result;

	(void)context;
	__asm__ volatile("call *%[page]"
			 : "=a"(result), "+c"(control), "+d"(input), "+r"(r8)
			 : [page] "r"(page)
			 : "r9", "r10", "r11", "cc", "memory");
	return result;
}

/* One to one, not cached. What is not mapped is asked for by nobody who keeps to bare_mmio_window. */
static uint64_t port_mmio_read(void *context, uint64_t address, unsigned width)
{
	(void)context;
	switch (width) {
	case 1:
		return *(const volatile uint8_t *)(uintptr_t)address;
	case 2:
		return *(const volatile uint16_t *)(uintptr_t)address;
	case 4:
		return *(const volatile uint32_t *)(uintptr_t)address;
	default:
		return *(const volatile uint64_t *)(uintptr_t)address;
	}
}

static void port_mmio_write(void *context, uint64_t address, unsigned width, uint64_t value)
{
	(void)context;
	switch (width) {
	case 1:
		*(volatile uint8_t *)(uintptr_t)address = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)(uintptr_t)address = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)(uintptr_t)address = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)(uintptr_t)address = value;
		break;
	}
}

static hvk_status port_random(void *context, void *out, size_t bytes)
{
	(void)context;
	return bare_random(out, bytes);
}

static void port_pause(void *context)
{
	(void)context;
	clock_delay(PAUSE_NS);
}

static uint64_t port_tsc(void *context)
{
	(void)context;
	return cpu_tsc();
}

/* --- L1 -------------------------------------------------------------------------------- */

static uint32_t port_cpu_index(void *context)
{
	(void)context;
	return bare_cpu_index();
}

/* The third word is the holder's CPU number + 1. */
struct port_lock {
	struct spin spin;
	uint32_t owner;
};
_Static_assert(sizeof(struct port_lock) <= sizeof(struct hvk_lock), "a lock and its owner fit");

static hvk_status port_lock_init(void *context, struct hvk_lock *lock)
{
	(void)context;
	*(struct port_lock *)lock = (struct port_lock){0};
	return HVK_OK;
}

static void port_lock(void *context, struct hvk_lock *lock)
{
	struct port_lock *own = (struct port_lock *)lock;

	(void)context;
	spin_lock(&own->spin);
	__atomic_store_n(&own->owner, bare_cpu_index() + 1u, __ATOMIC_RELAXED);
}

static void port_unlock(void *context, struct hvk_lock *lock)
{
	struct port_lock *own = (struct port_lock *)lock;

	(void)context;
	__atomic_store_n(&own->owner, 0, __ATOMIC_RELAXED);
	spin_unlock(&own->spin);
}

static bool port_lock_held(void *context, const struct hvk_lock *lock)
{
	const struct port_lock *own = (const struct port_lock *)lock;

	(void)context;
	return __atomic_load_n(&own->owner, __ATOMIC_RELAXED) == bare_cpu_index() + 1u;
}

/* --- L2 -------------------------------------------------------------------------------- */

static void port_wait(void *context, uint64_t timeout_ns)
{
	(void)context;
	bare_wait(timeout_ns);
}

static void port_wake(void *context, uint32_t cpu)
{
	(void)context;
	bare_wake(cpu);
}

static uint64_t port_clock_ns(void *context)
{
	(void)context;
	return bare_clock_ns();
}

const struct hvk_port *bare_port(enum hvk_log_level log_level)
{
	last_level = log_level;
	port = (struct hvk_port){
		.size = sizeof(port),
		.version = HVK_PORT_VERSION,
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
		.cpu_index = port_cpu_index,
		.lock_init = port_lock_init,
		.lock = port_lock,
		.unlock = port_unlock,
		.lock_held = port_lock_held,
		.wait = port_wait,
		.wake = port_wake,
		.clock_ns = port_clock_ns,
	};
	return &port;
}
