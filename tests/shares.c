/* SPDX-License-Identifier: MIT */
/*
 * property: quota groups get their share of the CPU, and save up to their peak; windows of a plan open and close at
 * their dates, without drift.
 *
 * In virtual time an instruction is a nanosecond, so that shares and dates depend on the core alone.
 *
 * evl-vm: smp=1 kernel=evl debug=no timeout=170 icount append="evl.quota_period_ms=20"
 */
#include "metered.h"

#define PERIOD		(20 * NSEC_PER_MSEC)
#define NR_PERIODS	50
#define GAP		(NSEC_PER_MSEC / 2)	/* longer than any interrupt */
#define MAX_BURSTS	64

static int cpu;

/* A thread which notes when it has the CPU. */
struct spinner {
	pthread_t tid;
	struct evl_sched_attrs attrs;
	uint64_t sleep, spin;		/* before that, for so long */
	uint64_t begin[MAX_BURSTS], end[MAX_BURSTS];
	int nr;				/* of bursts */
	uint64_t used;
	volatile int about, ret;
};

static void note_bursts(struct spinner *s)
{
	uint64_t start = t_now(), last = start, now;

	s->begin[0] = start;
	while (s->nr < MAX_BURSTS - 1 && last - start < s->spin) {
		now = t_now();
		if (now - last > GAP) {
			s->end[s->nr++] = last;
			s->begin[s->nr] = now;
		}
		last = now;
	}
	s->end[s->nr++] = last;
}

static void *spinner_main(void *arg)
{
	struct spinner *s = arg;
	int n, efd = attach("spinner");
	struct evl_sched_attrs fifo = { .sched_policy = SCHED_FIFO, .sched_priority = 1 };

	publish(&s->about, 1);
	evl_switch_oob();
	s->ret = evl_set_schedattr(efd, &s->attrs);
	if (s->sleep)
		sleep_ns(s->sleep);
	note_bursts(s);
	evl_set_schedattr(efd, &fifo);
	for (n = 0; n < s->nr; n++)
		s->used += s->end[n] - s->begin[n];
	evl_detach_self();
	close(efd);

	return NULL;
}

static void start_spinner(struct spinner *s, const struct evl_sched_attrs *attrs, uint64_t sleep, uint64_t spin)
{
	memset(s, 0, sizeof(*s));
	s->attrs = *attrs;
	s->sleep = sleep;
	s->spin = spin;
	s->tid = t_thread(1, cpu, spinner_main, s);
	if (!await(&s->about, 1))
		t_bail("a spinner does not attach");
}

static void end_spinner(struct spinner *s)
{
	pthread_join(s->tid, NULL);
	if (s->ret)
		t_bail("spinner: %s", strerror(-s->ret));
}

static bool is_near(uint64_t value, uint64_t wanted, uint64_t tolerance)
{
	return value + tolerance >= wanted && value <= wanted + tolerance;
}

static uint64_t length(const struct spinner *s, int n)
{
	return s->end[n] - s->begin[n];
}

static int add_group(int quota, int peak)
{
	union evl_sched_ctlparam param = { .quota = { .op = evl_quota_add } };
	union evl_sched_ctlinfo info;
	int ret = evl_control_sched(SCHED_QUOTA, &param, &info, cpu);

	param.quota.op = evl_quota_set;
	param.quota.u.set.tgid = info.quota.tgid;
	param.quota.u.set.quota = quota;
	param.quota.u.set.quota_peak = peak;
	ret = ret ?: evl_control_sched(SCHED_QUOTA, &param, &info, cpu);
	if (ret)
		t_bail("no quota group: %s", strerror(-ret));

	return info.quota.tgid;
}

static void remove_group(int tgid)
{
	union evl_sched_ctlparam param = { .quota = { .op = evl_quota_remove, .u.remove.tgid = tgid } };
	int ret = evl_control_sched(SCHED_QUOTA, &param, NULL, cpu);

	if (ret)
		t_bail("a group does not go: %s", strerror(-ret));
}

static struct evl_sched_attrs member_of(int tgid, int prio)
{
	return (struct evl_sched_attrs){
		.sched_policy = SCHED_QUOTA, .sched_priority = prio, .sched_quota_group = tgid,
	};
}

/* Whatever its priority, each gets its quota and no more; the rest is for in-band. */
static void test_quota(void)
{
	int tgid[2] = { add_group(20, 20), add_group(45, 45) }, n;
	static const uint64_t percent[2] = { 20, 45 };
	struct spinner s[2];

	for (n = 0; n < 2; n++) {
		struct evl_sched_attrs attrs = member_of(tgid[n], 10 + n);

		start_spinner(s + n, &attrs, 0, NR_PERIODS * PERIOD);
	}
	for (n = 0; n < 2; n++) {
		uint64_t wanted = percent[n] * NR_PERIODS * PERIOD / 100;

		end_spinner(s + n);
		t_ok(is_near(s[n].used, wanted, wanted / 20), "%lu %% for %d periods: %lu us used of %lu us",
		     (unsigned long)percent[n], NR_PERIODS, (unsigned long)s[n].used / 1000, (unsigned long)wanted / 1000);
		remove_group(tgid[n]);
	}
}

/* After some periods of sleep, budgets of the peak until the credit has gone, then plain ones. */
static void test_peak(int quota, int peak)
{
	int tgid = add_group(quota, peak), n, high = 0, ill = 0;
	struct evl_sched_attrs attrs = member_of(tgid, 10);
	uint64_t budget = PERIOD / 100 * (unsigned int)quota, most = PERIOD / 100 * (unsigned int)peak;
	struct spinner s;

	start_spinner(&s, &attrs, 6 * PERIOD, 20 * PERIOD);
	end_spinner(&s);
	remove_group(tgid);
	/* The first one may begin, and the last one end, in the middle of a period. */
	for (n = 1; n < s.nr - 1; n++) {
		high += is_near(length(&s, n), most, most / 20);
		ill += length(&s, n) > most + most / 20;
	}
	n = s.nr - 2;
	if (peak > quota)
		t_ok(high >= 3 && high <= 7 && !ill, "saved for 6 periods, spent up to the peak: %d budgets of it", high);
	else
		t_ok(high == s.nr - 2 && !ill, "without a peak nothing is saved: %d budgets of %d", high, s.nr - 2);
	t_ok(n > 0 && is_near(length(&s, n), budget, budget / 20), "then %lu us, of a quota of %lu us",
	     n > 0 ? (unsigned long)length(&s, n) / 1000 : 0, (unsigned long)budget / 1000);
}

static int control_plan(struct evl_tp_ctlparam *param, enum evl_tp_ctlop op)
{
	param->op = op;
	return evl_control_sched(SCHED_TP, (union evl_sched_ctlparam *)param, NULL, cpu);
}

#define WINDOW(__offset, __duration, __ptid)	((struct __evl_tp_window){		\
	.offset.tv_nsec = (long)((__offset) * NSEC_PER_MSEC),				\
	.duration.tv_nsec = (long)((__duration) * NSEC_PER_MSEC), .ptid = (__ptid) })

/* Bursts but the first, which begins when the thread does, and the last. */
static int count_off_dates(const struct spinner *s, uint64_t origin, uint64_t offset, uint64_t duration)
{
	const uint64_t frame = 10 * NSEC_PER_MSEC, tolerance = 20000;
	int n, off = 0;

	for (n = 1; n < s->nr - 1; n++) {
		uint64_t at = (s->begin[n] - origin + tolerance) % frame;

		if (is_near(at, offset + tolerance, tolerance) && is_near(length(s, n), duration, tolerance))
			continue;
		off++;
		t_diag("burst %d at %lu for %lu ns", n, (unsigned long)(at - tolerance), (unsigned long)length(s, n));
	}

	return off;
}

static void test_windows(void)
{
	struct evl_tp_ctlparam *param = calloc(1, evl_tp_paramlen(3));
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_TP, .sched_priority = 10 };
	struct spinner s[2];
	uint64_t origin;
	int n, off;

	param->nr_windows = 3;
	param->windows[0] = WINDOW(0, 3, 0);
	param->windows[1] = WINDOW(3, 2, 1);
	param->windows[2] = WINDOW(5, 5, EVL_TP_IDLE);
	if (control_plan(param, evl_tp_install))
		t_bail("no plan");
	for (n = 0; n < 2; n++) {
		attrs.sched_tp_partition = n;
		start_spinner(s + n, &attrs, 0, 500 * NSEC_PER_MSEC);
	}
	pause_ms(20);
	/* The plan starts in this call. */
	origin = t_now();
	if (control_plan(param, evl_tp_start))
		t_bail("the plan does not start");
	for (n = 0; n < 2; n++)
		end_spinner(s + n);
	control_plan(param, evl_tp_uninstall);
	for (n = 0; n < 2; n++) {
		off = count_off_dates(s + n, origin, n ? 3 * NSEC_PER_MSEC : 0, (n ? 2 : 3) * NSEC_PER_MSEC);
		t_ok(!off && s[n].nr > 45, "partition %d: %d windows, %d not at their dates", n, s[n].nr, off);
	}
	free(param);
}

int main(void)
{
	deadline(150);
	t_require_core();
	t_need_cpus(1);
	t_plan(8);
	cpu = t_cpu(0);
	test_quota();
	test_peak(20, 40);
	test_peak(20, 20);
	test_windows();

	return t_end();
}
