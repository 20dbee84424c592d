// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out-of-band side of open files, and a mirror of the descriptors which lead to them.
 *
 * Out-of-band code cannot look a descriptor up in the table of the process. Each slot which gets a file
 * that has an out-of-band side (file->oob_data) therefore has an entry in a hash table of ours, by
 * descriptor table and number. The hooks of the kernel keep it up to date. Descriptors which no hook
 * reported, those inherited over fork, and those for which there was no memory, are entered at their first
 * use, by evl_mirror_fd(), in-band.
 *
 * Locks: one per bucket; leaf, held for a short walk: the number of entries is limited, and the hash is
 * seeded so that nobody can choose to collide. Lifetime: an entry lives no longer than the slot holds the
 * file. A lookup takes its reference under the bucket lock, hence while the entry is there, hence before
 * evl_release_file(), which comes with the last reference to the file and waits for the others. Mirroring
 * versus closing: evl_mirror_fd() enters a slot under files->file_lock, while it holds the file. Who
 * empties the slot takes that lock as well, and calls the hook not before. So the hook finds the entry.
 */
#include "file.h"
#include "compat.h"

#include <linux/fdtable.h>
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>

#define NR_BUCKET_BITS	10
#define NR_BUCKETS	(1U << NR_BUCKET_BITS)
#define MAX_MIRRORS	(NR_BUCKETS * 8)

struct bucket {
	hard_spinlock_t		lock;
	struct hlist_head	head;
};

struct mirror {
	struct hlist_node	next;
	struct files_struct	*files;
	unsigned int		fd;
	struct evl_file		*efilp;
};

static struct bucket *buckets;
static struct kmem_cache *mirror_cache;
static atomic_t nr_mirrors;
static u32 hash_seed __ro_after_init;
static atomic64_t last_serial;

static struct bucket *find_bucket(struct files_struct *files, unsigned int fd)
{
	u64 key = (u64)(uintptr_t)files;

	return buckets + (jhash_3words((u32)key, (u32)(key >> 32), fd, hash_seed) & (NR_BUCKETS - 1));
}

/* Bucket locked. */
static struct mirror *find_mirror(struct bucket *b, struct files_struct *files, unsigned int fd)
{
	struct mirror *m;

	hlist_for_each_entry(m, &b->head, next)
		if (m->files == files && m->fd == fd)
			return m;
	return NULL;
}

static struct mirror *alloc_mirror(gfp_t gfp)
{
	struct mirror *m;

	if (atomic_inc_return(&nr_mirrors) <= MAX_MIRRORS) {
		m = kmem_cache_alloc(mirror_cache, gfp);
		if (m)
			return m;
	}

	atomic_dec(&nr_mirrors);

	return NULL;
}

static void free_mirror(struct mirror *m)
{
	kmem_cache_free(mirror_cache, m);
	atomic_dec(&nr_mirrors);
}

/* Enter @m, or drop it and point the entry which exists to the same file. */
static void enter_mirror(struct mirror *m)
{
	struct bucket *b = find_bucket(m->files, m->fd);
	struct mirror *old;
	unsigned long flags;

	atomic_inc(&m->efilp->mirrors);

	hard_spin_lock_irqsave(&b->lock, flags);
	old = find_mirror(b, m->files, m->fd);
	if (old) {
		atomic_dec(&old->efilp->mirrors);
		old->efilp = m->efilp;
	} else {
		hlist_add_head(&m->next, &b->head);
	}
	hard_spin_unlock_irqrestore(&b->lock, flags);

	if (old)
		free_mirror(m);
}

/*
 * Drop the entry of a slot. With @efilp, only if it still leads there: the slot may have got another file,
 * and the hook of that one may have come first.
 */
static void remove_mirror(struct files_struct *files, unsigned int fd, struct evl_file *efilp)
{
	struct bucket *b = find_bucket(files, fd);
	unsigned long flags;
	struct mirror *m;

	hard_spin_lock_irqsave(&b->lock, flags);
	m = find_mirror(b, files, fd);
	if (m && efilp && m->efilp != efilp)
		m = NULL;
	if (m)
		hlist_del(&m->next);
	hard_spin_unlock_irqrestore(&b->lock, flags);

	if (m) {
		atomic_dec(&m->efilp->mirrors);
		free_mirror(m);
	}
}

static bool mirror_slot(unsigned int fd, struct file *file, struct files_struct *files, gfp_t gfp)
{
	struct mirror *m = alloc_mirror(gfp);

	if (!m)
		return false;

	m->files = files;
	m->fd = fd;
	m->efilp = file->oob_data;
	enter_mirror(m);

	return true;
}

/* Hook: a slot gets a file. Atomic context; without memory the entry is made at the first use. */
void evl_fd_install(unsigned int fd, struct file *file, struct files_struct *files)
{
	if (file->oob_data)
		mirror_slot(fd, file, files, GFP_ATOMIC | __GFP_NOWARN);
}

/* Hook: a slot gets another file, the old or the new one of which is ours. */
void evl_fd_replace(unsigned int fd, struct file *file, struct files_struct *files)
{
	if (!file->oob_data || !mirror_slot(fd, file, files, GFP_ATOMIC | __GFP_NOWARN))
		remove_mirror(files, fd, NULL);
}

/* Hook: a slot is emptied. */
void evl_fd_uninstall(unsigned int fd, struct file *file, struct files_struct *files)
{
	remove_mirror(files, fd, file->oob_data);
}

/*
 * Enter a descriptor of the current process which no hook has reported. In-band. 0, -EBADF: not open, or
 * has no out-of-band side; -ENFILE: the table is full.
 */
int evl_mirror_fd(unsigned int fd)
{
	struct files_struct *files = current->files;
	struct file *file;
	int ret = -EBADF;

	if (!files)
		return -EBADF;

	spin_lock(&files->file_lock);
	file = files_lookup_fd_locked(files, fd);
	if (file && file->oob_data)
		ret = mirror_slot(fd, file, files, GFP_ATOMIC) ? 0 : -ENFILE;
	spin_unlock(&files->file_lock);

	return ret;
}

/**
 * evl_get_file - out-of-band side of a descriptor
 * @fd: descriptor of the current process
 *
 * In-band or out-of-band thread. Returns it with a reference, for evl_put_file(), or NULL. Out-of-band, a
 * descriptor inherited over fork is not known before its first in-band use.
 */
struct evl_file *evl_get_file(unsigned int fd)
{
	struct evl_file *efilp = NULL;
	struct files_struct *files = current->files;
	struct bucket *b;
	struct mirror *m;
	unsigned long flags;

	if (!files)
		return NULL;

	b = find_bucket(files, fd);
	hard_spin_lock_irqsave(&b->lock, flags);
	m = find_mirror(b, files, fd);
	/* Zero: its release has begun, which a table without bugs does not lead to. */
	if (m && refcount_inc_not_zero(&m->efilp->refs))
		efilp = m->efilp;
	hard_spin_unlock_irqrestore(&b->lock, flags);

	return efilp;
}
EVL_EXPORT(evl_get_file);

static void file_drained(struct irq_work *work)
{
	complete(&container_of(work, struct evl_file, drained_work)->drained);
}

/**
 * evl_put_file - drop a reference
 * @efilp: from evl_get_file()
 *
 * Any context. The last one lets evl_release_file() proceed.
 */
void evl_put_file(struct evl_file *efilp)
{
	if (refcount_dec_and_test(&efilp->refs))
		irq_work_queue(&efilp->drained_work);
}
EVL_EXPORT(evl_put_file);

/**
 * evl_open_file - make a file out-of-band capable
 * @efilp: out-of-band side, memory of the driver, valid until evl_release_file()
 * @filp: the file, no descriptor of which has been installed yet
 *
 * In-band, from open() or a request which creates files. 0, or -EINVAL: it is already.
 */
int evl_open_file(struct evl_file *efilp, struct file *filp)
{
	if (filp->oob_data)
		return -EINVAL;

	efilp->filp = filp;
	efilp->serial = atomic64_inc_return(&last_serial);
	refcount_set(&efilp->refs, 1);
	atomic_set(&efilp->mirrors, 0);
	init_irq_work(&efilp->drained_work, file_drained);
	init_completion(&efilp->drained);
	filp->oob_data = efilp;

	return 0;
}
EVL_EXPORT(evl_open_file);

/* Only a slot which was emptied without the hook leaves entries behind; they must not outlive the file. */
static void sweep_mirrors(struct evl_file *efilp)
{
	struct hlist_node *tmp;
	struct mirror *m;
	unsigned int n;

	for (n = 0; n < NR_BUCKETS; n++) {
		HLIST_HEAD(stale);
		unsigned long flags;

		hard_spin_lock_irqsave(&buckets[n].lock, flags);
		hlist_for_each_entry_safe(m, tmp, &buckets[n].head, next) {
			if (m->efilp == efilp) {
				hlist_del(&m->next);
				hlist_add_head(&m->next, &stale);
			}
		}
		hard_spin_unlock_irqrestore(&buckets[n].lock, flags);

		hlist_for_each_entry_safe(m, tmp, &stale, next)
			free_mirror(m);
	}
}

/**
 * evl_release_file - end of the out-of-band side of a file
 * @efilp: as passed to evl_open_file(); nothing happens if that failed
 *
 * In-band, from release(), after those who sleep in requests on the file were evicted. On return no request
 * on it is in progress, and none can begin.
 */
void evl_release_file(struct evl_file *efilp)
{
	if (!efilp->filp)
		return;

	if (WARN_ON_ONCE(atomic_read(&efilp->mirrors)))
		sweep_mirrors(efilp);

	evl_put_file(efilp);
	while (!wait_for_completion_timeout(&efilp->drained, 30 * HZ))
		pr_warn("%s/%d: still waiting for requests on a closed file to end\n",
			current->comm, task_pid_nr(current));

	/* The handler may have just completed us, and still be in progress. */
	irq_work_sync(&efilp->drained_work);
	efilp->filp->oob_data = NULL;
	efilp->filp = NULL;
}
EVL_EXPORT(evl_release_file);

int evl_init_files(void)
{
	unsigned int n;

	mirror_cache = kmem_cache_create("evl_mirror", sizeof(struct mirror), 0, 0, NULL);
	if (!mirror_cache)
		return -ENOMEM;

	buckets = kvmalloc_array(NR_BUCKETS, sizeof(*buckets), GFP_KERNEL);
	if (!buckets) {
		kmem_cache_destroy(mirror_cache);
		return -ENOMEM;
	}

	hash_seed = get_random_u32();
	for (n = 0; n < NR_BUCKETS; n++) {
		hard_spin_lock_init(&buckets[n].lock);
		INIT_HLIST_HEAD(&buckets[n].head);
	}

	return 0;
}

/* No open file is left, hence no entry, and no hook runs. */
void evl_cleanup_files(void)
{
	WARN_ON(atomic_read(&nr_mirrors));
	kvfree(buckets);
	kmem_cache_destroy(mirror_cache);
}
