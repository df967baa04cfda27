/* SPDX-License-Identifier: MIT */
/*
 * BOOTX64.EFI: starts a kernel image of ours from UEFI firmware. In this order, because the firmware has
 * VMBus for itself until its boot services end (and then says UNLOAD and gives the guest identity back): look
 * at the hypervisor, only reading; take configuration, memory map, ACPI and screen; leave the firmware; see
 * that the hypervisor is nobody's; copy the image to its place; enter it.
 */
#include <stdbool.h>
#include <string.h>

#include "apps/netboot/pvh.h"
#include "apps/uefi/config.h"
#include "apps/uefi/console.h"
#include "apps/uefi/cpu.h"
#include "apps/uefi/files.h"
#include "apps/uefi/firmware_memory.h"
#include "apps/uefi/hypervisor.h"
#include "apps/uefi/tables.h"
#include "apps/uefi/zero_page.h"
#include "hvkit/version.h"
#include "hvkit/wire/hypervisor.h"

#define CONFIG_NAME "\\hvkit.cfg"
#define MEMORY_MAP_BYTES 65536u
#define LEAVE_TRIES 16u
#define READ_SECONDS 5u /* before the firmware goes on to something else, which may empty the screen */
#define LOW_LIMIT (1ull << 32)
#define ELF_ENTRY 24u

/* image.S */
extern const uint8_t built_in_image[], built_in_image_end[];
extern const char built_in_line[];

struct enter_copy { /* as in enter.S */
	uint64_t to, from, bytes, zeros;
};
/* enter.S */
_Noreturn void enter_image(uint64_t tables, const struct enter_copy *copies, uint64_t entry, uint64_t told);
efi_status efi_main(efi_handle handle, const struct efi_system_table *system);

static struct {
	efi_handle handle;
	const struct efi_system_table *system;
	const struct efi_boot_services *services;
	const struct efi_loaded_image *self;
	struct hypervisor hypervisor;
	struct config config;
	char error[CONFIG_ERROR_MAX];
	uint8_t config_text[CONFIG_BYTES_MAX];

	const uint8_t *image;
	uint64_t image_bytes;
	struct pvh_image plan; /* segments; its entry is the one of 32 bits */
	uint64_t entry;
	uint64_t told; /* address of the zero page */
	uint64_t rsdp;
	struct boot_screen screen;
	bool left; /* the firmware has been asked to go: nothing of it may be called but memory map and end */

	uint8_t descriptors[MEMORY_MAP_BYTES];
	struct memory_map memory;
	struct enter_copy copies[PVH_SEGMENTS_MAX + 1];
	struct tables tables;
} state;

static const struct efi_guid loaded_image_guid = {
	0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid graphics_guid = {
	0x9042a9de, 0x23dc, 0x4a38, {0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a}};
static const struct efi_guid acpi_1_guid = {
	0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
static const struct efi_guid acpi_2_guid = {
	0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};

/* --- The hypervisor ------------------------------------------------------------------------------- */

static void read_leaf(void *context, uint32_t number, uint32_t out[4])
{
	(void)context;
	cpu_cpuid(number, out);
}

static bool check_hypervisor(void)
{
	struct hypervisor *found = &state.hypervisor;

	hypervisor_judge(found, read_leaf, NULL);
	if (found->can_say)
		found->identity = cpu_msr_read(HV_MSR_GUEST_OS_ID);
	if (found->present)
		console_print("Hyper-V's interface is there; it has been taken by %s.\n",
			      found->can_say ? hypervisor_owner(found->identity) : "nobody who may say so");
	if (state.config.any_hypervisor)
		return true;
	if (!found->present)
		console_print("There is no Hyper-V on this machine, which the image needs. (With 'hypervisor "
			      "any' in "
			      "%s it is started all the same.)\n",
			      CONFIG_NAME);
	else if (found->lacks)
		console_print("This Hyper-V does not let us have %s, which the image needs.\n", found->lacks);
	return found->present && !found->lacks;
}

/* --- What the firmware knows -------------------------------------------------------------------------- */

static bool read_config(void)
{
	uint64_t bytes = 0;
	efi_status status = files_read(state.services, state.self->device, CONFIG_NAME, state.config_text,
				       sizeof(state.config_text), &bytes);

	if (status == EFI_BUFFER_TOO_SMALL) {
		console_print(CONFIG_NAME " is longer than %u bytes.\n", CONFIG_BYTES_MAX);
		return false;
	}
	if (status != EFI_SUCCESS && status != EFI_NOT_FOUND && status != EFI_UNSUPPORTED) {
		console_print(CONFIG_NAME " cannot be read: status 0x%llx.\n", (unsigned long long)status);
		return false;
	}
	if (status == EFI_SUCCESS &&
	    !config_read(&state.config, (const char *)state.config_text, bytes, state.error)) {
		console_print(CONFIG_NAME ": %s.\n", state.error);
		return false;
	}
	if (config_read_options(&state.config, state.self->load_options, state.self->load_options_bytes,
				state.error))
		return true;
	console_print("The load options %s.\n", state.error);
	return false;
}

static bool read_image(void)
{
	const char *wrong;
	efi_status status = EFI_SUCCESS;

	state.image = built_in_image;
	state.image_bytes = (uint64_t)(built_in_image_end - built_in_image);
	if (state.config.image[0])
		status = files_load(state.services, state.self->device, state.config.image, &state.image,
				    &state.image_bytes);
	if (status != EFI_SUCCESS) {
		console_print("The image %s cannot be read: status 0x%llx%s.\n", state.config.image,
			      (unsigned long long)status, status == EFI_NOT_FOUND ? ", not found" : "");
		return false;
	}
	wrong = pvh_read(state.image, state.image_bytes, &state.plan);
	if (wrong) {
		console_print("The image%s%s %s.\n", state.config.image[0] ? " " : "", state.config.image,
			      wrong);
		return false;
	}
	memcpy(&state.entry, state.image + ELF_ENTRY, sizeof(state.entry)); /* pvh_read: it is that long */
	for (uint32_t n = 0; n < state.plan.count; n++) {
		if (state.entry - state.plan.segments[n].address < state.plan.segments[n].length)
			return true;
	}
	console_print("The image%s%s has no entry of 64 bits where it is loaded.\n",
		      state.config.image[0] ? " " : "", state.config.image);
	return false;
}

static bool is_same(const struct efi_guid *a, const struct efi_guid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void find_acpi(void)
{
	for (uint64_t i = 0; i < state.system->configuration_count; i++) {
		const struct efi_configuration *entry = &state.system->configuration[i];

		if (is_same(&entry->guid, &acpi_2_guid) ||
		    (is_same(&entry->guid, &acpi_1_guid) && state.rsdp == 0))
			state.rsdp = (uintptr_t)entry->table;
	}
}

static void find_screen(void)
{
	void *protocol = NULL;
	const struct efi_graphics *graphics;

	if (state.services->locate_protocol(&graphics_guid, NULL, &protocol) != EFI_SUCCESS)
		return;
	graphics = protocol;
	if (graphics->mode && graphics->mode->information)
		state.screen = graphics_screen(graphics->mode);
}

/* --- Out of the firmware ------------------------------------------------------------------------------ */

static bool take_told(void)
{
	state.told = LOW_LIMIT - 1;
	if (state.services->allocate_pages(EFI_ALLOCATE_BELOW, EFI_LOADER_DATA,
					   ZERO_PAGE_BYTES >> EFI_PAGE_SHIFT, &state.told) == EFI_SUCCESS)
		return true;
	console_print("There is no memory left below 4 GiB.\n");
	return false;
}

/* Where the image goes there must be memory once the firmware is gone, and nothing of ours. NULL, or what is
 * wrong. */
static const char *check_place(void)
{
	const struct memory_span taken[] = {
		{(uintptr_t)state.self->image_base, state.self->image_bytes},
		{(uintptr_t)state.image, state.image_bytes},
		{state.told, ZERO_PAGE_BYTES},
	};

	return pvh_check_place(&state.plan, &state.memory, taken, sizeof(taken) / sizeof(taken[0]));
}

static bool map_tables(void)
{
	tables_begin(&state.tables);
	return tables_map(&state.tables, 0, LOW_LIMIT) &&
	       tables_map(&state.tables, (uintptr_t)state.self->image_base, state.self->image_bytes) &&
	       tables_map(&state.tables, (uintptr_t)state.image, state.image_bytes);
}

/* A map is good until the firmware gives memory to anyone, which ending its services may do: then there is a
 * new one to be asked for, and nothing else may be called in between. NULL, or what is wrong. */
static const char *leave_firmware(void)
{
	for (uint32_t i = 0; i < LEAVE_TRIES; i++) {
		uint64_t bytes = sizeof(state.descriptors), key = 0, descriptor_bytes = 0;
		uint32_t version = 0;
		const char *wrong;

		if (state.services->get_memory_map(&bytes, state.descriptors, &key, &descriptor_bytes,
						   &version) != EFI_SUCCESS)
			return "cannot be started: the firmware's memory map is longer than 64 KiB";
		if (!firmware_memory_read(&state.memory, state.descriptors, bytes, descriptor_bytes))
			return "cannot be started: the firmware's memory map has more than 128 ranges";
		wrong = check_place();
		if (wrong)
			return wrong;
		state.left = true;
		if (state.services->exit_boot_services(state.handle, key) == EFI_SUCCESS)
			return NULL;
	}
	return "cannot be started: the firmware does not let go, as its memory map changes all the time";
}

/* --- Without it ----------------------------------------------------------------------------------------- */

static _Noreturn void start(void)
{
	uint32_t n;

	for (n = 0; n < state.plan.count; n++) {
		const struct pvh_segment *segment = &state.plan.segments[n];

		state.copies[n] = (struct enter_copy){segment->address,
						      (uintptr_t)state.image + segment->offset,
						      segment->length, segment->size - segment->length};
	}
	state.copies[n].to = 0;
	zero_page_write((uint8_t *)(uintptr_t)state.told, state.told, &state.memory, state.rsdp,
			state.config.line, &state.screen);
	enter_image((uintptr_t)state.tables.pages[0], state.copies, state.entry, state.told);
}

/* The firmware has said UNLOAD and given the identity back, or something is wrong that we cannot mend. */
static void check_let_go(void)
{
	uint64_t identity = state.hypervisor.can_say ? cpu_msr_read(HV_MSR_GUEST_OS_ID) : 0;

	if (identity == 0)
		return;
	console_leave_firmware(&state.screen);
	console_print(
		"hvkit: the firmware is gone, but %s still has the hypervisor (guest identity 0x%llx).\n"
		"To use VMBus now would end this machine; the image is not started.\n",
		hypervisor_owner(identity), (unsigned long long)identity);
	cpu_halt();
}

static efi_status prepare(void)
{
	void *self = NULL;

	if (state.services->handle_protocol(state.handle, &loaded_image_guid, &self) != EFI_SUCCESS) {
		console_print("The firmware does not say where this program lies.\n");
		return EFI_LOAD_ERROR;
	}
	state.self = self;
	memcpy(state.config.line, built_in_line, strlen(built_in_line) + 1);
	if (!read_config())
		return EFI_INVALID_PARAMETER;
	if (!check_hypervisor())
		return EFI_UNSUPPORTED;
	if (cpu_cr4() & CR4_LA57) {
		console_print("The firmware runs with five levels of page tables, which the image does not "
			      "know.\n");
		return EFI_UNSUPPORTED;
	}
	if (!read_image() || !take_told())
		return EFI_LOAD_ERROR;
	if (!map_tables()) {
		console_print(
			"The firmware has put this program where four levels of page tables do not reach.\n");
		return EFI_UNSUPPORTED;
	}
	find_acpi();
	find_screen();
	return EFI_SUCCESS;
}

efi_status efi_main(efi_handle handle, const struct efi_system_table *system)
{
	const char *wrong = NULL;
	efi_status status;

	state.handle = handle;
	state.system = system;
	state.services = system->boot_services;
	(void)state.services->set_watchdog(0, 0, 0,
					   NULL); /* some do not stop it at the end (iPXE 9062544f6) */
	console_open(system);
	console_print("\nhvkit " HVKIT_VERSION ": starting an image from UEFI.\n");
	status = prepare();
	if (status == EFI_SUCCESS) {
		console_print("Leaving the firmware.\n");
		wrong = leave_firmware();
		if (!wrong) {
			check_let_go();
			start();
		}
		if (state.left)
			console_leave_firmware(&state.screen);
		console_print("The image%s%s %s.\n", state.config.image[0] ? " " : "", state.config.image,
			      wrong);
		if (state.left)
			cpu_halt();
		status = EFI_LOAD_ERROR;
	}
	console_print("The firmware goes on in %u seconds.\n", READ_SECONDS);
	(void)state.services->stall(READ_SECONDS * 1000000ull);
	return status;
}
