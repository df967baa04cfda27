/* SPDX-License-Identifier: MIT */
#include "tests/support/polled_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/hvkit.h"
#include "hvkit/wire/hypervisor.h"

#define LOCKS_NESTED 2u
#define PAGES_MAX 8192u
#define TICK_NS 100u
#define DEFAULT_ACCESS \
	(HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL | HV_ACCESS_VP_INDEX)

static struct polled_port *current;

static void check(bool condition, const char *text)
{
	if (condition)
		return;
	(void)fprintf(stderr, "polled port: %s\n", text);
	abort();
}

/* --- Memory -------------------------------------------------------------------------- */

static hvk_status pages_alloc(void *context, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	struct polled_port *self = context;
	size_t bytes = (size_t)count * HVK_PAGE_SIZE;
	struct polled_memory *memory = self->memory;

	check(count >= 1 && count <= PAGES_MAX, "a number of pages that the port does not promise");
	check(self->locks == 0, "pages_alloc under a lock");
	while (memory < self->memory + self->memory_top && memory->count != 0)
		memory++;
	if ((self->fail_allocation != 0 && --self->fail_allocation == 0) ||
	    memory == self->memory + POLLED_ALLOCATIONS)
		return HVK_ENOMEM;
	if (memory == self->memory + self->memory_top)
		self->memory_top++;
	*memory = (struct polled_memory){aligned_alloc(HVK_PAGE_SIZE, bytes), count, use, 0};
	check(memory->address != NULL, "no memory left");
	memset(memory->address, 0xa5, bytes); /* a port need not zero them */
	if (use != HVK_PAGE_PRIVATE) {
		memory->gpa = self->next_gpa != 0 ? self->next_gpa : (uint64_t)(uintptr_t)memory->address;
		self->next_gpa += self->next_gpa != 0 ? bytes : 0;
	}
	*out = (struct hvk_pages){memory->address, count, use, NULL};
	return HVK_OK;
}

static void pages_free(void *context, const struct hvk_pages *pages)
{
	struct polled_port *self = context;
	struct polled_memory *memory = self->memory;

	check(self->locks == 0, "pages_free under a lock");
	while (memory < self->memory + self->memory_top &&
	       (memory->count == 0 || memory->address != pages->address))
		memory++;
	check(memory < self->memory + self->memory_top && memory->count == pages->count,
	      "pages_free of pages that it did not get");
	if (self->freed && memory->gpa != 0)
		self->freed(self->owner, memory->gpa, memory->count);
	free(memory->address);
	*memory = (struct polled_memory){0};
}

uint8_t *polled_port_at(struct polled_port *self, uint64_t gpa, uint32_t length)
{
	for (uint32_t n = 0; n < self->memory_top; n++) {
		const struct polled_memory *memory = &self->memory[n];
		uint64_t size = (uint64_t)memory->count * HVK_PAGE_SIZE;

		if (memory->gpa != 0 && gpa >= memory->gpa && gpa - memory->gpa < size)
			return length <= size - (gpa - memory->gpa) ? memory->address + (gpa - memory->gpa)
								    : NULL;
	}
	return NULL;
}

static uint64_t page_gpa(void *context, const void *address)
{
	const struct polled_port *self = context;
	uint64_t wanted = (uint64_t)(uintptr_t)address;

	check(wanted % HVK_PAGE_SIZE == 0, "page_gpa of what is no page");
	for (uint32_t n = 0; n < self->memory_top; n++) {
		const struct polled_memory *memory = &self->memory[n];
		uint64_t first = (uint64_t)(uintptr_t)memory->address;

		if (memory->gpa != 0 && wanted >= first &&
		    wanted - first < (uint64_t)memory->count * HVK_PAGE_SIZE)
			return memory->gpa + (wanted - first);
	}
	check(false, "page_gpa of a page that is not shared");
	return 0;
}

/* --- The hypervisor ------------------------------------------------------------------- */

static void features(void *context, uint32_t leaf, uint32_t out[4])
{
	const struct polled_port *self = context;

	memset(out, 0, 4 * sizeof(*out));
	switch (leaf) {
	case HV_CPUID_PROCESSOR_INFO:
		out[2] = HV_CPUID_HYPERVISOR_PRESENT_ECX;
		break;
	case HV_CPUID_VENDOR:
		out[0] = HV_CPUID_HIGHEST_LEAF_MIN;
		break;
	case HV_CPUID_INTERFACE:
		out[0] = HV_CPUID_INTERFACE_HV1;
		break;
	case HV_CPUID_FEATURES:
		out[0] = (uint32_t)self->access;
		out[1] = HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS;
		out[3] = self->features;
		break;
	default:
		break;
	}
}

static bool register_fails(struct polled_port *self, enum hvk_register reg)
{
	check(reg < POLLED_REGISTERS, "a register that does not exist");
	return self->fail_register != 0 && --self->fail_register == 0;
}

static hvk_status reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	struct polled_port *self = context;

	if (register_fails(self, reg))
		return HVK_EPRIVILEGE;
	*value = self->registers[reg];
	if (reg == HVK_REG_REFERENCE_COUNTER && !(self->counter && self->counter(self->owner, value)))
		*value = self->now;
	return HVK_OK;
}

static hvk_status reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct polled_port *self = context;

	if (register_fails(self, reg))
		return HVK_EPRIVILEGE;
	if (reg != HVK_REG_EOM)
		self->registers[reg] = value;
	else if (self->end_of_message)
		self->end_of_message(self->owner);
	return HVK_OK;
}

static uint64_t hypercall(void *context, const void *page, uint64_t control, uint64_t input, uint64_t output)
{
	struct polled_port *self = context;

	(void)output;
	return self->hypercall ? self->hypercall(self->owner, page, control, input) : HV_STATUS_SUCCESS;
}

static void log_line(void *context, enum hvk_log_level level, const char *text)
{
	struct polled_port *self = context;

	check(level >= HVK_LOG_ERROR && level <= HVK_LOG_DEBUG, "a log level that does not exist");
	if (self->logged)
		self->logged(self->owner, level, text);
}

static hvk_status random_bytes(void *context, void *out, size_t bytes)
{
	struct polled_port *self = context;
	uint8_t *to = out;

	for (size_t i = 0; i < bytes; i++) {
		self->random = self->random * 6364136223846793005ull + 1442695040888963407ull;
		to[i] = (uint8_t)(self->random >> 56);
	}
	return HVK_OK;
}

static void pause_a_while(void *context)
{
	struct polled_port *self = context;

	check(self->locks == 0, "pause under a lock");
	self->pauses++;
	self->now += self->port.pause_ns / TICK_NS;
	if (self->paused)
		self->paused(self->owner);
}

/* Weak: programs that have the hosted port as well take that one's. */
void hvk_switch_point(void);
__attribute__((weak)) void hvk_switch_point(void)
{
	if (current != NULL && current->switched)
		current->switched(current->owner);
}

/* --- Locks -------------------------------------------------------------------------------- */

static hvk_status lock_init(void *context, struct hvk_lock *lock)
{
	(void)context;
	check(lock->words[0] == 0, "a lock that is set up twice, or was not zero");
	lock->words[0] = 1;
	return HVK_OK;
}

static void lock_take(void *context, struct hvk_lock *lock)
{
	struct polled_port *self = context;

	check(lock->words[0] == 1, "a lock taken that is held, or was never set up");
	check(self->locks < LOCKS_NESTED, "three locks at once");
	lock->words[0] = 2;
	self->locks++;
}

static void lock_give(void *context, struct hvk_lock *lock)
{
	struct polled_port *self = context;

	check(lock->words[0] == 2 && self->locks > 0, "a lock given back that is not held");
	lock->words[0] = 1;
	self->locks--;
}

void polled_port_locks(struct polled_port *self)
{
	self->port.lock_init = lock_init;
	self->port.lock = lock_take;
	self->port.unlock = lock_give;
}

/* --- Life ------------------------------------------------------------------------------------ */

void polled_port_init(struct polled_port *self, void *owner, uint32_t pause_ns)
{
	*self = (struct polled_port){.owner = owner, .access = DEFAULT_ACCESS};
	self->port = (struct hvk_port){
		.size = sizeof(self->port),
		.version = HVK_PORT_VERSION,
		.context = self,
		.log = log_line,
		.pages_alloc = pages_alloc,
		.pages_free = pages_free,
		.page_gpa = page_gpa,
		.features = features,
		.reg_read = reg_read,
		.reg_write = reg_write,
		.hypercall = hypercall,
		.random = random_bytes,
		.pause = pause_a_while,
		.pause_ns = pause_ns,
	};
	current = self;
}

uint32_t polled_port_end(struct polled_port *self)
{
	uint32_t left = 0;

	for (uint32_t n = 0; n < self->memory_top; n++) {
		left += self->memory[n].count;
		if (self->memory[n].count != 0)
			free(self->memory[n].address);
	}
	if (current == self)
		current = NULL;
	return left;
}
