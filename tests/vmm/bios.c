/* SPDX-License-Identifier: MIT */
/* A 16-bit program on the BIOS stub: it prints by INT 10h, asks for memory and returns by INT 18h.
 * Skipped without /dev/kvm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/vmm.h"

/* At 1020:0000. Ends with INT 18h if all was well, else by HLT for ever. */
static const uint8_t program[] = {
	0x4c,                         /* dec %sp: nobody has promised an even stack */
	0xb8, 'o',  0x0e, 0xcd, 0x10, /* int $0x10, AH=0Eh: 'o' */
	0xb8, 'k',  0x0e, 0xcd, 0x10, /* 'k' */
	0xcd, 0x12,                   /* int $0x12: conventional memory */
	0x3d, 0x7f, 0x02,             /* cmp $639, %ax */
	0x75, 0x0f,                   /* jne bad */
	0xb8, 0x00, 0x88, 0xcd, 0x15, /* int $0x15, AH=88h: memory above 1 MiB */
	0x72, 0x08,                   /* jc bad */
	0xb4, 0x42, 0xcd, 0x13,       /* int $0x13: there is no disk */
	0x73, 0x02,                   /* jnc bad */
	0xcd, 0x18,                   /* int $0x18 */
	0xf4, 0xeb, 0xfd,             /* bad: hlt; jmp bad */
};

static char said[64];
static size_t said_count;

static void take_text(void *context, const char *text, size_t length)
{
	(void)context;
	for (size_t n = 0; n < length && said_count < sizeof(said) - 1; n++)
		said[said_count++] = text[n];
}

/* A bzImage of one setup sector whose code is the program. */
static void write_image(const char *path)
{
	uint8_t image[4096] = {0};
	const uint32_t magic = 0x53726448;
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	image[0x1f1] = 3; /* setup sectors behind the first */
	/* The header's place is jumped over, as in every bzImage. */
	image[0x200] = 0xeb;
	image[0x201] = 0x66;
	memcpy(image + 0x202, &magic, sizeof(magic));
	image[0x206] = 0x07;
	image[0x207] = 0x02;
	image[0x211] = 1;
	memcpy(image + 0x202 + 0x66, program, sizeof(program));
	assert_int_equal(fwrite(image, 1, sizeof(image), file), sizeof(image));
	fclose(file);
}

static void a_boot_program_prints_and_returns(void **state)
{
	char path[] = "/tmp/hvkit-bios-XXXXXX", error[VMM_ERROR_MAX] = "";
	const struct vmm_config config = {.cpus = 1,
					  .memory = VMM_MEMORY_MIN,
					  .generation = 1,
					  .bios_stub = true,
					  .profile = hvh_profile_find("ws2022"),
					  .serial = take_text};
	const struct vmm_program what = {.kernel = path, .bios_stub = true};
	struct vmm_result result;
	struct vmm *vmm;
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	(void)close(file);
	write_image(path);
	vmm = vmm_create(&config, error);
	if (!vmm || !vmm_load(vmm, &what, error))
		fail_msg("%s", error);
	vmm_run(vmm, 10000, &result);
	if (result.end != VMM_POWERED_OFF)
		vmm_report(vmm, stderr);
	assert_int_equal(result.end, VMM_POWERED_OFF);
	assert_non_null(strstr(result.text, "returned to the BIOS"));
	assert_string_equal(said, "ok");
	vmm_destroy(vmm);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_boot_program_prints_and_returns)};
	char error[VMM_ERROR_MAX];
	struct vmm_probe probe;

	if (!vmm_probe(&probe, error)) {
		printf("skipped: %s\n", error);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
