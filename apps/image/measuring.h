/* SPDX-License-Identifier: MIT */
/* Two commands of the image's own, for those who measure it: "mark N" and "idle SECONDS". */
#ifndef IMAGE_MEASURING_H
#define IMAGE_MEASURING_H

#include <stdbool.h>
#include <stdint.h>

enum image_measure { IMAGE_MEASURE_NONE, IMAGE_MEASURE_MARK, IMAGE_MEASURE_IDLE, IMAGE_MEASURE_WRONG };

#define IMAGE_MARK_MAX 255u
#define IMAGE_IDLE_MAX 3600u

/* Is the line one of them? value: N or SECONDS. WRONG: it is, with a number that it does not take. */
enum image_measure image_measure_parse(const char *line, uint32_t *value);

#endif
