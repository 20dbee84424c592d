/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of hectic: options, thread specifications, registers, crews of threads, reports. */
#ifndef _EVL_UTILS_HECTIC_H
#define _EVL_UTILS_HECTIC_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <evl/devices/hectic.h>
#include "../common/tool.h"

/* Exit statuses beyond those of every tool. */
enum {
	STATUS_FPU = 20,
	STATUS_STALLED = 21,
	STATUS_SELF_TEST = 22
};

#define NAME_SIZE	40

/* spec.c: what a thread is */
enum kind { KIND_SWITCHER, KIND_RTK, KIND_RTUP, KIND_RTUS, KIND_RTUO, KIND_FPU_STRESS };

struct spec {
	enum kind kind;
	bool fpu_oob;		/* _ufpp: uses the FPU while out-of-band */
	bool fpu_inband;	/* _ufps: while in-band */
	int cpu;
};

/* NULL, or what is wrong with the word. */
const char *parse_spec(const char *word, struct spec *spec);
void name_thread(char name[NAME_SIZE], const struct spec *spec, int index);

#define MAX_DEFAULT_SPECS	18

/* The default set of one CPU; how many. */
int default_specs(struct spec *specs, int cpu, bool nofpu);

/* options.c */
enum fault { FAULT_NONE, FAULT_FPU, FAULT_STRESS, FAULT_STALL, FAULT_SELF_TEST };

struct options {
	long stress_us;		/* 0: no stress mode */
	long timeout_s;		/* 0: none */
	long lines;
	bool quiet;		/* no line per second */
	bool silent;		/* nothing but failures */
	bool nofpu;
	bool verify;
	bool have_cpus;
	cpu_set_t cpus;
	enum fault fault;	/* made on purpose */
	bool json;
	const char *json_file;	/* NULL: stdout */
	bool overwrite;
	struct spec *specs;	/* as given; the default set is not listed */
	int nr_specs;
	int argc;
	char **argv;
};

void parse_options(struct options *opt, int argc, char *argv[]);

/* fpu.c: patterns in registers */
struct fpu_mismatch {
	unsigned int reg;
	uint64_t found, expected;
};

bool fpu_self_test(void);
/* Makes the call with the registers full of a pattern; *ret is the result, negative for errors. */
bool fpu_kept_over_call(uint64_t pattern, long *ret, bool oob, int fd, unsigned long request, void *arg,
			struct fpu_mismatch *m);
bool fpu_kept_over_spin(uint64_t pattern, long laps, struct fpu_mismatch *m);
/* From here on a register is loaded with something else than what is expected. Before any thread starts. */
void fpu_sabotage(enum fault fault);

/* crew.c: the threads of one CPU */
struct worker {
	struct crew *crew;
	struct spec spec;
	int index;		/* in the crew; the FPU stress task is none of them */
	char name[NAME_SIZE];
	pthread_t thread;
	bool started;
	int error;		/* errno value: it could not start, or left */
};

struct crew {
	const struct options *opt;
	int cpu;
	int fd;
	struct worker *workers;	/* [0] is the switcher */
	int nr_workers;		/* those of the driver */
	struct worker stress;
	bool has_stress;
	bool over;		/* set by the main thread, read by all */
	bool stress_failed;	/* published by release, mismatch before it */
	struct fpu_mismatch mismatch;
	uint64_t total, interval;
	int silent_s;		/* seconds without a switch */
	struct hectic_switch_req last_switch;
};

struct crews {
	struct crew *all;
	int count;
};

void make_crews(struct crews *crews, const struct options *opt, const cpu_set_t *core);
void start_crews(struct crews *crews);
void stop_crews(struct crews *crews);

/* report.c */
enum verdict { PASSED, FAILED_FPU, FAILED_STRESS, FAILED_STALLED };

void report_threads(const struct options *opt, const struct crews *crews);
void report_second(const struct options *opt, const struct crews *crews, uint64_t seconds);
void report_end(const struct options *opt, const struct crews *crews, uint64_t seconds, enum verdict verdict,
		const struct crew *culprit);

#endif /* _EVL_UTILS_HECTIC_H */
