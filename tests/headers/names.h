/* SPDX-License-Identifier: MIT */
/*
 * Names an application may use, in the way applications use them; compiled as C and as C++ (UAF-1 and
 * following of the interface facts). Never run.
 */
#include <evl/evl.h>
#include <evl/atomic.h>
#include <evl/devices/gpio.h>
#include <evl/devices/spidev.h>
#include <evl/factory.h>
#include <evl/fcntl.h>
#include <evl/heap.h>
#include <evl/list.h>
#include <evl/net/socket.h>
#include <evl/observable.h>
#include <evl/sys.h>
#include <evl/timer.h>
#include <evl/tube.h>
#ifndef __cplusplus
#include <evl/ring_ptr.h>
#endif
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#ifdef __cplusplus
#define ASSERT(__cond)	static_assert(__cond, #__cond)
#else
#define ASSERT(__cond)	_Static_assert(__cond, #__cond)
#endif

#define SINGLE_BIT(__x)	((__x) && !((__x) & ((__x) - 1)))

ASSERT(EVL_CLONE_PRIVATE == 0);
ASSERT(EVL_CLONE_MASTER == EVL_CLONE_UNICAST);
ASSERT(EVL_CLONE_PUBLIC == 0x10000 && EVL_CLONE_OBSERVABLE == 0x20000);
ASSERT(EVL_CLONE_NONBLOCK == 0x40000 && EVL_CLONE_UNICAST == 0x80000);
ASSERT(EVL_CLONE_INPUT == 0x100000 && EVL_CLONE_OUTPUT == 0x200000);
ASSERT(!(EVL_CLONE_MASK & 0xffff));

ASSERT(SINGLE_BIT(EVL_T_WOSS) && SINGLE_BIT(EVL_T_WOLI) && SINGLE_BIT(EVL_T_WOSX));
ASSERT(SINGLE_BIT(EVL_T_WOSO) && SINGLE_BIT(EVL_T_HMSIG) && SINGLE_BIT(EVL_T_HMOBS));
ASSERT((EVL_T_WOSS ^ EVL_T_WOLI ^ EVL_T_WOSX ^ EVL_T_WOSO ^ EVL_T_HMSIG ^ EVL_T_HMOBS) ==
       EVL_T_MODE_BITS);
ASSERT(sizeof(EVL_THREAD_STATE_LABELS) - 1 == 22);

ASSERT(EVL_CPU_OOB == 1 && EVL_CPU_ISOL == 2 && EVL_CPU_OFFLINE == 4);
ASSERT(EVL_HMDIAG_SIGDEMOTE == 1 && EVL_HMDIAG_SYSDEMOTE == 2 && EVL_HMDIAG_EXDEMOTE == 3);
ASSERT(EVL_HMDIAG_WATCHDOG == 4 && EVL_HMDIAG_LKDEPEND == 5 && EVL_HMDIAG_LKIMBALANCE == 6);
ASSERT(EVL_HMDIAG_LKSLEEP == 7 && EVL_HMDIAG_STAGEX == 8 && EVL_HMDIAG_OVERRUN == 9);
ASSERT(SIGDEBUG == SIGXCPU);
ASSERT(SCHED_WEAK == 43 && SCHED_QUOTA == 44 && SCHED_TP == 45);
ASSERT(evl_quota_add == 0 && evl_quota_get == 4 && evl_tp_install == 0 && evl_tp_get == 4);

ASSERT(EVL_CLOCK_MONOTONIC < 0 && EVL_CLOCK_REALTIME < 0);
ASSERT(EVL_CLOCK_MONOTONIC != EVL_CLOCK_REALTIME);
ASSERT(EVL_ABI_BASE <= EVL_ABI_PREREQ && EVL_ABI_PREREQ <= EVL_ABI_LEVEL);
ASSERT(__EVL__ == 26 && EVL_ABI_PREREQ == 32);

ASSERT(!(O_OOB & (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |
		  O_DSYNC | O_SYNC | O_ASYNC | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
ASSERT(!(O_OOB & (SOCK_CLOEXEC | SOCK_NONBLOCK)));
ASSERT(SOCK_OOB == O_OOB && PF_OOB == AF_OOB && AF_OOB >= AF_MAX);
ASSERT(!(GPIOHANDLE_REQUEST_OOB & 0xff) && GPIOHANDLE_REQUEST_OOB > GPIOHANDLE_REQUEST_BIAS_DISABLE);
ASSERT(SPI_IOC_ENABLE_OOB_MODE != SPI_IOC_DISABLE_OOB_MODE && SPI_IOC_RUN_OOB_XFER != SPI_IOC_DISABLE_OOB_MODE);

ASSERT(EVL_HEAP_PAGE_SHIFT == 9 && EVL_HEAP_PAGE_SIZE == 512 && (EVL_HEAP_PAGE_MASK & 0xffff) == 0xfe00);
ASSERT(EVL_HEAP_MIN_LOG2 == 4 && EVL_HEAP_MIN_ALIGN == 16 && EVL_HEAP_MAX_BUCKETS == 5);
ASSERT(EVL_HEAP_MAX_EXTSZ == 4294966784U && sizeof(EVL_HEAP_PAGE_SIZE) == sizeof(long));
ASSERT(EVL_HEAP_RAW_SIZE(8192) > 8192 && EVL_HEAP_RAW_SIZE(8192) % 512 == 0);
ASSERT(__align_to(13, 8) == 16 && __align_to(16, 8) == 16);

static int static_clock = EVL_CLOCK_MONOTONIC;

static __s64 take_value(union evl_value v)
{
	return v.lval + v.val + (v.ptr != NULL);
}

static void use_values(void)
{
	int x = 0;

	take_value(evl_nil);
	take_value(evl_intval(3));
	take_value(evl_ptrval(&x));
}

static int use_sched(int efd)
{
	struct evl_sched_attrs attrs;
	union evl_sched_ctlparam quota;
	union evl_sched_ctlinfo info;
	union evl_sched_ctlparam *tp;
	union evl_sched_ctlinfo *plan;
	struct __sched_tp_window *window;
	int state, ret;

	attrs.sched_policy = SCHED_RR;
	attrs.sched_priority = 10;
	attrs.sched_rr_quantum.tv_sec = 0;
	attrs.sched_rr_quantum.tv_nsec = 1000000;
	ret = evl_set_schedattr(efd, &attrs);
	attrs.sched_policy = SCHED_QUOTA;
	attrs.sched_quota_group = 1;
	attrs.sched_policy = SCHED_TP;
	attrs.sched_tp_partition = 1;
	ret |= evl_get_schedattr(efd, &attrs);

	quota.quota.op = evl_quota_set;
	quota.quota.u.set.tgid = 1;
	quota.quota.u.set.quota = 20;
	quota.quota.u.set.quota_peak = 30;
	ret |= evl_control_sched(SCHED_QUOTA, &quota, &info, 1);
	quota.quota.op = evl_quota_force_remove;
	quota.quota.u.remove.tgid = info.quota.tgid;
	quota.quota.u.get.tgid = info.quota.quota + info.quota.quota_peak + info.quota.quota_sum;

	tp = (union evl_sched_ctlparam *)malloc(evl_tp_paramlen(2));
	plan = (union evl_sched_ctlinfo *)malloc(evl_tp_infolen(2));
	tp->tp.op = evl_tp_install;
	tp->tp.nr_windows = 2;
	window = tp->tp.windows;
	window[0].offset.tv_sec = 0;
	window[0].duration.tv_nsec = 1;
	window[1].ptid = EVL_TP_IDLE;
	ret |= evl_control_sched(SCHED_TP, tp, plan, 1);
	ret |= plan->tp.nr_windows + plan->tp.windows[0].ptid;
	free(tp);
	free(plan);

	return ret | evl_get_cpustate(0, &state) | evl_yield();
}

static DEFINE_EVL_MUTEX(static_mutex);
static DEFINE_EVL_EVENT(static_event);
static DEFINE_EVL_SEM(static_sem);
static DEFINE_EVL_FLAGS(static_flags);
static DEFINE_EVL_RWLOCK(static_rwlock);

static int use_monitors(int efd)
{
	struct evl_mutex mutex = EVL_MUTEX_INITIALIZER("mutex", EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_RECURSIVE);
	struct evl_event event = EVL_EVENT_INITIALIZER("event", EVL_CLOCK_REALTIME, EVL_CLONE_PRIVATE);
	struct evl_sem sem = EVL_SEM_INITIALIZER("sem", EVL_CLOCK_MONOTONIC, 3, EVL_CLONE_PUBLIC);
	struct evl_flags flags = EVL_FLAGS_INITIALIZER("flags", EVL_CLOCK_MONOTONIC, 0x80000000, 0);
	struct evl_rwlock rwlock = EVL_RWLOCK_INITIALIZER();
	struct timespec date = { 0, 0 };
	int val, ret;

	mutex = EVL_MUTEX_INITIALIZER("again", EVL_CLOCK_MONOTONIC, 50, EVL_MUTEX_NORMAL);
	ret = evl_new_mutex(&mutex, "mutex-%d", 1) | evl_open_mutex(&mutex, "/mutex");
	ret |= evl_create_mutex(&static_mutex, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL, "mutex");
	ret |= evl_timedlock_mutex(&mutex, &date) | evl_set_mutex_ceiling(&mutex, 3) | evl_get_mutex_ceiling(&mutex);
	ret |= evl_new_event(&event, "event") | evl_timedwait_event(&event, &mutex, &date);
	ret |= evl_signal_thread(&event, efd) | evl_broadcast_event(&static_event);
	ret |= evl_new_sem(&sem, "sem") | evl_peek_sem(&sem, &val) | evl_put_sem(&static_sem);
	ret |= evl_new_flags(&flags, "flags") | evl_timedwait_some_flags(&flags, 1, &date, &val);
	ret |= evl_post_flags(&static_flags, 1) | evl_new_rwlock(&rwlock) | evl_lock_read(&static_rwlock);

	return ret;
}

static int use_io(int efd)
{
	struct evl_notification nf;
	struct evl_poll_event ev;
	struct evl_notice ntc;
	int ret;

	ret = evl_new_poll() | evl_add_pollfd(efd, 1, POLLIN | POLLOUT, evl_intval(1)) | evl_poll(efd, &ev, 1);
	ret |= (int)(ev.fd | ev.events) | ev.pollval.val;
	ret |= evl_new_xbuf(1024, "xbuf") | evl_create_xbuf(0, 1024, EVL_CLONE_NONBLOCK, "/xbuf");
	ret |= evl_new_observable("obs") | evl_create_observable(EVL_CLONE_MASTER, "obs-%d", 1);
	ret |= evl_subscribe(efd, 16, EVL_NOTIFY_ONCHANGE) | evl_unsubscribe(efd);
	ntc.tag = EVL_NOTICE_USER;
	ntc.event = evl_nil;
	ret |= evl_update_observable(efd, &ntc, 1) | evl_read_observable(efd, &nf, 1);

	return ret | (int)(nf.tag + nf.serial) | nf.issuer | nf.event.val | (int)nf.date.tv_sec;
}

static char heap_area[EVL_HEAP_RAW_SIZE(4096)];

static int use_heaps(void)
{
	struct evl_heap heap;
	void *block;
	int ret;

	ret = evl_init_heap(&heap, heap_area, sizeof(heap_area)) | evl_extend_heap(&heap, heap_area, 512);
	block = evl_alloc_block(&heap, 10);
	ret |= evl_free_block(&heap, block) | (int)evl_check_block(&heap, block);
	ret |= (int)(evl_heap_raw_size(&heap) + evl_heap_size(&heap) + evl_heap_used(&heap));
	evl_destroy_heap(&heap);
	ret |= evl_init_heap_unlocked(&heap, heap_area, sizeof(heap_area));
	ret |= evl_extend_heap_unlocked(&heap, heap_area, 512);
	block = evl_alloc_block_unlocked(&heap, 10);
	ret |= evl_free_block_unlocked(&heap, block) | (int)evl_check_block_unlocked(&heap, block);
	evl_destroy_heap_unlocked(&heap);

	return ret;
}

struct tube_item { int a; double b; };

DECLARE_EVL_CANISTER(item_can, struct tube_item);
DECLARE_EVL_TUBE(item_tube, item_can);
DECLARE_EVL_CANISTER_REL(rel_can, int *);
DECLARE_EVL_TUBE_REL(rel_tube, rel_can, int *);
DECLARE_EVL_TUBE_REL(short_tube, rel_can);

static DECLARE_EVL_CANISTER(inline_can, int) some_cans[4];
static struct item_tube static_tube = TUBE_INITIALIZER(static_tube);

static long use_tubes(void *mem, size_t size)
{
	struct tube_item item = { 1, 2.0 };
	struct item_can cans[3];
	struct rel_tube *rel;
	int *ptr = NULL;
	long ret;

	evl_init_tube(&static_tube, cans, 3);
	ret = static_tube.max_items + (long)evl_get_tube_size(item_tube, 3) + some_cans[0].payload;
	ret += evl_send_tube(&static_tube, item) && evl_receive_tube(&static_tube, item);
	rel = evl_init_tube_rel(rel_tube, rel_can, mem, size);
	ret += evl_send_tube_rel(rel, ptr) && evl_receive_tube_rel(rel, ptr);

	return ret + (long)evl_get_tube_size_rel(rel_tube, 3) + (long)sizeof(struct short_tube);
}

#ifndef __cplusplus
DEFINE_EVL_RINGPTR_STATIC(small_ring, EVL_RINGPTR_MINORDER);
DEFINE_EVL_RINGPTR_DYNAMIC(large_ring, 16);

ASSERT(sizeof(struct small_ring) == SIZEOF_EVL_RINGPTR(EVL_RINGPTR_MINORDER));
ASSERT(EVL_RING_CACHELINE_SHIFT == 7 && EVL_RING_CACHELINE_BYTES == 128 && EVL_RING_ALIGNMENT == 256);

static int use_rings(void)
{
	struct evl_ring_cursor cursor = { .head = (lfatomic_t)(lfsatomic_t)0 };
	void *ptr = NULL;
	int ret = evl_alloc_large_ring();

	evl_clear_small_ring();
	evl_init_cursor_small_ring(&cursor);
	ret += evl_enqueue_small_ring(ptr, &cursor) && evl_dequeue_small_ring(&ptr);
	evl_init_cursor_large_ring(&cursor);
	evl_clear_large_ring();
	ret += evl_enqueue_large_ring(ptr, &cursor) && evl_dequeue_large_ring(&ptr);
	free(large_ring);

	return ret;
}
#else
static int use_rings(void)
{
	return 0;
}
#endif

static long use_sockets(int efd)
{
	struct oob_msghdr msg = { NULL, 0, NULL, 0, NULL, 0, 0, { 0, 0 } };
	struct spi_ioc_oob_setup spi;
	struct timespec date = { 0, 0 };

	spi.frame_len = spi.speed_hz = spi.bits_per_word = 8;
	spi.iobuf_len = spi.tx_offset = spi.rx_offset = 0;

	return oob_recvmsg(efd, &msg, &date, MSG_PEEK) + oob_sendmsg(efd, &msg, NULL, MSG_DONTWAIT) +
		oob_ioctl(efd, SPI_IOC_ENABLE_OOB_MODE, &spi);
}

struct listed { struct list_head link; };

static int use_utilities(void)
{
	DEFINE_LIST_HEAD(head);
	struct listed one, *pos, *next;
	atomic_t word;
	uatomic_t other;
	int n = 0;

	word = 1;
	other = 2;
	list_append(&one.link, &head);
	list_for_each_entry_safe(pos, next, &head, link)
		n += list_next_entry(pos, &head, link) == NULL && container_of(&pos->link, struct listed, link) == &one;
	n += atomic_read(&word) + atomic_cmpxchg(&word, 1, 3) + (int)atomic_cmpxchg_weak(&other, 2U, 4U);

	return n + __lzcount(n) + __tzcount(n) + (int)alignof(long) + (__memptr(&n, __memoff(&n, &word)) == (void *)&n);
}

static int use_threads(void)
{
	struct evl_thread_state state;
	pthread_attr_t attr;
	int efd, mode;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, EVL_STACK_DEFAULT);
	efd = evl_attach_self("thread-%d", 1);
	efd = evl_attach_self("thread");
	efd = evl_attach_thread(EVL_CLONE_PUBLIC | EVL_CLONE_OBSERVABLE, "%s", "thread");
	evl_get_state(efd, &state);
	mode = state.eattrs.sched_priority + (int)(state.cpu + state.state + state.isw +
			state.csw + state.sc + state.rwa + state.xtime);
	evl_set_thread_mode(efd, EVL_T_WOSS | EVL_T_HMSIG, &mode);
	evl_clear_thread_mode(efd, EVL_T_WOSS, NULL);
	evl_unblock_thread(efd);
	evl_demote_thread(efd);
	evl_switch_oob();
	evl_switch_inband();

	return evl_get_self() + evl_is_inband() + evl_detach_thread(0) + evl_detach_self();
}

static int use_old_modes(void)
{
	return T_WOSS | T_WOLI | T_WOSX | T_WOSO | T_HMSIG | T_HMOBS;
}

static int use_clocks(void)
{
	struct itimerspec it;
	struct timespec ts;
	__u64 ticks;
	int fd;

	evl_read_clock(static_clock, &ts);
	evl_set_clock(EVL_CLOCK_REALTIME, &ts);
	evl_get_clock_resolution(EVL_CLOCK_MONOTONIC, &ts);
	evl_sleep_until(EVL_CLOCK_MONOTONIC, &ts);
	evl_usleep(1000);
	fd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	evl_set_timer(fd, &it, NULL);
	evl_get_timer(fd, &it);
	oob_read(fd, &ticks, sizeof(ticks));
	oob_write(fd, &ticks, sizeof(ticks));

	return oob_ioctl(fd, 1, &ticks) + oob_ioctl(fd, 1);
}

static int use_elements(void)
{
	struct evl_element_ids ids;

	evl_create_element(EVL_THREAD_DEV, "x", NULL, EVL_CLONE_PRIVATE, &ids);
	evl_open_element(EVL_CLOCK_DEV, "/%s", EVL_CLOCK_REALTIME_DEV);
	evl_open_raw("control");

	return evl_get_current_mode() + (int)(evl_detect_fpu() + ids.minor + ids.fundle +
					      ids.state_offset);
}

static void on_debug(int sig, siginfo_t *si, void *ctxt)
{
	if (sigdebug_marked(si) && sigdebug_cause(si) == EVL_HMDIAG_SYSDEMOTE)
		evl_sigdebug_handler(sig, si, ctxt);
}

int main(void)
{
	struct evl_version v = evl_get_version();
	struct sigaction sa;

	sa.sa_sigaction = on_debug;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGDEBUG, &sa, NULL);
	use_values();

	return evl_init() + v.api_level + v.abi_level + *v.version_string + use_sched(3) +
		use_threads() + use_monitors(4) + use_io(5) + use_old_modes() + use_clocks() + use_elements() +
		use_heaps() + (int)use_tubes(heap_area, sizeof(heap_area)) + use_rings() + (int)use_sockets(6) +
		use_utilities();
}
