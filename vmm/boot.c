/* SPDX-License-Identifier: MIT */
/* The state in which CPU 0 begins: flat segments, and for long mode 4 GiB mapped as they lie. */
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/private.h"

/* Selectors; those of code and data in long mode are what Linux's boot protocol asks for. */
#define CODE32 0x08u
#define CODE64 0x10u
#define DATA 0x18u
#define TASK 0x20u

#define CR0_PE (1ull << 0)
#define CR0_ET (1ull << 4)
#define CR0_NE (1ull << 5)
#define CR0_PG (1ull << 31)
#define CR4_PAE (1ull << 5)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define FLAGS_RESET 0x2ull

#define PAGE_TABLE_BYTES 0x1000u
#define TABLE_ENTRIES 512u
#define ENTRY_PRESENT 0x1u
#define ENTRY_WRITE 0x2u
#define ENTRY_LARGE 0x80u
#define LARGE_PAGE (2ull << 20)
#define MAPPED_GIB 4u
#define REAL_MODE_STACK 0xe000u /* above the setup, as boot.rst has its example */

static struct kvm_segment code_segment(bool wide)
{
	return (struct kvm_segment){
		.limit = UINT32_MAX,
		.selector = wide ? CODE64 : CODE32,
		.type = 0xb, /* execute, read, accessed */
		.present = 1,
		.db = !wide,
		.s = 1,
		.l = wide,
		.g = 1,
	};
}

static struct kvm_segment data_segment(void)
{
	return (struct kvm_segment){
		.limit = UINT32_MAX, .selector = DATA, .type = 0x3, .present = 1, .db = 1, .s = 1, .g = 1};
}

/* Fields as the processor's manual has a descriptor's. */
static uint64_t descriptor(const struct kvm_segment *segment)
{
	uint64_t limit = segment->g ? segment->limit >> 12 : segment->limit;
	uint64_t access = segment->type | (uint64_t)segment->s << 4 | (uint64_t)segment->dpl << 5 |
			  (uint64_t)segment->present << 7;
	uint64_t flags = (uint64_t)segment->l << 1 | (uint64_t)segment->db << 2 | (uint64_t)segment->g << 3;

	return (limit & 0xffffu) | (segment->base & 0xffffffull) << 16 | access << 40 |
	       (limit >> 16 & 0xfu) << 48 | flags << 52 | (segment->base >> 24 & 0xffull) << 56;
}

void vmm_boot_write_tables(struct vmm_memory *memory)
{
	const struct kvm_segment code32 = code_segment(false), code64 = code_segment(true);
	const struct kvm_segment data = data_segment();
	const uint64_t gdt[] = {0, descriptor(&code32), descriptor(&code64), descriptor(&data)};
	uint64_t tables = VMM_PAGE_TABLES_GPA, directories = tables + 2 * PAGE_TABLE_BYTES;
	uint64_t entry = (tables + PAGE_TABLE_BYTES) | ENTRY_PRESENT | ENTRY_WRITE;

	(void)vmm_memory_write(memory, VMM_GDT_GPA, gdt, sizeof(gdt));
	(void)vmm_memory_write(memory, tables, &entry, sizeof(entry));
	for (uint64_t gib = 0; gib < MAPPED_GIB; gib++) {
		uint64_t directory = directories + gib * PAGE_TABLE_BYTES;

		entry = directory | ENTRY_PRESENT | ENTRY_WRITE;
		(void)vmm_memory_write(memory, tables + PAGE_TABLE_BYTES + gib * sizeof(entry), &entry,
				       sizeof(entry));
		for (uint64_t n = 0; n < TABLE_ENTRIES; n++) {
			entry = (gib * TABLE_ENTRIES + n) * LARGE_PAGE;
			entry |= ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE;
			(void)vmm_memory_write(memory, directory + n * sizeof(entry), &entry, sizeof(entry));
		}
	}
}

static void set_special(struct kvm_sregs *special, enum vmm_mode mode)
{
	const struct kvm_segment data = data_segment();

	special->gdt = (struct kvm_dtable){.base = VMM_GDT_GPA, .limit = 4 * sizeof(uint64_t) - 1};
	special->idt = (struct kvm_dtable){0};
	special->cs = code_segment(mode == VMM_LONG_MODE);
	special->ds = special->es = special->fs = special->gs = special->ss = data;
	special->tr = (struct kvm_segment){.limit = 0x67, .selector = TASK, .type = 0xb, .present = 1};
	special->ldt = (struct kvm_segment){.type = 0x2, .unusable = 1};
	special->cr0 = CR0_PE | CR0_ET | CR0_NE;
	special->cr3 = special->cr4 = special->efer = 0;
	if (mode != VMM_LONG_MODE)
		return;
	special->cr0 |= CR0_PG;
	special->cr3 = VMM_PAGE_TABLES_GPA;
	special->cr4 = CR4_PAE;
	special->efer = EFER_LME | EFER_LMA;
}

/* What is there at reset, but for the segments: CS begins at the entry. */
static bool set_real_mode(int vcpu, const struct vmm_start *start)
{
	struct kvm_regs registers = {.rsp = REAL_MODE_STACK, .rflags = FLAGS_RESET};
	struct kvm_sregs special;

	if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0)
		return false;
	special.cs.base = start->entry;
	special.cs.selector = (uint16_t)(start->entry >> 4);
	special.ds.base = start->argument;
	special.ds.selector = (uint16_t)(start->argument >> 4);
	special.es = special.fs = special.gs = special.ss = special.ds;
	return ioctl(vcpu, KVM_SET_SREGS, &special) == 0 && ioctl(vcpu, KVM_SET_REGS, &registers) == 0;
}

bool vmm_boot_set_registers(int vcpu, const struct vmm_start *start)
{
	struct kvm_regs registers = {.rip = start->entry, .rflags = FLAGS_RESET};
	struct kvm_sregs special;

	if (start->mode == VMM_REAL_MODE)
		return set_real_mode(vcpu, start);
	if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0)
		return false;
	set_special(&special, start->mode);
	if (start->mode == VMM_LONG_MODE)
		registers.rsi = start->argument;
	else
		registers.rbx = start->argument;
	return ioctl(vcpu, KVM_SET_SREGS, &special) == 0 && ioctl(vcpu, KVM_SET_REGS, &registers) == 0;
}
