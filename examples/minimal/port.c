/* SPDX-License-Identifier: MIT */
/*
 * A port of level 0: one CPU, polled, no interrupts, no heap. Copy it, and put in each
 * function what its comment says. ../bare/port.c has the instructions of x86-64.
 */
#include <stdio.h>
#include <time.h>

#include "hvkit/msr.h"
#include "minimal.h"

#define PAUSE_NS 20000u

/* Yours: the kernel's console. May do nothing at first, but do not start that way. */
static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	(void)context;
	if (level <= HVK_LOG_INFO)
		printf("  hvkit: %s\n", text);
}

/* Yours: the page allocator. Page aligned, nothing else in them, contiguous in virtual
 * addresses; zeroed or not. This one counts up in a pool. */
static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	struct machine *m = context;

	if (count > POOL_PAGES - m->pool_used)
		return HVK_ENOMEM;
	*out = (struct hvk_pages){m->pool[m->pool_used], count, use, NULL};
	m->pool_used += count;
	return HVK_OK;
}

/* May do nothing in a program that ends or hands over. */
static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	(void)context, (void)pages;
}

/* Yours: virtual to guest-physical, page by page. Identity-mapped: the address itself. */
static uint64_t port_page_gpa(void *context, const void *address)
{
	struct machine *m = context;

	return POOL_GPA + (uint64_t)((const uint8_t *)address - m->pool[0]);
}

/* Yours: the CPUID instruction, with ECX = 0. */
static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	hvh_cpuid(((struct machine *)context)->hyperv, leaf, out);
}

/* Yours: RDMSR and WRMSR. If they can fault (#GP), catch it and return anything but HVK_OK. */
static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	struct machine *m = context;

	return hvh_msr_read(m->hyperv, hyperv_now(m), 0, hvk_register_msr(reg), value) ? HVK_OK
										       : HVK_EPRIVILEGE;
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct machine *m = context;

	return hvh_msr_write(m->hyperv, hyperv_now(m), 0, hvk_register_msr(reg), value) ? HVK_OK
											: HVK_EPRIVILEGE;
}

/* Yours: CALL page, with control in RCX, input in RDX, output in R8; the result is RAX. */
static uint64_t port_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	struct machine *m = context;
	bool valid;

	(void)page; /* a CPU executes it */
	return hvh_hypercall(m->hyperv, hyperv_now(m), 0, control, input, output, &valid);
}

/* Yours: a delay loop that takes at least pause_ns. Longer is harmless, shorter is not:
 * without a clock the time-outs count pauses. */
static void port_pause(void *context)
{
	nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	hyperv_run(context); /* on real hardware the host runs by itself */
}

void machine_port(struct machine *machine, struct hvk_port *port)
{
	*port = (struct hvk_port){
		.size = sizeof(*port),
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
		.pause = port_pause,
		.pause_ns = PAUSE_NS,
	};
}
