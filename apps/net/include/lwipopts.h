/* SPDX-License-Identifier: MIT */
/*
 * lwIP's options for hvkit: one CPU calls it, from the shell's main loop, with no
 * operating system below; everything comes from arrays of its own.
 */
#ifndef NET_LWIPOPTS_H
#define NET_LWIPOPTS_H

/* No threads, no locks: only the CPU that runs the shell enters lwIP. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_TIMERS 1

/* What we speak. */
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ETHERNET 1
#define LWIP_ICMP 1
#define LWIP_RAW 1
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_IGMP 0
#define LWIP_AUTOIP 0
#define LWIP_ALTCP 0
/* Nothing here sends datagrams longer than a frame; so the device can sum UDP up. */
#define IP_FRAG 0

/* Memory: static, so that it works in a kernel image too. */
#define MEM_ALIGNMENT 8
#define MEM_LIBC_MALLOC 0
#define MEMP_MEM_MALLOC 0
#define MEM_SIZE (256 * 1024)
#define MEMP_NUM_PBUF 64
#define MEMP_NUM_TCP_PCB 8
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG 512
#define MEMP_NUM_UDP_PCB 6
#define MEMP_NUM_RAW_PCB 2
/* One received frame is one buffer. The pool holds the largest window twice over. */
#define PBUF_POOL_BUFSIZE 1536
#define PBUF_POOL_SIZE 512

/* Of lwIP's own statistics only what shows a leak. */
#define LWIP_STATS 1
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define IPFRAG_STATS 0
#define ICMP_STATS 0
#define UDP_STATS 0
#define TCP_STATS 0
#define SYS_STATS 0
#define MEM_STATS 1
#define MEMP_STATS 1

/* A download is bounded by window / round trip: 256 KiB, scaled. */
#define TCP_MSS 8960 /* the most, of an MTU of 9000; less by the interface's */
#define TCP_WND (256 * 1024)
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_SND_BUF (32 * 1024)
#define TCP_SND_QUEUELEN 64
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_PBUFS 256
#define TCP_OVERSIZE 1460
#define LWIP_TCP_TIMESTAMPS 0

/* The lease is the server's word; asking ARP as well would cost a second. */
#define DHCP_DOES_ARP_CHECK 0
#define LWIP_DHCP_MAX_DNS_SERVERS 2
/* What to boot, for those who ask: net_lwip_port.boot. */
#define LWIP_DHCP_BOOTP_FILE 1
#define DHCP_OPTIONS_LEN 128
#define LWIP_HOOK_FILENAME "lwip_hooks.h"
#define DNS_MAX_SERVERS 2
#define DNS_MAX_NAME_LENGTH 256
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_LINK_CALLBACK 1
#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NETIF_TX_SINGLE_PBUF 0
/* Checksums are made and checked here unless the card says otherwise; received frames may lie in
 * memory of its own. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define LWIP_CHECKSUM_ON_COPY 1
#define LWIP_CHKSUM_ALGORITHM 3

#define HTTPC_CLIENT_AGENT "hvkit"

#endif
