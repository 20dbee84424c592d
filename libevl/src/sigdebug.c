/* SPDX-License-Identifier: MIT */
/*
 * A handler for SIGDEBUG: async-signal-safe, so no stdio.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <evl/evl.h>
#include "internal.h"

static const char *const diagnoses[] = {
	[EVL_HMDIAG_SIGDEMOTE] = "switched in-band: it received a signal",
	[EVL_HMDIAG_SYSDEMOTE] = "switched in-band: it issued an in-band system call",
	[EVL_HMDIAG_EXDEMOTE] = "switched in-band: it took a CPU exception",
	[EVL_HMDIAG_WATCHDOG] = "switched in-band by the watchdog: the CPU was out-of-band for too long",
	[EVL_HMDIAG_LKDEPEND] = "mutex dependency between the stages",
	[EVL_HMDIAG_LKIMBALANCE] = "unlocked a mutex which is free",
	[EVL_HMDIAG_LKSLEEP] = "weak thread going to sleep with a mutex held",
	[EVL_HMDIAG_STAGEX] = "waits for in-band code to leave a stage exclusion section",
	[EVL_HMDIAG_OVERRUN] = "schedule overrun",
};

static const char *describe(const siginfo_t *si)
{
	unsigned int cause = (unsigned int)sigdebug_cause(si);

	if (!sigdebug_marked(si))
		return "SIGXCPU not sent by the EVL core";

	if (cause >= sizeof(diagnoses) / sizeof(diagnoses[0]) || !diagnoses[cause])
		return "unknown cause";

	return diagnoses[cause];
}

/* Digits of v at the end of buf, which has room for them; returns where they start. */
static char *format_number(char *end, unsigned int v)
{
	do {
		*--end = (char)('0' + v % 10);
		v /= 10;
	} while (v);

	return end;
}

static size_t append(char *line, size_t len, const char *text)
{
	size_t n = strlen(text);

	memcpy(line + len, text, n);

	return len + n;
}

EVL_API void evl_sigdebug_handler(int sig, siginfo_t *si, void *ctxt)
{
	char line[160], tid[12] = "";
	int saved = errno;
	size_t len;

	(void)sig;
	(void)ctxt;

	len = append(line, 0, "evl: thread ");
	len = append(line, len, format_number(tid + sizeof(tid) - 1, (unsigned int)gettid()));
	len = append(line, len, ": ");
	len = append(line, len, describe(si));
	len = append(line, len, "\n");

	if (write(STDOUT_FILENO, line, len) < 0)
		errno = 0;	/* nowhere left to complain */

	errno = saved;
}
