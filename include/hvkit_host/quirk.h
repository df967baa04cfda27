/* SPDX-License-Identifier: MIT */
/*
 * Quirks: the named habits in which hosts differ, each a field of struct
 * hvh_profile, so that people and scripts can set them one by one
 * (`hvkit run --quirk NAME=VALUE`, `quirk NAME VALUE` on the monitor console).
 * docs/hosts.md lists them with their sources.
 */
#ifndef HVKIT_HOST_QUIRK_H
#define HVKIT_HOST_QUIRK_H

#include <stddef.h>

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

enum hvh_quirk_kind {
	HVH_QUIRK_SWITCH, /* on or off */
	HVH_QUIRK_NUMBER, /* minimum to maximum */
	HVH_QUIRK_CHOICE  /* one of the choices by name */
};

struct hvh_quirk {
	const char *name;        /* "torndown-withheld" */
	const char *description; /* one line for people */
	enum hvh_quirk_kind kind;
	uint32_t minimum, maximum;
	const char *const *choices; /* ended by NULL */
	bool live;                  /* may change while a guest runs; else only before */
};

/* n-th quirk; NULL past the last. */
const struct hvh_quirk *hvh_quirk_get(uint32_t n);
const struct hvh_quirk *hvh_quirk_find(const char *name);

/* What it is set to, as text that hvh_quirk_set takes. */
#define HVH_QUIRK_VALUE_MAX 32u
void hvh_quirk_value(const struct hvh_profile *profile, const struct hvh_quirk *quirk, char *text,
		     size_t size);

/* Sets one ("on", "off", a number, a choice). False, with a line in error that says what
 * is wrong and what would be right, if there is no such quirk or value. */
bool hvh_quirk_set(struct hvh_profile *profile, const char *name, const char *value, char *error,
		   size_t error_size);
/* The same on a partition whose guest may be running. Also false: not live, and a guest has
 * made contact. */
bool hvh_partition_set_quirk(struct hvh_partition *partition, const char *name, const char *value,
			     char *error, size_t error_size);
/* The partition's own profile, with what was set. */
const struct hvh_profile *hvh_partition_get_profile(const struct hvh_partition *partition);

#ifdef __cplusplus
}
#endif
#endif
