/* SPDX-License-Identifier: MIT */
/* netboot as a kernel image. */
#include <string.h>

#include "apps/net/sha256.h"
#include "apps/netboot/netboot.h"
#include "ports/bare-x86_64/bare.h"

#define FILES_LIMIT (1ull << 31) /* where Linux takes an initrd */
#define PORT_BYTES (12u << 20)   /* for the drivers */
#define SAMPLES 256u
#define VECTOR 0x50u

static struct netboot netboot;
static struct hvk_port port;

_Static_assert(sizeof(struct plan_told) <= BARE_LAUNCH_DATA_BYTES, "what a program is told fits");
_Static_assert(PLAN_COPIES_MAX <= BARE_COPIES_MAX, "a plan's copies fit");
_Static_assert(PLAN_ZEROS == BARE_COPY_ZEROS && sizeof(struct plan_copy) == sizeof(struct bare_copy),
	       "one as the other");

static void write_text(void *context, const char *text, size_t length)
{
	(void)context;
	bare_write(text, length);
}

static int read_key(void *context)
{
	(void)context;
	return bare_read();
}

static bool memory_range(void *context, uint32_t n, struct memory_range *out)
{
	struct bare_memory_range range;

	(void)context;
	if (!bare_memory_range(n, &range))
		return false;
	*out = (struct memory_range){range.address, range.length, range.type};
	return true;
}

/* The host interrupts all the same, and it is enough that the interrupt has an end. */
static void interrupt(void *context, uint32_t cpu)
{
	(void)context;
	(void)cpu;
}

static void launch(void *context, const struct plan *plan)
{
	static struct bare_copy copies[PLAN_COPIES_MAX];
	const struct bare_launch last = {.protected_mode = plan->protected_mode,
					 .entry = plan->entry,
					 .argument = plan->argument,
					 .copies = copies,
					 .count = plan->count};

	(void)context;
	for (uint32_t i = 0; i < plan->count; i++)
		copies[i] = (struct bare_copy){plan->copies[i].to, plan->copies[i].from,
					       plan->copies[i].length};
	bare_launch(&last);
}

/* Of level L0: nothing else is needed here, and that it is enough is seen by it. */
static const struct hvk_port *polled_port(void)
{
	port = *bare_port(HVK_LOG_DEBUG);
	port.cpu_index = NULL;
	port.lock_init = NULL;
	port.lock = NULL;
	port.unlock = NULL;
	port.lock_held = NULL;
	port.wait = NULL;
	port.wake = NULL;
	port.clock_ns = NULL;
	return &port;
}

/* Without RDRAND: how long pauses take, to the tick. Ports and ids that nobody outside can foresee are all
 * that it is for. */
static void start_randomness(void)
{
	uint8_t seed[BARE_SEED_BYTES];
	struct sha256 sha;

	_Static_assert(BARE_SEED_BYTES == SHA256_BYTES, "one for the other");
	if (!bare_random_start(NULL))
		return;
	sha256_begin(&sha);
	for (uint32_t i = 0; i < SAMPLES; i++) {
		uint64_t tsc = port.tsc(port.context);

		sha256_add(&sha, &tsc, sizeof(tsc));
		port.pause(port.context);
	}
	sha256_end(&sha, seed);
	(void)bare_random_start(seed);
}

/* The lower quarter is left to kernels that must lie at an address of their own. */
static bool take_memory(struct netboot_platform *platform)
{
	uint64_t address, length, quarter;
	uint64_t area = bare_launch_area();

	if (!area || !bare_memory_take(FILES_LIMIT, PORT_BYTES, &address, &length))
		return false;
	quarter = (length / 4) & ~4095ull;
	platform->files = (struct memory_span){address + quarter, length - quarter};
	platform->files_bytes = (uint8_t *)(uintptr_t)platform->files.address;
	platform->area = (struct memory_span){area, BARE_LAUNCH_BYTES};
	platform->told = bare_launch_data();
	platform->told_at = (uintptr_t)platform->told;
	return true;
}

int bare_main(void)
{
	struct netboot_platform platform = {.port = polled_port(),
					    .vector = VECTOR,
					    .write = write_text,
					    .read = read_key,
					    .memory_range = memory_range,
					    .rsdp = bare_rsdp(),
					    .launch = launch};

	if (!take_memory(&platform)) {
		bare_print("netboot: this machine has too little memory: 32 MiB are wanted, and 64 KiB in a "
			   "row\n");
		return NETBOOT_FAILED;
	}
	start_randomness();
	bare_set_vector(VECTOR, interrupt, NULL);
	return netboot_run(&netboot, &platform, bare_command_line());
}
