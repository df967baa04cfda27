/* SPDX-License-Identifier: MIT */
/* TFTP: our client (apps/net/tftp.h) over lwIP's UDP. */
#include "apps/net/fetch.h"
#include "apps/net/tftp.h"
#include "lwip/udp.h"

#define PACKET_BYTES 2048u
#define HEADERS_BYTES (20u + 8u + TFTP_HEADER) /* IP, UDP, TFTP: a block fills one frame */

struct tftp_transfer {
	struct net_transfer *transfer;
	struct udp_pcb *pcb;
	struct tftp tftp;
	uint8_t packet[PACKET_BYTES]; /* the one that came, in one piece */
};

static uint64_t now_ms(struct net_transfer *transfer)
{
	return transfer->user->time(transfer->user->context) / HVK_TIME_PER_MS;
}

static void send(void *context, uint16_t port, const void *packet, uint32_t length)
{
	struct tftp_transfer *self = context;
	struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)length, PBUF_RAM);
	ip_addr_t address;

	if (!p)
		return; /* as if the network had lost it: it is sent again */
	ip_addr_copy_from_ip4(address, self->transfer->address);
	pbuf_take(p, packet, (u16_t)length);
	udp_sendto(self->pcb, p, &address, port);
	pbuf_free(p);
}

static void take_data(void *context, const void *bytes, uint32_t length)
{
	struct tftp_transfer *self = context;

	/* The option's answer is never later than the first block. */
	self->transfer->size_known = self->tftp.size_known;
	self->transfer->size = self->tftp.size;
	net_transfer_add(self->transfer, bytes, length);
}

static void input(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
	struct tftp_transfer *self = context;

	(void)pcb;
	if (ip4_addr_cmp(ip_2_ip4(from), &self->transfer->address) && p->tot_len <= sizeof(self->packet)) {
		pbuf_copy_partial(p, self->packet, p->tot_len, 0);
		tftp_input(&self->tftp, port, self->packet, p->tot_len, now_ms(self->transfer));
	}
	pbuf_free(p);
}

static void run(struct tftp_transfer *self)
{
	struct net_transfer *transfer = self->transfer;
	struct net_user *user = transfer->user;

	while (!tftp_finished(&self->tftp)) {
		const char *missing = transfer->failed ? transfer->error : user->missing(user->context);

		if (missing)
			tftp_cancel(&self->tftp, missing);
		user->turn(user->context, self->tftp.deadline_ms * HVK_TIME_PER_MS);
		tftp_run(&self->tftp, now_ms(transfer));
		if (transfer->turned)
			transfer->turned(transfer);
	}
	if (self->tftp.state == TFTP_FAILED)
		net_transfer_fail(transfer, "%s%s", self->tftp.timed_out ? "timed out: " : "",
				  self->tftp.error);
}

void net_fetch_tftp(struct net_transfer *transfer)
{
	struct tftp_transfer self = {.transfer = transfer};
	uint32_t mtu = transfer->user->netif->mtu;
	struct tftp_config config = {.file = transfer->url->path,
				     .server_port = transfer->url->port,
				     .send = send,
				     .data = take_data,
				     .context = &self};

	config.block_size = (uint16_t)((mtu < PACKET_BYTES ? mtu : PACKET_BYTES) - HEADERS_BYTES);
	self.pcb = udp_new();
	if (!self.pcb || udp_bind(self.pcb, IP_ANY_TYPE, 0) != ERR_OK) {
		if (self.pcb)
			udp_remove(self.pcb);
		net_transfer_fail(transfer, "lwIP is out of memory");
		return;
	}
	udp_recv(self.pcb, input, &self);
	tftp_start(&self.tftp, &config, now_ms(transfer));
	run(&self);
	udp_remove(self.pcb);
}
