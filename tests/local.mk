# SPDX-License-Identifier: GPL-2.0-only
# Test programs which run in the VM: evltestdir is $(libexecdir)/evl/tests. The head of each
# says what it shows. The modules of tests/kmod are built by their own Makefile.

evltest_PROGRAMS += tests/affinity
tests_affinity_SOURCES = tests/affinity.c tests/common.h
tests_affinity_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/bad-input
tests_bad_input_SOURCES = tests/bad-input.c tests/common.h
tests_bad_input_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/clock-step
tests_clock_step_SOURCES = tests/clock-step.c tests/common.h
tests_clock_step_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/fork-exec
tests_fork_exec_SOURCES = tests/fork-exec.c tests/common.h
tests_fork_exec_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/fpu
tests_fpu_SOURCES = tests/fpu.c tests/common.h utils/common/vectors.h
tests_fpu_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/fuzz
tests_fuzz_SOURCES = tests/fuzz.c tests/stress.h tests/common.h
tests_fuzz_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/gdb
tests_gdb_SOURCES = tests/gdb.c tests/common.h
tests_gdb_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/kvm-host
tests_kvm_host_SOURCES = tests/kvm-host.c tests/common.h
tests_kvm_host_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/hectic-driver
tests_hectic_driver_SOURCES = tests/hectic-driver.c tests/common.h
tests_hectic_driver_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/no-core
tests_no_core_SOURCES = tests/no-core.c tests/common.h
tests_no_core_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/no-policies
tests_no_policies_SOURCES = tests/no-policies.c tests/metered.h tests/common.h tests/crew.h
tests_no_policies_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/offline-timer
tests_offline_timer_SOURCES = tests/offline-timer.c tests/common.h
tests_offline_timer_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/pi-stress
tests_pi_stress_SOURCES = tests/pi-stress.c tests/stress.h tests/common.h
tests_pi_stress_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/poll-stress
tests_poll_stress_SOURCES = tests/poll-stress.c tests/stress.h tests/common.h
tests_poll_stress_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/quota
tests_quota_SOURCES = tests/quota.c tests/metered.h tests/common.h tests/crew.h
tests_quota_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/remote-wake
tests_remote_wake_SOURCES = tests/remote-wake.c tests/common.h
tests_remote_wake_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/sched
tests_sched_SOURCES = tests/sched.c tests/common.h
tests_sched_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/sigkill
tests_sigkill_SOURCES = tests/sigkill.c tests/common.h
tests_sigkill_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/shares
tests_shares_SOURCES = tests/shares.c tests/metered.h tests/common.h tests/crew.h
tests_shares_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/signal
tests_signal_SOURCES = tests/signal.c tests/common.h
tests_signal_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/sleep
tests_sleep_SOURCES = tests/sleep.c tests/common.h tests/crew.h
tests_sleep_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/stage-switch
tests_stage_switch_SOURCES = tests/stage-switch.c tests/common.h
tests_stage_switch_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/state
tests_state_SOURCES = tests/state.c tests/common.h
tests_state_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/syscall
tests_syscall_SOURCES = tests/syscall.c tests/common.h
tests_syscall_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/thread-attach
tests_thread_attach_SOURCES = tests/thread-attach.c tests/common.h
tests_thread_attach_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/timer
tests_timer_SOURCES = tests/timer.c tests/common.h tests/crew.h
tests_timer_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/tp
tests_tp_SOURCES = tests/tp.c tests/metered.h tests/common.h tests/crew.h
tests_tp_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/trap
tests_trap_SOURCES = tests/trap.c tests/common.h
tests_trap_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/compat
tests_compat_SOURCES = tests/compat.c tests/common.h
tests_compat_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/preempt
tests_preempt_SOURCES = tests/preempt.c tests/common.h
tests_preempt_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/event
tests_event_SOURCES = tests/event.c tests/common.h tests/crew.h
tests_event_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/sem
tests_sem_SOURCES = tests/sem.c tests/common.h tests/crew.h
tests_sem_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/flags
tests_flags_SOURCES = tests/flags.c tests/common.h tests/crew.h
tests_flags_LDADD = $(EVLTEST_LIBS)

# No test: what the rig measures with.
evltest_PROGRAMS += tests/rig-sync
tests_rig_sync_SOURCES = tests/rig-sync.c tests/common.h
tests_rig_sync_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/rig-inband
tests_rig_inband_SOURCES = tests/rig-inband.c

# Not in the folder of the tests, which evl test and the rig list.
evlcmd_PROGRAMS += tests/rig-calls
tests_rig_calls_SOURCES = tests/rig-calls.c tests/common.h
tests_rig_calls_LDADD = $(EVLTEST_LIBS)

evlcmd_PROGRAMS += tests/rig-scale
tests_rig_scale_SOURCES = tests/rig-scale.c tests/common.h
tests_rig_scale_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/rwlock
tests_rwlock_SOURCES = tests/rwlock.c tests/common.h tests/crew.h
tests_rwlock_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/poll
tests_poll_SOURCES = tests/poll.c tests/common.h tests/crew.h
tests_poll_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/xbuf
tests_xbuf_SOURCES = tests/xbuf.c tests/common.h tests/crew.h
tests_xbuf_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/observable
tests_observable_SOURCES = tests/observable.c tests/common.h tests/crew.h
tests_observable_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/proxy
tests_proxy_SOURCES = tests/proxy.c tests/common.h tests/crew.h
tests_proxy_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/heap
tests_heap_SOURCES = tests/heap.c tests/common.h tests/crew.h
tests_heap_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/tube
tests_tube_SOURCES = tests/tube.c tests/common.h tests/crew.h
tests_tube_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/socket
tests_socket_SOURCES = tests/socket.c tests/common.h tests/crew.h
tests_socket_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/mutex
tests_mutex_SOURCES = tests/mutex.c tests/common.h tests/crew.h
tests_mutex_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/watchdog
tests_watchdog_SOURCES = tests/watchdog.c tests/common.h
tests_watchdog_LDADD = $(EVLTEST_LIBS)

evltest_PROGRAMS += tests/weak
tests_weak_SOURCES = tests/weak.c tests/common.h
tests_weak_LDADD = $(EVLTEST_LIBS)

# No test: run by tests/tiny-core.sh.
evltest_PROGRAMS += tests/rig-tiny-user
tests_rig_tiny_user_SOURCES = tests/tiny-user.c tests/common.h
tests_rig_tiny_user_LDADD = $(EVLTEST_LIBS)

# No test: run by tests/masked.sh.
evltest_PROGRAMS += tests/rig-masked-user
tests_rig_masked_user_SOURCES = tests/masked-user.c tests/common.h
tests_rig_masked_user_LDADD = $(EVLTEST_LIBS)

# No test: run by tests/api-files.sh.
evltest_PROGRAMS += tests/rig-api-files
tests_rig_api_files_SOURCES = tests/api-files.c tests/common.h tests/crew.h tests/kmod/api-files.h
tests_rig_api_files_LDADD = $(EVLTEST_LIBS)

# No test: run by tests/latmus-gpio.sh.
evltest_PROGRAMS += tests/rig-gpio-lines
tests_rig_gpio_lines_SOURCES = tests/gpio-lines.c tests/common.h tests/crew.h
tests_rig_gpio_lines_LDADD = $(EVLTEST_LIBS)

# No test: run by tests/example-driver.sh.
evltest_PROGRAMS += tests/rig-edu-user
tests_rig_edu_user_SOURCES = tests/edu-user.c tests/common.h tests/crew.h
tests_rig_edu_user_LDADD = $(EVLTEST_LIBS)

evltest_SCRIPTS +=		\
	tests/example-driver.sh	\
	tests/tiny-core.sh	\
	tests/api.sh		\
	tests/api-files.sh	\
	tests/core-refused.sh	\
	tests/disturbance.sh	\
	tests/fpu-kernel.sh	\
	tests/hectic.sh	\
	tests/hotplug.sh	\
	tests/latmus.sh	\
	tests/latmus-gpio.sh	\
	tests/latmus-order.sh	\
	tests/inject.sh		\
	tests/load-cycles.sh	\
	tests/masked.sh		\
	tests/pipeline.sh	\
	tests/pipeline-bound.sh	\
	tests/pipeline-off.sh	\
	tests/preempt-points.sh	\
	tests/perf.sh		\
	tests/tracing.sh

# Sourced by the scripts; what evl test looks at before it runs one.
dist_evltest_DATA = tests/lib.sh tests/needs

# The tools, as far as they need no core.
check_PROGRAMS += tests/tools/figures tests/tools/latmus tests/tools/wire
TESTS += tests/tools.sh tests/tools-plugins.sh tests/tools-users.sh tests/tools/figures tests/tools/latmus tests/tools/wire	\
	tests/packaging.sh

tests_tools_wire_SOURCES = tests/tools/wire.c utils/common/wire.c utils/common/wire.h
tests_tools_wire_LDADD = $(EVLTEST_LIBS)

tests_tools_figures_SOURCES = tests/tools/figures.c utils/latmus/figures.c utils/latmus/latmus.h utils/common/tool.c
tests_tools_figures_LDADD = $(EVLTEST_LIBS) -lm

# Its driver and its CPUs are made up, in place of what is wrapped. Includes main.c.
tests_tools_latmus_LDADD = $(EVLTEST_LIBS) -lm
tests_tools_latmus_LDFLAGS = -Wl,--wrap=ioctl -Wl,--wrap=open -Wl,--wrap=open_driver -Wl,--wrap=tool_read_cpus
tests_tools_latmus_SOURCES = tests/tools/latmus.c $(LATMUS_PARTS)

EXTRA_DIST += $(evltest_SCRIPTS) tests/tools.sh tests/tools-plugins.sh	\
	tests/tools-users.sh			\
	tests/tools-core.sh			\
	tests/tools-off.sh			\
	tests/tools/common.sh			\
	tests/tools/validate			\
	tests/packaging.sh			\
	tests/life/init				\
	tests/kmod/Kbuild			\
	tests/kmod/Makefile			\
	tests/kmod/api-files.c			\
	tests/kmod/api-sync.c			\
	tests/kmod/api-test.c			\
	tests/kmod/api-test.h			\
	tests/kmod/api-thread.c			\
	tests/kmod/api-timer.c			\
	tests/kmod/api-work.c			\
	tests/kmod/disturb-test.c		\
	tests/kmod/fpu-test.c			\
	tests/kmod/gpio-test.c			\
	tests/kmod/inject-test.c		\
	tests/kmod/masked-test.c		\
	tests/kmod/oops-test.c			\
	tests/kmod/pipeline-device.c		\
	tests/kmod/pipeline-ipi.c		\
	tests/kmod/pipeline-locks.c		\
	tests/kmod/pipeline-stage.c		\
	tests/kmod/pipeline-synthetic.c		\
	tests/kmod/pipeline-test.c		\
	tests/kmod/pipeline-test.h		\
	tests/kmod/pipeline-tick.c		\
	tests/kmod/tap.c			\
	tests/kmod/tap.h			\
	tests/kmod/unmask-test.c
