/* SPDX-License-Identifier: MIT */
/* Coming up, the main loop, going down. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"
#include "lwip/timeouts.h"

/* Every request has bounds of its own, step by step; this one is for our own faults. */
#define REQUEST_TIMEOUT_MS 600000u
#define REQUEST_TURN_MS 100u /* by then lwIP's timers are looked at again */
#define ABANDON_TIMEOUT_MS 1000u

/* --- The main loop ------------------------------------------------------------------ */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What others have for us, and we for them. */
static bool turn(struct shell *shell)
{
	bool worked;

	if (shell->lwip_started)
		sys_check_timeouts();
	worked = hvk_poll(atomic_load(&shell->hvk), 0);
	worked |= shell_vf_turn(shell);
	worked |= shell_services_turn(shell);
	return (shell->netif_added && netif_hvk_poll(&shell->netif)) || worked;
}

void shell_turn(struct shell *shell, uint64_t until)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	uint64_t now, wake;

	if (turn(shell))
		return;
	now = hvk_time(hvk);
	wake = sooner(until, hvk_next_deadline(hvk, 0));
	wake = sooner(wake, now + shell_tick(shell));
	if (shell->lwip_started)
		wake = sooner(wake, now + sys_timeouts_sleeptime() * HVK_TIME_PER_MS);
	if (wake > now)
		shell->platform.wait(shell->platform.context, (wake - now) * 100);
}

struct hvk_request *shell_request(struct shell *shell)
{
	memset(&shell->request, 0, sizeof(shell->request));
	return &shell->request;
}

hvk_status shell_wait(struct shell *shell)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	uint64_t limit = hvk_time(hvk) + REQUEST_TIMEOUT_MS * HVK_TIME_PER_MS;
	hvk_status status;

	/* A card that is detached waits for frames that lwIP has: its timers go on. */
	do {
		status = hvk_wait(hvk, &shell->request, REQUEST_TURN_MS);
		if (shell->request.status != HVK_EINPROGRESS)
			return status;
		(void)turn(shell);
	} while (shell->request.status == HVK_EINPROGRESS && hvk_time(hvk) < limit);
	if (shell->request.status != HVK_EINPROGRESS)
		return shell->request.status;
	/* A request that does not end is hvkit's to keep, with all that hangs on it. */
	shell->abandoned = true;
	hvk_vmbus_abandon(hvk, ABANDON_TIMEOUT_MS);
	return status;
}

/* --- Coming up ---------------------------------------------------------------------- */

static void tell_hypervisor(struct shell *shell)
{
	const struct hvk_hypervisor_info *info = hvk_hypervisor_info(atomic_load(&shell->hvk));
	char name[5];

	memcpy(name, &info->interface_id, 4);
	name[4] = '\0';
	shell->results.hypervisor = *info;
	shell_print(shell, SHELL_STORY, "hypervisor: %s version %u.%u build %u, clock: %s\n", name,
		    info->major, info->minor, info->build,
		    info->reference_tsc       ? "reference TSC page"
		    : info->reference_counter ? "reference counter"
					      : "the port's own");
}

static void tell_versions(struct shell *shell)
{
	struct shell_results *results = &shell->results;
	struct hvk *hvk = atomic_load(&shell->hvk);
	char text[SHELL_VERSION_TEXT];
	uint32_t version;
	bool accepted;

	while (results->attempt_count < SHELL_ATTEMPTS_MAX &&
	       hvk_vmbus_attempt(hvk, results->attempt_count, &version, &accepted)) {
		results->attempts[results->attempt_count++] = (struct shell_attempt){version, accepted};
		shell_version_text(version, text);
		shell_print(shell, SHELL_STORY, "vmbus: tried %-4s %s\n", text,
			    accepted ? "accepted" : "not accepted");
	}
	results->version = hvk_vmbus_version(hvk);
	if (results->version) {
		shell_version_text(results->version, text);
		shell_print(shell, SHELL_STORY, "vmbus: connected with version %s%s\n", text,
			    shell->config.mode == HVK_VMBUS_MODE_BOOT
				    ? " (boot mode: the oldest that the host accepts)"
				    : "");
	}
}

static void channel_offered(void *context, struct hvk_channel *channel, bool again)
{
	(void)again;
	shell_services_offered(context, channel);
}

static bool connect_bus(struct shell *shell)
{
	const struct hvk_vmbus_config config = {.mode = shell->config.mode,
						.newest = shell->config.newest,
						.offered = channel_offered,
						.context = shell};
	hvk_status status;

	hvk_vmbus_connect(atomic_load(&shell->hvk), &config, shell_request(shell));
	status = shell_wait(shell);
	tell_versions(shell);
	if (status != HVK_OK) {
		shell_fail(shell, "connect to VMBus", status);
		return false;
	}
	shell_print(shell, SHELL_STORY, "devices:\n");
	shell_list_channels(shell, SHELL_STORY);
	return true;
}

static void disconnect_bus(struct shell *shell)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	hvk_status status;

	if (shell->abandoned || hvk_vmbus_state(hvk) == HVK_VMBUS_COLD)
		return;
	hvk_vmbus_disconnect(hvk, shell_request(shell));
	status = shell_wait(shell);
	if (status != HVK_OK)
		shell_fail(shell, "disconnect from VMBus", status);
	else
		shell_print(shell, SHELL_STORY, "vmbus: disconnected\n");
}

/* --- The whole life, each level inside the one before ------------------------------- */

static void with_bus(struct shell *shell)
{
	if (connect_bus(shell)) {
		shell_services_begin(shell);
		if (shell_network_up(shell)) {
			shell_disks_up(shell);
			shell_services_settle(shell);
			shell_run_lines(shell);
		}
		shell_record_channels(shell);
		shell_services_down(shell);
		shell_disks_down(shell);
		shell_network_down(shell);
	}
	disconnect_bus(shell);
}

static void with_hypervisor(struct shell *shell)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	hvk_status status = hvk_cpu_start(hvk);

	if (status != HVK_OK) {
		shell_fail(shell, "start CPU 0", status);
		return;
	}
	if (shell->platform.cpu_started)
		shell->platform.cpu_started(shell->platform.context, hvk, 0);
	if (shell_cpus_start(shell)) {
		if (shell->config.hvk.cpus > 1)
			shell_print(shell, SHELL_STORY, "cpus: %u\n", shell->config.hvk.cpus);
		with_bus(shell);
	}
	shell_cpus_stop(shell);
	status = hvk_cpu_stop(hvk);
	if (status != HVK_OK)
		shell_fail(shell, "stop CPU 0", status);
}

static void with_instance(struct shell *shell)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	hvk_status status = hvk_start(hvk);

	if (status != HVK_OK) {
		shell_fail(shell, "start on the hypervisor", status);
		return;
	}
	tell_hypervisor(shell);
	with_hypervisor(shell);
	status = hvk_stop(hvk);
	if (status != HVK_OK)
		shell_fail(shell, "leave the hypervisor", status);
}

hvk_status shell_init(struct shell *shell, const struct shell_platform *platform,
		      const struct shell_config *config)
{
	if (!platform->port || !platform->write || !platform->wait || !platform->read_line ||
	    config->hvk.cpus > HVK_CPUS_MAX)
		return HVK_EINVAL;
	memset(shell, 0, sizeof(*shell));
	shell->platform = *platform;
	shell->config = *config;
	shell->config.driver.vf = config->vf != SHELL_VF_NONE;
	if (shell->config.hvk.cpus == 0)
		shell->config.hvk.cpus = 1;
	return HVK_OK;
}

void shell_run(struct shell *shell)
{
	struct hvk *hvk;
	hvk_status status = hvk_create(shell->platform.port, &shell->config.hvk, &hvk);

	if (status != HVK_OK) {
		shell_fail(shell, "create the instance", status);
		shell_cpus_stop(shell);
		return;
	}
	atomic_store(&shell->hvk, hvk);
	with_instance(shell);
	shell_cpus_stop(shell); /* they may wait for a start that never came */
	hvk_get_counters(hvk, &shell->results.counters);
	shell->results.counters.quarantined_pages += shell->pages_withheld;
	atomic_store(&shell->hvk, NULL);
	status = hvk_destroy(hvk);
	if (status != HVK_OK)
		shell_fail(shell, "give the instance's memory back", status);
}

void shell_interrupt(struct shell *shell, uint32_t cpu)
{
	struct hvk *hvk = atomic_load(&shell->hvk);

	if (hvk)
		hvk_interrupt(hvk, cpu);
}
