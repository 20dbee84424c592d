/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file which knows kernel versions. Newest kernel first; each entry names the ability it hides,
 * and the range concerned.
 */
#ifndef _EVL_COMPAT_H
#define _EVL_COMPAT_H

#include <linux/export.h>
#include <linux/module.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "This core needs a kernel of the 6.12 series or later, with the patches of dovetail-patches/"
#endif

#ifndef CONFIG_DOVETAIL
#error "This kernel was built without CONFIG_DOVETAIL: apply dovetail-patches/ and configure it"
#endif

/* Revision of <linux/dovetail.h> this core is written to; the kernel refuses to register another. */
#define EVL_DOVETAIL_REVISION	1

/* Symbol namespaces are string literals from 6.13 on (cdd30ebb1b9f), bare words before. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define EVL_NAMESPACE		"EVL"
#else
#define EVL_NAMESPACE		EVL
#endif

#define EVL_EXPORT(__sym)	EXPORT_SYMBOL_NS_GPL(__sym, EVL_NAMESPACE)
#define EVL_IMPORT_NS()		MODULE_IMPORT_NS(EVL_NAMESPACE)

#endif /* _EVL_COMPAT_H */
