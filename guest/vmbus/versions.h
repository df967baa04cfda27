/* SPDX-License-Identifier: MIT */
/* What each protocol version changes for us; docs/vmbus-versions.md is this table
 * with its sources. */
#ifndef HVK_VMBUS_VERSIONS_H
#define HVK_VMBUS_VERSIONS_H

#include <stdbool.h>
#include <stdint.h>

struct hvk_version {
	uint32_t version;
	bool shared_events;   /* host signals by flag 0 of the SINT and the interrupt page */
	bool shared_signal;   /* guest signals by interrupt page bit and connection 2 */
	bool short_offers;    /* an offer may be 190 bytes, without its last two fields */
	bool checks_state;    /* VERSION_RESPONSE's connection state means something */
	bool contact_cpu;     /* the host honours target_vp of INITIATE_CONTACT */
	bool channel_cpu;     /* ... and of OPEN_CHANNEL */
	bool subchannels;     /* an offer's sub-channel index means something */
	bool modify_channel;  /* MODIFY_CHANNEL */
	bool modify_response; /* ... is answered */
	bool contact_sint;    /* INITIATE_CONTACT names the SINT, on connection 4, and the response
	                         * the connection id for later posts */
};

/* NULL for a version we do not speak. */
const struct hvk_version *hvk_version_find(uint32_t version);
/* n-th version, newest first; NULL past the last. */
const struct hvk_version *hvk_version_get(uint32_t n);

#endif
