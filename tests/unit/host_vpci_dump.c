/* SPDX-License-Identifier: MIT */
/* What the state tree and the notes of the trace say of a vPCI bus. */
#include "host_vpci_guest.h"

#define TEXT_MAX 65536u

struct text {
	char bytes[TEXT_MAX];
	size_t used;
};

static void add(void *context, const char *line)
{
	struct text *text = context;

	assert_true(text->used + strlen(line) + 2 < TEXT_MAX);
	text->used += (size_t)sprintf(text->bytes + text->used, "%s\n", line);
}

static void says(const struct text *text, const char *line)
{
	if (strstr(text->bytes, line) == NULL)
		fail_msg("'%s' is missing in\n%s", line, text->bytes);
}

static struct text *dump(struct guest *guest)
{
	static struct text text;

	text.used = 0;
	hvh_dump(guest->host, add, &text);
	return &text;
}

static void the_tree_shows_the_bus_and_its_function(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	const struct text *text;

	(void)function_ready(guest);
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 1, &answer), 0);
	struct vpci_translated_interrupt interrupt = created(&answer);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE);
	set_entry(guest, 5, &interrupt);
	text = dump(guest);
	says(text, "\nmmio:\n");
	says(text, "    base: 0xf8000000\n    length: 0x2000\n");
	says(text, "  pci0:\n");
	says(text, "state: d0\n");
	says(text, "version: 1.2\n");
	says(text, "serial: 305419896\n");
	says(text, "window: 0xf8000000\n");
	says(text, "slot-chosen: 2\n");
	says(text, "leaving: no\n");
	says(text, "id: 1af4:10f0\n");
	says(text, "bus-master: yes\n");
	says(text, "mapped-at: 0xf8010000\n");
	says(text, "mapped-at: 0xfe0010000\n");
	says(text, "entry-5:\n");
	says(text, "vector: 96\n");
	says(text, "processors: 0x2\n");
	says(text, "interrupts-created: 1\n");
}

static void the_tree_shows_that_it_leaves(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);
	struct vpci_ejection_complete complete = {VPCI_EJECTION_COMPLETE, SLOT, 0};

	assert_true(hvh_vpci_eject(bus, guest->now));
	settle(guest);
	says(dump(guest), "leaving: asked\n");
	send_message(guest, &complete, sizeof complete, false, 0);
	says(dump(guest), "leaving: ejected\n");
	says(dump(guest), "ejects-answered: 1\n");
	says(dump(guest), "powered: no\n");
}

/* --- Notes --------------------------------------------------------------------------------------- */

static struct text notes;

static void take_note(void *context, const struct hvh_trace_record *record)
{
	(void)context;
	if (record->kind == HVH_TRACE_NOTE && notes.used + record->byte_count + 2 < TEXT_MAX)
		notes.used += (size_t)sprintf(notes.bytes + notes.used, "%.*s\n", (int)record->byte_count,
					      (const char *)record->bytes);
}

static void what_changes_in_device_memory_is_noted(void **state)
{
	struct guest *guest = calloc(1, sizeof *guest);
	struct answer answer;

	(void)state;
	guest_create_traced(guest, "ws2022", take_note);
	(void)function_ready(guest);
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 1, &answer), 0);
	says(&notes, "vpci: window at 0xf8000000, serial 305419896\n");
	says(&notes, "pci: BAR 0 answers at 0xf8010000, 0x1000 bytes\n");
	says(&notes, "pci: BAR 4 answers at 0xfe0010000, 0x4000 bytes\n");
	says(&notes, "is vector 0x60 of processors 0x2\n");
	guest_destroy(guest);
	free(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_tree_shows_the_bus_and_its_function),
		TEST(the_tree_shows_that_it_leaves),
		cmocka_unit_test(what_changes_in_device_memory_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
