/* SPDX-License-Identifier: MIT */
/* What hvk_create refuses: the status, the one line that says why and what would be right, and that
 * nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/hvkit.h"
#include "hvkit/wire/hypervisor.h"
#include "tests/support/polled_port.h"

#define PAUSE_NS 1000000u
#define LOCKS_MAX 64u

enum fault {
	PORT_SIZE,
	PORT_VERSION,
	NO_LOG,
	NO_PAGES_ALLOC,
	NO_PAGES_FREE,
	NO_PAGE_GPA,
	NO_FEATURES,
	NO_REG_READ,
	NO_REG_WRITE,
	NO_HYPERCALL,
	NO_PAUSE,
	PAUSE_ZERO,
	PAUSE_TOO_LONG,
	SHARE_ALONE,
	CPUS_TOO_MANY,
	CPUS_WITHOUT_INDEX,
	CPUS_WITHOUT_LOCKS,
	INTERRUPTS_WITHOUT_LOCKS,
	INTERRUPTS_WITHOUT_VECTOR,
	VECTOR_RESERVED,
	FIRMWARE_ID,
	LOG_LEVEL_NONE,
	DEVICE_VECTORS_POLLED,
	DEVICE_VECTORS_TOO_LOW,
	DEVICE_VECTORS_TOO_HIGH,
	DEVICE_VECTORS_TOO_MANY,
	DEVICE_VECTORS_OF_SINT,
	WINDOW_BEYOND,
	RESERVED_BEYOND,
	PORT_SIZE_FORGOTTEN,
	PORT_SIZE_NONSENSE,
	UNSHARE_ALONE,
	LOCK_ALONE
};

/* What the log says: the field, what it is, what would be right. NULL: nobody can be told. */
static const char *const said[] = {
	[PORT_SIZE] = "port.size is ",
	[PORT_VERSION] = "port.version is 2, not HVK_PORT_VERSION, which is 1 here",
	[NO_PAGES_ALLOC] = "port.pages_alloc is NULL: every port needs it (L0)",
	[NO_PAGES_FREE] = "port.pages_free is NULL: every port needs it (L0)",
	[NO_PAGE_GPA] = "port.page_gpa is NULL: every port needs it (L0)",
	[NO_FEATURES] = "port.features is NULL: every port needs it (L0)",
	[NO_REG_READ] = "port.reg_read is NULL: every port needs it (L0)",
	[NO_REG_WRITE] = "port.reg_write is NULL: every port needs it (L0)",
	[NO_HYPERCALL] = "port.hypercall is NULL: every port needs it (L0)",
	[NO_PAUSE] = "port.pause is NULL: every port needs it (L0)",
	[PAUSE_ZERO] = "port.pause_ns is 0, not 1 to 100000000",
	[PAUSE_TOO_LONG] = "port.pause_ns is 100000001, not 1 to 100000000",
	[SHARE_ALONE] = "port.unshare is NULL: share and unshare, both or none (L3)",
	[CPUS_TOO_MANY] = "config.cpus is 65, not 1 to 64",
	[CPUS_WITHOUT_INDEX] = "port.cpu_index is NULL: config.cpus above 1 needs it (L1)",
	[CPUS_WITHOUT_LOCKS] =
		"port.lock_init is NULL: config.cpus above 1 needs lock_init, lock and unlock (L1)",
	[INTERRUPTS_WITHOUT_LOCKS] =
		"port.lock_init is NULL: config.interrupts needs lock_init, lock and unlock (L1)",
	[INTERRUPTS_WITHOUT_VECTOR] = "config.vector is 0, not 16 to 255, as config.interrupts needs",
	[VECTOR_RESERVED] = "config.vector is 15, not 16 to 255",
	[FIRMWARE_ID] =
		"config.guest_os_id is 0x10000000000, which is firmware's: 0 for hvkit's, or your own",
	[LOG_LEVEL_NONE] = "config.log_level is 5, not 0 to 4 (HVK_LOG_DEBUG)",
	[DEVICE_VECTORS_POLLED] = "config.device_vector_count is 8: config.interrupts is needed too",
	[DEVICE_VECTORS_TOO_LOW] =
		"config.device_vector_first and _count are 15 and 8, not 16 to 255, and 1 to 64",
	[DEVICE_VECTORS_TOO_HIGH] =
		"config.device_vector_first and _count are 249 and 8, not 16 to 255, and 1 to 64",
	[DEVICE_VECTORS_TOO_MANY] =
		"config.device_vector_first and _count are 100 and 65, not 16 to 255, and 1 to 64",
	[DEVICE_VECTORS_OF_SINT] = "config.vector, 64, is one of the device vectors, 60 to 67",
	[WINDOW_BEYOND] = "config.mmio_windows[1] is beyond the last address",
	[RESERVED_BEYOND] = "config.mmio_reserved[3] is beyond the last address",
	[PORT_SIZE_FORGOTTEN] = "port.size is 0, not the ",
	[UNSHARE_ALONE] = "port.share is NULL: share and unshare, both or none (L3)",
	[LOCK_ALONE] = "port.unlock is NULL: lock_init, lock and unlock, all or none (L1)",
};

static uint32_t cpu_zero(void *context)
{
	(void)context;
	return 0;
}

static hvk_status say_yes(void *context, const struct hvk_pages *pages)
{
	(void)context, (void)pages;
	return HVK_OK;
}

static void leave_out(enum fault fault, struct hvk_port *port)
{
	switch (fault) {
	case NO_LOG:
		port->log = NULL;
		break;
	case NO_PAGES_ALLOC:
		port->pages_alloc = NULL;
		break;
	case NO_PAGES_FREE:
		port->pages_free = NULL;
		break;
	case NO_PAGE_GPA:
		port->page_gpa = NULL;
		break;
	case NO_FEATURES:
		port->features = NULL;
		break;
	case NO_REG_READ:
		port->reg_read = NULL;
		break;
	case NO_REG_WRITE:
		port->reg_write = NULL;
		break;
	case NO_HYPERCALL:
		port->hypercall = NULL;
		break;
	case NO_PAUSE:
		port->pause = NULL;
		break;
	default:
		break;
	}
}

static void give_vectors(struct hvk_config *config, uint8_t first, uint8_t count)
{
	config->interrupts = true;
	config->vector = 64;
	config->device_vector_first = first;
	config->device_vector_count = count;
}

static void spoil_devices(enum fault fault, struct hvk_config *config)
{
	switch (fault) {
	case DEVICE_VECTORS_POLLED:
		config->device_vector_first = 0x60;
		config->device_vector_count = 8;
		break;
	case DEVICE_VECTORS_TOO_LOW:
		give_vectors(config, 15, 8);
		break;
	case DEVICE_VECTORS_TOO_HIGH:
		give_vectors(config, 249, 8);
		break;
	case DEVICE_VECTORS_TOO_MANY:
		give_vectors(config, 100, 65);
		break;
	case DEVICE_VECTORS_OF_SINT:
		give_vectors(config, 60, 8);
		break;
	case WINDOW_BEYOND:
		config->mmio_windows[1] = (struct hvk_mmio_range){0x1000, UINT64_MAX};
		break;
	case RESERVED_BEYOND:
		config->mmio_reserved[3] = (struct hvk_mmio_range){UINT64_MAX, 1};
		break;
	default:
		break;
	}
}

static void spoil(enum fault fault, struct hvk_port *port, struct hvk_config *config)
{
	if (fault >= NO_LOG && fault <= NO_PAUSE)
		leave_out(fault, port);
	spoil_devices(fault, config);
	switch (fault) {
	case PORT_SIZE:
		port->size--;
		break;
	case PORT_VERSION:
		port->version++;
		break;
	case PAUSE_ZERO:
		port->pause_ns = 0;
		break;
	case PAUSE_TOO_LONG:
		port->pause_ns = 100000001u;
		break;
	case SHARE_ALONE:
		port->share = say_yes;
		break;
	case CPUS_TOO_MANY:
		config->cpus = HVK_CPUS_MAX + 1;
		break;
	case CPUS_WITHOUT_INDEX:
		config->cpus = 2;
		polled_port_locks(port->context);
		break;
	case CPUS_WITHOUT_LOCKS:
		config->cpus = 2;
		port->cpu_index = cpu_zero;
		break;
	case INTERRUPTS_WITHOUT_LOCKS:
		config->interrupts = true;
		config->vector = 0x40;
		break;
	case INTERRUPTS_WITHOUT_VECTOR:
		config->interrupts = true;
		break;
	case VECTOR_RESERVED:
		config->vector = 15;
		break;
	case FIRMWARE_ID:
		config->guest_os_id = HV_OS_ID_FIRMWARE;
		break;
	case LOG_LEVEL_NONE:
		config->log_level = (enum hvk_log_level)(HVK_LOG_DEBUG + 1);
		break;
	case PORT_SIZE_FORGOTTEN:
		port->size = 0;
		break;
	case PORT_SIZE_NONSENSE: /* an older header's cannot be so short, so log is not called */
		port->size = 8;
		break;
	case UNSHARE_ALONE:
		port->unshare = say_yes;
		break;
	case LOCK_ALONE:
		polled_port_locks(port->context);
		port->unlock = NULL;
		break;
	default:
		break;
	}
}

static struct {
	uint32_t lines;
	char text[200];
} told;

static void remember(void *owner, enum hvk_log_level level, const char *text)
{
	(void)owner;
	assert_int_equal(level, HVK_LOG_ERROR);
	told.lines++;
	(void)snprintf(told.text, sizeof(told.text), "%s", text);
}

/* One line, which begins so. */
static void is_told(const char *line)
{
	assert_int_equal(told.lines, line ? 1 : 0);
	if (line)
		assert_memory_equal(told.text, line, strlen(line));
	memset(&told, 0, sizeof(told));
}

static void refused_ports(void **state)
{
	(void)state;
	for (int fault = PORT_SIZE; fault <= LOCK_ALONE; fault++) {
		bool level = (fault >= NO_LOG && fault <= NO_PAUSE) ||
			     (fault >= CPUS_WITHOUT_INDEX && fault <= INTERRUPTS_WITHOUT_LOCKS);
		struct polled_port port;
		struct hvk_config config = {.cpus = 1};
		struct hvk *hvk = (struct hvk *)(void *)&port;

		polled_port_init(&port, NULL, PAUSE_NS);
		port.logged = remember;
		spoil((enum fault)fault, &port.port, &config);
		assert_int_equal(hvk_create(&port.port, &config, &hvk), level ? HVK_ELEVEL : HVK_EINVAL);
		assert_null(hvk);
		is_told(said[fault]);
		assert_int_equal(polled_port_end(&port), 0);
	}
}

static void no_port_at_all(void **state)
{
	const struct hvk_config config = {.cpus = 1};
	struct polled_port port;
	struct hvk *hvk;

	(void)state;
	polled_port_init(&port, NULL, PAUSE_NS);
	assert_int_equal(hvk_create(NULL, &config, &hvk), HVK_EINVAL);
	port.logged = remember;
	assert_int_equal(hvk_create(&port.port, NULL, &hvk), HVK_EINVAL);
	is_told("no configuration: config is NULL");
	port.fail_allocation = 1;
	assert_int_equal(hvk_create(&port.port, &config, &hvk), HVK_ENOMEM);
	is_told("pages_alloc gave no memory for the instance: ");
	assert_int_equal(polled_port_end(&port), 0);
}

static hvk_status no_more_locks(void *context, struct hvk_lock *lock)
{
	struct polled_port *port = context;

	(void)lock;
	return port->random-- == 0 ? HVK_ENOMEM : HVK_OK;
}

/* Wherever it is in the row of locks, the instance's memory comes back. */
static void lock_that_cannot_be(void **state)
{
	const struct hvk_config config = {.cpus = 1};
	hvk_status status = HVK_ENOMEM;
	uint32_t locks = 0;

	(void)state;
	for (; status != HVK_OK; locks++) {
		struct polled_port port;
		struct hvk *hvk;

		polled_port_init(&port, NULL, PAUSE_NS);
		polled_port_locks(&port);
		port.port.lock_init = no_more_locks;
		port.random = locks;
		status = hvk_create(&port.port, &config, &hvk);
		if (status == HVK_OK)
			assert_int_equal(hvk_destroy(hvk), HVK_OK);
		else
			assert_int_equal(status, HVK_ENOMEM);
		assert_int_equal(polled_port_end(&port), 0);
		assert_true(locks < LOCKS_MAX);
	}
	assert_in_range(locks, 3, LOCKS_MAX); /* quarantine, bus, CPU */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_ports),
		cmocka_unit_test(no_port_at_all),
		cmocka_unit_test(lock_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
