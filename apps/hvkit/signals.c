/* SPDX-License-Identifier: MIT */
/*
 * Signals, by a thread that waits for them: all others have them blocked, so that no call is
 * interrupted and what is done about them may take locks.
 *
 * At a terminal Ctrl-C ends the command that the guest runs, and a second one within two
 * seconds the program, in order; at a prompt it is libedit's (terminal.c). Elsewhere it ends
 * the program in order at once. One more ends it as it stands.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "apps/hvkit/console.h"
#include "apps/hvkit/run.h"

#define AGAIN_WITHIN (2 * HVH_TIME_PER_SECOND)
#define STATUS_OF(signal) (128 + (signal))

static void waited_for(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGTSTP);
	(void)sigaddset(set, SIGWINCH);
	(void)sigaddset(set, SIGUSR1); /* ours: the end */
}

void signals_begin(void)
{
	sigset_t set;

	waited_for(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void end(struct console *console, int signal)
{
	if (atomic_load(&console->quit)) { /* asked for twice */
		if (console->terminal)
			terminal_restore(console->terminal);
		_exit(STATUS_OF(signal));
	}
	console->run->ended_by = STATUS_OF(signal);
	console->run->kind->end(console->run);
}

static void interrupt(struct console *console, uint64_t *last)
{
	uint64_t now = machine_now(&console->run->machine);

	atomic_store(&console->interrupted, true);
	if (console->source != CONSOLE_TERMINAL) {
		end(console, SIGINT);
	} else if (atomic_load(&console->editing)) {
		console_tell(console, CONSOLE_INTERRUPT);
	} else if (*last && now - *last < AGAIN_WITHIN) {
		end(console, SIGINT);
	} else {
		*last = now;
		console_cancel(console);
	}
}

static void *wait_for_signals(void *context)
{
	struct console *console = context;
	uint64_t last_interrupt = 0;
	sigset_t set;
	int signal;

	waited_for(&set);
	for (;;) {
		if (sigwait(&set, &signal) != 0)
			continue;
		switch (signal) {
		case SIGINT:
			interrupt(console, &last_interrupt);
			break;
		case SIGTERM:
		case SIGHUP:
			end(console, signal);
			break;
		case SIGTSTP:
			if (console->source == CONSOLE_TERMINAL)
				console_tell(console, CONSOLE_SUSPEND);
			else
				(void)kill(getpid(), SIGSTOP);
			break;
		case SIGWINCH:
			console_tell(console, CONSOLE_RESIZE);
			break;
		default: /* SIGUSR1 */
			if (atomic_load(&console->signals_over))
				return NULL;
			break;
		}
	}
}

void signals_start(struct console *console)
{
	console->has_signals = pthread_create(&console->signals, NULL, wait_for_signals, console) == 0;
}

void signals_stop(struct console *console)
{
	if (!console->has_signals)
		return;
	atomic_store(&console->signals_over, true);
	(void)pthread_kill(console->signals, SIGUSR1);
	(void)pthread_join(console->signals, NULL);
	console->has_signals = false;
}
