/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The signal of health monitoring. The core sends it to the thread concerned with si_code SI_QUEUE and
 * an integer value: the marker in bits 16-31, an EVL_HMDIAG_* code in bits 0-7, the rest zero.
 */
#ifndef _UAPI_EVL_SIGNAL_H
#define _UAPI_EVL_SIGNAL_H

#define SIGDEBUG		SIGXCPU

#define sigdebug_marker		0xfccf0000

#define sigdebug_code(__si)	((__si)->si_value.sival_int)
#define sigdebug_cause(__si)	(sigdebug_code(__si) & 0xff)
#define sigdebug_marked(__si)	\
	(((unsigned int)sigdebug_code(__si) & 0xffff0000U) == sigdebug_marker)

#endif /* _UAPI_EVL_SIGNAL_H */
