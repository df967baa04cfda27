/* SPDX-License-Identifier: MIT */
/*
 * Backup: can it be done while the guest runs, freeze, thaw. A freeze may take its time: Linux allows 15
 * minutes. From 5.0 on FREEZE and AUTO_RECOVER name disks (OpenVMM); there are none here.
 */
#include <string.h>

#include "host/utilities/utilities.h"

#define FREEZE_WAIT (15u * 60u * HVH_TIME_PER_SECOND)
#define ANSWER_FLAGS (IC_VSS_FLAG_HOT_BACKUP | IC_VSS_FLAG_NO_AUTO_RECOVERY)

struct vss_operation {
	const char *name;
	uint32_t since; /* major version */
	bool disks;
};

static const struct vss_operation operations[] = {
	[IC_VSS_CREATE] = {"CREATE", 1, false},
	[IC_VSS_DELETE] = {"DELETE", 1, false},
	[IC_VSS_HOT_BACKUP] = {"HOT_BACKUP", 1, false},
	[IC_VSS_GET_DM_INFO] = {"GET_DM_INFO", 1, false},
	[IC_VSS_BACKUP_COMPLETE] = {"BACKUP_COMPLETE", 4, false},
	[IC_VSS_FREEZE] = {"FREEZE", 5, true},
	[IC_VSS_THAW] = {"THAW", 5, false},
	[IC_VSS_AUTO_RECOVER] = {"AUTO_RECOVER", 5, true},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

void hvh_vss_request(struct hvh_utilities *utilities, uint64_t now, uint8_t operation, hvh_utility_done done,
		     void *context)
{
	struct utility *utility = &utilities->all[UTILITY_AT_VSS];
	const struct vss_operation *known = operation < OPERATIONS ? &operations[operation] : NULL;
	bool disks = known != NULL && known->disks;
	struct utility_request *request = utility_request(
		utility, now, known != NULL ? known->name : "operation",
		disks ? sizeof(struct ic_vss_disks) : sizeof(struct ic_vss), done, context);

	if (request == NULL)
		return;
	if (known == NULL) {
		utility_refuse(utility, request,
			       "vss: operations are 0 to 7: HOT_BACKUP 2, FREEZE 5, THAW 6 ...");
		return;
	}
	if (!utility_has_version(utility, known->since, 0)) {
		utility_refuse(utility, request, "vss: %s needs %u.0; host and guest have agreed on %u.%u",
			       known->name, known->since, utility->version & 0xffffu, utility->version >> 16);
		return;
	}
	request->body[0] = operation;
	if (operation == IC_VSS_FREEZE)
		request->wait = FREEZE_WAIT;
	utility_submit(utility, request);
}

/* The guest's flags are its answer to two of the questions; anything else comes back as it was. */
static const char *check(const struct utility_request *request, const struct ic_vss *said)
{
	if (said->operation != request->body[0])
		return "an answer has the operation of its request";
	if (said->operation == IC_VSS_HOT_BACKUP && (said->flags & ~ANSWER_FLAGS) != 0)
		return "the flags of HOT_BACKUP are 1 (it can) and 4 (it needs no recovery)";
	return NULL;
}

static void finish_hot_backup(struct utility *utility, const struct utility_answer *answer, uint32_t flags)
{
	if ((flags & IC_VSS_FLAG_HOT_BACKUP) == 0)
		utility_finish(utility, answer, "the guest cannot be backed up while it runs");
	else
		utility_finish(utility, answer,
			       "the guest can be backed up while it runs; a copy needs %s recovery",
			       (flags & IC_VSS_FLAG_NO_AUTO_RECOVERY) != 0 ? "no" : "a");
}

/* One that is not answered may have been done all the same. */
static void note_state(struct hvh_utilities *owner, uint8_t operation, enum hvh_utility_result result)
{
	if (operation == IC_VSS_FREEZE && result != HVH_UTILITY_FAILED)
		owner->frozen = true;
	else if (operation == IC_VSS_THAW && result != HVH_UTILITY_TIMED_OUT)
		owner->frozen = false;
}

static void answered(struct utility *utility, struct utility_request *request,
		     const struct utility_answer *answer)
{
	struct utility_answer end = *answer;
	struct ic_vss said;
	const char *wrong;

	note_state(utility->owner, request->body[0], answer->result);
	if (answer->result != HVH_UTILITY_OK) {
		utility_finish_plainly(utility, answer);
		return;
	}
	memcpy(&said, answer->body, sizeof(said));
	wrong = check(request, &said);
	if (wrong != NULL) {
		UTILITY_VIOLATE(utility, HVH_V_IC_VALUE, answer->body, answer->length, "vss: %s: %s",
				request->name, wrong);
		end.result = HVH_UTILITY_FAILED;
		utility_finish(utility, &end, "an answer that cannot be: %s", wrong);
	} else if (said.operation == IC_VSS_HOT_BACKUP) {
		finish_hot_backup(utility, answer, said.flags);
	} else {
		utility_finish_plainly(utility, answer);
	}
}

static void reset(struct utility *utility)
{
	utility->owner->frozen = false;
}

static void dump(const struct utility *utility, struct hvh_dump *dump)
{
	hvh_dump_flag(dump, "frozen", utility->owner->frozen);
}

const struct utility_service utility_vss = {
	.bit = HVH_UTILITY_VSS,
	.type = VMBUS_GUID_VSS,
	.instance = VMBUS_GUID(0x2450ee40u, 0x33bfu, 0x4fbdu, 0x89, 0x2e, 0x9f, 0xb0, 0x6e, 0x92, 0x14, 0xcf),
	.message_type = IC_TYPE_VSS,
	.wait = UTILITY_WAIT,
	.ops = UTILITY_OPS("vss"),
	.answered = answered,
	.reset = reset,
	.dump = dump,
};
