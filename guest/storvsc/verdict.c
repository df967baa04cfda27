/* SPDX-License-Identifier: MIT */
#include "guest/storvsc/verdict.h"
#include "guest/storvsc/scsi.h"

#define NT_STATUS_IS_ERROR(status) ((status) >> 30 == 3)

static struct hvk_verdict verdict(enum hvk_verdict_kind kind, hvk_status status, bool changed)
{
	return (struct hvk_verdict){.kind = kind, .status = status, .changed = changed};
}

static struct hvk_verdict failed(hvk_status status)
{
	return verdict(HVK_VERDICT_FAILED, status, false);
}

/* Something has happened to the unit since the last command; this one was not done (SAM). */
static struct hvk_verdict unit_attention(uint16_t code, bool removable)
{
	switch (code) {
	case SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED:
		/* What was meant for the old medium must not go to the new one. */
		return (struct hvk_verdict){.kind = removable ? HVK_VERDICT_FAILED : HVK_VERDICT_AGAIN,
					    .status = HVK_EIO,
					    .changed = true,
					    .medium = true};
	case SCSI_ASC_MEDIUM_NOT_PRESENT:
		return verdict(HVK_VERDICT_FAILED, HVK_ENOMEDIUM, true);
	case SCSI_ASC_POWER_ON_OR_RESET:
		return verdict(HVK_VERDICT_AGAIN, HVK_EIO, false);
	default:
		return verdict(HVK_VERDICT_AGAIN, HVK_EIO, true);
	}
}

static struct hvk_verdict not_ready(uint16_t code)
{
	if (code == SCSI_ASC_NOT_READY_BECOMING_READY)
		return verdict(HVK_VERDICT_LATER, HVK_EIO, false);
	if (code >> 8 == SCSI_ASC_MEDIUM_NOT_PRESENT >> 8) /* whatever the tray does */
		return verdict(HVK_VERDICT_FAILED, HVK_ENOMEDIUM, true);
	return failed(HVK_EIO);
}

static struct hvk_verdict illegal_request(uint16_t code)
{
	struct hvk_verdict found = failed(HVK_EIO);

	if (code == SCSI_ASC_LOGICAL_UNIT_NOT_SUPPORTED)
		return verdict(HVK_VERDICT_FAILED, HVK_ENODEVICE, true);
	found.changed = code == SCSI_ASC_LBA_OUT_OF_RANGE; /* smaller than we thought */
	found.not_implemented = code == SCSI_ASC_INVALID_OPERATION_CODE ||
				code == SCSI_ASC_INVALID_FIELD_IN_CDB ||
				code == SCSI_ASC_INVALID_FIELD_IN_PARAMETERS;
	return found;
}

static struct hvk_verdict check_condition(const struct hvk_vstor_result *result, bool removable)
{
	struct hvk_scsi_sense sense;

	hvk_scsi_parse_sense(result->sense, result->sense_length, &sense);
	if (!sense.known) /* an error that nobody explains */
		return verdict(HVK_VERDICT_AGAIN, HVK_EIO, false);
	switch (sense.key) {
	case SCSI_SENSE_NO_SENSE:
	case SCSI_SENSE_RECOVERED:
		return verdict(HVK_VERDICT_GOOD, HVK_OK, false);
	case SCSI_SENSE_NOT_READY:
		return not_ready(sense.code);
	case SCSI_SENSE_UNIT_ATTENTION:
		return unit_attention(sense.code, removable);
	case SCSI_SENSE_ILLEGAL_REQUEST:
		return illegal_request(sense.code);
	case SCSI_SENSE_DATA_PROTECT:
		return verdict(HVK_VERDICT_FAILED, HVK_EREADONLY, true);
	case SCSI_SENSE_ABORTED_COMMAND:
		return verdict(HVK_VERDICT_AGAIN, HVK_EIO, false);
	default: /* the device has done what it can about the medium, and itself */
		return failed(HVK_EIO);
	}
}

/* The command was never heard of by the unit, or its end is not known. */
static struct hvk_verdict srb_error(const struct hvk_vstor_result *result)
{
	switch (result->srb_status) {
	case VSTOR_SRB_STATUS_INVALID_LUN:
	case VSTOR_SRB_STATUS_NO_DEVICE:
		return verdict(HVK_VERDICT_FAILED, HVK_ENODEVICE, true);
	case VSTOR_SRB_STATUS_BUSY:
		return verdict(HVK_VERDICT_LATER, HVK_EIO, false);
	case VSTOR_SRB_STATUS_INVALID_REQUEST:
		return (struct hvk_verdict){
			.kind = HVK_VERDICT_FAILED, .status = HVK_EIO, .not_implemented = true};
	default: /* aborted, timed out at the host, pending for ever, ... */
		return verdict(HVK_VERDICT_AGAIN, HVK_EIO, false);
	}
}

static bool went_well(const struct hvk_vstor_result *result)
{
	/* Overrun: another length than was asked for, and transferred says which. */
	return (result->srb_status == VSTOR_SRB_STATUS_SUCCESS ||
		result->srb_status == VSTOR_SRB_STATUS_DATA_OVERRUN) &&
	       !NT_STATUS_IS_ERROR(result->nt_status);
}

struct hvk_verdict hvk_storvsc_judge(const struct hvk_vstor_result *result, bool removable)
{
	/* OpenVMM says INVALID_LUN beside a CHECK CONDITION without sense. */
	if (result->srb_status == VSTOR_SRB_STATUS_INVALID_LUN ||
	    result->srb_status == VSTOR_SRB_STATUS_NO_DEVICE)
		return srb_error(result);
	switch (result->scsi_status) {
	case SCSI_STATUS_GOOD:
		return went_well(result) ? verdict(HVK_VERDICT_GOOD, HVK_OK, false) : srb_error(result);
	case SCSI_STATUS_CHECK_CONDITION:
		return check_condition(result, removable);
	case SCSI_STATUS_BUSY:
	case SCSI_STATUS_TASK_SET_FULL:
		return verdict(HVK_VERDICT_LATER, HVK_EIO, false);
	case SCSI_STATUS_TASK_ABORTED:
		return verdict(HVK_VERDICT_AGAIN, HVK_EIO, false);
	default: /* RESERVATION CONFLICT: somebody else's disk */
		return failed(HVK_EIO);
	}
}
