// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel threads of the core.
 *
 * kthread_lock covers evl_kthread.thread, which is NULL before the thread exists and after it has detached:
 * who wants to act on the thread takes a reference to it under the lock. The descriptor is memory of the
 * caller; the last thing the thread does with it is complete(), from kernel text, so that neither it nor
 * the caller's module is needed any more when evl_stop_kthread() returns.
 */
#include "kthread.h"
#include "factory.h"

#include <linux/kthread.h>
#include <linux/slab.h>

#define STOP_WARNING	(30 * HZ)

static DEFINE_HARD_SPINLOCK(kthread_lock);

static void set_thread(struct evl_kthread *kthread, struct evl_thread *thread)
{
	guard(hard_spinlock_irqsave)(&kthread_lock);
	kthread->thread = thread;
}

static struct evl_thread *get_thread(struct evl_kthread *kthread)
{
	struct evl_thread *thread;

	guard(hard_spinlock_irqsave)(&kthread_lock);
	thread = kthread->thread;
	if (thread)
		evl_get_element(&thread->element);

	return thread;
}

/* The current thread ends. Either stage; no return. */
static void __noreturn finish_kthread(struct evl_kthread *kthread)
{
	evl_switch_inband();
	set_thread(kthread, NULL);
	evl_detach_current();
	kthread_complete_and_exit(&kthread->exited, 0);
}

/*
 * The current thread is being killed, by a fault of its function: the task exits without coming back to us. Nobody may
 * find it any more, or wait for it.
 */
void evl_lose_kthread(void)
{
	struct evl_kthread *kthread = evl_current_kthread();

	if (kthread) {
		set_thread(kthread, NULL);
		complete_all(&kthread->exited);
	}
}

static int kthread_main(void *data)
{
	struct evl_kthread *kthread = data;
	int ret;

	evl_bind_current(kthread->thread);
	kthread->status = 0;
	complete(&kthread->started);

	/* Only the loss of the CPU may be in the way, since kernel threads take no signals. */
	ret = evl_switch_oob();
	if (!WARN_ONCE(ret, "evl: kernel thread cannot go out-of-band (%d)\n", ret))
		kthread->threadfn(kthread->arg);

	finish_kthread(kthread);
}

static int pick_cpu(int cpu)
{
	if (cpu == EVL_KTHREAD_ANYCPU)
		return evl_timer_cpu(NULL);

	if (!evl_is_oob_cpu(cpu) || !cpu_online(cpu))
		return -EINVAL;

	return cpu;
}

static struct evl_thread *make_kernel_thread(const char *name, int cpu, int priority, int clone_flags)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = priority };
	struct evl_thread *thread;
	int ret;

	thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	if (!thread)
		return ERR_PTR(-ENOMEM);

	ret = evl_init_thread(thread, name, clone_flags, &attrs, cpu, 0);
	if (ret) {
		kfree(thread);
		return ERR_PTR(ret);
	}

	ret = evl_publish_element(&thread->element);
	if (ret) {
		evl_cancel_thread(thread);
		return ERR_PTR(ret);
	}

	return thread;
}

static int spawn(struct evl_kthread *kthread, const char *name, int cpu)
{
	struct task_struct *p;

	p = kthread_create_on_node(kthread_main, kthread, cpu_to_node(cpu), "%s", name);
	if (IS_ERR(p))
		return PTR_ERR(p);

	kthread_bind(p, cpu);
	wake_up_process(p);
	wait_for_completion(&kthread->started);

	return kthread->status;
}

static int run_kthread(struct evl_kthread *kthread, int cpu, int priority, int clone_flags, const char *name)
{
	struct evl_thread *thread;
	int ret;

	thread = make_kernel_thread(name, cpu, priority, clone_flags);
	if (IS_ERR(thread))
		return PTR_ERR(thread);

	thread->kthread = kthread;
	set_thread(kthread, thread);
	ret = spawn(kthread, name, cpu);
	if (ret) {
		set_thread(kthread, NULL);
		evl_put_element(&thread->element);
	}

	return ret;
}

/**
 * __evl_run_kthread - start a kernel thread of the core
 * @kthread: descriptor, memory of the caller until the thread has exited
 * @cpu: where to run it, EVL_KTHREAD_ANYCPU: the caller's CPU if the core runs there, else its first one
 * @threadfn: what to run; its first instruction is out-of-band
 * @arg: passed to @threadfn
 * @priority: 1 to 99, SCHED_FIFO
 * @clone_flags: EVL_CLONE_PUBLIC or EVL_CLONE_PRIVATE
 * @fmt: name
 *
 * In-band, able to sleep. On return the thread is attached. 0, -EINVAL, -EEXIST, -ENAMETOOLONG, -ENOMEM,
 * -EAGAIN: too many threads.
 */
int __evl_run_kthread(struct evl_kthread *kthread, int cpu, void (*threadfn)(void *arg), void *arg,
		      int priority, int clone_flags, const char *fmt, ...)
{
	va_list ap;
	char *name;
	int ret;

	if (priority < EVL_MIN_PRIO || priority > EVL_MAX_PRIO || clone_flags & ~EVL_CLONE_PUBLIC)
		return -EINVAL;

	cpu = pick_cpu(cpu);
	if (cpu < 0)
		return cpu;

	va_start(ap, fmt);
	name = kvasprintf(GFP_KERNEL, fmt, ap);
	va_end(ap);
	if (!name)
		return -ENOMEM;

	kthread->thread = NULL;
	kthread->threadfn = threadfn;
	kthread->arg = arg;
	init_completion(&kthread->started);
	init_completion(&kthread->exited);
	ret = run_kthread(kthread, cpu, priority, clone_flags, name);
	kfree(name);

	return ret;
}
EVL_EXPORT(__evl_run_kthread);

static void wait_for_exit(struct evl_kthread *kthread)
{
	while (!wait_for_completion_timeout(&kthread->exited, STOP_WARNING))
		pr_warn("%s/%d: still waiting for a kernel thread to stop\n",
			current->comm, task_pid_nr(current));

	/* Whoever asks later is to find it exited as well. */
	complete_all(&kthread->exited);
}

/**
 * evl_stop_kthread - have a kernel thread exit, and wait until it has
 * @kthread: its descriptor
 *
 * In-band, able to sleep; from a core kernel thread out-of-band, which is in-band meanwhile. The blocking
 * calls of the target return -EINTR from now on. Called on the current thread, it does not return.
 */
void evl_stop_kthread(struct evl_kthread *kthread)
{
	bool was_oob = running_oob();
	struct evl_thread *thread;

	if (evl_current_kthread() == kthread)
		finish_kthread(kthread);

	thread = get_thread(kthread);
	if (thread) {
		evl_kick_thread(thread, EVL_I_STOPPED);
		evl_put_element(&thread->element);
	}

	if (was_oob)
		evl_switch_inband();
	wait_for_exit(kthread);
	if (was_oob)
		evl_switch_oob();
}
EVL_EXPORT(evl_stop_kthread);

/** evl_kthread_should_stop - has evl_stop_kthread() been called on the current core kernel thread? */
bool evl_kthread_should_stop(void)
{
	struct evl_thread *curr = evl_current();

	return curr && READ_ONCE(curr->info) & EVL_I_STOPPED;
}
EVL_EXPORT(evl_kthread_should_stop);

/**
 * evl_set_kthread_priority - change the priority of a kernel thread
 * @kthread: its descriptor
 * @priority: 1 to 99
 *
 * In-band, or out-of-band thread. 0 or -EINVAL.
 */
int evl_set_kthread_priority(struct evl_kthread *kthread, int priority)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = priority };
	struct evl_thread *thread = get_thread(kthread);
	int ret;

	if (!thread)
		return -EINVAL;

	ret = evl_set_sched_attrs(thread, &attrs);
	evl_put_element(&thread->element);

	return ret;
}
EVL_EXPORT(evl_set_kthread_priority);

/** evl_current_kthread - descriptor of the current core kernel thread, NULL in any other one; any context */
struct evl_kthread *evl_current_kthread(void)
{
	struct evl_thread *curr = evl_current();

	return curr ? curr->kthread : NULL;
}
EVL_EXPORT(evl_current_kthread);
