/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_COREMEM_H
#define _EVL_COREMEM_H

#include <linux/types.h>

/* Largest block; also what coremem_kb has to hold at least one of. */
#define EVL_COREMEM_MAX_BLOCK	(1UL << 18)

void *evl_alloc_core(size_t size);
void evl_free_core(void *p);

int evl_init_coremem(void);
void evl_cleanup_coremem(void);

#endif /* _EVL_COREMEM_H */
