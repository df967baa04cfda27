/* SPDX-License-Identifier: MIT */
/* lwIP's options for this example. The first block is what netif_hvk.c asks for. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define IP_FRAG 0 /* 1 works too, but UDP's checksums are then not left to the card */

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_DHCP 1
#define DHCP_DOES_ARP_CHECK 0

#define MEM_ALIGNMENT 8
#define MEM_SIZE (64 * 1024)
#define MEMP_NUM_TCP_SEG 64
#define PBUF_POOL_SIZE 128
#define PBUF_POOL_BUFSIZE 1536
#define TCP_MSS 1460
#define TCP_WND (44 * TCP_MSS)
#define TCP_SND_BUF (8 * TCP_MSS)

#endif
