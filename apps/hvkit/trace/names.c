/* SPDX-License-Identifier: MIT */
/* Names of values. Where wire/ has no constant the number stands here, with its source. */
#include <string.h>

#include "apps/hvkit/trace/tables.h"
#include "hvkit/wire/guids.h"
#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/ndis.h"
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/ring.h"
#include "hvkit/wire/rndis.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/echo.h"
#include "hvkit_host/trace.h"

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))
#define NAMES(variable, id) const struct trace_names trace_##variable = {id, variable, COUNT(variable)}

static const struct trace_name kind_names[] = {
	{HVH_TRACE_MSR_WRITE, "msr-write"}, {HVH_TRACE_MSR_READ, "msr-read"},
	{HVH_TRACE_HYPERCALL, "hypercall"}, {HVH_TRACE_MESSAGE, "message"},
	{HVH_TRACE_SIGNAL, "signal"},       {HVH_TRACE_EVENT, "event"},
	{HVH_TRACE_INTERRUPT, "interrupt"}, {HVH_TRACE_PACKET, "packet"},
	{HVH_TRACE_VIOLATION, "violation"}, {HVH_TRACE_NOTE, "note"},
};
NAMES(kind_names, "kind");

/* The last four: TLFS; guests of other makers use them. */
static const struct trace_name hypercall_names[] = {
	{HV_CALL_POST_MESSAGE, "post-message"}, {HV_CALL_SIGNAL_EVENT, "signal-event"},
	{0x0008, "notify-long-spin-wait"},      {0x000b, "send-synthetic-cluster-ipi"},
	{0x0050, "get-vp-registers"},           {0x0051, "set-vp-registers"},
};
NAMES(hypercall_names, "hypercall");

static const struct trace_name hv_status_names[] = {
	{HV_STATUS_SUCCESS, "success"},
	{HV_STATUS_INVALID_HYPERCALL_CODE, "invalid-hypercall-code"},
	{HV_STATUS_INVALID_HYPERCALL_INPUT, "invalid-hypercall-input"},
	{HV_STATUS_INVALID_ALIGNMENT, "invalid-alignment"},
	{HV_STATUS_INVALID_PARAMETER, "invalid-parameter"},
	{HV_STATUS_ACCESS_DENIED, "access-denied"},
	{HV_STATUS_INSUFFICIENT_MEMORY, "insufficient-memory"},
	{HV_STATUS_INVALID_VP_INDEX, "invalid-vp-index"},
	{HV_STATUS_INVALID_PORT_ID, "invalid-port-id"},
	{HV_STATUS_INVALID_CONNECTION_ID, "invalid-connection-id"},
	{HV_STATUS_INSUFFICIENT_BUFFERS, "insufficient-buffers"},
	{HV_STATUS_INVALID_SYNIC_STATE, "invalid-synic-state"},
	{HV_STATUS_TIMEOUT, "timeout"},
};
NAMES(hv_status_names, "hv_status");

static const struct trace_name packet_names[] = {
	{VMBUS_PACKET_IN_BAND, "in-band"},       {VMBUS_PACKET_TRANSFER_PAGES, "transfer-pages"},
	{VMBUS_PACKET_GPA_DIRECT, "gpa-direct"}, {VMBUS_PACKET_CANCELLATION, "cancellation"},
	{VMBUS_PACKET_COMPLETION, "completion"},
};
NAMES(packet_names, "packet");

static const struct trace_name nvs_status_names[] = {
	{NVS_STATUS_NONE, "none"},
	{NVS_STATUS_SUCCESS, "success"},
	{NVS_STATUS_FAILURE, "failure"},
	{NVS_STATUS_VERSION_TOO_NEW, "version-too-new"},
	{NVS_STATUS_VERSION_TOO_OLD, "version-too-old"},
};
NAMES(nvs_status_names, "nvs_status");

static const struct trace_name nvs_version_names[] = {
	{NVS_VERSION_1, "1"}, {NVS_VERSION_2, "2"}, {NVS_VERSION_4, "4"},
	{NVS_VERSION_5, "5"}, {NVS_VERSION_6, "6"}, {NVS_VERSION_6_1, "6.1"},
};
NAMES(nvs_version_names, "nvs_version");

static const struct trace_name nvs_channel_names[] = {
	{NVS_CHANNEL_DATA, "data"},
	{NVS_CHANNEL_CONTROL, "control"},
};
NAMES(nvs_channel_names, "nvs_channel");

static const struct trace_name nvs_capability_bits[] = {
	{NVS_NDIS_CAPABILITY_SRIOV, "sriov"},
	{NVS_NDIS_CAPABILITY_VLAN, "vlan"},
	{NVS_NDIS_CAPABILITY_TEAMING, "teaming"},
	{NVS_NDIS_CAPABILITY_RSC, "rsc"},
};
NAMES(nvs_capability_bits, "nvs_capability");

static const struct trace_name data_path_names[] = {{0, "synthetic"}, {1, "vf"}};
NAMES(data_path_names, "data_path");

static const struct trace_name rndis_status_names[] = {
	{RNDIS_STATUS_SUCCESS, "success"},
	{0x00000103, "pending"}, /* FreeBSD */
	{RNDIS_STATUS_MEDIA_CONNECT, "media-connect"},
	{RNDIS_STATUS_MEDIA_DISCONNECT, "media-disconnect"},
	{RNDIS_STATUS_LINK_SPEED_CHANGE, "link-speed-change"},
	{RNDIS_STATUS_NETWORK_CHANGE, "network-change"},
	{RNDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG, "task-offload-current-config"},
	{RNDIS_STATUS_FAILURE, "failure"},
	{RNDIS_STATUS_NOT_SUPPORTED, "not-supported"},
	{RNDIS_STATUS_RESOURCES, "resources"},
	{RNDIS_STATUS_BAD_VERSION, "bad-version"},
	{RNDIS_STATUS_INVALID_DATA, "invalid-data"},
};
NAMES(rndis_status_names, "rndis_status");

/* Numbers without a constant: MS-RNDIS and the NDIS object identifiers. */
static const struct trace_name oid_names[] = {
	{RNDIS_OID_GEN_SUPPORTED_LIST, "OID_GEN_SUPPORTED_LIST"},
	{RNDIS_OID_GEN_HARDWARE_STATUS, "OID_GEN_HARDWARE_STATUS"},
	{RNDIS_OID_GEN_MEDIA_SUPPORTED, "OID_GEN_MEDIA_SUPPORTED"},
	{RNDIS_OID_GEN_MEDIA_IN_USE, "OID_GEN_MEDIA_IN_USE"},
	{0x00010105, "OID_GEN_MAXIMUM_LOOKAHEAD"},
	{RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE, "OID_GEN_MAXIMUM_FRAME_SIZE"},
	{RNDIS_OID_GEN_LINK_SPEED, "OID_GEN_LINK_SPEED"},
	{0x00010108, "OID_GEN_TRANSMIT_BUFFER_SPACE"},
	{0x00010109, "OID_GEN_RECEIVE_BUFFER_SPACE"},
	{0x0001010a, "OID_GEN_TRANSMIT_BLOCK_SIZE"},
	{0x0001010b, "OID_GEN_RECEIVE_BLOCK_SIZE"},
	{0x0001010c, "OID_GEN_VENDOR_ID"},
	{RNDIS_OID_GEN_VENDOR_DESCRIPTION, "OID_GEN_VENDOR_DESCRIPTION"},
	{RNDIS_OID_GEN_CURRENT_PACKET_FILTER, "OID_GEN_CURRENT_PACKET_FILTER"},
	{0x0001010f, "OID_GEN_CURRENT_LOOKAHEAD"},
	{0x00010110, "OID_GEN_DRIVER_VERSION"},
	{RNDIS_OID_GEN_MAXIMUM_TOTAL_SIZE, "OID_GEN_MAXIMUM_TOTAL_SIZE"},
	{0x00010113, "OID_GEN_MAC_OPTIONS"},
	{RNDIS_OID_GEN_MEDIA_CONNECT_STATUS, "OID_GEN_MEDIA_CONNECT_STATUS"},
	{0x00010115, "OID_GEN_MAXIMUM_SEND_PACKETS"},
	{0x00010116, "OID_GEN_VENDOR_DRIVER_VERSION"},
	{0x00010118, "OID_GEN_NETWORK_LAYER_ADDRESSES"},
	{RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES, "OID_GEN_RECEIVE_SCALE_CAPABILITIES"},
	{RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS, "OID_GEN_RECEIVE_SCALE_PARAMETERS"},
	{0x00010206, "OID_GEN_MAX_LINK_SPEED"},
	{0x00010207, "OID_GEN_LINK_STATE"},
	{0x0001021b, "OID_GEN_RNDIS_CONFIG_PARAMETER"},
	{0x00020101, "OID_GEN_XMIT_OK"},
	{0x00020102, "OID_GEN_RCV_OK"},
	{0x00020103, "OID_GEN_XMIT_ERROR"},
	{0x00020104, "OID_GEN_RCV_ERROR"},
	{0x00020105, "OID_GEN_RCV_NO_BUFFER"},
	{RNDIS_OID_GEN_FRIENDLY_NAME, "OID_GEN_FRIENDLY_NAME"},
	{RNDIS_OID_802_3_PERMANENT_ADDRESS, "OID_802_3_PERMANENT_ADDRESS"},
	{RNDIS_OID_802_3_CURRENT_ADDRESS, "OID_802_3_CURRENT_ADDRESS"},
	{RNDIS_OID_802_3_MULTICAST_LIST, "OID_802_3_MULTICAST_LIST"},
	{RNDIS_OID_802_3_MAXIMUM_LIST_SIZE, "OID_802_3_MAXIMUM_LIST_SIZE"},
	{0x01020101, "OID_802_3_RCV_ERROR_ALIGNMENT"},
	{0x01020102, "OID_802_3_XMIT_ONE_COLLISION"},
	{0x01020103, "OID_802_3_XMIT_MORE_COLLISIONS"},
	{RNDIS_OID_TCP_OFFLOAD_CURRENT_CONFIG, "OID_TCP_OFFLOAD_CURRENT_CONFIG"},
	{RNDIS_OID_TCP_OFFLOAD_PARAMETERS, "OID_TCP_OFFLOAD_PARAMETERS"},
	{RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, "OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES"},
	{RNDIS_OID_OFFLOAD_ENCAPSULATION, "OID_OFFLOAD_ENCAPSULATION"},
};
NAMES(oid_names, "oid");

static const struct trace_name filter_bits[] = {
	{RNDIS_FILTER_DIRECTED, "directed"},           {RNDIS_FILTER_MULTICAST, "multicast"},
	{RNDIS_FILTER_ALL_MULTICAST, "all-multicast"}, {RNDIS_FILTER_BROADCAST, "broadcast"},
	{RNDIS_FILTER_PROMISCUOUS, "promiscuous"},
};
NAMES(filter_bits, "filter");

/* Types of per-packet information (FreeBSD ndis.h, Linux hyperv_net.h). */
static const struct trace_name ppi_names[] = {
	{RNDIS_INFO_CHECKSUM, "checksum"},
	{1, "ipsec"},
	{RNDIS_INFO_LSO, "lso"},
	{3, "classification"},
	{5, "scatter-list"},
	{RNDIS_INFO_VLAN, "vlan"},
	{7, "original-packet"},
	{RNDIS_INFO_HASH_VALUE, "hash-value"},
	{RNDIS_INFO_HASH_INFO, "hash-info"},
	{RNDIS_INFO_PACKET_ID, "rsc"},
};
NAMES(ppi_names, "ppi");

static const struct trace_name tx_checksum_bits[] = {
	{RNDIS_CHECKSUM_TX_IPV4, "ipv4"},
	{RNDIS_CHECKSUM_TX_IPV6, "ipv6"},
	{RNDIS_CHECKSUM_TX_TCP, "tcp"},
	{RNDIS_CHECKSUM_TX_UDP, "udp"},
	{RNDIS_CHECKSUM_TX_IP_HEADER, "ip-header"},
};
NAMES(tx_checksum_bits, "tx_checksum");

static const struct trace_name rx_checksum_bits[] = {
	{RNDIS_CHECKSUM_RX_TCP_FAILED, "tcp-failed"}, {RNDIS_CHECKSUM_RX_UDP_FAILED, "udp-failed"},
	{RNDIS_CHECKSUM_RX_IP_FAILED, "ip-failed"},   {RNDIS_CHECKSUM_RX_TCP_GOOD, "tcp-good"},
	{RNDIS_CHECKSUM_RX_UDP_GOOD, "udp-good"},     {RNDIS_CHECKSUM_RX_IP_GOOD, "ip-good"},
	{RNDIS_CHECKSUM_RX_LOOPBACK, "loopback"},     {RNDIS_CHECKSUM_RX_TCP_INVALID, "tcp-invalid"},
	{RNDIS_CHECKSUM_RX_IP_INVALID, "ip-invalid"},
};
NAMES(rx_checksum_bits, "rx_checksum");

static const struct trace_name part_bits[] = {
	{RNDIS_PACKET_ID_SUBALLOCATION, "part"},
	{RNDIS_PACKET_ID_FIRST, "first"},
	{RNDIS_PACKET_ID_LAST, "last"},
};
NAMES(part_bits, "part");

/* --- NDIS objects ------------------------------------------------------------------ */

static const struct trace_name ndis_object_names[] = {
	{NDIS_OBJECT_DEFAULT, "default"},
	{NDIS_OBJECT_RSS_CAPABILITIES, "rss-capabilities"},
	{NDIS_OBJECT_RSS_PARAMETERS, "rss-parameters"},
	{NDIS_OBJECT_OFFLOAD, "offload"},
};
NAMES(ndis_object_names, "ndis_object");

static const struct trace_name ndis_checksum_bits[] = {
	{NDIS_CHECKSUM_IP_OPTIONS, "ip-options"},
	{NDIS_CHECKSUM_TCP_OPTIONS, "tcp-options"},
	{NDIS_CHECKSUM_TCP, "tcp"},
	{NDIS_CHECKSUM_UDP, "udp"},
	{NDIS_CHECKSUM_IP_HEADER, "ip-header"},
};
NAMES(ndis_checksum_bits, "ndis_checksum");

static const struct trace_name ndis_checksum_names[] = {
	{NDIS_PARAMETER_NO_CHANGE, "no-change"},
	{NDIS_PARAMETER_OFF, "off"},
	{NDIS_PARAMETER_TX, "tx"},
	{NDIS_PARAMETER_RX, "rx"},
	{NDIS_PARAMETER_TX_RX, "tx+rx"},
};
NAMES(ndis_checksum_names, "ndis_checksum_setting");

static const struct trace_name ndis_setting_names[] = {
	{NDIS_PARAMETER_NO_CHANGE, "no-change"},
	{NDIS_PARAMETER_OFF, "off"},
	{NDIS_PARAMETER_ON, "on"},
};
NAMES(ndis_setting_names, "ndis_setting");

static const struct trace_name ndis_rss_capability_bits[] = {
	{NDIS_HASH_TOEPLITZ, "toeplitz"},         {NDIS_RSS_CAPABILITY_IPV4, "ipv4"},
	{NDIS_RSS_CAPABILITY_IPV6, "ipv6"},       {NDIS_RSS_CAPABILITY_IPV6_EX, "ipv6-ex"},
	{NDIS_RSS_CAPABILITY_UDP4, "udp4"},       {NDIS_RSS_CAPABILITY_UDP6, "udp6"},
	{NDIS_RSS_CAPABILITY_UDP6_EX, "udp6-ex"},
};
NAMES(ndis_rss_capability_bits, "ndis_rss_capability");

static const struct trace_name ndis_rss_flag_bits[] = {
	{NDIS_RSS_FLAG_BASE_CPU_UNCHANGED, "base-cpu-unchanged"},
	{NDIS_RSS_FLAG_HASH_UNCHANGED, "hash-unchanged"},
	{NDIS_RSS_FLAG_TABLE_UNCHANGED, "table-unchanged"},
	{NDIS_RSS_FLAG_KEY_UNCHANGED, "key-unchanged"},
	{NDIS_RSS_FLAG_DISABLE, "disable"},
};
NAMES(ndis_rss_flag_bits, "ndis_rss_flag");

static const struct trace_name ndis_hash_bits[] = {
	{NDIS_HASH_TOEPLITZ, "toeplitz"}, {NDIS_HASH_IPV4, "ipv4"},       {NDIS_HASH_TCP4, "tcp4"},
	{NDIS_HASH_IPV6, "ipv6"},         {NDIS_HASH_IPV6_EX, "ipv6-ex"}, {NDIS_HASH_TCP6, "tcp6"},
	{NDIS_HASH_TCP6_EX, "tcp6-ex"},   {NDIS_HASH_UDP4, "udp4"},       {NDIS_HASH_UDP6, "udp6"},
	{NDIS_HASH_UDP6_EX, "udp6-ex"},
};
NAMES(ndis_hash_bits, "ndis_hash");

static const struct trace_name vmbus_status_names[] = {
	{0, "success"},
	{VMBUS_STATUS_FAILURE, "failure"},
};
NAMES(vmbus_status_names, "vmbus_status");

static const struct trace_name offer_bits[] = {
	{VMBUS_OFFER_FLAG_NAMED_PIPE, "named-pipe"},
	{VMBUS_OFFER_FLAG_TLNPI, "tlnpi"},
};
NAMES(offer_bits, "offer_flag");

const struct trace_names *const trace_all_names[] = {
	&trace_kind_names,
	&trace_hypercall_names,
	&trace_hv_status_names,
	&trace_packet_names,
	&trace_nvs_status_names,
	&trace_nvs_version_names,
	&trace_nvs_channel_names,
	&trace_nvs_capability_bits,
	&trace_data_path_names,
	&trace_rndis_status_names,
	&trace_oid_names,
	&trace_filter_bits,
	&trace_ppi_names,
	&trace_vmbus_status_names,
	&trace_offer_bits,
	&trace_tx_checksum_bits,
	&trace_rx_checksum_bits,
	&trace_part_bits,
	&trace_ndis_object_names,
	&trace_ndis_checksum_bits,
	&trace_ndis_checksum_names,
	&trace_ndis_setting_names,
	&trace_ndis_rss_capability_bits,
	&trace_ndis_rss_flag_bits,
	&trace_ndis_hash_bits,
	&trace_vstor_version_names,
	&trace_vstor_status_names,
	&trace_vstor_flag_bits,
	&trace_vstor_data_names,
	&trace_vstor_order_names,
	&trace_srb_status_names,
	&trace_srb_flag_bits,
	&trace_scsi_status_names,
	&trace_sense_key_names,
	&trace_sense_code_names,
	&trace_vpd_page_names,
	&trace_mode_page_names,
	&trace_transfer_bits,
	&trace_verify_bits,
	&trace_same_bits,
	&trace_unmap_bits,
	&trace_start_bits,
	&trace_cache_bits,
	&trace_service_names,
	&trace_maintenance_names,
	&trace_reserve_in_names,
	&trace_reserve_out_names,
	&trace_keystroke_bits,
	&trace_led_bits,
	&trace_ic_status_names,
	&trace_ic_flag_bits,
	&trace_shutdown_bits,
	&trace_timesync_bits,
	&trace_pool_names,
	&trace_kvp_type_names,
	&trace_family_bits,
	&trace_vss_bits,
	&trace_fcopy_bits,
};
const uint32_t trace_all_names_count = COUNT(trace_all_names);

/* Reset and run time: TLFS. */
const struct trace_register trace_registers[] = {
	{HV_MSR_GUEST_OS_ID, "guest-os-id", REGISTER_PLAIN},
	{HV_MSR_HYPERCALL, "hypercall", REGISTER_PAGE},
	{HV_MSR_VP_INDEX, "vp-index", REGISTER_PLAIN},
	{0x40000003, "reset", REGISTER_PLAIN},
	{0x40000010, "vp-runtime", REGISTER_PLAIN},
	{HV_MSR_REFERENCE_COUNTER, "reference-counter", REGISTER_PLAIN},
	{HV_MSR_REFERENCE_TSC, "reference-tsc", REGISTER_PAGE},
	{HV_MSR_TSC_FREQUENCY, "tsc-frequency", REGISTER_PLAIN},
	{HV_MSR_APIC_FREQUENCY, "apic-frequency", REGISTER_PLAIN},
	{HV_MSR_VP_ASSIST_PAGE, "vp-assist-page", REGISTER_PAGE},
	{HV_MSR_SCONTROL, "scontrol", REGISTER_ENABLE},
	{HV_MSR_SVERSION, "sversion", REGISTER_PLAIN},
	{HV_MSR_SIEFP, "siefp", REGISTER_PAGE},
	{HV_MSR_SIMP, "simp", REGISTER_PAGE},
	{HV_MSR_EOM, "eom", REGISTER_PLAIN},
	{HV_MSR_SINT0 + 0, "sint0", REGISTER_SINT},
	{HV_MSR_SINT0 + 1, "sint1", REGISTER_SINT},
	{HV_MSR_SINT0 + 2, "sint2", REGISTER_SINT},
	{HV_MSR_SINT0 + 3, "sint3", REGISTER_SINT},
	{HV_MSR_SINT0 + 4, "sint4", REGISTER_SINT},
	{HV_MSR_SINT0 + 5, "sint5", REGISTER_SINT},
	{HV_MSR_SINT0 + 6, "sint6", REGISTER_SINT},
	{HV_MSR_SINT0 + 7, "sint7", REGISTER_SINT},
	{HV_MSR_SINT0 + 8, "sint8", REGISTER_SINT},
	{HV_MSR_SINT0 + 9, "sint9", REGISTER_SINT},
	{HV_MSR_SINT0 + 10, "sint10", REGISTER_SINT},
	{HV_MSR_SINT0 + 11, "sint11", REGISTER_SINT},
	{HV_MSR_SINT0 + 12, "sint12", REGISTER_SINT},
	{HV_MSR_SINT0 + 13, "sint13", REGISTER_SINT},
	{HV_MSR_SINT0 + 14, "sint14", REGISTER_SINT},
	{HV_MSR_SINT0 + 15, "sint15", REGISTER_SINT},
	{HV_MSR_STIMER0_CONFIG + 0, "stimer0-config", REGISTER_PLAIN},
	{HV_MSR_STIMER0_COUNT + 0, "stimer0-count", REGISTER_PLAIN},
	{HV_MSR_STIMER0_CONFIG + 2, "stimer1-config", REGISTER_PLAIN},
	{HV_MSR_STIMER0_COUNT + 2, "stimer1-count", REGISTER_PLAIN},
	{HV_MSR_STIMER0_CONFIG + 4, "stimer2-config", REGISTER_PLAIN},
	{HV_MSR_STIMER0_COUNT + 4, "stimer2-count", REGISTER_PLAIN},
	{HV_MSR_STIMER0_CONFIG + 6, "stimer3-config", REGISTER_PLAIN},
	{HV_MSR_STIMER0_COUNT + 6, "stimer3-count", REGISTER_PLAIN},
	{HV_MSR_CRASH_P0 + 0, "crash-p0", REGISTER_PLAIN},
	{HV_MSR_CRASH_P0 + 1, "crash-p1", REGISTER_PLAIN},
	{HV_MSR_CRASH_P0 + 2, "crash-p2", REGISTER_PLAIN},
	{HV_MSR_CRASH_P0 + 3, "crash-p3", REGISTER_PLAIN},
	{HV_MSR_CRASH_P0 + 4, "crash-p4", REGISTER_PLAIN},
	{HV_MSR_CRASH_CONTROL, "crash-control", REGISTER_PLAIN},
};
const uint32_t trace_register_count = COUNT(trace_registers);

/* As on the wire: first three fields little-endian. Linux, FreeBSD, OpenVMM. */
#define GUID(a, b, c, d, e, f, g, h, i, j, k)                                                              \
	{                                                                                                  \
		{                                                                                          \
			(a) & 255, (a) >> 8 & 255, (a) >> 16 & 255, (a) >> 24, (b)&255, (b) >> 8, (c)&255, \
				(c) >> 8, d, e, f, g, h, i, j, k                                           \
		}                                                                                          \
	}
const struct trace_interface trace_interfaces[] = {
	{VMBUS_GUID_NETVSC, TRACE_INTERFACE_NETVSC},
	{GUID(0xba6163d9u, 0x04a1, 0x4d29, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f),
	 TRACE_INTERFACE_STORVSC},
	{GUID(0x32412632u, 0x86cb, 0x44a2, 0x9b, 0x5c, 0x50, 0xd1, 0x41, 0x73, 0x54, 0xf5),
	 TRACE_INTERFACE_IDE},
	{GUID(0x44c4f61du, 0x4444, 0x4400, 0x9d, 0x52, 0x80, 0x2e, 0x27, 0xed, 0xe1, 0x9f), "vpci"},
	{GUID(0xf912ad6du, 0x2b17, 0x48ea, 0xbd, 0x65, 0xf9, 0x27, 0xa6, 0x1c, 0x76, 0x84), "keyboard"},
	{GUID(0xcfa8b69eu, 0x5b4a, 0x4cc0, 0xb9, 0x8b, 0x8b, 0xa1, 0xa1, 0xf3, 0xf9, 0x5a), "mouse"},
	{GUID(0xda0a7802u, 0xe377, 0x4aac, 0x8e, 0x77, 0x05, 0x58, 0xeb, 0x10, 0x73, 0xf8), "video"},
	{GUID(0x57164f39u, 0x9115, 0x4e78, 0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d), "heartbeat"},
	{GUID(0x0e0b6031u, 0x5213, 0x4934, 0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb), "shutdown"},
	{GUID(0x9527e630u, 0xd0ae, 0x497b, 0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf), "timesync"},
	{GUID(0xa9a0f4e7u, 0x5a45, 0x4d96, 0xb8, 0x27, 0x8a, 0x84, 0x1e, 0x8c, 0x03, 0xe6), "kvp"},
	{GUID(0x35fa2e29u, 0xea23, 0x4236, 0x96, 0xae, 0x3a, 0x6e, 0xba, 0xcb, 0xa4, 0x40), "vss"},
	{VMBUS_GUID_FCOPY, "fcopy"},
	{GUID(0x525074dcu, 0x8985, 0x46e2, 0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02), "balloon"},
	{HVH_ECHO_GUID, "echo"}, /* of the host model */
};
const uint32_t trace_interface_count = COUNT(trace_interfaces);

const char *trace_name(const struct trace_names *names, uint64_t value)
{
	for (uint32_t n = 0; n < names->count; n++) {
		if (names->list[n].value == value)
			return names->list[n].name;
	}
	return NULL;
}

const struct trace_layout *trace_layout(const struct trace_protocol *protocol, uint32_t type)
{
	for (uint32_t n = 0; n < protocol->count; n++) {
		if (protocol->layouts[n].type == type)
			return &protocol->layouts[n];
	}
	return NULL;
}

const struct trace_register *trace_register(uint32_t number)
{
	for (uint32_t n = 0; n < trace_register_count; n++) {
		if (trace_registers[n].number == number)
			return &trace_registers[n];
	}
	return NULL;
}

const char *trace_interface(const uint8_t *guid)
{
	for (uint32_t n = 0; n < trace_interface_count; n++) {
		if (memcmp(trace_interfaces[n].guid.bytes, guid, sizeof(struct vmbus_guid)) == 0)
			return trace_interfaces[n].name;
	}
	return NULL;
}
