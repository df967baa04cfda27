/* SPDX-License-Identifier: MIT */
/*
 * The one table of control messages: structure, direction, first version, name.
 * Sizes and versions: OpenVMM vmbus_core; layouts: wire/vmbus.h.
 */
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

/* wire/vmbus.h has no structures for these: two GUIDs; two GUIDs and a status. */
#define TL_CONNECT_SIZE 40u
#define TL_CONNECT_RESULT_SIZE 44u

#define TO_GUEST true
#define TO_HOST false
#define EXACT false
#define PAYLOAD true
#define ALWAYS 0u

static const struct hvh_message_rule rules[] = {
	[VMBUS_MSG_OFFER_CHANNEL] = {"offer-channel", sizeof(struct vmbus_offer_channel), TO_GUEST, EXACT,
				     VMBUS_VERSION_0_13},
	[VMBUS_MSG_RESCIND_OFFER] = {"rescind-offer", sizeof(struct vmbus_channel_message), TO_GUEST, EXACT,
				     VMBUS_VERSION_0_13},
	[VMBUS_MSG_REQUEST_OFFERS] = {"request-offers", sizeof(struct vmbus_message_header), TO_HOST, EXACT,
				      VMBUS_VERSION_0_13},
	[VMBUS_MSG_ALL_OFFERS_DELIVERED] = {"all-offers-delivered", sizeof(struct vmbus_message_header),
					    TO_GUEST, EXACT, VMBUS_VERSION_0_13},
	[VMBUS_MSG_OPEN_CHANNEL] = {"open-channel", sizeof(struct vmbus_open_channel), TO_HOST, EXACT,
				    VMBUS_VERSION_0_13},
	[VMBUS_MSG_OPEN_RESULT] = {"open-result", sizeof(struct vmbus_open_result), TO_GUEST, EXACT,
				   VMBUS_VERSION_0_13},
	[VMBUS_MSG_CLOSE_CHANNEL] = {"close-channel", sizeof(struct vmbus_channel_message), TO_HOST, EXACT,
				     VMBUS_VERSION_0_13},
	[VMBUS_MSG_GPADL_HEADER] = {"gpadl-header", sizeof(struct vmbus_gpadl_header), TO_HOST, PAYLOAD,
				    VMBUS_VERSION_0_13},
	[VMBUS_MSG_GPADL_BODY] = {"gpadl-body", sizeof(struct vmbus_gpadl_body), TO_HOST, PAYLOAD,
				  VMBUS_VERSION_0_13},
	[VMBUS_MSG_GPADL_CREATED] = {"gpadl-created", sizeof(struct vmbus_gpadl_created), TO_GUEST, EXACT,
				     VMBUS_VERSION_0_13},
	[VMBUS_MSG_GPADL_TEARDOWN] = {"gpadl-teardown", sizeof(struct vmbus_gpadl_teardown), TO_HOST, EXACT,
				      VMBUS_VERSION_0_13},
	[VMBUS_MSG_GPADL_TORNDOWN] = {"gpadl-torndown", sizeof(struct vmbus_gpadl_torndown), TO_GUEST, EXACT,
				      VMBUS_VERSION_0_13},
	[VMBUS_MSG_RELID_RELEASED] = {"relid-released", sizeof(struct vmbus_channel_message), TO_HOST, EXACT,
				      VMBUS_VERSION_0_13},
	[VMBUS_MSG_INITIATE_CONTACT] = {"initiate-contact", sizeof(struct vmbus_initiate_contact), TO_HOST,
					EXACT, ALWAYS},
	[VMBUS_MSG_VERSION_RESPONSE] = {"version-response", sizeof(struct vmbus_version_response), TO_GUEST,
					EXACT, ALWAYS},
	[VMBUS_MSG_UNLOAD] = {"unload", sizeof(struct vmbus_message_header), TO_HOST, EXACT, ALWAYS},
	[VMBUS_MSG_UNLOAD_RESPONSE] = {"unload-response", sizeof(struct vmbus_message_header), TO_GUEST,
				       EXACT, VMBUS_VERSION_0_13},
	[VMBUS_MSG_OPEN_RESERVED] = {"open-reserved", sizeof(struct vmbus_open_reserved), TO_HOST, EXACT,
				     VMBUS_VERSION_4_0},
	[VMBUS_MSG_CLOSE_RESERVED] = {"close-reserved", sizeof(struct vmbus_close_reserved), TO_HOST, EXACT,
				      ALWAYS},
	[VMBUS_MSG_CLOSE_RESERVED_RESPONSE] = {"close-reserved-response",
					       sizeof(struct vmbus_channel_message), TO_GUEST, EXACT,
					       VMBUS_VERSION_4_0},
	[VMBUS_MSG_TL_CONNECT] = {"tl-connect", TL_CONNECT_SIZE, TO_HOST, PAYLOAD, VMBUS_VERSION_4_0},
	[VMBUS_MSG_MODIFY_CHANNEL] = {"modify-channel", sizeof(struct vmbus_modify_channel), TO_HOST, EXACT,
				      VMBUS_VERSION_4_1},
	[VMBUS_MSG_TL_CONNECT_RESULT] = {"tl-connect-result", TL_CONNECT_RESULT_SIZE, TO_GUEST, EXACT,
					 VMBUS_VERSION_4_1},
	[VMBUS_MSG_MODIFY_CHANNEL_RESPONSE] = {"modify-channel-response",
					       sizeof(struct vmbus_modify_channel_response), TO_GUEST, EXACT,
					       VMBUS_VERSION_5_3},
};

const struct hvh_message_rule *hvh_message_rule(uint32_t type)
{
	if (type >= sizeof(rules) / sizeof(rules[0]) || rules[type].name == NULL)
		return NULL;
	return &rules[type];
}
