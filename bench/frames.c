/* SPDX-License-Identifier: MIT */
/*
 * Frames to the wire and back through netvsc, the rings and the host model, in threads. What
 * counts is what does not depend on the machine: signals, interrupts, hypercalls and ring
 * packets per frame.
 */
#include <stdio.h>
#include <time.h>

#include "tests/support/rig.h"

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int run(const char *profile, uint32_t length, bool by_page)
{
	struct rig_config config = {
		.mode = HOSTED_THREADS,
		.profile = profile,
		.frames = RIG_FRAMES_MAX,
		.frame_length = length,
		.by_page = by_page,
		.seed = 1,
		.limit_ms = 60000,
	};
	struct rig_result r;
	double start = seconds(), taken, frames;
	const char *wrong;

	rig_run(&config, &r);
	taken = seconds() - start;
	wrong = rig_check(&r, true);
	if (wrong) {
		printf("  %s, %u bytes: %s\n", profile, length, wrong);
		return 1;
	}
	frames = (double)(r.nic.rx_frames + r.nic.tx_frames);
	printf("  %-9s %5u bytes %-8s %9.0f frames/s  per frame: %.2f signals, %.2f interrupts, %.2f "
	       "hypercalls\n",
	       profile, length, by_page ? "by page" : "copied", frames / taken,
	       (double)r.counters.signals / frames, (double)r.host.interrupts / frames,
	       (double)r.host.hypercalls / frames);
	return 0;
}

int main(void)
{
	static const char *const profiles[] = {"ws2008r2", "ws2012r2", "ws2022"};
	int wrong = 0;

	printf("frames: echoed by the simulated wire, start-up included; both directions counted\n");
	for (int i = 0; i < 3; i++) {
		wrong |= run(profiles[i], 60, false);
		wrong |= run(profiles[i], 1514, false);
		wrong |= run(profiles[i], 1514, true);
	}
	return wrong;
}
