-- SPDX-License-Identifier: MIT
-- Decodes traces of hvkit (docs/tracing.md) in Wireshark and tshark 3.6 or newer:
--   tshark -X lua_script:tools/wireshark/hvkit.lua -r trace.pcapng
-- or put into the personal plugin folder (Help, About Wireshark, Folders). Link type USER0.
--
-- The words of the info column are those of hvkit trace (apps/hvkit/trace/decode*.c), and a
-- test compares them. No number here is trusted: what is read is first seen to be there.

-- Printed from apps/hvkit/trace/{names,layouts}.c; a test compares. To renew:
-- build/tests/dissector_tables --update
-- BEGIN TABLES
local NAMES = {
	kind = {
		{ 0x1, "msr-write" },
		{ 0x2, "msr-read" },
		{ 0x3, "hypercall" },
		{ 0x4, "message" },
		{ 0x5, "signal" },
		{ 0x6, "event" },
		{ 0x7, "interrupt" },
		{ 0x8, "packet" },
		{ 0x9, "violation" },
		{ 0xa, "note" },
	},
	hypercall = {
		{ 0x5c, "post-message" },
		{ 0x5d, "signal-event" },
		{ 0x8, "notify-long-spin-wait" },
		{ 0xb, "send-synthetic-cluster-ipi" },
		{ 0x50, "get-vp-registers" },
		{ 0x51, "set-vp-registers" },
	},
	hv_status = {
		{ 0x0, "success" },
		{ 0x2, "invalid-hypercall-code" },
		{ 0x3, "invalid-hypercall-input" },
		{ 0x4, "invalid-alignment" },
		{ 0x5, "invalid-parameter" },
		{ 0x6, "access-denied" },
		{ 0xb, "insufficient-memory" },
		{ 0xe, "invalid-vp-index" },
		{ 0x11, "invalid-port-id" },
		{ 0x12, "invalid-connection-id" },
		{ 0x13, "insufficient-buffers" },
		{ 0x18, "invalid-synic-state" },
		{ 0x78, "timeout" },
	},
	packet = {
		{ 0x6, "in-band" },
		{ 0x7, "transfer-pages" },
		{ 0x9, "gpa-direct" },
		{ 0xa, "cancellation" },
		{ 0xb, "completion" },
	},
	nvs_status = {
		{ 0x0, "none" },
		{ 0x1, "success" },
		{ 0x2, "failure" },
		{ 0x3, "version-too-new" },
		{ 0x4, "version-too-old" },
	},
	nvs_version = {
		{ 0x2, "1" },
		{ 0x30002, "2" },
		{ 0x40000, "4" },
		{ 0x50000, "5" },
		{ 0x60000, "6" },
		{ 0x60001, "6.1" },
	},
	nvs_channel = {
		{ 0x0, "data" },
		{ 0x1, "control" },
	},
	nvs_capability = {
		{ 0x4, "sriov" },
		{ 0x8, "vlan" },
		{ 0x20, "teaming" },
		{ 0x80, "rsc" },
	},
	data_path = {
		{ 0x0, "synthetic" },
		{ 0x1, "vf" },
	},
	rndis_status = {
		{ 0x0, "success" },
		{ 0x103, "pending" },
		{ 0x4001000b, "media-connect" },
		{ 0x4001000c, "media-disconnect" },
		{ 0x40010013, "link-speed-change" },
		{ 0x40010018, "network-change" },
		{ 0x40020006, "task-offload-current-config" },
		{ 0xc0000001, "failure" },
		{ 0xc00000bb, "not-supported" },
		{ 0xc000009a, "resources" },
		{ 0xc0010004, "bad-version" },
		{ 0xc0010015, "invalid-data" },
	},
	oid = {
		{ 0x10101, "OID_GEN_SUPPORTED_LIST" },
		{ 0x10102, "OID_GEN_HARDWARE_STATUS" },
		{ 0x10103, "OID_GEN_MEDIA_SUPPORTED" },
		{ 0x10104, "OID_GEN_MEDIA_IN_USE" },
		{ 0x10105, "OID_GEN_MAXIMUM_LOOKAHEAD" },
		{ 0x10106, "OID_GEN_MAXIMUM_FRAME_SIZE" },
		{ 0x10107, "OID_GEN_LINK_SPEED" },
		{ 0x10108, "OID_GEN_TRANSMIT_BUFFER_SPACE" },
		{ 0x10109, "OID_GEN_RECEIVE_BUFFER_SPACE" },
		{ 0x1010a, "OID_GEN_TRANSMIT_BLOCK_SIZE" },
		{ 0x1010b, "OID_GEN_RECEIVE_BLOCK_SIZE" },
		{ 0x1010c, "OID_GEN_VENDOR_ID" },
		{ 0x1010d, "OID_GEN_VENDOR_DESCRIPTION" },
		{ 0x1010e, "OID_GEN_CURRENT_PACKET_FILTER" },
		{ 0x1010f, "OID_GEN_CURRENT_LOOKAHEAD" },
		{ 0x10110, "OID_GEN_DRIVER_VERSION" },
		{ 0x10111, "OID_GEN_MAXIMUM_TOTAL_SIZE" },
		{ 0x10113, "OID_GEN_MAC_OPTIONS" },
		{ 0x10114, "OID_GEN_MEDIA_CONNECT_STATUS" },
		{ 0x10115, "OID_GEN_MAXIMUM_SEND_PACKETS" },
		{ 0x10116, "OID_GEN_VENDOR_DRIVER_VERSION" },
		{ 0x10118, "OID_GEN_NETWORK_LAYER_ADDRESSES" },
		{ 0x10203, "OID_GEN_RECEIVE_SCALE_CAPABILITIES" },
		{ 0x10204, "OID_GEN_RECEIVE_SCALE_PARAMETERS" },
		{ 0x10206, "OID_GEN_MAX_LINK_SPEED" },
		{ 0x10207, "OID_GEN_LINK_STATE" },
		{ 0x1021b, "OID_GEN_RNDIS_CONFIG_PARAMETER" },
		{ 0x20101, "OID_GEN_XMIT_OK" },
		{ 0x20102, "OID_GEN_RCV_OK" },
		{ 0x20103, "OID_GEN_XMIT_ERROR" },
		{ 0x20104, "OID_GEN_RCV_ERROR" },
		{ 0x20105, "OID_GEN_RCV_NO_BUFFER" },
		{ 0x20216, "OID_GEN_FRIENDLY_NAME" },
		{ 0x1010101, "OID_802_3_PERMANENT_ADDRESS" },
		{ 0x1010102, "OID_802_3_CURRENT_ADDRESS" },
		{ 0x1010103, "OID_802_3_MULTICAST_LIST" },
		{ 0x1010104, "OID_802_3_MAXIMUM_LIST_SIZE" },
		{ 0x1020101, "OID_802_3_RCV_ERROR_ALIGNMENT" },
		{ 0x1020102, "OID_802_3_XMIT_ONE_COLLISION" },
		{ 0x1020103, "OID_802_3_XMIT_MORE_COLLISIONS" },
		{ 0xfc01020b, "OID_TCP_OFFLOAD_CURRENT_CONFIG" },
		{ 0xfc01020c, "OID_TCP_OFFLOAD_PARAMETERS" },
		{ 0xfc01020d, "OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES" },
		{ 0x101010a, "OID_OFFLOAD_ENCAPSULATION" },
	},
	filter = {
		{ 0x1, "directed" },
		{ 0x2, "multicast" },
		{ 0x4, "all-multicast" },
		{ 0x8, "broadcast" },
		{ 0x20, "promiscuous" },
	},
	ppi = {
		{ 0x0, "checksum" },
		{ 0x1, "ipsec" },
		{ 0x2, "lso" },
		{ 0x3, "classification" },
		{ 0x5, "scatter-list" },
		{ 0x6, "vlan" },
		{ 0x7, "original-packet" },
		{ 0x8, "hash-value" },
		{ 0x9, "hash-info" },
		{ 0x80000001, "rsc" },
	},
	vmbus_status = {
		{ 0x0, "success" },
		{ 0x8000ffff, "failure" },
	},
	offer_flag = {
		{ 0x10, "named-pipe" },
		{ 0x2000, "tlnpi" },
	},
	tx_checksum = {
		{ 0x1, "ipv4" },
		{ 0x2, "ipv6" },
		{ 0x4, "tcp" },
		{ 0x8, "udp" },
		{ 0x10, "ip-header" },
	},
	rx_checksum = {
		{ 0x1, "tcp-failed" },
		{ 0x2, "udp-failed" },
		{ 0x4, "ip-failed" },
		{ 0x8, "tcp-good" },
		{ 0x10, "udp-good" },
		{ 0x20, "ip-good" },
		{ 0x40, "loopback" },
		{ 0x80, "tcp-invalid" },
		{ 0x100, "ip-invalid" },
	},
	part = {
		{ 0x1, "part" },
		{ 0x2, "first" },
		{ 0x4, "last" },
	},
	ndis_object = {
		{ 0x80, "default" },
		{ 0x88, "rss-capabilities" },
		{ 0x89, "rss-parameters" },
		{ 0xa7, "offload" },
	},
	ndis_checksum = {
		{ 0x1, "ip-options" },
		{ 0x4, "tcp-options" },
		{ 0x10, "tcp" },
		{ 0x40, "udp" },
		{ 0x100, "ip-header" },
	},
	ndis_checksum_setting = {
		{ 0x0, "no-change" },
		{ 0x1, "off" },
		{ 0x2, "tx" },
		{ 0x3, "rx" },
		{ 0x4, "tx+rx" },
	},
	ndis_setting = {
		{ 0x0, "no-change" },
		{ 0x1, "off" },
		{ 0x2, "on" },
	},
	ndis_rss_capability = {
		{ 0x1, "toeplitz" },
		{ 0x100, "ipv4" },
		{ 0x200, "ipv6" },
		{ 0x400, "ipv6-ex" },
		{ 0x800, "udp4" },
		{ 0x1000, "udp6" },
		{ 0x2000, "udp6-ex" },
	},
	ndis_rss_flag = {
		{ 0x1, "base-cpu-unchanged" },
		{ 0x2, "hash-unchanged" },
		{ 0x4, "table-unchanged" },
		{ 0x8, "key-unchanged" },
		{ 0x10, "disable" },
	},
	ndis_hash = {
		{ 0x1, "toeplitz" },
		{ 0x100, "ipv4" },
		{ 0x200, "tcp4" },
		{ 0x400, "ipv6" },
		{ 0x800, "ipv6-ex" },
		{ 0x1000, "tcp6" },
		{ 0x2000, "tcp6-ex" },
		{ 0x4000, "udp4" },
		{ 0x8000, "udp6" },
		{ 0x10000, "udp6-ex" },
	},
	vstor_version = {
		{ 0x200, "2.0" },
		{ 0x402, "4.2" },
		{ 0x501, "5.1" },
		{ 0x600, "6.0" },
		{ 0x602, "6.2" },
	},
	vstor_status = {
		{ 0x0, "success" },
		{ 0x80000005, "buffer-overflow" },
		{ 0x80000011, "device-busy" },
		{ 0xc000000d, "invalid-parameter" },
		{ 0xc0000059, "revision-mismatch" },
		{ 0xc00000c0, "device-does-not-exist" },
		{ 0xc0000120, "cancelled" },
		{ 0xc0000184, "invalid-device-state" },
		{ 0xc0000185, "io-device-error" },
	},
	vstor_flag = {
		{ 0x1, "request-completion" },
	},
	vstor_data = {
		{ 0x0, "out" },
		{ 0x1, "in" },
		{ 0x2, "none" },
	},
	vstor_order = {
		{ 0x20, "simple" },
		{ 0x21, "head-of-queue" },
		{ 0x22, "ordered" },
	},
	srb_status = {
		{ 0x0, "pending" },
		{ 0x1, "success" },
		{ 0x2, "aborted" },
		{ 0x4, "error" },
		{ 0x5, "busy" },
		{ 0x6, "invalid-request" },
		{ 0x8, "no-device" },
		{ 0x9, "timeout" },
		{ 0x12, "data-overrun" },
		{ 0x20, "invalid-lun" },
		{ 0x40, "queue-frozen" },
		{ 0x80, "autosense-valid" },
	},
	srb_flag = {
		{ 0x2, "queue-action-enable" },
		{ 0x4, "disable-disconnect" },
		{ 0x8, "disable-synch-transfer" },
		{ 0x40, "data-in" },
		{ 0x80, "data-out" },
		{ 0x100, "no-queue-freeze" },
	},
	scsi_status = {
		{ 0x0, "good" },
		{ 0x2, "check-condition" },
		{ 0x8, "busy" },
		{ 0x18, "reservation-conflict" },
		{ 0x28, "task-set-full" },
		{ 0x40, "task-aborted" },
	},
	sense_key = {
		{ 0x0, "no-sense" },
		{ 0x1, "recovered" },
		{ 0x2, "not-ready" },
		{ 0x3, "medium-error" },
		{ 0x4, "hardware-error" },
		{ 0x5, "illegal-request" },
		{ 0x6, "unit-attention" },
		{ 0x7, "data-protect" },
		{ 0xb, "aborted-command" },
		{ 0x8, "blank-check" },
		{ 0xd, "volume-overflow" },
		{ 0xe, "miscompare" },
	},
	sense_code = {
		{ 0x401, "not-ready-becoming-ready" },
		{ 0xc00, "write-error" },
		{ 0x1100, "unrecovered-read-error" },
		{ 0x2000, "invalid-operation-code" },
		{ 0x2100, "lba-out-of-range" },
		{ 0x2400, "invalid-field-in-cdb" },
		{ 0x2500, "logical-unit-not-supported" },
		{ 0x2600, "invalid-field-in-parameters" },
		{ 0x2700, "write-protected" },
		{ 0x2800, "medium-may-have-changed" },
		{ 0x2900, "power-on-or-reset" },
		{ 0x2a09, "capacity-has-changed" },
		{ 0x3a00, "medium-not-present" },
		{ 0x4400, "internal-target-failure" },
		{ 0x3f03, "inquiry-data-changed" },
		{ 0x3f0e, "reported-luns-changed" },
		{ 0x5302, "medium-removal-prevented" },
		{ 0x0, "no-additional-sense" },
		{ 0x400, "not-reportable" },
		{ 0x402, "initializing-command-required" },
		{ 0x403, "manual-intervention-required" },
		{ 0x1a00, "parameter-list-length-error" },
		{ 0x2707, "space-allocation-failed" },
		{ 0x2a01, "mode-parameters-changed" },
		{ 0x2f00, "commands-cleared-by-another" },
		{ 0x3a01, "medium-not-present-tray-closed" },
		{ 0x3a02, "medium-not-present-tray-open" },
		{ 0x5d00, "failure-prediction" },
	},
	vpd_page = {
		{ 0x0, "supported-pages" },
		{ 0x80, "serial" },
		{ 0x83, "identification" },
		{ 0xb0, "block-limits" },
		{ 0xb1, "block-characteristics" },
		{ 0xb2, "provisioning" },
	},
	mode_page = {
		{ 0x1, "error-recovery" },
		{ 0x8, "caching" },
		{ 0xa, "control" },
		{ 0xe, "cd-audio" },
		{ 0x1a, "power-condition" },
		{ 0x1c, "informational-exceptions" },
		{ 0x2a, "cd-capabilities" },
		{ 0x3f, "all" },
	},
	transfer = {
		{ 0x1, "reladr" },
		{ 0x8, "fua" },
		{ 0x10, "dpo" },
	},
	verify = {
		{ 0x2, "compare" },
		{ 0x4, "compare-one-block" },
		{ 0x10, "dpo" },
	},
	same = {
		{ 0x1, "no-data" },
		{ 0x8, "unmap" },
		{ 0x10, "anchor" },
	},
	unmap = {
		{ 0x1, "anchor" },
	},
	start = {
		{ 0x1, "start" },
		{ 0x2, "load-eject" },
	},
	cache = {
		{ 0x2, "immediate" },
		{ 0x4, "non-volatile" },
	},
	service = {
		{ 0x10, "read-capacity-16" },
		{ 0x12, "get-lba-status" },
	},
	maintenance = {
		{ 0x5, "report-device-identifier" },
		{ 0xa, "report-target-port-groups" },
		{ 0xc, "report-opcodes" },
		{ 0xd, "report-task-management" },
		{ 0xf, "report-timestamp" },
	},
	reserve_in = {
		{ 0x0, "read-keys" },
		{ 0x1, "read-reservation" },
		{ 0x2, "report-capabilities" },
		{ 0x3, "read-full-status" },
	},
	reserve_out = {
		{ 0x0, "register" },
		{ 0x1, "reserve" },
		{ 0x2, "release" },
		{ 0x3, "clear" },
		{ 0x4, "preempt" },
		{ 0x5, "preempt-and-abort" },
		{ 0x6, "register-and-ignore" },
		{ 0x7, "register-and-move" },
	},
	keystroke = {
		{ 0x1, "unicode" },
		{ 0x2, "break" },
		{ 0x4, "e0" },
		{ 0x8, "e1" },
	},
	led = {
		{ 0x1, "scroll" },
		{ 0x2, "num" },
		{ 0x4, "caps" },
	},
	ic_status = {
		{ 0x0, "ok" },
		{ 0x80004005, "fail" },
		{ 0x80070103, "no-more-items" },
		{ 0x80070032, "not-supported" },
		{ 0x80041002, "not-found" },
		{ 0x80070057, "invalid-argument" },
		{ 0x80070050, "already-exists" },
		{ 0x80070070, "disk-full" },
	},
	ic_flag = {
		{ 0x1, "transaction" },
		{ 0x2, "request" },
		{ 0x4, "response" },
	},
	shutdown = {
		{ 0x1, "force" },
		{ 0x2, "restart" },
		{ 0x4, "hibernate" },
	},
	timesync = {
		{ 0x1, "sync" },
		{ 0x2, "sample" },
	},
	pool = {
		{ 0x0, "external" },
		{ 0x1, "guest" },
		{ 0x2, "auto" },
		{ 0x3, "auto-external" },
		{ 0x4, "auto-internal" },
	},
	kvp_type = {
		{ 0x1, "sz" },
		{ 0x2, "expand-sz" },
		{ 0x4, "u32" },
		{ 0xb, "u64" },
		{ 0x8, "u64-linux" },
	},
	family = {
		{ 0x1, "ipv4" },
		{ 0x2, "ipv6" },
	},
	vss = {
		{ 0x1, "hot-backup" },
		{ 0x4, "no-auto-recovery" },
	},
	fcopy = {
		{ 0x1, "overwrite" },
		{ 0x2, "create-path" },
	},
}
local LAYOUTS = {
	msg = {
		[0x1] = { "offer-channel", 190, {
			{ "channel", 184, 4, "dec", "always" },
			{ "interface", 8, 16, "guid", "detail" },
			{ "instance", 24, 16, "guid", "always" },
			{ "offer_flags", 56, 2, "bits", "nonzero", "offer_flag" },
			{ "mmio_mb", 58, 2, "dec", "nonzero" },
			{ "user_data", 60, 120, "bytes", "detail" },
			{ "subchannel", 180, 2, "dec", "nonzero" },
			{ "mmio_optional_mb", 182, 2, "dec", "nonzero" },
			{ "monitor_id", 188, 1, "dec", "detail" },
			{ "monitor_allocated", 189, 1, "yes", "detail" },
			{ "dedicated", 190, 2, "yes", "detail" },
			{ "connection", 192, 4, "hex", "always" },
		} },
		[0x2] = { "rescind-offer", 12, {
			{ "channel", 8, 4, "dec", "always" },
		} },
		[0x3] = { "request-offers", 8, {
		} },
		[0x4] = { "all-offers-delivered", 8, {
		} },
		[0x5] = { "open-channel", 148, {
			{ "channel", 8, 4, "dec", "always" },
			{ "open_id", 12, 4, "dec", "always" },
			{ "gpadl", 16, 4, "hex", "always" },
			{ "target_vp", 20, 4, "dec", "always" },
			{ "downstream_page", 24, 4, "dec", "always" },
			{ "user_data", 28, 120, "bytes", "detail" },
		} },
		[0x6] = { "open-result", 20, {
			{ "channel", 8, 4, "dec", "always" },
			{ "open_id", 12, 4, "dec", "always" },
			{ "status", 16, 4, "name", "always", "vmbus_status" },
		} },
		[0x7] = { "close-channel", 12, {
			{ "channel", 8, 4, "dec", "always" },
		} },
		[0x8] = { "gpadl-header", 28, {
			{ "channel", 8, 4, "dec", "always" },
			{ "gpadl", 12, 4, "hex", "always" },
			{ "range_buffer_length", 16, 2, "dec", "detail" },
			{ "ranges", 18, 2, "dec", "detail" },
			{ "bytes", 20, 4, "dec", "always" },
			{ "offset", 24, 4, "dec", "nonzero" },
			{ "pages", 28, 0, "pages", "always" },
		} },
		[0x9] = { "gpadl-body", 16, {
			{ "gpadl", 12, 4, "hex", "always" },
			{ "message_number", 8, 4, "dec", "always" },
			{ "pages", 16, 0, "pages", "always" },
		} },
		[0xa] = { "gpadl-created", 20, {
			{ "channel", 8, 4, "dec", "always" },
			{ "gpadl", 12, 4, "hex", "always" },
			{ "status", 16, 4, "name", "always", "vmbus_status" },
		} },
		[0xb] = { "gpadl-teardown", 16, {
			{ "channel", 8, 4, "dec", "always" },
			{ "gpadl", 12, 4, "hex", "always" },
		} },
		[0xc] = { "gpadl-torndown", 12, {
			{ "gpadl", 8, 4, "hex", "always" },
		} },
		[0xd] = { "relid-released", 12, {
			{ "channel", 8, 4, "dec", "always" },
		} },
		[0xe] = { "initiate-contact", 40, {
			{ "version", 8, 4, "version", "always" },
			{ "target_vp", 12, 4, "dec", "always" },
			{ "interrupt_page_or_target", 16, 8, "hex", "detail" },
			{ "monitor_to_guest", 24, 8, "hex", "nonzero" },
			{ "monitor_to_host", 32, 8, "hex", "nonzero" },
		} },
		[0xf] = { "version-response", 16, {
			{ "supported", 8, 1, "yes", "always" },
			{ "connection_state", 9, 1, "dec", "nonzero" },
		} },
		[0x10] = { "unload", 8, {
		} },
		[0x11] = { "unload-response", 8, {
		} },
		[0x12] = { "open-reserved", 28, {
			{ "channel", 8, 4, "dec", "always" },
			{ "target_vp", 12, 4, "dec", "always" },
			{ "sint", 16, 4, "dec", "always" },
			{ "gpadl", 20, 4, "hex", "always" },
			{ "downstream_page", 24, 4, "dec", "always" },
		} },
		[0x13] = { "close-reserved", 20, {
			{ "channel", 8, 4, "dec", "always" },
			{ "target_vp", 12, 4, "dec", "always" },
			{ "sint", 16, 4, "dec", "always" },
		} },
		[0x14] = { "close-reserved-response", 12, {
			{ "channel", 8, 4, "dec", "always" },
		} },
		[0x15] = { "tl-connect", 40, {
			{ "endpoint", 8, 16, "guid", "always" },
			{ "service", 24, 16, "guid", "always" },
			{ "silo", 40, 16, "guid", "nonzero" },
		} },
		[0x16] = { "modify-channel", 16, {
			{ "channel", 8, 4, "dec", "always" },
			{ "target_vp", 12, 4, "dec", "always" },
		} },
		[0x17] = { "tl-connect-result", 44, {
			{ "endpoint", 8, 16, "guid", "always" },
			{ "service", 24, 16, "guid", "always" },
			{ "status", 40, 4, "name", "always", "vmbus_status" },
		} },
		[0x18] = { "modify-channel-response", 16, {
			{ "channel", 8, 4, "dec", "always" },
			{ "status", 12, 4, "name", "always", "vmbus_status" },
		} },
		[0x19] = { "modify-connection", 24, {
			{ "monitor_to_guest", 8, 8, "hex", "always" },
			{ "monitor_to_host", 16, 8, "hex", "always" },
		} },
		[0x1a] = { "modify-connection-response", 9, {
			{ "connection_state", 8, 1, "dec", "always" },
		} },
		[0x1b] = { "pause", 8, {
		} },
		[0x1c] = { "pause-response", 8, {
		} },
		[0x1d] = { "resume", 8, {
		} },
	},
	nvs = {
		[0x1] = { "init", 12, {
			{ "version_min", 4, 4, "name", "always", "nvs_version" },
			{ "version_max", 8, 4, "name", "always", "nvs_version" },
		} },
		[0x2] = { "init-complete", 16, {
			{ "version", 4, 4, "hex", "detail" },
			{ "max_mdl_chain", 8, 4, "dec", "detail" },
			{ "status", 12, 4, "name", "always", "nvs_status" },
		} },
		[0x64] = { "ndis-version", 12, {
			{ "major", 4, 4, "dec", "always" },
			{ "minor", 8, 4, "dec", "always" },
		} },
		[0x65] = { "receive-buffer", 12, {
			{ "gpadl", 4, 4, "hex", "always" },
			{ "page_set", 8, 2, "hex", "always" },
		} },
		[0x66] = { "receive-buffer-complete", 12, {
			{ "status", 4, 4, "name", "always", "nvs_status" },
			{ "sections", 8, 4, "dec", "always" },
			{ "offset", 12, 4, "dec", "detail" },
			{ "suballocation_size", 16, 4, "dec", "always" },
			{ "suballocations", 20, 4, "dec", "always" },
			{ "end", 24, 4, "dec", "detail" },
		} },
		[0x67] = { "revoke-receive-buffer", 8, {
			{ "page_set", 4, 2, "hex", "always" },
		} },
		[0x68] = { "send-buffer", 12, {
			{ "gpadl", 4, 4, "hex", "always" },
			{ "page_set", 8, 2, "hex", "always" },
		} },
		[0x69] = { "send-buffer-complete", 12, {
			{ "status", 4, 4, "name", "always", "nvs_status" },
			{ "section_size", 8, 4, "dec", "always" },
		} },
		[0x6a] = { "revoke-send-buffer", 8, {
			{ "page_set", 4, 2, "hex", "always" },
		} },
		[0x6b] = { "rndis", 16, {
			{ "channel_type", 4, 4, "name", "always", "nvs_channel" },
			{ "section", 8, 4, "hex", "detail" },
			{ "section_size", 12, 4, "dec", "detail" },
		} },
		[0x6c] = { "rndis-complete", 8, {
			{ "status", 4, 4, "name", "always", "nvs_status" },
		} },
		[0x7d] = { "ndis-config", 20, {
			{ "mtu", 4, 4, "dec", "always" },
			{ "capabilities", 12, 8, "bits", "nonzero", "nvs_capability" },
		} },
		[0x80] = { "vf-association", 12, {
			{ "allocated", 4, 4, "yes", "always" },
			{ "serial", 8, 4, "dec", "always" },
		} },
		[0x81] = { "switch-data-path", 8, {
			{ "path", 4, 4, "name", "always", "data_path" },
		} },
		[0x85] = { "subchannel", 12, {
			{ "operation", 4, 4, "dec", "always" },
			{ "count", 8, 4, "dec", "always" },
		} },
		[0x86] = { "send-indirection-table", 12, {
			{ "count", 4, 4, "dec", "always" },
			{ "offset", 8, 4, "dec", "detail" },
		} },
	},
	nvs_answer = {
		[0x85] = { "subchannel-complete", 12, {
			{ "status", 4, 4, "name", "always", "nvs_status" },
			{ "count", 8, 4, "dec", "always" },
		} },
	},
	rndis = {
		[0x1] = { "packet", 44, {
			{ "data_offset", 8, 4, "dec", "detail" },
			{ "bytes", 12, 4, "dec", "always" },
			{ "oob_offset", 16, 4, "dec", "detail" },
			{ "oob_length", 20, 4, "dec", "nonzero" },
			{ "oob_count", 24, 4, "dec", "nonzero" },
			{ "ppi_offset", 28, 4, "dec", "detail" },
			{ "ppi_length", 32, 4, "dec", "detail" },
		} },
		[0x2] = { "initialize", 24, {
			{ "request", 8, 4, "dec", "always" },
			{ "major", 12, 4, "dec", "always" },
			{ "minor", 16, 4, "dec", "always" },
			{ "max_transfer", 20, 4, "dec", "always" },
		} },
		[0x3] = { "halt", 12, {
			{ "request", 8, 4, "dec", "always" },
		} },
		[0x4] = { "query", 28, {
			{ "request", 8, 4, "dec", "always" },
			{ "oid", 12, 4, "name", "always", "oid" },
			{ "information_length", 16, 4, "dec", "detail" },
			{ "information_offset", 20, 4, "dec", "detail" },
		} },
		[0x5] = { "set", 28, {
			{ "request", 8, 4, "dec", "always" },
			{ "oid", 12, 4, "name", "always", "oid" },
			{ "information_length", 16, 4, "dec", "detail" },
			{ "information_offset", 20, 4, "dec", "detail" },
		} },
		[0x6] = { "reset", 8, {
		} },
		[0x7] = { "indicate-status", 20, {
			{ "status", 8, 4, "name", "always", "rndis_status" },
			{ "buffer_length", 12, 4, "dec", "nonzero" },
			{ "buffer_offset", 16, 4, "dec", "detail" },
		} },
		[0x8] = { "keepalive", 12, {
			{ "request", 8, 4, "dec", "always" },
		} },
		[0x80000002] = { "initialize-complete", 44, {
			{ "request", 8, 4, "dec", "always" },
			{ "status", 12, 4, "name", "always", "rndis_status" },
			{ "major", 16, 4, "dec", "detail" },
			{ "minor", 20, 4, "dec", "detail" },
			{ "device_flags", 24, 4, "hex", "detail" },
			{ "medium", 28, 4, "dec", "detail" },
			{ "max_packets", 32, 4, "dec", "always" },
			{ "max_transfer", 36, 4, "dec", "always" },
			{ "alignment_factor", 40, 4, "dec", "always" },
		} },
		[0x80000004] = { "query-complete", 24, {
			{ "request", 8, 4, "dec", "always" },
			{ "status", 12, 4, "name", "always", "rndis_status" },
			{ "information_length", 16, 4, "dec", "detail" },
			{ "information_offset", 20, 4, "dec", "detail" },
		} },
		[0x80000005] = { "set-complete", 16, {
			{ "request", 8, 4, "dec", "always" },
			{ "status", 12, 4, "name", "always", "rndis_status" },
		} },
		[0x80000006] = { "reset-complete", 12, {
			{ "status", 8, 4, "name", "always", "rndis_status" },
		} },
		[0x80000008] = { "keepalive-complete", 16, {
			{ "request", 8, 4, "dec", "always" },
			{ "status", 12, 4, "name", "always", "rndis_status" },
		} },
	},
	ndis = {
		[0xfc01020b] = { "offload", 4, {
			{ "object", 0, 1, "name", "detail", "ndis_object" },
			{ "revision", 1, 1, "dec", "always" },
			{ "object_size", 2, 2, "dec", "detail" },
			{ "tx4", 8, 4, "bits", "nonzero", "ndis_checksum" },
			{ "rx4", 16, 4, "bits", "nonzero", "ndis_checksum" },
			{ "tx6", 24, 4, "bits", "nonzero", "ndis_checksum" },
			{ "rx6", 32, 4, "bits", "nonzero", "ndis_checksum" },
			{ "lso4_bytes", 84, 4, "dec", "nonzero" },
			{ "lso4_segments", 88, 4, "dec", "nonzero" },
			{ "lso6_bytes", 96, 4, "dec", "nonzero" },
			{ "lso6_segments", 100, 4, "dec", "nonzero" },
			{ "lso6_options", 104, 4, "hex", "detail" },
			{ "offload_flags", 108, 4, "hex", "nonzero" },
			{ "rsc4", 144, 1, "yes", "nonzero" },
			{ "rsc6", 145, 1, "yes", "nonzero" },
		} },
		[0xfc01020d] = { "offload", 4, {
			{ "object", 0, 1, "name", "detail", "ndis_object" },
			{ "revision", 1, 1, "dec", "always" },
			{ "object_size", 2, 2, "dec", "detail" },
			{ "tx4", 8, 4, "bits", "nonzero", "ndis_checksum" },
			{ "rx4", 16, 4, "bits", "nonzero", "ndis_checksum" },
			{ "tx6", 24, 4, "bits", "nonzero", "ndis_checksum" },
			{ "rx6", 32, 4, "bits", "nonzero", "ndis_checksum" },
			{ "lso4_bytes", 84, 4, "dec", "nonzero" },
			{ "lso4_segments", 88, 4, "dec", "nonzero" },
			{ "lso6_bytes", 96, 4, "dec", "nonzero" },
			{ "lso6_segments", 100, 4, "dec", "nonzero" },
			{ "lso6_options", 104, 4, "hex", "detail" },
			{ "offload_flags", 108, 4, "hex", "nonzero" },
			{ "rsc4", 144, 1, "yes", "nonzero" },
			{ "rsc6", 145, 1, "yes", "nonzero" },
		} },
		[0xfc01020c] = { "offload-parameters", 4, {
			{ "object", 0, 1, "name", "detail", "ndis_object" },
			{ "revision", 1, 1, "dec", "always" },
			{ "object_size", 2, 2, "dec", "detail" },
			{ "ipv4", 4, 1, "name", "nonzero", "ndis_checksum_setting" },
			{ "tcp4", 5, 1, "name", "nonzero", "ndis_checksum_setting" },
			{ "udp4", 6, 1, "name", "nonzero", "ndis_checksum_setting" },
			{ "tcp6", 7, 1, "name", "nonzero", "ndis_checksum_setting" },
			{ "udp6", 8, 1, "name", "nonzero", "ndis_checksum_setting" },
			{ "lso_v1", 9, 1, "name", "nonzero", "ndis_setting" },
			{ "lso4", 11, 1, "name", "nonzero", "ndis_setting" },
			{ "lso6", 12, 1, "name", "nonzero", "ndis_setting" },
			{ "rsc_ipv4", 22, 1, "name", "nonzero", "ndis_setting" },
			{ "rsc_ipv6", 23, 1, "name", "nonzero", "ndis_setting" },
		} },
		[0x10203] = { "rss-capabilities", 4, {
			{ "object", 0, 1, "name", "detail", "ndis_object" },
			{ "revision", 1, 1, "dec", "always" },
			{ "object_size", 2, 2, "dec", "detail" },
			{ "capabilities", 4, 4, "bits", "always", "ndis_rss_capability" },
			{ "interrupt_messages", 8, 4, "dec", "detail" },
			{ "queues", 12, 4, "dec", "always" },
			{ "table_entries", 16, 2, "dec", "always" },
		} },
		[0x10204] = { "rss-parameters", 4, {
			{ "object", 0, 1, "name", "detail", "ndis_object" },
			{ "revision", 1, 1, "dec", "always" },
			{ "object_size", 2, 2, "dec", "detail" },
			{ "rss_flags", 4, 2, "bits", "nonzero", "ndis_rss_flag" },
			{ "base_cpu", 6, 2, "dec", "nonzero" },
			{ "hash", 8, 4, "bits", "always", "ndis_hash" },
			{ "table_size", 12, 2, "dec", "detail" },
			{ "table_offset", 16, 4, "dec", "detail" },
			{ "key_size", 20, 2, "dec", "detail" },
			{ "key_offset", 24, 4, "dec", "detail" },
		} },
	},
	keyboard = {
		[0x1] = { "protocol-request", 8, {
			{ "version", 4, 4, "version", "always" },
		} },
		[0x2] = { "protocol-response", 8, {
			{ "accepted", 4, 4, "yes", "always" },
		} },
		[0x3] = { "event", 12, {
			{ "code", 4, 2, "hex", "always" },
			{ "info", 8, 4, "bits", "nonzero", "keystroke" },
		} },
		[0x4] = { "leds", 6, {
			{ "leds", 4, 2, "bits", "always", "led" },
		} },
	},
	mouse = {
		[0x0] = { "protocol-request", 12, {
			{ "version", 8, 4, "version", "always" },
		} },
		[0x1] = { "protocol-response", 13, {
			{ "version", 8, 4, "version", "always" },
			{ "approved", 12, 1, "yes", "always" },
		} },
		[0x2] = { "device-info", 49, {
			{ "vendor", 12, 2, "hex", "always" },
			{ "product", 14, 2, "hex", "always" },
			{ "device_version", 16, 2, "hex", "always" },
			{ "descriptor_length", 47, 2, "dec", "always" },
			{ "descriptor", 49, 0, "bytes", "detail" },
		} },
		[0x3] = { "device-info-ack", 9, {
		} },
		[0x4] = { "input-report", 9, {
			{ "report", 8, 0, "bytes", "always" },
		} },
	},
	ic = {
		[0x0] = { "negotiate", 20, {
			{ "framework", 0, 4, "swapped", "always" },
			{ "version", 6, 4, "swapped", "always" },
			{ "size", 10, 2, "dec", "always" },
			{ "status", 12, 4, "name", "nonzero", "ic_status" },
			{ "transaction", 16, 1, "dec", "always" },
			{ "flags", 17, 1, "bits", "always", "ic_flag" },
		} },
		[0x1] = { "heartbeat", 20, {
			{ "framework", 0, 4, "swapped", "always" },
			{ "version", 6, 4, "swapped", "always" },
			{ "size", 10, 2, "dec", "always" },
			{ "status", 12, 4, "name", "nonzero", "ic_status" },
			{ "transaction", 16, 1, "dec", "always" },
			{ "flags", 17, 1, "bits", "always", "ic_flag" },
		} },
		[0x2] = { "kvp", 20, {
			{ "framework", 0, 4, "swapped", "always" },
			{ "version", 6, 4, "swapped", "always" },
			{ "size", 10, 2, "dec", "always" },
			{ "status", 12, 4, "name", "nonzero", "ic_status" },
			{ "transaction", 16, 1, "dec", "always" },
			{ "flags", 17, 1, "bits", "always", "ic_flag" },
		} },
		[0x3] = { "shutdown", 20, {
			{ "framework", 0, 4, "swapped", "always" },
			{ "version", 6, 4, "swapped", "always" },
			{ "size", 10, 2, "dec", "always" },
			{ "status", 12, 4, "name", "nonzero", "ic_status" },
			{ "transaction", 16, 1, "dec", "always" },
			{ "flags", 17, 1, "bits", "always", "ic_flag" },
		} },
		[0x4] = { "timesync", 20, {
			{ "framework", 0, 4, "swapped", "always" },
			{ "version", 6, 4, "swapped", "always" },
			{ "size", 10, 2, "dec", "always" },
			{ "status", 12, 4, "name", "nonzero", "ic_status" },
			{ "transaction", 16, 1, "dec", "always" },
			{ "flags", 17, 1, "bits", "always", "ic_flag" },
		} },
		[0x5] = { "vss", 20, {
			{ "framework", 0, 4, "swapped", "always" },
			{ "version", 6, 4, "swapped", "always" },
			{ "size", 10, 2, "dec", "always" },
			{ "status", 12, 4, "name", "nonzero", "ic_status" },
			{ "transaction", 16, 1, "dec", "always" },
			{ "flags", 17, 1, "bits", "always", "ic_flag" },
		} },
		[0x7] = { "fcopy", 20, {
			{ "framework", 0, 4, "swapped", "always" },
			{ "version", 6, 4, "swapped", "always" },
			{ "size", 10, 2, "dec", "always" },
			{ "status", 12, 4, "name", "nonzero", "ic_status" },
			{ "transaction", 16, 1, "dec", "always" },
			{ "flags", 17, 1, "bits", "always", "ic_flag" },
		} },
	},
	ic_body = {
		[0x1] = { "heartbeat", 8, {
			{ "sequence", 0, 8, "hex", "always" },
			{ "application_state", 8, 4, "hex", "nonzero" },
		} },
		[0x3] = { "shutdown", 12, {
			{ "reason", 0, 4, "hex", "always" },
			{ "timeout", 4, 4, "dec", "always" },
			{ "action", 8, 4, "bits", "nonzero", "shutdown" },
			{ "text", 12, 2048, "text16", "nonzero" },
		} },
		[0x4] = { "timesync", 25, {
			{ "host_time", 0, 8, "hex", "always" },
			{ "child_time", 8, 8, "hex", "nonzero" },
			{ "round_trip", 16, 8, "hex", "nonzero" },
			{ "kind", 24, 1, "bits", "always", "timesync" },
		} },
		[0x104] = { "timesync", 22, {
			{ "host_time", 0, 8, "hex", "always" },
			{ "reference_time", 8, 8, "hex", "always" },
			{ "kind", 16, 1, "bits", "always", "timesync" },
			{ "leap", 17, 1, "dec", "nonzero" },
			{ "stratum", 18, 1, "dec", "nonzero" },
		} },
	},
	kvp = {
		[0x0] = { "get", 4, {
			{ "pool", 1, 1, "name", "always", "pool" },
			{ "value_type", 4, 4, "name", "nonzero", "kvp_type" },
			{ "key_size", 8, 4, "dec", "detail" },
			{ "value_size", 12, 4, "dec", "detail" },
			{ "key", 16, 512, "text16", "nonzero" },
		} },
		[0x1] = { "set", 4, {
			{ "pool", 1, 1, "name", "always", "pool" },
			{ "value_type", 4, 4, "name", "nonzero", "kvp_type" },
			{ "key_size", 8, 4, "dec", "detail" },
			{ "value_size", 12, 4, "dec", "detail" },
			{ "key", 16, 512, "text16", "nonzero" },
		} },
		[0x2] = { "delete", 4, {
			{ "pool", 1, 1, "name", "always", "pool" },
			{ "key_size", 4, 4, "dec", "detail" },
			{ "key", 8, 512, "text16", "nonzero" },
		} },
		[0x3] = { "enumerate", 8, {
			{ "pool", 1, 1, "name", "always", "pool" },
			{ "index", 4, 4, "dec", "always" },
			{ "value_type", 8, 4, "name", "nonzero", "kvp_type" },
			{ "key_size", 12, 4, "dec", "detail" },
			{ "value_size", 16, 4, "dec", "detail" },
			{ "key", 20, 512, "text16", "nonzero" },
		} },
		[0x4] = { "get-ip", 2, {
			{ "adapter", 2, 256, "text16", "always" },
			{ "family", 258, 1, "bits", "nonzero", "family" },
			{ "dhcp", 259, 1, "yes", "nonzero" },
			{ "addresses", 260, 2048, "text16", "nonzero" },
			{ "masks", 2308, 2048, "text16", "nonzero" },
			{ "gateways", 4356, 1024, "text16", "nonzero" },
			{ "name_servers", 5380, 2048, "text16", "nonzero" },
		} },
		[0x5] = { "set-ip", 2, {
			{ "adapter", 2, 256, "text16", "always" },
			{ "family", 258, 1, "bits", "nonzero", "family" },
			{ "dhcp", 259, 1, "yes", "nonzero" },
			{ "addresses", 260, 2048, "text16", "nonzero" },
			{ "masks", 2308, 2048, "text16", "nonzero" },
			{ "gateways", 4356, 1024, "text16", "nonzero" },
			{ "name_servers", 5380, 2048, "text16", "nonzero" },
		} },
	},
	vss = {
		[0x0] = { "create", 1, {
			{ "flags", 8, 4, "bits", "nonzero", "vss" },
		} },
		[0x1] = { "delete", 1, {
			{ "flags", 8, 4, "bits", "nonzero", "vss" },
		} },
		[0x2] = { "hot-backup", 1, {
			{ "flags", 8, 4, "bits", "nonzero", "vss" },
		} },
		[0x3] = { "get-dm-info", 1, {
			{ "flags", 8, 4, "bits", "nonzero", "vss" },
		} },
		[0x4] = { "backup-complete", 1, {
			{ "flags", 8, 4, "bits", "nonzero", "vss" },
		} },
		[0x5] = { "freeze", 1, {
			{ "backup_type", 8, 4, "hex", "nonzero" },
			{ "disks", 16, 4, "dec", "nonzero" },
		} },
		[0x6] = { "thaw", 1, {
			{ "flags", 8, 4, "bits", "nonzero", "vss" },
		} },
		[0x7] = { "auto-recover", 1, {
			{ "backup_type", 8, 4, "hex", "nonzero" },
			{ "disks", 16, 4, "dec", "nonzero" },
		} },
	},
	fcopy = {
		[0x0] = { "start", 4, {
			{ "name", 36, 520, "text16", "always" },
			{ "path", 556, 520, "text16", "nonzero" },
			{ "flags", 1076, 4, "bits", "nonzero", "fcopy" },
			{ "file_size", 1080, 8, "hex", "always" },
		} },
		[0x1] = { "write", 4, {
			{ "offset", 40, 8, "hex", "always" },
			{ "bytes", 48, 4, "dec", "always" },
		} },
		[0x2] = { "complete", 4, {
		} },
		[0x3] = { "cancel", 4, {
		} },
	},
	vstor = {
		[0x1] = { "complete-io", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
		[0x2] = { "remove-device", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
			{ "port", 16, 1, "dec", "nonzero" },
			{ "path", 17, 1, "dec", "nonzero" },
			{ "target", 18, 1, "dec", "always" },
			{ "lun", 19, 1, "dec", "always" },
		} },
		[0x3] = { "execute-srb", 48, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
			{ "length", 12, 2, "dec", "detail" },
			{ "cdb_length", 20, 1, "dec", "detail" },
			{ "sense_length", 21, 1, "dec", "detail" },
			{ "port", 16, 1, "dec", "nonzero" },
			{ "path", 17, 1, "dec", "nonzero" },
			{ "target", 18, 1, "dec", "always" },
			{ "lun", 19, 1, "dec", "always" },
			{ "data", 22, 1, "name", "always", "vstor_data" },
			{ "properties", 23, 1, "hex", "nonzero" },
			{ "bytes", 24, 4, "dec", "always" },
			{ "cdb", 28, 20, "bytes", "detail" },
			{ "tag", 50, 1, "hex", "detail" },
			{ "order", 51, 1, "name", "nonzero", "vstor_order" },
			{ "srb_flags", 52, 4, "bits", "detail", "srb_flag" },
			{ "timeout", 56, 4, "dec", "detail" },
			{ "sort_key", 60, 4, "dec", "detail" },
		} },
		[0x4] = { "reset-lun", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
			{ "port", 16, 1, "dec", "nonzero" },
			{ "path", 17, 1, "dec", "nonzero" },
			{ "target", 18, 1, "dec", "always" },
			{ "lun", 19, 1, "dec", "always" },
		} },
		[0x5] = { "reset-adapter", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
		[0x6] = { "reset-bus", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
		[0x7] = { "begin-initialization", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
		[0x8] = { "end-initialization", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
		[0x9] = { "query-protocol-version", 14, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
			{ "version", 12, 2, "name", "always", "vstor_version" },
			{ "revision", 14, 2, "dec", "nonzero" },
		} },
		[0xa] = { "query-properties", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
		[0xb] = { "enumerate-bus", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
		[0xc] = { "fchba-data", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
		[0xd] = { "create-subchannels", 14, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
			{ "count", 12, 2, "dec", "always" },
		} },
		[0xe] = { "event-notification", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
		} },
	},
	vstor_answer = {
		[0x3] = { "execute-srb-complete", 48, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "srb", 14, 1, "marked", "always", "srb_status" },
			{ "scsi", 15, 1, "name", "nonzero", "scsi_status" },
			{ "bytes", 24, 4, "dec", "always" },
			{ "status", 8, 4, "name", "nonzero", "vstor_status" },
			{ "length", 12, 2, "dec", "detail" },
			{ "cdb_length", 20, 1, "dec", "detail" },
			{ "sense_length", 21, 1, "dec", "detail" },
			{ "sense", 28, 20, "bytes", "detail" },
		} },
		[0x4] = { "reset-lun-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
		[0x5] = { "reset-adapter-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
		[0x6] = { "reset-bus-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
		[0x7] = { "begin-initialization-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
		[0x8] = { "end-initialization-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
		[0x9] = { "query-protocol-version-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
			{ "version", 12, 2, "name", "nonzero", "vstor_version" },
		} },
		[0xa] = { "query-properties-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
			{ "subchannels_max", 16, 2, "dec", "always" },
			{ "multi_channel", 20, 4, "yes", "always" },
			{ "transfer_max", 24, 4, "dec", "always" },
		} },
		[0xc] = { "fchba-data-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
		[0xd] = { "create-subchannels-complete", 12, {
			{ "flags", 4, 4, "bits", "detail", "vstor_flag" },
			{ "status", 8, 4, "name", "always", "vstor_status" },
		} },
	},
	scsi = {
		[0x0] = { "test-unit-ready", 6, {
		} },
		[0x3] = { "request-sense", 6, {
			{ "allocation", 4, 1, "network", "always" },
		} },
		[0x4] = { "format-unit", 6, {
		} },
		[0x8] = { "read-6", 6, {
			{ "lba", 1, 3, "network", "always" },
			{ "blocks", 4, 1, "network", "always" },
		} },
		[0xa] = { "write-6", 6, {
			{ "lba", 1, 3, "network", "always" },
			{ "blocks", 4, 1, "network", "always" },
		} },
		[0x12] = { "inquiry", 6, {
			{ "vpd", 1, 1, "yes", "nonzero" },
			{ "vpd_page", 2, 1, "name", "nonzero", "vpd_page" },
			{ "allocation", 3, 2, "network", "always" },
		} },
		[0x15] = { "mode-select-6", 6, {
			{ "parameters", 4, 1, "network", "always" },
		} },
		[0x16] = { "reserve-6", 6, {
		} },
		[0x17] = { "release-6", 6, {
		} },
		[0x1a] = { "mode-sense-6", 6, {
			{ "mode_page", 2, 1, "name", "always", "mode_page" },
			{ "allocation", 4, 1, "network", "always" },
		} },
		[0x1b] = { "start-stop-unit", 6, {
			{ "state", 4, 1, "bits", "always", "start" },
		} },
		[0x1c] = { "receive-diagnostic", 6, {
		} },
		[0x1d] = { "send-diagnostic", 6, {
		} },
		[0x1e] = { "prevent-allow-removal", 6, {
			{ "prevent", 4, 1, "yes", "always" },
		} },
		[0x23] = { "read-format-capacities", 10, {
			{ "allocation", 7, 2, "network", "always" },
		} },
		[0x25] = { "read-capacity-10", 10, {
		} },
		[0x28] = { "read-10", 10, {
			{ "lba", 2, 4, "network", "always" },
			{ "blocks", 7, 2, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "transfer" },
		} },
		[0x2a] = { "write-10", 10, {
			{ "lba", 2, 4, "network", "always" },
			{ "blocks", 7, 2, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "transfer" },
		} },
		[0x2f] = { "verify-10", 10, {
			{ "lba", 2, 4, "network", "always" },
			{ "blocks", 7, 2, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "verify" },
		} },
		[0x35] = { "synchronize-cache-10", 10, {
			{ "lba", 2, 4, "network", "always" },
			{ "blocks", 7, 2, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "cache" },
		} },
		[0x3b] = { "write-buffer", 10, {
		} },
		[0x3c] = { "read-buffer", 10, {
		} },
		[0x41] = { "write-same-10", 10, {
			{ "lba", 2, 4, "network", "always" },
			{ "blocks", 7, 2, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "same" },
		} },
		[0x42] = { "unmap", 10, {
			{ "parameters", 7, 2, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "unmap" },
		} },
		[0x43] = { "read-toc", 10, {
			{ "toc_format", 2, 1, "network", "always" },
			{ "track", 6, 1, "network", "nonzero" },
			{ "allocation", 7, 2, "network", "always" },
		} },
		[0x46] = { "get-configuration", 10, {
			{ "feature", 2, 2, "network", "always" },
			{ "allocation", 7, 2, "network", "always" },
		} },
		[0x4a] = { "get-event-status", 10, {
			{ "polled", 1, 1, "yes", "always" },
			{ "classes", 4, 1, "hex", "always" },
			{ "allocation", 7, 2, "network", "always" },
		} },
		[0x4d] = { "log-sense", 10, {
		} },
		[0x51] = { "read-disc-information", 10, {
			{ "allocation", 7, 2, "network", "always" },
		} },
		[0x52] = { "read-track-information", 10, {
		} },
		[0x55] = { "mode-select-10", 10, {
			{ "parameters", 7, 2, "network", "always" },
		} },
		[0x5a] = { "mode-sense-10", 10, {
			{ "mode_page", 2, 1, "name", "always", "mode_page" },
			{ "allocation", 7, 2, "network", "always" },
		} },
		[0x5e] = { "persistent-reserve-in", 10, {
			{ "reserve_in", 1, 1, "name", "always", "reserve_in" },
			{ "allocation", 7, 2, "network", "always" },
		} },
		[0x5f] = { "persistent-reserve-out", 10, {
			{ "reserve_out", 1, 1, "name", "always", "reserve_out" },
			{ "parameters", 5, 4, "network", "always" },
		} },
		[0x85] = { "ata-pass-through-16", 16, {
		} },
		[0x88] = { "read-16", 16, {
			{ "lba", 2, 8, "network", "always" },
			{ "blocks", 10, 4, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "transfer" },
		} },
		[0x89] = { "compare-and-write", 16, {
		} },
		[0x8a] = { "write-16", 16, {
			{ "lba", 2, 8, "network", "always" },
			{ "blocks", 10, 4, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "transfer" },
		} },
		[0x8f] = { "verify-16", 16, {
			{ "lba", 2, 8, "network", "always" },
			{ "blocks", 10, 4, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "verify" },
		} },
		[0x91] = { "synchronize-cache-16", 16, {
			{ "lba", 2, 8, "network", "always" },
			{ "blocks", 10, 4, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "cache" },
		} },
		[0x93] = { "write-same-16", 16, {
			{ "lba", 2, 8, "network", "always" },
			{ "blocks", 10, 4, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "same" },
		} },
		[0x9e] = { "service-action-in-16", 16, {
			{ "service", 1, 1, "name", "always", "service" },
			{ "allocation", 10, 4, "network", "always" },
		} },
		[0xa0] = { "report-luns", 12, {
			{ "select", 2, 1, "network", "nonzero" },
			{ "allocation", 6, 4, "network", "always" },
		} },
		[0xa1] = { "ata-pass-through-12", 12, {
		} },
		[0xa2] = { "security-protocol-in", 12, {
		} },
		[0xa3] = { "maintenance-in", 12, {
			{ "maintenance", 1, 1, "name", "always", "maintenance" },
			{ "allocation", 6, 4, "network", "always" },
		} },
		[0xa8] = { "read-12", 12, {
			{ "lba", 2, 4, "network", "always" },
			{ "blocks", 6, 4, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "transfer" },
		} },
		[0xaa] = { "write-12", 12, {
			{ "lba", 2, 4, "network", "always" },
			{ "blocks", 6, 4, "network", "always" },
			{ "flags", 1, 1, "bits", "nonzero", "transfer" },
		} },
		[0xac] = { "get-performance", 12, {
		} },
		[0xad] = { "read-disc-structure", 12, {
		} },
		[0xbd] = { "mechanism-status", 12, {
		} },
		[0xbe] = { "read-cd", 12, {
		} },
	},
}
local REGISTERS = {
	[0x40000000] = { "guest-os-id", "plain" },
	[0x40000001] = { "hypercall", "page" },
	[0x40000002] = { "vp-index", "plain" },
	[0x40000003] = { "reset", "plain" },
	[0x40000010] = { "vp-runtime", "plain" },
	[0x40000020] = { "reference-counter", "plain" },
	[0x40000021] = { "reference-tsc", "page" },
	[0x40000022] = { "tsc-frequency", "plain" },
	[0x40000023] = { "apic-frequency", "plain" },
	[0x40000073] = { "vp-assist-page", "page" },
	[0x40000080] = { "scontrol", "enable" },
	[0x40000081] = { "sversion", "plain" },
	[0x40000082] = { "siefp", "page" },
	[0x40000083] = { "simp", "page" },
	[0x40000084] = { "eom", "plain" },
	[0x40000090] = { "sint0", "sint" },
	[0x40000091] = { "sint1", "sint" },
	[0x40000092] = { "sint2", "sint" },
	[0x40000093] = { "sint3", "sint" },
	[0x40000094] = { "sint4", "sint" },
	[0x40000095] = { "sint5", "sint" },
	[0x40000096] = { "sint6", "sint" },
	[0x40000097] = { "sint7", "sint" },
	[0x40000098] = { "sint8", "sint" },
	[0x40000099] = { "sint9", "sint" },
	[0x4000009a] = { "sint10", "sint" },
	[0x4000009b] = { "sint11", "sint" },
	[0x4000009c] = { "sint12", "sint" },
	[0x4000009d] = { "sint13", "sint" },
	[0x4000009e] = { "sint14", "sint" },
	[0x4000009f] = { "sint15", "sint" },
	[0x400000b0] = { "stimer0-config", "plain" },
	[0x400000b1] = { "stimer0-count", "plain" },
	[0x400000b2] = { "stimer1-config", "plain" },
	[0x400000b3] = { "stimer1-count", "plain" },
	[0x400000b4] = { "stimer2-config", "plain" },
	[0x400000b5] = { "stimer2-count", "plain" },
	[0x400000b6] = { "stimer3-config", "plain" },
	[0x400000b7] = { "stimer3-count", "plain" },
	[0x40000100] = { "crash-p0", "plain" },
	[0x40000101] = { "crash-p1", "plain" },
	[0x40000102] = { "crash-p2", "plain" },
	[0x40000103] = { "crash-p3", "plain" },
	[0x40000104] = { "crash-p4", "plain" },
	[0x40000105] = { "crash-control", "plain" },
}
local INTERFACES = {
	["635161f83edfc546913ff2d2f965ed0e"] = "netvsc",
	["d96361baa104294db60572e2ffb1dc7f"] = "storvsc",
	["32264132cb86a2449b5c50d1417354f5"] = "ide",
	["1df6c444444400449d52802e27ede19f"] = "vpci",
	["6dad12f9172bea48bd65f927a61c7684"] = "keyboard",
	["9eb6a8cf4a5bc04cb98b8ba1a1f3f95a"] = "mouse",
	["02780ada77e3ac4a8e770558eb1073f8"] = "video",
	["394f16571591784eab55382f3bd5422d"] = "heartbeat",
	["31600b0e13523449818b38d90ced39db"] = "shutdown",
	["30e62795aed07b49adcee80ab0175caf"] = "timesync",
	["e7f4a0a9455a964db8278a841e8c03e6"] = "kvp",
	["292efa3523ea364296ae3a6ebacba440"] = "vss",
	["e34bd134e4dec8419ae76b174977c192"] = "fcopy",
	["dc7450528589e2468057a307dc18a502"] = "balloon",
	["f0a1d1b80e6d554c9a3e2f5f0a7e4d10"] = "echo",
}
-- END TABLES

local RECORD_HEADER = 20
local VP_NONE = 0xffffffff
local KIND = { MSR_WRITE = 1, MSR_READ = 2, HYPERCALL = 3, MESSAGE = 4, SIGNAL = 5, EVENT = 6, INTERRUPT = 7, PACKET = 8,
	VIOLATION = 9, NOTE = 10 }
local MSG = { OFFER = 1, GPADL_HEADER = 8, INITIATE_CONTACT = 14, VERSION_RESPONSE = 15 }
local PACKET = { TRANSFER_PAGES = 7, GPA_DIRECT = 9, COMPLETION = 11 }
local NVS_RNDIS, NVS_SEND_TABLE = 107, 134
local RNDIS = { PACKET = 1, QUERY = 4, SET = 5, COMPLETE = 0x80000000 }
local OID = {
	PACKET_FILTER = 0x0001010e, VENDOR = 0x0001010d, PERMANENT = 0x01010101, CURRENT = 0x01010102,
	MULTICAST = 0x01010103, RSS_PARAMETERS = 0x00010204,
}
local PPI = { CHECKSUM = 0, LSO = 2, VLAN = 6, HASH_VALUE = 8, HASH_INFO = 9, PACKET_ID = 0x80000001 }
local VSTOR = { COMPLETE_IO = 1, EXECUTE_SRB = 3 }
local VERSION_5_0 = 0x50000
local IC = { NEGOTIATE = 0, KVP = 2, TIMESYNC = 4, VSS = 5, FCOPY = 7 }
local TIMESYNC_4, PIPE_DATA = 0x104, 1
local KVP = { GET = 0, SET = 1, ENUMERATE = 3, PAIR = 4, ITEM = 8, U32 = 4, U64 = 11, U64_LINUX = 8 }
local COMPONENTS = { shutdown = true, timesync = true, heartbeat = true, kvp = true, vss = true, fcopy = true }
-- Limits, the same as in apps/hvkit/trace/decode.h.
local WORDS_MAX, VALUE_MAX, LAYERS_MAX, CHANNELS, OWNERS, REQUESTS, SRBS = 480, 400, 24, 2048, 1024, 64, 1021
local LIST_SHOWN, GROUPS_SHOWN = 32, 16
local RANGES_SHOWN, PAGES_SHOWN, BYTES_SHOWN, PPI_MAX, PAGE = 16, 28, 64, 16, 4096

-- By value; lists keep their order for bits.
local NAME_OF = {}
for id, list in pairs(NAMES) do
	NAME_OF[id] = {}
	for _, pair in ipairs(list) do
		NAME_OF[id][pair[1]] = pair[2]
	end
end
local function type_names(protocol)
	local names = {}
	for value, layout in pairs(LAYOUTS[protocol]) do
		names[value] = layout[1]
	end
	return names
end
local function register_names()
	local names = {}
	for value, register in pairs(REGISTERS) do
		names[value] = register[1]
	end
	return names
end

-- --- Protocol and fields ------------------------------------------------------------------

local hvkit = Proto("hvkit", "hvkit trace")
local F = {
	kind = ProtoField.uint8("hvkit.kind", "Kind", base.DEC, NAME_OF.kind),
	to_guest = ProtoField.bool("hvkit.to_guest", "Host to guest"),
	vp = ProtoField.uint32("hvkit.vp", "Virtual processor"),
	channel = ProtoField.uint32("hvkit.channel", "Channel"),
	device = ProtoField.string("hvkit.device", "Device"),
	words = ProtoField.string("hvkit.words", "Words"),
	reg_number = ProtoField.uint32("hvkit.reg.number", "Register", base.HEX, register_names()),
	reg_value = ProtoField.uint64("hvkit.reg.value", "Value", base.HEX),
	call_code = ProtoField.uint16("hvkit.call.code", "Hypercall", base.HEX, NAME_OF.hypercall),
	call_control = ProtoField.uint64("hvkit.call.control", "Control", base.HEX),
	call_input = ProtoField.uint64("hvkit.call.input", "Input", base.HEX),
	call_output = ProtoField.uint64("hvkit.call.output", "Output", base.HEX),
	call_result = ProtoField.uint16("hvkit.call.result", "Result", base.HEX, NAME_OF.hv_status),
	connection = ProtoField.uint32("hvkit.connection", "Connection", base.HEX),
	flag = ProtoField.uint32("hvkit.flag", "Flag"),
	sint = ProtoField.uint32("hvkit.sint", "SINT"),
	vector = ProtoField.uint32("hvkit.vector", "Vector"),
	violation = ProtoField.string("hvkit.violation", "Violation"),
	note = ProtoField.string("hvkit.note", "Note"),
	packet_type = ProtoField.uint16("hvkit.packet.type", "Type", base.DEC, NAME_OF.packet),
	packet_header = ProtoField.uint32("hvkit.packet.header_length", "Header length"),
	packet_length = ProtoField.uint32("hvkit.packet.length", "Length"),
	packet_flags = ProtoField.uint16("hvkit.packet.flags", "Flags", base.HEX),
	packet_id = ProtoField.uint64("hvkit.packet.id", "Transaction", base.HEX),
	packet_wants = ProtoField.bool("hvkit.packet.wants_completion", "Completion requested"),
	packet_set = ProtoField.uint16("hvkit.packet.page_set", "Page set", base.HEX),
	packet_ranges = ProtoField.uint32("hvkit.packet.ranges", "Ranges"),
	packet_range = ProtoField.none("hvkit.packet.range", "Range"),
	payload = ProtoField.bytes("hvkit.packet.payload", "Payload"),
	msg_type = ProtoField.uint32("hvkit.msg.type", "Message", base.DEC, type_names("msg")),
	msg_device = ProtoField.string("hvkit.msg.device", "Device"),
	msg_page = ProtoField.uint64("hvkit.msg.interrupt_page", "Interrupt page", base.HEX),
	msg_sint = ProtoField.uint8("hvkit.msg.target_sint", "SINT"),
	msg_vtl = ProtoField.uint8("hvkit.msg.vtl", "VTL"),
	msg_connection = ProtoField.uint32("hvkit.msg.connection_id", "Connection for messages"),
	msg_version = ProtoField.uint32("hvkit.msg.version_answered", "Version", base.HEX),
	frame = ProtoField.uint64("hvkit.msg.frame", "Page frame", base.HEX),
	nvs_type = ProtoField.uint32("hvkit.nvs.type", "NVS message", base.DEC, type_names("nvs")),
	rndis_type = ProtoField.uint32("hvkit.rndis.type", "RNDIS message", base.HEX, type_names("rndis")),
	rndis_length = ProtoField.uint32("hvkit.rndis.length", "Length"),
	rndis_information = ProtoField.bytes("hvkit.rndis.information", "Information"),
	ppi_type = ProtoField.uint32("hvkit.rndis.ppi.type", "Per-packet information", base.HEX, NAME_OF.ppi),
	ppi_value = ProtoField.uint32("hvkit.rndis.ppi.value", "Value", base.HEX),
	nvs_table = ProtoField.bytes("hvkit.nvs.table", "Table"),
	ndis_table = ProtoField.bytes("hvkit.ndis.table", "Table"),
	ndis_key = ProtoField.bytes("hvkit.ndis.key", "Key"),
	vstor_operation = ProtoField.uint32("hvkit.vstor.operation", "vstor operation", base.DEC, type_names("vstor")),
	vstor_asked = ProtoField.uint32("hvkit.vstor.asked", "Answer to", base.DEC, type_names("vstor")),
	vstor_command = ProtoField.uint8("hvkit.vstor.command", "Answer to the command", base.HEX, type_names("scsi")),
	scsi_command = ProtoField.uint8("hvkit.scsi.command", "SCSI command", base.HEX, type_names("scsi")),
	sense_response = ProtoField.uint8("hvkit.sense.response", "Sense data", base.HEX),
	sense_key = ProtoField.uint8("hvkit.sense.key", "Sense key", base.HEX, NAME_OF.sense_key, 0x0f),
	sense_code = ProtoField.uint16("hvkit.sense.code", "Additional sense", base.HEX, NAME_OF.sense_code),
	keyboard_type = ProtoField.uint32("hvkit.keyboard.type", "Keyboard message", base.DEC, type_names("keyboard")),
	mouse_type = ProtoField.uint32("hvkit.mouse.type", "Mouse message", base.DEC, type_names("mouse")),
	ic_type = ProtoField.uint16("hvkit.ic.type", "Integration component", base.DEC, type_names("ic")),
	ic_versions = ProtoField.bytes("hvkit.ic.versions", "Versions"),
	kvp_operation = ProtoField.uint8("hvkit.kvp.operation", "Operation on pairs", base.DEC, type_names("kvp")),
	kvp_value = ProtoField.string("hvkit.kvp.value", "value"),
	vss_operation = ProtoField.uint8("hvkit.vss.operation", "Operation for a backup", base.DEC, type_names("vss")),
	fcopy_operation = ProtoField.uint32("hvkit.fcopy.operation", "Operation on a file", base.DEC, type_names("fcopy")),
	sense_information = ProtoField.uint32("hvkit.sense.information", "Information"),
}
-- A low part with a name, and bits above it: every combination.
local MARKED = 64
local function marked_names(id)
	local names, marks = {}, { "", "", "", "" }
	for _, pair in ipairs(NAMES[id]) do
		for n = 1, 3 do
			if pair[1] >= MARKED and math.floor(n * MARKED / pair[1]) % 2 == 1 then
				marks[n + 1] = marks[n + 1] .. "+" .. pair[2]
			end
		end
	end
	for _, pair in ipairs(NAMES[id]) do
		for n = 0, pair[1] < MARKED and 3 or -1 do
			names[n * MARKED + pair[1]] = pair[2] .. marks[n + 1]
		end
	end
	return names
end
-- One field per protocol and name, e.g. hvkit.msg.gpadl; the widest place that has it rules.
local FIELDS = {}
local function make_field(protocol, spec, wide)
	local name, form, names = spec[1], spec[4], spec[6]
	local abbreviation = "hvkit." .. protocol .. "." .. name
	local title = (name:gsub("_", " "))
	if form == "guid" then
		return ProtoField.guid(abbreviation, title)
	elseif form == "bytes" then
		return ProtoField.bytes(abbreviation, title)
	elseif form == "text16" then
		return ProtoField.string(abbreviation, title)
	elseif form == "network" then
		return ProtoField.uint64(abbreviation, title)
	elseif form == "marked" then
		return ProtoField.uint32(abbreviation, title, base.HEX, marked_names(names))
	elseif wide then
		return ProtoField.uint64(abbreviation, title, form == "dec" and base.DEC or base.HEX)
	elseif form == "name" then
		return ProtoField.uint32(abbreviation, title, base.HEX, NAME_OF[names])
	elseif form == "hex" or form == "bits" or form == "version" or form == "swapped" then
		return ProtoField.uint32(abbreviation, title, base.HEX)
	end
	return ProtoField.uint32(abbreviation, title)
end
for _, protocol in ipairs({ "msg", "nvs", "rndis", "ndis", "vstor", "scsi", "keyboard", "mouse", "ic", "ic_body", "kvp", "vss",
	"fcopy" }) do
	FIELDS[protocol] = {}
	local wide, first = {}, {}
	for _, layouts in ipairs({ LAYOUTS[protocol], LAYOUTS[protocol .. "_answer"] }) do
		for _, layout in pairs(layouts) do
			for _, spec in ipairs(layout[3]) do
				wide[spec[1]] = wide[spec[1]] or spec[3] == 8
				first[spec[1]] = first[spec[1]] or spec
			end
		end
	end
	for name, spec in pairs(first) do
		FIELDS[protocol][name] = make_field(protocol, spec, wide[name])
	end
end
local all = {}
for _, field in pairs(F) do
	all[#all + 1] = field
end
for _, fields in pairs(FIELDS) do
	for _, field in pairs(fields) do
		all[#all + 1] = field
	end
end
hvkit.fields = all
local E = {
	short = ProtoExpert.new("hvkit.short", "Less is there than should be", expert.group.PROTOCOL, expert.severity.NOTE),
	violation = ProtoExpert.new("hvkit.violated", "Violation of the protocol", expert.group.PROTOCOL, expert.severity.ERROR),
}
hvkit.experts = { E.short, E.violation }

-- --- What later records need of earlier ones --------------------------------------------------

-- Wireshark comes to a record more than once and in any order. At the first time, which is in
-- order, answers from the state are kept with the record's number.
local state, kept
local function reset()
	state = { contact = 0, channels = {}, gpadls = {}, connections = {}, requests = {}, srbs = {} }
	kept = {}
end
hvkit.init = reset
reset()

local function ask(job, key, answer)
	if job.visited then
		return kept[job.number] and kept[job.number][key]
	end
	local value = answer()
	kept[job.number] = kept[job.number] or {}
	kept[job.number][key] = value
	return value
end
local function remember(job, owners, key, channel)
	if not job.visited and channel ~= 0 then
		owners[key % OWNERS] = { key, channel }
	end
end
local function owner(owners, key)
	local found = owners[key % OWNERS]
	return found and found[1] == key and found[2] or 0
end
local function find_channel(job, channel)
	if job.channel == 0 then
		job.channel = channel
	end
end

-- --- Views: part of a record, never beyond it ---------------------------------------------------

local function part(view, at, size)
	at = math.min(at, view.size)
	return { tvb = view.tvb, at = view.at + at, size = math.min(size, view.size - at) }
end
local function has(view, at, size)
	return at + size <= view.size
end
local function range(view, at, size)
	return view.tvb(view.at + at, size)
end
local function get(view, at, size) -- little-endian, up to 4 bytes
	return has(view, at, size) and range(view, at, size):le_uint() or 0
end
local function get_be(view, at, size)
	return has(view, at, size) and range(view, at, size):uint() or 0
end
local function byte(view, at)
	return get(view, at, 1)
end
local function raw(view, at, size)
	return size > 0 and range(view, at, size):raw() or ""
end
local function hex(high, low)
	return high == 0 and string.format("0x%x", low) or string.format("0x%x%08x", high, low)
end
local function hex64(view, at)
	return hex(get(view, at + 4, 4), get(view, at, 4))
end
local function bit(value, mask) -- mask is a power of two
	return math.floor(value / mask) % 2 == 1
end
local function yes(value)
	return value and "yes" or "no"
end

-- --- Words and tree -------------------------------------------------------------------------------

local function words(job, text)
	if job.cut then
		return
	end
	if #text > WORDS_MAX - 4 - #job.words then
		job.cut = true
		text = " ..."
	end
	job.words = job.words .. text
end
local function say(job, format, ...)
	words(job, string.format(format, ...))
end
-- A complaint: in the words, and for those who look for it.
local function complain(job, format, ...)
	local text = string.format(format, ...)
	words(job, " (" .. text .. ")")
	job.tree:add_proto_expert_info(E.short, text)
end
local function layer(job, view, format, ...)
	local text = string.format(format, ...)
	if job.layers == LAYERS_MAX then
		return
	end
	if job.layers > 0 then
		words(job, " | ")
	end
	job.layers = job.layers + 1
	words(job, text)
	if view.size > 0 then
		job.tree = job.root:add(hvkit, range(view, 0, view.size), text)
	else
		job.tree = job.root:add(hvkit, text)
	end
end
local function short_layer(job, view, title, wanted)
	layer(job, view, "%s (short: %d of %d bytes)", title, view.size, wanted)
	job.tree:add_proto_expert_info(E.short)
end
local function said(job, name, text)
	words(job, " ")
	words(job, name)
	words(job, "=")
	words(job, text)
end
local function add(job, field, view, at, size, text)
	local item = job.tree:add_le(field, range(view, at, size))
	if text then
		item:append_text(" (" .. text .. ")")
	end
	return item
end

-- --- Values -------------------------------------------------------------------------------------------

local function format_bits(high, low, names, lowest)
	local text = ""
	for _, pair in ipairs(NAMES[names]) do
		if pair[1] >= (lowest or 0) and bit(low, pair[1]) then
			text = text .. (text ~= "" and "+" or "") .. pair[2]
			low = low - pair[1]
		end
	end
	if high ~= 0 or low ~= 0 or text == "" then
		text = text .. (text ~= "" and "+" or "") .. hex(high, low)
	end
	return text
end
local function format_value(high, low, form, names)
	if form == "marked" then
		local marks = low - low % MARKED
		return (NAME_OF[names][low % MARKED] or hex(0, low % MARKED)) .. (marks ~= 0 and "+" .. format_bits(0, marks, names, MARKED) or "")
	elseif form == "version" then
		return string.format("%d.%d", math.floor(low / 65536), low % 65536)
	elseif form == "swapped" then
		return string.format("%d.%d", low % 65536, math.floor(low / 65536))
	elseif form == "yes" then
		return yes(low % 2 == 1)
	elseif form == "name" then
		return high == 0 and NAME_OF[names][low] or hex(high, low)
	elseif form == "bits" then
		return format_bits(high, low, names)
	elseif form == "dec" then
		return string.format("%d", low)
	end
	return hex(high, low)
end
local function format_bytes(view, at, size)
	local bytes = raw(view, at, size)
	local used = size
	while used > 0 and bytes:byte(used) == 0 do
		used = used - 1
	end
	if used == 0 then
		return string.format("%d zero bytes", size)
	end
	local text = bytes:sub(1, math.min(used, BYTES_SHOWN)):gsub(".", function(one)
		return string.format("%02x", one:byte())
	end)
	return text .. (used > BYTES_SHOWN and "..." or "")
end
local function format_guid(view, at)
	local rest = ""
	for n = 8, 15 do
		rest = rest .. (n == 10 and "-" or "") .. string.format("%02x", byte(view, at + n))
	end
	return string.format("%08x-%04x-%04x-%s", get(view, at, 4), get(view, at + 4, 2), get(view, at + 6, 2), rest)
end
local function format_text16(view, at, size)
	local text = ""
	for n = 0, size - 2, 2 do
		local unit = get(view, at + n, 2)
		if unit == 0 or #text + 8 >= VALUE_MAX then
			break
		end
		if unit >= 0x20 and unit < 0x7f and unit ~= 0x5c then
			text = text .. string.char(unit)
		else
			text = text .. string.format("\\u%04x", unit)
		end
	end
	return text
end
local function format(view, at, size, form, names)
	if form == "guid" then
		return format_guid(view, at)
	elseif form == "bytes" then
		return format_bytes(view, at, size)
	elseif form == "text16" then
		return format_text16(view, at, size)
	elseif form == "network" then
		return tostring(range(view, at, size):uint64())
	elseif size == 8 then
		return format_value(get(view, at + 4, 4), get(view, at, 4), form, names)
	end
	return format_value(0, get(view, at, size), form, names)
end
local function escape(view)
	local bytes, text = raw(view, 0, math.min(view.size, VALUE_MAX)), ""
	for n = 1, #bytes do
		if #text + 8 >= VALUE_MAX then
			break
		end
		local value = bytes:byte(n)
		if value >= 0x20 and value < 0x7f and value ~= 0x5c then
			text = text .. string.char(value)
		else
			text = text .. string.format("\\x%02x", value)
		end
	end
	return text
end

-- --- A message by its layout ------------------------------------------------------------------------------

local function say_pages(job, view, at, name, field)
	local count = math.floor((view.size - at) / 8)
	said(job, name, string.format("%d", count))
	local item = job.tree:add(field, count)
	item:set_generated()
	for n = 0, math.min(count, PAGES_SHOWN) - 1 do
		item:add_le(F.frame, range(view, at + 8 * n, 8))
	end
end
local function is_zero(view, at, size)
	return not raw(view, at, size):find("[^\0]")
end
local function fields(job, view, protocol, layout)
	for _, spec in ipairs(layout[3]) do
		local name, at, size, form, show, names = spec[1], spec[2], spec[3], spec[4], spec[5], spec[6]
		if has(view, at, size) then
			local field = FIELDS[protocol][name]
			size = size == 0 and view.size - at or size
			if form == "pages" then
				say_pages(job, view, at, name, field)
			else
				local text = format(view, at, size, form, names)
				if show == "always" or (show == "nonzero" and not is_zero(view, at, size)) then
					said(job, name, text)
				end
				if form == "network" then
					job.tree:add(field, range(view, at, size))
				elseif form == "text16" then
					job.tree:add(field, range(view, at, size), text)
				elseif size > 0 then
					add(job, field, view, at, size, (form == "version" or form == "swapped" or form == "bits") and text or nil)
				end
			end
		end
	end
	if view.size >= layout[2] then
		return true
	end
	complain(job, "short: %d of %d bytes", view.size, layout[2])
	return false
end

-- --- Registers, hypercalls, events ---------------------------------------------------------------------------

local function decode_register(job, view)
	local verb = job.kind == KIND.MSR_WRITE and "write" or "read"
	if not has(view, 0, 16) then
		return short_layer(job, view, verb, 16)
	end
	local number, low = get(view, 0, 4), get(view, 8, 4)
	local known = REGISTERS[number]
	layer(job, view, "%s %s", verb, known and known[1] or string.format("register-0x%x", number))
	add(job, F.reg_number, view, 0, 4)
	add(job, F.reg_value, view, 8, 8)
	said(job, "value", hex64(view, 8))
	local form = known and known[2] or "plain"
	if form == "page" then
		said(job, "enabled", yes(low % 2 == 1))
		if low % 2 == 1 then
			said(job, "page", hex(get(view, 12, 4), low - low % 4096))
		end
	elseif form == "sint" then
		said(job, "vector", string.format("%d", low % 256))
		said(job, "masked", yes(bit(low, 65536)))
	elseif form == "enable" then
		said(job, "enabled", yes(low % 2 == 1))
	end
end
local function decode_hypercall(job, view)
	if not has(view, 0, 32) then
		return short_layer(job, view, "hypercall", 32)
	end
	local code, control, connection = get(view, 0, 2), get(view, 0, 4), get(view, 8, 4)
	layer(job, view, "hypercall %s", format_value(0, code, "name", "hypercall"))
	add(job, F.call_code, view, 0, 2)
	add(job, F.call_control, view, 0, 8)
	if not bit(control, 65536) then
		add(job, F.call_input, view, 8, 8)
		said(job, "input", hex64(view, 8))
	elseif code == 0x5d then
		add(job, F.connection, view, 8, 4)
		add(job, F.flag, view, 12, 2)
		said(job, "connection", hex(0, connection))
		said(job, "flag", string.format("%d", get(view, 12, 2)))
		find_channel(job, ask(job, "owner", function() return owner(state.connections, connection) end))
	else
		add(job, F.call_input, view, 8, 8)
		said(job, "fast_input", hex64(view, 8))
	end
	add(job, F.call_output, view, 16, 8)
	add(job, F.call_result, view, 24, 2)
	said(job, "result", format_value(0, get(view, 24, 2), "name", "hv_status"))
end
local function decode_pair(job, view, title, first, second)
	if not has(view, 0, 8) then
		return short_layer(job, view, title, 8)
	end
	layer(job, view, "%s", title)
	add(job, F[first], view, 0, 4)
	said(job, first, string.format(first == "connection" and "0x%x" or "%d", get(view, 0, 4)))
	if second then
		add(job, F[second], view, 4, 4)
		said(job, second, string.format("%d", get(view, 4, 4)))
	end
end
local function decode_text(job, view, title)
	local text = escape(view)
	layer(job, view, "%s", title)
	say(job, ": %s", text)
	local item = job.tree:add(F[title], text)
	if title == "violation" then
		item:add_proto_expert_info(E.violation, text)
	end
end

-- --- Control messages --------------------------------------------------------------------------------------------

local function note_offer(job, view)
	local channel, flags = get(view, 184, 4), get(view, 56, 2)
	local guid = raw(view, 8, 16):gsub(".", function(one) return string.format("%02x", one:byte()) end)
	local device = INTERFACES[guid] or (bit(flags, 0x2000) and "socket" or "device")
	said(job, "device", device)
	job.tree:add(F.msg_device, range(view, 8, 16), device)
	if channel == 0 or channel >= CHANNELS or job.visited then
		return
	end
	if has(view, 192, 4) then
		remember(job, state.connections, get(view, 192, 4), channel)
	end
	state.channels[channel] = { device, get(view, 180, 2) }
end
local function note_contact(job, view)
	local version = get(view, 8, 4)
	if not job.visited then
		state.contact = version
	end
	if version >= VERSION_5_0 then
		add(job, F.msg_sint, view, 16, 1)
		add(job, F.msg_vtl, view, 17, 1)
		said(job, "sint", string.format("%d", byte(view, 16)))
		said(job, "vtl", string.format("%d", byte(view, 17)))
	else
		add(job, F.msg_page, view, 16, 8)
		said(job, "interrupt_page", hex64(view, 16))
	end
end
local function note_response(job, view)
	local contact = ask(job, "contact", function() return state.contact end) or 0
	if contact >= VERSION_5_0 then
		add(job, F.msg_connection, view, 12, 4)
		said(job, "connection", string.format("%d", get(view, 12, 4)))
	else
		local text = format_value(0, get(view, 12, 4), "version")
		add(job, F.msg_version, view, 12, 4, text)
		said(job, "version", text)
	end
end
local function find_message_channel(job, view, kind, layout)
	local channel, gpadl = 0, 0
	for _, spec in ipairs(layout[3]) do
		if spec[1] == "channel" then
			channel = get(view, spec[2], spec[3])
		elseif spec[1] == "gpadl" then
			gpadl = get(view, spec[2], spec[3])
		end
	end
	if kind == MSG.GPADL_HEADER then
		remember(job, state.gpadls, gpadl, channel)
	end
	if channel == 0 then
		channel = ask(job, "owner", function() return owner(state.gpadls, gpadl) end) or 0
	end
	find_channel(job, channel)
end
local function decode_message(job, view)
	if not has(view, 0, 8) then
		return short_layer(job, view, "message", 8)
	end
	local kind = get(view, 0, 4)
	local layout = LAYOUTS.msg[kind]
	if not layout then
		layer(job, view, "message-%d", kind)
		add(job, F.msg_type, view, 0, 4)
		return said(job, "length", string.format("%d", view.size))
	end
	layer(job, view, "%s", layout[1])
	add(job, F.msg_type, view, 0, 4)
	if not fields(job, view, "msg", layout) then
		return
	end
	find_message_channel(job, view, kind, layout)
	if kind == MSG.OFFER then
		note_offer(job, view)
	elseif kind == MSG.INITIATE_CONTACT then
		note_contact(job, view)
	elseif kind == MSG.VERSION_RESPONSE then
		note_response(job, view)
	end
end

-- --- Frames: our words; the tree is Wireshark's own ------------------------------------------------------------------

local function ipv4(view, at)
	return string.format("%d.%d.%d.%d", byte(view, at), byte(view, at + 1), byte(view, at + 2), byte(view, at + 3))
end
local function ipv6(view, at)
	local text = ""
	for n = 0, 7 do
		text = text .. (n > 0 and ":" or "") .. string.format("%x", get_be(view, at + 2 * n, 2))
	end
	return text
end
local function mac(view, at)
	local text = ""
	for n = 0, 5 do
		text = text .. (n > 0 and ":" or "") .. string.format("%02x", byte(view, at + n))
	end
	return text
end
-- The layers of a frame have no tree of ours.
local function frame_layer(job, format_, ...)
	if job.layers == LAYERS_MAX then
		return
	end
	if job.layers > 0 then
		words(job, " | ")
	end
	job.layers = job.layers + 1
	say(job, format_, ...)
end
local function say_arp(job, view)
	if view.size < 28 then
		return frame_layer(job, "arp (short: %d of 28 bytes)", view.size)
	end
	local operation = get_be(view, 6, 2)
	if operation == 1 then
		frame_layer(job, "arp who-has %s tell %s", ipv4(view, 24), ipv4(view, 14))
	elseif operation == 2 then
		frame_layer(job, "arp %s is-at %s", ipv4(view, 14), mac(view, 8))
	else
		frame_layer(job, "arp operation-%d", operation)
	end
end
local function say_icmp(job, view, from, to)
	local kind = byte(view, 0)
	if view.size < 8 then
		frame_layer(job, "icmp %s > %s (short: %d of 8 bytes)", from, to, view.size)
	elseif kind == 8 or kind == 0 then
		frame_layer(job, "icmp echo-%s %s > %s id=%d number=%d", kind == 8 and "request" or "reply", from, to,
			get_be(view, 4, 2), get_be(view, 6, 2))
	else
		frame_layer(job, "icmp type-%d code-%d %s > %s", kind, byte(view, 1), from, to)
	end
end
local DHCP = { "discover", "offer", "request", "decline", "ack", "nak", "release", "inform" }
local function say_dhcp(job, view)
	local at, kind = 240, 0
	while has(view, at, 2) and byte(view, at) ~= 255 do
		if byte(view, at) == 53 and has(view, at + 2, 1) then
			kind = byte(view, at + 2)
		end
		at = at + (byte(view, at) == 0 and 1 or 2 + byte(view, at + 1))
	end
	frame_layer(job, "dhcp %s", DHCP[kind] or string.format("type-%d", kind))
end
local function say_udp(job, view, from, to)
	if view.size < 8 then
		return frame_layer(job, "udp %s > %s (short: %d of 8 bytes)", from, to, view.size)
	end
	local source, destination = get_be(view, 0, 2), get_be(view, 2, 2)
	local length = math.max(get_be(view, 4, 2), 8) - 8
	frame_layer(job, "udp %s:%d > %s:%d length=%d", from, source, to, destination, length)
	if (source == 67 or source == 68) and (destination == 67 or destination == 68) then
		say_dhcp(job, part(view, 8, length))
	end
end
local HTTP = { "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "HTTP/1." }
local function say_http(job, view)
	local text = raw(view, 0, math.min(view.size, 100))
	for _, start in ipairs(HTTP) do
		if text:sub(1, #start) == start then
			local line = text:find("\r", 1, true)
			frame_layer(job, "http")
			return say(job, " %s", escape(part(view, 0, line and line - 1 or #text)))
		end
	end
end
local TCP = { { 0x02, "SYN" }, { 0x01, "FIN" }, { 0x04, "RST" }, { 0x08, "PSH" }, { 0x10, "ACK" }, { 0x20, "URG" } }
local function say_tcp(job, view, from, to)
	local header = 4 * math.floor(byte(view, 12) / 16)
	if view.size < 20 or header < 20 then
		return frame_layer(job, "tcp %s > %s (short: %d bytes)", from, to, view.size)
	end
	local flags, data = "", part(view, header, view.size)
	for _, pair in ipairs(TCP) do
		if bit(byte(view, 13), pair[1]) then
			flags = flags .. (flags ~= "" and "+" or "") .. pair[2]
		end
	end
	frame_layer(job, "tcp %s:%d > %s:%d %s length=%d", from, get_be(view, 0, 2), to, get_be(view, 2, 2), flags, data.size)
	say_http(job, data)
end
local function say_ipv4(job, view)
	local header, total, protocol = 4 * (byte(view, 0) % 16), get_be(view, 2, 2), byte(view, 9)
	if view.size < 20 or header < 20 or total < header then
		return frame_layer(job, "ipv4 (short: %d bytes)", view.size)
	end
	local from, to, data = ipv4(view, 12), ipv4(view, 16), part(view, header, total - header)
	if get_be(view, 6, 2) % 0x2000 ~= 0 then
		frame_layer(job, "ipv4 %s > %s fragment", from, to)
	elseif protocol == 1 then
		say_icmp(job, data, from, to)
	elseif protocol == 17 then
		say_udp(job, data, from, to)
	elseif protocol == 6 then
		say_tcp(job, data, from, to)
	else
		frame_layer(job, "ipv4 %s > %s protocol=%d", from, to, protocol)
	end
end
local function say_ipv6(job, view)
	if view.size < 40 then
		return frame_layer(job, "ipv6 (short: %d of 40 bytes)", view.size)
	end
	frame_layer(job, "ipv6 %s > %s next=%d", ipv6(view, 8), ipv6(view, 24), byte(view, 6))
end
local function say_frame(job, view)
	if view.size < 14 then
		return frame_layer(job, "ethernet (short: %d of 14 bytes)", view.size)
	end
	local kind, rest = get_be(view, 12, 2), part(view, 14, view.size)
	if kind == 0x8100 and view.size >= 18 then
		say(job, " vlan=%d", get_be(view, 14, 2) % 4096)
		kind, rest = get_be(view, 16, 2), part(view, 18, view.size)
	end
	if kind == 0x0806 then
		say_arp(job, rest)
	elseif kind == 0x0800 then
		say_ipv4(job, rest)
	elseif kind == 0x86dd then
		say_ipv6(job, rest)
	else
		frame_layer(job, "ethernet %s > %s type=0x%04x length=%d", mac(view, 6), mac(view, 0), kind, rest.size)
	end
end
local ethernet = Dissector.get("eth_withoutfcs")
local function decode_frame(job, view)
	say_frame(job, view)
	-- It raises an error where a frame ends too early, and says so in the tree itself.
	pcall(ethernet.call, ethernet, range(view, 0, view.size):tvb(), job.pinfo, job.root)
end

-- --- RNDIS ---------------------------------------------------------------------------------------------------------------

local function format_information(view, oid)
	if (oid == OID.PERMANENT or oid == OID.CURRENT) and view.size == 6 then
		return mac(view, 0)
	elseif oid == OID.PACKET_FILTER and view.size == 4 then
		return format_bits(0, get(view, 0, 4), "filter")
	elseif oid == OID.VENDOR then
		local size = view.size
		while size > 0 and byte(view, size - 1) == 0 do
			size = size - 1
		end
		return escape(part(view, 0, size))
	elseif view.size == 4 then
		return string.format("%d", get(view, 0, 4))
	end
	return format_bytes(view, 0, view.size)
end
-- u32s, as "name=1,2,3"
local function say_list(job, view, at, count, name, field)
	local list = part(view, at, 4 * count)
	local have, text = math.floor(list.size / 4), ""
	for n = 0, math.min(have, LIST_SHOWN) - 1 do
		text = text .. (n > 0 and "," or "") .. string.format("%d", get(list, 4 * n, 4))
	end
	if have > LIST_SHOWN then
		text = text .. "..."
	end
	if list.size < 4 * count then
		complain(job, "%s of %d is not all there", name, count)
	end
	if list.size >= 4 then
		said(job, name, text)
		add(job, field, list, 0, list.size, text)
	end
end
local function format_groups(view)
	local count, text = math.floor(view.size / 6), ""
	for n = 0, math.min(count, GROUPS_SHOWN) - 1 do
		text = text .. (n > 0 and "," or "") .. mac(view, 6 * n)
	end
	return text .. (count > GROUPS_SHOWN and "..." or "")
end
-- The key and the table lie where the object says.
local function say_rss(job, view)
	local key = part(view, get(view, 24, 4), get(view, 20, 2))
	if key.size > 0 then
		said(job, "key", format_bytes(key, 0, key.size))
		add(job, F.ndis_key, key, 0, key.size)
	end
	local count = math.floor(get(view, 12, 2) / 4)
	if count > 0 then
		say_list(job, view, get(view, 16, 4), count, "table", F.ndis_table)
	end
end
-- False if the OID's information is no object.
local function decode_object(job, view, oid)
	local layout = LAYOUTS.ndis[oid]
	if oid == OID.MULTICAST and view.size > 0 and view.size % 6 == 0 then
		local text = format_groups(view)
		said(job, "information", text)
		add(job, F.rndis_information, view, 0, view.size, text)
		return true
	end
	if not layout then
		return false
	end
	say(job, " %s", layout[1])
	if fields(job, view, "ndis", layout) and oid == OID.RSS_PARAMETERS then
		say_rss(job, view)
	end
	return true
end
local function decode_information(job, view, length_at, oid)
	local length = get(view, length_at, 4)
	local information = part(view, 8 + get(view, length_at + 4, 4), length)
	if length == 0 then
		return
	end
	if information.size < length then
		return complain(job, "information of %d bytes is not all there", length)
	end
	if decode_object(job, information, oid) then
		return
	end
	local text = format_information(information, oid)
	said(job, "information", text)
	add(job, F.rndis_information, information, 0, length, text)
end
local function decode_request(job, view)
	local id, oid = get(view, 8, 4), get(view, 12, 4)
	if not job.visited then
		state.requests[id % REQUESTS] = { job.record_channel, id, oid }
	end
	decode_information(job, view, 16, oid)
end
local function decode_answer(job, view, query)
	local id = get(view, 8, 4)
	local oid = ask(job, "oid" .. view.at, function()
		local request = state.requests[id % REQUESTS]
		return request and request[1] == job.record_channel and request[2] == id and request[3] or nil
	end)
	if oid then
		said(job, "oid", format_value(0, oid, "name", "oid"))
		job.tree:add(FIELDS.rndis.oid, oid):set_generated()
	end
	if query then
		decode_information(job, view, 16, oid or 0)
	end
end
local function format_ppi(kind, to_guest, value)
	if kind == PPI.CHECKSUM and to_guest then
		return format_bits(0, value, "rx_checksum")
	elseif kind == PPI.CHECKSUM then
		local offset = math.floor(value / 65536)
		return format_bits(0, value % 65536, "tx_checksum") .. (offset ~= 0 and string.format("@%d", offset) or "")
	elseif kind == PPI.LSO then
		return string.format("%s+%s+mss=%d@%d", bit(value, 0x40000000) and "v2" or "v1",
			bit(value, 0x80000000) and "ipv6" or "ipv4", value % 0x100000, math.floor(value / 0x100000) % 1024)
	elseif kind == PPI.VLAN then
		return string.format("id=%d", math.floor(value / 16) % 4096)
			.. (value % 8 ~= 0 and string.format("+priority=%d", value % 8) or "")
			.. (bit(value, 8) and "+dei" or "")
	elseif kind == PPI.HASH_VALUE then
		return string.format("0x%x", value)
	elseif kind == PPI.HASH_INFO then
		return format_bits(0, value, "ndis_hash")
	elseif kind == PPI.PACKET_ID then
		local version = value % 256
		return format_bits(0, math.floor(value / 256) % 256, "part") .. string.format("+id=%d", math.floor(value / 65536))
			.. (version ~= 1 and string.format("+version=%d", version) or "")
	end
end
local function decode_ppi(job, list)
	local at = 0
	for n = 1, PPI_MAX do
		if at >= list.size then
			return
		end
		local size, kind = get(list, at, 4), get(list, at + 4, 4)
		local one = part(list, at, size)
		if size < 12 or one.size < size then
			return complain(job, "ppi of %d bytes in %d", size, one.size)
		end
		say(job, "%s%s", n == 1 and " ppi=" or "+", format_value(0, kind, "name", "ppi"))
		local item, offset = add(job, F.ppi_type, list, at + 4, 4), get(one, 8, 4)
		if has(one, offset, 4) then
			local text = format_ppi(kind, job.to_guest, get(one, offset, 4))
			local value = item:add_le(F.ppi_value, range(one, offset, 4))
			if text then
				say(job, "(%s)", text)
				value:append_text(" (" .. text .. ")")
			end
		end
		at = at + size
	end
end
local function decode_data(job, view)
	local data = part(view, 8 + get(view, 8, 4), get(view, 12, 4))
	local ppi = part(view, 8 + get(view, 28, 4), get(view, 32, 4))
	if get(view, 32, 4) > 0 then
		decode_ppi(job, ppi)
	end
	if data.size < get(view, 12, 4) then
		complain(job, "short: %d bytes of data there", data.size)
	end
	if data.size > 0 then
		decode_frame(job, data)
	end
end
local function decode_rndis(job, view)
	if not has(view, 0, 8) then
		return short_layer(job, view, "rndis", 8)
	end
	local kind = get(view, 0, 4)
	local layout = LAYOUTS.rndis[kind]
	if not layout then
		return layer(job, view, "rndis type-0x%x", kind)
	end
	layer(job, view, "rndis %s", layout[1])
	add(job, F.rndis_type, view, 0, 4)
	add(job, F.rndis_length, view, 4, 4)
	if not fields(job, view, "rndis", layout) then
		return
	end
	if kind == RNDIS.QUERY or kind == RNDIS.SET then
		decode_request(job, view)
	elseif kind == RNDIS.QUERY + RNDIS.COMPLETE or kind == RNDIS.SET + RNDIS.COMPLETE then
		decode_answer(job, view, kind == RNDIS.QUERY + RNDIS.COMPLETE)
	elseif kind == RNDIS.PACKET then
		decode_data(job, view)
	end
end

-- --- Storage controllers -------------------------------------------------------------------------------------------------

-- Answers are told by the id of their packet.
local function srb_slot(high, low)
	return ((high % SRBS) * (4294967296 % SRBS) + low) % SRBS
end
local function remember_srb(job, view, high, low)
	if job.visited then
		return
	end
	local operation = get(view, 0, 4)
	local command = operation == VSTOR.EXECUTE_SRB and has(view, 28, 1) and byte(view, 28) or nil
	state.srbs[srb_slot(high, low)] = operation ~= 0 and { job.record_channel, high, low, operation, command } or nil
end
local function find_srb(job, high, low)
	return ask(job, "srb", function()
		local srb = state.srbs[srb_slot(high, low)]
		return srb and srb[1] == job.record_channel and srb[2] == high and srb[3] == low and srb or nil
	end)
end
local function command_text(code)
	local layout = LAYOUTS.scsi[code]
	return layout and layout[1] or string.format("command-0x%02x", code)
end
local function decode_command(job, cdb)
	if cdb.size == 0 then
		return short_layer(job, cdb, "scsi", 6)
	end
	local code = byte(cdb, 0)
	layer(job, cdb, "scsi %s", command_text(code))
	add(job, F.scsi_command, cdb, 0, 1)
	if LAYOUTS.scsi[code] then
		fields(job, cdb, "scsi", LAYOUTS.scsi[code])
	end
end
local function decode_sense(job, sense)
	local first = byte(sense, 0)
	local response = first % 128
	local fixed, listed = response == 0x70 or response == 0x71, response == 0x72 or response == 0x73
	if not fixed and not listed then
		layer(job, sense, "sense response=0x%x", response)
		return add(job, F.sense_response, sense, 0, 1)
	end
	local key_at, code_at = fixed and 2 or 1, fixed and 12 or 2
	layer(job, sense, "sense")
	add(job, F.sense_response, sense, 0, 1)
	if not has(sense, key_at, 1) then
		return complain(job, "short: %d of %d bytes", sense.size, key_at + 1)
	end
	said(job, "key", format_value(0, byte(sense, key_at) % 16, "name", "sense_key"))
	add(job, F.sense_key, sense, key_at, 1)
	if has(sense, code_at, 2) then
		said(job, "code", format_value(0, get_be(sense, code_at, 2), "name", "sense_code"))
		job.tree:add(F.sense_code, range(sense, code_at, 2))
	end
	if fixed and first >= 128 and has(sense, 3, 4) then
		said(job, "information", string.format("%d", get_be(sense, 3, 4)))
		job.tree:add(F.sense_information, range(sense, 3, 4))
	end
	if response % 2 == 1 then
		words(job, " deferred")
	end
end
local function decode_srb(job, view)
	local length = byte(view, 20)
	if length > 16 then
		complain(job, "a CDB of %d bytes", length)
	end
	decode_command(job, part(part(view, 28, 16), 0, length))
end
local function decode_srb_result(job, view, command)
	if command then
		said(job, "command", command_text(command))
		job.tree:add(F.vstor_command, command):set_generated()
	end
	local sense = part(part(view, 28, 20), 0, byte(view, 21))
	if bit(byte(view, 14), 128) and sense.size > 0 then
		decode_sense(job, sense)
	end
end
local function decode_vstor(job, view, high, low, completion)
	if not has(view, 0, 12) then
		return short_layer(job, view, "vstor", 12)
	end
	local operation = get(view, 0, 4)
	local answer = completion and job.to_guest and operation == VSTOR.COMPLETE_IO
	local srb = answer and find_srb(job, high, low) or nil
	local layout = srb and LAYOUTS.vstor_answer[srb[4]]
	if not layout then
		srb, layout = nil, LAYOUTS.vstor[operation]
	end
	if not job.to_guest then
		remember_srb(job, view, high, low)
	end
	if not layout then
		layer(job, view, "vstor operation-%d", operation)
		return add(job, F.vstor_operation, view, 0, 4)
	end
	layer(job, view, "vstor %s", layout[1])
	add(job, F.vstor_operation, view, 0, 4)
	if srb then
		job.tree:add(F.vstor_asked, srb[4]):set_generated()
	end
	if not fields(job, view, "vstor", layout) then
		return
	end
	if srb and srb[4] == VSTOR.EXECUTE_SRB then
		decode_srb_result(job, view, srb[5])
	elseif operation == VSTOR.EXECUTE_SRB then
		decode_srb(job, view)
	end
end

-- --- Keyboards, mice, integration components ------------------------------------------------------------------------------

-- Its layout's number; nil: short, or there is no such message, and it is said.
local function begin(job, view, protocol, field, type_size)
	if not has(view, 0, type_size) then
		short_layer(job, view, protocol, type_size)
		return nil
	end
	local kind = get(view, 0, type_size)
	local layout = LAYOUTS[protocol][kind]
	if not layout then
		layer(job, view, "%s type-%d", protocol, kind)
		add(job, field, view, 0, type_size)
		return nil
	end
	layer(job, view, "%s %s", protocol, layout[1])
	add(job, field, view, 0, type_size)
	return fields(job, view, protocol, layout) and kind or nil
end
local function open_pipe(job, view, title)
	local kind = get(view, 0, 4)
	if not has(view, 0, 8) then
		short_layer(job, view, title, 8)
		return nil
	elseif kind ~= PIPE_DATA then
		layer(job, view, "%s pipe=%d", title, kind)
		return nil
	end
	return part(view, 8, get(view, 4, 4))
end
local function say_versions(job, view, at, count, name)
	local have, text = math.min(math.floor(math.max(view.size - at, 0) / 4), count), ""
	for n = 0, math.min(have, LIST_SHOWN) - 1 do
		local version = format(view, at + 4 * n, 4, "swapped")
		if #text + #version + 2 < VALUE_MAX then
			text = text .. (text ~= "" and "," or "") .. version
		end
	end
	if have < count then
		complain(job, "%s: %d of %d there", name, have, count)
	end
	if have > 0 then
		said(job, name, text)
		add(job, F.ic_versions, view, at, 4 * have, name .. " " .. text)
	end
end
local function decode_versions(job, body)
	if not has(body, 0, 8) then
		return short_layer(job, body, "versions", 8)
	end
	local frameworks, messages = get(body, 0, 2), get(body, 2, 2)
	layer(job, body, "versions")
	say_versions(job, body, 8, frameworks, "frameworks")
	say_versions(job, body, 8 + 4 * frameworks, messages, "messages")
end
-- Text, or a number.
local function say_pair_value(job, view, pair_at)
	local kind, at = get(view, pair_at, 4), pair_at + 12 + 512
	local size = (kind == KVP.U64 or kind == KVP.U64_LINUX) and 8 or kind == KVP.U32 and 4 or 2048
	if not has(view, at, size) then
		return
	end
	local text = format(view, at, size, size > 8 and "text16" or "hex")
	if text ~= "" then
		said(job, "value", text)
		job.tree:add(F.kvp_value, range(view, at, size), text)
	end
end
local function decode_kvp(job, body)
	local kind = begin(job, body, "kvp", F.kvp_operation, 1)
	if kind == KVP.GET or kind == KVP.SET then
		say_pair_value(job, body, KVP.PAIR)
	elseif kind == KVP.ENUMERATE then
		say_pair_value(job, body, KVP.ITEM)
	end
end
local function decode_body(job, body, kind, major)
	if kind == IC.NEGOTIATE then
		return decode_versions(job, body)
	elseif kind == IC.KVP then
		return decode_kvp(job, body)
	elseif kind == IC.VSS then
		return begin(job, body, "vss", F.vss_operation, 1)
	elseif kind == IC.FCOPY then
		return begin(job, body, "fcopy", F.fcopy_operation, 4)
	end
	local layout = LAYOUTS.ic_body[kind == IC.TIMESYNC and major >= 4 and TIMESYNC_4 or kind]
	layer(job, body, "%s", layout[1])
	fields(job, body, "ic_body", layout)
end
local function decode_component(job, view)
	local inner = open_pipe(job, view, "ic")
	if not inner then
		return
	end
	local header = part(inner, 0, 20)
	local kind, size = get(header, 4, 2), get(header, 10, 2)
	local layout = LAYOUTS.ic[kind]
	if header.size < 20 then
		return short_layer(job, header, "ic", 20)
	elseif not layout then
		layer(job, header, "ic type-%d", kind)
		return add(job, F.ic_type, header, 4, 2)
	end
	layer(job, header, "ic %s", layout[1])
	add(job, F.ic_type, header, 4, 2)
	fields(job, header, "ic", layout)
	local body = part(inner, 20, size)
	if body.size < size then
		complain(job, "short: %d of %d bytes", body.size, size)
	end
	if body.size > 0 then
		decode_body(job, body, kind, get(header, 6, 2))
	end
end
-- False: the device is none of those.
local function decode_service(job, view, device)
	if device == "keyboard" then
		begin(job, view, "keyboard", F.keyboard_type, 4)
	elseif device == "mouse" then
		local inner = open_pipe(job, view, "mouse")
		if inner then
			begin(job, inner, "mouse", F.mouse_type, 4)
		end
	elseif COMPONENTS[device] then
		decode_component(job, view)
	else
		return false
	end
	return true
end

-- --- Ring packets --------------------------------------------------------------------------------------------------------

local function transfer_ranges(job, header)
	local ranges = { at = 24, usable = 0 }
	if not has(header, 16, 8) then
		complain(job, "short: no ranges")
		return ranges
	end
	local count = get(header, 20, 4)
	add(job, F.packet_set, header, 16, 2)
	add(job, F.packet_ranges, header, 20, 4)
	said(job, "ranges", string.format("%d", count))
	ranges.usable = math.floor((header.size - ranges.at) / 8)
	if count > ranges.usable then
		complain(job, "short: %d ranges there", ranges.usable)
	else
		ranges.usable = count
	end
	for n = 0, math.min(ranges.usable, RANGES_SHOWN) - 1 do
		local at = ranges.at + 8 * n
		add(job, F.packet_range, header, at, 8, string.format("%d bytes at %d", get(header, at, 4), get(header, at + 4, 4)))
	end
	return ranges
end
local function gpa_ranges(job, header)
	if not has(header, 16, 8) then
		return complain(job, "short: no ranges")
	end
	local at, count = 24, get(header, 20, 4)
	add(job, F.packet_ranges, header, 20, 4)
	said(job, "ranges", string.format("%d", count))
	for _ = 1, math.min(count, RANGES_SHOWN) do
		if not has(header, at, 8) then
			return
		end
		local bytes, offset = get(header, at, 4), get(header, at + 4, 4)
		local frames = math.floor((offset % PAGE + bytes + PAGE - 1) / PAGE)
		add(job, F.packet_range, header, at, 8, string.format("%d bytes at %d, frame %s", bytes, offset, hex64(header, at + 8)))
		at = at + 8 + 8 * frames
	end
end
local function decode_ranges(job, header, ranges, external)
	local at = 0
	for n = 0, ranges.usable - 1 do
		local size = get(header, ranges.at + 8 * n, 4)
		if job.layers + 2 >= LAYERS_MAX then
			return say(job, " | and %d more", ranges.usable - n)
		end
		decode_rndis(job, part(external, at, size))
		at = at + size
	end
end
local function decode_stream(job, external)
	local at = 0
	while at < external.size do
		local rest = part(external, at, external.size)
		local length = get(rest, 4, 4)
		if length < 8 or length > rest.size then
			length = rest.size
		end
		rest.size = length
		if job.layers + 2 >= LAYERS_MAX then
			return say(job, " | and more")
		end
		decode_rndis(job, rest)
		at = at + length
	end
end
local function decode_nvs(job, view)
	if not has(view, 0, 4) then
		short_layer(job, view, "nvs", 4)
		return false
	end
	local kind = get(view, 0, 4)
	local layout = job.to_guest and LAYOUTS.nvs_answer[kind] or LAYOUTS.nvs[kind]
	if not layout then
		layer(job, view, "nvs type-%d", kind)
		return false
	end
	layer(job, view, "nvs %s", layout[1])
	add(job, F.nvs_type, view, 0, 4)
	if not fields(job, view, "nvs", layout) then
		return false
	end
	if kind == NVS_SEND_TABLE then
		say_list(job, view, get(view, 8, 4), get(view, 4, 4), "table", F.nvs_table)
	end
	return kind == NVS_RNDIS
end
local function decode_payload(job, header, payload, ranges, external)
	if payload.size == 0 then
		return
	end
	local device = ask(job, "carrier", function()
		local channel = state.channels[job.record_channel]
		return channel and channel[1]
	end)
	if device == "storvsc" or device == "ide" then
		return decode_vstor(job, payload, get(header, 12, 4), get(header, 8, 4), get(header, 0, 2) == PACKET.COMPLETION)
	elseif decode_service(job, payload, device) then
		return
	elseif device ~= "netvsc" then
		add(job, F.payload, payload, 0, payload.size)
		return said(job, "payload", string.format("%d", payload.size))
	end
	if not decode_nvs(job, payload) or external.size == 0 then
		return
	end
	if job.to_guest then
		decode_ranges(job, header, ranges, external)
	else
		decode_stream(job, external)
	end
end
local function decode_packet(job, view, external)
	if not has(view, 0, 16) then
		return short_layer(job, view, "packet", 16)
	end
	local kind, header_length, length, flags = get(view, 0, 2), 8 * get(view, 2, 2), 8 * get(view, 4, 2), get(view, 6, 2)
	local header = part(view, 0, header_length)
	layer(job, header, "%s", NAME_OF.packet[kind] or string.format("packet-%d", kind))
	said(job, "id", hex64(view, 8))
	add(job, F.packet_type, view, 0, 2)
	job.tree:add(F.packet_header, range(view, 2, 2), header_length)
	job.tree:add(F.packet_length, range(view, 4, 2), length)
	add(job, F.packet_flags, view, 6, 2)
	job.tree:add(F.packet_wants, range(view, 6, 2), bit(flags, 1))
	add(job, F.packet_id, view, 8, 8)
	if bit(flags, 1) then
		words(job, " wants-completion")
	end
	if header_length > length or length > view.size or header_length < 16 then
		return complain(job, "lengths disagree: header %d, packet %d, there %d", header_length, length, view.size)
	end
	local ranges = { at = 0, usable = 0 }
	if kind == PACKET.TRANSFER_PAGES then
		ranges = transfer_ranges(job, header)
	elseif kind == PACKET.GPA_DIRECT then
		gpa_ranges(job, header)
	end
	decode_payload(job, header, part(view, header_length, length - header_length), ranges, external)
end

-- --- Records ---------------------------------------------------------------------------------------------------------------

local function decode(job, view, external)
	local kind = job.kind
	if kind == KIND.MSR_WRITE or kind == KIND.MSR_READ then
		decode_register(job, view)
	elseif kind == KIND.HYPERCALL then
		decode_hypercall(job, view)
	elseif kind == KIND.MESSAGE then
		decode_message(job, view)
	elseif kind == KIND.SIGNAL then
		decode_pair(job, view, "signal", "connection", "flag")
		find_channel(job, ask(job, "owner", function() return owner(state.connections, get(view, 0, 4)) end) or 0)
	elseif kind == KIND.EVENT then
		decode_pair(job, view, "event", "flag", "sint")
	elseif kind == KIND.INTERRUPT then
		decode_pair(job, view, "interrupt", "vector")
	elseif kind == KIND.PACKET then
		decode_packet(job, view, external)
	elseif kind == KIND.VIOLATION then
		decode_text(job, view, "violation")
	elseif kind == KIND.NOTE then
		decode_text(job, view, "note")
	else
		layer(job, view, "kind-%d", kind)
		said(job, "length", string.format("%d", view.size))
	end
end
local function device_text(channel)
	local known = state.channels[channel]
	if channel == 0 then
		return ""
	elseif not known then
		return "?"
	end
	return known[2] ~= 0 and string.format("%s.%d", known[1], known[2]) or known[1]
end
local function set_columns(job, pinfo)
	local guest = job.vp == VP_NONE and "guest" or string.format("guest cpu%d", job.vp)
	local innermost = tostring(pinfo.cols.protocol)
	-- Ethernet's dissectors have written theirs: addresses and protocol are good, words are ours.
	if job.kind ~= KIND.PACKET or innermost == "" or innermost:find("^USER") or innermost:find("not set") then
		pinfo.cols.protocol = "hvkit " .. (NAME_OF.kind[job.kind] or "?")
		pinfo.cols.src = job.to_guest and "host" or guest
		pinfo.cols.dst = job.to_guest and guest or "host"
	end
	pinfo.cols.info:clear_fence()
	pinfo.cols.info = job.words
end
function hvkit.dissector(tvb, pinfo, tree)
	local length = tvb:len()
	pinfo.cols.protocol = ""
	if length < RECORD_HEADER or tvb(0, 1):uint() ~= 1 then
		pinfo.cols.protocol = "hvkit"
		pinfo.cols.info = length < RECORD_HEADER and "not a record: shorter than its header" or "a record of another layout"
		return length
	end
	local count, more = tvb(12, 4):le_uint(), tvb(16, 4):le_uint()
	local record = { tvb = tvb, at = RECORD_HEADER, size = length - RECORD_HEADER }
	local view = part(record, 0, count)
	local external = part(record, count, more)
	local top = tree:add(hvkit, tvb(0, length))
	local job = {
		pinfo = pinfo, visited = pinfo.visited, number = pinfo.number, root = tree, tree = top, words = "", layers = 0,
		kind = tvb(1, 1):uint(), to_guest = tvb(2, 1):uint() ~= 0, vp = tvb(4, 4):le_uint(), channel = tvb(8, 4):le_uint(),
	}
	job.record_channel = job.channel
	top:add(F.kind, tvb(1, 1))
	top:add(F.to_guest, tvb(2, 1))
	if job.vp ~= VP_NONE then
		top:add_le(F.vp, tvb(4, 4))
	end
	decode(job, view, external)
	local device = ask(job, "device", function() return device_text(job.channel) end) or ""
	if job.channel ~= 0 then
		top:add(F.channel, tvb(8, 4), job.channel)
		top:add(F.device, device):set_generated()
	end
	top:add(F.words, job.words):set_generated()
	top:append_text(", " .. (NAME_OF.kind[job.kind] or "?") .. (job.channel ~= 0 and
		string.format(", channel %d %s", job.channel, device) or ""))
	if count + more ~= length - RECORD_HEADER then
		top:add_proto_expert_info(E.short, string.format("%d and %d bytes said, %d there", count, more, length - RECORD_HEADER))
	end
	set_columns(job, pinfo)
	return length
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, hvkit)
