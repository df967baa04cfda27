/* SPDX-License-Identifier: MIT */
/* hvkit doctor: what this machine can do. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_NOTE,    /* so it is; nothing to do */
	DOCTOR_MISSING, /* something can not be used; the advice says how it could */
	DOCTOR_BROKEN   /* hvkit run itself does not work */
};

#define DOCTOR_TEXT 240u

struct doctor_finding {
	enum doctor_state state;
	char text[DOCTOR_TEXT];
	char advice[DOCTOR_TEXT]; /* "" if there is none */
};

void doctor_say(struct doctor_finding *finding, enum doctor_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_advise(struct doctor_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* doctor_machine.c */
void doctor_machine(struct doctor_finding *finding);
void doctor_memory(struct doctor_finding *finding);
void doctor_loopback(struct doctor_finding *finding);
void doctor_processor(struct doctor_finding *finding);
void doctor_hypervisor(struct doctor_finding *finding);
void doctor_kvm(struct doctor_finding *finding);

/* kvm/doctor.c */
void doctor_accel(struct doctor_finding *finding);

/* doctor_tools.c */
void doctor_slirp(struct doctor_finding *finding);
void doctor_console(struct doctor_finding *finding);
void doctor_tshark(struct doctor_finding *finding);
void doctor_wireshark(struct doctor_finding *finding);
void doctor_dissector(struct doctor_finding *finding);
void doctor_chromium(struct doctor_finding *finding);
void doctor_packages(struct doctor_finding *finding);

/* The program of that name in PATH; false if there is none. */
bool doctor_find_program(const char *name, char *path, size_t size);

#endif
