// SPDX-License-Identifier: GPL-2.0-only
/* What the main thread waits for while others measure: signals, the end, the time. */
#include "latmus.h"
#include <errno.h>
#include <signal.h>

#define NSEC_PER_SEC	1000000000ULL
/* Sent by who knows that a run is over. Several of them may arrive as one. */
#define SIG_OVER	SIGUSR2

static const int watched_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIG_OVER };

static void fill_signal_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(watched_signals) / sizeof(watched_signals[0]); i++)
		sigaddset(set, watched_signals[i]);
}

void block_signals(void)
{
	sigset_t set;

	fill_signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void add_ns(struct timespec *date, uint64_t ns)
{
	ns += (uint64_t)date->tv_nsec;
	date->tv_sec += (time_t)(ns / NSEC_PER_SEC);
	date->tv_nsec = (long)(ns % NSEC_PER_SEC);
}

/* Ends a watch by the time after so many ns; 0: never. */
void begin_watch(struct watch *w, uint64_t ns)
{
	w->limited = ns != 0;
	w->waiter = pthread_self();
	clock_gettime(CLOCK_MONOTONIC, &w->deadline);
	add_ns(&w->deadline, ns);
}

static bool time_left(const struct timespec *deadline, struct timespec *left)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = deadline->tv_sec - now.tv_sec;
	left->tv_nsec = deadline->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += (long)NSEC_PER_SEC;
	}

	return left->tv_sec >= 0;
}

static bool earlier(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static enum happening meaning(int sig)
{
	switch (sig) {
	case SIG_OVER:
		return HAPPENED_OVER;
	case SIGUSR1:
		return HAPPENED_QUESTION;
	default:
		return HAPPENED_INTERRUPT;
	}
}

/* Sleeps until something happens: a signal, the deadline, or so many ns have passed; 0: no such limit. */
enum happening await_happening(const struct watch *w, uint64_t tick_ns)
{
	struct timespec left, tick = { };
	sigset_t set;
	int sig;

	fill_signal_set(&set);
	add_ns(&tick, tick_ns);
	if (w->limited && !time_left(&w->deadline, &left))
		return HAPPENED_DEADLINE;
	if (tick_ns && (!w->limited || earlier(&tick, &left)))
		left = tick;
	do {
		sig = w->limited || tick_ns ? sigtimedwait(&set, NULL, &left) : sigwaitinfo(&set, NULL);
	} while (sig < 0 && errno == EINTR);
	if (sig < 0)
		return tick_ns ? HAPPENED_NOTHING : HAPPENED_DEADLINE;

	return meaning(sig);
}

void tell_over(const struct watch *w)
{
	pthread_kill(w->waiter, SIG_OVER);
}

/* What was told too late to be heard must not end the next watch. */
void end_watch(void)
{
	struct timespec now = { };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG_OVER);
	sigtimedwait(&set, NULL, &now);
}
