// SPDX-License-Identifier: GPL-2.0-only
/*
 * Polling: sets of files, and the sources of events behind them.
 *
 * A member stays linked to its sources from when it is added until it is removed. An event wakes up all who wait on
 * the set, which then ask every member whether it is ready: conditions are states. A set is a source itself, for the
 * sets it is a member of.
 *
 * Locks, outermost first:
 *   nesting_lock                     core mutex; sets which get sets as members
 *   evl_pollset.lock                 core mutex; members; outer set > inner set, there are no cycles
 *   evl_pollq.lock                   hard; source of a member > source which its set is, up to MAX_DEPTH
 *     evl_pollset.links_lock         hard
 *     evl_pollset.wq.lock            hard
 * Sources are notified without any wait queue locked but their own, which comes before.
 *
 * A member holds no reference to its file. It is known by its descriptor, in the process which added it, and by the
 * serial number of the file there, and leaves the set when a scan of this process does not find it any more. Others
 * which share the set see the members whose files they have at the same numbers. A source which goes away unlinks the
 * members; a member which goes away finds its source under links_lock, which may only try the lock of the source
 * (compare wait.c).
 *
 * There may be many ways from a set to another, their number growing with the power of the depth: whoever walks along
 * them leaves the number of the walk in the sets it has come to, and does not go on from there a second time. A walk
 * which overwrites the number of another makes that one do more work, not less.
 */
#include "poll.h"
#include "clock.h"
#include "factory.h"
#include "file.h"
#include "kmutex.h"
#include "timespec.h"
#include "uaccess.h"
#include "wait.h"

#include <linux/slab.h>

#include <evl/poll-abi.h>

#define MAX_DEPTH	6

#define ALWAYS		((__force u32)(EPOLLERR | EPOLLHUP))
#define MEMBER_EVENTS	((__force u32)(EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM |	\
				       EPOLLRDBAND | EPOLLWRNORM | EPOLLWRBAND | EPOLLMSG | EPOLLRDHUP))

struct evl_pollset {
	struct evl_file		efile;
	struct evl_kmutex	lock;		/* covers the members */
	struct list_head	members;
	struct list_head	gone;		/* removed, to be freed in-band */
	hard_spinlock_t		links_lock;
	struct evl_waitqueue	wq;		/* covers @events, @news */
	unsigned long		events;		/* number of them, so far */
	u64			news;		/* last walk which brought one */
	u64			look;		/* lock; last look which came here, and what it saw */
	int			seen;
	struct evl_pollq	pollq;
	unsigned int		level;		/* nesting_lock, as the next two; 1: no member is a set */
	u64			visit;		/* last check which came here, at which depth */
	unsigned int		depth;
};

struct member {
	struct list_head	next;
	const struct files_struct *files;	/* whose descriptor; compared, never followed */
	unsigned int		fd;
	u32			events;
	u64			serial;		/* of the file */
	union evl_value		pollval;
	struct oob_poll_wait	wait;
};

static const struct file_operations pollset_fops;

static DEFINE_EVL_MUTEX(nesting_lock);
static u64 last_visit;				/* nesting_lock */

static DEFINE_PER_CPU(u64, nr_walks);

/* Hard off. No two walks of any CPUs have the same number, and none has 0. */
static u64 new_walk(void)
{
	return (u64)(raw_smp_processor_id() + 1) << 48 | raw_cpu_inc_return(nr_walks);
}

/** evl_init_pollq - make a source of events */
void evl_init_pollq(struct evl_pollq *pq)
{
	hard_spin_lock_init(&pq->lock);
	INIT_LIST_HEAD(&pq->nodes);
	pq->dead = false;
}
EVL_EXPORT(evl_init_pollq);

static struct evl_poll_node *free_node(struct oob_poll_wait *wait)
{
	unsigned int n;

	for (n = 0; n < EVL_POLL_SOURCES; n++)
		if (!wait->nodes[n].pq)
			return &wait->nodes[n];
	return NULL;
}

/**
 * evl_poll_register - link a poller to a source
 * @pq: the source
 * @wait: as passed to oob_poll(), which may be NULL: nobody to link, just a look
 *
 * Out-of-band thread, from oob_poll(). A file has EVL_POLL_SOURCES sources at most. The caller looks at its state
 * afterwards, or it may miss an event.
 */
void evl_poll_register(struct evl_pollq *pq, struct oob_poll_wait *wait)
{
	struct evl_poll_node *node;

	if (!wait)
		return;

	guard(hard_spinlock_irqsave)(&pq->lock);
	guard(hard_spinlock)(&wait->set->links_lock);
	node = free_node(wait);
	if (pq->dead || WARN_ON_ONCE(!node))
		return;

	node->wait = wait;
	node->pq = pq;
	list_add_tail(&node->next, &pq->nodes);
}
EVL_EXPORT(evl_poll_register);

/** evl_poll_active - does anybody poll this source? any context */
bool evl_poll_active(struct evl_pollq *pq)
{
	guard(hard_spinlock_irqsave)(&pq->lock);
	return !list_empty(&pq->nodes);
}
EVL_EXPORT(evl_poll_active);

static void notify_locked(struct evl_pollq *pq, u64 walk);

/* The waiters of a set are told. False: of this very event they were before, all outer sets included. */
static bool bring_news(struct evl_pollset *set, u64 walk)
{
	guard(hard_spinlock)(&set->wq.lock);
	if (set->news == walk)
		return false;

	set->news = walk;
	set->events++;
	evl_wake_up_all_locked(&set->wq, EVL_WAKE_GRANT);

	return true;
}

/* A member has news. Hard off, its source locked. */
static void trigger(struct evl_pollset *set, u64 walk)
{
	if (!bring_news(set, walk))
		return;

	guard(hard_spinlock)(&set->pollq.lock);
	notify_locked(&set->pollq, walk);
}

static void notify_locked(struct evl_pollq *pq, u64 walk)
{
	struct evl_poll_node *node;

	list_for_each_entry(node, &pq->nodes, next)
		trigger(node->wait->set, walk);
}

/** evl_poll_notify_nosched - as evl_poll_notify(), leaving rescheduling to the caller */
void evl_poll_notify_nosched(struct evl_pollq *pq, __poll_t events)
{
	/* Who registers looks at the state afterwards, which the caller has changed before: it is not missed. */
	if (list_empty(&pq->nodes))
		return;

	guard(hard_spinlock_irqsave)(&pq->lock);
	notify_locked(pq, new_walk());
}
EVL_EXPORT(evl_poll_notify_nosched);

/**
 * evl_poll_notify - an event has come
 * @pq: its source
 * @events: EPOLL* bits which are true now
 *
 * Any context; no wait queue locked. Pollers look by themselves which of the events they want holds.
 */
void evl_poll_notify(struct evl_pollq *pq, __poll_t events)
{
	unsigned long flags = hard_local_irq_save();

	evl_poll_notify_nosched(pq, events);
	evl_schedule();
	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_poll_notify);

/** evl_poll_drop - a source goes away: pollers are told, and unlinked; in-band or out-of-band thread */
void evl_poll_drop(struct evl_pollq *pq)
{
	struct evl_poll_node *node, *tmp;
	unsigned long flags;

	hard_spin_lock_irqsave(&pq->lock, flags);
	pq->dead = true;
	notify_locked(pq, new_walk());
	list_for_each_entry_safe(node, tmp, &pq->nodes, next) {
		guard(hard_spinlock)(&node->wait->set->links_lock);
		list_del(&node->next);
		node->pq = NULL;
	}
	hard_spin_unlock(&pq->lock);
	evl_schedule();
	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_poll_drop);

/* Hard off. False: the source is busy, try again. */
static bool try_unlink(struct evl_pollset *set, struct evl_poll_node *node)
{
	struct evl_pollq *pq;

	guard(hard_spinlock)(&set->links_lock);
	pq = node->pq;
	if (!pq)
		return true;
	if (!hard_spin_trylock(&pq->lock))
		return false;
	list_del(&node->next);
	node->pq = NULL;
	hard_spin_unlock(&pq->lock);

	return true;
}

static void unlink_member(struct evl_pollset *set, struct member *m)
{
	unsigned long flags;
	unsigned int n;

	for (n = 0; n < EVL_POLL_SOURCES; n++) {
		flags = hard_local_irq_save();
		while (!try_unlink(set, &m->wait.nodes[n]))
			cpu_relax();
		hard_local_irq_restore(flags);
	}
}

/* Set locked. */
static void remove_member(struct evl_pollset *set, struct member *m)
{
	unlink_member(set, m);
	list_move(&m->next, &set->gone);
}

static struct member *find_member(struct evl_pollset *set, unsigned int fd)
{
	struct member *m;

	list_for_each_entry(m, &set->members, next)
		if (m->fd == fd && m->files == current->files)
			return m;
	return NULL;
}

/* The file of a member, with a reference; NULL: it has left. */
static struct evl_file *member_file(const struct member *m)
{
	struct evl_file *efilp = evl_get_file(m->fd);

	if (efilp && efilp->serial != m->serial) {
		evl_put_file(efilp);
		efilp = NULL;
	}

	return efilp;
}

static struct evl_pollset *inner_set(struct evl_file *efilp)
{
	return efilp->filp->f_op == &pollset_fops ? efilp->filp->private_data : NULL;
}

static int look_into(struct evl_pollset *set, u64 look);

/* What holds of a file, or an error: a look into a set may be broken off, which tells nothing of its members. */
static int poll_file(struct evl_file *efilp, u64 look)
{
	struct evl_pollset *inner = inner_set(efilp);

	if (inner)
		return look_into(inner, look);

	return efilp->filp->f_op->oob_poll ? (__force int)efilp->filp->f_op->oob_poll(efilp->filp, NULL) : 0;
}

/* Set locked: what holds of what is wanted, or an error. A member which has left is removed. */
static int poll_member(struct evl_pollset *set, struct member *m, u64 look)
{
	struct evl_file *efilp = member_file(m);
	int events;

	if (!efilp) {
		if (m->files == current->files)
			remove_member(set, m);
		return 0;
	}

	events = poll_file(efilp, look);
	evl_put_file(efilp);

	return events < 0 ? events : (int)(events & (m->events | ALWAYS));
}

/* Set locked. A set is ready while one of its members is. Bounded recursion, along the levels. */
static int look_at_members(struct evl_pollset *set, u64 look)
{
	struct member *m, *tmp;
	int ret = 0;

	list_for_each_entry_safe(m, tmp, &set->members, next) {
		ret = poll_member(set, m, look);
		if (ret)
			break;
	}

	return ret > 0 ? (__force int)(EPOLLIN | EPOLLRDNORM) : ret;
}

/*
 * Events, 0 or an error. What this very look has seen here before still counts: a member which has changed meanwhile is
 * news, after which whoever looks does so once more.
 */
static int look_into(struct evl_pollset *set, u64 look)
{
	int ret = evl_lock_kmutex(&set->lock);

	if (ret)
		return ret;

	if (set->look == look) {
		ret = set->seen;
	} else {
		ret = look_at_members(set, look);
		if (ret >= 0) {
			set->look = look;
			set->seen = ret;
		}
	}
	evl_unlock_kmutex(&set->lock);

	return ret;
}

static u64 new_look(void)
{
	unsigned long flags = hard_local_irq_save();
	u64 look = new_walk();

	hard_local_irq_restore(flags);

	return look;
}

/* Set locked. Stores what is ready, and moves it to the end of the line. The number, or an error. */
static int collect(struct evl_pollset *set, struct evl_poll_event __user *u_events, int nrset)
{
	struct evl_poll_event ev = { };
	u64 look = new_look();
	struct member *m, *tmp;
	LIST_HEAD(reported);
	int nr = 0, ret = 0;

	list_for_each_entry_safe(m, tmp, &set->members, next) {
		if (nr == nrset)
			break;
		ret = poll_member(set, m, look);
		if (ret < 0)
			break;
		if (!ret)
			continue;
		ev.events = ret;
		ev.fd = m->fd;
		ev.pollval = m->pollval;
		ret = evl_copy_to_user(u_events + nr, &ev, sizeof(ev));
		if (ret)
			break;
		list_move_tail(&m->next, &reported);
		nr++;
	}
	list_splice_tail(&reported, &set->members);

	return ret ?: nr;
}

static unsigned long count_events(struct evl_pollset *set)
{
	guard(hard_spinlock_irqsave)(&set->wq.lock);
	return set->events;
}

static int collect_locked(struct evl_pollset *set, struct evl_poll_event __user *u_events, int nrset)
{
	int ret = evl_lock_kmutex(&set->lock);

	if (ret)
		return ret;

	ret = collect(set, u_events, nrset);
	evl_unlock_kmutex(&set->lock);

	return ret;
}

/* Events which come after the count was taken end the wait. */
static int collect_or_wait(struct evl_pollset *set, const struct evl_poll_waitreq *req, ktime_t date, bool nonblock)
{
	unsigned long seen;
	int ret;

	for (;;) {
		seen = count_events(set);
		ret = collect_locked(set, evl_uptr(req->pollset_ptr), req->nrset);
		if (ret)
			return ret;
		if (nonblock)
			return -EAGAIN;
		ret = evl_wait_event_timeout(&set->wq, date, EVL_TMODE_ABS, set->events != seen);
		if (ret)
			return ret;
	}
}

static long wait_for_members(struct evl_pollset *set, unsigned long arg, bool nonblock)
{
	struct __evl_timespec ts = { };
	struct evl_poll_waitreq req;
	int ret = evl_copy_from_user(&req, (void __user *)arg, sizeof(req));

	if (!ret && req.timeout_ptr)
		ret = evl_copy_from_user(&ts, evl_uptr(req.timeout_ptr), sizeof(ts));
	if (ret)
		return ret;

	if (req.reserved || req.nrset < 0 || !evl_timespec_is_sane(&ts))
		return -EINVAL;

	if (!req.nrset)
		return 0;

	ret = collect_or_wait(set, &req, evl_timespec_to_ktime(&ts), nonblock);

	return ret == -EIDRM ? -EBADF : ret;
}

/*
 * May @inner become a member of @set? Looks at @set and all it is a member of, by whatever process: @inner must not be
 * among them, nor may there be too many levels. Nesting locked; bounded recursion, as that of notify_locked().
 */
static int check_outer_sets(struct evl_pollset *set, struct evl_pollset *inner, unsigned int level)
{
	struct evl_poll_node *node;
	int ret = 0;

	if (set == inner || level > MAX_DEPTH)
		return -ELOOP;

	/* From here on nothing is deeper than what was seen before. */
	if (set->visit == last_visit && set->depth >= level)
		return 0;
	set->visit = last_visit;
	set->depth = level;

	guard(hard_spinlock_irqsave)(&set->pollq.lock);
	list_for_each_entry(node, &set->pollq.nodes, next) {
		ret = check_outer_sets(node->wait->set, inner, level + 1);
		if (ret)
			break;
	}

	return ret;
}

/* Levels only grow, even if the deepest member is removed. An outer set is always above its inner ones. */
static void raise_level(struct evl_pollset *set, unsigned int level)
{
	struct evl_poll_node *node;

	if (set->level >= level)
		return;

	guard(hard_spinlock_irqsave)(&set->pollq.lock);
	set->level = level;
	list_for_each_entry(node, &set->pollq.nodes, next)
		raise_level(node->wait->set, level + 1);
}

/* Set locked, and nesting if the member is a set. */
static void link_member(struct evl_pollset *set, struct member *m, struct evl_file *efilp)
{
	unsigned int n;

	m->wait.set = set;
	for (n = 0; n < EVL_POLL_SOURCES; n++)
		m->wait.nodes[n].pq = NULL;
	list_add_tail(&m->next, &set->members);
	if (efilp->filp->f_op->oob_poll)
		efilp->filp->f_op->oob_poll(efilp->filp, &m->wait);
}

static int add_locked(struct evl_pollset *set, struct member *m, struct evl_file *efilp)
{
	struct member *old = find_member(set, m->fd);
	struct evl_file *there;

	if (old) {
		there = member_file(old);
		if (there) {
			evl_put_file(there);
			return -EEXIST;
		}
		remove_member(set, old);
	}
	link_member(set, m, efilp);

	return 0;
}

static int add_file(struct evl_pollset *set, struct member *m, struct evl_file *efilp)
{
	int ret = evl_lock_kmutex(&set->lock);

	if (ret)
		return ret;

	ret = add_locked(set, m, efilp);
	evl_unlock_kmutex(&set->lock);

	return ret;
}

static int add_set(struct evl_pollset *set, struct member *m, struct evl_file *efilp, struct evl_pollset *inner)
{
	int ret = evl_lock_kmutex(&nesting_lock);

	if (ret)
		return ret;

	last_visit++;
	ret = check_outer_sets(set, inner, inner->level + 1);
	if (!ret)
		ret = add_file(set, m, efilp);
	if (!ret)
		raise_level(set, inner->level + 1);
	evl_unlock_kmutex(&nesting_lock);

	return ret;
}

/* Members which were removed; in-band. */
static void free_gone(struct list_head *gone)
{
	struct member *m, *tmp;

	list_for_each_entry_safe(m, tmp, gone, next)
		kfree(m);
}

static void take_gone(struct evl_pollset *set, struct list_head *gone)
{
	if (evl_lock_kmutex(&set->lock))
		return;

	list_splice_init(&set->gone, gone);
	evl_unlock_kmutex(&set->lock);
}

/* Memory comes from in-band, and goes there. Returns in-band. */
static struct member *alloc_member(struct evl_pollset *set, const struct evl_poll_ctlreq *req)
{
	LIST_HEAD(gone);
	struct member *m;

	take_gone(set, &gone);
	evl_switch_inband();
	free_gone(&gone);
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return NULL;

	m->files = current->files;
	m->fd = req->fd;
	m->events = req->events;
	m->pollval = req->pollval;

	return m;
}

static struct evl_file *find_file(unsigned int fd)
{
	struct evl_file *efilp = evl_get_file(fd);

	if (!efilp && !evl_mirror_fd(fd))
		efilp = evl_get_file(fd);

	return efilp;
}

/* The set is kept by the request. */
static int add_member(struct evl_pollset *set, const struct evl_poll_ctlreq *req)
{
	struct member *m = alloc_member(set, req);
	struct evl_pollset *inner;
	struct evl_file *efilp;
	int ret = -EBADF;

	if (!m)
		return -ENOMEM;

	efilp = find_file(m->fd);
	if (!efilp)
		goto err_free;

	m->serial = efilp->serial;
	inner = inner_set(efilp);
	ret = inner ? add_set(set, m, efilp, inner) : add_file(set, m, efilp);
	evl_put_file(efilp);
	if (!ret)
		return 0;

	evl_switch_inband();
err_free:
	kfree(m);
	return ret;
}

static int change_member(struct evl_pollset *set, const struct evl_poll_ctlreq *req)
{
	struct member *m;
	int ret = evl_lock_kmutex(&set->lock);

	if (ret)
		return ret;

	m = find_member(set, req->fd);
	if (!m) {
		ret = -ENOENT;
	} else if (req->action == EVL_POLL_CTLDEL) {
		remove_member(set, m);
	} else {
		m->events = req->events;
		m->pollval = req->pollval;
	}
	evl_unlock_kmutex(&set->lock);

	return ret;
}

static long control_set(struct evl_pollset *set, unsigned long arg)
{
	struct evl_poll_ctlreq req;
	int ret = evl_copy_from_user(&req, (void __user *)arg, sizeof(req));

	if (ret)
		return ret;

	if (req.reserved || req.action > EVL_POLL_CTLMOD ||
	    (req.action != EVL_POLL_CTLDEL && req.events & ~MEMBER_EVENTS))
		return -EINVAL;

	return req.action == EVL_POLL_CTLADD ? add_member(set, &req) : change_member(set, &req);
}

static long pollset_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_pollset *set = filp->private_data;

	switch (cmd) {
	case EVL_POLIOC_CTL:
		return control_set(set, arg);
	case EVL_POLIOC_WAIT:
		return wait_for_members(set, arg, filp->f_flags & O_NONBLOCK);
	default:
		return -ENOTTY;
	}
}

/* To become a member; sets look into each other by look_into(). */
static __poll_t pollset_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct evl_pollset *set = filp->private_data;
	int ret;

	evl_poll_register(&set->pollq, wait);
	ret = look_into(set, new_look());

	return ret > 0 ? (__force __poll_t)ret : 0;
}

static int pollset_open(struct inode *inode, struct file *filp)
{
	struct evl_pollset *set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!set)
		return -ENOMEM;

	evl_init_kmutex(&set->lock);
	INIT_LIST_HEAD(&set->members);
	INIT_LIST_HEAD(&set->gone);
	hard_spin_lock_init(&set->links_lock);
	evl_init_waitqueue(&set->wq, &evl_mono_clock, EVL_WQ_PRIO);
	evl_init_pollq(&set->pollq);
	set->level = 1;
	ret = evl_open_file(&set->efile, filp);
	if (ret) {
		kfree(set);
		return ret;
	}

	filp->private_data = set;

	return stream_open(inode, filp);
}

static int pollset_release(struct inode *inode, struct file *filp)
{
	struct evl_pollset *set = filp->private_data;
	struct member *m;

	evl_destroy_waitqueue(&set->wq);
	evl_poll_drop(&set->pollq);
	evl_release_file(&set->efile);
	/* Nobody else knows of the set any more, but the sources of its members. */
	list_for_each_entry(m, &set->members, next)
		unlink_member(set, m);
	free_gone(&set->members);
	free_gone(&set->gone);
	evl_destroy_kmutex(&set->lock);
	kfree(set);

	return 0;
}

static const struct file_operations pollset_fops = {
	.owner			= THIS_MODULE,
	.open			= pollset_open,
	.release		= pollset_release,
	.oob_ioctl		= pollset_ioctl,
	.compat_oob_ioctl	= pollset_ioctl,
	.oob_poll		= pollset_poll,
};

struct evl_factory evl_poll_factory = {
	.name	= EVL_POLL_DEV,
	.fops	= &pollset_fops,
	.flags	= EVL_FACTORY_SINGLE,
};
