# SPDX-License-Identifier: MIT
# The library. All but the backend is a library of its own, for the unit tests to add a backend of theirs.
libevlincdir = $(includedir)/evl

libevlnetdir = $(includedir)/evl/net

libevlnet_HEADERS = libevl/include/evl/net/socket.h

libevlinc_HEADERS =			\
	libevl/include/evl/atomic.h	\
	libevl/include/evl/clock.h	\
	libevl/include/evl/compat.h	\
	libevl/include/evl/compiler.h	\
	libevl/include/evl/event.h	\
	libevl/include/evl/evl.h	\
	libevl/include/evl/flags.h	\
	libevl/include/evl/heap.h	\
	libevl/include/evl/index-queue.h	\
	libevl/include/evl/list.h	\
	libevl/include/evl/monitor-obj.h	\
	libevl/include/evl/mutex.h	\
	libevl/include/evl/observable.h	\
	libevl/include/evl/poll.h	\
	libevl/include/evl/proxy.h	\
	libevl/include/evl/ring_ptr.h	\
	libevl/include/evl/rwlock.h	\
	libevl/include/evl/sched.h	\
	libevl/include/evl/sem.h	\
	libevl/include/evl/sys.h	\
	libevl/include/evl/syscall.h	\
	libevl/include/evl/thread.h	\
	libevl/include/evl/timer.h	\
	libevl/include/evl/tube.h	\
	libevl/include/evl/xbuf.h

LIBEVL_CPPFLAGS = $(AM_CPPFLAGS)			\
	-I$(top_srcdir)/libevl/src			\
	-I$(top_srcdir)/libevl/src/arch/$(EVL_ARCH)	\
	-I$(top_builddir)/libevl/src			\
	-DEVL_SERIAL=$(EVL_SERIAL)

noinst_LTLIBRARIES += libevl/libevl-logic.la

libevl_libevl_logic_la_CPPFLAGS = $(LIBEVL_CPPFLAGS)
libevl_libevl_logic_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
libevl_libevl_logic_la_SOURCES =	\
	libevl/src/abi-check.c		\
	libevl/src/arch/x86/arch.h	\
	libevl/src/arch/x86/fpu.c	\
	libevl/src/backend.h		\
	libevl/src/clock.c		\
	libevl/src/element.c		\
	libevl/src/event.c		\
	libevl/src/flags.c		\
	libevl/src/heap.c		\
	libevl/src/init.c		\
	libevl/src/internal.h		\
	libevl/src/monitor.c		\
	libevl/src/monitor.h		\
	libevl/src/mutex.c		\
	libevl/src/mutex.h		\
	libevl/src/name.c		\
	libevl/src/observable.c		\
	libevl/src/poll.c		\
	libevl/src/proxy.c		\
	libevl/src/proxy.h		\
	libevl/src/request.c		\
	libevl/src/rwlock.c		\
	libevl/src/sched.c		\
	libevl/src/sem.c		\
	libevl/src/sem.h		\
	libevl/src/sigdebug.c		\
	libevl/src/socket.c		\
	libevl/src/thread.c		\
	libevl/src/time.c		\
	libevl/src/timer.c		\
	libevl/src/version.c		\
	libevl/src/xbuf.c
nodist_libevl_libevl_logic_la_SOURCES = libevl/src/git-stamp.h

lib_LTLIBRARIES += libevl/libevl.la

libevl_libevl_la_CPPFLAGS = $(LIBEVL_CPPFLAGS)
libevl_libevl_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
libevl_libevl_la_SOURCES = libevl/src/backend.c
libevl_libevl_la_LIBADD = libevl/libevl-logic.la
libevl_libevl_la_LDFLAGS = -version-info $(LIBEVL_VERSION_INFO) -no-undefined	\
	-Wl,--version-script=$(top_srcdir)/libevl/libevl.map
libevl_libevl_la_DEPENDENCIES = libevl/libevl-logic.la libevl/libevl.map

pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = libevl/evl.pc

# Commit and date for the version line: in a git checkout only, and rewritten only when they change.
BUILT_SOURCES += libevl/src/git-stamp.h
CLEANFILES += libevl/src/git-stamp.h

libevl/src/git-stamp.h: FORCE
	@$(MKDIR_P) libevl/src
	@stamp=`test -e $(top_srcdir)/.git && git -C $(top_srcdir) log -1 \
		--format=' -- #%h (%cs)' 2>/dev/null`;			\
	echo "#define EVL_GIT_STAMP \"$$stamp\"" > $@.new;		\
	if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi

FORCE:

dist_man_MANS +=					\
	libevl/man/evl_attach_thread.3 \
	libevl/man/evl_control_sched.3 \
	libevl/man/evl_create_element.3 \
	libevl/man/evl_create_event.3 \
	libevl/man/evl_create_flags.3 \
	libevl/man/evl_create_mutex.3 \
	libevl/man/evl_create_observable.3 \
	libevl/man/evl_create_proxy.3 \
	libevl/man/evl_create_rwlock.3 \
	libevl/man/evl_create_sem.3 \
	libevl/man/evl_create_xbuf.3 \
	libevl/man/evl_lock_mutex.3 \
	libevl/man/evl_new_poll.3 \
	libevl/man/evl_get_state.3 \
	libevl/man/evl_init.3 \
	libevl/man/evl_init_heap.3 \
	libevl/man/evl_init_tube.3 \
	libevl/man/evl_new_timer.3 \
	libevl/man/evl_read_clock.3 \
	libevl/man/evl_ring_ptr.3 \
	libevl/man/evl_set_schedattr.3 \
	libevl/man/evl_set_thread_mode.3 \
	libevl/man/evl_sleep_until.3 \
	libevl/man/evl_switch_oob.3 \
	libevl/man/evl_unblock_thread.3 \
	libevl/man/libevl.7 \
	libevl/man/oob_read.3 \
	libevl/man/oob_recvmsg.3

# Further names of a page: links, made at installation. <alias>:<page>, all of section 3.
LIBEVL_MAN_LINKS =				\
	evl_extend_heap:evl_init_heap \
	evl_destroy_heap:evl_init_heap \
	evl_alloc_block:evl_init_heap \
	evl_free_block:evl_init_heap \
	evl_check_block:evl_init_heap \
	evl_heap_raw_size:evl_init_heap \
	evl_heap_size:evl_init_heap \
	evl_heap_used:evl_init_heap \
	evl_init_heap_unlocked:evl_init_heap \
	evl_extend_heap_unlocked:evl_init_heap \
	evl_destroy_heap_unlocked:evl_init_heap \
	evl_alloc_block_unlocked:evl_init_heap \
	evl_free_block_unlocked:evl_init_heap \
	evl_check_block_unlocked:evl_init_heap \
	evl_send_tube:evl_init_tube \
	evl_receive_tube:evl_init_tube \
	evl_get_tube_size:evl_init_tube \
	evl_init_tube_rel:evl_init_tube \
	evl_send_tube_rel:evl_init_tube \
	evl_receive_tube_rel:evl_init_tube \
	evl_get_tube_size_rel:evl_init_tube \
	oob_sendmsg:oob_recvmsg \
	evl_new_proxy:evl_create_proxy \
	evl_write_proxy:evl_create_proxy \
	evl_send_proxy:evl_create_proxy \
	evl_read_proxy:evl_create_proxy \
	evl_print_proxy:evl_create_proxy \
	evl_vprint_proxy:evl_create_proxy \
	evl_printf:evl_create_proxy \
	evl_eprintf:evl_create_proxy \
	evl_stdout:evl_create_proxy \
	evl_stderr:evl_create_proxy \
	evl_new_mutex:evl_create_mutex \
	evl_open_mutex:evl_create_mutex \
	evl_close_mutex:evl_create_mutex \
	evl_set_mutex_ceiling:evl_create_mutex \
	evl_get_mutex_ceiling:evl_create_mutex \
	evl_timedlock_mutex:evl_lock_mutex \
	evl_trylock_mutex:evl_lock_mutex \
	evl_unlock_mutex:evl_lock_mutex \
	evl_new_event:evl_create_event \
	evl_open_event:evl_create_event \
	evl_close_event:evl_create_event \
	evl_wait_event:evl_create_event \
	evl_timedwait_event:evl_create_event \
	evl_signal_event:evl_create_event \
	evl_signal_thread:evl_create_event \
	evl_broadcast_event:evl_create_event \
	evl_new_sem:evl_create_sem \
	evl_open_sem:evl_create_sem \
	evl_close_sem:evl_create_sem \
	evl_get_sem:evl_create_sem \
	evl_timedget_sem:evl_create_sem \
	evl_tryget_sem:evl_create_sem \
	evl_put_sem:evl_create_sem \
	evl_flush_sem:evl_create_sem \
	evl_peek_sem:evl_create_sem \
	evl_new_flags:evl_create_flags \
	evl_open_flags:evl_create_flags \
	evl_close_flags:evl_create_flags \
	evl_wait_flags:evl_create_flags \
	evl_timedwait_flags:evl_create_flags \
	evl_trywait_flags:evl_create_flags \
	evl_wait_some_flags:evl_create_flags \
	evl_timedwait_some_flags:evl_create_flags \
	evl_trywait_some_flags:evl_create_flags \
	evl_wait_exact_flags:evl_create_flags \
	evl_timedwait_exact_flags:evl_create_flags \
	evl_trywait_exact_flags:evl_create_flags \
	evl_post_flags:evl_create_flags \
	evl_broadcast_flags:evl_create_flags \
	evl_peek_flags:evl_create_flags \
	evl_new_rwlock:evl_create_rwlock \
	evl_destroy_rwlock:evl_create_rwlock \
	evl_lock_read:evl_create_rwlock \
	evl_trylock_read:evl_create_rwlock \
	evl_unlock_read:evl_create_rwlock \
	evl_lock_write:evl_create_rwlock \
	evl_trylock_write:evl_create_rwlock \
	evl_unlock_write:evl_create_rwlock \
	evl_add_pollfd:evl_new_poll \
	evl_del_pollfd:evl_new_poll \
	evl_mod_pollfd:evl_new_poll \
	evl_poll:evl_new_poll \
	evl_timedpoll:evl_new_poll \
	evl_new_xbuf:evl_create_xbuf \
	evl_new_observable:evl_create_observable \
	evl_subscribe:evl_create_observable \
	evl_unsubscribe:evl_create_observable \
	evl_update_observable:evl_create_observable \
	evl_read_observable:evl_create_observable \
	evl_attach_self:evl_attach_thread \
	evl_detach_thread:evl_attach_thread \
	evl_detach_self:evl_attach_thread \
	evl_get_self:evl_attach_thread \
	evl_get_cpustate:evl_control_sched \
	evl_open_element:evl_create_element \
	evl_open_element_vargs:evl_create_element \
	evl_open_raw:evl_create_element \
	evl_get_current_mode:evl_create_element \
	evl_detect_fpu:evl_create_element \
	evl_get_version:evl_init \
	evl_set_timer:evl_new_timer \
	evl_get_timer:evl_new_timer \
	evl_set_clock:evl_read_clock \
	evl_get_clock_resolution:evl_read_clock \
	evl_get_schedattr:evl_set_schedattr \
	evl_yield:evl_set_schedattr \
	evl_clear_thread_mode:evl_set_thread_mode \
	evl_sigdebug_handler:evl_set_thread_mode \
	evl_usleep:evl_sleep_until \
	evl_switch_inband:evl_switch_oob \
	evl_is_inband:evl_switch_oob \
	evl_demote_thread:evl_unblock_thread \
	oob_write:oob_read \
	oob_ioctl:oob_read

install-data-hook:
	@for l in $(LIBEVL_MAN_LINKS); do					\
		$(LN_S) -f "$${l#*:}.3" "$(DESTDIR)$(man3dir)/$${l%:*}.3" || exit 1;	\
	done

uninstall-hook:
	@for l in $(LIBEVL_MAN_LINKS); do rm -f "$(DESTDIR)$(man3dir)/$${l%:*}.3"; done

TESTS += libevl/man/lint.sh

checkman:
	$(AM_TESTS_ENVIRONMENT) $(SHELL) $(top_srcdir)/libevl/man/lint.sh

EXTRA_DIST += libevl/libevl.map libevl/man/lint.sh
