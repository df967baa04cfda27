/* SPDX-License-Identifier: MIT */
/* Source: ACPI 6.4, 5.2. Tables are read as they are asked for, with bounds on all of them. */
#include "ports/bare-x86_64/acpi.h"

#define TABLES_MAX 64u
#define TABLE_BYTES_MAX (1024u * 1024u)
#define HEADER_SIZE 36u
#define RSDP_SIZE_1 20u /* what the first checksum covers */

#define MADT_ENTRIES 44u
#define MADT_LOCAL_APIC 0u
#define MADT_IO_APIC 1u
#define MADT_OVERRIDE 2u /* of where an interrupt of the ISA bus goes */
#define MADT_LOCAL_X2APIC 9u
#define MADT_ENABLED 1u
#define APIC_ID_ALL 0xffu
#define X2APIC_ID_ALL 0xffffffffu

#define COM1_IRQ 4u

#define FADT_DSDT 40u
#define FADT_PM1A_CONTROL 64u
#define FADT_X_DSDT 140u

struct table {
	uint64_t address;
	uint32_t signature, length;
};

static uint32_t signature_of(const char text[4])
{
	return (uint32_t)(uint8_t)text[0] | (uint32_t)(uint8_t)text[1] << 8 |
	       (uint32_t)(uint8_t)text[2] << 16 | (uint32_t)(uint8_t)text[3] << 24;
}

static bool open_table(const struct physical *from, uint64_t address, struct table *table)
{
	table->address = address;
	return address != 0 && physical_read(from, address, &table->signature, 4) &&
	       physical_read(from, address + 4, &table->length, 4) && table->length >= HEADER_SIZE &&
	       table->length <= TABLE_BYTES_MAX;
}

/* Field of a table; 0 if it is too short to have it. */
static uint64_t field(const struct physical *from, const struct table *table, uint32_t offset, uint32_t size)
{
	uint64_t value = 0;

	if (offset + size > table->length || !physical_read(from, table->address + offset, &value, size))
		return 0;
	return value;
}

/* --- MADT: the CPUs ---------------------------------------------------------------- */

/* Ids that mean all CPUs stand for none (ACPI 6.4, 5.2.12.2): what is sent there would come here, too. */
static void add_cpu(struct acpi_info *info, uint32_t apic_id, uint32_t all_cpus)
{
	if (apic_id == all_cpus)
		return;
	for (uint32_t i = 0; i < info->cpu_count; i++) {
		if (info->apic_ids[i] == apic_id) /* listed in both forms */
			return;
	}
	if (info->cpu_count == ACPI_CPUS_MAX)
		info->cpus_left_out++;
	else
		info->apic_ids[info->cpu_count++] = apic_id;
}

static void read_wiring(struct acpi_info *info, const struct physical *from, const struct table *madt,
			uint32_t at, uint32_t type)
{
	if (type == MADT_IO_APIC && field(from, madt, at + 8, 4) == 0) {
		info->io_apic = (uint32_t)field(from, madt, at + 4, 4);
	} else if (type == MADT_OVERRIDE && field(from, madt, at + 3, 1) == COM1_IRQ) {
		info->com1_line = (uint32_t)field(from, madt, at + 4, 4);
		info->com1_flags = (uint16_t)field(from, madt, at + 8, 2);
	}
}

static const char *read_madt(struct acpi_info *info, const struct physical *from, const struct table *madt)
{
	uint32_t at = MADT_ENTRIES;

	info->com1_line = COM1_IRQ;
	while (at + 2 <= madt->length) {
		uint32_t type = (uint32_t)field(from, madt, at, 1);
		uint32_t size = (uint32_t)field(from, madt, at + 1, 1);

		if (size < 2 || size > madt->length - at)
			return "ACPI: an entry of the MADT is larger than the table, or empty";
		if (type == MADT_LOCAL_APIC && size >= 8) {
			if (field(from, madt, at + 4, 4) & MADT_ENABLED)
				add_cpu(info, (uint32_t)field(from, madt, at + 3, 1), APIC_ID_ALL);
		} else if (type == MADT_LOCAL_X2APIC && size >= 16) {
			if (field(from, madt, at + 8, 4) & MADT_ENABLED)
				add_cpu(info, (uint32_t)field(from, madt, at + 4, 4), X2APIC_ID_ALL);
		} else if (size >= 10) {
			read_wiring(info, from, madt, at, type);
		}
		at += size;
	}
	return NULL;
}

/* --- DSDT: power off --------------------------------------------------------- */

/* A byte constant in AML: a prefix and the byte, or an opcode of its own for 0 and 1. */
static bool aml_byte(const uint8_t bytes[2], uint8_t *value)
{
	if (bytes[0] == 0x0a)
		*value = bytes[1];
	else if (bytes[0] <= 1)
		*value = bytes[0];
	else
		return false;
	return true;
}

/* Without an interpreter: Name (_S5, Package () { type, ...}) as compilers write it. */
static bool find_sleep_type(const struct physical *from, const struct table *dsdt, uint8_t *type)
{
	const uint32_t name = signature_of("_S5_");
	uint32_t window = 0;

	for (uint32_t at = HEADER_SIZE; at + 7 <= dsdt->length; at++) {
		uint8_t next[2]; /* PackageOp, first byte of the length */
		uint8_t value[2];

		window = window >> 8 | (uint32_t)field(from, dsdt, at, 1) << 24;
		if (window != name || !physical_read(from, dsdt->address + at + 1, next, 2) ||
		    next[0] != 0x12)
			continue;
		at += 2u + (next[1] >> 6) + 1u + 1u; /* to the first element */
		return at + 2 <= dsdt->length && physical_read(from, dsdt->address + at, value, 2) &&
		       aml_byte(value, type);
	}
	return false;
}

/* --- DSDT: windows for device memory ------------------------------------------------------ */

/* An address space descriptor (ACPI 6.4, 6.4.3.5): memory, of 32 or 64 bits. */
struct descriptor {
	uint8_t tag;
	uint32_t length; /* behind tag and length itself */
	uint32_t minimum, width;
};

static const struct descriptor descriptors[] = {{0x87, 23, 10, 4}, {0x8a, 43, 14, 8}};
#define DESCRIPTOR_HEADER 3u
#define DESCRIPTOR_MEMORY 0u
#define WINDOW_PAGE 4096u
#define WINDOW_FIRST (1ull << 20) /* what lies below is a PC's own */

/* Of what begins at that byte; 0: no window. */
static uint64_t window_at(const struct physical *from, const struct table *dsdt, uint32_t at,
			  const struct descriptor *kind, uint64_t *base)
{
	uint64_t last = field(from, dsdt, at + kind->minimum + kind->width, kind->width);
	uint64_t length = field(from, dsdt, at + kind->minimum + 3 * kind->width, kind->width);

	*base = field(from, dsdt, at + kind->minimum, kind->width);
	if (field(from, dsdt, at + 1, 2) != kind->length || field(from, dsdt, at + 3, 1) != DESCRIPTOR_MEMORY)
		return 0;
	return *base >= WINDOW_FIRST && *base % WINDOW_PAGE == 0 && length % WINDOW_PAGE == 0 &&
			       last >= *base && last - *base + 1 == length
		       ? length
		       : 0;
}

/* Without an interpreter: as compilers write what is known when they run. */
static void find_windows(struct acpi_info *info, const struct physical *from, const struct table *dsdt)
{
	uint64_t base, length;

	for (uint32_t at = HEADER_SIZE; at < dsdt->length && info->window_count < ACPI_WINDOWS_MAX; at++) {
		uint64_t tag = field(from, dsdt, at, 1);

		for (uint32_t n = 0; n < sizeof(descriptors) / sizeof(descriptors[0]); n++) {
			if (tag != descriptors[n].tag)
				continue;
			length = window_at(from, dsdt, at, &descriptors[n], &base);
			if (length == 0)
				continue;
			info->windows[info->window_count++] = (struct acpi_window){base, length};
			at += DESCRIPTOR_HEADER + descriptors[n].length - 1;
			break;
		}
	}
}

/* --- FADT: the DSDT, and power off -------------------------------------------------------- */

static void read_fadt(struct acpi_info *info, const struct physical *from, const struct table *fadt)
{
	uint64_t port = field(from, fadt, FADT_PM1A_CONTROL, 4);
	uint64_t address = field(from, fadt, FADT_X_DSDT, 8);
	struct table dsdt;
	uint8_t type = 0;

	if (address == 0)
		address = field(from, fadt, FADT_DSDT, 4);
	if (!open_table(from, address, &dsdt) || dsdt.signature != signature_of("DSDT"))
		return;
	find_windows(info, from, &dsdt);
	if (port == 0 || port > UINT16_MAX || !find_sleep_type(from, &dsdt, &type))
		return;
	info->power_off_port = (uint16_t)port;
	info->power_off_value = (uint16_t)((type & 7u) << 10 | 1u << 13); /* SLP_TYP, SLP_EN */
}

/* --- RSDP, RSDT, XSDT ---------------------------------------------------------------------- */

static const char *find_root(const struct physical *from, uint64_t rsdp, struct table *root, uint32_t *width)
{
	uint8_t bytes[RSDP_SIZE_1], sum = 0, revision;
	uint64_t address = 0;
	uint32_t rsdt;

	if (!physical_read(from, rsdp, bytes, sizeof(bytes)))
		return "ACPI: the RSDP lies outside of memory";
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		sum = (uint8_t)(sum + bytes[i]);
	if (sum != 0 || bytes[0] != 'R' || bytes[1] != 'S' || bytes[2] != 'D')
		return "ACPI: there is no RSDP where the loader says";
	revision = bytes[15];
	*width = 8;
	if (revision >= 2 && !physical_read(from, rsdp + 24, &address, 8))
		return "ACPI: the RSDP lies outside of memory";
	if (address == 0) {
		rsdt = (uint32_t)bytes[16] | (uint32_t)bytes[17] << 8 | (uint32_t)bytes[18] << 16 |
		       (uint32_t)bytes[19] << 24;
		address = rsdt;
		*width = 4;
	}
	if (!open_table(from, address, root) ||
	    root->signature != (*width == 8 ? signature_of("XSDT") : signature_of("RSDT")))
		return "ACPI: the list of tables cannot be read";
	return NULL;
}

const char *acpi_read(struct acpi_info *info, const struct physical *from, uint64_t rsdp)
{
	struct table root, table;
	uint32_t width;
	const char *error;

	*info = (struct acpi_info){0};
	error = find_root(from, rsdp, &root, &width);
	if (error)
		return error;
	for (uint32_t i = 0; i < TABLES_MAX && HEADER_SIZE + (i + 1) * width <= root.length; i++) {
		if (!open_table(from, field(from, &root, HEADER_SIZE + i * width, width), &table))
			continue;
		if (table.signature == signature_of("APIC") && !error)
			error = read_madt(info, from, &table);
		else if (table.signature == signature_of("FACP"))
			read_fadt(info, from, &table);
	}
	return error;
}
