/* SPDX-License-Identifier: MIT */
/* RSDP, XSDT, FADT and MADT as ACPI 6.4 has them; the DSDT comes from iasl. */
#include <string.h>

#include "vmm/acpi/acpi.h"
#include "vmm/private.h"

#define ADDRESS_SYSTEM_IO 1u
#define ACCESS_BYTE 1u
#define ACCESS_WORD 2u

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} __attribute__((packed));

#define XSDT_ENTRIES 2u
struct xsdt {
	struct header header;
	uint64_t entries[XSDT_ENTRIES];
} __attribute__((packed));

struct address {
	uint8_t space, bits, offset, access;
	uint64_t address;
} __attribute__((packed));

#define FADT_FLAGS_WBINVD (1u << 0)
#define FADT_FLAGS_C1 (1u << 2)
#define FADT_FLAGS_NO_POWER_BUTTON (1u << 4)
#define FADT_FLAGS_NO_SLEEP_BUTTON (1u << 5)
#define FADT_FLAGS_RESET (1u << 10)
#define FADT_BOOT_LEGACY (1u << 0)
#define FADT_BOOT_NO_VGA (1u << 2)
#define C2_NEVER 101u
#define C3_NEVER 1001u

struct fadt {
	struct header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
	uint8_t pm1_event_bytes, pm1_control_bytes, pm2_control_bytes, pm_timer_bytes, gpe0_bytes, gpe1_bytes;
	uint8_t gpe1_base, cstate;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_pm_timer;
	struct address x_gpe0, x_gpe1, sleep_control, sleep_status;
	uint64_t hypervisor;
} __attribute__((packed));
_Static_assert(sizeof(struct fadt) == 276, "FADT of ACPI 6");

#define MADT_PC_COMPATIBLE 1u
#define MADT_LOCAL_APIC 0u
#define MADT_IO_APIC 1u
#define MADT_OVERRIDE 2u
#define MADT_LOCAL_NMI 4u
#define MADT_ENABLED 1u
#define ALL_PROCESSORS 0xffu
#define LOCAL_APIC_GPA 0xfee00000u
#define IO_APIC_GPA 0xfec00000u
#define FLAGS_LEVEL_HIGH 0x000du
#define TIMER_GSI 2u

struct madt {
	struct header header;
	uint32_t local_apic, flags;
} __attribute__((packed));
struct madt_local_apic {
	uint8_t type, length, processor, id;
	uint32_t flags;
} __attribute__((packed));
struct madt_io_apic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __attribute__((packed));
struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));
struct madt_nmi {
	uint8_t type, length, processor;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

/* --- Writing ------------------------------------------------------------------------------- */

struct area {
	struct vmm_memory *memory;
	uint64_t at;
};

static uint8_t checksum(const void *bytes, size_t count)
{
	const uint8_t *from = bytes;
	uint8_t sum = 0;

	while (count--)
		sum = (uint8_t)(sum + *from++);
	return (uint8_t)(0u - sum);
}

static struct header header(const char *signature, uint8_t revision)
{
	struct header header = {.revision = revision, .oem_revision = 1, .creator_revision = 1};

	memcpy(header.signature, signature, 4);
	memcpy(header.oem, "HVKIT ", 6);
	memcpy(header.oem_table, "HVKITVMM", 8);
	memcpy(header.creator, "HVKT", 4);
	return header;
}

/* Reserves room for what is size bytes long; 16-byte aligned. */
static uint64_t reserve(struct area *area, size_t size)
{
	uint64_t at = area->at;

	area->at = (at + size + 15u) & ~15ull;
	return at;
}

/* Completes a table that lies in guest memory. */
static void seal(struct area *area, uint64_t gpa, size_t size)
{
	struct header *table = vmm_memory_at(area->memory, gpa, size);

	table->length = (uint32_t)size;
	table->checksum = 0;
	table->checksum = checksum(table, size);
}

static uint64_t put(struct area *area, const void *table, size_t size)
{
	uint64_t gpa = reserve(area, size);

	(void)vmm_memory_write(area->memory, gpa, table, size);
	seal(area, gpa, size);
	return gpa;
}

static uint64_t put_dsdt(struct area *area, uint32_t generation)
{
	const uint8_t *bytes = generation == 1 ? vmm_dsdt_gen1 : vmm_dsdt_gen2;
	size_t size = generation == 1 ? vmm_dsdt_gen1_size : vmm_dsdt_gen2_size;
	struct header empty = header("DSDT", 2);

	return size ? put(area, bytes, size) : put(area, &empty, sizeof(empty));
}

static struct address port(uint32_t number, uint8_t bytes)
{
	return (struct address){.space = ADDRESS_SYSTEM_IO,
				.bits = (uint8_t)(bytes * 8u),
				.access = bytes == 1 ? ACCESS_BYTE : ACCESS_WORD,
				.address = number};
}

static uint64_t put_fadt(struct area *area, uint64_t dsdt)
{
	const struct fadt fadt = {
		.header = header("FACP", 6),
		.dsdt = (uint32_t)dsdt,
		.x_dsdt = dsdt,
		.sci = VMM_SCI_IRQ,
		.pm1a_event = VMM_PM1_EVENT_PORT,
		.pm1_event_bytes = 4,
		.x_pm1a_event = port(VMM_PM1_EVENT_PORT, 4),
		.pm1a_control = VMM_PM1_CONTROL_PORT,
		.pm1_control_bytes = 2,
		.x_pm1a_control = port(VMM_PM1_CONTROL_PORT, 2),
		.c2_latency = C2_NEVER,
		.c3_latency = C3_NEVER,
		.century = 0x32,
		.boot_flags = FADT_BOOT_LEGACY | FADT_BOOT_NO_VGA,
		.flags = FADT_FLAGS_WBINVD | FADT_FLAGS_C1 | FADT_FLAGS_NO_POWER_BUTTON |
			 FADT_FLAGS_NO_SLEEP_BUTTON | FADT_FLAGS_RESET,
		.reset = port(VMM_RESET_PORT, 1),
		.reset_value = VMM_RESET_VALUE,
		.minor = 4,
	};

	return put(area, &fadt, sizeof(fadt));
}

struct madt_tables {
	struct madt madt;
	struct madt_io_apic io_apic;
	struct madt_override timer, sci;
	struct madt_nmi nmi;
	struct madt_local_apic cpus[HVH_VPS_MAX];
} __attribute__((packed));

static uint64_t put_madt(struct area *area, uint32_t cpus)
{
	struct madt_tables tables = {
		.madt = {header("APIC", 5), LOCAL_APIC_GPA, MADT_PC_COMPATIBLE},
		.io_apic = {MADT_IO_APIC, sizeof(struct madt_io_apic), 0, 0, IO_APIC_GPA, 0},
		.timer = {MADT_OVERRIDE, sizeof(struct madt_override), 0, 0, TIMER_GSI, 0},
		.sci = {MADT_OVERRIDE, sizeof(struct madt_override), 0, VMM_SCI_IRQ, VMM_SCI_IRQ,
			FLAGS_LEVEL_HIGH},
		.nmi = {MADT_LOCAL_NMI, sizeof(struct madt_nmi), ALL_PROCESSORS, 0, 1},
	};

	for (uint32_t n = 0; n < cpus; n++)
		tables.cpus[n] = (struct madt_local_apic){MADT_LOCAL_APIC, sizeof(struct madt_local_apic),
							  (uint8_t)n, (uint8_t)n, MADT_ENABLED};
	return put(area, &tables, offsetof(struct madt_tables, cpus) + cpus * sizeof(tables.cpus[0]));
}

void vmm_acpi_write(struct vmm_memory *memory, uint32_t cpus, uint32_t generation)
{
	struct area area = {memory, VMM_ACPI_GPA};
	struct xsdt xsdt = {.header = header("XSDT", 1)};
	struct rsdp rsdp = {.revision = 2, .length = sizeof(rsdp)};

	(void)reserve(&area, sizeof(rsdp));
	xsdt.entries[0] = put_fadt(&area, put_dsdt(&area, generation));
	xsdt.entries[1] = put_madt(&area, cpus);
	memcpy(rsdp.signature, "RSD PTR ", 8);
	memcpy(rsdp.oem, "HVKIT ", 6);
	rsdp.xsdt = put(&area, &xsdt, sizeof(xsdt));
	rsdp.checksum = checksum(&rsdp, offsetof(struct rsdp, length));
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	(void)vmm_memory_write(memory, VMM_RSDP_GPA, &rsdp, sizeof(rsdp));
}

bool vmm_has_dsdt(void)
{
	return vmm_dsdt_gen1_size && vmm_dsdt_gen2_size;
}
