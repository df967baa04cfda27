/* SPDX-License-Identifier: MIT */
/*
 * The guest's bus and the host's, on hosts of every age, with one CPU and with several: a function is found,
 * its registers answer, its interrupts come where they are wanted, and everything is given back in the order
 * that the host wants, whoever ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/vpci.h"
#include "hvkit_host/registers.h"
#include "ports/hosted/hosted.h"

#define REQUEST_MS 60000u
#define LIMIT_MS 900000u
#define VECTOR 0x98u
#define DEVICE_VECTOR 0x60u
#define DEVICE_VECTORS 16u
#define SERIAL 0x12345678u
#define ENTRIES 4u
#define EJECT_MS 500u

struct guest {
	struct hosted *machine;
	struct hvk *hvk;
	struct hvk_channel *channel;
	struct hvk_vpci *bus;
	struct hvk_pci_function *function;
	struct hvh_vpci *host;
	struct hvk_request request, interrupt_request;
	uint32_t offered, added, removed, gone, leaving_asked, leaving_gone, released;
	uint32_t fired[ENTRIES], last_cpu[ENTRIES];
	uint32_t cpus, newest;
	bool holds_on, attach_fails;
	uint32_t violations;
	char violation[200];
	const char *wrong;
	void (*session)(struct guest *guest);
};

static void complain(struct guest *guest, const char *wrong)
{
	if (!guest->wrong)
		guest->wrong = wrong;
}

static void expect(struct guest *guest, bool right, const char *wrong)
{
	if (!right)
		complain(guest, wrong);
}

static void poll_for(struct guest *guest, uint32_t ms)
{
	uint64_t end = hosted_now(guest->machine) + ms * 10000ull;

	while (hosted_now(guest->machine) < end) {
		(void)hvk_poll(guest->hvk, 0);
		hosted_wait(guest->machine, 1000000);
	}
}

static bool finish(struct guest *guest, struct hvk_request *request, const char *what)
{
	hvk_status status = hvk_wait(guest->hvk, request, REQUEST_MS);

	if (status == HVK_OK)
		return true;
	complain(guest, what);
	return false;
}

/* --- A driver ------------------------------------------------------------------------------------- */

static void fired(void *context, struct hvk_pci_function *function, uint32_t index)
{
	struct guest *guest = context;
	const struct hvk_port *port = hosted_port(guest->machine);

	(void)function;
	guest->fired[index]++;
	guest->last_cpu[index] = port->cpu_index ? port->cpu_index(port->context) : 0;
}

static void let_go(struct guest *guest)
{
	struct hvk_pci_function *function = guest->function;

	guest->function = NULL;
	guest->released++;
	hvk_pci_release(function);
}

static void leaving(void *context, struct hvk_pci_function *function, bool eject)
{
	struct guest *guest = context;

	expect(guest, function == guest->function, "another function leaves");
	guest->leaving_asked += eject;
	guest->leaving_gone += !eject;
	expect(guest, !eject || hvk_pci_bar_read(function, 0, HVH_REGISTERS_ID, 8) == HVH_REGISTERS_ID_VALUE,
	       "the device does not work while it is asked for");
	if (!guest->holds_on || !eject)
		let_go(guest);
}

static void claim(struct guest *guest)
{
	const struct hvk_pci_hooks hooks = {leaving, guest};

	expect(guest, hvk_pci_claim(guest->function, &hooks) == HVK_OK, "claim");
	expect(guest, hvk_pci_claim(guest->function, &hooks) == HVK_EBUSY, "claimed twice");
	expect(guest, hvk_pci_enable(guest->function, true, true) == HVK_OK, "enable");
}

static bool create(struct guest *guest, uint32_t entry, uint32_t cpu)
{
	hvk_pci_interrupt_create(guest->function, entry, cpu, fired, guest, &guest->interrupt_request);
	return finish(guest, &guest->interrupt_request, "an interrupt is created");
}

static void raise_entry(struct guest *guest, uint32_t entry)
{
	hvk_pci_bar_write(guest->function, 0, HVH_REGISTERS_RAISE, 8, entry);
	poll_for(guest, 5);
}

/* It comes once, on that CPU; after a move the handler may have run once more. */
static void comes_on(struct guest *guest, uint32_t entry, uint32_t cpu, const char *wrong)
{
	uint32_t before;

	poll_for(guest, 5);
	before = guest->fired[entry];
	raise_entry(guest, entry);
	expect(guest, guest->fired[entry] == before + 1 && guest->last_cpu[entry] == cpu, wrong);
}

/* --- Sessions ------------------------------------------------------------------------------------- */

static void identity(struct guest *guest)
{
	const struct hvk_pci_info *info = hvk_pci_get_info(guest->function);
	const struct hvk_pci_bar *bars = info->bars;

	expect(guest, info->vendor_id == HVH_REGISTERS_VENDOR && info->device_id == HVH_REGISTERS_DEVICE,
	       "identity");
	expect(guest, info->serial == SERIAL && info->domain == (SERIAL & 0xffffu), "serial and domain");
	expect(guest, info->device == 2 && info->function == 0, "slot");
	expect(guest, info->interrupts == HVH_REGISTERS_INTERRUPTS, "entries");
	expect(guest, bars[0].size == 4096 && !bars[0].wide && bars[0].address < 1ull << 32, "BAR 0");
	expect(guest,
	       bars[2].size == HVH_REGISTERS_MEMORY && bars[2].wide && bars[2].prefetchable &&
		       bars[2].address >= 1ull << 32,
	       "BAR 2");
	expect(guest, bars[4].size == 16384 && bars[4].wide && bars[4].address >= 1ull << 32, "BAR 4");
	expect(guest, bars[1].size == 0 && bars[3].size == 0 && bars[5].size == 0, "no BARs");
	expect(guest, hvk_vpci_domain(guest->bus) == info->domain, "domain of the bus");
	expect(guest, hvk_vpci_next_function(guest->bus, NULL) == guest->function, "first function");
	expect(guest, !hvk_vpci_next_function(guest->bus, guest->function), "second function");
}

static void configuration(struct guest *guest)
{
	struct hvk_pci_function *function = guest->function;
	uint32_t at = hvk_pci_find_capability(function, PCI_CAPABILITY_VENDOR, 0);

	expect(guest, hvk_pci_config_read(function, PCI_VENDOR, 2) == HVH_REGISTERS_VENDOR, "vendor");
	expect(guest,
	       hvk_pci_config_read(function, PCI_VENDOR, 4) ==
		       (HVH_REGISTERS_VENDOR | HVH_REGISTERS_DEVICE << 16),
	       "vendor and device");
	expect(guest, hvk_pci_config_read(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, "command");
	expect(guest, at != 0 && hvk_pci_config_read(function, at + 3, 1) == 0x68, "capability");
	expect(guest, hvk_pci_find_capability(function, PCI_CAPABILITY_VENDOR, 1) == 0, "a second one");
	expect(guest, hvk_pci_config_read(function, 2, 4) == UINT32_MAX, "not aligned");
	expect(guest, hvk_pci_config_write(function, PCI_VENDOR, 2, 0) == HVK_EINVAL, "read-only");
	expect(guest, hvk_pci_config_write(function, PCI_BAR0, 4, 0) == HVK_EINVAL, "BARs are hvkit's");
	expect(guest, hvk_pci_config_write(function, PCI_LATENCY, 1, 0x40) == HVK_OK, "written");
	expect(guest, hvk_pci_config_read(function, PCI_LATENCY, 1) == 0x40, "kept");
}

static void registers(struct guest *guest)
{
	struct hvk_pci_function *function = guest->function;

	expect(guest, hvk_pci_bar_read(function, 0, HVH_REGISTERS_ID, 8) == HVH_REGISTERS_ID_VALUE, "BAR 0");
	hvk_pci_bar_write(function, 0, HVH_REGISTERS_SCRATCH, 8, 0x1122334455667788ull);
	expect(guest, hvk_pci_bar_read(function, 0, HVH_REGISTERS_SCRATCH + 4, 4) == 0x11223344u, "scratch");
	for (uint32_t n = 0; n < HVH_REGISTERS_MEMORY; n += 4096)
		hvk_pci_bar_write(function, 2, n, 4, n * 3 + 1);
	for (uint32_t n = 0; n < HVH_REGISTERS_MEMORY; n += 4096)
		expect(guest, hvk_pci_bar_read(function, 2, n, 4) == n * 3 + 1, "memory BAR");
}

static void bus_master(struct guest *guest)
{
	const struct hvk_port *port = hosted_port(guest->machine);
	struct hvk_pages page;

	if (port->pages_alloc(port->context, 1, HVK_PAGE_HOST_WRITES, &page) != HVK_OK) {
		complain(guest, "pages_alloc");
		return;
	}
	hvk_pci_bar_write(guest->function, 0, HVH_REGISTERS_ADDRESS, 8,
			  port->page_gpa(port->context, page.address) + 64);
	hvk_pci_bar_write(guest->function, 0, HVH_REGISTERS_STORE, 8, 0xabcdef);
	expect(guest, *(volatile uint64_t *)(void *)((uint8_t *)page.address + 64) == 0xabcdef, "stored");
	expect(guest, hvk_pci_bar_read(guest->function, 0, HVH_REGISTERS_FAULTS, 8) == 0, "faults");
	port->pages_free(port->context, &page);
}

static void masked(struct guest *guest)
{
	uint32_t before = guest->fired[0];

	hvk_pci_interrupt_mask(guest->function, 0, true);
	raise_entry(guest, 0);
	raise_entry(guest, 0);
	expect(guest, guest->fired[0] == before, "masked");
	hvk_pci_interrupt_mask(guest->function, 0, false);
	poll_for(guest, 5);
	expect(guest, guest->fired[0] == before + 1, "remembered");
}

static void interrupts(struct guest *guest)
{
	struct hvk_pci_counters counters;
	uint32_t before;

	for (uint32_t entry = 0; entry < ENTRIES; entry++) {
		if (create(guest, entry, entry % guest->cpus))
			comes_on(guest, entry, entry % guest->cpus, "an interrupt");
	}
	hvk_pci_interrupt_create(guest->function, 1, 0, fired, guest, &guest->interrupt_request);
	expect(guest, hvk_wait(guest->hvk, &guest->interrupt_request, REQUEST_MS) == HVK_EBUSY, "twice");
	hvk_pci_interrupt_create(guest->function, HVH_REGISTERS_INTERRUPTS, 0, fired, guest,
				 &guest->interrupt_request);
	expect(guest, hvk_wait(guest->hvk, &guest->interrupt_request, REQUEST_MS) == HVK_ELIMIT, "no entry");
	masked(guest);
	for (uint32_t cpu = 0; cpu < guest->cpus; cpu++) {
		hvk_pci_interrupt_retarget(guest->function, 2, cpu, &guest->interrupt_request);
		if (finish(guest, &guest->interrupt_request, "an interrupt is moved"))
			comes_on(guest, 2, cpu, "a moved interrupt");
	}
	hvk_pci_get_counters(guest->function, &counters);
	expect(guest, counters.retargets == guest->cpus, "count of moves");
	before = guest->fired[1];
	hvk_pci_interrupt_delete(guest->function, 1, &guest->interrupt_request);
	(void)finish(guest, &guest->interrupt_request, "an interrupt is deleted");
	raise_entry(guest, 1);
	expect(guest, guest->fired[1] == before, "a deleted one");
	if (create(guest, 1, 0))
		comes_on(guest, 1, 0, "created again");
}

static void work(struct guest *guest)
{
	identity(guest);
	claim(guest);
	configuration(guest);
	registers(guest);
	bus_master(guest);
	interrupts(guest);
}

static void found_and_driven(struct guest *guest)
{
	struct hvh_vpci_counters counters;

	work(guest);
	let_go(guest); /* another driver's turn: all its interrupts are deleted */
	poll_for(guest, 10);
	hosted_lock(guest->machine);
	hvh_vpci_get_counters(guest->host, &counters);
	hosted_unlock(guest->machine);
	expect(guest, counters.created == ENTRIES + 1 && counters.deleted == counters.created, "deleted");
	expect(guest, guest->removed == 0, "removed though it stays");
	guest->function = hvk_vpci_next_function(guest->bus, NULL);
	claim(guest);
	registers(guest);
	if (create(guest, 0, 0))
		comes_on(guest, 0, 0, "the second driver's interrupt");
}

static void host_ejects(struct guest *guest)
{
	hosted_lock(guest->machine);
	(void)hvh_vpci_eject(guest->host, hosted_now(guest->machine));
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
}

static void is_ejected(struct guest *guest, uint32_t answered)
{
	struct hvh_vpci_counters counters;

	poll_for(guest, EJECT_MS + 2000);
	hosted_lock(guest->machine);
	hvh_vpci_get_counters(guest->host, &counters);
	hosted_unlock(guest->machine);
	expect(guest, counters.ejects == 1 && counters.ejects_answered == answered, "the answer to EJECT");
	expect(guest, guest->removed == 1 && guest->gone == 1, "nobody was told");
}

static void ejected(struct guest *guest)
{
	work(guest);
	host_ejects(guest);
	is_ejected(guest, 1);
	expect(guest, guest->leaving_asked == 1 && guest->leaving_gone == 0 && guest->released == 1, "asked");
}

static void ejected_without_a_driver(struct guest *guest)
{
	host_ejects(guest);
	is_ejected(guest, 1);
	expect(guest, guest->leaving_asked == 0 && guest->leaving_gone == 0, "asked");
}

/* The driver holds on: it is told that the function has gone once its time is over. */
static void ejected_from_a_slow_driver(struct guest *guest)
{
	work(guest);
	guest->holds_on = true;
	host_ejects(guest);
	is_ejected(guest, 1);
	expect(guest, guest->leaving_asked == 1 && guest->leaving_gone == 1 && guest->released == 1, "told");
}

static void taken_away(struct guest *guest)
{
	work(guest);
	hosted_lock(guest->machine);
	expect(guest, hvh_vpci_rescind(guest->host, hosted_now(guest->machine)), "rescind");
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
	poll_for(guest, 1000);
	expect(guest, guest->leaving_gone == 1 && guest->removed == 1 && guest->gone == 1, "told");
}

static void asleep_and_back(struct guest *guest)
{
	struct hvk_pci_bar before[PCI_BARS];

	work(guest);
	memcpy(before, hvk_pci_get_info(guest->function)->bars, sizeof(before));
	for (uint32_t n = 0; n < 3; n++) {
		hvk_vpci_suspend(guest->bus, &guest->request);
		if (!finish(guest, &guest->request, "suspend"))
			return;
		poll_for(guest, 50);
		hvk_vpci_resume(guest->bus, &guest->request);
		if (!finish(guest, &guest->request, "resume"))
			return;
		expect(guest, guest->removed == 0 && guest->added == 1, "stayed");
		expect(guest, memcmp(before, hvk_pci_get_info(guest->function)->bars, sizeof(before)) == 0,
		       "BARs in the same places");
		registers(guest);
		bus_master(guest);
		for (uint32_t entry = 0; entry < ENTRIES; entry++)
			comes_on(guest, entry, guest->last_cpu[entry], "an interrupt after a sleep");
		hvk_pci_interrupt_retarget(guest->function, 0, n % guest->cpus, &guest->interrupt_request);
		if (finish(guest, &guest->interrupt_request, "moved after a sleep"))
			comes_on(guest, 0, n % guest->cpus, "a moved interrupt after a sleep");
	}
}

/* What a driver does meanwhile is done, or waits for the end of the sleep. */
static void busy_while_asleep(struct guest *guest)
{
	struct hvk_request created = {0}, moved = {0}, deleted = {0};
	uint32_t last = guest->cpus - 1;

	work(guest);
	hvk_pci_interrupt_delete(guest->function, 3, &deleted);
	(void)finish(guest, &deleted, "deleted");
	hvk_pci_interrupt_create(guest->function, 3, 0, fired, guest, &created); /* on its way */
	hvk_vpci_suspend(guest->bus, &guest->request);
	if (!finish(guest, &guest->request, "suspend") || !finish(guest, &created, "created before"))
		return;
	hvk_pci_interrupt_retarget(guest->function, 0, last, &moved);
	(void)finish(guest, &moved, "moved in its sleep");
	hvk_pci_interrupt_delete(guest->function, 1, &deleted);
	(void)finish(guest, &deleted, "deleted in its sleep");
	hvk_pci_interrupt_create(guest->function, 1, last, fired, guest, &created);
	poll_for(guest, 20);
	expect(guest, created.status == HVK_EINPROGRESS, "created in its sleep");
	hvk_vpci_resume(guest->bus, &guest->request);
	(void)finish(guest, &guest->request, "resume");
	(void)finish(guest, &created, "created after the sleep");
	comes_on(guest, 0, last, "moved in its sleep");
	comes_on(guest, 1, last, "created after the sleep");
	comes_on(guest, 3, 0, "created before the sleep");
}

static void gone_while_asleep(struct guest *guest)
{
	work(guest);
	hvk_vpci_suspend(guest->bus, &guest->request);
	if (!finish(guest, &guest->request, "suspend"))
		return;
	hosted_lock(guest->machine);
	(void)hvh_vpci_rescind(guest->host, hosted_now(guest->machine));
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
	poll_for(guest, 100);
	hvk_vpci_resume(guest->bus, &guest->request);
	expect(guest, hvk_wait(guest->hvk, &guest->request, REQUEST_MS) == HVK_EGONE, "resume of nothing");
	expect(guest, guest->removed == 1 && guest->leaving_gone == 1, "told");
}

static void detached_with_a_driver(struct guest *guest)
{
	work(guest);
}

static void detached_asleep(struct guest *guest)
{
	work(guest);
	hvk_vpci_suspend(guest->bus, &guest->request);
	(void)finish(guest, &guest->request, "suspend");
}

/* --- The machine ------------------------------------------------------------------------------------ */

static void added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct guest *guest = context;

	(void)bus;
	guest->added++;
	guest->function = function;
}

static void removed(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct guest *guest = context;

	(void)bus;
	(void)function;
	guest->removed++;
	guest->function = NULL;
}

static void gone(void *context, struct hvk_vpci *bus)
{
	struct guest *guest = context;

	(void)bus;
	expect(guest, guest->removed == guest->added, "gone before its functions");
	guest->gone++;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid type = VMBUS_GUID_VPCI;
	struct guest *guest = context;

	(void)again;
	if (memcmp(&hvk_channel_offer(channel)->type, &type, sizeof(type)) == 0) {
		guest->channel = channel;
		guest->offered++;
	}
}

static void attached(struct guest *guest)
{
	expect(guest, guest->added == 1 && guest->function, "no function");
	expect(guest, hvk_vpci_protocol(guest->bus) == guest->newest, "version");
	if (guest->function)
		guest->session(guest);
	hvk_vpci_detach(guest->bus, &guest->request);
	(void)finish(guest, &guest->request, "detach");
	expect(guest, guest->removed == 1 && !guest->function, "a function is left");
}

static void with_channel(struct guest *guest)
{
	const struct hvk_vpci_config config = {.added = added,
					       .removed = removed,
					       .gone = gone,
					       .eject_ms = EJECT_MS,
					       .protocol_newest = guest->newest,
					       .context = guest};
	uint32_t pages = hosted_pages_in_use(guest->machine);
	hvk_status status = hvk_vpci_create(guest->channel, &config, &guest->bus);

	if (status != HVK_OK) {
		complain(guest, hvk_status_name(status));
		return;
	}
	hvk_vpci_attach(guest->bus, &guest->request);
	status = hvk_wait(guest->hvk, &guest->request, REQUEST_MS);
	if (guest->attach_fails)
		expect(guest, status == HVK_EREFUSED_VPCI, "no version is refused");
	else if (status != HVK_OK)
		complain(guest, hvk_status_name(status));
	else
		attached(guest);
	expect(guest, hvk_vpci_destroy(guest->bus) == HVK_OK, "destroy");
	poll_for(guest, 50);
	/* vmbus keeps a channel's rings until the bus is left. */
	expect(guest, hosted_pages_in_use(guest->machine) <= pages + 16, "memory that was not given back");
}

static void boot_cpu(void *context)
{
	struct guest *guest = context;
	const struct hvk_vmbus_config bus = {.offered = offered, .context = guest};
	uint32_t pages = hosted_pages_in_use(guest->machine);

	if (hvk_start(guest->hvk) != HVK_OK || hvk_cpu_start(guest->hvk) != HVK_OK) {
		complain(guest, "start");
		return;
	}
	poll_for(guest, 10); /* the other CPUs start */
	hvk_vmbus_connect(guest->hvk, &bus, &guest->request);
	if (!finish(guest, &guest->request, "connect"))
		return;
	if (guest->channel)
		with_channel(guest);
	else
		complain(guest, "no channel");
	hvk_vmbus_disconnect(guest->hvk, &guest->request);
	(void)finish(guest, &guest->request, "disconnect");
	(void)pages;
}

struct cpu {
	struct guest *guest;
	uint32_t index;
};

static void other_cpu(void *context)
{
	struct cpu *cpu = context;
	struct guest *guest = cpu->guest;

	hosted_wait(guest->machine, 1000000); /* hvk_start comes first */
	if (hvk_cpu_start(guest->hvk) != HVK_OK)
		complain(guest, "start of another CPU");
	while (!hosted_stopping(guest->machine)) {
		if (!hvk_poll(guest->hvk, cpu->index))
			hosted_wait(guest->machine, 1000000);
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

struct plan {
	const char *profile;
	uint32_t host_newest; /* 0: the profile's */
	uint32_t newest;
	uint32_t cpus;
	uint64_t seed;
	bool attach_fails;
	void (*session)(struct guest *guest);
};

static void add_programs(struct guest *guest, struct cpu *others)
{
	hosted_set_interrupt(guest->machine, interrupt, guest);
	hosted_set_device_interrupts(guest->machine, DEVICE_VECTOR, DEVICE_VECTORS, device_interrupt);
	hosted_set_program(guest->machine, 0, boot_cpu, guest);
	for (uint32_t i = 1; i < guest->cpus; i++) {
		others[i] = (struct cpu){guest, i};
		hosted_set_program(guest->machine, i, other_cpu, &others[i]);
	}
}

static void run(const struct plan *plan)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	const struct hosted_config config = {.mode = HOSTED_DETERMINISTIC,
					     .cpus = plan->cpus,
					     .profile = hvh_profile_find(plan->profile),
					     .seed = plan->seed,
					     .violation = violation,
					     .context = guest};
	const struct hvk_config hvk_config = {
		.cpus = plan->cpus,
		.interrupts = true,
		.vector = VECTOR,
		.device_vector_first = DEVICE_VECTOR,
		.device_vector_count = DEVICE_VECTORS,
		.mmio_windows = {{HVH_MMIO_LOW_BASE, HVH_MMIO_LOW_LENGTH},
				 {HVH_MMIO_HIGH_BASE, HVH_MMIO_HIGH_LENGTH}},
	};
	const struct hvh_vpci_config vpci = {.serial = SERIAL, .protocol_newest = plan->host_newest};
	struct hvh_registers *model;
	struct cpu others[HVK_CPUS_MAX];

	guest->machine = hosted_create(&config);
	guest->session = plan->session;
	guest->cpus = plan->cpus;
	guest->newest = plan->newest;
	guest->attach_fails = plan->attach_fails;
	assert_non_null(guest->machine);
	assert_int_equal(hvk_create(hosted_port(guest->machine), &hvk_config, &guest->hvk), HVK_OK);
	model = hvh_registers_create(hosted_partition(guest->machine), &vpci);
	assert_non_null(model);
	guest->host = hvh_registers_bus(model);
	add_programs(guest, others);
	if (!hosted_run(guest->machine, LIMIT_MS))
		fail_msg("%s, %u CPUs, seed %u: never at its end", plan->profile, plan->cpus,
			 (unsigned)plan->seed);
	if (guest->wrong)
		fail_msg("%s, %u CPUs, seed %u: %s", plan->profile, plan->cpus, (unsigned)plan->seed,
			 guest->wrong);
	if (guest->violations != 0)
		fail_msg("%s, %u CPUs, seed %u: %s", plan->profile, plan->cpus, (unsigned)plan->seed,
			 guest->violation);
	assert_int_equal(hosted_writes_to_free_memory(guest->machine), 0);
	hosted_destroy(guest->machine);
	free(guest);
}

/* --- Tests ---------------------------------------------------------------------------------------- */

static void every_host(void **state)
{
	static const struct {
		const char *profile;
		uint32_t newest;
	} hosts[] = {
		{"ws2016", VPCI_VERSION_1_2}, {"ws2019", VPCI_VERSION_1_2},  {"ws2022", VPCI_VERSION_1_4},
		{"azure", VPCI_VERSION_1_4},  {"openvmm", VPCI_VERSION_1_4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const struct plan one = {hosts[i].profile, 0, hosts[i].newest, 1, 1, false, found_and_driven};
		struct plan four = one;

		four.cpus = 4;
		four.seed = 2;
		run(&one);
		run(&four);
	}
}

static void every_version(void **state)
{
	(void)state;
	for (uint32_t version = VPCI_VERSION_1_1; version <= VPCI_VERSION_1_4; version++) {
		const struct plan plan = {"ws2022", version, version, 2, version, false, found_and_driven};

		run(&plan);
	}
}

static void a_host_of_none_of_the_versions(void **state)
{
	const struct plan plan = {"ws2012r2", 0, VPCI_VERSION_1_4, 1, 1, true, found_and_driven};

	(void)state;
	run(&plan);
}

static void run_seeds(void (*session)(struct guest *guest), uint32_t seeds)
{
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		const bool old = seed % 3 == 0;
		const struct plan plan = {old ? "ws2016" : "ws2022",
					  0,
					  old ? VPCI_VERSION_1_2 : VPCI_VERSION_1_4,
					  1 + (uint32_t)seed % 4,
					  seed,
					  false,
					  session};

		run(&plan);
	}
}

#define SEEDS 6u
#define SEEDED(name)                          \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		run_seeds(name, SEEDS);       \
	}
SEEDED(ejected)
SEEDED(ejected_without_a_driver)
SEEDED(ejected_from_a_slow_driver)
SEEDED(taken_away)
SEEDED(asleep_and_back)
SEEDED(busy_while_asleep)
SEEDED(gone_while_asleep)
SEEDED(detached_with_a_driver)
SEEDED(detached_asleep)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host),
		cmocka_unit_test(every_version),
		cmocka_unit_test(a_host_of_none_of_the_versions),
		cmocka_unit_test(test_ejected),
		cmocka_unit_test(test_ejected_without_a_driver),
		cmocka_unit_test(test_ejected_from_a_slow_driver),
		cmocka_unit_test(test_taken_away),
		cmocka_unit_test(test_asleep_and_back),
		cmocka_unit_test(test_busy_while_asleep),
		cmocka_unit_test(test_gone_while_asleep),
		cmocka_unit_test(test_detached_with_a_driver),
		cmocka_unit_test(test_detached_asleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
