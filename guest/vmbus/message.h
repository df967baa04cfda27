/* SPDX-License-Identifier: MIT */
/*
 * Control messages of the host, copied and checked. Pure, so that it can be proved.
 */
#ifndef HVK_VMBUS_MESSAGE_H
#define HVK_VMBUS_MESSAGE_H

#include "guest/vmbus/versions.h"
#include "hvkit/status.h"
#include "hvkit/vmbus.h"

/* A checked message: type says which fields mean something. */
struct hvk_message {
	enum vmbus_message_type type;
	uint32_t channel_id;    /* 1 to 2047: OFFER, RESCIND, OPEN_RESULT, GPADL_CREATED, MODIFY_RESPONSE */
	uint32_t open_id;       /* OPEN_RESULT */
	uint32_t gpadl;         /* GPADL_CREATED, GPADL_TORNDOWN: not 0 */
	uint32_t status;        /* OPEN_RESULT, GPADL_CREATED, MODIFY_RESPONSE */
	bool supported;         /* VERSION_RESPONSE */
	uint8_t state;          /* VERSION_RESPONSE */
	uint32_t connection;    /* VERSION_RESPONSE */
	struct hvk_offer offer; /* OFFER */
};

/* payload: length bytes, a private copy of what the host sent. version: in use or
 * being tried, NULL when cold. HVK_EHOST_MESSAGE: too short, or of a type that hosts do
 * not send; HVK_EHOST_ID: an id that cannot be. */
hvk_status hvk_message_check(const uint8_t *payload, uint32_t length, const struct hvk_version *version,
			     struct hvk_message *out);

#endif
