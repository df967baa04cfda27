/* SPDX-License-Identifier: MIT */
/*
 * Finding units: for each target the list of its LUNs, for each LUN a table of questions, one command
 * at a time. On the controller's CPU.
 */
#include "guest/storvsc/storvsc_internal.h"

#define SCAN_TIMEOUT_MS 15000u
#define LIST_BYTES (8u + HVK_STORVSC_LUNS * 8u)
#define PAGE_BYTES 252u /* of a page of vital product data: one length byte, a multiple of 4 */
#define MODE_BYTES 192u
#define VERSION_WITH_PAGES 3u /* SPC */

struct question {
	const char *name;
	/* NULL: always. */
	bool (*wanted)(const struct storvsc_scan *scan);
	/* Returns the bytes of the answer. */
	uint32_t (*build)(struct hvk_scsi_cdb *cdb);
	/* status: HVK_OK, or the unit's refusal; the answer is in scan->bytes. */
	void (*take)(struct hvk_storvsc *controller, hvk_status status, uint32_t length);
};

/* --- INQUIRY --------------------------------------------------------------------------------- */

static uint32_t ask_inquiry(struct hvk_scsi_cdb *cdb)
{
	hvk_scsi_inquiry(cdb, HVK_SCSI_STANDARD, sizeof(struct scsi_inquiry));
	return sizeof(struct scsi_inquiry);
}

static void take_inquiry(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	struct storvsc_scan *scan = &controller->scan;

	scan->present = status == HVK_OK &&
			hvk_scsi_parse_inquiry(scan->bytes, length, controller->version, &scan->found);
	scan->medium = true;
	scan->long_capacity = false;
}

static bool has_pages(const struct storvsc_scan *scan)
{
	return scan->found.version >= VERSION_WITH_PAGES;
}

static uint32_t ask_page(struct hvk_scsi_cdb *cdb, uint32_t page)
{
	hvk_scsi_inquiry(cdb, page, PAGE_BYTES);
	return PAGE_BYTES;
}

static uint32_t ask_supported(struct hvk_scsi_cdb *cdb)
{
	return ask_page(cdb, SCSI_VPD_SUPPORTED_PAGES);
}

static void take_supported(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	if (status == HVK_OK)
		hvk_scsi_parse_supported_pages(controller->scan.bytes, length, &controller->scan.found);
}

static bool has_serial(const struct storvsc_scan *scan)
{
	return scan->found.pages[SCSI_VPD_SERIAL];
}

static uint32_t ask_serial(struct hvk_scsi_cdb *cdb)
{
	return ask_page(cdb, SCSI_VPD_SERIAL);
}

static void take_serial(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	if (status == HVK_OK)
		hvk_scsi_parse_serial(controller->scan.bytes, length, &controller->scan.found.info);
}

static bool has_identification(const struct storvsc_scan *scan)
{
	return scan->found.pages[SCSI_VPD_IDENTIFICATION];
}

static uint32_t ask_identification(struct hvk_scsi_cdb *cdb)
{
	return ask_page(cdb, SCSI_VPD_IDENTIFICATION);
}

static void take_identification(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	if (status == HVK_OK)
		hvk_scsi_parse_identification(controller->scan.bytes, length, &controller->scan.found.info);
}

static bool has_limits(const struct storvsc_scan *scan)
{
	return scan->found.pages[SCSI_VPD_BLOCK_LIMITS];
}

static uint32_t ask_limits(struct hvk_scsi_cdb *cdb)
{
	return ask_page(cdb, SCSI_VPD_BLOCK_LIMITS);
}

static void take_limits(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	if (status == HVK_OK)
		hvk_scsi_parse_block_limits(controller->scan.bytes, length, &controller->scan.found);
}

static bool has_characteristics(const struct storvsc_scan *scan)
{
	return scan->found.pages[SCSI_VPD_BLOCK_CHARACTERISTICS];
}

static uint32_t ask_characteristics(struct hvk_scsi_cdb *cdb)
{
	return ask_page(cdb, SCSI_VPD_BLOCK_CHARACTERISTICS);
}

static void take_characteristics(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	if (status == HVK_OK)
		hvk_scsi_parse_characteristics(controller->scan.bytes, length, &controller->scan.found.info);
}

static bool has_provisioning(const struct storvsc_scan *scan)
{
	return scan->found.pages[SCSI_VPD_PROVISIONING];
}

static uint32_t ask_provisioning(struct hvk_scsi_cdb *cdb)
{
	return ask_page(cdb, SCSI_VPD_PROVISIONING);
}

static void take_provisioning(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	if (status == HVK_OK)
		hvk_scsi_parse_provisioning(controller->scan.bytes, length, &controller->scan.found);
}

/* --- Medium ---------------------------------------------------------------------------------- */

static uint32_t ask_ready(struct hvk_scsi_cdb *cdb)
{
	hvk_scsi_test_unit_ready(cdb);
	return 0;
}

/* Some hosts say that a unit is not ready whose capacity they tell: only "no medium" counts (FreeBSD). */
static void take_ready(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	(void)length;
	controller->scan.medium = status != HVK_ENOMEDIUM;
}

static bool has_medium(const struct storvsc_scan *scan)
{
	return scan->medium;
}

static uint32_t ask_capacity_10(struct hvk_scsi_cdb *cdb)
{
	hvk_scsi_read_capacity_10(cdb);
	return sizeof(struct scsi_read_capacity_10);
}

static void take_capacity_10(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	struct storvsc_scan *scan = &controller->scan;
	bool more = false;

	scan->medium = status == HVK_OK &&
		       hvk_scsi_parse_capacity_10(scan->bytes, length, &scan->found.info, &more);
	scan->long_capacity = more;
}

static bool has_long_capacity(const struct storvsc_scan *scan)
{
	return scan->medium && (scan->long_capacity || (scan->found.type == SCSI_DEVICE_DISK &&
							scan->found.version >= SCSI_VERSION_SPC3));
}

static uint32_t ask_capacity_16(struct hvk_scsi_cdb *cdb)
{
	hvk_scsi_read_capacity_16(cdb);
	return sizeof(struct scsi_read_capacity_16);
}

/* Who does not know it has what the short one said, unless that was not enough. */
static void take_capacity_16(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	struct storvsc_scan *scan = &controller->scan;
	bool known = status == HVK_OK && hvk_scsi_parse_capacity_16(scan->bytes, length, &scan->found);

	scan->medium = known || !scan->long_capacity;
}

static bool has_modes(const struct storvsc_scan *scan)
{
	return scan->medium && scan->found.type == SCSI_DEVICE_DISK;
}

static uint32_t ask_caching(struct hvk_scsi_cdb *cdb)
{
	hvk_scsi_mode_sense_6(cdb, SCSI_MODE_PAGE_CACHING, MODE_BYTES);
	return MODE_BYTES;
}

static void take_modes(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	struct storvsc_scan *scan = &controller->scan;

	if (status == HVK_OK)
		hvk_scsi_parse_mode_sense_6(scan->bytes, length, &scan->found);
}

static bool lacks_modes(const struct storvsc_scan *scan)
{
	return has_modes(scan) && !scan->found.cache_known;
}

static uint32_t ask_all_modes(struct hvk_scsi_cdb *cdb)
{
	hvk_scsi_mode_sense_6(cdb, SCSI_MODE_PAGE_ALL, MODE_BYTES);
	return MODE_BYTES;
}

static const struct question questions[] = {
	{"INQUIRY", NULL, ask_inquiry, take_inquiry},
	{"supported pages", has_pages, ask_supported, take_supported},
	{"serial number", has_serial, ask_serial, take_serial},
	{"identification", has_identification, ask_identification, take_identification},
	{"block limits", has_limits, ask_limits, take_limits},
	{"characteristics", has_characteristics, ask_characteristics, take_characteristics},
	{"provisioning", has_provisioning, ask_provisioning, take_provisioning},
	{"TEST UNIT READY", NULL, ask_ready, take_ready},
	{"READ CAPACITY(10)", has_medium, ask_capacity_10, take_capacity_10},
	{"READ CAPACITY(16)", has_long_capacity, ask_capacity_16, take_capacity_16},
	{"MODE SENSE", has_modes, ask_caching, take_modes},
	{"MODE SENSE of all pages", lacks_modes, ask_all_modes, take_modes},
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))
#define STEP_LIST QUESTIONS /* REPORT LUNS: of the target, not of a unit */

/* --- One command ------------------------------------------------------------------------------------ */

static hvk_status send(struct hvk_storvsc *controller, uint32_t lun, const struct hvk_scsi_cdb *cdb,
		       uint32_t length)
{
	struct storvsc_queue *queue = storvsc_primary(controller);
	struct storvsc_scan *scan = &controller->scan;
	struct storvsc_command *command;

	hvk_shared_zero(&scan->memory, 0, scan->memory.size);
	hvk_lock(controller->hvk, &controller->lock);
	command = hvk_storvsc_command_get(controller, true);
	if (command) {
		command->memory = length != 0 ? STORVSC_SCAN : STORVSC_NO_MEMORY;
		command->length = length;
		command->timeout_ms = hvk_min32(SCAN_TIMEOUT_MS, controller->config.timeout_ms);
		command->srb = (struct hvk_vstor_srb){
			.path = controller->ide_path,
			.target = (uint8_t)scan->target,
			.lun = (uint8_t)lun,
			.cdb_length = cdb->length,
			.direction = length != 0 ? VSTOR_DATA_IN : VSTOR_DATA_NONE,
			.length = length,
			.timeout = (command->timeout_ms + 999) / 1000,
		};
		memcpy(command->srb.cdb, cdb->bytes, sizeof(command->srb.cdb));
		scan->answered = false;
		hvk_storvsc_unsent_put(queue, command, false);
	}
	hvk_unlock(controller->hvk, &controller->lock);
	scan->command = command;
	if (!command)
		return HVK_EBUSY;
	hvk_storvsc_pump(queue);
	return HVK_EINPROGRESS;
}

/* --- From LUN to LUN ---------------------------------------------------------------------------------- */

static void add_lun(struct storvsc_scan *scan, uint32_t lun)
{
	scan->luns[lun / 8] = (uint8_t)(scan->luns[lun / 8] | 1u << lun % 8);
}

/* Entries are read from shared memory once each. */
static void take_list(struct hvk_storvsc *controller, hvk_status status, uint32_t length)
{
	struct storvsc_scan *scan = &controller->scan;
	uint8_t entry[8];
	uint32_t count;

	scan->listed = status == HVK_OK && length >= sizeof(entry);
	if (!scan->listed) { /* one by one; of a target that has none all that is asked is LUN 0 */
		for (uint32_t lun = 0; lun < (scan->target == 0 ? HVK_STORVSC_LUNS_TRIED : 1u); lun++)
			add_lun(scan, lun);
		for (uint32_t lun = 0; lun < HVK_STORVSC_LUNS; lun++) {
			if (hvk_storvsc_unit_is_known(controller, (uint8_t)scan->target, (uint8_t)lun))
				add_lun(scan, lun);
		}
		return;
	}
	hvk_shared_read(&scan->memory, 0, entry, sizeof(entry));
	count = hvk_scsi_lun_count(entry, length);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t lun;

		hvk_shared_read(&scan->memory, 8 + i * 8, entry, sizeof(entry));
		lun = hvk_scsi_lun(entry);
		if (lun < HVK_STORVSC_LUNS)
			add_lun(scan, lun);
	}
}

/* The next LUN that is in the list; HVK_STORVSC_LUNS: none. */
static uint32_t next_lun(const struct storvsc_scan *scan, uint32_t lun)
{
	while (lun < HVK_STORVSC_LUNS && ((uint32_t)scan->luns[lun / 8] >> lun % 8 & 1u) == 0)
		lun++;
	return lun;
}

static void begin_target(struct hvk_storvsc *controller)
{
	struct storvsc_scan *scan = &controller->scan;

	memset(scan->luns, 0, sizeof(scan->luns));
	scan->step = STEP_LIST;
	scan->lun = 0;
	scan->listed = false;
}

static void next_unit(struct storvsc_scan *scan)
{
	scan->lun = next_lun(scan, scan->lun + 1);
	scan->step = 0;
	scan->news = false;
}

static void unit_over(struct hvk_storvsc *controller)
{
	struct storvsc_scan *scan = &controller->scan;

	if (scan->present) {
		if (!scan->medium)
			scan->found.info.flags |= HVK_BLOCK_NO_MEDIUM;
		hvk_storvsc_unit_found(controller, (uint8_t)scan->target, (uint8_t)scan->lun, &scan->found);
		for (uint32_t lun = 1; !scan->listed && !controller->ide && lun < HVK_STORVSC_LUNS_TRIED;
		     lun++)
			add_lun(scan, lun);
	}
	next_unit(scan);
}

/* What went wrong may go well a little later, and nobody would ask for it again. */
static void plan_another(struct hvk_storvsc *controller, hvk_status result)
{
	struct storvsc_scan *scan = &controller->scan;

	if ((result == HVK_OK && !scan->trouble) || ++scan->tries == HVK_STORVSC_SCAN_TRIES) {
		scan->tries = 0;
		return;
	}
	hvk_lock(controller->hvk, &controller->lock);
	controller->rescan = controller->rescan || controller->taking;
	hvk_unlock(controller->hvk, &controller->lock);
}

static void over(struct hvk_storvsc *controller, hvk_status result)
{
	struct storvsc_scan *scan = &controller->scan;

	scan->running = false;
	scan->result = result;
	scan->scans++;
	if (result == HVK_OK)
		hvk_storvsc_units_settle(controller);
	plan_another(controller, result);
	hvk_request_finish(controller->hvk, scan->served, result, controller->config.cpu);
	scan->served = NULL;
	hvk_storvsc_kick(controller);
}

/* Asks the next question, or ends. */
static void ask(struct hvk_storvsc *controller)
{
	struct storvsc_scan *scan = &controller->scan;
	struct hvk_scsi_cdb cdb;
	uint32_t length;
	hvk_status status;

	/* Ends: LUNs and targets only grow. */
	for (;;) {
		if (scan->step == STEP_LIST) {
			hvk_scsi_report_luns(&cdb, LIST_BYTES);
			status = send(controller, 0, &cdb, LIST_BYTES);
			break;
		}
		if (scan->lun == HVK_STORVSC_LUNS) {
			scan->target++;
			if (controller->ide || scan->target == HVK_STORVSC_TARGETS) {
				over(controller, HVK_OK);
				return;
			}
			begin_target(controller);
			continue;
		}
		if (questions[scan->step].wanted && !questions[scan->step].wanted(scan)) {
			if (++scan->step == QUESTIONS)
				unit_over(controller);
			continue;
		}
		length = questions[scan->step].build(&cdb);
		status = send(controller, scan->lun, &cdb, length);
		break;
	}
	if (status != HVK_EINPROGRESS)
		over(controller, status);
}

/* Its own fault, and no reason to leave the others alone. */
static bool is_refusal(hvk_status status)
{
	return status == HVK_OK || status == HVK_EIO || status == HVK_ENODEVICE || status == HVK_ENOMEDIUM ||
	       status == HVK_EREADONLY || hvk_status_is_host_fault(status);
}

/* Neither an answer nor a refusal: busy for long, aborted again and again, nothing that can be read. */
static bool is_trouble(hvk_status status, bool refused)
{
	return (status == HVK_EIO && !refused) || hvk_status_is_host_fault(status);
}

static void take(struct hvk_storvsc *controller, hvk_status status, uint32_t length, bool refused)
{
	struct storvsc_scan *scan = &controller->scan;
	uint32_t kept = hvk_min32(length, sizeof(scan->bytes));
	bool last_try = scan->tries + 1 == HVK_STORVSC_SCAN_TRIES, trouble = is_trouble(status, refused);

	if (scan->step != STEP_LIST && questions[scan->step].take == take_ready)
		trouble = false; /* it may fail as it likes */
	scan->trouble = scan->trouble || trouble;
	if (scan->step == STEP_LIST) {
		take_list(controller, status, hvk_min32(length, LIST_BYTES));
		scan->step = 0;
		scan->lun = next_lun(scan, 0);
		return;
	}
	/* A unit that works is not taken for another one, nor for gone, because of it. */
	if (trouble && !last_try &&
	    hvk_storvsc_unit_kept(controller, (uint8_t)scan->target, (uint8_t)scan->lun)) {
		next_unit(scan);
		return;
	}
	memset(scan->bytes, 0, sizeof(scan->bytes));
	hvk_shared_read(&scan->memory, 0, scan->bytes, kept);
	questions[scan->step].take(controller, status, kept);
	scan->step++;
	if (scan->step == QUESTIONS || !scan->present)
		unit_over(controller);
}

/* --- Life ------------------------------------------------------------------------------------------- */

hvk_status hvk_storvsc_scan_start_memory(struct hvk_storvsc *controller)
{
	struct storvsc_scan *scan = &controller->scan;
	hvk_status status = hvk_pages_get(controller->hvk, 1, HVK_PAGE_HOST_WRITES, &scan->pages);

	if (status != HVK_OK)
		return status;
	scan->memory = hvk_pages_shared(&scan->pages);
	scan->page_number = hvk_page_gpa(controller->hvk, &scan->pages, 0) >> HVK_PAGE_SHIFT;
	return HVK_OK;
}

void hvk_storvsc_scan_begin(struct hvk_storvsc *controller)
{
	struct storvsc_scan *scan = &controller->scan;

	hvk_lock(controller->hvk, &controller->lock);
	controller->rescan = false;
	scan->served = scan->asked;
	scan->asked = NULL;
	scan->news = false;
	hvk_unlock(controller->hvk, &controller->lock);
	scan->running = true;
	scan->result = HVK_OK;
	scan->trouble = false;
	scan->target = 0;
	scan->again = false;
	for (uint32_t i = 0; i < controller->unit_count; i++)
		controller->units[i].seen = false;
	begin_target(controller);
	if (controller->ide) { /* one disk, whose place is known */
		scan->target = controller->ide_target;
		scan->step = 0;
		add_lun(scan, 0);
	}
	ask(controller);
}

static void take_answer(struct hvk_storvsc *controller)
{
	struct storvsc_scan *scan = &controller->scan;
	struct storvsc_command *command = scan->command;
	hvk_status status = HVK_EINPROGRESS;
	bool refused = false;
	uint32_t length = 0;

	hvk_lock(controller->hvk, &controller->lock);
	if (command && scan->answered) {
		status = command->status;
		length = command->result.transferred;
		refused = command->forget;
		scan->command = NULL;
		hvk_storvsc_command_put(controller, command);
	}
	hvk_unlock(controller->hvk, &controller->lock);
	if (status == HVK_EINPROGRESS || !scan->running)
		return;
	if (!is_refusal(status)) {
		over(controller, status);
		return;
	}
	take(controller, status, length, refused);
	ask(controller);
}

static void settled(struct hvk_timer *timer, void *context)
{
	struct hvk_storvsc *controller = context;
	bool wanted;

	(void)timer;
	hvk_lock(controller->hvk, &controller->lock);
	wanted = controller->rescan && controller->taking && controller->life == STORVSC_ATTACHED;
	hvk_unlock(controller->hvk, &controller->lock);
	if (wanted && !controller->scan.running && !controller->scan.command)
		hvk_storvsc_scan_begin(controller);
}

void hvk_storvsc_scan_go_on(struct hvk_storvsc *controller)
{
	struct storvsc_scan *scan = &controller->scan;
	bool wanted;

	take_answer(controller);
	hvk_lock(controller->hvk, &controller->lock);
	wanted = controller->rescan && controller->taking && controller->life == STORVSC_ATTACHED;
	hvk_unlock(controller->hvk, &controller->lock);
	if (wanted && !scan->running && !scan->command && !hvk_timer_running(&scan->settle))
		hvk_timer_start(controller->hvk, &scan->settle, controller->config.cpu,
				scan->tries != 0 ? HVK_STORVSC_SCAN_AGAIN_MS : HVK_STORVSC_SETTLE_MS);
}

/* Its command ends by itself, or with the channel. */
void hvk_storvsc_scan_stop(struct hvk_storvsc *controller, hvk_status status)
{
	struct storvsc_scan *scan = &controller->scan;
	struct hvk_request *asked;

	hvk_timer_stop(controller->hvk, &scan->settle);
	hvk_lock(controller->hvk, &controller->lock);
	asked = scan->asked;
	scan->asked = NULL;
	controller->rescan = false;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_request_finish(controller->hvk, asked, status, controller->config.cpu);
	if (scan->running)
		over(controller, status);
}

void hvk_storvsc_scan_init(struct hvk_storvsc *controller)
{
	controller->scan.settle = (struct hvk_timer){
		.fire = settled, .context = controller, .deadline = HVK_NEVER, .cpu = controller->config.cpu};
}

void hvk_storvsc_rescan(struct hvk_storvsc *controller, struct hvk_request *request)
{
	hvk_status status = HVK_OK;

	hvk_request_begin(request);
	hvk_lock(controller->hvk, &controller->lock);
	if (controller->lost != HVK_OK)
		status = HVK_EGONE;
	else if (controller->life != STORVSC_ATTACHED || !controller->taking)
		status = HVK_ESTATE;
	else if (controller->scan.asked)
		status = HVK_EBUSY;
	if (status == HVK_OK) {
		controller->scan.asked = request;
		controller->rescan = true;
	}
	hvk_unlock(controller->hvk, &controller->lock);
	if (status == HVK_OK)
		hvk_storvsc_kick(controller);
	else
		hvk_request_finish(controller->hvk, request, status, controller->config.cpu);
}
