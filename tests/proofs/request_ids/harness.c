/* SPDX-License-Identifier: MIT */
/*
 * The table of outstanding requests: whatever ids a host completes, in whatever order and
 * however often, nothing outside the table is touched, each request is given back at most
 * once and with its own cookie, and no id is given out while it is outstanding.
 *
 * Sources:
 * Unwind: 8
 */
#include "tests/proofs/proof.h"

#include "guest/vmbus/requests.h"

#define LIMIT 3u
#define STEPS 6u

void harness(void)
{
	struct hvk_request_slot slots[LIMIT + 1];
	struct hvk_requests requests;
	bool outstanding[LIMIT + 1] = {false};
	uint8_t cookies[LIMIT + 1];
	uint32_t limit = nondet_u32(), busy = 0;
	void *cookie;

	PROOF_ASSUME(limit <= LIMIT);
	hvk_requests_init(&requests, slots, (uint16_t)limit);
	for (uint32_t i = 0; i < STEPS; i++) {
		if (nondet_bool()) {
			/* The cookie tells the id that it is to get, so that a mix-up shows. */
			uint16_t id = hvk_requests_get(&requests, &cookies[requests.free_first]);

			PROVE((id == 0) == (busy == limit));
			if (id != 0) {
				PROVE(id <= limit && !outstanding[id]);
				outstanding[id] = true;
				busy++;
			}
		} else {
			uint64_t id = nondet_u64();
			bool taken = hvk_requests_put(&requests, id, &cookie);

			PROVE(taken == (id != 0 && id <= limit && outstanding[id <= LIMIT ? id : 0]));
			PROVE(cookie == (taken ? &cookies[id] : NULL));
			if (taken) {
				outstanding[id] = false;
				busy--;
			}
		}
		PROVE(requests.busy_count == busy);
	}
	PROOF_END();
}
