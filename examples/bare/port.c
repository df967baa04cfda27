/* SPDX-License-Identifier: MIT */
/*
 * What ../minimal/port.c looks like on real hardware: x86-64, 64-bit mode, ring 0, memory
 * mapped one to one. The rest of the example is the same there, without hyperv.c.
 *
 * Compiled with every build of hvkit, freestanding; not run by its tests, since these
 * instructions want a real Hyper-V below.
 */
#include "hvkit/hvkit.h"
#include "hvkit/msr.h"

#define POOL_PAGES 1024u /* 4 MiB: rings, receive and send buffer, hvkit's own state */

void console_line(const char *text); /* yours */
void bare_port(struct hvk_port *port);

/* In .bss, which whoever loads the program has zeroed. Executable: the hypercall page lies in
 * it, so map it so, or keep a page elsewhere for use == HVK_PAGE_EXECUTE. */
static uint8_t pool[POOL_PAGES][HVK_PAGE_SIZE] __attribute__((aligned(4096)));
static uint32_t pool_used; /* no page is given out twice: it is zero when it is */

static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	(void)context;
	if (level <= HVK_LOG_INFO)
		console_line(text);
}

static hvk_status port_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	(void)context;
	if (count > POOL_PAGES - pool_used)
		return HVK_ENOMEM;
	*out = (struct hvk_pages){pool[pool_used], count, use, NULL};
	pool_used += count;
	return HVK_OK;
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	(void)context, (void)pages;
}

static uint64_t port_page_gpa(void *context, const void *address)
{
	(void)context;
	return (uint64_t)(uintptr_t)address; /* mapped one to one */
}

static void port_features(void *context, uint32_t leaf, uint32_t out[4])
{
	(void)context;
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

static hvk_status port_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	uint32_t low, high;

	(void)context;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(hvk_register_msr(reg)));
	*value = (uint64_t)high << 32 | low;
	return HVK_OK; /* with a handler for #GP: anything else when it faulted */
}

static hvk_status port_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	(void)context;
	__asm__ volatile("wrmsr"
			 :
			 : "c"(hvk_register_msr(reg)), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return HVK_OK;
}

/* The call pushes onto the stack behind the compiler's back: build with -mno-red-zone. */
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

static void port_pause(void *context)
{
	(void)context;
	for (int i = 0; i < 1000; i++) /* PAUSE takes a nanosecond at the very least */
		__asm__ volatile("pause");
}

/* The port of a program that has nothing but a console. */
void bare_port(struct hvk_port *port)
{
	*port = (struct hvk_port){
		.size = sizeof(*port),
		.version = HVK_PORT_VERSION,
		.log = port_log,
		.pages_alloc = port_pages_alloc,
		.pages_free = port_pages_free,
		.page_gpa = port_page_gpa,
		.features = port_features,
		.reg_read = port_reg_read,
		.reg_write = port_reg_write,
		.hypercall = port_hypercall,
		.pause = port_pause,
		.pause_ns = 1000,
	};
}
