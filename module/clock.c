// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: a time source, and the timers which run on it.
 *
 * Two are built in. "monotonic" has the time of CLOCK_MONOTONIC and owns the shared tick devices (tick.c);
 * "realtime" is its slave: it has the time of CLOCK_REALTIME, its timers are queued by that time, and each
 * shot is converted at the moment it is programmed. Setting the wall clock therefore moves no timer: all
 * CPUs just compute their next shot again.
 *
 * Gravity: ns by which the shot for a timer is anticipated, by kind of receiver. Written in-band under
 * gravity_lock, read by the start of a timer from anywhere, each word for itself.
 */
#include "clock.h"
#include "factory.h"
#include "sched.h"
#include "tick.h"
#include "timer.h"
#include "timespec.h"
#include "uaccess.h"
#include "wait.h"
#include "work.h"
#include "evl-arch.h"

#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/pvclock_gtod.h>
#include <linux/timekeeping.h>

#include <evl/clock-abi.h>

static DEFINE_MUTEX(gravity_lock);

/* Clocks which want to know that the wall clock was set. Held while their handlers run. */
static DEFINE_MUTEX(adjust_lock);
static LIST_HEAD(adjusted_clocks);

static struct evl_clock_gravity default_gravity = {
	.irq	= EVL_ARCH_GRAVITY_IRQ,
	.kernel	= EVL_ARCH_GRAVITY_KERNEL,
	.user	= EVL_ARCH_GRAVITY_USER,
};

static bool gravity_is_sane(const struct evl_clock_gravity *g)
{
	return g->irq <= EVL_MAX_GRAVITY && g->kernel <= EVL_MAX_GRAVITY && g->user <= EVL_MAX_GRAVITY;
}

/* Values given at load time; zero keeps the default of the platform. */
int evl_preset_gravity(const struct evl_clock_gravity *gravity)
{
	if (!gravity_is_sane(gravity))
		return -EINVAL;

	default_gravity.irq = gravity->irq ?: default_gravity.irq;
	default_gravity.kernel = gravity->kernel ?: default_gravity.kernel;
	default_gravity.user = gravity->user ?: default_gravity.user;
	evl_mono_clock.gravity = default_gravity;

	return 0;
}

static ktime_t base_next(struct evl_timerbase *base)
{
	struct timerqueue_node *node;
	ktime_t next = KTIME_MAX;

	hard_spin_lock(&base->lock);
	node = timerqueue_getnext(&base->queue);
	if (node)
		next = node->expires;
	hard_spin_unlock(&base->lock);

	return next;
}

/*
 * Most slaves have nothing to do most of the time: look without the lock. Whoever starts a timer here from
 * another CPU sends TIMER_OOB_IPI after it has unlocked, and this CPU looks again.
 */
static bool has_timers(struct evl_clock *slave)
{
	return !RB_EMPTY_ROOT(&raw_cpu_ptr(slave->bases)->queue.rb_root.rb_root);
}

/*
 * Hard off, until the caller is done with the slave, which del_slave() waits for. Pairs with add_slave(): its bases
 * are complete. Read once, since it may become NULL at any time.
 */
#define for_each_slave(slave, master, n)			\
	for ((n) = 0; (n) < (master)->nr_slaves; (n)++)		\
		if (((slave) = smp_load_acquire(&(master)->slaves[n])))

static ktime_t slave_next(struct evl_clock *slave, struct evl_clock *master)
{
	ktime_t next = base_next(raw_cpu_ptr(slave->bases)), delta;

	delta = ktime_sub(next, evl_read_clock(slave));
	return delta <= 0 ? 0 : ktime_add_safe(evl_read_clock(master), delta);
}

/** evl_next_shot - date, on @master, of the first thing to do on this CPU; KTIME_MAX for nothing; hard off */
ktime_t evl_next_shot(struct evl_clock *master)
{
	ktime_t next = base_next(raw_cpu_ptr(master->bases));
	struct evl_clock *slave;
	int n;

	for_each_slave(slave, master, n) {
		if (has_timers(slave))
			next = min(next, slave_next(slave, master));
	}

	return next;
}
EVL_EXPORT(evl_next_shot);

/**
 * evl_announce_tick - the device of a clock has fired
 * @master: the clock, which is no slave
 *
 * Context H. Runs the handlers of the timers which are due on this CPU, those of slave clocks included, then
 * programs the next shot. Starting a timer of this clock meanwhile programs nothing: that comes last.
 */
void evl_announce_tick(struct evl_clock *master)
{
	struct evl_rq *rq = evl_this_rq();
	bool alone = master == &evl_mono_clock;
	struct evl_clock *slave;
	ktime_t next;
	int n;

	rq->ticking = master;
	next = evl_run_timers(raw_cpu_ptr(master->bases));
	for_each_slave(slave, master, n) {
		if (has_timers(slave)) {
			evl_run_timers(raw_cpu_ptr(slave->bases));
			alone = false;
		}
	}
	rq->ticking = NULL;

	/* The usual case is short. A timer started meanwhile from another CPU is followed by its IPI. */
	if (alone)
		evl_program_tick_at(next);
	else
		master->ops.program_local_shot(master);
}
EVL_EXPORT(evl_announce_tick);

static bool has_bound_timers(struct evl_clock *clock, int cpu)
{
	struct evl_timerbase *base = per_cpu_ptr(clock->bases, cpu);

	guard(hard_spinlock)(&base->lock);

	return base->nr_bound;
}

/* Hard off: do timers need the tick of @cpu? Those of the core itself do not count. */
bool evl_tick_is_needed(int cpu)
{
	struct evl_clock *slave;
	int n;

	for_each_slave(slave, &evl_mono_clock, n) {
		if (has_bound_timers(slave, cpu))
			return true;
	}

	return has_bound_timers(&evl_mono_clock, cpu);
}

/** evl_read_clock_cycles - raw counter of a clock; any context */
u64 evl_read_clock_cycles(struct evl_clock *clock)
{
	return clock->ops.read_cycles ? clock->ops.read_cycles(clock) : (u64)clock->ops.read(clock);
}
EVL_EXPORT(evl_read_clock_cycles);

/** evl_set_clock_time - set a clock; in-band; 0, -EINVAL ill-formed, -EOPNOTSUPP, or the code of the clock */
int evl_set_clock_time(struct evl_clock *clock, const struct timespec64 *ts)
{
	if (!timespec64_valid_settod(ts))
		return -EINVAL;

	if (!clock->ops.set)
		return -EOPNOTSUPP;

	return clock->ops.set(clock, timespec64_to_ktime(*ts));
}
EVL_EXPORT(evl_set_clock_time);

/** evl_set_clock_resolution - tell the resolution of a clock, ns; in-band */
void evl_set_clock_resolution(struct evl_clock *clock, ktime_t resolution)
{
	WRITE_ONCE(clock->resolution, resolution);
}
EVL_EXPORT(evl_set_clock_resolution);

/** evl_get_clock_resolution - resolution of a clock, ns; any context */
ktime_t evl_get_clock_resolution(struct evl_clock *clock)
{
	return READ_ONCE(clock->resolution);
}
EVL_EXPORT(evl_get_clock_resolution);

/**
 * evl_set_clock_gravity - change the anticipation of shots
 * @clock: the clock, or a slave of it
 * @gravity: new values, ns
 *
 * In-band. 0, -EINVAL, -EOPNOTSUPP, or the code of the clock.
 */
int evl_set_clock_gravity(struct evl_clock *clock, const struct evl_clock_gravity *gravity)
{
	struct evl_clock *master = clock->master;

	if (!master->ops.set_gravity)
		return -EOPNOTSUPP;

	if (!gravity_is_sane(gravity))
		return -EINVAL;

	guard(mutex)(&gravity_lock);
	return master->ops.set_gravity(master, gravity);
}
EVL_EXPORT(evl_set_clock_gravity);

/** evl_reset_clock_gravity - back to the built-in anticipation; in-band */
void evl_reset_clock_gravity(struct evl_clock *clock)
{
	struct evl_clock *master = clock->master;

	guard(mutex)(&gravity_lock);
	if (master->ops.reset_gravity)
		master->ops.reset_gravity(master);
}
EVL_EXPORT(evl_reset_clock_gravity);

static int alloc_bases(struct evl_clock *clock)
{
	int cpu;

	clock->bases = alloc_percpu(struct evl_timerbase);
	if (!clock->bases)
		return -ENOMEM;

	for_each_possible_cpu(cpu)
		evl_init_timerbase(per_cpu_ptr(clock->bases, cpu), clock, cpu);

	return 0;
}

static void free_bases(struct evl_clock *clock)
{
	unsigned int nr = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		nr += evl_stop_all_timers(per_cpu_ptr(clock->bases, cpu));
	if (nr)
		pr_warn("clock %s: %u timers stopped on removal\n", clock->name, nr);

	free_percpu(clock->bases);
	clock->bases = NULL;
}

static int publish_clock(struct evl_clock *clock)
{
	int ret;

	init_completion(&clock->gone);
	ret = evl_init_element(&clock->element, &evl_clock_factory, clock->name, clock->flags);
	if (ret)
		return ret;

	ret = evl_publish_element(&clock->element);
	if (ret)
		evl_cancel_element(&clock->element);

	return ret;
}

static void watch_wall_clock(struct evl_clock *clock)
{
	INIT_LIST_HEAD(&clock->adjust_next);
	if (!clock->ops.adjust)
		return;

	guard(mutex)(&adjust_lock);
	list_add_tail(&clock->adjust_next, &adjusted_clocks);
}

static void unwatch_wall_clock(struct evl_clock *clock)
{
	guard(mutex)(&adjust_lock);
	list_del_init(&clock->adjust_next);
}

/* The device goes first, then those who still hold the clock open are waited for. */
static void hide_clock(struct evl_clock *clock)
{
	evl_hide_element(&clock->element);
	evl_put_element(&clock->element);
	wait_for_completion(&clock->gone);
}

static int check_clock(const struct evl_clock *clock, bool slave)
{
	if (!clock->name || !clock->ops.read || clock->resolution <= 0)
		return -EINVAL;
	if (!slave && !clock->ops.program_local_shot)
		return -EINVAL;
	/* Timers may be started from any CPU. */
	if (!slave && nr_cpu_ids > 1 && !clock->ops.program_remote_shot)
		return -EINVAL;
	if (clock->flags & ~EVL_CLONE_PUBLIC || !gravity_is_sane(&clock->gravity))
		return -EINVAL;
	return 0;
}

/**
 * evl_init_clock - make a clock with its own device usable
 * @clock: filled in by the caller, whose memory it is until evl_unregister_clock()
 * @affinity: CPUs on which the device ticks, at least one of the core's; a global device, NULL, is not served
 *
 * In-band. 0, -EINVAL, -EEXIST, -ENAMETOOLONG, -ENOMEM, -EOPNOTSUPP.
 */
int evl_init_clock(struct evl_clock *clock, const struct cpumask *affinity)
{
	int ret = check_clock(clock, false);

	if (ret)
		return ret;

	if (!affinity)
		return -EOPNOTSUPP;

	if (!cpumask_and(&clock->affinity, affinity, &evl_oob_cpus))
		return -EINVAL;

	clock->master = clock;
	memset(clock->slaves, 0, sizeof(clock->slaves));
	clock->nr_slaves = 0;
	ret = alloc_bases(clock);
	if (ret)
		return ret;

	ret = publish_clock(clock);
	if (ret)
		free_bases(clock);
	else
		watch_wall_clock(clock);

	return ret;
}
EVL_EXPORT(evl_init_clock);

/** evl_register_clock - alias of evl_init_clock() */
int evl_register_clock(struct evl_clock *clock, const struct cpumask *affinity)
{
	return evl_init_clock(clock, affinity);
}
EVL_EXPORT(evl_register_clock);

static int add_slave(struct evl_clock *master, struct evl_clock *slave)
{
	int n;

	guard(mutex)(&gravity_lock);
	for (n = 0; n < EVL_MAX_SLAVES; n++) {
		if (!master->slaves[n]) {
			/* Pairs with for_each_slave(): its bases are complete. */
			smp_store_release(&master->slaves[n], slave);
			master->nr_slaves = max(master->nr_slaves, n + 1);
			return 0;
		}
	}
	return -ENOMEM;
}

/* On return no CPU looks at the slave any more: each has passed through an in-band interrupt. */
static void del_slave(struct evl_clock *master, struct evl_clock *slave)
{
	int n;

	mutex_lock(&gravity_lock);
	for (n = 0; n < EVL_MAX_SLAVES; n++)
		if (master->slaves[n] == slave)
			WRITE_ONCE(master->slaves[n], NULL);
	mutex_unlock(&gravity_lock);

	irq_pipeline_quiesce();
}

/**
 * evl_init_slave_clock - make a clock usable which runs on the device of another
 * @clock: filled in by the caller
 * @master: no slave itself; 4 slaves at most, -ENOMEM otherwise
 *
 * In-band. As evl_init_clock().
 */
int evl_init_slave_clock(struct evl_clock *clock, struct evl_clock *master)
{
	int ret = check_clock(clock, true);

	if (ret)
		return ret;

	if (master->master != master)
		return -EINVAL;

	clock->master = master;
	cpumask_copy(&clock->affinity, &master->affinity);
	ret = alloc_bases(clock);
	if (ret)
		return ret;

	ret = add_slave(master, clock);
	if (ret)
		goto err_free_bases;

	ret = publish_clock(clock);
	if (ret)
		goto err_del_slave;

	watch_wall_clock(clock);

	return 0;

err_del_slave:
	del_slave(master, clock);
err_free_bases:
	free_bases(clock);
	return ret;
}
EVL_EXPORT(evl_init_slave_clock);

/**
 * evl_unregister_clock - end of a clock
 * @clock: after a successful evl_init_clock() or evl_init_slave_clock()
 *
 * In-band. Waits for descriptors and other references to go. The device does not tick any more: its interrupt
 * was freed before. Timers which are left are stopped, with a warning.
 */
void evl_unregister_clock(struct evl_clock *clock)
{
	unwatch_wall_clock(clock);
	hide_clock(clock);
	if (clock->master != clock)
		del_slave(clock->master, clock);
	free_bases(clock);
}
EVL_EXPORT(evl_unregister_clock);

/**
 * evl_get_clock_by_fd - clock behind a descriptor
 * @efd: of the current process, or a built-in identifier EVL_CLOCK_*
 *
 * In-band, or out-of-band thread. Returns it with a reference, for evl_put_clock(), or NULL.
 */
struct evl_clock *evl_get_clock_by_fd(int efd)
{
	struct evl_file *efilp;
	struct evl_element *e;

	if (efd == EVL_CLOCK_MONOTONIC || efd == EVL_CLOCK_REALTIME) {
		e = efd == EVL_CLOCK_MONOTONIC ? &evl_mono_clock.element : &evl_realtime_clock.element;
		evl_get_element(e);
	} else {
		e = evl_get_element_by_fd(&evl_clock_factory, efd, &efilp);
		if (!e)
			return NULL;
		evl_get_element(e);
		evl_put_file(efilp);
	}

	return container_of(e, struct evl_clock, element);
}
EVL_EXPORT(evl_get_clock_by_fd);

/** evl_put_clock - drop a reference; in-band, or out-of-band thread */
void evl_put_clock(struct evl_clock *clock)
{
	evl_put_element(&clock->element);
}
EVL_EXPORT(evl_put_clock);

static struct evl_clock *file_clock(struct file *filp)
{
	return container_of(evl_file_element(filp), struct evl_clock, element);
}

static long put_timespec(unsigned long arg, ktime_t t)
{
	struct __evl_timespec uts = evl_ktime_to_timespec(t);

	return evl_copy_to_user((void __user *)arg, &uts, sizeof(uts));
}

/* Requests served alike on both stages. */
static long clock_common_ioctl(struct evl_clock *clock, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_CLKIOC_GET_RES:
		return put_timespec(arg, evl_get_clock_resolution(clock));
	case EVL_CLKIOC_GET_TIME:
		return put_timespec(arg, evl_read_clock(clock));
	default:
		return -ENOTTY;
	}
}

static long get_date(unsigned long arg, ktime_t *date)
{
	struct __evl_timespec uts;
	int ret = evl_copy_from_user(&uts, (void __user *)arg, sizeof(uts));

	if (ret)
		return ret;

	if (!evl_timespec_is_sane(&uts))
		return -EINVAL;

	*date = evl_timespec_to_ktime(&uts);

	return 0;
}

/*
 * Zero, which means no limit elsewhere, is an ordinary date of the past here. The last descriptor may be
 * closed under the sleeper.
 */
static long sleep_until(struct file *filp, unsigned long arg)
{
	struct evl_file_binding *b = filp->private_data;
	ktime_t date;
	int ret;

	ret = get_date(arg, &date);
	if (ret)
		return ret;

	ret = evl_sleep_in(&b->sleepers, max_t(ktime_t, date, 1));

	return ret == -EIDRM ? -EBADF : ret;
}

static long clock_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	if (cmd == EVL_CLKIOC_SLEEP)
		return sleep_until(filp, arg);

	return clock_common_ioctl(file_clock(filp), cmd, arg);
}

static long set_time(struct evl_clock *clock, unsigned long arg)
{
	struct __evl_timespec uts;
	struct timespec64 ts;
	int ret = evl_copy_from_user(&uts, (void __user *)arg, sizeof(uts));

	if (ret)
		return ret;

	if (!evl_timespec_is_sane(&uts))
		return -EINVAL;

	ts = (struct timespec64){ .tv_sec = uts.tv_sec, .tv_nsec = uts.tv_nsec };
	ret = evl_set_clock_time(clock, &ts);

	return ret == -EOPNOTSUPP ? -EINVAL : ret;
}

static long clock_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_clock *clock = file_clock(filp);

	switch (cmd) {
	case EVL_CLKIOC_SET_TIME:
		return set_time(clock, arg);
	case EVL_CLKIOC_NEW_TIMER:
		return evl_new_timerfd(clock, arg);
	default:
		return clock_common_ioctl(clock, cmd, arg);
	}
}

static int clock_open(struct inode *inode, struct file *filp)
{
	int ret = evl_open_element(inode, filp);
	struct evl_file_binding *b = filp->private_data;

	if (!ret)
		b->sleepers.clock = file_clock(filp);

	return ret;
}

static const struct file_operations clock_fops = {
	.owner			= THIS_MODULE,
	.open			= clock_open,
	.release		= evl_release_element,
	.unlocked_ioctl		= clock_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.oob_ioctl		= clock_oob_ioctl,
	.compat_oob_ioctl	= clock_oob_ioctl,
};

static struct evl_clock *device_clock(struct device *dev)
{
	return container_of((struct evl_element *)dev_get_drvdata(dev), struct evl_clock, element);
}

static ssize_t gravity_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct evl_clock_gravity *g = &device_clock(dev)->master->gravity;

	return sysfs_emit(buf, "%ui %uk %uu\n", g->irq, g->kernel, g->user);
}

/* One "<ns><letter>" word. */
static int parse_gravity_word(char *word, struct evl_clock_gravity *g)
{
	size_t len = strlen(word);
	unsigned int val;
	char kind;

	if (len < 2)
		return -EINVAL;

	kind = word[len - 1];
	word[len - 1] = '\0';
	if (kstrtouint(word, 10, &val))
		return -EINVAL;

	switch (kind) {
	case 'i':
		g->irq = val;
		return 0;
	case 'k':
		g->kernel = val;
		return 0;
	case 'u':
		g->user = val;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_gravity(char *text, struct evl_clock_gravity *g)
{
	int nr = 0, ret;
	char *word;

	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		ret = parse_gravity_word(word, g);
		if (ret)
			return ret;
		if (++nr > 3)
			return -EINVAL;
	}

	return nr ? 0 : -EINVAL;
}

static ssize_t gravity_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct evl_clock *clock = device_clock(dev);
	struct evl_clock_gravity g = clock->master->gravity;
	char *text __free(kfree) = NULL;
	int ret;

	if (sysfs_streq(buf, "reset")) {
		evl_reset_clock_gravity(clock);
		return count;
	}

	text = kstrndup(buf, count, GFP_KERNEL);
	if (!text)
		return -ENOMEM;

	ret = parse_gravity(text, &g) ?: evl_set_clock_gravity(clock, &g);

	return ret ?: count;
}
static DEVICE_ATTR_RW(gravity);

static ssize_t resolution_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", evl_get_clock_resolution(device_clock(dev)));
}
static DEVICE_ATTR_RO(resolution);

static struct attribute *clock_attrs[] = {
	&dev_attr_gravity.attr,
	&dev_attr_resolution.attr,
	NULL,
};
ATTRIBUTE_GROUPS(clock);

static void dispose_clock(struct evl_element *e)
{
	complete(&container_of(e, struct evl_clock, element)->gone);
}

struct evl_factory evl_clock_factory = {
	.name		= EVL_CLOCK_DEV,
	.fops		= &clock_fops,
	.nrdev		= 8,
	.dispose	= dispose_clock,
	.attrs		= clock_groups,
};

static ktime_t read_mono(struct evl_clock *clock)
{
	return ktime_get_mono_fast_ns();
}

static ktime_t read_realtime(struct evl_clock *clock)
{
	return ktime_get_real_fast_ns();
}

static int set_realtime(struct evl_clock *clock, ktime_t date)
{
	struct timespec64 ts = ktime_to_timespec64(date);

	return capable(CAP_SYS_TIME) ? do_settimeofday64(&ts) : -EPERM;
}

static int set_mono_gravity(struct evl_clock *clock, const struct evl_clock_gravity *gravity)
{
	WRITE_ONCE(clock->gravity.irq, gravity->irq);
	WRITE_ONCE(clock->gravity.kernel, gravity->kernel);
	WRITE_ONCE(clock->gravity.user, gravity->user);
	return 0;
}

static void reset_mono_gravity(struct evl_clock *clock)
{
	set_mono_gravity(clock, &default_gravity);
}

/** evl_mono_clock - the clock with the time of CLOCK_MONOTONIC */
struct evl_clock evl_mono_clock = {
	.name		= EVL_CLOCK_MONOTONIC_DEV,
	.resolution	= 1,
	.flags		= EVL_CLONE_PUBLIC,
	.master		= &evl_mono_clock,
	.ops = {
		.read			= read_mono,
		.program_local_shot	= evl_program_tick,
		.program_remote_shot	= evl_program_remote_tick,
		.set_gravity		= set_mono_gravity,
		.reset_gravity		= reset_mono_gravity,
	},
};
EVL_EXPORT(evl_mono_clock);

/** evl_realtime_clock - the clock with the time of CLOCK_REALTIME, a slave of the former */
struct evl_clock evl_realtime_clock = {
	.name		= EVL_CLOCK_REALTIME_DEV,
	.resolution	= 1,
	.flags		= EVL_CLONE_PUBLIC,
	.master		= &evl_mono_clock,
	.ops = {
		.read	= read_realtime,
		.set	= set_realtime,
	},
};
EVL_EXPORT(evl_realtime_clock);

static void adjust_clocks(struct evl_work *work)
{
	struct evl_clock *clock;

	guard(mutex)(&adjust_lock);
	list_for_each_entry(clock, &adjusted_clocks, adjust_next)
		clock->ops.adjust(clock);
}
static struct evl_work adjust_work;

/* In-band interrupt: the wall clock was set, all shots computed from it are void. */
static void wall_clock_was_set(struct irq_work *work)
{
	int cpu;

	evl_queue_work(&adjust_work);

	for_each_cpu_and(cpu, &evl_oob_cpus, cpu_online_mask)
		irq_send_oob_ipi(TIMER_OOB_IPI, cpumask_of(cpu));
}
static DEFINE_IRQ_WORK(wall_clock_work, wall_clock_was_set);

/*
 * Called for each update of timekeeping, within: the new time cannot be read yet, neither here nor by an
 * interrupt which comes now. The work runs when in-band accepts interrupts again.
 */
static int timekeeping_event(struct notifier_block *nb, unsigned long was_set, void *tk)
{
	if (was_set)
		irq_work_queue(&wall_clock_work);
	return NOTIFY_OK;
}

static struct notifier_block timekeeping_nb = { .notifier_call = timekeeping_event };

/* Built-in clocks, not visible yet: what run queues and ticks need. */
int evl_init_clocks(void)
{
	int ret;

	cpumask_copy(&evl_mono_clock.affinity, &evl_oob_cpus);
	cpumask_copy(&evl_realtime_clock.affinity, &evl_oob_cpus);

	ret = alloc_bases(&evl_mono_clock);
	if (ret)
		return ret;

	ret = alloc_bases(&evl_realtime_clock);
	if (ret)
		free_bases(&evl_mono_clock);
	else
		add_slave(&evl_mono_clock, &evl_realtime_clock);

	return ret;
}

/* No tick any more, hence nobody who looks at the queues. */
void evl_cleanup_clocks(void)
{
	memset(evl_mono_clock.slaves, 0, sizeof(evl_mono_clock.slaves));
	evl_mono_clock.nr_slaves = 0;
	free_bases(&evl_realtime_clock);
	free_bases(&evl_mono_clock);
}

int evl_publish_clocks(void)
{
	int ret = publish_clock(&evl_mono_clock);

	if (ret)
		return ret;

	ret = publish_clock(&evl_realtime_clock);
	if (ret)
		goto err_hide_mono;

	evl_init_work(&adjust_work, adjust_clocks);
	ret = pvclock_gtod_register_notifier(&timekeeping_nb);
	if (ret)
		goto err_hide_realtime;

	return 0;

err_hide_realtime:
	hide_clock(&evl_realtime_clock);
err_hide_mono:
	hide_clock(&evl_mono_clock);
	return ret;
}

void evl_hide_clocks(void)
{
	pvclock_gtod_unregister_notifier(&timekeeping_nb);
	irq_work_sync(&wall_clock_work);
	evl_flush_work(&adjust_work);
	hide_clock(&evl_realtime_clock);
	hide_clock(&evl_mono_clock);
}
