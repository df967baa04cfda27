/* SPDX-License-Identifier: MIT */
#include "hvkit/status.h"

#ifdef HVK_CONFIG_SMALL

const char *hvk_status_name(hvk_status status)
{
	(void)status;
	return "";
}

const char *hvk_status_text(hvk_status status)
{
	(void)status;
	return "";
}

#else

struct status_row {
	hvk_status status;
	const char *name;
	const char *text;
};

static const struct status_row rows[] = {
	{HVK_OK, "ok", "success"},
	{HVK_EINVAL, "einval", "an argument is out of its range"},
	{HVK_ESTATE, "estate", "not possible in this state"},
	{HVK_ELEVEL, "elevel", "the port lacks a callback of the level this needs"},
	{HVK_ECONTEXT, "econtext", "not possible from this context or CPU"},
	{HVK_ENOMEM, "enomem", "the port gave no memory"},
	{HVK_ELIMIT, "elimit", "a configured limit is reached"},
	{HVK_EQUARANTINE, "equarantine", "too much memory is withheld because the host may still use it"},
	{HVK_EBUSY, "ebusy", "in use by another request"},
	{HVK_EAGAIN, "eagain", "no room now, try again when woken"},
	{HVK_EINPROGRESS, "einprogress", "not finished yet"},
	{HVK_ECANCELED, "ecanceled", "ended by a close, a suspend or an exit"},
	{HVK_ETOOBIG, "etoobig", "larger than what has to hold it"},
	{HVK_EGONE, "egone", "the host has taken the channel back"},
	{HVK_ENOTSUP, "enotsup", "this host or this protocol version does not have it"},
	{HVK_EEMPTY, "eempty", "nothing to receive"},
	{HVK_EIO, "eio", "the medium or the device failed"},
	{HVK_EREADONLY, "ereadonly", "the medium may not be written"},
	{HVK_ENOMEDIUM, "enomedium", "there is no medium in the drive"},
	{HVK_ENODEVICE, "enodevice", "there is no such unit"},
	{HVK_EPAIRED, "epaired", "the device is paired with a card, and operated through that one alone"},
	{HVK_EOTHER, "eother", "another card's VF: its hardware address or serial number differs"},
	{HVK_ESTACKED, "estacked", "a bond or VLAN on top of something is not a VF"},
	{HVK_EOWNQUEUE, "eownqueue", "this VF's driver can only queue by itself"},
	{HVK_ENOHYPERVISOR, "enohypervisor", "no Hyper-V interface on this machine"},
	{HVK_EPRIVILEGE, "eprivilege", "Hyper-V does not grant hypercalls, SynIC, messages or events"},
	{HVK_EOWNED, "eowned", "firmware owns the hypervisor (guest identity 1 << 40); use its drivers"},
	{HVK_EINUSE, "einuse", "somebody else's guest identity is set"},
	{HVK_EHYPERCALL, "ehypercall", "a hypercall failed for good"},
	{HVK_EVERSION, "eversion",
	 "the host accepts no VMBus version that we speak, or none new enough for this"},
	{HVK_EHOSTTOOOLD, "ehosttooold",
	 "the host does not know VMBus 3.0: a system loaded after us could not reconnect"},
	{HVK_ETIMEDOUT, "etimedout", "time-out"},
	{HVK_ETIMEDOUT_POST, "etimedout_post", "the hypervisor took no message in time"},
	{HVK_ETIMEDOUT_CONTACT, "etimedout_contact", "the host did not answer INITIATE_CONTACT in time"},
	{HVK_ETIMEDOUT_OFFERS, "etimedout_offers", "the host did not deliver all offers in time"},
	{HVK_ETIMEDOUT_UNLOAD, "etimedout_unload", "the host did not answer UNLOAD in time"},
	{HVK_ETIMEDOUT_GPADL, "etimedout_gpadl", "the host did not answer a GPADL's creation in time"},
	{HVK_ETIMEDOUT_TEARDOWN, "etimedout_teardown",
	 "the host did not let go of shared memory in time; it is withheld"},
	{HVK_ETIMEDOUT_OPEN, "etimedout_open", "the host did not answer OPEN_CHANNEL in time"},
	{HVK_ETIMEDOUT_MODIFY, "etimedout_modify", "the host did not answer MODIFY_CHANNEL in time"},
	{HVK_ETIMEDOUT_NVS_INIT, "etimedout_nvs_init", "the network card did not answer NVS INIT in time"},
	{HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER, "etimedout_nvs_receive_buffer",
	 "the network card did not answer for its receive buffer in time"},
	{HVK_ETIMEDOUT_NVS_SEND_BUFFER, "etimedout_nvs_send_buffer",
	 "the network card did not answer for its send buffer in time"},
	{HVK_ETIMEDOUT_RNDIS_INITIALIZE, "etimedout_rndis_initialize",
	 "the network card did not answer RNDIS INITIALIZE in time"},
	{HVK_ETIMEDOUT_RNDIS_QUERY, "etimedout_rndis_query",
	 "the network card did not answer an RNDIS QUERY in time"},
	{HVK_ETIMEDOUT_RNDIS_SET, "etimedout_rndis_set",
	 "the network card did not answer an RNDIS SET in time"},
	{HVK_ETIMEDOUT_SEND, "etimedout_send", "the host did not complete a packet in time"},
	{HVK_ETIMEDOUT_VSTOR, "etimedout_vstor", "the storage controller did not answer in time"},
	{HVK_ETIMEDOUT_REQUEST, "etimedout_request", "a disk did not answer a command in time"},
	{HVK_ETIMEDOUT_INPUT, "etimedout_input", "the keyboard or mouse did not answer in time"},
	{HVK_ETIMEDOUT_VPCI, "etimedout_vpci", "the PCI bus did not answer in time"},
	{HVK_ETIMEDOUT_VIRTIO, "etimedout_virtio", "the virtio device did not answer in time"},
	{HVK_ETIMEDOUT_DATA_PATH, "etimedout_data_path", "the host did not switch the data path in time"},
	{HVK_EREFUSED_OPEN, "erefused_open", "the host refused to open the channel"},
	{HVK_EREFUSED_GPADL, "erefused_gpadl", "the host refused to map memory"},
	{HVK_EREFUSED_NVS_VERSION, "erefused_nvs_version",
	 "the network card accepts none of the NVS versions"},
	{HVK_EREFUSED_NVS, "erefused_nvs", "the network card refused a buffer"},
	{HVK_EREFUSED_RNDIS, "erefused_rndis", "the network card failed an RNDIS request"},
	{HVK_EREFUSED_CONTACT, "erefused_contact", "the host knows the version but refused the connection"},
	{HVK_EREFUSED_MODIFY, "erefused_modify", "the host refused MODIFY_CHANNEL"},
	{HVK_EREFUSED_VSTOR, "erefused_vstor", "the storage controller refused to be brought up"},
	{HVK_EREFUSED_INPUT, "erefused_input", "the keyboard or mouse does not take our protocol"},
	{HVK_EREFUSED_VPCI, "erefused_vpci", "the PCI bus refused a version, a step or an interrupt"},
	{HVK_EREFUSED_VIRTIO, "erefused_virtio", "the virtio device refused our features or a command"},
	{HVK_EREFUSED_DATA_PATH, "erefused_data_path", "the host did not take the switch of the data path"},
	{HVK_EHOST_MESSAGE, "ehost_message", "host fault: malformed control message"},
	{HVK_EHOST_ID, "ehost_id", "host fault: an id that is not ours or out of range"},
	{HVK_EHOST_DUPLICATE, "ehost_duplicate", "host fault: the same thing twice"},
	{HVK_EHOST_RING_INDEX, "ehost_ring_index", "host fault: ring index out of range"},
	{HVK_EHOST_PACKET, "ehost_packet", "host fault: impossible packet lengths"},
	{HVK_EHOST_PACKET_TYPE, "ehost_packet_type", "host fault: unknown packet type"},
	{HVK_EHOST_TRANSACTION, "ehost_transaction", "host fault: completion for nothing outstanding"},
	{HVK_EHOST_NVS, "ehost_nvs", "host fault: malformed NVS message"},
	{HVK_EHOST_BUFFER, "ehost_buffer", "host fault: sections that do not fit the buffer"},
	{HVK_EHOST_RANGE, "ehost_range", "host fault: range outside the receive buffer"},
	{HVK_EHOST_RNDIS, "ehost_rndis", "host fault: RNDIS fields outside their range"},
	{HVK_EHOST_VALUE, "ehost_value", "host fault: an answer that cannot be"},
	{HVK_EHOST_CLOCK, "ehost_clock", "host fault: its clock stands still or runs backwards"},
	{HVK_EHOST_VSTOR, "ehost_vstor", "host fault: malformed vstor packet"},
	{HVK_EHOST_INPUT, "ehost_input", "host fault: malformed message of a keyboard or mouse"},
	{HVK_EHOST_IC, "ehost_ic", "host fault: malformed message of an integration component"},
	{HVK_EHOST_VPCI, "ehost_vpci", "host fault: malformed vPCI message"},
	{HVK_EHOST_VIRTIO, "ehost_virtio", "host fault: a virtio device that contradicts itself"},
};

static const struct status_row *find(hvk_status status)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].status == status)
			return &rows[i];
	}
	return (const struct status_row *)0;
}

const char *hvk_status_name(hvk_status status)
{
	const struct status_row *row = find(status);

	return row ? row->name : "unknown status";
}

const char *hvk_status_text(hvk_status status)
{
	const struct status_row *row = find(status);

	return row ? row->text : "unknown status";
}

#endif
