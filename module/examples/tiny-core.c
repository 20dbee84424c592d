// SPDX-License-Identifier: GPL-2.0-only
/*
 * A companion core as small as can be, to show what Dovetail asks of one; docs/writing-a-core.md walks
 * through it.
 *
 * It has two threads, which live on CPU 0: a worker, of the kernel, which runs periodically on the shared
 * tick device, and an application thread, which waits for the worker. The worker goes first. In-band has the
 * CPU when neither wants it.
 *
 * There is no lock: everything below is touched on CPU 0 with hard interrupts off. Exceptions are "kicked",
 * which any CPU sets, and what is only used in-band, under tiny_mutex.
 */
#define pr_fmt(fmt) "tiny-core: " fmt

#include <linux/cpumask.h>
#include <linux/dovetail.h>
#include <linux/interrupt.h>
#include <linux/irq_pipeline.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/oob_tick.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <asm/syscall.h>

#include <tiny-core.h>

struct tiny_thread {
	struct dovetail_altsched_context ctx;
	struct irq_work	return_work;	/* hands the task back to in-band */
	bool		ready;		/* wants the CPU, out-of-band */
	bool		waiting;	/* sleeps out-of-band, until... */
	ktime_t		date;		/* ...this date, KTIME_MAX: until somebody wakes it up */
	bool		kicked;		/* has to come in-band, or to stop */
};

/* By descending priority. The last one stands for in-band, and is always ready. */
static struct tiny_thread worker, user, inband = { .ready = true };
static struct tiny_thread * const threads[] = { &worker, &user, &inband };
static struct tiny_thread *curr = &inband;

static bool in_irq;
static ktime_t inband_tick = KTIME_MAX;	/* date in-band waits for */
static struct tiny_stats stats;

static DEFINE_MUTEX(tiny_mutex);	/* open, release, attach */
static bool opened, worker_runs;
static struct task_struct *user_task;
static struct completion worker_done;
static DEFINE_PER_CPU(char, ipi_cookie);

/* Scheduling. CPU 0, out-of-band stage, hard off. */

static struct tiny_thread *pick(void)
{
	struct tiny_thread * const *p = threads;

	while (!(*p)->ready)
		p++;

	return *p;
}

/*
 * Give the CPU to whom it is due. Returns when the caller has it again: as it was, or, if it came in-band
 * meanwhile, in-band and hard on.
 */
static void schedule_oob(void)
{
	struct tiny_thread *prev = curr, *next = pick();

	if (next == prev || in_irq)
		return;

	curr = next;
	if (dovetail_context_switch(&prev->ctx, &next->ctx, prev == &inband))
		dovetail_resume_inband();
}

static void wake(struct tiny_thread *t)
{
	if (!t->waiting)
		return;
	t->waiting = false;
	t->date = KTIME_MAX;
	t->ready = true;
}

/* The tick device of CPU 0, which in-band and the threads share. */

static void program_tick(void)
{
	oob_tick_program(min3(inband_tick, worker.date, user.date));
}

static void tick_shot(void)
{
	ktime_t now = ktime_get_mono_fast_ns();
	int n;

	for (n = 0; n < ARRAY_SIZE(threads); n++)
		if (threads[n]->date <= now)
			wake(threads[n]);

	if (inband_tick <= now) {
		inband_tick = KTIME_MAX;
		stats.inband_ticks++;
		oob_tick_post_inband();
	}
	program_tick();
}

/* In-band, with its locks held. */
static void tick_set_inband_next(ktime_t date)
{
	inband_tick = date;
	program_tick();
}

static const struct oob_tick_ops tick_ops = {
	.shot			= tick_shot,
	.set_inband_next	= tick_set_inband_next,
};

static int take_tick(void *unused)
{
	return oob_tick_take(&tick_ops);
}

static int release_tick(void *unused)
{
	oob_tick_release();
	return 0;
}

/* Stages of threads. */

/*
 * In-band interrupt on CPU 0. The task is switched out for sure: in-band interrupts are held back until no
 * thread wants the CPU any more.
 */
static void return_inband(struct irq_work *work)
{
	dovetail_wake_inband(container_of(work, struct tiny_thread, return_work)->ctx.task);
}

/*
 * The current thread goes in-band. Out-of-band, hard off; in-band, hard on, on return. A kick is what brought
 * it here, or comes to nothing: signals are in-band's business again.
 */
static void come_inband(struct tiny_thread *t)
{
	irq_work_queue(&t->return_work);
	t->ready = false;
	schedule_oob();
	migrate_enable();
	WRITE_ONCE(t->kicked, false);
}

/*
 * The current thread goes out-of-band. In-band; out-of-band and hard off on success. The task may not move
 * while it is away, and this core has no other CPU.
 */
static int go_oob(struct tiny_thread *t)
{
	int ret = -EINVAL;

	migrate_disable();
	WRITE_ONCE(t->kicked, false);
	if (raw_smp_processor_id() == TINY_CPU)
		ret = dovetail_leave_inband();
	if (!ret)
		return 0;

	migrate_enable();
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

/* Sleep until @date, or until woken up; 0 or -EINTR. Out-of-band, hard off. */
static int wait_oob(struct tiny_thread *t, ktime_t date)
{
	if (READ_ONCE(t->kicked))
		return -EINTR;

	t->waiting = true;
	t->ready = false;
	t->date = date;
	program_tick();
	schedule_oob();

	return READ_ONCE(t->kicked) ? -EINTR : 0;
}

/* From any CPU and stage, in-band locks may be held. The rest is up to CPU 0. */
static void kick(struct tiny_thread *t)
{
	WRITE_ONCE(t->kicked, true);
	irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(TINY_CPU));
}

static irqreturn_t kick_handler(int irq, void *dev_id)
{
	if (READ_ONCE(worker.kicked))
		wake(&worker);
	if (READ_ONCE(user.kicked))
		wake(&user);

	return IRQ_HANDLED;
}

/* Hooks. */

static bool elsewhere(void)
{
	return raw_smp_processor_id() != TINY_CPU;
}

static void hook_irq_enter(void)
{
	if (!elsewhere())
		in_irq = true;
}

/* The one place where in-band, or a thread, is preempted. User mode is left for in-band here if need be. */
static void hook_irq_exit(struct pt_regs *regs)
{
	if (elsewhere())
		return;

	in_irq = false;
	schedule_oob();
	if (curr == &user && user_mode(regs) && READ_ONCE(user.kicked)) {
		stats.demotions++;
		come_inband(&user);
	}
}

/* A task has left in-band: from here on it is a thread of ours. */
static void hook_resume_oob_task(struct task_struct *p)
{
	struct tiny_thread *t = dovetail_task_state(p)->core_data;

	stats.errors += elsewhere() || t->ready;
	t->ready = true;
	schedule_oob();
}

/* Only user code may fault: the worker does not. */
static void hook_trap_entry(unsigned int trapnr, struct pt_regs *regs)
{
	stats.errors += curr != &user;
	stats.demotions++;
	come_inband(curr);
}

static long sys_wait(void)
{
	int ret;

	if (!worker_runs)
		return -EIDRM;

	ret = wait_oob(&user, KTIME_MAX);
	if (ret)
		return ret;

	return worker_runs ? stats.runs : -EIDRM;
}

static void set_result(struct pt_regs *regs, long ret)
{
	syscall_set_return_value(current, regs, ret < 0 ? ret : 0, ret);
}

static u32 call_nr(struct pt_regs *regs)
{
	return (u32)syscall_get_nr(current, regs);
}

/*
 * End of a call. Hard interrupts stay off until user mode: a kick which comes now is an interrupt there,
 * which hook_irq_exit() sees.
 */
static void leave_call(void)
{
	if (running_oob() && READ_ONCE(user.kicked)) {
		stats.demotions++;
		come_inband(&user);
	}
}

/* A call from the out-of-band stage. Hard on. */
static void hook_oob_syscall(struct pt_regs *regs)
{
	u32 nr = call_nr(regs) & ~TINY_SYSCALL_BIT;

	hard_local_irq_disable();
	stats.errors += curr != &user;
	if (nr == TINY_SYS_WAIT)
		set_result(regs, sys_wait());
	else
		set_result(regs, nr == TINY_SYS_STAGE ? 1 : -ENOSYS);
	leave_call();
}

/* A call of ours from in-band: the result is out, whatever the stage. */
static void serve_inband(struct pt_regs *regs)
{
	u32 nr = call_nr(regs) & ~TINY_SYSCALL_BIT;
	int ret;

	if (nr != TINY_SYS_WAIT) {
		set_result(regs, nr == TINY_SYS_STAGE ? 0 : -ENOSYS);
		return;
	}

	ret = go_oob(&user);
	if (ret) {
		set_result(regs, ret);
		return;
	}
	set_result(regs, sys_wait());
	leave_call();
}

/*
 * Regular calls are in-band's: bring the caller there. The others are ours if they come from the thread;
 * nonzero: served. The caller may be any task.
 */
static int hook_pipelined_syscall(bool caller_oob, struct pt_regs *regs)
{
	if (caller_oob) {
		hard_local_irq_disable();
		stats.demotions++;
		come_inband(&user);
		return 0;
	}

	if (READ_ONCE(user_task) != current || !(call_nr(regs) & TINY_SYSCALL_BIT))
		return 0;

	serve_inband(regs);

	return 1;
}

/* In-band, the current task. */
static void detach_user(void)
{
	dovetail_stop_altsched();
	WRITE_ONCE(user_task, NULL);
}

static void hook_inband_event(enum inband_event_type event, void *data)
{
	switch (event) {
	case INBAND_TASK_SIGNAL:
		kick(dovetail_task_state(data)->core_data);
		break;
	case INBAND_TASK_EXIT:
	case INBAND_TASK_EXEC:
		detach_user();
		break;
	default:
		/* A thread which migrates is in-band, and is looked at when it wants to leave. */
		break;
	}
}

static const struct dovetail_core_ops tiny_ops = {
	.name			= "tiny-core",
	.owner			= THIS_MODULE,
	.abi			= DOVETAIL_CORE_ABI,
	.irq_enter		= hook_irq_enter,
	.irq_exit		= hook_irq_exit,
	.resume_oob_task	= hook_resume_oob_task,
	.trap_entry		= hook_trap_entry,
	.oob_syscall		= hook_oob_syscall,
	.pipelined_syscall	= hook_pipelined_syscall,
	.inband_event		= hook_inband_event,
};

/* Threads. */

/* The current task may go out-of-band from now on, as @t. In-band. */
static void adopt(struct tiny_thread *t)
{
	dovetail_init_altsched(&t->ctx);
	init_irq_work(&t->return_work, return_inband);
	t->ready = t->waiting = t->kicked = false;
	t->date = KTIME_MAX;
	dovetail_current_state()->core_data = t;
	dovetail_start_altsched();
}

/* One period after the other, out-of-band and hard off but for what it works. */
static void work_periodically(void)
{
	ktime_t date = ktime_add_ns(ktime_get_mono_fast_ns(), TINY_PERIOD_NS);
	u64 late;

	worker_runs = true;
	while (!wait_oob(&worker, date)) {
		hard_local_irq_enable();
		/* Here it would do what it is for. */
		hard_local_irq_disable();
		stats.errors += running_inband() || elsewhere();
		stats.runs++;
		wake(&user);

		late = ktime_sub(ktime_get_mono_fast_ns(), date);
		stats.missed += late / TINY_PERIOD_NS;
		date = ktime_add_ns(date, (1 + late / TINY_PERIOD_NS) * TINY_PERIOD_NS);
	}
	worker_runs = false;
	wake(&user);
}

static int worker_main(void *started)
{
	adopt(&worker);
	complete(started);

	if (WARN_ON_ONCE(go_oob(&worker)))
		goto out;
	work_periodically();
	come_inband(&worker);
out:
	dovetail_stop_altsched();
	kthread_complete_and_exit(&worker_done, 0);
}

static int start_worker(void)
{
	DECLARE_COMPLETION_ONSTACK(started);
	struct task_struct *p;

	p = kthread_create_on_cpu(worker_main, &started, TINY_CPU, "tiny/%u");
	if (IS_ERR(p))
		return PTR_ERR(p);

	init_completion(&worker_done);
	wake_up_process(p);
	wait_for_completion(&started);

	return 0;
}

/* Device. Its file pins the module as well, and keeps it from going while the worker runs. */

static int tiny_open(struct inode *inode, struct file *filp)
{
	int ret;

	guard(mutex)(&tiny_mutex);
	if (opened)
		return -EBUSY;

	ret = start_worker();
	opened = !ret;

	return ret;
}

/* The kick may come before the worker has left in-band, which clears it: repeat. */
static int tiny_release(struct inode *inode, struct file *filp)
{
	guard(mutex)(&tiny_mutex);
	do
		kick(&worker);
	while (!wait_for_completion_timeout(&worker_done, HZ / 10));
	opened = false;

	return 0;
}

static long attach_user(void)
{
	guard(mutex)(&tiny_mutex);
	if (READ_ONCE(user_task))
		return -EBUSY;

	adopt(&user);
	WRITE_ONCE(user_task, current);

	return 0;
}

static long tiny_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case TINY_IOC_ATTACH:
		return attach_user();
	case TINY_IOC_DETACH:
		if (READ_ONCE(user_task) != current)
			return -EPERM;
		detach_user();
		return 0;
	case TINY_IOC_STATS:
		return copy_to_user((void __user *)arg, &stats, sizeof(stats)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations tiny_fops = {
	.owner		= THIS_MODULE,
	.open		= tiny_open,
	.release	= tiny_release,
	.unlocked_ioctl	= tiny_ioctl,
};

static struct miscdevice tiny_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "tiny-core",
	.fops	= &tiny_fops,
};

/* Registration first, for the hooks must be there when interrupts come; what user space sees last. */
static int __init tiny_init(void)
{
	int ret;

	dovetail_init_altsched(&inband.ctx);
	inband.date = worker.date = user.date = KTIME_MAX;

	ret = dovetail_register_core(&tiny_ops);
	if (ret)
		return ret;

	ret = __request_percpu_irq(RESCHEDULE_OOB_IPI, kick_handler, IRQF_OOB, "tiny-core", &ipi_cookie);
	if (ret)
		goto err_unregister;

	ret = smp_call_on_cpu(TINY_CPU, take_tick, NULL, false);
	if (ret)
		goto err_free_ipi;

	ret = misc_register(&tiny_device);
	if (ret)
		goto err_release_tick;

	return 0;

err_release_tick:
	smp_call_on_cpu(TINY_CPU, release_tick, NULL, false);
err_free_ipi:
	free_percpu_irq(RESCHEDULE_OOB_IPI, &ipi_cookie);
err_unregister:
	WARN_ON(dovetail_unregister_core(&tiny_ops));
	return ret;
}
module_init(tiny_init);

/* The mirror. Nobody is dovetailed: threads and files pin the module. */
static void __exit tiny_exit(void)
{
	misc_deregister(&tiny_device);
	smp_call_on_cpu(TINY_CPU, release_tick, NULL, false);
	free_percpu_irq(RESCHEDULE_OOB_IPI, &ipi_cookie);
	WARN_ON(dovetail_unregister_core(&tiny_ops));
}
module_exit(tiny_exit);

MODULE_DESCRIPTION("A companion core to learn from");
MODULE_LICENSE("GPL");
