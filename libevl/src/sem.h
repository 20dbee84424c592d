/* SPDX-License-Identifier: MIT */
/* What rwlocks need of semaphores. */
#ifndef _LIBEVL_SEM_H
#define _LIBEVL_SEM_H

#include <evl/sem.h>

int evl_activate_sem(struct evl_sem *sem);

#endif /* _LIBEVL_SEM_H */
