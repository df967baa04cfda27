/* SPDX-License-Identifier: MIT */
/* Offloads: NDIS_OFFLOAD, and OFFLOAD_PARAMETERS with what they are refused for. */
#include "offload.h"

#include <stddef.h>
#include <string.h>

#include "hvkit/wire/ndis.h"
#include "hvkit/wire/nvs.h"
#include "hvkit_host/network.h"

#define TX_ALL                                                                                              \
	(NETVSP_OFFLOAD_TX_IP4 | NETVSP_OFFLOAD_TX_TCP4 | NETVSP_OFFLOAD_TX_UDP4 | NETVSP_OFFLOAD_TX_TCP6 | \
	 NETVSP_OFFLOAD_TX_UDP6)
#define RX_ALL                                                                                              \
	(NETVSP_OFFLOAD_RX_IP4 | NETVSP_OFFLOAD_RX_TCP4 | NETVSP_OFFLOAD_RX_UDP4 | NETVSP_OFFLOAD_RX_TCP6 | \
	 NETVSP_OFFLOAD_RX_UDP6)
#define LSO_ALL (NETVSP_OFFLOAD_LSO4 | NETVSP_OFFLOAD_LSO6)
#define RSC_ALL (NETVSP_OFFLOAD_RSC4 | NETVSP_OFFLOAD_RSC6)
#define UDP_ALL \
	(NETVSP_OFFLOAD_TX_UDP4 | NETVSP_OFFLOAD_TX_UDP6 | NETVSP_OFFLOAD_RX_UDP4 | NETVSP_OFFLOAD_RX_UDP6)
#define IPV6_ALL                                                                                             \
	(NETVSP_OFFLOAD_TX_TCP6 | NETVSP_OFFLOAD_TX_UDP6 | NETVSP_OFFLOAD_RX_TCP6 | NETVSP_OFFLOAD_RX_UDP6 | \
	 NETVSP_OFFLOAD_LSO6 | NETVSP_OFFLOAD_RSC6)

#define PARAMETERS_SIZE_1 20u

void netvsp_offload_begin(struct netvsp_offload *offload, uint32_t nvs, bool rsc, uint32_t without)
{
	static const struct {
		uint32_t flag, bits;
	} left_out[] = {
		{HVH_NIC_NO_TX_CHECKSUM, TX_ALL | LSO_ALL}, /* a large send includes checksums */
		{HVH_NIC_NO_RX_CHECKSUM, RX_ALL | RSC_ALL},
		{HVH_NIC_NO_LSO, LSO_ALL},
		{HVH_NIC_NO_RSC, RSC_ALL},
		{HVH_NIC_NO_IPV6, IPV6_ALL},
		{HVH_NIC_NO_UDP, UDP_ALL},
	};
	uint32_t offered = TX_ALL | RX_ALL | LSO_ALL | RSC_ALL;

	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
		if ((without & left_out[i].flag) != 0)
			offered &= ~left_out[i].bits;
	if (nvs < NVS_VERSION_5)
		offered &= ~UDP_ALL; /* Linux: none up to NVS 4 */
	if (nvs < NVS_VERSION_6_1 || !rsc)
		offered &= ~RSC_ALL;
	*offload = (struct netvsp_offload){.offered = offered,
					   .granted = offered & RX_ALL,
					   .lso_size_max = NETVSP_LSO_SIZE_MAX,
					   .lso_segments_min = NETVSP_LSO_SEGMENTS_MIN};
}

/* --- NDIS_OFFLOAD ---------------------------------------------------------------------------- */

uint32_t netvsp_offload_revision(uint32_t newest)
{
	return newest >= NVS_VERSION_5 ? 3 : newest >= NVS_VERSION_4 ? 2 : 1;
}

/* The abilities of one way and one family; ip is 0 for IPv6, whose headers have no checksum. */
static void write_checksum(uint32_t which, uint32_t ip, uint32_t tcp, uint32_t udp, uint32_t *encapsulation,
			   uint32_t *abilities)
{
	if ((which & (ip | tcp | udp)) == 0)
		return;
	*encapsulation = NDIS_ENCAPSULATION_802_3;
	*abilities = NDIS_CHECKSUM_IP_OPTIONS;
	if ((which & ip) != 0)
		*abilities |= NDIS_CHECKSUM_IP_HEADER;
	if ((which & tcp) != 0)
		*abilities |= NDIS_CHECKSUM_TCP | NDIS_CHECKSUM_TCP_OPTIONS;
	if ((which & udp) != 0)
		*abilities |= NDIS_CHECKSUM_UDP;
}

static void write_lso(const struct netvsp_offload *offload, uint32_t which, struct ndis_lso_v2_offload *lso)
{
	if ((which & NETVSP_OFFLOAD_LSO4) != 0) {
		lso->ipv4_encapsulation = NDIS_ENCAPSULATION_802_3;
		lso->ipv4_size_max = offload->lso_size_max;
		lso->ipv4_segments_min = offload->lso_segments_min;
	}
	if ((which & NETVSP_OFFLOAD_LSO6) != 0) {
		lso->ipv6_encapsulation = NDIS_ENCAPSULATION_802_3;
		lso->ipv6_size_max = offload->lso_size_max;
		lso->ipv6_segments_min = offload->lso_segments_min;
		lso->ipv6_options = NDIS_LSO_IPV6_EXTENSIONS | NDIS_LSO_IPV6_TCP_OPTIONS;
	}
}

uint32_t netvsp_offload_write(const struct netvsp_offload *offload, uint32_t which, uint32_t revision,
			      uint8_t *to, uint32_t room)
{
	static const uint16_t sizes[] = {NDIS_OFFLOAD_SIZE_1, NDIS_OFFLOAD_SIZE_2, NDIS_OFFLOAD_SIZE_3};
	struct ndis_offload object = {.header = {.type = NDIS_OBJECT_OFFLOAD}};
	struct ndis_checksum_offload *checksum = &object.checksum;

	while (revision > 0 && sizes[revision - 1] > room)
		revision--;
	if (revision == 0)
		return 0;
	object.header.revision = (uint8_t)revision;
	object.header.size = sizes[revision - 1];
	write_checksum(which, NETVSP_OFFLOAD_TX_IP4, NETVSP_OFFLOAD_TX_TCP4, NETVSP_OFFLOAD_TX_UDP4,
		       &checksum->ipv4_tx_encapsulation, &checksum->ipv4_tx);
	write_checksum(which, NETVSP_OFFLOAD_RX_IP4, NETVSP_OFFLOAD_RX_TCP4, NETVSP_OFFLOAD_RX_UDP4,
		       &checksum->ipv4_rx_encapsulation, &checksum->ipv4_rx);
	write_checksum(which, 0, NETVSP_OFFLOAD_TX_TCP6, NETVSP_OFFLOAD_TX_UDP6,
		       &checksum->ipv6_tx_encapsulation, &checksum->ipv6_tx);
	write_checksum(which, 0, NETVSP_OFFLOAD_RX_TCP6, NETVSP_OFFLOAD_RX_UDP6,
		       &checksum->ipv6_rx_encapsulation, &checksum->ipv6_rx);
	write_lso(offload, which, &object.lso_v2);
	object.rsc_ipv4 = (which & NETVSP_OFFLOAD_RSC4) != 0;
	object.rsc_ipv6 = (which & NETVSP_OFFLOAD_RSC6) != 0;
	memcpy(to, &object, object.header.size);
	return object.header.size;
}

/* --- OFFLOAD_PARAMETERS ------------------------------------------------------------------------ */

static const char *check_header(const struct ndis_object_header *header, uint32_t length, uint32_t *value)
{
	/* Linux below NVS 5 sends revision 3 in 22 bytes. */
	uint32_t least = header->revision == 1 ? PARAMETERS_SIZE_1 : NDIS_OFFLOAD_PARAMETERS_SIZE_2;

	*value = header->type;
	if (header->type != NDIS_OBJECT_DEFAULT)
		return "offload parameters: type of the object, 0x80 would be right";
	*value = header->revision;
	if (header->revision == 0)
		return "offload parameters of revision 0";
	*value = header->size;
	if (header->size < least || header->size > length)
		return "offload parameters: size of the object: 20, 22 or 28 by its revision, and all of it "
		       "sent";
	if (header->size > NDIS_OFFLOAD_PARAMETERS_SIZE_2 && header->size < NDIS_OFFLOAD_PARAMETERS_SIZE_3)
		return "offload parameters: size of the object between those of two revisions";
	return NULL;
}

/* One of the checksum fields: tx and rx are what it is about. */
static const char *set_checksum(const struct netvsp_offload *offload, uint8_t parameter, uint32_t tx,
				uint32_t rx, uint32_t *granted, uint32_t *value)
{
	uint32_t wanted;

	*value = parameter;
	if (parameter > NDIS_PARAMETER_TX_RX)
		return "offload parameters: a checksum's is 0 to 4";
	if (parameter == NDIS_PARAMETER_NO_CHANGE)
		return NULL;
	wanted = parameter == NDIS_PARAMETER_TX      ? tx
		 : parameter == NDIS_PARAMETER_RX    ? rx
		 : parameter == NDIS_PARAMETER_TX_RX ? tx | rx
						     : 0;
	/* Linux looks at the transmit ability alone, and asks for both. */
	if (wanted != 0 && (wanted & offload->offered) == 0)
		return "offload parameters ask for a checksum that NDIS_OFFLOAD does not have";
	*granted = (*granted & ~(tx | rx)) | (wanted & offload->offered);
	return NULL;
}

static const char *set_switch(const struct netvsp_offload *offload, uint8_t parameter, uint32_t bit,
			      uint32_t *granted, uint32_t *value)
{
	*value = parameter;
	if (parameter > NDIS_PARAMETER_ON)
		return "offload parameters: a large send's or RSC's is 0 to 2";
	if (parameter == NDIS_PARAMETER_NO_CHANGE)
		return NULL;
	if (parameter == NDIS_PARAMETER_ON && (offload->offered & bit) == 0)
		return "offload parameters turn on what NDIS_OFFLOAD does not have";
	*granted = parameter == NDIS_PARAMETER_ON ? *granted | bit : *granted & ~bit;
	return NULL;
}

/* What this card never has: version 1 of large sends, IPsec, whole connections, tunnels. */
static const char *check_rest(const struct ndis_offload_parameters *parameters, uint32_t *value)
{
	const uint8_t rest[] = {parameters->lso_v1,          parameters->ipsec_v1,
				parameters->tcp4_connection, parameters->tcp6_connection,
				parameters->ipsec_v2,        parameters->ipsec_v2_ipv4,
				parameters->encapsulated};

	for (size_t i = 0; i < sizeof rest; i++) {
		*value = rest[i];
		if (rest[i] > NDIS_PARAMETER_OFF)
			return "offload parameters turn on LSOv1, IPsec, connections or tunnels, which are "
			       "not there";
	}
	return NULL;
}

const char *netvsp_offload_set(struct netvsp_offload *offload, const uint8_t *parameters, uint32_t length,
			       uint32_t *value)
{
	struct ndis_offload_parameters wanted = {0};
	uint32_t granted = offload->granted;
	const char *fault;

	*value = length;
	if (length < PARAMETERS_SIZE_1)
		return "offload parameters of fewer than 20 bytes";
	memcpy(&wanted.header, parameters, sizeof wanted.header);
	fault = check_header(&wanted.header, length, value);
	if (fault != NULL)
		return fault;
	memcpy(&wanted, parameters, wanted.header.size < sizeof wanted ? wanted.header.size : sizeof wanted);
	fault = check_rest(&wanted, value);
	if (fault == NULL)
		fault = set_checksum(offload, wanted.ipv4_checksum, NETVSP_OFFLOAD_TX_IP4,
				     NETVSP_OFFLOAD_RX_IP4, &granted, value);
	if (fault == NULL)
		fault = set_checksum(offload, wanted.tcp4_checksum, NETVSP_OFFLOAD_TX_TCP4,
				     NETVSP_OFFLOAD_RX_TCP4, &granted, value);
	if (fault == NULL)
		fault = set_checksum(offload, wanted.udp4_checksum, NETVSP_OFFLOAD_TX_UDP4,
				     NETVSP_OFFLOAD_RX_UDP4, &granted, value);
	if (fault == NULL)
		fault = set_checksum(offload, wanted.tcp6_checksum, NETVSP_OFFLOAD_TX_TCP6,
				     NETVSP_OFFLOAD_RX_TCP6, &granted, value);
	if (fault == NULL)
		fault = set_checksum(offload, wanted.udp6_checksum, NETVSP_OFFLOAD_TX_UDP6,
				     NETVSP_OFFLOAD_RX_UDP6, &granted, value);
	if (fault == NULL)
		fault = set_switch(offload, wanted.lso_v2_ipv4, NETVSP_OFFLOAD_LSO4, &granted, value);
	if (fault == NULL)
		fault = set_switch(offload, wanted.lso_v2_ipv6, NETVSP_OFFLOAD_LSO6, &granted, value);
	if (fault == NULL)
		fault = set_switch(offload, wanted.rsc_ipv4, NETVSP_OFFLOAD_RSC4, &granted, value);
	if (fault == NULL)
		fault = set_switch(offload, wanted.rsc_ipv6, NETVSP_OFFLOAD_RSC6, &granted, value);
	if (fault == NULL)
		offload->granted = granted;
	return fault;
}
