/* SPDX-License-Identifier: MIT */
/*
 * What the programs of bench/ print: one row per figure, fields parted by tabs, which
 * scripts/bench puts together:
 *
 *   row     NAME VALUE UNIT SENSE LIMIT WHAT-THE-LIMIT-IS [SPREAD]
 *   per     PHASE COUNT       a phase that is run under callgrind, and what to divide by
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_AT_LEAST "min" /* the aim is met from limit up */
#define BENCH_AT_MOST "max"  /* the aim is met up to limit */
#define BENCH_BESIDE "ref"   /* limit is what the same thing costs without hvkit */

static inline void bench_row(const char *name, double value, const char *unit, const char *sense,
			     double limit, const char *what)
{
	printf("row\t%s\t%.10g\t%s\t%s\t%.10g\t%s\n", name, value, unit, sense, limit, what);
}

static inline double bench_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts values. */
static inline double bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), bench_compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* How far repetitions lie apart: the middle half of them, as a share of the median. Of less than
 * four nothing can be said: "once". Sorts values. */
static inline void bench_row_repeated(const char *name, double *values, size_t count, const char *unit,
				      const char *sense, double limit, const char *what)
{
	double median = bench_median(values, count);

	printf("row\t%s\t%.10g\t%s\t%s\t%.10g\t%s\t", name, median, unit, sense, limit, what);
	if (count < 4)
		printf("once\n");
	else
		printf("%.3f\n", (values[count - 1 - count / 4] - values[count / 4]) / median);
}

#endif
