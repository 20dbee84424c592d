// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core: loading and unloading.
 *
 * Loading goes from what nobody sees to what user space sees; unloading is the mirror. Nothing is in use
 * then: each thread and each open file pins the module, hence the steps need not evict anybody.
 */
#include "clock.h"
#include "compat.h"
#include "coremem.h"
#include "element.h"
#include "event.h"
#include "factory.h"
#include "file.h"
#include "monitor.h"
#include "params.h"
#include "sched.h"
#include "shm.h"
#include "syscall.h"
#include "thread.h"
#include "tick.h"

#include <linux/dovetail.h>
#include <linux/module.h>

static const struct dovetail_core_ops core_ops = {
	.name			= "evl",
	.owner			= THIS_MODULE,
	.abi			= EVL_DOVETAIL_REVISION,
	.irq_enter		= evl_irq_enter,
	.irq_exit		= evl_irq_exit,
	.resume_oob_task	= evl_resume_oob_task,
	.trap_entry		= evl_trap_entry,
	.oob_syscall		= evl_oob_syscall,
	.pipelined_syscall	= evl_pipelined_syscall,
	.inband_event		= evl_inband_event,
	.fd_install		= evl_fd_install,
	.fd_replace		= evl_fd_replace,
	.fd_uninstall		= evl_fd_uninstall,
};

static int register_core(void)
{
	int ret = dovetail_register_core(&core_ops);

	if (ret == -EBUSY)
		pr_err("another core is registered\n");
	if (!ret)
		evl_note_cookie(dovetail_core_cookie());

	return ret;
}

/* Cannot fail: the ticks and IPIs were released, and threads would have pinned the module. */
static void unregister_core(void)
{
	WARN_ON(dovetail_unregister_core(&core_ops));
}

struct step {
	const char	*what;
	int		(*init)(void);
	void		(*exit)(void);
};

static const struct step steps[] = {
	{ "heap",		evl_init_coremem,	evl_cleanup_coremem },
	{ "shared memory",	evl_init_shm,		evl_cleanup_shm },
	{ "descriptors",	evl_init_files,		evl_cleanup_files },
	{ "elements",		evl_init_elements,	evl_cleanup_elements },
	{ "clocks",		evl_init_clocks,	evl_cleanup_clocks },
	{ "run queues",		evl_init_sched,		evl_cleanup_sched },
	{ "registration",	register_core,		unregister_core },
	{ "IPIs",		evl_request_oob_ipis,	evl_free_oob_ipis },
	{ "ticks",		evl_enable_ticks,	evl_disable_ticks },
	{ "devices",		evl_init_factories,	evl_cleanup_factories },
	{ "built-in clocks",	evl_publish_clocks,	evl_hide_clocks },
};

static void undo_steps(int nr)
{
	while (nr-- > 0)
		steps[nr].exit();
}

static int __init evl_init(void)
{
	int n, ret;

	ret = evl_check_params();
	if (ret)
		return ret;

	evl_init_thread_limit();
	evl_init_monitor_limit();

	for (n = 0; n < ARRAY_SIZE(steps); n++) {
		ret = steps[n].init();
		if (ret) {
			pr_err("cannot start: %s (%d)\n", steps[n].what, ret);
			undo_steps(n);
			return ret;
		}
	}

	pr_info("core started on CPUs %*pbl\n", cpumask_pr_args(&evl_oob_cpus));

	return 0;
}
module_init(evl_init);

static void __exit evl_exit(void)
{
	undo_steps(ARRAY_SIZE(steps));
	pr_info("core stopped\n");
}
module_exit(evl_exit);

MODULE_DESCRIPTION("EVL real-time core");
MODULE_LICENSE("GPL");
