/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory shared with user space: one area, mapped through the control device, cut into cells. The core
 * writes there, and never acts on what it may read back.
 */
#ifndef _EVL_SHM_H
#define _EVL_SHM_H

#include <linux/types.h>

struct vm_area_struct;

void *evl_alloc_shm(size_t size);
void evl_free_shm(void *p, size_t size);
u32 evl_shm_offset(const void *p);
size_t evl_shm_size(void);
int evl_map_shm(struct vm_area_struct *vma);

int evl_init_shm(void);
void evl_cleanup_shm(void);

#endif /* _EVL_SHM_H */
