/* SPDX-License-Identifier: MIT */
/*
 * Device memory and device interrupts with CPUs that really run at the same time: each interrupt raised is
 * handled, wherever it is moved to meanwhile, a function that is taken away reads as ones on every CPU, and
 * one CPU may let go of it while another tells its driver that it leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/vpci.h"
#include "hvkit_host/registers.h"
#include "ports/hosted/hosted.h"

#define CPUS 2u
#define ENTRIES 2u
#define RAISES 500u
#define MOVE_EVERY 50u
#define REQUEST_MS 60000u
#define LIMIT_MS 60000u
#define VECTOR 0x98u
#define DEVICE_VECTOR 0x60u
#define DEVICE_VECTORS 16u

struct guest {
	struct hosted *machine;
	struct hvk *hvk;
	struct hvk_channel *channel;
	struct hvk_vpci *bus;
	struct hvh_vpci *host;
	struct hvk_pci_function *_Atomic function, *_Atomic left; /* left: for the other CPU to let go */
	struct hvk_request request;
	_Atomic uint32_t fired[ENTRIES];
	_Atomic bool started, reads; /* reads: the other CPU */
	_Atomic bool inside, lets_go;
	_Atomic uint64_t read;
	uint32_t violations;
	char violation[160];
	const char *_Atomic wrong;
};

static void complain(struct guest *guest, const char *wrong)
{
	const char *nothing = NULL;

	(void)atomic_compare_exchange_strong(&guest->wrong, &nothing, wrong);
}

static bool finish(struct guest *guest, const char *what)
{
	if (hvk_wait(guest->hvk, &guest->request, REQUEST_MS) == HVK_OK)
		return true;
	complain(guest, what);
	return false;
}

static void poll_once(struct guest *guest)
{
	if (!hvk_poll(guest->hvk, 0))
		hosted_wait(guest->machine, 100000);
}

/* --- A driver ------------------------------------------------------------------------------------- */

static void fired(void *context, struct hvk_pci_function *function, uint32_t index)
{
	struct guest *guest = context;

	(void)function;
	atomic_fetch_add(&guest->fired[index], 1);
}

/* The other CPU lets go while this one is still inside. */
static void let_go_elsewhere(struct guest *guest, struct hvk_pci_function *function)
{
	atomic_store(&guest->inside, true);
	atomic_store(&guest->left, function);
	while (!atomic_load(&guest->lets_go))
		hosted_wait(guest->machine, 100000);
	for (uint32_t n = 0; n < 20; n++)
		hosted_wait(guest->machine, 1000000);
	atomic_store(&guest->inside, false);
}

static void let_go(struct guest *guest)
{
	struct hvk_pci_function *function = atomic_exchange(&guest->left, NULL);

	if (!function)
		return;
	atomic_store(&guest->lets_go, true);
	hvk_pci_release(function);
	if (atomic_load(&guest->inside))
		complain(guest, "let go of while it is told");
}

/* The other CPU has stopped reading before the function goes. */
static void leaving(void *context, struct hvk_pci_function *function, bool eject)
{
	struct guest *guest = context;

	(void)eject;
	if (hvk_pci_bar_read(function, 0, HVH_REGISTERS_ID, 8) != UINT64_MAX)
		complain(guest, "what is gone still answers");
	atomic_store(&guest->function, NULL);
	while (atomic_load(&guest->reads))
		hosted_wait(guest->machine, 100000);
	let_go_elsewhere(guest, function);
}

static void raise_and_await(struct guest *guest, uint32_t entry)
{
	uint32_t before = atomic_load(&guest->fired[entry]);
	uint64_t end = hosted_now(guest->machine) + 10u * HVH_TIME_PER_SECOND;

	hvk_pci_bar_write(atomic_load(&guest->function), 0, HVH_REGISTERS_RAISE, 8, entry);
	while (atomic_load(&guest->fired[entry]) == before && hosted_now(guest->machine) < end)
		poll_once(guest);
	if (atomic_load(&guest->fired[entry]) == before)
		complain(guest, "an interrupt is lost");
}

static void interrupts(struct guest *guest)
{
	struct hvk_pci_function *function = atomic_load(&guest->function);

	for (uint32_t entry = 0; entry < ENTRIES; entry++) {
		hvk_pci_interrupt_create(function, entry, entry % CPUS, fired, guest, &guest->request);
		if (!finish(guest, "an interrupt is created"))
			return;
	}
	for (uint32_t n = 0; n < RAISES && !atomic_load(&guest->wrong); n++) {
		raise_and_await(guest, n % ENTRIES);
		if (n % MOVE_EVERY != MOVE_EVERY - 1)
			continue;
		hvk_pci_interrupt_retarget(function, n % ENTRIES, n / MOVE_EVERY % CPUS, &guest->request);
		(void)finish(guest, "an interrupt is moved");
	}
}

static void work(struct guest *guest)
{
	const struct hvk_pci_hooks hooks = {leaving, guest};
	struct hvk_pci_function *function = atomic_load(&guest->function);

	if (!function || hvk_pci_claim(function, &hooks) != HVK_OK ||
	    hvk_pci_enable(function, true, true) != HVK_OK) {
		complain(guest, "claim");
		return;
	}
	atomic_store(&guest->reads, true);
	interrupts(guest);
	hosted_lock(guest->machine);
	(void)hvh_vpci_rescind(guest->host, hosted_now(guest->machine));
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
	for (uint32_t n = 0; n < 100000 && atomic_load(&guest->function); n++)
		poll_once(guest);
	if (atomic_load(&guest->function))
		complain(guest, "nobody says that it goes");
}

/* --- The machine ------------------------------------------------------------------------------------ */

static void added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	(void)bus;
	atomic_store(&((struct guest *)context)->function, function);
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	(void)again;
	((struct guest *)context)->channel = channel;
}

static void with_channel(struct guest *guest)
{
	const struct hvk_vpci_config config = {.added = added, .context = guest};

	if (!guest->channel || hvk_vpci_create(guest->channel, &config, &guest->bus) != HVK_OK) {
		complain(guest, "create");
		return;
	}
	hvk_vpci_attach(guest->bus, &guest->request);
	if (finish(guest, "attach"))
		work(guest);
	hvk_vpci_detach(guest->bus, &guest->request);
	(void)finish(guest, "detach");
	if (hvk_vpci_destroy(guest->bus) != HVK_OK)
		complain(guest, "destroy");
}

static void boot_cpu(void *context)
{
	struct guest *guest = context;
	const struct hvk_vmbus_config bus = {.offered = offered, .context = guest};

	if (hvk_start(guest->hvk) != HVK_OK || hvk_cpu_start(guest->hvk) != HVK_OK) {
		complain(guest, "start");
		return;
	}
	atomic_store(&guest->started, true);
	for (uint32_t n = 0; n < 100; n++) /* the other CPU starts */
		poll_once(guest);
	hvk_vmbus_connect(guest->hvk, &bus, &guest->request);
	if (!finish(guest, "connect"))
		return;
	with_channel(guest);
	hvk_vmbus_disconnect(guest->hvk, &guest->request);
	(void)finish(guest, "disconnect");
}

/* Reads while there is something to read. */
static void other_cpu(void *context)
{
	struct guest *guest = context;

	while (!atomic_load(&guest->started) && !hosted_stopping(guest->machine))
		hosted_wait(guest->machine, 1000000);
	if (hvk_cpu_start(guest->hvk) != HVK_OK)
		complain(guest, "start of another CPU");
	while (!hosted_stopping(guest->machine)) {
		struct hvk_pci_function *function = atomic_load(&guest->function);

		if (atomic_load(&guest->reads) && function) {
			uint64_t value = hvk_pci_bar_read(function, 0, HVH_REGISTERS_ID, 8);

			if (value != HVH_REGISTERS_ID_VALUE && value != UINT64_MAX)
				complain(guest, "neither the register nor ones");
			atomic_fetch_add(&guest->read, 1);
		} else {
			atomic_store(&guest->reads, false);
		}
		let_go(guest);
		if (!hvk_poll(guest->hvk, 1))
			hosted_wait(guest->machine, 50000);
	}
	(void)hvk_cpu_stop(guest->hvk);
}

static void interrupt(void *context, uint32_t cpu)
{
	hvk_interrupt(((struct guest *)context)->hvk, cpu);
}

static void device_interrupt(void *context, uint32_t cpu, uint8_t vector)
{
	hvk_interrupt_device(((struct guest *)context)->hvk, cpu, vector);
}

static void violation(void *context, const struct hvh_violation *found)
{
	struct guest *guest = context;

	if (guest->violations++ == 0)
		snprintf(guest->violation, sizeof(guest->violation), "%s", found->text);
}

static void interrupts_and_reads_at_the_same_time(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	const struct hosted_config config = {.mode = HOSTED_THREADS,
					     .cpus = CPUS,
					     .profile = hvh_profile_find("ws2022"),
					     .seed = 1,
					     .violation = violation,
					     .context = guest};
	const struct hvk_config hvk_config = {
		.cpus = CPUS,
		.interrupts = true,
		.vector = VECTOR,
		.device_vector_first = DEVICE_VECTOR,
		.device_vector_count = DEVICE_VECTORS,
		.mmio_windows = {{HVH_MMIO_LOW_BASE, HVH_MMIO_LOW_LENGTH},
				 {HVH_MMIO_HIGH_BASE, HVH_MMIO_HIGH_LENGTH}},
	};
	const struct hvh_vpci_config vpci = {.serial = 1};
	struct hvh_registers *registers;

	(void)state;
	guest->machine = hosted_create(&config);
	assert_non_null(guest->machine);
	assert_int_equal(hvk_create(hosted_port(guest->machine), &hvk_config, &guest->hvk), HVK_OK);
	registers = hvh_registers_create(hosted_partition(guest->machine), &vpci);
	assert_non_null(registers);
	guest->host = hvh_registers_bus(registers);
	hosted_set_interrupt(guest->machine, interrupt, guest);
	hosted_set_device_interrupts(guest->machine, DEVICE_VECTOR, DEVICE_VECTORS, device_interrupt);
	hosted_set_program(guest->machine, 0, boot_cpu, guest);
	hosted_set_program(guest->machine, 1, other_cpu, guest);
	if (!hosted_run(guest->machine, LIMIT_MS))
		fail_msg("never at its end");
	if (atomic_load(&guest->wrong))
		fail_msg("%s", atomic_load(&guest->wrong));
	if (guest->violations != 0)
		fail_msg("%s", guest->violation);
	assert_true(atomic_load(&guest->read) > 0);
	assert_true(atomic_load(&guest->lets_go));
	assert_int_equal(hosted_writes_to_free_memory(guest->machine), 0);
	hosted_destroy(guest->machine);
	free(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupts_and_reads_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
