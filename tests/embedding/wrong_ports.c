/* SPDX-License-Identifier: MIT */
/*
 * Ports with one mistake each, as people make them. A guest on such a port shows a status, a
 * line in the log or a violation on the host's side; it neither hangs nor crashes. These
 * symptoms are what docs/porting.md tells its reader: if one changes here, change it there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/msr.h"
#include "hvkit/netvsc.h"
#include "hvkit/wire/hypervisor.h"
#include "ports/hosted/hosted.h"

#define LIMIT_MS 600000u /* of virtual time */
#define ARP_FRAME 42u
#define ALLOCATIONS_MAX 256u
#define SLOW_MS 5000u /* the shortest time-out of a step */

enum mistake {
	NO_MISTAKE,
	NO_MISTAKE_AT_LEVEL_0, /* and a slow host */
	NO_MISTAKE_ON_TWO_CPUS,
	GPA_IS_VIRTUAL,    /* page_gpa gives the address as the CPU sees it */
	GPA_ROUNDED_DOWN,  /* page_gpa rounds to more than a page */
	GPA_OF_ALLOCATION, /* page_gpa gives an allocation's first page for all of it */
	CPU_INDEX_ZERO,    /* on each of two CPUs */
	PAGES_NOT_ZEROED,  /* which is none */
	PAGES_NOT_ALIGNED,
	PAGES_GIVEN_TWICE, /* what the host has is given out again */
	NO_PAGES,
	NO_INTERRUPT,    /* the vector's handler never calls hvk_interrupt */
	PAUSE_TOO_SHORT, /* and no clock: time is counted in pauses */
	REG_WRITE_MIGRATES,
	REG_WRITE_FAULTS,
	REG_WRITE_IGNORED, /* a stub */
	REG_READ_ZERO,
	NO_EOM, /* the register table lacks its last row */
	HYPERCALL_STUB,
	HYPERCALL_SWAPPED, /* input and output the wrong way round */
	FEATURES_ZERO,
	FEATURES_SHORT, /* only the leaves that KVM shows by default */
	WAIT_DEAF,      /* wait sleeps to its end whatever comes */
	POLL_FORGOTTEN, /* the main loop looks at the request and never polls */
	TSC_OF_ANOTHER, /* tsc returns something else than the hypervisor's counter */
	WRONG_SIZE,
	NO_CALLBACK
};

struct guest {
	enum mistake mistake;
	struct hosted *machine;
	struct hvk_port good;
	struct hvk *hvk;
	struct hvk_channel *channel;
	struct hvk_request request;
	bool answered;
	struct hvk_pages given;
	struct hvk_pages allocations[ALLOCATIONS_MAX];
	uint32_t allocation_count;
	/* How far the first CPU is and whether the second is down again: CPUs take turns. */
	volatile enum { ASLEEP, UP, LEAVING } phase;
	volatile bool second_up, second_down;
	struct hvh_nic *nic;
	struct hvh_simwire *wire;
	/* What is seen. */
	const char *step; /* the first that failed */
	hvk_status status;
	hvk_status opened; /* a channel on a CPU that is not there */
	uint64_t faults;   /* counted against the host */
	char log[120];     /* the first warning or error */
	char violation[160];
	uint64_t took_ms;
};

static bool is_of_two(enum mistake mistake)
{
	return mistake == NO_MISTAKE_ON_TWO_CPUS || mistake == CPU_INDEX_ZERO;
}

/* --- The mistakes ------------------------------------------------------------------------ */

static hvk_status bad_pages_alloc(void *context, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	struct guest *g = context;
	hvk_status status;

	if (g->mistake == NO_PAGES && count > 16)
		return HVK_ENOMEM;
	status = g->good.pages_alloc(g->good.context, count, use, out);
	if (g->mistake == PAGES_GIVEN_TWICE && use == HVK_PAGE_HOST_WRITES && count <= g->given.count) {
		*out = g->given;
		memset(out->address, 0, (size_t)count * HVK_PAGE_SIZE);
		return HVK_OK;
	}
	if (status == HVK_OK && use == HVK_PAGE_HOST_WRITES)
		g->given = *out;
	if (status == HVK_OK && g->mistake == GPA_OF_ALLOCATION) {
		assert_true(g->allocation_count < ALLOCATIONS_MAX);
		g->allocations[g->allocation_count++] = *out;
	}
	if (status == HVK_OK && g->mistake == PAGES_NOT_ZEROED)
		memset(out->address, 0xa5, (size_t)count * HVK_PAGE_SIZE);
	if (status == HVK_OK && g->mistake == PAGES_NOT_ALIGNED)
		out->address = (uint8_t *)out->address + 64;
	return status;
}

/* What was given back and out again stands further behind. */
static const void *first_page(const struct guest *g, const void *address)
{
	for (uint32_t i = g->allocation_count; i-- > 0;) {
		uintptr_t first = (uintptr_t)g->allocations[i].address;

		if ((uintptr_t)address - first < (uintptr_t)g->allocations[i].count * HVK_PAGE_SIZE)
			return g->allocations[i].address;
	}
	return address;
}

static uint64_t bad_page_gpa(void *context, const void *address)
{
	struct guest *g = context;

	if (g->mistake == GPA_IS_VIRTUAL)
		return (uint64_t)(uintptr_t)address;
	if (g->mistake == GPA_ROUNDED_DOWN)
		address = (const void *)((uintptr_t)address & ~(uintptr_t)(4 * HVK_PAGE_SIZE - 1));
	if (g->mistake == GPA_OF_ALLOCATION)
		address = first_page(g, address);
	return g->good.page_gpa(g->good.context, address);
}

static hvk_status bad_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct guest *g = context;
	bool per_cpu = reg >= HVK_REG_SCONTROL;

	if (g->mistake == REG_WRITE_IGNORED || (g->mistake == NO_EOM && reg == HVK_REG_EOM))
		return HVK_OK;
	if (g->mistake == REG_WRITE_FAULTS && reg == HVK_REG_SIMP)
		return HVK_EPRIVILEGE;
	if (g->mistake == REG_WRITE_MIGRATES && per_cpu) { /* the task went on to CPU 1 in between */
		return hvh_msr_write(hosted_partition(g->machine), hosted_now(g->machine), 1,
				     hvk_register_msr(reg), value)
			       ? HVK_OK
			       : HVK_EPRIVILEGE;
	}
	return g->good.reg_write(g->good.context, reg, value);
}

static hvk_status bad_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	struct guest *g = context;

	if (g->mistake == REG_READ_ZERO) {
		*value = 0;
		return HVK_OK;
	}
	return g->good.reg_read(g->good.context, reg, value);
}

static uint64_t bad_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			      uint64_t output)
{
	struct guest *g = context;

	if (g->mistake == HYPERCALL_STUB)
		return 0;
	if (g->mistake == HYPERCALL_SWAPPED)
		return g->good.hypercall(g->good.context, page, control, output, input);
	return g->good.hypercall(g->good.context, page, control, input, output);
}

static void bad_features(void *context, uint32_t leaf, uint32_t out[4])
{
	struct guest *g = context;

	memset(out, 0, 4 * sizeof(out[0]));
	if (g->mistake == FEATURES_ZERO)
		return;
	g->good.features(g->good.context, leaf, out);
	if (g->mistake == FEATURES_SHORT && leaf == HV_CPUID_FEATURES)
		out[0] &= ~HV_ACCESS_SYNIC;
}

static void bad_pause(void *context)
{
	struct guest *g = context;

	g->good.pause(g->good.context);
}

static void bad_wait(void *context, uint64_t timeout_ns)
{
	struct guest *g = context;
	uint64_t end = hosted_now(g->machine) + timeout_ns / 100;

	/* Without its interrupt nothing ends a sleep, either. */
	if (g->mistake != WAIT_DEAF && g->mistake != NO_INTERRUPT) {
		g->good.wait(g->good.context, timeout_ns);
		return;
	}
	while (hosted_now(g->machine) < end)
		g->good.wait(g->good.context, (end - hosted_now(g->machine)) * 100);
}

static uint64_t bad_tsc(void *context)
{
	struct guest *g = context;
	uint64_t tsc = g->good.tsc(g->good.context);

	return g->mistake == TSC_OF_ANOTHER ? tsc / 100 : tsc;
}

static void interrupt(void *context, uint32_t cpu)
{
	struct guest *g = context;

	if (g->mistake != NO_INTERRUPT)
		hvk_interrupt(g->hvk, cpu);
}

/* What has no context of the machine's goes through unchanged. */
static void port_log(void *context, enum hvk_log_level level, const char *text)
{
	struct guest *g = context;

	if (level <= HVK_LOG_WARN && g->log[0] == '\0')
		(void)snprintf(g->log, sizeof(g->log), "%s", text);
}

static void port_pages_free(void *context, const struct hvk_pages *pages)
{
	struct guest *g = context;
	struct hvk_pages whole = *pages;

	if (g->mistake == PAGES_GIVEN_TWICE)
		return; /* the machine would not stand it */
	whole.address = (void *)((uintptr_t)whole.address & ~(uintptr_t)(HVK_PAGE_SIZE - 1));
	g->good.pages_free(g->good.context, &whole);
}

static uint32_t port_cpu_index(void *context)
{
	struct guest *g = context;

	return g->mistake == CPU_INDEX_ZERO ? 0 : g->good.cpu_index(g->good.context);
}

static hvk_status port_lock_init(void *context, struct hvk_lock *lock)
{
	struct guest *g = context;

	return g->good.lock_init(g->good.context, lock);
}

static void port_lock(void *context, struct hvk_lock *lock)
{
	struct guest *g = context;

	g->good.lock(g->good.context, lock);
}

static void port_unlock(void *context, struct hvk_lock *lock)
{
	struct guest *g = context;

	g->good.unlock(g->good.context, lock);
}

static void port_wake(void *context, uint32_t cpu)
{
	struct guest *g = context;

	g->good.wake(g->good.context, cpu);
}

static uint64_t port_clock_ns(void *context)
{
	struct guest *g = context;

	return g->good.clock_ns(g->good.context);
}

static struct hvk_port port_of(struct guest *g, bool level0)
{
	struct hvk_port port = {
		.size = g->mistake == WRONG_SIZE ? sizeof(port) - 8u : sizeof(port),
		.version = HVK_PORT_VERSION,
		.context = g,
		.log = port_log,
		.pages_alloc = bad_pages_alloc,
		.pages_free = port_pages_free,
		.page_gpa = bad_page_gpa,
		.features = bad_features,
		.reg_read = bad_reg_read,
		.reg_write = bad_reg_write,
		.hypercall = g->mistake == NO_CALLBACK ? NULL : bad_hypercall,
		.pause = bad_pause,
		.pause_ns = g->mistake == PAUSE_TOO_SHORT ? 1000 * g->good.pause_ns : g->good.pause_ns,
		.tsc = bad_tsc,
	};

	if (level0)
		return port;
	port.cpu_index = port_cpu_index;
	port.lock_init = port_lock_init;
	port.lock = port_lock;
	port.unlock = port_unlock;
	port.wait = bad_wait;
	port.wake = port_wake;
	port.clock_ns = port_clock_ns;
	return port;
}

/* --- The guest: up, one question, down ---------------------------------------------------- */

static bool step(struct guest *g, const char *what, hvk_status status)
{
	if (status != HVK_OK && !g->step) {
		g->step = what;
		g->status = status;
	}
	return status == HVK_OK;
}

static bool finished(struct guest *g, const char *what)
{
	if (g->mistake != POLL_FORGOTTEN)
		return step(g, what, hvk_wait(g->hvk, &g->request, LIMIT_MS));
	for (uint32_t i = 0; i < 1000 && g->request.status == HVK_EINPROGRESS; i++)
		hosted_wait(g->machine, 20000000);
	return step(g, what, g->request.status);
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct guest *g = context;

	(void)again;
	g->channel = channel;
}

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct guest *g = context;

	(void)netdev;
	g->answered |= frame->length >= ARP_FRAME && frame->data[12] == 8 && frame->data[13] == 6;
}

static void sent(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	(void)frame;
	(void)step(context, "send", status);
}

static void ask(struct guest *g, struct hvk_netdev *netdev)
{
	static uint8_t arp[ARP_FRAME] = {255, 255, 255, 255, 255, 255, [12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
	struct hvk_buffer piece = {.address = arp, .length = sizeof(arp)};
	struct hvk_tx_frame frame = {
		.pieces = &piece, .piece_count = 1, .length = sizeof(arp), .done = sent, .context = g};
	static const uint8_t us[] = {10, 7, 0, 15}, them[] = {10, 7, 0, 1};

	memcpy(arp + 6, netdev->info.mac, 6);
	memcpy(arp + 22, netdev->info.mac, 6);
	memcpy(arp + 28, us, sizeof(us));
	memcpy(arp + 38, them, sizeof(them));
	if (hvk_netdev_transmit(netdev, &frame) != HVK_TX_TAKEN) {
		(void)step(g, "send", HVK_EGONE);
		return;
	}
	for (uint32_t i = 0; i < 200 && !g->answered; i++) {
		struct hvk_request nothing = {.status = HVK_EINPROGRESS};

		(void)hvk_wait(g->hvk, &nothing, 10);
	}
	(void)step(g, "answer", g->answered ? HVK_OK : HVK_ETIMEDOUT);
	/* A good port is idle for a while, and nothing is to be said about it. */
	for (uint32_t i = 0; i < 3 && g->mistake <= NO_MISTAKE_ON_TWO_CPUS; i++) {
		struct hvk_request nothing = {.status = HVK_EINPROGRESS};

		(void)hvk_wait(g->hvk, &nothing, 1200);
	}
	if (g->mistake == TSC_OF_ANOTHER) {
		struct hvk_request nothing = {.status = HVK_EINPROGRESS};

		(void)hvk_wait(g->hvk, &nothing, 10000);
	}
}

static void use_card(struct guest *g)
{
	struct hvk_netvsc_config config = {.cpu = is_of_two(g->mistake) ? 1 : 0,
					   .ring_pages = 4,
					   .receive_buffer_pages = 64,
					   .send_buffer_pages = 32};
	struct hvk_netvsc *nic;

	if (!step(g, "create card", hvk_netvsc_create(g->channel, &config, &nic)))
		return;
	hvk_netvsc_netdev(nic)->hooks = (struct hvk_netdev_hooks){.input = input, .context = g};
	hvk_netvsc_attach(nic, &g->request);
	if (finished(g, "attach")) {
		hvk_netdev_set_flags(hvk_netvsc_netdev(nic), HVK_NETDEV_UP, &g->request);
		if (finished(g, "up"))
			ask(g, hvk_netvsc_netdev(nic));
		hvk_netvsc_detach(nic, &g->request);
		(void)finished(g, "detach");
	}
	(void)step(g, "destroy card", hvk_netvsc_destroy(nic));
}

static bool never_ready(void *context, struct hvk_channel *channel)
{
	(void)context, (void)channel;
	return false;
}

/* A channel on the second CPU, where the first alone polls. */
static void open_there(struct guest *g)
{
	struct hvk_channel_config config = {.cpu = 1, .tx_pages = 4, .rx_pages = 4, .ready = never_ready};

	if (!step(g, "claim", hvk_channel_claim(g->channel)))
		return;
	hvk_channel_open(g->channel, &config, &g->request);
	(void)finished(g, "open");
	g->opened = g->request.status;
	hvk_channel_unclaim(g->channel);
}

static void use_bus(struct guest *g)
{
	struct hvk_vmbus_config config = {.offered = offered, .context = g};

	hvk_vmbus_connect(g->hvk, &config, &g->request);
	if (finished(g, "connect")) {
		if (step(g, "offer", g->channel ? HVK_OK : HVK_EGONE))
			(g->mistake == CPU_INDEX_ZERO ? open_there : use_card)(g);
		hvk_vmbus_disconnect(g->hvk, &g->request);
		(void)finished(g, "disconnect");
	}
}

static void idle(void *context)
{
	struct guest *g = context;

	while (!hosted_stopping(g->machine))
		hosted_wait(g->machine, 1000000);
}

/* The second CPU: up while the first is, and polls what belongs to it. */
static void second_cpu(void *context)
{
	struct guest *g = context;

	while (g->phase == ASLEEP && !hosted_stopping(g->machine))
		hosted_wait(g->machine, 1000000);
	if (g->phase != ASLEEP && step(g, "cpu 1 start", hvk_cpu_start(g->hvk))) {
		g->second_up = true;
		while (g->phase != LEAVING) {
			if (!hvk_poll(g->hvk, 1))
				hosted_wait(g->machine, 1000000);
		}
		(void)hvk_cpu_stop(g->hvk);
	}
	g->second_down = true;
	idle(g);
}

static void meet_second(struct guest *g, volatile bool *seen)
{
	while (is_of_two(g->mistake) && !*seen && !g->second_down)
		hosted_wait(g->machine, 1000000);
}

static void boot(void *context)
{
	struct guest *g = context;
	struct hvk_counters counters;

	if (step(g, "start", hvk_start(g->hvk))) {
		if (step(g, "cpu start", hvk_cpu_start(g->hvk))) {
			g->phase = UP;
			meet_second(g, &g->second_up);
			use_bus(g);
			g->phase = LEAVING;
			meet_second(g, &g->second_down);
			(void)hvk_cpu_stop(g->hvk);
		}
		(void)hvk_stop(g->hvk);
	}
	hvk_get_counters(g->hvk, &counters);
	g->faults = counters.host_faults;
}

static void violation(void *context, const struct hvh_violation *violation)
{
	struct guest *g = context;

	if (g->violation[0] == '\0')
		(void)snprintf(g->violation, sizeof(g->violation), "%s: %s",
			       hvh_violation_name(violation->kind), violation->text);
}

static bool wire_run(void *context, uint64_t now)
{
	return hvh_simwire_run(context, now);
}

static uint64_t wire_next(void *context)
{
	return hvh_simwire_next_event(context);
}

static void plug_in(struct guest *g)
{
	struct hvh_nic_config card = {.mac = {0x00, 0x15, 0x5d, 0x00, 0x07, 0x01}, .link_up = true};
	struct hvh_backend backend;

	g->wire = hvh_simwire_create(1);
	hvh_simwire_backend(g->wire, &backend);
	g->nic = hvh_nic_create(hosted_partition(g->machine), &card, &backend);
	hvh_simwire_attach(g->wire, g->nic);
	hosted_add_world(g->machine, wire_run, wire_next, g->wire);
}

/* Runs a guest on a port with that mistake; it must come to an end. */
static struct guest try(enum mistake mistake)
{
	bool level0 = mistake == PAUSE_TOO_SHORT || mistake == NO_MISTAKE_AT_LEVEL_0;
	struct hosted_config machine = {
		.mode = HOSTED_DETERMINISTIC,
		.cpus = mistake == REG_WRITE_MIGRATES || is_of_two(mistake) ? 2 : 1,
		.profile = hvh_profile_find("ws2022"),
		.seed = 7,
		.no_reference_tsc = level0,
		.no_reference_counter = level0,
		.violation = violation,
	};
	struct hvk_config config = {.cpus = machine.cpus,
				    .vector = 0x50,
				    .interrupts = !level0,
				    .timeouts = {.contact_ms = level0 ? 1000 : 0}};
	static struct guest guest;
	struct guest *g = &guest;
	struct hvk_port port;

	*g = (struct guest){.mistake = mistake};
	machine.context = g;
	g->machine = hosted_create(&machine);
	assert_non_null(g->machine);
	g->good = *hosted_port(g->machine);
	port = port_of(g, level0);
	if (step(g, "create", hvk_create(&port, &config, &g->hvk))) {
		plug_in(g);
		if (level0)
			hvh_fault_set(hosted_partition(g->machine), HVH_FAULT_DELAY_MESSAGE, 65535);
		hosted_set_interrupt(g->machine, interrupt, g);
		hosted_set_program(g->machine, 0, boot, g);
		if (machine.cpus > 1)
			hosted_set_program(g->machine, 1, is_of_two(mistake) ? second_cpu : idle, g);
		assert_true(hosted_run(g->machine, LIMIT_MS)); /* never a hang */
		g->took_ms = hosted_now(g->machine) / HVH_TIME_PER_MS;
		hvh_simwire_destroy(g->wire);
	}
	hosted_destroy(g->machine);
	return guest;
}

static bool is_slow(enum mistake mistake)
{
	return mistake == NO_INTERRUPT || mistake == WAIT_DEAF;
}

/* --- What one sees ---------------------------------------------------------------------- */

struct symptom {
	enum mistake mistake;
	const char *name;
	const char *step; /* NULL: none fails */
	hvk_status status;
	const char *log;       /* part of the first warning, or NULL */
	const char *violation; /* part of the first on the host's side, or NULL */
};

static const struct symptom symptoms[] = {
	{NO_MISTAKE, "no mistake", NULL, HVK_OK, NULL, NULL},
	{NO_MISTAKE_AT_LEVEL_0, "no mistake at level 0", NULL, HVK_OK, NULL, NULL},
	{NO_MISTAKE_ON_TWO_CPUS, "no mistake on two CPUs", NULL, HVK_OK, NULL, NULL},
	{WRONG_SIZE, "size of another header", "create", HVK_EINVAL, "port.size is", NULL},
	{NO_CALLBACK, "a callback of L0 left out", "create", HVK_ELEVEL, "port.hypercall is NULL", NULL},
	{FEATURES_ZERO, "features stubbed", "start", HVK_ENOHYPERVISOR, NULL, NULL},
	{FEATURES_SHORT, "features without SynIC", "start", HVK_EPRIVILEGE, "lacks 0x4 of SynIC", NULL},
	{REG_WRITE_IGNORED, "reg_write stubbed", "start", HVK_EPRIVILEGE, "page is not enabled", NULL},
	{REG_READ_ZERO, "reg_read stubbed", "start", HVK_EPRIVILEGE, NULL, "reserved-bits"},
	{REG_WRITE_FAULTS, "reg_write faults", "cpu start", HVK_EPRIVILEGE, "to register SIMP faulted", NULL},
	{REG_WRITE_MIGRATES, "reg_write on another CPU", "connect", HVK_ETIMEDOUT_CONTACT, NULL, NULL},
	{NO_EOM, "EOM lost", "connect", HVK_ETIMEDOUT_OFFERS, NULL, "missing-eom"},
	{GPA_IS_VIRTUAL, "page_gpa virtual", "start", HVK_EPRIVILEGE, NULL, "beyond guest memory"},
	{GPA_ROUNDED_DOWN, "page_gpa rounded down", "connect", HVK_EHYPERCALL, "post message", "post"},
	{GPA_OF_ALLOCATION, "page_gpa of the first page", "attach", HVK_ETIMEDOUT_NVS_INIT, NULL, "packet"},
	{CPU_INDEX_ZERO, "cpu_index always 0", "cpu 1 start", HVK_ESTATE, NULL, NULL},
	{PAGES_NOT_ZEROED, "pages not zeroed", NULL, HVK_OK, NULL, NULL},
	{PAGES_NOT_ALIGNED, "pages not aligned", "create", HVK_EINVAL, "not aligned", NULL},
	{PAGES_GIVEN_TWICE, "pages given out twice", "attach", HVK_ETIMEDOUT_GPADL, NULL, NULL},
	{NO_PAGES, "too little memory", "attach", HVK_ENOMEM, "the port gave no memory", NULL},
	{HYPERCALL_STUB, "hypercall stubbed", "connect", HVK_ETIMEDOUT_CONTACT, NULL, NULL},
	{HYPERCALL_SWAPPED, "hypercall swapped", "connect", HVK_EHYPERCALL, "status 0x4", "not in RAM"},
	{NO_INTERRUPT, "no interrupt", NULL, HVK_OK, "does the handler of vector 80 call hvk_interrupt",
	 NULL},
	{WAIT_DEAF, "wait sleeps over wakes", NULL, HVK_OK, NULL, NULL},
	{POLL_FORGOTTEN, "hvk_poll forgotten", "connect", HVK_EINPROGRESS, NULL, NULL},
	{PAUSE_TOO_SHORT, "pause too short", "connect", HVK_ETIMEDOUT_CONTACT, NULL, NULL},
	{TSC_OF_ANOTHER, "tsc of another", NULL, HVK_OK, "its clock stands still", NULL},
};

static void has(const char *what, const char *text, const char *part)
{
	if (part && !strstr(text, part))
		fail_msg("%s is '%s', which has no '%s'", what, text, part);
}

static void shows_its_symptom(void **state)
{
	const struct symptom *symptom = *state;
	struct guest g = try(symptom->mistake);

	print_message("         %s: %s, %llu ms; %s; host: %s\n", g.step ? g.step : "works",
		      hvk_status_name(g.status), (unsigned long long)g.took_ms, g.log, g.violation);
	assert_string_equal(g.step ? g.step : "", symptom->step ? symptom->step : "");
	assert_string_equal(hvk_status_name(g.status), hvk_status_name(symptom->status));
	has("the log", g.log, symptom->log);
	has("the violation", g.violation, symptom->violation);
	if (!symptom->step && !symptom->log)
		assert_string_equal(g.log, "");
	if (is_slow(symptom->mistake))
		assert_true(g.took_ms >= SLOW_MS);
	if (symptom->mistake == CPU_INDEX_ZERO)
		assert_int_equal(g.opened, HVK_EINVAL);
	if (symptom->mistake <= NO_MISTAKE_ON_TWO_CPUS) {
		assert_string_equal(g.violation, "");
		assert_true(g.took_ms < SLOW_MS);
	}
}

int main(void)
{
	struct CMUnitTest tests[sizeof(symptoms) / sizeof(symptoms[0])];

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i] = (struct CMUnitTest){symptoms[i].name, shows_its_symptom, NULL, NULL,
					       (void *)(uintptr_t)&symptoms[i]};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
