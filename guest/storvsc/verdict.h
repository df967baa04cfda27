/* SPDX-License-Identifier: MIT */
/* What a command's result means: one table of SRB status, SCSI status and sense. Pure. */
#ifndef HVK_STORVSC_VERDICT_H
#define HVK_STORVSC_VERDICT_H

#include "guest/storvsc/vstor.h"

enum hvk_verdict_kind {
	HVK_VERDICT_GOOD,
	HVK_VERDICT_AGAIN, /* at once */
	HVK_VERDICT_LATER, /* after a while */
	HVK_VERDICT_FAILED
};

struct hvk_verdict {
	enum hvk_verdict_kind kind;
	/* FAILED: the status; the others: the one that it is when no more is tried. */
	hvk_status status;
	bool changed;         /* look at the units again */
	bool medium;          /* ... whose medium may be another one */
	bool not_implemented; /* the device does not know the command, or a field of it */
};

/* removable: its medium may be another one, and nothing is done to that unasked. */
struct hvk_verdict hvk_storvsc_judge(const struct hvk_vstor_result *result, bool removable);

#endif
