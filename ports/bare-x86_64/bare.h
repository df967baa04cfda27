/* SPDX-License-Identifier: MIT */
/*
 * port.h as a kernel image of our own: x86-64, no libc, nothing below but the hypervisor.
 * This header is what the program in the image sees; it provides bare_main.
 *
 *   entry.S      from the loader into long mode          vectors.S     into bare_trap
 *   start.c      from there to bare_main                 port.c        struct hvk_port
 *   boot_info.c  PVH start information or zero page      acpi.c        CPUs, power off
 *   paging.c     page tables: no page can be both written and executed
 *   page_set.c   sets of pages                           pages.c       who owns which
 *   descriptors.c, exceptions.c, backtrace.c             apic.c, io_apic.c, smp.c, idle.c, clock.c
 *   serial.c, random.c, end.c                            launch.c, launch.S: another program
 *
 * Memory is mapped one to one. CPU numbers are 0 to bare_cpu_count() - 1; CPU 0 is the one that
 * the loader started.
 */
#ifndef BARE_BARE_H
#define BARE_BARE_H

#include "hvkit/port.h"

/* The image itself is at fault: an exception, or bare_fatal. Other statuses are the program's. */
#define BARE_STATUS_CRASHED 70

/* The program: on CPU 0, with interrupts on. Returns the exit status. */
int bare_main(void);

/* --- What is there ------------------------------------------------------------------ */

const char *bare_command_line(void);
/* CPUs that ACPI names; 1 if it names none. */
uint32_t bare_cpus_present(void);
/* As many can be started: the same, or without ACPI a few that may be there or not. */
uint32_t bare_cpus_limit(void);
uint64_t bare_ram_bytes(void);
bool bare_has_x2apic(void);
/* Where PCI devices may be mapped (hvk_config.mmio_windows): what ACPI names and the port has mapped, not
 * cached. Number n; false past the last. */
bool bare_mmio_window(uint32_t n, uint64_t *base, uint64_t *length);
/* Pages come from above 4 GiB as long as there are any, to see who cuts addresses short. */
void bare_prefer_high_memory(void);

/* --- CPUs --------------------------------------------------------------------------- */

#define BARE_CPUS_MAX 64u

/* Sees that there are stacks for that many CPUs, all told. Once, before bare_cpus_start. Then starts
 * all but this one: each runs program, and halts when that returns. NULL, or what went wrong. */
const char *bare_cpus_start(uint32_t cpus, void (*program)(void *context, uint32_t cpu), void *context);

uint32_t bare_cpu_index(void);
/* Sleeps until an interrupt, bare_wake or the time; what came since the last call counts. */
void bare_wait(uint64_t timeout_ns);
void bare_wake(uint32_t cpu);
/* Another timer than the APIC's for bare_wait: arm sees to an interrupt on the calling CPU after ns, or
 * returns false if it cannot: then it is the APIC's after all. Called with interrupts off. */
void bare_set_timer(bool (*arm)(void *context, uint32_t cpu, uint64_t ns), void *context);
uint64_t bare_clock_ns(void);

/* Handler of a vector from BARE_VECTOR_FIRST on, on every CPU, with interrupts off. The end of the
 * interrupt is told to the APIC afterwards, and a wait of that CPU ends. */
#define BARE_VECTOR_FIRST 0x40u
#define BARE_VECTOR_LAST 0xefu
void bare_set_vector(uint8_t vector, void (*handler)(void *context, uint32_t cpu), void *context);
/* The same for count vectors from first on, which the handler is told; they take no handler else. */
void bare_set_device_vectors(uint8_t first, uint8_t count,
			     void (*handler)(void *context, uint32_t cpu, uint8_t vector), void *context);

/* --- hvkit's port --------------------------------------------------------------------- */

/* All of L0 to L2. log_level: the last that is shown. */
const struct hvk_port *bare_port(enum hvk_log_level log_level);

/* --- Randomness ------------------------------------------------------------------------ */

#define BARE_SEED_BYTES 32u
/* From that seed, or with NULL from RDRAND. NULL, or why not. */
const char *bare_random_start(const uint8_t *seed);
/* HVK_ESTATE before bare_random_start. */
hvk_status bare_random(void *out, size_t bytes);

/* --- Another program in place of this one -------------------------------------------------- */

/* The memory map as the loader gave it, types as in E820; false past the last. */
struct bare_memory_range {
	uint64_t address, length;
	uint32_t type;
};
bool bare_memory_range(uint32_t n, struct bare_memory_range *out);
uint64_t bare_rsdp(void); /* where ACPI begins; 0: the loader did not say */

/* Memory for what is loaded, for good: of the largest free run below limit all but keep bytes, which are
 * left to the port's pages. False: there is none. */
bool bare_memory_take(uint64_t limit, uint64_t keep, uint64_t *address, uint64_t *length);

/* Where the last step runs; nothing may be copied onto it. Below 1 MiB if there is room, never on anything of
 * the image's. Some of it is the caller's, for what the program is told. 0, NULL: there is no memory for it.
 * The area is the same at each call; ask for it first. */
#define BARE_LAUNCH_BYTES 0x10000u
#define BARE_LAUNCH_DATA_BYTES 0x7000u
uint64_t bare_launch_area(void);
void *bare_launch_data(void);

struct bare_copy {
	uint64_t to, from; /* from BARE_COPY_ZEROS: filled with zeros */
	uint64_t length;
};
#define BARE_COPY_ZEROS UINT64_MAX
#define BARE_COPIES_MAX 128u

struct bare_launch {
	/* Linux's 64-bit entry: long mode, 4 GiB one to one, RSI = argument; or PVH's: 32 bits, no paging,
	 * EBX = argument. Interrupts are off, selectors as either wants them. */
	bool protected_mode;
	uint64_t entry, argument;
	const struct bare_copy *copies; /* made first, in that order; all below 4 GiB */
	uint32_t count;
};
/* On CPU 0, when no other one has been started. Interrupt controllers are left as they were found, without
 * anything that would interrupt; hvkit must have been stopped. */
_Noreturn void bare_launch(const struct bare_launch *launch);

/* --- Console and end ---------------------------------------------------------------------- */

void bare_write(const char *text, size_t length);
/* Whether what is written from now on is on the loader's screen, too (at first it is). A crash always is. */
void bare_show(bool on_screen);
/* Conversions as in guest/core/core.h, and no others. */
void bare_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A character that has come in, or -1. */
int bare_read(void);
/* From now on a character that comes in is an interrupt by that vector on this CPU, which ends its
 * wait. False: the console has none here, and bare_read is to be called now and then. */
bool bare_read_by_interrupt(uint8_t vector);

/* Ends the machine: debug exit with that status, else power off, else halt. */
_Noreturn void bare_end(int status);
/* Begins anew, from the firmware on, where there is a reset register. */
_Noreturn void bare_reset(void);
/* For those who measure: hvkit's monitor then keeps what it has counted so far (docs/vmm.md). */
void bare_mark(uint8_t value);
/* What of a crash is told to somebody: vector (or UINT64_MAX), instruction, address, stack pointer, error
 * code; and what was shown. Interrupts are off; it must not fault. */
#define BARE_CRASH_NUMBERS 5u
void bare_set_crash_hook(void (*tell)(void *context, const uint64_t numbers[BARE_CRASH_NUMBERS],
				      const char *text, size_t length),
			 void *context);
/* Shows the text and how we got here, and ends with BARE_STATUS_CRASHED. */
_Noreturn void bare_fatal(const char *text);

#endif
