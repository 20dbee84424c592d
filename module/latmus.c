// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency measurement, /dev/latmus: how late is a timer handler, a kernel thread, an application thread, an
 * in-band interrupt?
 *
 * A periodic timer of the core ticks on the CPU measured. Each tick has an ideal date; the receiver tells
 * when it got there. The interface is <evl/devices/latmus.h>.
 *
 * States:  IDLE --MEASURE--> READY --START--> RUNNING --STOP, a limit, loss of the responder--> STOPPED
 *          and MEASURE again from any but RUNNING.
 * Locks:   run->mutex   in-band requests which change the state, one at a time; outermost
 *          run->wait    lock of the wait queue: everything from "state" on, which ticks, receivers and
 *                       readers share
 * Lifetime: a run lives as long as its file. Release makes the receivers leave, waits for them, then frees.
 */
#include "latmus.h"
#include "compat.h"
#include "clock.h"
#include "params.h"
#include "uaccess.h"

#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/miscdevice.h>
#include <linux/slab.h>

#define DEFAULT_INTERVAL	NSEC_PER_SEC

static atomic_t kthread_serial;

static long latmus_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	if (cmd != EVL_LATIOC_PULSE)
		return -ENOTTY;

	return latmus_pulse(filp->private_data, (u64 __user *)arg);
}

static int check_setup(const struct latmus_setup *s)
{
	if (s->type > EVL_LAT_LAST || s->flags & ~LATMUS_SETUP_FLAGS || s->reserved[0] || s->reserved[1])
		return -EINVAL;
	if (!evl_is_oob_cpu(s->cpu) || !cpu_online(s->cpu))
		return -EINVAL;
	if (s->type == EVL_LAT_KERN && (s->priority < EVL_MIN_PRIO || s->priority > EVL_MAX_PRIO))
		return -EINVAL;
	if (s->hcells > LATMUS_MAX_HCELLS || (s->hcells && (!s->hcell_ns || s->hcell_ns > LATMUS_MAX_HCELL_NS)))
		return -EINVAL;
	if (s->period < LATMUS_MIN_PERIOD || s->period > LATMUS_MAX_PERIOD)
		return -EINVAL;
	if (s->interval && s->interval < s->period)
		return -EINVAL;
	/* Sums of dates stay far from overflow. */
	if (s->warmup > S32_MAX * (u64)NSEC_PER_SEC || s->interval > S32_MAX * (u64)NSEC_PER_SEC)
		return -EINVAL;

	return 0;
}

/* Mutex held. Frees what ticks and receives; the state is no longer RUNNING. */
static void dismantle(struct latmus_run *run)
{
	if (run->has_kthread)
		evl_stop_kthread(&run->kthread);
	run->has_kthread = false;
	if (run->has_timer)
		evl_destroy_timer(&run->timer);
	run->has_timer = false;
	/* Nobody posts it any more. */
	latmus_put_sirq(run);
}

static const u32 gravity_of[] = {
	[EVL_LAT_IRQ] = EVL_TIMER_GRAVITY_IRQ,
	[EVL_LAT_KERN] = EVL_TIMER_GRAVITY_KERNEL,
	[EVL_LAT_USER] = EVL_TIMER_GRAVITY_USER,
	[EVL_LAT_SIRQ] = EVL_TIMER_GRAVITY_IRQ,
};

/* Mutex held. Forgets the previous run: everything behind the lock of the queue. */
static void prepare(struct latmus_run *run, const struct latmus_setup *setup, u64 *cells)
{
	unsigned long flags;

	evl_wq_lock(&run->wait, flags);
	run->setup = *setup;
	run->setup.interval = setup->interval ?: DEFAULT_INTERVAL;
	swap(run->cells, cells);
	run->state = RUN_READY;
	run->generation++;
	run->ticking = run->measuring = false;
	run->tick_pending = run->tick_seen = false;
	run->responder = NULL;
	run->early = run->outliers = 0;
	run->peak_date = run->started = run->stopped = 0;
	run->stopped_by = 0;
	run->written = run->fetched = 0;
	run->final_ready = false;
	latmus_reset_figures(run);
	evl_wake_up_all_locked(&run->wait, EVL_WAKE_GRANT);
	evl_wq_unlock(&run->wait, flags);
	evl_schedule();
	wake_up_interruptible(&run->fetchers);
	kvfree(cells);
}

static long latmus_measure(struct latmus_run *run, const struct latmus_setup __user *arg)
{
	struct latmus_setup setup;
	u64 *cells = NULL;
	int ret;

	if (copy_from_user(&setup, arg, sizeof(setup)))
		return -EFAULT;
	ret = check_setup(&setup);
	if (ret)
		return ret;
	if (READ_ONCE(run->state) == RUN_RUNNING)
		return -EBUSY;
	if (setup.hcells) {
		cells = kvcalloc(setup.hcells, sizeof(*cells), GFP_KERNEL_ACCOUNT);
		if (!cells)
			return -ENOMEM;
	}

	dismantle(run);
	if (setup.type == EVL_LAT_SIRQ) {
		ret = latmus_get_sirq(run);
		if (ret) {
			kvfree(cells);
			return ret;
		}
	}
	prepare(run, &setup, cells);
	__evl_init_timer(&run->timer, &evl_mono_clock, latmus_tick, setup.cpu, gravity_of[setup.type]);
	run->has_timer = true;

	return 0;
}

static int start_kthread(struct latmus_run *run)
{
	int ret;

	ret = evl_run_kthread_on_cpu(&run->kthread, run->setup.cpu, latmus_kthread, run, run->setup.priority,
				     EVL_CLONE_PRIVATE, "latmus:%d", atomic_inc_return(&kthread_serial));
	run->has_kthread = !ret;

	return ret;
}

static long latmus_start(struct latmus_run *run)
{
	unsigned long flags;
	int ret;

	if (READ_ONCE(run->state) == RUN_RUNNING)
		return -EBUSY;
	if (READ_ONCE(run->state) != RUN_READY)
		return -EAGAIN;
	if (run->setup.type == EVL_LAT_KERN) {
		ret = start_kthread(run);
		if (ret)
			return ret;
	}

	evl_wq_lock(&run->wait, flags);
	run->state = RUN_RUNNING;
	if (run->setup.type != EVL_LAT_USER || run->responder)
		latmus_start_ticking(run);
	evl_wq_unlock(&run->wait, flags);

	return 0;
}

static long latmus_stop(struct latmus_run *run)
{
	unsigned long flags;

	evl_wq_lock(&run->wait, flags);
	latmus_stop_run(run, LATMUS_STOPPED_REQUEST, evl_ktime_monotonic());
	evl_wq_unlock(&run->wait, flags);
	evl_schedule();
	if (READ_ONCE(run->state) == RUN_STOPPED)
		dismantle(run);

	return 0;
}

/* Next record into @m: 0, -EAGAIN none so far, -ENODATA none to come. */
static int next_record(struct latmus_run *run, struct latmus_measurement *m)
{
	unsigned long flags;
	int ret = 0;
	u64 end;

	evl_wq_lock(&run->wait, flags);
	end = run->written - run->final_ready;
	run->fetched = max(run->fetched, min(latmus_first_kept(run), end));
	if (run->fetched < end) {
		*m = run->records[run->fetched++ % LATMUS_NR_RECORDS];
	} else if (run->final_ready && run->fetched == end) {
		*m = run->final;
		run->fetched++;
	} else {
		ret = run->state == RUN_RUNNING ? -EAGAIN : -ENODATA;
	}
	evl_wq_unlock(&run->wait, flags);

	return ret;
}

static long latmus_fetch(struct latmus_run *run, struct file *filp, struct latmus_measurement __user *arg)
{
	struct latmus_measurement m;
	int ret;

	ret = next_record(run, &m);
	if (ret == -EAGAIN && !(filp->f_flags & O_NONBLOCK) &&
	    wait_event_interruptible(run->fetchers, (ret = next_record(run, &m)) != -EAGAIN))
		return -EINTR;
	if (ret)
		return ret;

	return copy_to_user(arg, &m, sizeof(m)) ? -EFAULT : 0;
}

/* Totals, of a run which may still go on. */
static void fill_result(struct latmus_run *run, struct latmus_result *r)
{
	const struct latmus_stats *st = &run->total;
	ktime_t until;

	guard(hard_spinlock_irqsave)(&run->wait.lock);
	until = run->state == RUN_RUNNING ? evl_ktime_monotonic() : run->stopped;
	r->hist_cells = run->setup.hcells;
	r->stopped_by = run->stopped_by;
	r->sum_lat = st->sum;
	r->min_lat = st->samples ? st->min : 0;
	r->max_lat = st->samples ? st->max : 0;
	r->samples = st->samples;
	r->early = run->early;
	r->outliers = run->outliers;
	r->overruns = st->overruns;
	r->mode_switches = st->mode_switches;
	r->elapsed = run->measuring ? ktime_to_ns(ktime_sub(until, run->started)) : 0;
	r->peak_at = st->samples ? ktime_to_ns(ktime_sub(run->peak_date, run->started)) : 0;
}

/* Mutex held, so that the cells stay. Of a run which goes on they are ahead of the totals by some samples. */
static long copy_result(struct latmus_run *run, struct latmus_result __user *arg)
{
	struct latmus_result r;
	u32 capacity;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.reserved[0] || r.reserved[1])
		return -EINVAL;

	capacity = min(r.hist_cells, run->setup.hcells);
	fill_result(run, &r);
	if (capacity && copy_to_user(evl_uptr(r.hist_ptr), run->cells, capacity * sizeof(*run->cells)))
		return -EFAULT;

	return copy_to_user(arg, &r, sizeof(r)) ? -EFAULT : 0;
}

static long latmus_result(struct latmus_run *run, struct latmus_result __user *arg)
{
	if (READ_ONCE(run->state) == RUN_RUNNING)
		return -EBUSY;

	return READ_ONCE(run->state) == RUN_STOPPED ? copy_result(run, arg) : -ENODATA;
}

static long latmus_peek(struct latmus_run *run, struct latmus_result __user *arg)
{
	return READ_ONCE(run->state) < RUN_RUNNING ? -ENODATA : copy_result(run, arg);
}

static long latmus_spikes(struct latmus_run *run, struct latmus_spikes __user *arg)
{
	struct latmus_spikes s = { };
	unsigned long flags;
	u32 n;

	if (READ_ONCE(run->state) < RUN_RUNNING)
		return -ENODATA;

	evl_wq_lock(&run->wait, flags);
	s.count = run->nr_spikes;
	for (n = 0; n < s.count; n++) {
		s.spikes[n] = run->spikes[n];
		s.spikes[n].at -= ktime_to_ns(run->started);
	}
	evl_wq_unlock(&run->wait, flags);

	return copy_to_user(arg, &s, sizeof(s)) ? -EFAULT : 0;
}

static long latmus_get_gravity(struct latmus_gravity __user *arg)
{
	struct latmus_gravity g = {
		.irq = evl_mono_clock.gravity.irq,
		.kernel = evl_mono_clock.gravity.kernel,
		.user = evl_mono_clock.gravity.user,
	};

	return copy_to_user(arg, &g, sizeof(g)) ? -EFAULT : 0;
}

static long latmus_set_gravity(const struct latmus_gravity __user *arg)
{
	struct evl_clock_gravity gravity;
	struct latmus_gravity g;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&g, arg, sizeof(g)))
		return -EFAULT;
	if (g.reserved || g.irq > LATMUS_MAX_GRAVITY || g.kernel > LATMUS_MAX_GRAVITY ||
	    g.user > LATMUS_MAX_GRAVITY)
		return -EINVAL;
	gravity = (struct evl_clock_gravity) { .irq = g.irq, .kernel = g.kernel, .user = g.user };

	return evl_set_clock_gravity(&evl_mono_clock, &gravity);
}

static long latmus_reset_gravity(void)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	evl_reset_clock_gravity(&evl_mono_clock);

	return 0;
}

/* Requests which change the state, or need it to stay. */
static long latmus_run_ioctl(struct latmus_run *run, unsigned int cmd, void __user *arg)
{
	guard(mutex)(&run->mutex);

	switch (cmd) {
	case EVL_LATIOC_MEASURE:
		return latmus_measure(run, arg);
	case EVL_LATIOC_START:
		return latmus_start(run);
	case EVL_LATIOC_STOP:
		return latmus_stop(run);
	case EVL_LATIOC_PEEK:
		return latmus_peek(run, arg);
	case EVL_LATIOC_SPIKES:
		return latmus_spikes(run, arg);
	default:
		return latmus_result(run, arg);
	}
}

static long latmus_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct latmus_run *run = filp->private_data;
	void __user *u_arg = (void __user *)arg;

	switch (cmd) {
	case EVL_LATIOC_MEASURE:
	case EVL_LATIOC_START:
	case EVL_LATIOC_STOP:
	case EVL_LATIOC_RESULT:
	case EVL_LATIOC_PEEK:
	case EVL_LATIOC_SPIKES:
		return latmus_run_ioctl(run, cmd, u_arg);
	case EVL_LATIOC_FETCH:
		return latmus_fetch(run, filp, u_arg);
	case EVL_LATIOC_GET_GRAVITY:
		return latmus_get_gravity(u_arg);
	case EVL_LATIOC_SET_GRAVITY:
		return latmus_set_gravity(u_arg);
	case EVL_LATIOC_RESET:
		return latmus_reset_gravity();
	default:
		return -ENOTTY;
	}
}

#ifdef CONFIG_COMPAT
static long latmus_compat_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return latmus_oob_ioctl(filp, cmd, (unsigned long)compat_ptr(arg));
}
#endif

/* Runs in-band on the CPU of the tick, which raised it from out-of-band. */
static void wake_fetchers(struct irq_work *work)
{
	struct latmus_run *run = container_of(work, struct latmus_run, fetch_work);

	wake_up_interruptible(&run->fetchers);
}

static int latmus_open(struct inode *inode, struct file *filp)
{
	struct latmus_run *run;
	int ret;

	run = kzalloc(sizeof(*run), GFP_KERNEL_ACCOUNT);
	if (!run)
		return -ENOMEM;

	mutex_init(&run->mutex);
	init_waitqueue_head(&run->fetchers);
	init_irq_work(&run->fetch_work, wake_fetchers);
	__evl_init_waitqueue(&run->wait, &evl_mono_clock, EVL_WQ_PRIO, "latmus");
	ret = evl_open_file(&run->efile, filp);
	if (ret) {
		evl_destroy_waitqueue(&run->wait);
		kfree(run);
		return ret;
	}
	filp->private_data = run;

	return stream_open(inode, filp);
}

/* No receiver sleeps from here on, not even one which is on its way to. */
static void evict_receivers(struct latmus_run *run)
{
	unsigned long flags;

	evl_wq_lock(&run->wait, flags);
	latmus_stop_run(run, LATMUS_STOPPED_REQUEST, evl_ktime_monotonic());
	run->state = RUN_STOPPED;
	run->generation++;
	evl_wake_up_all_locked(&run->wait, EVL_WAKE_GRANT);
	evl_wq_unlock(&run->wait, flags);
	evl_schedule();
}

static int latmus_release(struct inode *inode, struct file *filp)
{
	struct latmus_run *run = filp->private_data;

	evict_receivers(run);
	evl_release_file(&run->efile);
	dismantle(run);
	evl_destroy_waitqueue(&run->wait);
	irq_work_sync(&run->fetch_work);
	kvfree(run->cells);
	kfree(run);

	return 0;
}

static const struct file_operations latmus_fops = {
	.owner			= THIS_MODULE,
	.open			= latmus_open,
	.release		= latmus_release,
	.unlocked_ioctl		= latmus_ioctl,
	.oob_ioctl		= latmus_oob_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl		= compat_ptr_ioctl,
	.compat_oob_ioctl	= latmus_compat_oob_ioctl,
#endif
};

static struct miscdevice latmus_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "latmus",
	.fops	= &latmus_fops,
};

module_misc_device(latmus_device);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Latency measurement driver of the EVL core");
