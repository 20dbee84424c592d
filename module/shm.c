// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory shared with user space, in cells of a cache line. Allocated once; cells are handed out first fit.
 */
#include "shm.h"
#include "compat.h"
#include "params.h"

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/vmalloc.h>

#include <evl/thread-abi.h>

#define CELL_SIZE	64U

static_assert(sizeof(struct evl_user_window) == CELL_SIZE);

static DEFINE_MUTEX(shm_lock);		/* covers busy_cells */
static unsigned long *busy_cells;
static unsigned int nr_cells;
static void *shm_base;

/* Zeroed; NULL if there is none left. In-band. */
void *evl_alloc_shm(size_t size)
{
	unsigned int nr = DIV_ROUND_UP(size, CELL_SIZE), pos;
	void *p;

	guard(mutex)(&shm_lock);
	pos = bitmap_find_next_zero_area(busy_cells, nr_cells, 0, nr, 0);
	if (pos >= nr_cells)
		return NULL;

	bitmap_set(busy_cells, pos, nr);
	p = shm_base + pos * CELL_SIZE;
	memset(p, 0, nr * CELL_SIZE);

	return p;
}

void evl_free_shm(void *p, size_t size)
{
	guard(mutex)(&shm_lock);
	bitmap_clear(busy_cells, evl_shm_offset(p) / CELL_SIZE, DIV_ROUND_UP(size, CELL_SIZE));
}

u32 evl_shm_offset(const void *p)
{
	return p - shm_base;
}

size_t evl_shm_size(void)
{
	return nr_cells * CELL_SIZE;
}

/* mmap() of the control device: all of it, shared. */
int evl_map_shm(struct vm_area_struct *vma)
{
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != evl_shm_size() || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	vm_flags_set(vma, VM_DONTDUMP | VM_DONTEXPAND);

	return remap_vmalloc_range(vma, shm_base, 0);
}

int evl_init_shm(void)
{
	size_t size = PAGE_ALIGN((evl_nr_threads + evl_nr_monitors) * CELL_SIZE);

	nr_cells = size / CELL_SIZE;
	busy_cells = bitmap_zalloc(nr_cells, GFP_KERNEL);
	if (!busy_cells)
		return -ENOMEM;

	shm_base = vmalloc_user(size);
	if (!shm_base) {
		bitmap_free(busy_cells);
		return -ENOMEM;
	}

	return 0;
}

void evl_cleanup_shm(void)
{
	vfree(shm_base);
	bitmap_free(busy_cells);
}
