/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "apps/image/self_test.h"
#include "ports/bare-x86_64/bare.h"

#define PAGE_BYTES 4096u

typedef void function(void);

/* Hides from the compiler what it would warn about, rightly. */
static void *address(uintptr_t value)
{
	__asm__ volatile("" : "+r"(value));
	return (void *)value;
}

static void poke(uintptr_t at)
{
	*(volatile uint8_t *)address(at) = 0;
}

static void execute(const void *at)
{
	function *call;
	void *where = address((uintptr_t)at);

	memcpy(&call, &where, sizeof(call));
	call();
}

static void null_pointer(void)
{
	poke(8);
}

static void page_fault(void)
{
	poke((uintptr_t)1 << 46); /* no machine has memory there */
}

static void undefined(void)
{
	__builtin_trap();
}

static void protection(void)
{
	poke((uintptr_t)1 << 62); /* not canonical */
}

static void divide(void)
{
	volatile int zero = 0;

	__asm__ volatile("xorl %%edx, %%edx\n\tidivl %0" : : "r"(zero), "a"(1) : "edx", "cc");
}

static void write_text(void)
{
	poke((uintptr_t)&write_text);
}

static const uint8_t constant = 0xc3;
static void write_constant(void)
{
	poke((uintptr_t)&constant);
}

static void execute_constant(void)
{
	execute(&constant);
}

static uint8_t data = 0xc3; /* RET */
static void execute_data(void)
{
	execute(&data);
}

static void execute_stack(void)
{
	volatile uint8_t code = 0xc3;

	execute((const void *)(uintptr_t)&code);
}

static void execute_page(void)
{
	struct hvk_pages pages;
	const struct hvk_port *port = bare_port(HVK_LOG_WARN);

	if (port->pages_alloc(port->context, 1, HVK_PAGE_PRIVATE, &pages) != HVK_OK)
		return;
	memset(pages.address, 0xc3, PAGE_BYTES);
	execute(pages.address);
}

static void write_hypercall_page(void)
{
	struct hvk_pages pages;
	const struct hvk_port *port = bare_port(HVK_LOG_WARN);

	if (port->pages_alloc(port->context, 1, HVK_PAGE_EXECUTE, &pages) == HVK_OK)
		poke((uintptr_t)pages.address);
}

/* NOLINTNEXTLINE(misc-no-recursion): until the stack ends */
static int deeper(int level)
{
	volatile int here = level;

	return here < 0 ? here : here + deeper(here + 1) + here;
}

static void stack(void)
{
	(void)deeper(0);
}

static void fatal(void)
{
	bare_fatal("test=fatal was asked for");
}

static void free_twice(void)
{
	struct hvk_pages pages;
	const struct hvk_port *port = bare_port(HVK_LOG_WARN);

	if (port->pages_alloc(port->context, 3, HVK_PAGE_PRIVATE, &pages) != HVK_OK)
		return;
	port->pages_free(port->context, &pages);
	port->pages_free(port->context, &pages);
}

static void run_elsewhere(void *context, uint32_t cpu)
{
	(void)context, (void)cpu;
	null_pointer();
}

static void other_cpu(void)
{
	const char *error = bare_cpus_start(2, run_elsewhere, NULL);

	if (error)
		bare_print("%s\n", error);
	else
		bare_wait(1000000000u);
}

/* Two that nobody handles: told, and no more. */
static void stray(void)
{
	__asm__ volatile("int $0x21\n\tint $0x60\n\tint $0x60" : : : "memory");
}

static const struct {
	const char *name;
	function *run;
} tests[] = {
	{"null", null_pointer},
	{"page-fault", page_fault},
	{"ud", undefined},
	{"gp", protection},
	{"divide", divide},
	{"write-text", write_text},
	{"write-constant", write_constant},
	{"write-hypercall-page", write_hypercall_page},
	{"execute-constant", execute_constant},
	{"execute-data", execute_data},
	{"execute-stack", execute_stack},
	{"execute-page", execute_page},
	{"stack", stack},
	{"fatal", fatal},
	{"free-twice", free_twice},
	{"other-cpu", other_cpu},
	{"stray", stray},
};

bool image_self_test(const char *name)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(tests[i].name, name) == 0) {
			tests[i].run();
			return true;
		}
	}
	bare_print("test=%s: there is no such test; there are", name);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		bare_print("%s %s", i ? "," : "", tests[i].name);
	bare_print("\n");
	return false;
}
