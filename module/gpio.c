// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPIO lines out-of-band: wait for edges, set and read lines. A device /dev/evl-gpiochipN for each chip whose
 * driver added it takes the line requests of <linux/gpio.h>, version 1, with the flag of <evl/devices/gpio.h>.
 *
 * Locks:	chip_mutex, in-band, outside: which lines of which chip are requested; their coming and going.
 *		chip->lock, of the core: "gone" with the calls of get() and set(); the events of its lines.
 * Lifetime:	a chip lives as long as it is added, or a file of it or of its lines is open, by its kref.
 *		Files outlive the chip: after evl_remove_gpio_chip() requests find "gone" set, and touch no
 *		hardware.
 */
#include "gpio.h"
#include "compat.h"
#include "clock.h"
#include "file.h"
#include "lock.h"
#include "poll.h"
#include "sem.h"
#include "uaccess.h"

#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/gpio/consumer.h>
#include <linux/gpio/driver.h>
#include <linux/gpio/machine.h>
#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <uapi/linux/gpio.h>
#include <uapi/evl/devices/gpio.h>

#define NR_EVENTS	16

#define INPUT_FLAGS	(GPIOHANDLE_REQUEST_INPUT | GPIOHANDLE_REQUEST_OOB)
#define OUTPUT_FLAGS	(GPIOHANDLE_REQUEST_OUTPUT | GPIOHANDLE_REQUEST_OOB)

struct evl_gpio_chip {
	struct kref		kref;
	struct gpio_chip	*gc;		/* not to be followed once "gone" */
	struct miscdevice	misc;
	char			name[32];
	struct list_head	lines;		/* chip_mutex */
	evl_spinlock_t		lock;
	bool			gone;		/* written under both locks */
};

/* An open file: lines to set and read, or one whose edges are awaited. */
struct gpio_lines {
	struct evl_file		efile;
	struct evl_gpio_chip	*chip;
	struct list_head	next;		/* chip_mutex */
	unsigned int		nr;
	bool			output;
	struct gpio_desc	*descs[GPIOHANDLES_MAX];	/* chip_mutex; NULL: given back */
	unsigned int		offsets[GPIOHANDLES_MAX];
	char			label[GPIO_MAX_NAME_SIZE];

	int			irq;		/* chip_mutex; 0: none */
	u32			edges;
	struct evl_ksem		arrived;	/* as many units as events */
	struct evl_pollq	pollq;
	struct gpioevent_data	events[NR_EVENTS];	/* chip->lock, as the next one */
	unsigned int		first, queued;
};

static DEFINE_MUTEX(chip_mutex);

static void free_chip(struct kref *kref)
{
	kfree(container_of(kref, struct evl_gpio_chip, kref));
}

/* When the ring is full, what comes is dropped. True: there is one more. */
static bool queue_event(struct gpio_lines *l, u64 date, u32 id)
{
	if (l->queued == NR_EVENTS)
		return false;
	l->events[(l->first + l->queued) % NR_EVENTS] = (struct gpioevent_data) { .timestamp = date, .id = id };
	l->queued++;

	return true;
}

/* Both edges are told apart by the level; a driver that offers one edge only knows which it was. */
static u32 edge_of(const struct gpio_lines *l)
{
	struct gpio_chip *gc = l->chip->gc;

	if (l->edges == GPIOEVENT_REQUEST_RISING_EDGE)
		return GPIOEVENT_EVENT_RISING_EDGE;
	if (l->edges == GPIOEVENT_REQUEST_FALLING_EDGE)
		return GPIOEVENT_EVENT_FALLING_EDGE;

	return gc->get(gc, l->offsets[0]) ? GPIOEVENT_EVENT_RISING_EDGE : GPIOEVENT_EVENT_FALLING_EDGE;
}

/* Context H. The interrupt is freed before the chip goes. */
static irqreturn_t edge_handler(int irq, void *data)
{
	u64 date = ktime_to_ns(evl_ktime_monotonic());
	struct gpio_lines *l = data;

	bool queued;

	evl_spin_lock(&l->chip->lock);
	queued = queue_event(l, date, edge_of(l));
	evl_spin_unlock(&l->chip->lock);
	if (queued) {
		evl_up(&l->arrived);
		evl_poll_notify(&l->pollq, EPOLLIN | EPOLLRDNORM);
	}

	return IRQ_HANDLED;
}

/* The caller owns a unit of the semaphore, hence an event. */
static void take_event(struct gpio_lines *l, struct gpioevent_data *ev)
{
	unsigned long flags;

	evl_spin_lock_irqsave(&l->chip->lock, flags);
	*ev = l->events[l->first];
	l->first = (l->first + 1) % NR_EVENTS;
	l->queued--;
	evl_spin_unlock_irqrestore(&l->chip->lock, flags);
}

static ssize_t event_oob_read(struct file *filp, char __user *buf, size_t count)
{
	struct gpio_lines *l = filp->private_data;
	struct gpioevent_data ev;
	int ret;

	if (count < sizeof(ev))
		return -EINVAL;

	ret = filp->f_flags & O_NONBLOCK ? evl_trydown(&l->arrived) : evl_down(&l->arrived);
	if (ret)
		return ret == -EIDRM ? -ENODEV : ret;
	take_event(l, &ev);
	ret = evl_copy_to_user(buf, &ev, sizeof(ev));

	return ret ?: sizeof(ev);
}

static __poll_t event_oob_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct gpio_lines *l = filp->private_data;

	evl_poll_register(&l->pollq, wait);
	if (READ_ONCE(l->chip->gone))
		return EPOLLERR | EPOLLHUP;

	return READ_ONCE(l->queued) ? EPOLLIN | EPOLLRDNORM : 0;
}

/* Edges are for the other stage. */
static ssize_t event_read(struct file *filp, char __user *buf, size_t count, loff_t *pos)
{
	return -EPERM;
}

static __poll_t event_poll(struct file *filp, struct poll_table_struct *wait)
{
	return EPOLLERR;
}

static int set_values(struct gpio_lines *l, const struct gpiohandle_data *data)
{
	struct gpio_chip *gc = l->chip->gc;
	unsigned long flags;
	unsigned int n;
	int ret = 0;

	if (!l->output)
		return -EPERM;

	evl_spin_lock_irqsave(&l->chip->lock, flags);
	if (l->chip->gone)
		ret = -ENODEV;
	for (n = 0; !ret && n < l->nr; n++)
		gc->set(gc, l->offsets[n], !!data->values[n]);
	evl_spin_unlock_irqrestore(&l->chip->lock, flags);

	return ret;
}

static int get_values(struct gpio_lines *l, struct gpiohandle_data *data)
{
	struct gpio_chip *gc = l->chip->gc;
	unsigned long flags;
	unsigned int n;
	int ret = 0;

	evl_spin_lock_irqsave(&l->chip->lock, flags);
	if (l->chip->gone)
		ret = -ENODEV;
	for (n = 0; ret >= 0 && n < l->nr; n++) {
		ret = gc->get(gc, l->offsets[n]);
		data->values[n] = ret > 0;
	}
	evl_spin_unlock_irqrestore(&l->chip->lock, flags);

	return ret < 0 ? ret : 0;
}

/* Either stage. */
static long lines_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *u_data = (void __user *)arg;
	struct gpio_lines *l = filp->private_data;
	struct gpiohandle_data data = { };
	int ret;

	switch (cmd) {
	case GPIOHANDLE_SET_LINE_VALUES_IOCTL:
		ret = evl_copy_from_user(&data, u_data, sizeof(data));
		return ret ?: set_values(l, &data);
	case GPIOHANDLE_GET_LINE_VALUES_IOCTL:
		ret = get_values(l, &data);
		return ret ?: evl_copy_to_user(u_data, &data, sizeof(data));
	default:
		return -ENOTTY;
	}
}

/* chip_mutex held. The handler has run for the last time when it returns. */
static void give_back(struct gpio_lines *l)
{
	unsigned int n;

	if (l->irq)
		free_irq(l->irq, l);
	l->irq = 0;
	for (n = 0; n < l->nr; n++)
		if (l->descs[n])
			gpiochip_free_own_desc(l->descs[n]);
	memset(l->descs, 0, sizeof(l->descs));
}

/* Those who sleep leave, and nobody can go to sleep any more. */
static void evict(struct gpio_lines *l)
{
	evl_destroy_ksem(&l->arrived);
	evl_poll_drop(&l->pollq);
}

static void free_lines(struct gpio_lines *l)
{
	kref_put(&l->chip->kref, free_chip);
	kfree(l);
}

static int lines_release(struct inode *inode, struct file *filp)
{
	struct gpio_lines *l = filp->private_data;

	scoped_guard(mutex, &chip_mutex) {
		give_back(l);
		list_del_init(&l->next);
	}
	evict(l);
	evl_release_file(&l->efile);
	free_lines(l);

	return 0;
}

#ifdef CONFIG_COMPAT
static long lines_compat_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return lines_ioctl(filp, cmd, (unsigned long)compat_ptr(arg));
}
#define COMPAT_LINES_OPS					\
	.compat_ioctl		= compat_ptr_ioctl,		\
	.compat_oob_ioctl	= lines_compat_oob_ioctl,
#else
#define COMPAT_LINES_OPS
#endif

static const struct file_operations handle_fops = {
	.owner		= THIS_MODULE,
	.release	= lines_release,
	.unlocked_ioctl	= lines_ioctl,
	.oob_ioctl	= lines_ioctl,
	COMPAT_LINES_OPS
};

static const struct file_operations event_fops = {
	.owner		= THIS_MODULE,
	.release	= lines_release,
	.read		= event_read,
	.poll		= event_poll,
	.unlocked_ioctl	= lines_ioctl,
	.oob_read	= event_oob_read,
	.oob_poll	= event_oob_poll,
	.oob_ioctl	= lines_ioctl,
	COMPAT_LINES_OPS
};

static struct gpio_lines *make_lines(struct evl_gpio_chip *chip, const char *label, unsigned int nr)
{
	struct gpio_lines *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	INIT_LIST_HEAD(&l->next);
	l->chip = chip;
	l->nr = nr;
	strscpy(l->label, label[0] ? label : "?", sizeof(l->label));
	kref_get(&chip->kref);
	evl_init_ksem(&l->arrived, 0);
	evl_init_pollq(&l->pollq);

	return l;
}

/* chip_mutex held; what was got before an error is the caller's to give back. */
static int request_line(struct gpio_lines *l, unsigned int n, u32 offset, enum gpiod_flags flags)
{
	struct gpio_chip *gc = l->chip->gc;
	struct gpio_desc *desc;

	if (offset >= gc->ngpio)
		return -EINVAL;
	desc = gpiochip_request_own_desc(gc, offset, l->label, GPIO_LOOKUP_FLAGS_DEFAULT, flags);
	if (IS_ERR(desc))
		return PTR_ERR(desc);
	l->descs[n] = desc;
	l->offsets[n] = offset;

	return 0;
}

/* chip_mutex held. The handler runs on a CPU of the core, next to the threads it wakes up. */
static int request_edges(struct gpio_lines *l)
{
	unsigned long flags = IRQF_OOB;
	int irq, ret;

	irq = gpiod_to_irq(l->descs[0]);
	if (irq <= 0)
		return irq ?: -ENXIO;
	if (l->edges & GPIOEVENT_REQUEST_RISING_EDGE)
		flags |= IRQF_TRIGGER_RISING;
	if (l->edges & GPIOEVENT_REQUEST_FALLING_EDGE)
		flags |= IRQF_TRIGGER_FALLING;
	ret = request_irq(irq, edge_handler, flags, l->label, l);
	if (!ret)
		l->irq = irq;

	return ret;
}

static void drop_lines(struct gpio_lines *l)
{
	give_back(l);
	evict(l);
	free_lines(l);
}

/*
 * chip_mutex held. A descriptor of lines requested before, which the user is told before it is installed, so
 * that nothing is left to undo. Once there is a file the lines are its own: its release, which fput() leaves
 * for later, takes the mutex.
 */
static int publish(struct gpio_lines *l, const struct file_operations *fops, s32 __user *u_fd)
{
	int fd = get_unused_fd_flags(O_CLOEXEC), ret = fd < 0 ? fd : put_user(fd, u_fd);
	struct file *filp = ret ? ERR_PTR(ret) : anon_inode_getfile("[evl-gpio]", fops, l, O_RDWR);

	if (IS_ERR(filp)) {
		ret = PTR_ERR(filp);
		drop_lines(l);
		goto err_fd;
	}
	ret = evl_open_file(&l->efile, filp);
	if (ret) {
		fput(filp);
		goto err_fd;
	}
	list_add(&l->next, &l->chip->lines);
	fd_install(fd, filp);

	return 0;

err_fd:
	if (fd >= 0)
		put_unused_fd(fd);
	return ret;
}

static int finish_request(struct gpio_lines *l, int ret, const struct file_operations *fops, s32 __user *u_fd)
{
	if (!ret)
		return publish(l, fops, u_fd);
	drop_lines(l);

	return ret;
}

static long request_event(struct evl_gpio_chip *chip, struct gpioevent_request __user *u_req)
{
	struct gpioevent_request req;
	struct gpio_lines *l;
	int ret;

	if (copy_from_user(&req, u_req, sizeof(req)))
		return -EFAULT;
	if (req.handleflags != INPUT_FLAGS ||
	    !req.eventflags || req.eventflags & ~GPIOEVENT_REQUEST_BOTH_EDGES)
		return -EINVAL;
	req.consumer_label[sizeof(req.consumer_label) - 1] = '\0';
	l = make_lines(chip, req.consumer_label, 1);
	if (!l)
		return -ENOMEM;

	l->edges = req.eventflags;
	ret = request_line(l, 0, req.lineoffset, GPIOD_IN);
	if (!ret)
		ret = request_edges(l);

	return finish_request(l, ret, &event_fops, &u_req->fd);
}

static long request_handle(struct evl_gpio_chip *chip, struct gpiohandle_request __user *u_req)
{
	struct gpiohandle_request req;
	struct gpio_lines *l;
	unsigned int n;
	int ret = 0;

	if (copy_from_user(&req, u_req, sizeof(req)))
		return -EFAULT;
	if ((req.flags != INPUT_FLAGS && req.flags != OUTPUT_FLAGS) ||
	    !req.lines || req.lines > GPIOHANDLES_MAX)
		return -EINVAL;
	req.consumer_label[sizeof(req.consumer_label) - 1] = '\0';
	l = make_lines(chip, req.consumer_label, req.lines);
	if (!l)
		return -ENOMEM;

	l->output = req.flags == OUTPUT_FLAGS;
	for (n = 0; !ret && n < l->nr; n++)
		ret = request_line(l, n, req.lineoffsets[n], !l->output ? GPIOD_IN :
				   req.default_values[n] ? GPIOD_OUT_HIGH : GPIOD_OUT_LOW);

	return finish_request(l, ret, &handle_fops, &u_req->fd);
}

static long chip_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_gpio_chip *chip = filp->private_data;
	void __user *u_arg = (void __user *)arg;

	guard(mutex)(&chip_mutex);
	if (chip->gone)
		return -ENODEV;

	switch (cmd) {
	case GPIO_GET_LINEEVENT_IOCTL:
		return request_event(chip, u_arg);
	case GPIO_GET_LINEHANDLE_IOCTL:
		return request_handle(chip, u_arg);
	default:
		return -ENOTTY;
	}
}

/* misc_open() holds its mutex, so that the chip is still added. */
static int chip_open(struct inode *inode, struct file *filp)
{
	struct evl_gpio_chip *chip = container_of(filp->private_data, struct evl_gpio_chip, misc);

	kref_get(&chip->kref);
	filp->private_data = chip;

	return nonseekable_open(inode, filp);
}

static int chip_release(struct inode *inode, struct file *filp)
{
	struct evl_gpio_chip *chip = filp->private_data;

	kref_put(&chip->kref, free_chip);

	return 0;
}

static const struct file_operations chip_fops = {
	.owner		= THIS_MODULE,
	.open		= chip_open,
	.release	= chip_release,
	.unlocked_ioctl	= chip_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

struct evl_gpio_chip *evl_add_gpio_chip(struct gpio_chip *gc)
{
	struct evl_gpio_chip *chip;
	int ret;

	if (gc->can_sleep || !gc->get || !gc->set)
		return ERR_PTR(-EINVAL);
	chip = kzalloc(sizeof(*chip), GFP_KERNEL);
	if (!chip)
		return ERR_PTR(-ENOMEM);

	kref_init(&chip->kref);
	INIT_LIST_HEAD(&chip->lines);
	evl_spin_lock_init(&chip->lock);
	chip->gc = gc;
	snprintf(chip->name, sizeof(chip->name), "evl-%s", dev_name(gpio_device_to_device(gc->gpiodev)));
	chip->misc = (struct miscdevice) {
		.minor = MISC_DYNAMIC_MINOR, .name = chip->name, .fops = &chip_fops,
	};
	ret = misc_register(&chip->misc);
	if (ret) {
		kref_put(&chip->kref, free_chip);
		return ERR_PTR(ret);
	}

	return chip;
}
EVL_EXPORT(evl_add_gpio_chip);

void evl_remove_gpio_chip(struct evl_gpio_chip *chip)
{
	struct gpio_lines *l;
	unsigned long flags;

	/* No new opens; those open find it gone. */
	misc_deregister(&chip->misc);
	scoped_guard(mutex, &chip_mutex) {
		evl_spin_lock_irqsave(&chip->lock, flags);
		chip->gone = true;
		evl_spin_unlock_irqrestore(&chip->lock, flags);
		list_for_each_entry(l, &chip->lines, next) {
			give_back(l);
			evict(l);
		}
	}
	kref_put(&chip->kref, free_chip);
}
EVL_EXPORT(evl_remove_gpio_chip);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Out-of-band service of GPIO lines for the EVL core");
