/* SPDX-License-Identifier: MIT */
/*
 * Simulation: a loader works, perhaps steps aside for others, and hands the machine over by either exit, on
 * hosts that are late, silent at a step, or say everything twice. Then another system comes and must work.
 * The host never writes into memory that was given back, and what may not be given away is listed to the
 * page.
 *
 *   sim_handover [FIRST [COUNT]]     SIM_HANDOVER_SEEDS=n sets the count (150)
 *   HANDOVER_TRACE=FILE              writes a trace
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/vmbus.h"
#include "tests/support/systems.h"

#define SEEDS_DEFAULT 150u
#define TALK 12u
#define QUIESCE_TRIES 20u
#define AFTERWARDS_MS 12000u /* what a host with a memory of its own may still do shows in that time */
#define ABANDON_MS 100u
#define PATIENCE_MS 200u /* longer than any answer that comes takes */

static const char *const profiles[] = {"ws2012", "ws2012r2", "ws2012r2", "ws2016",
				       "ws2019", "ws2022",   "openvmm",  "qemu"};

enum moment { BEFORE_CONTACT, BEFORE_OPEN, BEFORE_UNQUIESCE, BEFORE_CLOSE, BEFORE_EXIT, MOMENTS };

static const enum hvh_silence silences[] = {HVH_SILENCE_CONTACT,  HVH_SILENCE_UNLOAD, HVH_SILENCE_OFFERS,
					    HVH_SILENCE_GPADL,    HVH_SILENCE_OPEN,   HVH_SILENCE_UNLOAD,
					    HVH_SILENCE_TEARDOWN, HVH_SILENCE_POST};

enum exit_kind { EXIT_OR_STOP, EXIT_ANYWAY, EXIT_ABRUPT, EXITS };

/* How often each thing happened, over all seeds. */
enum seen {
	SEEN_ORDERLY,
	SEEN_ABRUPT,
	SEEN_UNANSWERED,
	SEEN_TOO_OLD,
	SEEN_STOPPED,
	SEEN_LATE,
	SEEN_REPEATED,
	SEEN_QUIESCED,
	SEEN_STOLEN,
	SEEN_RECONNECT_FAILED,
	SEEN_RESERVED,
	SEEN_REFUSED,
	SEEN_CRASHED,
	SEEN_LOADED,
	SEEN_COUNT
};

static const char *const seen_names[SEEN_COUNT] = {"orderly exits",
						   "abrupt exits",
						   "exits without an answer",
						   "exits from hosts below 3.0",
						   "callers that stopped first",
						   "runs with answers too late",
						   "answers said twice",
						   "times aside",
						   "buses taken meanwhile",
						   "failures to come back",
						   "exits with memory reserved",
						   "hosts refused by boot mode",
						   "loaded systems that crashed",
						   "loaded systems at work"};

struct plan {
	enum hvk_vmbus_mode mode;
	enum exit_kind exit;
	enum moment moment;
	enum hvh_silence silence;
	uint32_t timeout_ms; /* shorter than answers may take; 0: PATIENCE_MS */
	uint32_t rounds;     /* aside and back */
	uint32_t fault_chance, repeat_chance, rescind_chance;
};

struct run {
	struct plan plan;
	struct system loader, other;
	uint64_t *seen;
	bool silent_now, excused; /* something failed for a reason */
	bool connected;           /* the loader was */
	bool untidy;              /* a time-out came: memory may be withheld */
	uint64_t elsewhere;       /* pages that a thief had to leave reserved */
};

/* --- The host's side ----------------------------------------------------------------------------- */

static void at(struct systems *systems, struct run *run, enum moment moment)
{
	if (run->plan.moment != moment || run->plan.silence == HVH_SILENCE_NONE)
		return;
	hvh_silence_set(systems->partition, run->plan.silence);
	run->silent_now = true;
}

static void speak_again(struct systems *systems, struct run *run)
{
	hvh_silence_set(systems->partition, HVH_SILENCE_NONE);
	run->silent_now = false;
}

static uint64_t violations_but(const struct systems *systems, enum hvh_violation_kind kind)
{
	struct hvh_counters counters;

	hvh_get_counters(systems->partition, &counters);
	return counters.violations - hvh_violation_count(systems->partition, kind);
}

static void quiet_faults(struct systems *systems, uint32_t chance, uint32_t rescind, uint32_t repeat)
{
	for (int n = 0; n < HVH_FAULT_COUNT; n++)
		hvh_fault_set(systems->partition, (enum hvh_fault)n,
			      n == HVH_FAULT_RESCIND ? rescind : chance);
	hvh_repeat_set(systems->partition, repeat);
}

/* --- What may fail, and why ------------------------------------------------------------------------ */

static bool is_timeout(hvk_status status)
{
	return status == HVK_ETIMEDOUT_CONTACT || status == HVK_ETIMEDOUT_OFFERS ||
	       status == HVK_ETIMEDOUT_UNLOAD || status == HVK_ETIMEDOUT_GPADL ||
	       status == HVK_ETIMEDOUT_OPEN || status == HVK_ETIMEDOUT_TEARDOWN ||
	       status == HVK_ETIMEDOUT_POST;
}

static void judge(struct systems *systems, struct run *run, const char *step, hvk_status status)
{
	bool slow = run->silent_now || run->plan.timeout_ms != 0;

	if (status == HVK_OK)
		return;
	run->excused = true;
	if (is_timeout(status)) {
		run->untidy = true;
		run->seen[SEEN_LATE] += run->plan.timeout_ms != 0;
		if (slow)
			return;
	}
	if (status == HVK_EGONE && run->plan.rescind_chance != 0)
		return;
	/* An open that was given up: its channel may be half open, and the next try is refused. */
	if (status == HVK_EREFUSED_OPEN && run->untidy)
		return;
	if (status == HVK_EHOSTTOOOLD && !systems->config.profile.unload_works)
		return;
	systems_wrong(systems, "%s: %s", step, hvk_status_name(status));
}

/* --- The loader --------------------------------------------------------------------------------------- */

static void work(struct systems *systems, struct run *run)
{
	at(systems, run, BEFORE_OPEN);
	judge(systems, run, "open", system_open(&run->loader));
	if (!system_talk(&run->loader, TALK) && !run->excused && run->plan.rescind_chance == 0)
		systems_wrong(systems, "the loader's messages do not come back");
}

/* Somebody takes the bus while the loader is aside, and leaves it, perhaps with its identity. */
static void steal(struct systems *systems, struct run *run)
{
	const struct hvk_port *port = hosted_port(systems->machine);
	struct system *thief = &run->other;
	hvk_status status;

	if (!system_create(systems, thief, SYSTEM_LOADED, PATIENCE_MS))
		return;
	status = system_start(thief);
	if (status != HVK_OK) {
		systems_wrong(systems, "a thief: %s", hvk_status_name(status));
	} else if (system_connect(thief, HVK_VMBUS_MODE_SYSTEM) == HVK_OK) {
		run->seen[SEEN_STOLEN]++;
		(void)system_open(thief);
		(void)system_talk(thief, TALK);
		if (systems_random(systems, 2) == 0) {
			(void)system_close(thief);
			(void)hvk_handover_orderly(thief->hvk, HVK_HANDOVER_ANYWAY);
		} else {
			(void)hvk_handover_abrupt(thief->hvk, ABANDON_MS);
		}
	} else {
		(void)hvk_handover_abrupt(thief->hvk, ABANDON_MS);
	}
	run->elsewhere += system_reserved(thief);
	system_destroy(thief);
	systems->running = &run->loader;
	if (systems_random(systems, 2) == 0)
		(void)port->reg_write(port->context, HVK_REG_GUEST_OS_ID, SYSTEM_LOADED);
}

static bool step_aside(struct systems *systems, struct run *run)
{
	hvk_status status = HVK_ESTATE;

	for (unsigned n = 0; n < QUIESCE_TRIES && status == HVK_ESTATE; n++) {
		status = hvk_handover_quiesce(run->loader.hvk);
		if (status == HVK_ESTATE) { /* an id is just given back, or a rescind is on its way */
			(void)hvk_poll(run->loader.hvk, 0);
			systems_pass(systems, 5);
		}
	}
	if (status == HVK_OK)
		return true;
	if (!run->excused && run->plan.rescind_chance == 0)
		systems_wrong(systems, "quiesce: %s", hvk_status_name(status));
	return false;
}

/* False: the bus is lost. */
static bool come_back(struct systems *systems, struct run *run)
{
	hvk_status status;

	at(systems, run, BEFORE_UNQUIESCE);
	status = hvk_handover_unquiesce(run->loader.hvk);
	judge(systems, run, "unquiesce", status);
	if (hvk_handover_quiesced(run->loader.hvk))
		systems_wrong(systems, "still quiesced");
	if (hvk_vmbus_state(run->loader.hvk) == HVK_VMBUS_CONNECTED)
		return true;
	run->seen[SEEN_RECONNECT_FAILED]++;
	return false;
}

static bool aside_and_back(struct systems *systems, struct run *run)
{
	uint64_t reserved;

	system_burst(&run->loader, 200); /* the host goes on writing into the rings meanwhile */
	if (!step_aside(systems, run))
		return true;
	run->seen[SEEN_QUIESCED]++;
	reserved = system_reserved(&run->loader);
	if (reserved < 3)
		systems_wrong(systems, "%llu pages reserved while aside", (unsigned long long)reserved);
	systems_pass(systems, systems_random(systems, 200));
	if (systems_random(systems, 2) == 0)
		steal(systems, run);
	if (!come_back(systems, run))
		return false;
	/* What was open is over, and what is offered anew works. */
	judge(systems, run, "close after coming back", system_close(&run->loader));
	return true;
}

/* Channels that were given up while rescinded may be offered again: claimed, so closed again. */
static void use_bus(struct systems *systems, struct run *run)
{
	bool connected = true;

	work(systems, run);
	for (uint32_t n = 0; n < run->plan.rounds && connected; n++) {
		connected = aside_and_back(systems, run);
		if (connected && run->loader.lines[0].channel == NULL && run->plan.rescind_chance == 0)
			work(systems, run);
	}
}

/* --- Leaving -------------------------------------------------------------------------------------------- */

static hvk_status leave(struct systems *systems, struct run *run)
{
	struct hvk *hvk = run->loader.hvk;
	bool at_rest = hvk_vmbus_state(hvk) != HVK_VMBUS_CONNECTED;
	hvk_status status;

	if (run->plan.exit == EXIT_ABRUPT) {
		at(systems, run, BEFORE_EXIT);
		run->seen[SEEN_ABRUPT]++;
		return hvk_handover_abrupt(hvk, ABANDON_MS);
	}
	at(systems, run, BEFORE_CLOSE);
	if (hvk_vmbus_state(hvk) != HVK_VMBUS_ABANDONED)
		judge(systems, run, "close", system_close(&run->loader));
	at(systems, run, BEFORE_EXIT);
	run->seen[SEEN_ORDERLY]++;
	if (run->plan.exit == EXIT_ANYWAY)
		return hvk_handover_orderly(hvk, HVK_HANDOVER_ANYWAY);
	status = hvk_handover_orderly(hvk, HVK_HANDOVER_OR_STOP);
	if (status == HVK_OK || at_rest)
		return status == HVK_OK ? status : hvk_handover_orderly(hvk, HVK_HANDOVER_ANYWAY);
	run->seen[SEEN_STOPPED]++;
	systems_pass(systems, systems_random(systems, 100));
	return hvk_handover_orderly(hvk, HVK_HANDOVER_ANYWAY);
}

static void expect_register(struct systems *systems, enum hvk_register reg, const char *name, uint64_t mask,
			    uint64_t wanted)
{
	const struct hvk_port *port = hosted_port(systems->machine);
	uint64_t value = 0;

	(void)port->reg_read(port->context, reg, &value);
	if ((value & mask) != wanted)
		systems_wrong(systems, "%s is left at 0x%llx", name, (unsigned long long)value);
}

static void check_registers(struct systems *systems)
{
	expect_register(systems, HVK_REG_GUEST_OS_ID, "GUEST_OS_ID", ~0ull, 0);
	expect_register(systems, HVK_REG_HYPERCALL, "HYPERCALL", HV_PAGE_ENABLE, 0);
	expect_register(systems, HVK_REG_SIMP, "SIMP", HV_PAGE_ENABLE, 0);
	expect_register(systems, HVK_REG_SIEFP, "SIEFP", HV_PAGE_ENABLE, 0);
	expect_register(systems, HVK_REG_SCONTROL, "SCONTROL", HV_SCONTROL_ENABLE, 0);
	expect_register(systems, HVK_REG_SINT0 + VMBUS_SINT, "SINT2", HV_SINT_VECTOR_MASK | HV_SINT_MASKED,
			HV_SINT_MASKED);
}

static void check_memory(struct systems *systems, struct run *run, hvk_status status)
{
	uint64_t reserved = system_reserved(&run->loader);
	uint32_t in_use;

	run->seen[SEEN_RESERVED] += reserved != 0;
	if (reserved != 0 && status == HVK_OK && !run->untidy)
		systems_wrong(systems, "%llu pages reserved for no reason", (unsigned long long)reserved);
	if (status != HVK_OK && reserved == 0 && status != HVK_ETIMEDOUT_POST)
		systems_wrong(systems, "%s, and nothing is reserved", hvk_status_name(status));
	system_destroy(&run->loader);
	in_use = hosted_pages_in_use(systems->machine);
	if (in_use != reserved + run->elsewhere)
		systems_wrong(systems, "%u pages withheld, %llu listed", in_use,
			      (unsigned long long)(reserved + run->elsewhere));
}

static void hand_over(struct systems *systems, struct run *run)
{
	hvk_status status = leave(systems, run);

	run->seen[SEEN_UNANSWERED] += status == HVK_ETIMEDOUT_UNLOAD || status == HVK_ETIMEDOUT_POST;
	run->seen[SEEN_TOO_OLD] += status == HVK_EHOSTTOOOLD;
	judge(systems, run, "hand-over", status);
	check_registers(systems);
	check_memory(systems, run, status);
}

/* --- The loaded system ----------------------------------------------------------------------- */

static void be_loaded(struct systems *systems, struct run *run, uint32_t pages)
{
	struct system *system = &run->other;
	bool crashes = hvh_loaded_system_crashes(systems->partition);
	hvk_status status;

	if (!system_create(systems, system, SYSTEM_LOADED, PATIENCE_MS))
		return;
	status = system_start(system);
	if (status == HVK_OK)
		status = system_connect(system, HVK_VMBUS_MODE_SYSTEM);
	if ((status == HVK_OK) == crashes)
		systems_wrong(systems, "the loaded system: %s", hvk_status_name(status));
	run->seen[SEEN_CRASHED] += crashes;
	if (status == HVK_OK) {
		/* A host below 3.0 has no devices for who comes second: why boot mode refuses it. */
		bool usable = systems->config.profile.unload_works;

		if (usable ? system->offered < SYSTEMS_DEVICES : run->connected && system->offered != 0)
			systems_wrong(systems, "the loaded system sees %u devices", system->offered);
		status = system_open(system);
		if (status != HVK_OK || !system_talk(system, TALK))
			systems_wrong(systems, "the loaded system does not work: %s",
				      hvk_status_name(status));
		run->seen[SEEN_LOADED] += system->offered != 0;
		(void)system_close(system);
	}
	status = hvk_handover_orderly(system->hvk, HVK_HANDOVER_ANYWAY);
	if (status != HVK_OK && systems->config.profile.unload_works)
		systems_wrong(systems, "the loaded system leaves: %s", hvk_status_name(status));
	pages += (uint32_t)system_reserved(system);
	system_destroy(system);
	if (hosted_pages_in_use(systems->machine) != pages)
		systems_wrong(systems, "the loaded system leaks");
}

/* --- A run ------------------------------------------------------------------------------------- */

static void script(struct systems *systems, void *context)
{
	struct run *run = context;
	hvk_status status;

	quiet_faults(systems, run->plan.fault_chance, run->plan.rescind_chance, run->plan.repeat_chance);
	if (!system_create(systems, &run->loader, 0,
			   run->plan.timeout_ms ? run->plan.timeout_ms : PATIENCE_MS))
		return;
	status = system_start(&run->loader);
	if (status != HVK_OK)
		systems_wrong(systems, "start: %s", hvk_status_name(status));
	at(systems, run, BEFORE_CONTACT);
	status = system_connect(&run->loader, run->plan.mode);
	run->seen[SEEN_REFUSED] += status == HVK_EHOSTTOOOLD;
	judge(systems, run, "connect", status);
	run->connected = status == HVK_OK;
	if (status == HVK_OK)
		use_bus(systems, run);
	hand_over(systems, run);
	speak_again(systems, run);
	run->seen[SEEN_REPEATED] += hvh_repeat_count(systems->partition);
	quiet_faults(systems, run->plan.fault_chance, 0, 0);
	systems_pass(systems, AFTERWARDS_MS);
	be_loaded(systems, run, hosted_pages_in_use(systems->machine));
	if (violations_but(systems, HVH_V_LOADED_SYSTEM) != 0)
		systems_wrong(systems, "violation: %s", systems->first_violation);
}

static void choose(struct plan *plan, struct systems_config *config, uint64_t seed)
{
	uint64_t z = seed * 0x9e3779b97f4a7c15ull;
	const uint32_t timeouts[] = {0, 0, 0, 4, 8, 16, 30, 0};

	z ^= z >> 31;
	*config = (struct systems_config){
		.seed = seed,
		.level0 = (z >> 2) % 6 == 0,
		.switch_chance = 1024u << ((z >> 4) % 6),
	};
	config->profile = *hvh_profile_find(profiles[seed % 8]);
	config->profile.loaded_system_always_crashes = seed % 8 == 2;
	*plan = (struct plan){
		.mode = (z >> 8) % 3 == 0 ? HVK_VMBUS_MODE_SYSTEM : HVK_VMBUS_MODE_BOOT,
		.exit = (enum exit_kind)((z >> 11) % EXITS),
		.moment = (enum moment)((z >> 14) % MOMENTS),
		.timeout_ms = timeouts[(z >> 18) % 8],
		.rounds = (z >> 21) % 2 ? 0 : 1 + (uint32_t)((z >> 23) % 3),
		.fault_chance = (z >> 26) % 4 == 0 ? 0 : 512u << ((z >> 28) % 5),
		.repeat_chance = (z >> 32) % 3 == 0 ? 20000 : 0,
		.rescind_chance = (z >> 35) % 5 == 0 ? 300 : 0,
	};
	if ((z >> 38) % 2)
		plan->silence = silences[(z >> 40) % (sizeof(silences) / sizeof(silences[0]))];
}

static bool run_seed(uint64_t seed, uint64_t seen[SEEN_COUNT])
{
	static struct systems systems;
	static struct run run;
	struct systems_config config;
	bool good;

	memset(&run, 0, sizeof(run));
	run.seen = seen;
	choose(&run.plan, &config, seed);
	if (getenv("HANDOVER_TRACE"))
		config.trace = fopen(getenv("HANDOVER_TRACE"), "wb");
	good = systems_run(&systems, &config, script, &run);
	if (config.trace)
		(void)fclose(config.trace);
	if (!good)
		printf("seed %llu (%s, %s mode, exit %d, silence %s at %d, time-outs %u ms, %u rounds, "
		       "rescind %u%s): %s\n",
		       (unsigned long long)seed, config.profile.name,
		       run.plan.mode == HVK_VMBUS_MODE_BOOT ? "boot" : "system", (int)run.plan.exit,
		       hvh_silence_name(run.plan.silence), (int)run.plan.moment, run.plan.timeout_ms,
		       run.plan.rounds, run.plan.rescind_chance, config.level0 ? ", L0" : "", systems.wrong);
	return good;
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("SIM_HANDOVER_SEEDS");
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
			 : argc > 1 ? 1
			 : wanted   ? strtoull(wanted, NULL, 10)
				    : SEEDS_DEFAULT;
	uint64_t seen[SEEN_COUNT] = {0}, failed = 0, never = 0;

	for (uint64_t seed = first; seed < first + count; seed++)
		failed += !run_seed(seed, seen);
	for (int n = 0; n < SEEN_COUNT; n++) {
		printf("%-30s %llu\n", seen_names[n], (unsigned long long)seen[n]);
		never += seen[n] == 0;
	}
	printf("did: %llu hand-overs, %llu failed\n", (unsigned long long)count, (unsigned long long)failed);
	if (count >= SEEDS_DEFAULT && never != 0) {
		printf("%llu things never happened\n", (unsigned long long)never);
		return 1;
	}
	return failed != 0;
}
