/* SPDX-License-Identifier: MIT */
/*
 * Flag groups. Bits are taken from the memory shared with the core, and set there as long as nobody waits. After
 * setting some the waiters are looked at again: one which came in between has not seen them, and we see it.
 */
#include <evl/flags.h>
#include "monitor.h"

#define ALL_BITS	(~0)

static const struct monitor_kind flags_kind = {
	.magic = __EVL_FLAGS_MAGIC,
	.type = EVL_MONITOR_EVENT,
	.protocol = EVL_EVENT_MASK,
};

EVL_API int evl_create_flags(struct evl_flags *flg, int clockfd, int initval, int flags, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_create_monitor(&flg->mon, &flags_kind, clockfd, (unsigned int)initval, flags, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_open_flags(struct evl_flags *flg, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_open_monitor(&flg->mon, &flags_kind, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_close_flags(struct evl_flags *flg)
{
	return evl_close_monitor(&flg->mon, &flags_kind);
}

/* 0: nothing suitable is there. */
static int take_by_hand(struct __evl_monitor *mon, int bits, bool exact)
{
	__s32 *value = &mon->state->event.value, old = read_once(*value);
	int got;

	do {
		got = old & bits;
		if (!got || (exact && got != bits))
			return 0;
	} while (!__atomic_compare_exchange_n(value, &old, old & ~got, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));

	evl_monitor_changed(mon);

	return got;
}

static int check_wait(struct __evl_monitor *mon, int bits)
{
	int ret = evl_need_monitor(mon, &flags_kind);

	return ret ? ret : bits ? 0 : -EINVAL;
}

static void store(int *r_bits, int got)
{
	if (r_bits)
		*r_bits = got;
}

static int wait_until(struct evl_flags *flg, int bits, bool exact, const struct timespec *timeout, int *r_bits)
{
	struct evl_monitor_waitreq req = { .timeout_ptr = (uintptr_t)timeout, .value = (__u32)bits };
	int ret = check_wait(&flg->mon, bits), got;

	if (ret)
		return ret;

	if (!evl_self_attached())
		return -EPERM;

	got = take_by_hand(&flg->mon, bits, exact);
	if (!got) {
		ret = evl_monitor_wait(&flg->mon, exact ? EVL_MONIOC_WAIT_EXACT : EVL_MONIOC_WAIT, &req);
		if (ret)
			return ret;
		got = (int)req.value;
	}
	store(r_bits, got);

	return 0;
}

static int try_wait(struct evl_flags *flg, int bits, bool exact, int *r_bits)
{
	int ret = check_wait(&flg->mon, bits), got;

	if (ret)
		return ret;

	got = take_by_hand(&flg->mon, bits, exact);
	if (!got)
		return -EAGAIN;
	store(r_bits, got);

	return 0;
}

EVL_API int evl_wait_flags(struct evl_flags *flg, int *r_bits)
{
	return wait_until(flg, ALL_BITS, false, NULL, r_bits);
}

EVL_API int evl_timedwait_flags(struct evl_flags *flg, const struct timespec *timeout, int *r_bits)
{
	return wait_until(flg, ALL_BITS, false, timeout ? timeout : BAD_ADDRESS, r_bits);
}

EVL_API int evl_trywait_flags(struct evl_flags *flg, int *r_bits)
{
	return try_wait(flg, ALL_BITS, false, r_bits);
}

EVL_API int evl_wait_some_flags(struct evl_flags *flg, int bits, int *r_bits)
{
	return wait_until(flg, bits, false, NULL, r_bits);
}

EVL_API int evl_timedwait_some_flags(struct evl_flags *flg, int bits, const struct timespec *timeout, int *r_bits)
{
	return wait_until(flg, bits, false, timeout ? timeout : BAD_ADDRESS, r_bits);
}

EVL_API int evl_trywait_some_flags(struct evl_flags *flg, int bits, int *r_bits)
{
	return try_wait(flg, bits, false, r_bits);
}

EVL_API int evl_wait_exact_flags(struct evl_flags *flg, int bits)
{
	return wait_until(flg, bits, true, NULL, NULL);
}

EVL_API int evl_timedwait_exact_flags(struct evl_flags *flg, int bits, const struct timespec *timeout)
{
	return wait_until(flg, bits, true, timeout ? timeout : BAD_ADDRESS, NULL);
}

EVL_API int evl_trywait_exact_flags(struct evl_flags *flg, int bits)
{
	return try_wait(flg, bits, true, NULL);
}

static int post(struct evl_flags *flg, int bits, unsigned long request)
{
	struct evl_monitor_state *state;
	int ret = check_wait(&flg->mon, bits);

	if (ret)
		return ret;

	state = flg->mon.state;
	if (__atomic_load_n(&state->event.waiters, __ATOMIC_SEQ_CST))
		return evl_monitor_request(&flg->mon, request, &bits);

	__atomic_fetch_or(&state->event.value, bits, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&state->event.waiters, __ATOMIC_SEQ_CST))
		return evl_monitor_request(&flg->mon, EVL_MONIOC_NOTIFY, NULL);

	return evl_monitor_changed(&flg->mon);
}

EVL_API int evl_post_flags(struct evl_flags *flg, int bits)
{
	return post(flg, bits, EVL_MONIOC_SIGNAL);
}

EVL_API int evl_broadcast_flags(struct evl_flags *flg, int bits)
{
	return post(flg, bits, EVL_MONIOC_BROADCAST);
}

EVL_API int evl_peek_flags(struct evl_flags *flg, int *r_bits)
{
	if (!evl_monitor_live(&flg->mon, &flags_kind))
		return -EINVAL;

	*r_bits = read_once(flg->mon.state->event.value);

	return 0;
}
