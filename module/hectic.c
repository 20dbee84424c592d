// SPDX-License-Identifier: GPL-2.0-only
/*
 * Context-switch stress, /dev/hectic: threads of all kinds hand a turn to one another, so that whoever gives it
 * away is switched out, and whoever gets it is switched in. The interface is <evl/devices/hectic.h>.
 *
 * The turn: exactly one of the crew has it, or was granted it and has not woken up yet.
 *
 *   running --SWITCH_TO--> waiting --granted by another one--> granted --seen by the waiter--> running
 *
 * Locks:   crew->mutex    set-up: size, CPU, pause, who is who; outermost
 *          task->wait     lock of its queue: granted, running, giver, inband_wait; one at a time
 *          crew->log      count, last switch, first error; leaf
 * Lifetime: a crew lives as long as its file. Release stops it, waits for callers and threads, then frees.
 */
#include "compat.h"
#include "clock.h"
#include "file.h"
#include "kthread.h"
#include "params.h"
#include "stax.h"
#include "uaccess.h"
#include "wait.h"

#include <linux/atomic.h>
#include <linux/compat.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <uapi/evl/devices/hectic.h>

#define KTASK_PRIORITY	10

struct hectic_crew;

struct hectic_task {
	struct hectic_crew	*crew;
	u32			index;
	u32			flags;		/* of kernel threads */
	bool			enlisted;	/* published last, by release; seen by acquire */
	struct task_struct	*owner;		/* compared, never followed; NULL: a kernel thread */
	struct evl_kthread	kthread;

	struct evl_waitqueue	wait;		/* the thread itself, out-of-band */
	wait_queue_head_t	inband;		/* or in-band */
	struct irq_work		wake_work;
	bool			inband_wait;	/* which of them is in use */
	bool			granted;
	bool			running;
	u32			giver;
};

struct hectic_crew {
	struct evl_file		efile;
	struct mutex		mutex;
	struct hectic_task	*tasks;
	u32			nr_tasks;	/* set once, published by release */
	int			cpu;
	ktime_t			pause;
	u32			burst;
	bool			stopping;

	/* Whoever has the turn. */
	u32			hops;		/* left until index 0 is due */
	u32			seed;

	hard_spinlock_t		log;
	struct hectic_count	count;
	struct hectic_error	error;
	bool			has_error;

	struct evl_stax		stax;
	atomic_t		stax_holders[2];	/* [out-of-band] */
};

static atomic_t kthread_serial;

static void wake_inband(struct irq_work *work)
{
	wake_up_interruptible(&container_of(work, struct hectic_task, wake_work)->inband);
}

/* task->wait locked: has the waiter got the turn, or is there nothing to wait for? */
static bool turn_wanted(struct hectic_task *task, int *ret)
{
	*ret = READ_ONCE(task->crew->stopping) ? -EIDRM : 0;
	if (*ret || task->running)
		return true;
	if (!task->granted)
		return false;

	task->granted = false;
	task->running = true;

	return true;
}

static bool turn_wanted_inband(struct hectic_task *task, int *ret)
{
	guard(hard_spinlock_irqsave)(&task->wait.lock);
	task->inband_wait = true;
	return turn_wanted(task, ret);
}

static int wait_turn_inband(struct hectic_task *task)
{
	int ret;

	return wait_event_interruptible(task->inband, turn_wanted_inband(task, &ret)) ? -EINTR : ret;
}

static bool turn_wanted_oob(struct hectic_task *task, int *ret)
{
	task->inband_wait = false;
	return turn_wanted(task, ret);
}

/* Sleeps until the caller has the turn. 0, -EINTR, -EIDRM; out-of-band -EPERM: no thread of the core. */
static int wait_turn(struct hectic_task *task, bool oob)
{
	int ret, outcome = 0;

	if (!oob)
		return wait_turn_inband(task);

	ret = evl_wait_event(&task->wait, turn_wanted_oob(task, &outcome));

	return ret ?: outcome;
}

/*
 * Wakes the task up, wherever it waits. Hard interrupts stay off until the CPU was rescheduled: an in-band caller
 * could be moved in between.
 */
static void wake_task(struct hectic_task *task, bool grant, u32 giver)
{
	unsigned long flags;

	evl_wq_lock(&task->wait, flags);
	if (grant) {
		task->granted = true;
		task->giver = giver;
	}
	evl_wake_up_locked(&task->wait, EVL_WAKE_GRANT);
	if (task->inband_wait)
		irq_work_queue(&task->wake_work);
	hard_spin_unlock(&task->wait.lock);
	evl_schedule();
	hard_local_irq_restore(flags);
}

static bool is_enlisted(const struct hectic_task *task)
{
	return smp_load_acquire(&task->enlisted);
}

/* The first one enlisted from @start on, cyclically, but not @from. */
static struct hectic_task *find_task(struct hectic_crew *crew, u32 start, u32 from)
{
	u32 n, index;

	for (n = 0; n < crew->nr_tasks; n++) {
		index = (start + n) % crew->nr_tasks;
		if (index != from && is_enlisted(&crew->tasks[index]))
			return &crew->tasks[index];
	}

	return NULL;
}

/* The caller has the turn. */
static struct hectic_task *pick_task(struct hectic_crew *crew, u32 from, u32 to)
{
	if (to < crew->nr_tasks)
		return find_task(crew, to, from);

	if (crew->hops)
		crew->hops--;
	if (!crew->hops) {
		crew->hops = crew->burst;
		return find_task(crew, 0, from);
	}
	if (to == HECTIC_NEXT)
		return find_task(crew, from + 1, from);

	crew->seed = next_pseudo_random32(crew->seed);

	return find_task(crew, (crew->seed >> 8) % crew->nr_tasks, from);
}

static void count_switch(struct hectic_crew *crew, u32 from, u32 to)
{
	guard(hard_spinlock_irqsave)(&crew->log);
	crew->count.switches++;
	crew->count.last_switch = (struct hectic_switch_req) { .from = from, .to = to };
}

/* 0, or -EINTR. */
static int pause_before(struct hectic_crew *crew, bool oob)
{
	ktime_t pause = crew->pause;

	if (!pause)
		return 0;
	if (oob)
		return evl_sleep(pause);

	set_current_state(TASK_INTERRUPTIBLE);

	return schedule_hrtimeout(&pause, HRTIMER_MODE_REL);
}

static int take_from(struct hectic_task *task)
{
	guard(hard_spinlock_irqsave)(&task->wait.lock);
	if (!task->running)
		return -EAGAIN;
	task->running = false;

	return 0;
}

static int switch_turn(struct hectic_task *task, u32 to, bool oob)
{
	struct hectic_crew *crew = task->crew;
	struct hectic_task *next;
	int ret;

	if (!READ_ONCE(task->running))
		return -EAGAIN;
	ret = pause_before(crew, oob);
	if (ret)
		return ret;
	next = pick_task(crew, task->index, to);
	if (!next)
		return -ESRCH;
	ret = take_from(task);
	if (ret)
		return ret;

	count_switch(crew, task->index, next->index);
	wake_task(next, true, task->index);

	return wait_turn(task, oob);
}

static void run_ktask(void *arg)
{
	struct hectic_task *task = arg;
	u32 to = task->flags & HECTIC_IN_ORDER ? HECTIC_NEXT : HECTIC_ANYONE;
	int ret = wait_turn(task, true);

	while (!ret)
		ret = switch_turn(task, to, true);
}

/* The task of the caller, which claims to have that number. */
static struct hectic_task *own_task(struct hectic_crew *crew, u32 index)
{
	struct hectic_task *task;

	if (index >= smp_load_acquire(&crew->nr_tasks))
		return ERR_PTR(-EINVAL);
	task = &crew->tasks[index];
	if (!is_enlisted(task))
		return ERR_PTR(-EINVAL);

	return task->owner == current ? task : ERR_PTR(-EPERM);
}

static bool is_target(const struct hectic_crew *crew, const struct hectic_switch_req *req)
{
	if (req->to >= HECTIC_NEXT)
		return true;

	return req->to < crew->nr_tasks && req->to != req->from && is_enlisted(&crew->tasks[req->to]);
}

static long hectic_turn(struct hectic_crew *crew, unsigned int cmd, struct hectic_switch_req __user *arg, bool oob)
{
	bool pend = cmd == EVL_HECIOC_PEND;
	struct hectic_switch_req req;
	struct hectic_task *task;
	int ret;

	ret = evl_copy_from_user(&req, arg, sizeof(req));
	if (ret)
		return ret;
	task = own_task(crew, pend ? req.to : req.from);
	if (IS_ERR(task))
		return PTR_ERR(task);
	if (!pend && !is_target(crew, &req))
		return -EINVAL;

	ret = pend ? wait_turn(task, oob) : switch_turn(task, req.to, oob);
	if (ret)
		return ret;
	req = (struct hectic_switch_req) { .from = task->giver, .to = task->index };

	return evl_copy_to_user(arg, &req, sizeof(req));
}

static bool note_error(struct hectic_crew *crew, const struct hectic_error *error)
{
	guard(hard_spinlock_irqsave)(&crew->log);
	if (crew->has_error)
		return false;
	crew->error = *error;
	crew->has_error = true;

	return true;
}

static long hectic_report_error(struct hectic_crew *crew, const struct hectic_error __user *arg)
{
	struct hectic_error error;
	struct hectic_task *task;
	int ret;

	ret = evl_copy_from_user(&error, arg, sizeof(error));
	if (ret)
		return ret;
	task = own_task(crew, error.last_switch.to);
	if (IS_ERR(task))
		return PTR_ERR(task);
	if (error.reserved || error.last_switch.from >= crew->nr_tasks)
		return -EINVAL;
	note_error(crew, &error);

	return 0;
}

static int lock_stax(struct hectic_crew *crew)
{
	int ret = evl_lock_stax(&crew->stax);

	if (!ret)
		atomic_inc(&crew->stax_holders[running_oob()]);

	return ret;
}

static int unlock_stax(struct hectic_crew *crew)
{
	if (atomic_dec_if_positive(&crew->stax_holders[running_oob()]) < 0)
		return -EPERM;
	evl_unlock_stax(&crew->stax);

	return 0;
}

/* Requests on both stages. */
static long hectic_any_ioctl(struct hectic_crew *crew, unsigned int cmd, void __user *arg, bool oob)
{
	switch (cmd) {
	case EVL_HECIOC_PEND:
	case EVL_HECIOC_SWITCH_TO:
		return hectic_turn(crew, cmd, arg, oob);
	case EVL_HECIOC_REPORT_ERROR:
		return hectic_report_error(crew, arg);
	case EVL_HECIOC_LOCK_STAX:
		return lock_stax(crew);
	case EVL_HECIOC_UNLOCK_STAX:
		return unlock_stax(crew);
	default:
		return -ENOTTY;
	}
}

static long hectic_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return hectic_any_ioctl(filp->private_data, cmd, (void __user *)arg, true);
}

static void init_place(struct hectic_crew *crew, u32 index)
{
	struct hectic_task *task = &crew->tasks[index];

	task->crew = crew;
	task->index = index;
	__evl_init_waitqueue(&task->wait, &evl_mono_clock, EVL_WQ_PRIO, "hectic");
	init_waitqueue_head(&task->inband);
	init_irq_work(&task->wake_work, wake_inband);
}

static long set_tasks_count(struct hectic_crew *crew, const u32 __user *arg)
{
	u32 count, n;

	if (get_user(count, arg))
		return -EFAULT;
	if (!count || count > HECTIC_MAX_TASKS)
		return -EINVAL;
	if (crew->nr_tasks)
		return -EBUSY;
	crew->tasks = kvcalloc(count, sizeof(*crew->tasks), GFP_KERNEL_ACCOUNT);
	if (!crew->tasks)
		return -ENOMEM;

	for (n = 0; n < count; n++)
		init_place(crew, n);
	crew->hops = crew->burst;
	/* Pairs with own_task(). */
	smp_store_release(&crew->nr_tasks, count);

	return 0;
}

static long set_cpu(struct hectic_crew *crew, const u32 __user *arg)
{
	u32 cpu;

	if (get_user(cpu, arg))
		return -EFAULT;
	if (!evl_is_oob_cpu(cpu))
		return -EINVAL;
	if (crew->nr_tasks)
		return -EBUSY;
	crew->cpu = cpu;

	return 0;
}

static long set_pause(struct hectic_crew *crew, const struct hectic_pause __user *arg)
{
	struct hectic_pause p;

	if (copy_from_user(&p, arg, sizeof(p)))
		return -EFAULT;
	if (p.reserved || p.pause > HECTIC_MAX_PAUSE)
		return -EINVAL;
	if (crew->nr_tasks)
		return -EBUSY;
	crew->pause = ns_to_ktime(p.pause);
	crew->burst = p.burst ?: HECTIC_DEFAULT_BURST;

	return 0;
}

/* The empty place that a record asks for. */
static struct hectic_task *get_place(struct hectic_crew *crew, const struct hectic_task_index __user *arg,
				     struct hectic_task_index *t)
{
	if (copy_from_user(t, arg, sizeof(*t)))
		return ERR_PTR(-EFAULT);
	if (!crew->nr_tasks)
		return ERR_PTR(-EAGAIN);
	if (crew->stopping)
		return ERR_PTR(-EIDRM);
	if (t->index >= crew->nr_tasks)
		return ERR_PTR(-EINVAL);

	return is_enlisted(&crew->tasks[t->index]) ? ERR_PTR(-EBUSY) : &crew->tasks[t->index];
}

static long register_utask(struct hectic_crew *crew, const struct hectic_task_index __user *arg)
{
	struct hectic_task_index t;
	struct hectic_task *task = get_place(crew, arg, &t);

	if (IS_ERR(task))
		return PTR_ERR(task);
	if (t.flags)
		return -EINVAL;

	task->owner = current;
	task->running = !t.index;
	smp_store_release(&task->enlisted, true);

	return 0;
}

static long create_ktask(struct hectic_crew *crew, const struct hectic_task_index __user *arg)
{
	struct hectic_task_index t;
	struct hectic_task *task = get_place(crew, arg, &t);
	int ret;

	if (IS_ERR(task))
		return PTR_ERR(task);
	if (!t.index || t.flags & ~HECTIC_TASK_FLAGS || !(t.flags & HECTIC_OOB_WAIT))
		return -EINVAL;
	/* No architecture so far switches the FPU of kernel threads. */
	if (t.flags & HECTIC_FPU_OOB)
		return -EOPNOTSUPP;

	task->flags = t.flags;
	ret = evl_run_kthread_on_cpu(&task->kthread, crew->cpu, run_ktask, task, KTASK_PRIORITY, EVL_CLONE_PRIVATE,
				     "rtk%d-%u:%d", crew->cpu, t.index, atomic_inc_return(&kthread_serial));
	if (!ret)
		smp_store_release(&task->enlisted, true);

	return ret;
}

/* All waits end, and none begins. */
static void stop_crew(struct hectic_crew *crew)
{
	u32 n;

	WRITE_ONCE(crew->stopping, true);
	for (n = 0; n < crew->nr_tasks; n++)
		wake_task(&crew->tasks[n], false, 0);
}

static long get_count(struct hectic_crew *crew, struct hectic_count __user *arg)
{
	struct hectic_count c;
	unsigned long flags;

	hard_spin_lock_irqsave(&crew->log, flags);
	c = crew->count;
	hard_spin_unlock_irqrestore(&crew->log, flags);

	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static long get_error(struct hectic_crew *crew, struct hectic_error __user *arg)
{
	struct hectic_error error;
	unsigned long flags;
	bool has;

	hard_spin_lock_irqsave(&crew->log, flags);
	has = crew->has_error;
	error = crew->error;
	hard_spin_unlock_irqrestore(&crew->log, flags);
	if (!has)
		return -ENODATA;

	return copy_to_user(arg, &error, sizeof(error)) ? -EFAULT : 0;
}

static long set_up(struct hectic_crew *crew, unsigned int cmd, void __user *arg)
{
	guard(mutex)(&crew->mutex);

	switch (cmd) {
	case EVL_HECIOC_SET_TASKS_COUNT:
		return set_tasks_count(crew, arg);
	case EVL_HECIOC_SET_CPU:
		return set_cpu(crew, arg);
	case EVL_HECIOC_SET_PAUSE:
		return set_pause(crew, arg);
	case EVL_HECIOC_REGISTER_UTASK:
		return register_utask(crew, arg);
	case EVL_HECIOC_CREATE_KTASK:
		return create_ktask(crew, arg);
	default:
		stop_crew(crew);
		return 0;
	}
}

static long hectic_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct hectic_crew *crew = filp->private_data;
	void __user *u_arg = (void __user *)arg;

	switch (cmd) {
	case EVL_HECIOC_SET_TASKS_COUNT:
	case EVL_HECIOC_SET_CPU:
	case EVL_HECIOC_SET_PAUSE:
	case EVL_HECIOC_REGISTER_UTASK:
	case EVL_HECIOC_CREATE_KTASK:
	case EVL_HECIOC_STOP:
		return set_up(crew, cmd, u_arg);
	case EVL_HECIOC_GET_SWITCHES_COUNT:
		return get_count(crew, u_arg);
	case EVL_HECIOC_GET_LAST_ERROR:
		return get_error(crew, u_arg);
	default:
		return hectic_any_ioctl(crew, cmd, u_arg, false);
	}
}

#ifdef CONFIG_COMPAT
static long hectic_compat_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return hectic_oob_ioctl(filp, cmd, (unsigned long)compat_ptr(arg));
}
#endif

static void init_crew(struct hectic_crew *crew)
{
	mutex_init(&crew->mutex);
	hard_spin_lock_init(&crew->log);
	evl_init_stax(&crew->stax);
	crew->cpu = cpumask_first(&evl_oob_cpus);
	crew->burst = HECTIC_DEFAULT_BURST;
	crew->seed = get_random_u32();
}

static int hectic_open(struct inode *inode, struct file *filp)
{
	struct hectic_crew *crew;
	int ret;

	crew = kzalloc(sizeof(*crew), GFP_KERNEL_ACCOUNT);
	if (!crew)
		return -ENOMEM;

	init_crew(crew);
	ret = evl_open_file(&crew->efile, filp);
	if (ret) {
		evl_destroy_stax(&crew->stax);
		kfree(crew);
		return ret;
	}
	filp->private_data = crew;

	return stream_open(inode, filp);
}

static void drain_stax(struct hectic_crew *crew, bool oob)
{
	while (atomic_dec_if_positive(&crew->stax_holders[oob]) >= 0)
		evl_unlock_stax(&crew->stax);
}

static void free_tasks(struct hectic_crew *crew)
{
	struct hectic_task *task;
	u32 n;

	for (n = 0; n < crew->nr_tasks; n++) {
		task = &crew->tasks[n];
		if (task->enlisted && !task->owner)
			evl_stop_kthread(&task->kthread);
	}
	/* Any of them may have woken up any other one. */
	for (n = 0; n < crew->nr_tasks; n++) {
		irq_work_sync(&crew->tasks[n].wake_work);
		evl_destroy_waitqueue(&crew->tasks[n].wait);
	}
	kvfree(crew->tasks);
}

/* No in-band caller is left. Those out-of-band leave once they are woken up, or get the lock they wait for. */
static int hectic_release(struct inode *inode, struct file *filp)
{
	struct hectic_crew *crew = filp->private_data;

	stop_crew(crew);
	drain_stax(crew, false);
	evl_release_file(&crew->efile);
	free_tasks(crew);
	drain_stax(crew, true);
	evl_destroy_stax(&crew->stax);
	kfree(crew);

	return 0;
}

static const struct file_operations hectic_fops = {
	.owner			= THIS_MODULE,
	.open			= hectic_open,
	.release		= hectic_release,
	.unlocked_ioctl		= hectic_ioctl,
	.oob_ioctl		= hectic_oob_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl		= compat_ptr_ioctl,
	.compat_oob_ioctl	= hectic_compat_oob_ioctl,
#endif
};

static struct miscdevice hectic_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "hectic",
	.fops	= &hectic_fops,
};

module_misc_device(hectic_device);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Context-switch stress driver of the EVL core");
