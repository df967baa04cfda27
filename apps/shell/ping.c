/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "apps/shell/private.h"
#include "lwip/icmp.h"
#include "lwip/inet_chksum.h"
#include "lwip/raw.h"

#define PING_COUNT 4u
#define PING_COUNT_MAX 65535u /* sequence numbers */
#define PING_INTERVAL_MS 1000u
#define PING_DATA 56u

struct ping {
	struct shell *shell;
	struct raw_pcb *pcb;
	ip_addr_t target;
	uint16_t id, sequence;
	bool answered; /* the one with this sequence number */
	uint64_t sent_at, took;
	uint32_t sent, received;
};

static u8_t ping_input(void *context, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
	struct ping *ping = context;
	struct icmp_echo_hdr echo;
	struct ip_hdr header;
	u16_t offset;

	(void)pcb;
	if (!ip_addr_cmp(from, &ping->target) ||
	    pbuf_copy_partial(p, &header, sizeof(header), 0) != sizeof(header))
		return 0;
	offset = IPH_HL_BYTES(&header);
	if (pbuf_copy_partial(p, &echo, sizeof(echo), offset) != sizeof(echo) || echo.type != ICMP_ER ||
	    echo.id != ping->id || echo.seqno != lwip_htons(ping->sequence) || ping->answered)
		return 0;
	ping->answered = true;
	ping->took = hvk_time(atomic_load(&ping->shell->hvk)) - ping->sent_at;
	pbuf_free(p);
	return 1;
}

static bool ping_send(struct ping *ping)
{
	struct pbuf *p = pbuf_alloc(PBUF_IP, sizeof(struct icmp_echo_hdr) + PING_DATA, PBUF_RAM);
	struct icmp_echo_hdr *echo;
	err_t error;

	if (!p)
		return false;
	echo = p->payload;
	memset(echo, 0, sizeof(*echo));
	ICMPH_TYPE_SET(echo, ICMP_ECHO);
	echo->id = ping->id;
	echo->seqno = lwip_htons(ping->sequence);
	for (uint8_t i = 0; i < PING_DATA; i++)
		((uint8_t *)(echo + 1))[i] = i;
	echo->chksum = inet_chksum(echo, p->len);
	ping->answered = false;
	ping->sent_at = hvk_time(atomic_load(&ping->shell->hvk));
	error = raw_sendto(ping->pcb, p, &ping->target);
	pbuf_free(p);
	return error == ERR_OK;
}

static void ping_once(struct ping *ping, const char *address)
{
	struct shell *shell = ping->shell;
	struct hvk *hvk = atomic_load(&shell->hvk);
	uint64_t limit;

	ping->sequence++;
	ping->sent++;
	if (!ping_send(ping)) {
		shell_print(shell, SHELL_OUTPUT, "%s: number %u could not be sent\n", address,
			    ping->sequence);
		ping->answered = false;
	}
	limit = ping->sent_at + PING_INTERVAL_MS * HVK_TIME_PER_MS;
	while (!ping->answered && hvk_time(hvk) < limit && !shell_cannot_go_on(shell))
		shell_turn(shell, limit);
	if (ping->answered) {
		ping->received++;
		shell_print(shell, SHELL_OUTPUT, "%s: number %u answered after %llu.%03llu ms\n", address,
			    ping->sequence, (unsigned long long)(ping->took / HVK_TIME_PER_MS),
			    (unsigned long long)(ping->took % HVK_TIME_PER_MS / 10));
	} else if (!atomic_load(&shell->cancelled)) {
		shell_print(shell, SHELL_OUTPUT, "%s: number %u not answered\n", address, ping->sequence);
	}
}

static void ping_pause(struct ping *ping)
{
	uint64_t limit = ping->sent_at + PING_INTERVAL_MS * HVK_TIME_PER_MS;

	while (hvk_time(atomic_load(&ping->shell->hvk)) < limit && !shell_cannot_go_on(ping->shell))
		shell_turn(ping->shell, limit);
}

static bool parse_count(const char *text, uint32_t *count)
{
	uint32_t value = 0;

	for (; *text >= '0' && *text <= '9' && value <= PING_COUNT_MAX; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	*count = value;
	return !*text && value >= 1 && value <= PING_COUNT_MAX;
}

int shell_command_ping(struct shell *shell, uint32_t count, char *const words[])
{
	struct ping ping = {.shell = shell};
	char address[IP4ADDR_STRLEN_MAX];
	uint32_t wanted = PING_COUNT;
	const char *wrong;

	if (count < 2 || count > 3)
		return shell_usage(shell, "ping needs a host, and may have a count: ping HOST [COUNT]\n");
	if (count == 3 && !parse_count(words[2], &wanted))
		return shell_usage(shell, "ping: the count must be 1 to %u, not '%.20s'\n", PING_COUNT_MAX,
				   words[2]);
	wrong = shell_cannot_go_on(shell);
	if (!wrong)
		wrong = shell_resolve(shell, words[1], ip_2_ip4(&ping.target));
	if (wrong)
		return shell_error(shell, "ping %.253s: %s\n", words[1], wrong);
	ping.pcb = raw_new(IP_PROTO_ICMP);
	if (!ping.pcb)
		return shell_error(shell, "ping: lwIP is out of memory\n");
	raw_recv(ping.pcb, ping_input, &ping);
	ping.id = (uint16_t)net_lwip_random();
	ip4addr_ntoa_r(ip_2_ip4(&ping.target), address, sizeof(address));
	while (ping.sent < wanted && !shell_cannot_go_on(shell)) {
		if (ping.sent)
			ping_pause(&ping);
		if (!shell_cannot_go_on(shell))
			ping_once(&ping, address);
	}
	raw_remove(ping.pcb);
	shell_print(shell, SHELL_OUTPUT, "%u sent, %u answered\n", ping.sent, ping.received);
	wrong = shell_cannot_go_on(shell);
	if (wrong)
		return shell_error(shell, "ping %s: %s\n", address, wrong);
	return ping.received ? SHELL_OK : SHELL_FAILED;
}
