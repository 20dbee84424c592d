// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control device: what a process asks of the core as a whole, and a thread about itself.
 */
#include "control.h"
#include "params.h"
#include "sched.h"
#include "shm.h"
#include "thread.h"
#include "uaccess.h"
#include "wait.h"

#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>

#include <evl/control-abi.h>

static u64 core_features(void)
{
	u64 features = EVL_FEAT_RUNSTATS;

	if (evl_quota_period_ms)
		features |= EVL_FEAT_SCHED_QUOTA;
	if (evl_tp_partitions)
		features |= EVL_FEAT_SCHED_TP;
	if (evl_watchdog_s)
		features |= EVL_FEAT_WATCHDOG;
	if (IS_ENABLED(CONFIG_DEBUG_IRQ_PIPELINE))
		features |= EVL_FEAT_DEBUG;
	return features;
}

static long get_coreinfo(unsigned long arg)
{
	struct evl_core_info info = {
		.abi_base = EVL_ABI_BASE,
		.abi_current = EVL_ABI_LEVEL,
		.shm_size = evl_shm_size(),
		.features = core_features(),
	};

	return evl_copy_to_user((void __user *)arg, &info, sizeof(info));
}

static u32 cpu_state(unsigned int cpu)
{
	u32 state = 0;

	if (cpumask_test_cpu(cpu, &evl_oob_cpus))
		state |= EVL_CPU_OOB;
	if (!housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN))
		state |= EVL_CPU_ISOL;
	if (!cpu_online(cpu))
		state |= EVL_CPU_OFFLINE;

	return state;
}

static long get_cpustate(unsigned long arg)
{
	struct evl_cpu_state req;
	u32 state;
	int ret;

	ret = evl_copy_from_user(&req, (void __user *)arg, sizeof(req));
	if (ret)
		return ret;

	if (req.reserved || req.cpu >= nr_cpu_ids || !cpu_possible(req.cpu))
		return -EINVAL;

	state = cpu_state(req.cpu);

	return evl_copy_to_user(evl_uptr(req.state_ptr), &state, sizeof(state));
}

static long sched_control(unsigned long arg)
{
	struct evl_sched_ctlreq req;
	int ret;

	ret = evl_copy_from_user(&req, (void __user *)arg, sizeof(req));
	if (ret)
		return ret;

	if (req.reserved || (req.policy != SCHED_QUOTA && req.policy != SCHED_TP))
		return -EINVAL;

	if (!evl_find_sched_class(req.policy))
		return -EOPNOTSUPP;

	if (!evl_is_oob_cpu(req.cpu))
		return -EINVAL;

	if (req.policy == SCHED_QUOTA)
		return evl_control_quota(evl_cpu_rq(req.cpu), evl_uptr(req.param_ptr), evl_uptr(req.info_ptr));

	return evl_control_tp(evl_cpu_rq(req.cpu), evl_uptr(req.param_ptr), evl_uptr(req.info_ptr));
}

static long common_ioctl(unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_CTLIOC_GET_CPUSTATE:
		return get_cpustate(arg);
	case EVL_CTLIOC_SCHEDCTL:
		return sched_control(arg);
	default:
		return -ENOTTY;
	}
}

static long control_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_CTLIOC_GET_COREINFO:
		return get_coreinfo(arg);
	case EVL_THRIOC_DETACH_SELF:
		return evl_detach_current();
	default:
		return common_ioctl(cmd, arg);
	}
}

/* The caller is out-of-band, except for SWITCH_INBAND, and is attached. */
static long control_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_THRIOC_SWITCH_OOB:
		return evl_switch_oob();
	case EVL_THRIOC_SWITCH_INBAND:
		return evl_switch_inband();
	case EVL_THRIOC_YIELD:
		evl_yield();
		return 0;
	default:
		return common_ioctl(cmd, arg);
	}
}

static int control_mmap(struct file *filp, struct vm_area_struct *vma)
{
	return evl_map_shm(vma);
}

static int control_open(struct inode *inode, struct file *filp)
{
	struct evl_file *efilp = kzalloc(sizeof(*efilp), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!efilp)
		return -ENOMEM;

	ret = evl_open_file(efilp, filp);
	if (ret) {
		kfree(efilp);
		return ret;
	}

	filp->private_data = efilp;

	return stream_open(inode, filp);
}

static int control_release(struct inode *inode, struct file *filp)
{
	evl_release_file(filp->private_data);
	kfree(filp->private_data);

	return 0;
}

static const struct file_operations control_fops = {
	.owner			= THIS_MODULE,
	.open			= control_open,
	.release		= control_release,
	.unlocked_ioctl		= control_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.mmap			= control_mmap,
	.oob_ioctl		= control_oob_ioctl,
	.compat_oob_ioctl	= control_oob_ioctl,
};

static ssize_t cpus_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%*pbl\n", cpumask_pr_args(&evl_oob_cpus));
}
static DEVICE_ATTR_RO(cpus);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "running\n");
}
static DEVICE_ATTR_RO(state);

static ssize_t abi_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d %d\n", EVL_ABI_BASE, EVL_ABI_LEVEL);
}
static DEVICE_ATTR_RO(abi);

/* The words of what is built in, for those who check a configuration. */
static ssize_t features_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	ssize_t len = sysfs_emit(buf, "runstats");

	if (core_features() & EVL_FEAT_SCHED_QUOTA)
		len += sysfs_emit_at(buf, len, " sched_quota");
	if (core_features() & EVL_FEAT_SCHED_TP)
		len += sysfs_emit_at(buf, len, " sched_tp");
	if (core_features() & EVL_FEAT_WATCHDOG)
		len += sysfs_emit_at(buf, len, " watchdog");
	if (core_features() & EVL_FEAT_DEBUG)
		len += sysfs_emit_at(buf, len, " debug");

	return len + sysfs_emit_at(buf, len, "\n");
}
static DEVICE_ATTR_RO(features);

static struct attribute *control_attrs[] = {
	&dev_attr_cpus.attr,
	&dev_attr_state.attr,
	&dev_attr_abi.attr,
	&dev_attr_features.attr,
	NULL,
};
ATTRIBUTE_GROUPS(control);

struct evl_factory evl_control_factory = {
	.name	= "control",
	.fops	= &control_fops,
	.flags	= EVL_FACTORY_SINGLE,
	.attrs	= control_groups,
};
