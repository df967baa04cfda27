/* SPDX-License-Identifier: MIT */
/*
 * As much of the firmware's tables as is used here. Source: UEFI Specification 2.10: 4.3 and 4.4 (tables),
 * 7 (boot services), 9.1 (loaded image), 12.4 (text output), 12.9 (graphics), 13.4 and 13.5 (files).
 */
#ifndef UEFI_UEFI_H
#define UEFI_UEFI_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t efi_status;
typedef void *efi_handle;
typedef uint16_t efi_char;

#define EFI_SUCCESS 0ull
#define EFI_ERROR(n) ((1ull << 63) | (n))
#define EFI_LOAD_ERROR EFI_ERROR(1)
#define EFI_INVALID_PARAMETER EFI_ERROR(2)
#define EFI_UNSUPPORTED EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL EFI_ERROR(5)
#define EFI_NOT_FOUND EFI_ERROR(14)

struct efi_guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

struct efi_table_header {
	uint64_t signature;
	uint32_t revision, size, crc, reserved;
};

/* --- Memory --------------------------------------------------------------------------------- */

enum efi_memory_type {
	EFI_RESERVED,
	EFI_LOADER_CODE,
	EFI_LOADER_DATA,
	EFI_BOOT_SERVICES_CODE,
	EFI_BOOT_SERVICES_DATA,
	EFI_RUNTIME_SERVICES_CODE,
	EFI_RUNTIME_SERVICES_DATA,
	EFI_CONVENTIONAL,
	EFI_UNUSABLE,
	EFI_ACPI_RECLAIM,
	EFI_ACPI_NVS,
	EFI_MMIO,
	EFI_MMIO_PORTS,
	EFI_PAL_CODE,
	EFI_PERSISTENT,
};

#define EFI_MEMORY_SPECIAL_PURPOSE 0x40000ull

struct efi_memory_descriptor { /* entries may be longer: the firmware says how long */
	uint32_t type, reserved;
	uint64_t address, virtual_address, pages, attributes;
};
_Static_assert(sizeof(struct efi_memory_descriptor) == 40, "UEFI 7.2");

#define EFI_PAGE_SHIFT 12u
enum { EFI_ALLOCATE_ANY, EFI_ALLOCATE_BELOW, EFI_ALLOCATE_AT };

/* --- Protocols -------------------------------------------------------------------------------- */

struct efi_text_output {
	efi_status (*reset)(struct efi_text_output *self, uint8_t extended);
	efi_status (*output_string)(struct efi_text_output *self, const efi_char *text);
};

struct efi_loaded_image {
	uint32_t revision;
	efi_handle parent;
	void *system_table;
	efi_handle device;
	void *file_path, *reserved;
	uint32_t load_options_bytes;
	void *load_options;
	void *image_base;
	uint64_t image_bytes;
};

struct efi_file {
	uint64_t revision;
	efi_status (*open)(struct efi_file *self, struct efi_file **out, const efi_char *name, uint64_t mode,
			   uint64_t attributes);
	efi_status (*close)(struct efi_file *self);
	void *remove;
	efi_status (*read)(struct efi_file *self, uint64_t *bytes, void *to);
	void *write;
	efi_status (*get_position)(struct efi_file *self, uint64_t *position);
	efi_status (*set_position)(struct efi_file *self, uint64_t position);
};
#define EFI_FILE_READ 1ull
#define EFI_FILE_END UINT64_MAX /* as a position */

struct efi_file_system {
	uint64_t revision;
	efi_status (*open_volume)(struct efi_file_system *self, struct efi_file **root);
};

enum efi_pixel_format { EFI_PIXELS_RGB, EFI_PIXELS_BGR, EFI_PIXELS_MASKS, EFI_PIXELS_BLT_ONLY };

struct efi_graphics_information {
	uint32_t version, width, height, format;
	uint32_t red_mask, green_mask, blue_mask, reserved_mask;
	uint32_t pixels_per_line;
};

struct efi_graphics_mode {
	uint32_t count, current;
	const struct efi_graphics_information *information;
	uint64_t information_bytes;
	uint64_t base, bytes;
};

struct efi_graphics {
	void *query_mode, *set_mode, *blt;
	const struct efi_graphics_mode *mode;
};

/* --- The tables ------------------------------------------------------------------------------- */

struct efi_boot_services {
	struct efi_table_header header;
	void *raise_tpl, *restore_tpl;
	efi_status (*allocate_pages)(uint32_t how, uint32_t type, uint64_t pages, uint64_t *address);
	void *free_pages;
	efi_status (*get_memory_map)(uint64_t *bytes, void *map, uint64_t *key, uint64_t *descriptor_bytes,
				     uint32_t *version);
	void *allocate_pool, *free_pool;
	void *create_event, *set_timer, *wait_for_event, *signal_event, *close_event, *check_event;
	void *install_protocol, *reinstall_protocol, *uninstall_protocol;
	efi_status (*handle_protocol)(efi_handle handle, const struct efi_guid *guid, void **protocol);
	void *reserved, *register_protocol_notify, *locate_handle, *locate_device_path, *install_table;
	void *load_image, *start_image, *exit, *unload_image;
	efi_status (*exit_boot_services)(efi_handle image, uint64_t key);
	void *next_monotonic_count;
	efi_status (*stall)(uint64_t microseconds);
	efi_status (*set_watchdog)(uint64_t seconds, uint64_t code, uint64_t data_bytes,
				   const efi_char *data);
	void *connect_controller, *disconnect_controller;
	void *open_protocol, *close_protocol, *open_protocol_information;
	void *protocols_per_handle, *locate_handle_buffer;
	efi_status (*locate_protocol)(const struct efi_guid *guid, void *registration, void **protocol);
};
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232, "UEFI 4.4");
_Static_assert(offsetof(struct efi_boot_services, locate_protocol) == 320, "UEFI 4.4");

struct efi_configuration {
	struct efi_guid guid;
	void *table;
};

struct efi_system_table {
	struct efi_table_header header;
	const efi_char *vendor;
	uint32_t vendor_revision;
	efi_handle input_handle;
	void *input;
	efi_handle output_handle;
	struct efi_text_output *output;
	efi_handle error_handle;
	struct efi_text_output *error;
	void *runtime_services;
	const struct efi_boot_services *boot_services;
	uint64_t configuration_count;
	const struct efi_configuration *configuration;
};
_Static_assert(sizeof(struct efi_system_table) == 120, "UEFI 4.3");

#endif
