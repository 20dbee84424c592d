// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads: what makes a task a thread of the core, and its end.
 *
 * Lifetime: a thread holds one reference to its own element from evl_init_thread() until it detaches; open
 * files hold others. Detaching hides the element, so that the name is free, and leaves descriptors which
 * give -ESTALE. A task which is off-stage cannot detach; hooks and handlers which are called for such a
 * task need no reference therefore.
 */
#include "thread.h"
#include "factory.h"
#include "gate.h"
#include "kthread.h"
#include "monitor.h"
#include "observable.h"
#include "shm.h"
#include "wait.h"
#include "watchdog.h"

#include <linux/slab.h>

/* Registration number of this core: areas with another one are not ours. */
static unsigned int core_cookie __read_mostly;

void evl_note_cookie(unsigned int cookie)
{
	core_cookie = cookie;
}

static struct evl_thread *state_thread(struct oob_thread_state *st)
{
	return st->cookie == core_cookie ? st->core_data : NULL;
}

struct evl_thread *evl_current(void)
{
	return state_thread(evl_current_state());
}
EVL_EXPORT(evl_current);

/* The same for another task, which the caller keeps. */
struct evl_thread *evl_task_thread(struct task_struct *p)
{
	return state_thread(dovetail_task_state(p));
}

/* Tell the owner its state; by the core only, the word is never read back. */
void evl_sync_window(struct evl_thread *thread)
{
	if (thread->window)
		WRITE_ONCE(thread->window->state, thread->state);
}

/* Context H: the limit of a wait has come. */
static void wait_limit_handler(struct evl_timer *timer)
{
	evl_wake_thread(container_of(timer, struct evl_thread, rtimer), EVL_T_DELAY, EVL_I_TIMEO);
}

/*
 * In-band interrupt, on the CPU where the thread left the out-of-band stage; the thread may be gone right
 * after.
 */
static void wake_inband(struct irq_work *work)
{
	struct evl_thread *thread = container_of(work, struct evl_thread, inband_work);

	dovetail_wake_inband(thread->altsched.task);
}

static int alloc_window(struct evl_thread *thread)
{
	if (!evl_thread_is_user(thread))
		return 0;

	thread->window = evl_alloc_shm(sizeof(*thread->window));
	if (!thread->window)
		return -ENOMEM;

	thread->element.state_offset = evl_shm_offset(thread->window);

	return 0;
}

static void free_window(struct evl_thread *thread)
{
	if (thread->window)
		evl_free_shm(thread->window, sizeof(*thread->window));
}

static void free_observable(struct evl_thread *thread)
{
	if (thread->observable)
		evl_free_observable(thread->observable);
}

static u32 timer_gravity(const struct evl_thread *thread)
{
	return evl_thread_is_user(thread) ? EVL_TIMER_GRAVITY_USER : EVL_TIMER_GRAVITY_KERNEL;
}

/**
 * evl_init_thread - make a thread which is bound to no task yet
 * @thread: zeroed memory
 * @name: unique
 * @clone_flags: EVL_CLONE_*
 * @attrs: checked attributes
 * @cpu: where it is going to live
 * @state: initial bits: EVL_T_USER or 0
 *
 * In-band. 0, -EEXIST, -ENAMETOOLONG, -EINVAL, -ENOMEM, -EAGAIN: too many threads.
 */
int evl_init_thread(struct evl_thread *thread, const char *name, u32 clone_flags,
		    const struct evl_sched_attrs *attrs, int cpu, u32 state)
{
	int ret;

	hard_spin_lock_init(&thread->lock);
	thread->rq = evl_cpu_rq(cpu);
	thread->state = state | EVL_T_INBAND;
	INIT_LIST_HEAD(&thread->gates);
	thread->base.class = evl_find_sched_class(attrs->sched_policy);
	thread->base.prio = attrs->sched_priority;
	thread->sched_class = thread->base.class;
	thread->prio = thread->base.prio;
	thread->base.class->set(thread, attrs);
	init_irq_work(&thread->inband_work, wake_inband);
	init_irq_work(&thread->depend_work, evl_report_dependency);
	__evl_init_timer(&thread->rtimer, &evl_mono_clock, wait_limit_handler, cpu, timer_gravity(thread));
	evl_init_period(thread);

	ret = alloc_window(thread);
	if (ret)
		return ret;
	evl_sync_window(thread);

	if (clone_flags & EVL_CLONE_OBSERVABLE) {
		ret = -ENOMEM;
		thread->observable = evl_alloc_observable(clone_flags & EVL_CLONE_UNICAST);
		if (!thread->observable)
			goto err_free_window;
		thread->state |= EVL_T_OBSERV;
	}

	ret = evl_init_element(&thread->element, &evl_thread_factory, name, clone_flags);
	if (ret)
		goto err_free_observable;

	return 0;

err_free_observable:
	free_observable(thread);
err_free_window:
	free_window(thread);
	return ret;
}

/* Undo evl_init_thread(), and free the memory. */
void evl_cancel_thread(struct evl_thread *thread)
{
	evl_cancel_element(&thread->element);
	free_observable(thread);
	free_window(thread);
	kfree(thread);
}

static void count_thread(struct evl_thread *thread, int delta)
{
	guard(hard_spinlock_irqsave)(&thread->lock);
	guard(hard_spinlock)(&thread->rq->lock);
	thread->rq->nr_threads += delta;
	if (delta < 0) {
		evl_leave_cpu(thread);
		thread->state |= EVL_T_ZOMBIE;
	}
}

/* The current task becomes @thread. From here on events come in for it. */
void evl_bind_current(struct evl_thread *thread)
{
	struct oob_thread_state *st = evl_current_state();

	thread->pid = task_pid_nr(current);
	dovetail_init_altsched(&thread->altsched);
	st->preempt_count = 0;
	st->core_data = thread;
	st->cookie = core_cookie;
	count_thread(thread, 1);
	evl_watch_rq(thread->rq);
	dovetail_start_altsched();
}

/*
 * The current task is no thread any more. In-band. The order matters: no event comes in once altsched is
 * stopped, and it is not before then that the thread is marked for others.
 */
int evl_detach_current(void)
{
	struct evl_thread *curr = evl_current();

	if (!curr)
		return -EPERM;

	evl_current_state()->core_data = NULL;
	dovetail_stop_altsched();
	count_thread(curr, -1);
	evl_drop_gates(curr);
	evl_sync_window(curr);
	if (curr->observable)
		evl_evict_observable(curr->observable);
	evl_hide_element(&curr->element);
	evl_release_unknown_gates(curr->element.fundle);
	evl_put_element(&curr->element);

	return 0;
}

/* The last reference has gone. */
static void dispose_thread(struct evl_element *e)
{
	struct evl_thread *thread = evl_element_thread(e);

	evl_destroy_timer(&thread->rtimer);
	evl_destroy_timer(&thread->ptimer);
	/* The handler which brought the thread in-band for the last time may be ending right now. */
	irq_work_sync(&thread->inband_work);
	irq_work_sync(&thread->depend_work);
	free_observable(thread);
	free_window(thread);
	kfree(thread);
}

/*
 * Attaching. EVL_IOC_CLONE on the clone device makes the calling task a thread: its CPU has to be one of
 * ours, its in-band scheduling parameters are translated.
 */
static struct evl_element *attach_current(struct evl_factory *fac, const char *name, const void *attrs,
					  u32 clone_flags, struct file *filp);

/* The descriptor could not be made: drop the reference meant for it, and the attachment. */
static void revert_attach(struct evl_element *e)
{
	evl_leave_element(e);
	evl_detach_current();
}

static __poll_t thread_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct evl_observable *obs = evl_element_thread(evl_file_element(filp))->observable;

	return obs ? evl_observable_poll(obs, filp, pt) : EPOLLERR;
}

static __poll_t thread_oob_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct evl_observable *obs = evl_element_thread(evl_file_element(filp))->observable;

	return obs ? evl_observable_oob_poll(obs, wait) : EPOLLERR;
}

static const struct file_operations thread_fops = {
	.owner			= THIS_MODULE,
	.open			= evl_open_element,
	.release		= evl_release_element,
	.poll			= thread_poll,
	.unlocked_ioctl		= evl_thread_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.oob_ioctl		= evl_thread_ioctl,
	.compat_oob_ioctl	= evl_thread_ioctl,
	.oob_poll		= thread_oob_poll,
};

struct evl_factory evl_thread_factory = {
	.name		= EVL_THREAD_DEV,
	.fops		= &thread_fops,
	.flags		= EVL_FACTORY_CLONE,
	.clone_mask	= EVL_CLONE_OBSERVABLE | EVL_CLONE_UNICAST,
	.build		= attach_current,
	.revert		= revert_attach,
	.dispose	= dispose_thread,
	.attrs		= evl_thread_groups,
};

void __init evl_init_thread_limit(void)
{
	evl_thread_factory.nrdev = evl_nr_threads;
}

static int check_attach_flags(u32 clone_flags)
{
	if (evl_current())
		return -EBUSY;

	if (clone_flags & EVL_CLONE_UNICAST && !(clone_flags & EVL_CLONE_OBSERVABLE))
		return -EINVAL;

	return 0;
}

/* CPU of the core to live on: the current one if possible, else any the task may use. */
static int pick_cpu(void)
{
	int cpu = raw_smp_processor_id();

	if (cpumask_test_cpu(cpu, &evl_oob_cpus))
		return cpu;

	cpu = cpumask_any_and(current->cpus_ptr, &evl_oob_cpus);

	return cpu < nr_cpu_ids ? cpu : -EINVAL;
}

static void translate_attrs(struct evl_sched_attrs *attrs)
{
	memset(attrs, 0, sizeof(*attrs));
	attrs->sched_policy = SCHED_WEAK;

	if (current->rt_priority >= EVL_MIN_PRIO && current->rt_priority <= EVL_MAX_PRIO) {
		attrs->sched_policy = SCHED_FIFO;
		attrs->sched_priority = current->rt_priority;
	}
}

static struct evl_thread *make_user_thread(const char *name, u32 clone_flags, int cpu)
{
	struct evl_sched_attrs attrs;
	struct evl_thread *thread = kzalloc(sizeof(*thread), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!thread)
		return ERR_PTR(-ENOMEM);

	translate_attrs(&attrs);
	ret = evl_init_thread(thread, name, clone_flags, &attrs, cpu, EVL_T_USER);
	if (ret) {
		kfree(thread);
		return ERR_PTR(ret);
	}

	return thread;
}

static struct evl_element *attach_current(struct evl_factory *fac, const char *name, const void *attrs,
					  u32 clone_flags, struct file *filp)
{
	struct inode *inode = file_inode(filp);
	struct evl_thread *thread;
	int cpu, ret;

	ret = check_attach_flags(clone_flags);
	if (ret)
		return ERR_PTR(ret);

	cpu = pick_cpu();
	if (cpu < 0)
		return ERR_PTR(cpu);

	thread = make_user_thread(name, clone_flags, cpu);
	if (IS_ERR(thread))
		return ERR_CAST(thread);

	/* Before binding: the task then lives where the thread does. */
	ret = set_cpus_allowed_ptr(current, cpumask_of(cpu));
	if (ret)
		goto err_cancel;

	evl_set_element_owner(&thread->element, inode->i_uid, inode->i_gid);
	ret = evl_publish_element(&thread->element);
	if (ret)
		goto err_cancel;

	evl_bind_current(thread);
	evl_get_element(&thread->element);

	return &thread->element;

err_cancel:
	evl_cancel_thread(thread);
	return ERR_PTR(ret);
}
