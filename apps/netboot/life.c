/* SPDX-License-Identifier: MIT */
/* From the hypervisor to the script, and the way back if there is nothing to start. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/netboot/netboot.h"
#include "hvkit/version.h"

#define REQUEST_TURN_MS 50u
#define REQUEST_TIMEOUT_MS 120000u /* each has a bound of its own, well below */
#define ABANDON_TIMEOUT_MS 5000u

/* --- Helpers of all ------------------------------------------------------------------------------ */

const char *netboot_wrong(struct netboot *self, const char *format, ...)
{
	char text[NETBOOT_ERROR_MAX]; /* an argument may be the last error */
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	memcpy(self->error, text, sizeof(text));
	return self->error;
}

const char *netboot_failed(struct netboot *self, hvk_status status, const char *format, ...)
{
	char what[160];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return netboot_wrong(self, "%s: %s: %s", what, hvk_status_name(status), hvk_status_text(status));
}

struct hvk_request *netboot_request(struct netboot *self)
{
	memset(&self->request, 0, sizeof(self->request));
	return &self->request;
}

bool netboot_turn(struct netboot *self)
{
	bool more = hvk_poll(self->hvk, 0);

	if (netboot_network_turn(self))
		more = true;
	if (!more)
		self->platform.port->pause(self->platform.port->context);
	return more;
}

hvk_status netboot_wait(struct netboot *self)
{
	uint64_t limit = hvk_time(self->hvk) + REQUEST_TIMEOUT_MS * HVK_TIME_PER_MS;

	do {
		(void)hvk_wait(self->hvk, &self->request, REQUEST_TURN_MS);
		if (self->request.status != HVK_EINPROGRESS)
			return self->request.status;
		(void)netboot_turn(self); /* the stack gives back frames of a card that is detached */
	} while (hvk_time(self->hvk) < limit);
	self->abandoned = true;
	(void)hvk_vmbus_abandon(self->hvk, ABANDON_TIMEOUT_MS);
	return HVK_ETIMEDOUT;
}

struct hvk_channel *netboot_channel(struct netboot *self, const struct vmbus_guid *type, uint32_t n)
{
	struct hvk_channel *channel = NULL;

	for (uint32_t i = 0; i < VMBUS_MAX_CHANNELS; i++) {
		const struct hvk_offer *offer;

		channel = hvk_vmbus_next_channel(self->hvk, channel);
		if (!channel)
			return NULL;
		offer = hvk_channel_offer(channel);
		if (offer->subchannel_index == 0 && !hvk_channel_rescinded(channel) &&
		    memcmp(&offer->type, type, sizeof(*type)) == 0 && n-- == 0)
			return channel;
	}
	return NULL;
}

/* --- The script ---------------------------------------------------------------------------------- */

static void echo(void *context, const char *text)
{
	netboot_print(context, "%s\n", text);
}

static const char *dhcp(void *context)
{
	return netboot_network_up(context);
}

static const char *find_script(struct netboot *self)
{
	const char *name = self->options.script, *wrong;
	char error[SCRIPT_ERROR_MAX];

	if (self->options.statements)
		return script_parse(&self->script, self->options.statements, strlen(self->options.statements),
				    true, error)
			       ? NULL
			       : netboot_wrong(self, "the command line's script, %s", error);
	if (!name[0]) {
		wrong = netboot_network_up(self);
		if (wrong)
			return wrong;
		name = script_get(&self->variables, "filename");
		if (!name)
			return "DHCP names no boot file, and the command line no script=";
	}
	return netboot_load_script(self, name);
}

static int run_script(struct netboot *self)
{
	const struct script_ops ops = {.context = self,
				       .echo = echo,
				       .dhcp = dhcp,
				       .kernel = netboot_kernel,
				       .initrd = netboot_initrd,
				       .check_sum = netboot_check_sum,
				       .choose = netboot_choose,
				       .boot = netboot_boot};
	const char *wrong = find_script(self);

	if (wrong) {
		netboot_print(self, "netboot: %s\n", wrong);
		return NETBOOT_FAILED;
	}
	switch (script_execute(&self->script, &self->variables, &ops, &self->run)) {
	case SCRIPT_FAILED:
		netboot_print(self, "netboot: script, %s\n", self->run.error);
		return NETBOOT_FAILED;
	case SCRIPT_AT_END:
		netboot_print(self, "netboot: the script has ended without boot\n");
		return NETBOOT_FAILED;
	default:
		return NETBOOT_OK;
	}
}

/* --- Levels, each inside the one before ---------------------------------------------------------- */

static int fail(struct netboot *self, const char *what, hvk_status status)
{
	netboot_print(self, "netboot: %s\n", netboot_failed(self, status, "%s", what));
	return NETBOOT_FAILED;
}

/* What boot has not given back already. */
static int with_bus(struct netboot *self)
{
	const struct hvk_vmbus_config config = {.mode = HVK_VMBUS_MODE_BOOT};
	hvk_status status;
	int result;

	hvk_vmbus_connect(self->hvk, &config, netboot_request(self));
	status = netboot_wait(self);
	if (status != HVK_OK)
		return fail(self, "connect to VMBus", status);
	netboot_keyboard_attach(self);
	result = run_script(self);
	if (!self->hvk || self->abandoned)
		return result;
	netboot_detach(self);
	if (self->abandoned)
		return result;
	hvk_vmbus_disconnect(self->hvk, netboot_request(self));
	status = netboot_wait(self);
	return status == HVK_OK ? result : fail(self, "disconnect from VMBus", status);
}

static int with_hypervisor(struct netboot *self)
{
	hvk_status status = hvk_start(self->hvk);
	int result;

	if (status != HVK_OK)
		return fail(self, "start on the hypervisor", status);
	self->started = hvk_time(self->hvk);
	status = hvk_cpu_start(self->hvk);
	if (status != HVK_OK) {
		result = fail(self, "start the CPU", status);
	} else {
		result = with_bus(self);
		if (self->hvk)
			(void)hvk_cpu_stop(self->hvk);
	}
	if (self->hvk)
		(void)hvk_stop(self->hvk);
	return result;
}

/* Whoever reads this at a screen has until then, or until a key at the serial port. */
static void wait_for_reader(struct netboot *self)
{
	const struct hvk_port *port = self->platform.port;
	uint64_t pauses = self->options.wait_s * 1000000000ull / port->pause_ns;

	if (pauses)
		netboot_print(self, "netboot: ends in %u s, or by a key at the serial port\n",
			      self->options.wait_s);
	while (pauses-- > 0 && self->platform.read(self->platform.context) < 0)
		port->pause(port->context);
}

int netboot_run(struct netboot *self, const struct netboot_platform *platform, const char *command_line)
{
	struct hvk_config config = {.cpus = 1, .vector = platform->vector};
	char error[OPTIONS_ERROR_MAX], size[16];
	hvk_status status;
	int result;

	memset(self, 0, sizeof(*self));
	self->platform = *platform;
	netboot_size(platform->files.length, size);
	netboot_print(self, "hvkit-netboot %s: room for %s\n", HVKIT_VERSION, size);
	if (!netboot_options_parse(&self->options, command_line, error)) {
		netboot_print(self, "netboot: %s\n", error);
		return NETBOOT_USAGE;
	}
	config.log_level = (enum hvk_log_level)self->options.log_level;
	status = hvk_create(platform->port, &config, &self->hvk);
	if (status != HVK_OK)
		return fail(self, "create the instance", status);
	result = with_hypervisor(self);
	if (self->lwip_started)
		net_lwip_stop();
	if (self->hvk)
		(void)hvk_destroy(self->hvk);
	self->hvk = NULL;
	if (result != NETBOOT_OK)
		wait_for_reader(self);
	return result;
}
