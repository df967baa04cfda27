/* SPDX-License-Identifier: MIT */
/* Between the port's own files. */
#ifndef BARE_PRIVATE_H
#define BARE_PRIVATE_H

#include "ports/bare-x86_64/acpi.h"
#include "ports/bare-x86_64/bare.h"
#include "ports/bare-x86_64/boot_info.h"
#include "ports/bare-x86_64/cpu.h"
#include "ports/bare-x86_64/page_set.h"
#include "ports/bare-x86_64/selectors.h"

#define PAGE_SIZE 4096u
#define PAGE_SHIFT 12u
#define LOW_LIMIT (1ull << 32) /* what the tables of entry.S map */

/* Vectors of our own; 0x40 to 0xef are the program's. */
#define VECTOR_TIMER 0xf0u
#define VECTOR_WAKE 0xf1u
#define VECTOR_SPURIOUS 0xffu

/* --- One CPU -------------------------------------------------------------------------- */

/* Below each stack lies a page that is not there. */
#define STACK_PAGES 16u
#define FAULT_STACK_PAGES 2u
#define FAULT_STACKS 3u /* page fault; double fault; NMI and machine check */
#define CPU_AREA_PAGES (1u + STACK_PAGES + FAULT_STACKS * (1u + FAULT_STACK_PAGES))

struct tss {
	uint32_t reserved_0;
	uint32_t rsp[6];
	uint32_t reserved_1[2];
	uint32_t ist[14]; /* low and high halves of IST 1 to 7 */
	uint32_t reserved_2[2];
	uint16_t reserved_3, io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 3A 8.7");

struct bare_cpu {
	uint32_t index; /* at GS:0 */
	uint32_t apic_id;
	bool online;
	bool woken;    /* something came since the last wait */
	uint64_t area; /* address of its stacks, each behind a guard page */
	uint64_t gdt[6];
	struct tss tss;
};

extern struct bare_cpu bare_cpus[BARE_CPUS_MAX];
const char *bare_areas_take(uint32_t cpus); /* stacks for the first cpus CPUs */
uint32_t bare_areas(void);                  /* for so many */
/* Top of the CPU's stack. */
uint64_t bare_stack_top(const struct bare_cpu *cpu);
/* Is that address in a page that is left out below a stack? */
bool bare_is_guard(uint64_t address);
/* [*low, *high) is the stack of any CPU that holds the address; false: none does. */
bool bare_stack_of(uint64_t address, uint64_t *low, uint64_t *high);

/* --- Interrupts ----------------------------------------------------------------------- */

struct bare_frame { /* as vectors.S pushes it */
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, flags, rsp, ss;
};

void descriptors_load(struct bare_cpu *cpu); /* GDT, TSS, IDT, GS */
void bare_trap(struct bare_frame *frame);
void backtrace_print(uint64_t rip, uint64_t rbp, uint64_t rsp);

/* --- Local APIC ------------------------------------------------------------------------ */

const char *apic_init_boot(void); /* finds the mode; on CPU 0 */
void apic_init(void);             /* on each CPU */
void apic_leave(void);            /* as it was found, and silent; interrupts are off for good */
uint64_t apic_window(void);       /* its page, to be mapped; 0: x2APIC needs none */
uint32_t apic_id(void);
void apic_end_of_interrupt(void);
void apic_send_vector(uint32_t apic_id, uint8_t vector);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
void apic_timer_init(void); /* on CPU 0, once the clock goes */
void apic_timer_arm(uint64_t ns);
uint64_t io_apic_window(void); /* its page, to be mapped; 0: there is none */
/* That line interrupts that CPU. False: there is no such line, or no way to the CPU. */
bool io_apic_route(uint32_t line, uint16_t flags, uint8_t vector, uint32_t apic_id);

/* --- Memory ---------------------------------------------------------------------------- */

void pages_init(const struct page_set *ram);
/* Pages in a row below the limit, or 0. */
uint64_t pages_take(uint32_t count, uint64_t limit);
void pages_give(uint64_t address, uint32_t count);

/* The final tables; then all memory below limit (page number) that ram names is mapped. NULL, or
 * what went wrong. */
const char *paging_build(const struct page_set *ram);
void paging_load(void); /* on each CPU */
uint64_t paging_root(void);

/* --- Clock ------------------------------------------------------------------------------ */

void clock_init(void);
const char *clock_source(void);
uint64_t clock_hertz(void);      /* of the TSC */
uint64_t clock_apic_hertz(void); /* of the APIC's timer, if the hypervisor tells; or 0 */
void clock_delay(uint64_t ns);

/* --- The rest ----------------------------------------------------------------------------- */

void serial_init(void);
/* Interrupts of this CPU off, the console its own; back to the flags that came out. */
uint64_t serial_lock(void);
void serial_unlock(uint64_t flags);
/* From now on keeps what is shown, as much as there is room for. Returns it so far. */
void serial_capture(void);
const char *serial_captured(size_t *length);

/* What is written to the console is on the screen as well, if the loader has left one that is not memory:
 * at once if it lies below 4 GiB, else from display_mapped on. */
void display_open(const struct boot_screen *on, const struct page_set *ram);
void display_mapped(void);
void display_write(const char *text, size_t length);
bool display_window(uint64_t *address, uint64_t *length); /* its pages, to be mapped; false: none */

/* The last thing of all crashes. */
_Noreturn void crash_end(const uint64_t numbers[BARE_CRASH_NUMBERS]);

extern struct acpi_info bare_acpi;
/* A page below 1 MiB for the trampoline, or 0. */
uint64_t bare_low_page(void);
/* Pages in a row that the image leaves alone otherwise, the page above aside; 0: there are not so many. */
uint64_t bare_low_pages(uint32_t count, uint64_t floor, uint64_t limit);

/* entry.S */
_Noreturn void bare_on_stack(uint64_t top, void (*go_on)(void));
extern const uint8_t bare_trampoline[], bare_trampoline_end[];
extern uint64_t bare_next_cr3, bare_next_stack;
extern struct bare_cpu *bare_next_cpu;
void bare_entry(enum boot_form form, uint64_t address);
void bare_cpu_entry(struct bare_cpu *cpu);

/* image.ld */
extern uint8_t bare_text_start[], bare_rodata_start[], bare_data_start[], bare_image_end[];
extern uint8_t bare_hypercall_pages[], bare_hypercall_pages_end[];

/* --- A lock that keeps interrupts of this CPU out ------------------------------------------- */

struct spin {
	uint32_t held;
	uint64_t flags; /* of the holder */
};

static inline void spin_lock(struct spin *lock)
{
	uint64_t flags = cpu_flags();

	cpu_interrupts_off();
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	lock->flags = flags;
}

static inline void spin_unlock(struct spin *lock)
{
	uint64_t flags = lock->flags;

	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	if (flags & FLAGS_INTERRUPTS)
		cpu_interrupts_on();
}

#endif
