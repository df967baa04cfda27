/* SPDX-License-Identifier: MIT */
/*
 * The whole way of BOOTX64.EFI on a firmware made for the test: what it asks for and in which order, a
 * memory map that changes under its hands, a hypervisor that the firmware holds until it is gone, or
 * longer. What it reads and writes of the machine is looked at here; there is nothing else by which it
 * could write a register.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* This machine's ports and registers are not to be touched: these stand in for cpu.h. */
#define UEFI_CPU_H
#define CR4_LA57 (1ull << 12)
static void cpu_out8(uint16_t port, uint8_t value);
static uint8_t cpu_in8(uint16_t port);
static void cpu_pause(void);
static void cpu_cpuid(uint32_t leaf, uint32_t out[4]);
static uint64_t cpu_msr_read(uint32_t msr);
static uint64_t cpu_cr4(void);
static _Noreturn void cpu_halt(void);

#include "apps/uefi/console.c"
#include "apps/uefi/files.c"
#include "apps/uefi/main.c"

#define MAPPED 0x40000000ull /* where the firmware has memory of its own: below 4 GiB */
#define MAPPED_BYTES 0x400000u
#define PROGRAM (MAPPED + 0x100000u) /* where it says that we lie */
#define FRAME_BUFFER (MAPPED + 0x200000u)
#define FIRMWARE (1ull << 40)

enum outcome { RETURNED, ENTERED, HALTED };

static struct {
	/* as a test wants it */
	bool hyper_v, hypercalls, five_levels, serial, runtime_in_the_way;
	uint64_t identity_before, identity_after;
	uint32_t stale; /* so many ends fail, as the map has changed meanwhile */
	const char *config;
	/* as it came */
	uint64_t key, given, told;
	uint32_t ends, maps, identity_reads;
	bool ending, gone, divisor;
	char said[4096], on_serial[4096];
	struct enter_copy copies[4];
	uint64_t entry;
} firmware;

static jmp_buf machine;
static efi_status returned;

/* --- The image that is built in: a header, 16 bytes for 1 MiB and zeros behind, PVH's note -------------- */

__asm__(".section .rodata\n"
	".globl built_in_image, built_in_image_end, built_in_line\n"
	"built_in_image:\n"
	".byte 0x7f, 0x45, 0x4c, 0x46, 2, 1, 1\n .zero 9\n"
	".short 2, 62\n .long 1\n .quad 0x100008, 64, 0\n .long 0\n .short 64, 56, 2, 0, 0, 0\n"
	".long 1, 5\n .quad 176, 0x100000, 0x100000, 16, 0x1000, 0x1000\n"
	".long 4, 4\n .quad 192, 0, 0, 20, 20, 4\n"
	".ascii \"codecodecodecode\"\n"
	".long 4, 4, 18\n .asciz \"Xen\"\n .long 0x100000\n"
	"built_in_image_end:\n"
	"built_in_line: .asciz \"console=yes\"\n"
	".text\n");

/* --- The machine ------------------------------------------------------------------------------------- */

static void append(char *to, char c)
{
	size_t length = strlen(to);

	assert_true(length + 1 < sizeof(firmware.said));
	to[length] = c;
	to[length + 1] = '\0';
}

static void cpu_out8(uint16_t port, uint8_t value)
{
	assert_in_range(port, 0x3f8, 0x3ff);
	if (port == 0x3fb)
		firmware.divisor = value & 0x80;
	if (port == 0x3f8 && !firmware.divisor)
		append(firmware.on_serial, (char)value);
}

static uint8_t cpu_in8(uint16_t port)
{
	assert_int_equal(port, 0x3fd);
	return 0x20;
}

static void cpu_pause(void)
{
}

static void cpu_cpuid(uint32_t leaf, uint32_t out[4])
{
	memset(out, 0, 16);
	if (leaf == 1)
		out[2] = firmware.hyper_v ? 1u << 31 : 0;
	else if (leaf == 0x40000000)
		out[0] = 0x40000005;
	else if (leaf == 0x40000001)
		out[0] = 0x31237648;
	else if (leaf == 0x40000003)
		out[0] = firmware.hypercalls ? 0x26 : 0x06, out[1] = 0x30;
}

static uint64_t cpu_msr_read(uint32_t msr)
{
	assert_int_equal(msr, 0x40000000);
	assert_true(firmware.hyper_v && firmware.hypercalls); /* a fault otherwise */
	firmware.identity_reads++;
	return firmware.gone ? firmware.identity_after : firmware.identity_before;
}

static uint64_t cpu_cr4(void)
{
	return firmware.five_levels ? 0x1020 : 0x20;
}

static _Noreturn void cpu_halt(void)
{
	longjmp(machine, HALTED);
}

_Noreturn void enter_image(uint64_t tables, const struct enter_copy *copies, uint64_t entry, uint64_t told)
{
	assert_true(tables == (uintptr_t)state.tables.pages[0]);
	assert_true(firmware.gone);
	for (uint32_t i = 0; i < 4; i++) {
		firmware.copies[i] = copies[i];
		if (!copies[i].to)
			break;
	}
	firmware.entry = entry;
	firmware.told = told;
	longjmp(machine, ENTERED);
}

/* --- The firmware ------------------------------------------------------------------------------------ */

static void still_there(void)
{
	assert_false(
		firmware.ending); /* then it may be asked for the memory map and the end, and nothing else */
}

static efi_status output_string(struct efi_text_output *self, const efi_char *text)
{
	(void)self;
	still_there();
	for (; *text; text++)
		append(firmware.said, (char)*text);
	return EFI_SUCCESS;
}

static efi_status allocate_pages(uint32_t how, uint32_t type, uint64_t pages, uint64_t *address)
{
	(void)how;
	still_there();
	assert_int_equal(type, EFI_LOADER_DATA);
	*address = MAPPED + firmware.given;
	firmware.given += pages << 12;
	assert_true(firmware.given <= 0x100000);
	memset((void *)(uintptr_t)*address, 0xee, pages << 12);
	return EFI_SUCCESS;
}

static efi_status get_memory_map(uint64_t *bytes, void *map, uint64_t *key, uint64_t *descriptor_bytes,
				 uint32_t *version)
{
	const struct efi_memory_descriptor rows[] = {
		{.type = EFI_CONVENTIONAL, .address = 0, .pages = 0x9f},
		{.type = firmware.runtime_in_the_way ? EFI_RUNTIME_SERVICES_DATA : EFI_BOOT_SERVICES_DATA,
		 .address = 0x100000,
		 .pages = 0x10},
		{.type = EFI_CONVENTIONAL, .address = 0x110000, .pages = 0x700 + firmware.maps},
		{.type = EFI_LOADER_DATA, .address = MAPPED, .pages = MAPPED_BYTES >> 12},
	};
	const uint64_t row = 48;

	assert_true(*bytes >= 4 * row);
	for (uint32_t i = 0; i < 4; i++)
		memcpy((uint8_t *)map + i * row, &rows[i], sizeof(rows[i]));
	*bytes = 4 * row;
	*descriptor_bytes = row;
	*version = 1;
	*key = firmware.key;
	firmware.maps++;
	return EFI_SUCCESS;
}

static efi_status exit_boot_services(efi_handle image, uint64_t key)
{
	assert_ptr_equal(image, &firmware);
	firmware.ends++;
	firmware.ending = true;
	if (firmware.stale) {
		firmware.stale--;
		firmware.key++;
	}
	if (key != firmware.key)
		return EFI_INVALID_PARAMETER;
	firmware.gone = true;
	return EFI_SUCCESS;
}

static efi_status stall(uint64_t microseconds)
{
	still_there();
	assert_in_range(microseconds, 1000000, 10000000);
	return EFI_SUCCESS;
}

static efi_status set_watchdog(uint64_t seconds, uint64_t code, uint64_t data_bytes, const efi_char *data)
{
	(void)code, (void)data_bytes, (void)data;
	still_there();
	assert_int_equal(seconds, 0);
	return EFI_SUCCESS;
}

/* --- Its file system: \hvkit.cfg or nothing ------------------------------------------------------------ */

static uint64_t position;

static efi_status close_file(struct efi_file *self)
{
	(void)self;
	still_there();
	return EFI_SUCCESS;
}

static efi_status read_file(struct efi_file *self, uint64_t *bytes, void *to)
{
	uint64_t left = strlen(firmware.config) - position;

	(void)self;
	still_there();
	if (*bytes > 7)
		*bytes = 7; /* less than was asked for */
	*bytes = *bytes < left ? *bytes : left;
	memcpy(to, firmware.config + position, *bytes);
	position += *bytes;
	return EFI_SUCCESS;
}

static efi_status get_position(struct efi_file *self, uint64_t *out)
{
	(void)self;
	*out = position;
	return EFI_SUCCESS;
}

static efi_status set_position(struct efi_file *self, uint64_t to)
{
	(void)self;
	position = to == EFI_FILE_END ? strlen(firmware.config) : to;
	return EFI_SUCCESS;
}

static efi_status open_name(struct efi_file *self, struct efi_file **out, const efi_char *name, uint64_t mode,
			    uint64_t attributes);
static struct efi_file file = {.open = open_name,
			       .close = close_file,
			       .read = read_file,
			       .get_position = get_position,
			       .set_position = set_position};

static efi_status open_name(struct efi_file *self, struct efi_file **out, const efi_char *name, uint64_t mode,
			    uint64_t attributes)
{
	static const char config[] = "\\hvkit.cfg";

	(void)self, (void)attributes;
	still_there();
	assert_int_equal(mode, 1);
	for (size_t i = 0; i < sizeof(config); i++) {
		if (name[i] != (uint8_t)config[i])
			return EFI_NOT_FOUND;
	}
	*out = &file;
	position = 0;
	return firmware.config ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static efi_status open_volume(struct efi_file_system *self, struct efi_file **root)
{
	(void)self;
	*root = &file;
	return EFI_SUCCESS;
}

/* --- Its protocols ------------------------------------------------------------------------------------- */

static int device;
static struct efi_file_system file_system = {.open_volume = open_volume};
static struct efi_loaded_image loaded = {
	.device = &device, .image_base = (void *)(uintptr_t)PROGRAM, .image_bytes = 0x80000};
static const struct efi_graphics_information information = {
	.width = 640, .height = 480, .format = EFI_PIXELS_BGR, .pixels_per_line = 640};
static const struct efi_graphics_mode graphics_mode = {.information = &information, .base = FRAME_BUFFER};
static struct efi_graphics graphics = {.mode = &graphics_mode};

static efi_status handle_protocol(efi_handle handle, const struct efi_guid *guid, void **protocol)
{
	still_there();
	if (handle == &firmware && guid->a == 0x5b1b31a1)
		*protocol = &loaded;
	else if (handle == &device && guid->a == 0x964e5b22)
		*protocol = &file_system;
	else
		return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static efi_status locate_protocol(const struct efi_guid *guid, void *registration, void **protocol)
{
	(void)registration;
	still_there();
	*protocol = &graphics;
	if (guid->a == 0x9042a9de || (guid->a == 0xbb25cf6f && firmware.serial))
		return EFI_SUCCESS;
	return EFI_NOT_FOUND;
}

static struct efi_text_output text_output = {.output_string = output_string};
static const struct efi_boot_services services = {.allocate_pages = allocate_pages,
						  .get_memory_map = get_memory_map,
						  .handle_protocol = handle_protocol,
						  .exit_boot_services = exit_boot_services,
						  .stall = stall,
						  .set_watchdog = set_watchdog,
						  .locate_protocol = locate_protocol};
static const struct efi_configuration tables_of_firmware[] = {
	{{0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}}, (void *)0x1111},
	{{0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}}, (void *)0x2222},
	{{0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}}, (void *)0x3333}};
static const struct efi_system_table system_table = {.output = &text_output,
						     .boot_services = &services,
						     .configuration_count = 3,
						     .configuration = tables_of_firmware};

/* --- Tests --------------------------------------------------------------------------------------------- */

static int begin(void **unused)
{
	(void)unused;
	memset(&firmware, 0, sizeof(firmware));
	memset(&state, 0, sizeof(state));
	memset((void *)(uintptr_t)MAPPED, 0, MAPPED_BYTES);
	output = NULL;
	serial = false;
	firmware.hyper_v = firmware.hypercalls = firmware.serial = true;
	firmware.identity_before = FIRMWARE;
	return 0;
}

static enum outcome run(void)
{
	volatile int outcome = setjmp(machine);

	if (outcome == RETURNED)
		returned = efi_main(&firmware, &system_table);
	return (enum outcome)outcome;
}

static void says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not say '%s'", text, part);
}

static void without_hyper_v_the_machine_is_given_back(void **unused)
{
	(void)unused;
	firmware.hyper_v = false;
	assert_int_equal(run(), RETURNED);
	assert_true(returned == EFI_UNSUPPORTED);
	says(firmware.said, "There is no Hyper-V on this machine");
	assert_int_equal(firmware.ends, 0);
	assert_int_equal(firmware.identity_reads, 0);
	assert_string_equal(firmware.on_serial, "");
}

static void the_image_is_entered_when_the_firmware_has_let_go(void **unused)
{
	const uint8_t *told;
	uint64_t rsdp;
	uint32_t line;

	(void)unused;
	assert_int_equal(run(), ENTERED);
	says(firmware.said, "taken by the firmware");
	assert_int_equal(firmware.identity_reads, 2); /* before, and when it is gone */
	assert_int_equal(firmware.ends, 1);
	assert_true(firmware.entry == 0x100008);
	assert_true(firmware.copies[0].to == 0x100000);
	assert_true(firmware.copies[0].from == (uintptr_t)built_in_image + 176);
	assert_true(firmware.copies[0].bytes == 16);
	assert_true(firmware.copies[0].zeros == 0xff0);
	assert_true(firmware.copies[1].to == 0);
	told = (const uint8_t *)(uintptr_t)firmware.told;
	memcpy(&rsdp, told + 0x70, 8);
	memcpy(&line, told + 0x228, 4);
	assert_true(rsdp == 0x2222);
	assert_string_equal((const char *)(uintptr_t)line, "console=yes");
	assert_int_equal(told[0x0f], 0x70);
	assert_int_equal(told[0x1e8], 3); /* 0; 1 MiB and what is joined to it; MAPPED */
}

static void a_firmware_that_keeps_the_hypervisor_is_told_of(void **unused)
{
	uint32_t points = 0;

	(void)unused;
	firmware.identity_after = FIRMWARE;
	assert_int_equal(run(), HALTED);
	assert_true(firmware.gone);
	says(firmware.on_serial, "the firmware still has the hypervisor (guest identity 0x10000000000)");
	says(firmware.on_serial, "the image is not started.\r\n");
	for (uint32_t i = 0; i < 640 * 480; i++)
		points += ((const uint32_t *)(uintptr_t)FRAME_BUFFER)[i] == 0xffffff;
	assert_true(points > 500);
	begin(NULL);
	firmware.identity_after = 0x98ae000000000000;
	assert_int_equal(run(), HALTED);
	says(firmware.on_serial, "another program still has the hypervisor");
}

static void a_changed_map_is_asked_for_anew(void **unused)
{
	const uint8_t *told;
	uint64_t length;

	(void)unused;
	firmware.stale = 3;
	assert_int_equal(run(), ENTERED);
	assert_int_equal(firmware.ends, 4);
	assert_int_equal(firmware.maps, 4);
	told = (const uint8_t *)(uintptr_t)firmware.told;
	memcpy(&length, told + 0x2d0 + 20 + 8, 8);
	assert_true(length == 0x713000); /* the last one's: it grew with each */
	begin(NULL);
	firmware.stale = 1000;
	assert_int_equal(run(), HALTED);
	says(firmware.on_serial, "does not let go");
	assert_int_equal(firmware.ends, 16);
}

static void a_place_that_is_taken_is_told_in_time(void **unused)
{
	(void)unused;
	firmware.runtime_in_the_way = true;
	assert_int_equal(run(), RETURNED);
	assert_true(returned == EFI_LOAD_ERROR);
	says(firmware.said, "has a segment where this machine has no memory that could be used");
	assert_int_equal(firmware.ends, 0);
	begin(NULL);
	loaded.image_base = (void *)0xff000;
	assert_int_equal(run(), RETURNED);
	loaded.image_base = (void *)(uintptr_t)PROGRAM;
	says(firmware.said, "has a segment where");
	begin(NULL);
	firmware.five_levels = true;
	assert_int_equal(run(), RETURNED);
	says(firmware.said, "five levels");
}

static void words_of_the_volume_count(void **unused)
{
	uint32_t line;

	(void)unused;
	firmware.hyper_v = false;
	firmware.config = "hypervisor any\r\nline cpus=1 -- ip\r\n";
	assert_int_equal(run(), ENTERED);
	assert_int_equal(firmware.identity_reads, 0);
	memcpy(&line, (const uint8_t *)(uintptr_t)firmware.told + 0x228, 4);
	assert_string_equal((const char *)(uintptr_t)line, "cpus=1 -- ip");
	begin(NULL);
	firmware.config = "hypervisor perhaps\n";
	assert_int_equal(run(), RETURNED);
	assert_true(returned == EFI_INVALID_PARAMETER);
	says(firmware.said, "\\hvkit.cfg: line 1: 'hypervisor' takes any or required.");
	begin(NULL);
	firmware.config = "image \\other.elf\n";
	assert_int_equal(run(), RETURNED);
	says(firmware.said, "The image \\other.elf cannot be read: status 0x800000000000000e, not found.");
}

static void rights_that_are_missing_are_named(void **unused)
{
	(void)unused;
	firmware.hypercalls = false; /* then the identity cannot be read, and is not */
	assert_int_equal(run(), RETURNED);
	says(firmware.said, "does not let us have hypercalls");
	begin(NULL);
	firmware.hypercalls = false;
	firmware.config = "hypervisor any";
	assert_int_equal(run(), ENTERED);
	assert_int_equal(firmware.identity_reads, 0);
}

static void com1_is_used_where_the_firmware_has_no_serial_port(void **unused)
{
	(void)unused;
	firmware.serial = firmware.hyper_v = false;
	assert_int_equal(run(), RETURNED);
	says(firmware.on_serial, "There is no Hyper-V on this machine");
	says(firmware.said, "There is no Hyper-V on this machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_hyper_v_the_machine_is_given_back, begin),
		cmocka_unit_test_setup(the_image_is_entered_when_the_firmware_has_let_go, begin),
		cmocka_unit_test_setup(a_firmware_that_keeps_the_hypervisor_is_told_of, begin),
		cmocka_unit_test_setup(a_changed_map_is_asked_for_anew, begin),
		cmocka_unit_test_setup(a_place_that_is_taken_is_told_in_time, begin),
		cmocka_unit_test_setup(words_of_the_volume_count, begin),
		cmocka_unit_test_setup(rights_that_are_missing_are_named, begin),
		cmocka_unit_test_setup(com1_is_used_where_the_firmware_has_no_serial_port, begin),
	};
	void *mapped = mmap((void *)(uintptr_t)MAPPED, MAPPED_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (mapped != (void *)(uintptr_t)MAPPED)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
