// SPDX-License-Identifier: GPL-2.0-only
/*
 * Example of a driver with out-of-band operations, for the "edu" PCI device of QEMU. The interface is
 * <evl/devices/edu.h>; docs/driver-api.md tells about the calls used.
 *
 * An interrupt becomes an event in a queue, from which the user of the file reads. All of it happens
 * out-of-band, in the handler and in requests of threads of the core; opening, mapping, closing and the
 * device's coming and going are in-band business.
 *
 * Locks:	edu->lock, of the core, is taken by both stages and the handler. It covers edu->user, edu->gone, the
 *		registers, and what the file shares with the handler.
 *		edu_mutex, in-band, outside: which devices there are, who opens them.
 * Lifetime:	the device lives as long as it is bound or its file is open, by edu->kref. The file outlives the
 *		hardware: after edu_remove() requests find "gone" set, under the lock, and touch no register.
 */
#include <evl/driver.h>
#include <evl/devices/edu.h>

#include <linux/compat.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define REG_ID		0x00
#define REG_FACTORIAL	0x08
#define REG_STATUS	0x20
#define STATUS_COMPUTING	0x01
#define STATUS_INTERRUPT	0x80
#define REG_IRQ_STATUS	0x24
#define REG_IRQ_RAISE	0x60
#define REG_IRQ_ACK	0x64

struct edu_user;

struct edu {
	struct kref		kref;
	struct pci_dev		*pdev;
	void __iomem		*regs;
	int			irq;
	u32			id;
	struct miscdevice	misc;

	evl_spinlock_t		lock;
	bool			gone;
	struct edu_user		*user;		/* NULL: nobody has it open */
};

/* An open file. All but @edu, @efile and @page is covered by the lock of the device. */
struct edu_user {
	struct edu		*edu;
	struct evl_file		efile;
	struct evl_ksem		arrived;	/* as many units as events */
	struct evl_pollq	pollq;
	struct edu_page		*page;		/* mapped by the application */
	struct edu_event	events[EDU_MAX_EVENTS];
	unsigned int		first, nr;	/* of those queued */
	u32			serial;
};

static DEFINE_MUTEX(edu_mutex);

static void free_edu(struct kref *kref)
{
	kfree(container_of(kref, struct edu, kref));
}

/* Locked. The queue takes it, or it is lost; true in the former case. */
static bool queue_event(struct edu_user *user, const struct edu_event *ev)
{
	bool room = user->nr < EDU_MAX_EVENTS;

	if (room)
		user->events[(user->first + user->nr++) % EDU_MAX_EVENTS] = *ev;
	else
		user->page->lost++;

	user->page->date = ev->date;
	/* Whoever sees the number sees the rest. */
	smp_store_release(&user->page->serial, ++user->serial);

	return room;
}

/*
 * Context H, hard interrupts off. The semaphore and the poll queue wake up threads; holding the lock keeps
 * them from running on this CPU before it is dropped, but in an interrupt nothing runs before its end anyway.
 */
static irqreturn_t edu_handler(int irq, void *data)
{
	struct edu *edu = data;
	struct edu_event ev = { .date = ktime_to_ns(evl_ktime_monotonic()) };
	struct edu_user *user;

	evl_spin_lock(&edu->lock);

	ev.status = readl(edu->regs + REG_IRQ_STATUS);
	if (!ev.status) {
		evl_spin_unlock(&edu->lock);
		return IRQ_NONE;
	}
	if (ev.status & EDU_STATUS_DONE)
		ev.result = readl(edu->regs + REG_FACTORIAL);
	writel(ev.status, edu->regs + REG_IRQ_ACK);

	user = edu->user;
	if (user) {
		ev.serial = user->serial;
		if (queue_event(user, &ev)) {
			evl_up(&user->arrived);
			evl_poll_notify(&user->pollq, EPOLLIN | EPOLLRDNORM);
		}
	}

	evl_spin_unlock(&edu->lock);

	return IRQ_HANDLED;
}

/* The caller owns a unit of the semaphore, hence an event. */
static void take_event(struct edu_user *user, struct edu_event *ev)
{
	unsigned long flags;

	evl_spin_lock_irqsave(&user->edu->lock, flags);
	*ev = user->events[user->first];
	user->first = (user->first + 1) % EDU_MAX_EVENTS;
	user->nr--;
	evl_spin_unlock_irqrestore(&user->edu->lock, flags);
}

/* Waits for the next event; -EAGAIN, -EINTR, -ENODEV. */
static int next_event(struct edu_user *user, struct edu_event *ev, bool wait)
{
	int ret = READ_ONCE(user->edu->gone) ? -ENODEV : evl_trydown(&user->arrived);

	if (ret == -EAGAIN && wait)
		ret = evl_down(&user->arrived);
	if (ret == -EIDRM)
		ret = -ENODEV;
	if (!ret)
		take_event(user, ev);

	return ret;
}

/* User memory is touched without any lock: the copy may fault, which takes the caller in-band. */
static ssize_t edu_oob_read(struct file *filp, char __user *buf, size_t count)
{
	struct edu_user *user = filp->private_data;
	bool wait = !(filp->f_flags & O_NONBLOCK);
	struct edu_event ev;
	ssize_t done = 0;
	int ret;

	if (count < sizeof(ev))
		return -EINVAL;

	do {
		ret = next_event(user, &ev, wait && !done);
		if (!ret)
			ret = evl_copy_to_user(buf + done, &ev, sizeof(ev));
		if (ret)
			break;
		done += sizeof(ev);
	} while (count - done >= sizeof(ev));

	return done ?: ret;
}

static int start_computing(struct edu *edu, u32 n)
{
	if (readl(edu->regs + REG_STATUS) & STATUS_COMPUTING)
		return -EBUSY;

	writel(STATUS_INTERRUPT, edu->regs + REG_STATUS);
	writel(n, edu->regs + REG_FACTORIAL);

	return 0;
}

static int raise_by_hand(struct edu *edu, u32 bits)
{
	if (!bits || bits & ~EDU_STATUS_RAISE)
		return -EINVAL;

	writel(bits, edu->regs + REG_IRQ_RAISE);

	return 0;
}

static long edu_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct edu_user *user = filp->private_data;
	struct edu *edu = user->edu;
	unsigned long flags;
	u32 word;
	int ret;

	if (cmd != EDU_OOBIOC_START && cmd != EDU_OOBIOC_RAISE)
		return -ENOTTY;

	ret = evl_copy_from_user(&word, (void __user *)arg, sizeof(word));
	if (ret)
		return ret;

	evl_spin_lock_irqsave(&edu->lock, flags);
	if (edu->gone)
		ret = -ENODEV;
	else if (cmd == EDU_OOBIOC_START)
		ret = start_computing(edu, word);
	else
		ret = raise_by_hand(edu, word);
	evl_spin_unlock_irqrestore(&edu->lock, flags);

	return ret;
}

#ifdef CONFIG_COMPAT
static long edu_compat_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return edu_oob_ioctl(filp, cmd, (unsigned long)compat_ptr(arg));
}
#endif

/* Registering comes first: what arrives after the look is notified. */
static __poll_t edu_oob_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct edu_user *user = filp->private_data;

	evl_poll_register(&user->pollq, wait);
	if (READ_ONCE(user->edu->gone))
		return EPOLLERR | EPOLLHUP;

	return READ_ONCE(user->nr) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long edu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct edu_user *user = filp->private_data;
	struct edu_info info = { .id = user->edu->id };

	if (cmd != EDU_IOC_INFO)
		return -ENOTTY;

	guard(mutex)(&edu_mutex);
	if (user->edu->gone)
		return -ENODEV;
	info.cpu = cpumask_first(irq_get_effective_affinity_mask(user->edu->irq));

	return copy_to_user((void __user *)arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* The page belongs to the mapping as much as to the file: it may outlive the latter. */
static int edu_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct edu_user *user = filp->private_data;

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	vm_flags_clear(vma, VM_MAYWRITE);

	return vm_insert_page(vma, vma->vm_start, virt_to_page(user->page));
}

static struct edu_user *make_user(struct edu *edu)
{
	struct edu_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (!user)
		return NULL;

	user->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!user->page) {
		kfree(user);
		return NULL;
	}

	user->edu = edu;
	kref_get(&edu->kref);
	evl_init_ksem(&user->arrived, 0);
	evl_init_pollq(&user->pollq);

	return user;
}

static void free_user(struct edu_user *user)
{
	put_page(virt_to_page(user->page));
	kref_put(&user->edu->kref, free_edu);
	kfree(user);
}

static void set_user(struct edu *edu, struct edu_user *user)
{
	unsigned long flags;

	evl_spin_lock_irqsave(&edu->lock, flags);
	edu->user = user;
	evl_spin_unlock_irqrestore(&edu->lock, flags);
}

/* The open file keeps the module, hence the core, by the owner of its operations. */
static int edu_open(struct inode *inode, struct file *filp)
{
	struct edu *edu = container_of(filp->private_data, struct edu, misc);
	struct edu_user *user;
	int ret;

	guard(mutex)(&edu_mutex);
	if (edu->gone)
		return -ENODEV;
	if (edu->user)
		return -EBUSY;

	user = make_user(edu);
	if (!user)
		return -ENOMEM;

	ret = evl_open_file(&user->efile, filp);
	if (ret) {
		free_user(user);
		return ret;
	}
	filp->private_data = user;
	set_user(edu, user);

	return stream_open(inode, filp);
}

/* Those who sleep leave, and nobody can go to sleep any more. */
static void evict(struct edu_user *user)
{
	evl_destroy_ksem(&user->arrived);
	evl_poll_drop(&user->pollq);
}

/* No handler knows the file any more; evict those who sleep; wait for requests to end; free. In this order. */
static int edu_release(struct inode *inode, struct file *filp)
{
	struct edu_user *user = filp->private_data;

	scoped_guard(mutex, &edu_mutex)
		set_user(user->edu, NULL);
	evict(user);
	evl_release_file(&user->efile);
	free_user(user);

	return 0;
}

static const struct file_operations edu_fops = {
	.owner			= THIS_MODULE,
	.open			= edu_open,
	.release		= edu_release,
	.mmap			= edu_mmap,
	.unlocked_ioctl		= edu_ioctl,
	.oob_read		= edu_oob_read,
	.oob_ioctl		= edu_oob_ioctl,
	.oob_poll		= edu_oob_poll,
#ifdef CONFIG_COMPAT
	.compat_ioctl		= compat_ptr_ioctl,
	.compat_oob_ioctl	= edu_compat_oob_ioctl,
#endif
};

static int enable_device(struct edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	int ret;

	ret = pci_enable_device(pdev);
	if (ret)
		return ret;

	/* Message interrupts are writes of the device. */
	pci_set_master(pdev);
	edu->regs = pci_iomap(pdev, 0, 0);
	if (!edu->regs) {
		ret = -ENOMEM;
		goto err_disable;
	}

	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
	if (ret < 0)
		goto err_unmap;
	edu->irq = pci_irq_vector(pdev, 0);
	edu->id = readl(edu->regs + REG_ID);
	writel(0, edu->regs + REG_STATUS);

	return 0;

err_unmap:
	pci_iounmap(pdev, edu->regs);
err_disable:
	pci_disable_device(pdev);
	return ret;
}

static void disable_device(struct edu *edu)
{
	pci_free_irq_vectors(edu->pdev);
	pci_iounmap(edu->pdev, edu->regs);
	pci_disable_device(edu->pdev);
}

/* From here on the handler may run. It does so on a CPU of the core, next to the threads it wakes up. */
static int request_interrupt(struct edu *edu)
{
	int ret = request_irq(edu->irq, edu_handler, IRQF_OOB, "evl-edu", edu);

	if (ret)
		return ret;

	ret = irq_set_affinity(edu->irq, cpumask_of(cpumask_first(&evl_oob_cpus)));
	if (ret)
		free_irq(edu->irq, edu);

	return ret;
}

static struct edu *make_edu(struct pci_dev *pdev)
{
	struct edu *edu = kzalloc(sizeof(*edu), GFP_KERNEL);

	if (!edu)
		return NULL;

	kref_init(&edu->kref);
	evl_spin_lock_init(&edu->lock);
	edu->pdev = pdev;
	edu->misc = (struct miscdevice) {
		.minor	= MISC_DYNAMIC_MINOR,
		.name	= "evl-edu",
		.fops	= &edu_fops,
	};

	return edu;
}

/* A second device is refused, with -EEXIST: the name is taken. */
static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu = make_edu(pdev);
	int ret;

	if (!edu)
		return -ENOMEM;

	ret = enable_device(edu);
	if (ret)
		goto err_free;

	ret = request_interrupt(edu);
	if (ret)
		goto err_disable;

	ret = misc_register(&edu->misc);
	if (ret)
		goto err_free_irq;

	pci_set_drvdata(pdev, edu);

	return 0;

err_free_irq:
	free_irq(edu->irq, edu);
err_disable:
	disable_device(edu);
err_free:
	kref_put(&edu->kref, free_edu);
	return ret;
}

static void mark_gone(struct edu *edu)
{
	unsigned long flags;

	evl_spin_lock_irqsave(&edu->lock, flags);
	edu->gone = true;
	evl_spin_unlock_irqrestore(&edu->lock, flags);
}

/*
 * The device goes while its file may be open. First nobody can open it, then no request finds it, then no
 * interrupt comes, at last its registers go. The mutex keeps release() from freeing the user under us.
 */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	misc_deregister(&edu->misc);
	scoped_guard(mutex, &edu_mutex) {
		mark_gone(edu);
		if (edu->user)
			evict(edu->user);
	}
	free_irq(edu->irq, edu);
	disable_device(edu);
	kref_put(&edu->kref, free_edu);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name		= "evl-edu",
	.id_table	= edu_ids,
	.probe		= edu_probe,
	.remove		= edu_remove,
};

module_pci_driver(edu_driver);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Example driver: the edu device of QEMU, out-of-band");
