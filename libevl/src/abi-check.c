/* SPDX-License-Identifier: MIT */
/*
 * Layout of the records shared with the core: one for every architecture and word size. The core
 * asserts the same figures. Changing one of them changes the ABI.
 */
#include <stddef.h>
#include <evl/clock-abi.h>
#include <evl/control-abi.h>
#include <evl/devices/gpio.h>
#include <evl/devices/hectic.h>
#include <evl/devices/latmus.h>
#include <evl/devices/spidev.h>
#include <evl/factory-abi.h>
#include <evl/monitor-abi.h>
#include <evl/net/socket-abi.h>
#include <evl/observable-abi.h>
#include <evl/poll-abi.h>
#include <evl/proxy-abi.h>
#include <evl/sched-abi.h>
#include <evl/thread-abi.h>
#include <evl/types.h>
#include <evl/xbuf-abi.h>

#define SIZE(__type, __size)	\
	_Static_assert(sizeof(__type) == (__size), "size of " #__type)
#define OFFSET(__type, __member, __offset)	\
	_Static_assert(offsetof(__type, __member) == (__offset), "offset of " #__type "." #__member)

SIZE(fundle_t, 4);
SIZE(struct __evl_timespec, 16);
OFFSET(struct __evl_timespec, tv_nsec, 8);
SIZE(struct __evl_itimerspec, 32);
OFFSET(struct __evl_itimerspec, it_value, 16);
SIZE(union evl_value, 8);

SIZE(struct evl_element_ids, 12);
SIZE(struct evl_clone_req, 48);
OFFSET(struct evl_clone_req, attrs_ptr, 8);
OFFSET(struct evl_clone_req, attrs_len, 16);
OFFSET(struct evl_clone_req, clone_flags, 20);
OFFSET(struct evl_clone_req, eids, 24);
OFFSET(struct evl_clone_req, efd, 36);
OFFSET(struct evl_clone_req, reserved, 40);

SIZE(struct evl_core_info, 64);
OFFSET(struct evl_core_info, abi_current, 4);
OFFSET(struct evl_core_info, shm_size, 8);
OFFSET(struct evl_core_info, features, 16);
SIZE(struct evl_sched_ctlreq, 32);
OFFSET(struct evl_sched_ctlreq, info_ptr, 8);
OFFSET(struct evl_sched_ctlreq, policy, 16);
OFFSET(struct evl_sched_ctlreq, cpu, 20);
SIZE(struct evl_cpu_state, 16);
OFFSET(struct evl_cpu_state, cpu, 8);

SIZE(struct evl_sched_attrs, 24);
OFFSET(struct evl_sched_attrs, sched_rr_quantum, 8);
OFFSET(struct evl_sched_attrs, sched_quota_group, 8);
OFFSET(struct evl_sched_attrs, sched_tp_partition, 8);
SIZE(struct evl_quota_ctlparam, 16);
SIZE(struct evl_quota_ctlinfo, 16);
SIZE(struct __evl_tp_window, 40);
SIZE(struct evl_tp_ctlparam, 8);
OFFSET(struct evl_tp_ctlparam, windows, 8);
SIZE(struct evl_tp_ctlinfo, 8);
OFFSET(struct evl_tp_ctlinfo, windows, 8);

SIZE(struct evl_user_window, 64);
SIZE(struct evl_thread_state, 56);
OFFSET(struct evl_thread_state, cpu, 24);
OFFSET(struct evl_thread_state, rwa, 44);
OFFSET(struct evl_thread_state, xtime, 48);
SIZE(struct evl_thread_mode, 16);
OFFSET(struct evl_thread_mode, mask, 8);

SIZE(struct evl_monitor_attrs, 16);
SIZE(struct evl_monitor_state, 64);
OFFSET(struct evl_monitor_state, gate.nesting, 12);
OFFSET(struct evl_monitor_state, event.polled, 8);
SIZE(struct evl_monitor_binding, 24);
SIZE(struct evl_monitor_waitreq, 24);
OFFSET(struct evl_monitor_waitreq, status, 16);

SIZE(struct evl_proxy_attrs, 12);
SIZE(struct evl_notice, 16);
SIZE(struct __evl_notification, 40);
OFFSET(struct __evl_notification, event, 16);
SIZE(struct evl_subscription, 8);
SIZE(struct evl_observable_req, 16);

SIZE(struct evl_poll_event, 16);
SIZE(struct evl_poll_ctlreq, 24);
OFFSET(struct evl_poll_ctlreq, pollval, 16);
SIZE(struct evl_poll_waitreq, 24);

SIZE(struct evl_new_timer_req, 8);
SIZE(struct evl_timer_setreq, 16);

SIZE(struct evl_xbuf_attrs, 8);

SIZE(struct evl_socket_msgreq, 24);
OFFSET(struct evl_socket_msgreq, flags, 16);

SIZE(struct spi_ioc_oob_setup, 24);
OFFSET(struct spi_ioc_oob_setup, iobuf_len, 12);

SIZE(struct hectic_task_index, 8);
SIZE(struct hectic_count, 16);
SIZE(struct hectic_error, 32);
OFFSET(struct hectic_error, fp_reg, 24);
SIZE(struct hectic_pause, 16);

SIZE(struct latmus_setup, 80);
OFFSET(struct latmus_setup, period, 24);
OFFSET(struct latmus_setup, interval, 56);
SIZE(struct latmus_measurement, 40);
OFFSET(struct latmus_measurement, serial, 32);
SIZE(struct latmus_result, 104);
OFFSET(struct latmus_result, sum_lat, 16);
OFFSET(struct latmus_result, samples, 32);
OFFSET(struct latmus_result, peak_at, 80);
SIZE(struct latmus_gravity, 16);
SIZE(struct latmus_spike, 16);
SIZE(struct latmus_spikes, 168);
