/* SPDX-License-Identifier: MIT */
/* Tries the driver: messages and answers, the device taken away in the middle and given
 * back, an orderly end. The port is that of ../minimal. */
#include <stdio.h>
#include <string.h>

#include "../minimal/minimal.h"
#include "echo_driver.h"
#include "hvkit_host/echo.h"

#define MESSAGES 3u

struct kernel {
	struct hvk *hvk;
	struct hvk_request request;
	struct hvk_channel *offer; /* NULL while there is none */
	struct echo_driver driver;
	uint32_t answers, given_up;
	bool closed;
};

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct kernel *k = context;

	(void)again;
	if (echo_is_mine(hvk_channel_offer(channel)))
		k->offer = channel;
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct kernel *k = context;

	if (channel == k->offer)
		k->offer = NULL;
}

static void answered(void *context, void *cookie, const void *bytes, uint32_t length)
{
	struct kernel *k = context;

	if (!bytes) {
		printf("given up   %s\n", (const char *)cookie);
		k->given_up++;
		return;
	}
	printf("answer     %.*s\n", (int)(length - sizeof(struct hvh_echo_header)),
	       (const char *)bytes + sizeof(struct hvh_echo_header));
	if (strcmp(cookie, (const char *)bytes + sizeof(struct hvh_echo_header)) == 0)
		k->answers++;
}

static void closed(void *context)
{
	((struct kernel *)context)->closed = true;
}

static bool step(const char *what, hvk_status status)
{
	printf("%-10s %s\n", what, hvk_status_text(status));
	return status == HVK_OK;
}

static bool finished(struct kernel *k, const char *what)
{
	return step(what, hvk_wait(k->hvk, &k->request, 60000));
}

/* A while of the main loop. */
static void run(struct kernel *k)
{
	for (int i = 0; i < 100; i++) {
		struct hvk_request nothing = {.status = HVK_EINPROGRESS};

		(void)hvk_wait(k->hvk, &nothing, 1);
	}
}

static bool say(struct kernel *k, uint32_t operation, const char *text)
{
	uint8_t message[64] = {0};
	struct hvh_echo_header header = {operation, 0};

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), text, strlen(text) + 1);
	return echo_send(&k->driver, message, (uint32_t)(sizeof(header) + strlen(text) + 1), (void *)text) ==
	       HVK_OK;
}

static bool open_device(struct kernel *k)
{
	k->driver = (struct echo_driver){.answered = answered, .closed = closed, .context = k};
	k->closed = false;
	return k->offer && step("claim", echo_open(&k->driver, k->offer, &k->request)) && finished(k, "open");
}

static bool use_device(struct kernel *k, struct machine *m)
{
	static const char *const texts[MESSAGES] = {"one", "two", "three"};

	if (!open_device(k))
		return false;
	for (uint32_t i = 0; i < MESSAGES; i++)
		(void)say(k, HVH_ECHO, texts[i]);
	run(k);
	if (k->answers != MESSAGES)
		return false;
	/* One that is never answered, and then the host takes the device away. */
	if (!say(k, HVH_ECHO_IGNORE, "four") || !hvh_device_rescind(m->hyperv, hyperv_now(m), "echo0"))
		return false;
	run(k);
	printf("rescinded  closed: %s, offer: %s\n", k->closed ? "yes" : "no",
	       k->offer ? "still there" : "gone");
	if (!k->closed || k->offer || k->given_up != 1 ||
	    !hvh_device_offer(m->hyperv, hyperv_now(m), "echo0"))
		return false;
	run(k);
	if (!open_device(k) || !say(k, HVH_ECHO, "five"))
		return false;
	run(k);
	echo_close(&k->driver);
	return hvk_wait(k->hvk, &k->driver.closing, 60000) == HVK_OK && k->answers == MESSAGES + 1;
}

int main(void)
{
	struct hvh_echo_config device = {0};
	struct hvk_config config = {0};
	struct kernel k = {0};
	struct hvk_vmbus_config bus = {.offered = offered, .gone = gone, .context = &k};
	struct machine m;
	struct hvk_port port;
	bool ok;

	if (!hyperv_power_on(&m, "ws2022") || !hvh_echo_create(m.hyperv, &device))
		return 2;
	machine_port(&m, &port);
	if (hvk_create(&port, &config, &k.hvk) != HVK_OK || !step("start", hvk_start(k.hvk)) ||
	    !step("cpu start", hvk_cpu_start(k.hvk)))
		return 1;
	hvk_vmbus_connect(k.hvk, &bus, &k.request);
	ok = finished(&k, "connect") && use_device(&k, &m);
	hvk_vmbus_disconnect(k.hvk, &k.request);
	ok &= finished(&k, "disconnect");
	ok &= step("cpu stop", hvk_cpu_stop(k.hvk)) && step("stop", hvk_stop(k.hvk));
	(void)hvk_destroy(k.hvk);
	return hyperv_power_off(&m) && ok ? 0 : 1;
}
