// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to the core: out-of-band read, write and ioctl on files which have an out-of-band side.
 *
 * A caller which is in-band is looked at in-band first, so that a bad descriptor costs no switch, and one
 * which no hook has reported is entered; then it goes out-of-band. A caller which is out-of-band with a
 * descriptor we do not know comes in-band for the same purpose.
 *
 * The reference to the file is held over the operation, whatever stage it ends on, unless the operation says that
 * it needs no more.
 */
#include "syscall.h"
#include "evl-arch.h"
#include "file.h"
#include "thread.h"
#include "wait.h"

#include <evl/syscall-abi.h>
#include <evl/thread-abi.h>

struct request {
	u32		nr;
	unsigned long	args[6];
	bool		compat;
};

static struct evl_file *get_file_by_fd(unsigned int fd)
{
	struct evl_file *efilp = evl_get_file(fd);
	int ret;

	if (likely(efilp))
		return efilp;

	evl_switch_inband();
	ret = evl_mirror_fd(fd);

	return ret ? ERR_PTR(ret) : evl_get_file(fd) ?: ERR_PTR(-EBADF);
}

static long check_operation(const struct file *filp, const struct request *rq)
{
	const struct file_operations *fops = filp->f_op;

	switch (rq->nr) {
	case sys_evl_read:
		if (!(filp->f_mode & FMODE_READ))
			return -EBADF;
		return fops->oob_read ? 0 : -EINVAL;
	case sys_evl_write:
		if (!(filp->f_mode & FMODE_WRITE))
			return -EBADF;
		return fops->oob_write ? 0 : -EINVAL;
	default:
		return (rq->compat ? fops->compat_oob_ioctl : fops->oob_ioctl) ? 0 : -ENOTTY;
	}
}

static long call_operation(struct file *filp, const struct request *rq)
{
	const struct file_operations *fops = filp->f_op;
	const unsigned long *args = rq->args;

	switch (rq->nr) {
	case sys_evl_read:
		return fops->oob_read(filp, (char __user *)args[1], args[2]);
	case sys_evl_write:
		return fops->oob_write(filp, (const char __user *)args[1], args[2]);
	default:
		if (rq->compat)
			return fops->compat_oob_ioctl(filp, args[1], args[2]);
		return fops->oob_ioctl(filp, args[1], args[2]);
	}
}

/* Going in-band from in-band is the one request which promotes nobody. */
static bool wants_oob(const struct request *rq)
{
	return rq->nr != sys_evl_ioctl || (u32)rq->args[1] != EVL_THRIOC_SWITCH_INBAND;
}

static long serve_file(struct file *filp, const struct request *rq)
{
	long ret = check_operation(filp, rq);

	if (!ret && running_inband() && wants_oob(rq))
		ret = evl_switch_oob();

	return ret ?: call_operation(filp, rq);
}

/*
 * The current request does not need its file any more, which may then be closed without waiting for the request to
 * end. Either stage.
 */
void evl_end_file_use(struct evl_thread *curr)
{
	struct evl_file *efilp = curr->request_file;

	curr->request_file = NULL;
	if (efilp)
		evl_put_file(efilp);
}

static long serve(struct evl_thread *curr, const struct request *rq)
{
	struct evl_file *efilp;
	long ret;

	if (rq->nr >= NR_EVL_SYSCALLS)
		return -ENOSYS;

	if (!curr)
		return -EPERM;

	curr->stats.sc++;
	efilp = get_file_by_fd(rq->args[0]);
	if (IS_ERR(efilp))
		return PTR_ERR(efilp);

	curr->request_file = efilp;
	ret = serve_file(efilp->filp, rq);
	evl_end_file_use(curr);

	return ret;
}

/*
 * The end of a request out-of-band. A kick or a weak policy brings the caller in-band. Else hard interrupts
 * stay off until user mode: the IPI of a kick which comes from now on hits user code, where evl_irq_exit()
 * sees it.
 */
static void leave_request(struct evl_thread *curr)
{
	if (running_inband())
		return;

	hard_local_irq_disable();
	if (curr->info & EVL_I_KICKED)
		evl_take_kick(curr);
	else if (curr->state & EVL_T_WEAK && !curr->nr_held)
		evl_demote_current(EVL_HMDIAG_NONE);
}

static void handle(struct pt_regs *regs)
{
	struct evl_thread *curr = evl_current();
	struct request rq = {
		.nr = evl_arch_syscall_nr(regs) & ~EVL_SYSCALL_BIT,
		.compat = evl_arch_compat_call(),
	};

	evl_arch_syscall_args(regs, rq.args);
	evl_arch_set_result(regs, serve(curr, &rq));
	if (curr)
		leave_request(curr);
}

/* Hook: request from the out-of-band stage; hard on. */
void evl_oob_syscall(struct pt_regs *regs)
{
	handle(regs);
}

static bool is_known(unsigned int nr)
{
	return nr & EVL_SYSCALL_BIT && (nr & ~EVL_SYSCALL_BIT) < NR_EVL_SYSCALLS;
}

/*
 * Hook: a call which in-band has to serve, from the out-of-band stage; or a request from in-band. Numbers which
 * mean nothing are left to in-band, where -ENOSYS is the answer too, and debuggers get to see them.
 */
int evl_pipelined_syscall(bool caller_oob, struct pt_regs *regs)
{
	if (caller_oob) {
		evl_demote_current(EVL_HMDIAG_SYSDEMOTE);
		return 0;
	}

	if (!is_known(evl_arch_syscall_nr(regs)))
		return 0;

	handle(regs);

	return 1;
}
